package schema

import "testing"

func TestEventDataColumn(t *testing.T) {
	for _, c := range []struct{ provider, name, column string }{
		{securityAuditing, "SubjectUserName", "SubjectUserName"},
		{"Microsoft-Windows-Sysmon", "ProcessId", "ProcessId"},
		{securityAuditing, "ProcessID", "ProcessId"},
		{securityAuditing, "LogonID", "LogonID"},
		{"Microsoft-Windows-Sysmon", "LogonId", "LogonID"},
		{"", "Image", "Image"},
		{"Microsoft-Windows-Bits-Client", "processId", ""},
		{"Application", "ProcessID", ""},
		{"x", "LogonId", ""},
		{"x", "", ""},
		{"x", "EventID", ""}, // a column, but not one of EventData
		{"x", "Threat Name", ""},
	} {
		got := EventDataColumn([]byte(c.provider), []byte(c.name))
		if c.column == "" && got != -1 || c.column != "" && (got < 0 || WindowsEvents.Columns[got].Name != c.column) {
			t.Errorf("%s of %s: column %d, want %q", c.name, c.provider, got, c.column)
		}
	}
	for i, c := range WindowsEvents.Columns {
		if c.FieldID >= 100 && EventDataColumn(nil, []byte(c.Name)) != i {
			t.Errorf("%s is not found as itself", c.Name)
		}
	}
	p, n := []byte(securityAuditing), []byte("TargetUserName")
	if allocs := testing.AllocsPerRun(100, func() { EventDataColumn(p, n) }); allocs != 0 {
		t.Errorf("%v allocations a call, want none", allocs)
	}
}

// TestEventDataColumnSpread holds the hash to what the hot path expects.
func TestEventDataColumnSpread(t *testing.T) {
	run, longest := 0, 0
	for i := range 2 * dataSlots {
		if dataNames[i%dataSlots].name == "" {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if longest > 6 {
		t.Errorf("%d slots in a row are taken, want at most 6: look-ups get slow", longest)
	}
}

func BenchmarkEventDataColumn(b *testing.B) {
	p := []byte(securityAuditing)
	names := [][]byte{[]byte("SubjectUserSid"), []byte("LogonType"), []byte("FilterRTID"), []byte("CommandLine"), []byte("ProcessID"), []byte("updateGuid")}
	for i := 0; b.Loop(); i++ {
		EventDataColumn(p, names[i%len(names)])
	}
}
