package datafile

import (
	"bytes"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

func TestAppendAddsRows(t *testing.T) {
	fill := func(first, n int64) *Rows {
		b := NewRows(schema.WindowsEvents)
		for i := first; i < first+n; i++ {
			b.BeginNumbered()
			b.Int(b.Table().Index("TimeGenerated"), i)
			b.String(b.Table().Index("_Table"), "Event")
			b.Int(b.Table().Index("_SystemForm"), 0)
			b.String(b.Table().Index("EventXml"), "</Event>")
			b.End()
		}
		return b
	}
	want, got := fill(0, 30), NewRows(schema.WindowsEvents)
	for i := range int64(3) {
		more := fill(i*10, 10)
		more.Begin() // is dropped
		got.Append(more)
		more.Reset() // the copy stays
	}
	want.Number(7, 100, 5)
	got.Number(7, 100, 5)
	if got.Err() != nil || got.Len() != 30 || !bytes.Equal(got.Encoded(), want.Encoded()) {
		t.Errorf("%d rows, %v: they differ from those that were begun in one arena", got.Len(), got.Err())
	}
	bad := NewRows(schema.WindowsEvents)
	bad.Begin()
	bad.End() // without what is required
	if got.Append(bad); got.Err() == nil {
		t.Error("the error of rows that were left out is lost")
	}
}
