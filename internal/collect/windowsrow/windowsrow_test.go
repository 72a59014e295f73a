package windowsrow

import (
	"bytes"
	"testing"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

const (
	systemText = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P'/><EventID>7</EventID><TimeCreated SystemTime='2026-01-01T00:00:00.0000001Z'/>` +
		`<Channel>Security</Channel><Computer>c</Computer><Security/></System>`
	restText = `<EventData><Data Name='Status'>0x1</Data><Data Name='Other'>x</Data></EventData></Event>`
)

// TestComposedAsParsed holds that an event's values make the row that its text
// makes, but for the form.
func TestComposedAsParsed(t *testing.T) {
	t.Parallel()
	w, at := NewWriter(), Place{Source: 1, Seq: 2, IngestedUS: 3, ResourceID: []byte("/r")}
	parsed, composed := datafile.NewRows(schema.WindowsEvents), datafile.NewRows(schema.WindowsEvents)
	var b event.Batch
	e := event.Event{XML: b.Append([]byte(systemText + restText))}
	got, damage, err := w.Add(parsed, &at, &b, &e)
	if err != nil || damage != "" || !got.Rebuilds {
		t.Fatal(err, damage, got.Rebuilds)
	}
	us, sub := got.TimeCreated.UnixMicros()
	c := Composed{
		System: eventxml.System{
			TimeUS: us, TimeSub: sub, EventID: 7, Has: event.HasTimeCreated | event.HasEventID,
			Provider: []byte("P"), Channel: []byte("Security"), Computer: []byte("c"),
		},
		EventXML: []byte(restText), Data: []Data{{[]byte("Status"), []byte("0x1")}, {[]byte("Other"), []byte("x")}},
	}
	w.AddComposed(composed, &at, &c)
	if !bytes.Equal(parsed.Encoded(), composed.Encoded()) || parsed.Len() != 1 || parsed.Err() != nil {
		t.Errorf("parsed:   %q\ncomposed: %q", parsed.Encoded(), composed.Encoded())
	}
	if text := eventxml.AppendSystem(nil, &c.System, c.Form); string(text) != systemText {
		t.Errorf("System is %s", text)
	}
}

// TestPlaces holds what a row gets from its door.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w, numbered, plain := NewWriter(), datafile.NewRows(schema.WindowsEvents), datafile.NewRows(schema.WindowsEvents)
	var b event.Batch
	for range 2 {
		e := event.Event{XML: b.Append([]byte(systemText + restText))}
		if _, _, err := w.Add(numbered, &Place{Numbered: true, Table: "WindowsEvent"}, &b, &e); err != nil {
			t.Fatal(err)
		}
	}
	if !numbered.Numbered() || numbered.Len() != 2 {
		t.Error("rows cannot be numbered", numbered.Len(), numbered.Err())
	}
	for _, text := range []string{"<Event></Event>", "x", "<Event><System>" + string(bytes.Repeat([]byte(" "), maxSystem)) + "</System></Event>"} {
		e := event.Event{XML: b.Append([]byte(text))}
		if _, _, err := w.Add(plain, &Place{}, &b, &e); err == nil || plain.Len() != 0 {
			t.Errorf("%.20s: %v, %d rows", text, err, plain.Len())
		}
	}
}
