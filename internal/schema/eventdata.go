package schema

import "bytes"

// aliases are EventData names that share a column with a name that differs only
// by letter case, because two columns never do. Only these providers use them.
var aliases = []struct{ provider, name, column string }{
	{securityAuditing, "ProcessID", "ProcessId"},       // 5140 and the filtering platform's 5152 to 5159
	{"Microsoft-Windows-Sysmon", "LogonId", "LogonID"}, // Security writes LogonID
}

const securityAuditing = "Microsoft-Windows-Security-Auditing"

// firstDataID is the least field id of EventData's columns.
const firstDataID = 100

// EventDataName is a name of EventData whose values a column holds.
type EventDataName struct {
	// Provider is the only provider whose events count; empty for all.
	Provider string
	Name     string
}

// EventDataNames gives the names of EventData whose values a column of windows_events
// holds, the first that an event has; none for other columns. With them the column
// can be read from the text of events that were stored before it was born.
func EventDataNames(t *Table, c *Column) []EventDataName {
	if t.Name != WindowsEvents.Name || c.FieldID < firstDataID {
		return nil
	}
	names := []EventDataName{{Name: c.Name}}
	for _, a := range aliases {
		if a.column == c.Name {
			names = append(names, EventDataName{a.provider, a.name})
		}
	}
	return names
}

// dataEntry is one slot of the open-addressed table dataNames.
type dataEntry struct {
	name     string
	provider string // empty: any provider
	column   int    // index in WindowsEvents.Columns
}

// dataSlots is a power of two, at least four times the number of names, so that
// most look-ups touch one slot.
const dataSlots = 1024

var dataNames = buildDataNames()

func buildDataNames() *[dataSlots]dataEntry {
	var t [dataSlots]dataEntry
	put := func(provider, name, column string) {
		i := dataHash([]byte(name))
		for t[i].name != "" {
			i = (i + 1) % dataSlots
		}
		t[i] = dataEntry{name, provider, WindowsEvents.Index(column)}
	}
	for _, c := range eventDataColumns {
		put("", c.Name, c.Name)
	}
	for _, a := range aliases {
		put(a.provider, a.name, a.column)
	}
	return &t
}

// dataHash mixes the length and six bytes of a name; the names were checked to
// spread well (TestEventDataColumnSpread).
func dataHash(name []byte) uint {
	n := uint(len(name))
	if n == 0 {
		return 0
	}
	h := n*0x9E37 ^ uint(name[0])*0x85EB ^ uint(name[n-1])*0xC2B3 ^ uint(name[n/2])*0x27D5
	h ^= uint(name[n/3])*0x1656 ^ uint(name[n-1-n/4])*0x9E49<<2
	h ^= uint(name[n/5])*0x2C1B<<1 ^ uint(name[n-1-n/8])*0x165F<<3
	h ^= h >> 11
	return h % dataSlots
}

// EventDataColumn gives the index in WindowsEvents.Columns of the column that
// holds the value of the EventData element with that Name attribute in an event
// of that provider, -1 when it has none. Names are compared exactly; a few names
// that differ from a column's only by letter case share it, for the providers
// that use them. It is called for every Data of every event: it does not
// allocate.
func EventDataColumn(provider, name []byte) int {
	for i := dataHash(name); ; i = (i + 1) % dataSlots {
		e := &dataNames[i]
		if e.name == "" {
			return -1
		}
		if e.name == string(name) && (e.provider == "" || bytes.Equal(provider, []byte(e.provider))) {
			return e.column
		}
	}
}
