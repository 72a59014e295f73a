package bulk

import (
	"fmt"
	"testing"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestWhoClearedALog reads the values that the log service writes as UserData,
// and leaves other providers' alone.
func TestWhoClearedALog(t *testing.T) {
	t.Parallel()
	b := evtxtest.NewBuilder()
	c := b.Chunk()
	for i, provider := range []string{"Microsoft-Windows-Eventlog", "Other"} {
		c.Record(uint64(i+1), 134_116_992_000_000_000, func(x *evtxtest.XML) {
			element := func(name, value string) { x.Element(name, func() { x.Text(value) }) }
			x.Fragment()
			x.Element("Event", func() {
				x.Element("System", func() {
					x.OpenAttrs("Provider")
					x.Attr("Name", false)
					x.Text(provider)
					x.CloseEmpty()
					element("EventID", "1102")
					x.OpenAttrs("TimeCreated")
					x.Attr("SystemTime", false)
					x.Text("2026-01-01T00:00:00.0000000Z")
					x.CloseEmpty()
					element("Channel", "Security")
				})
				x.Element("UserData", func() {
					x.Element("LogFileCleared", func() {
						element("SubjectUserName", "a&b")
						element("SubjectDomainName", "CORP")
						element("Channel", "not a column")
					})
				})
			})
			x.EOF()
		})
	}
	l := newTestLake(t)
	l.load(Config{}, write(t, "a.evtx", b.Bytes()))
	for name, want := range map[string]string{"SubjectUserName": "[a&b -]", "SubjectDomainName": "[CORP -]", "SubjectUserSid": "[- -]", "Channel": "[Security Security]"} {
		if got := fmt.Sprint(l.values(schema.WindowsEvents, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
