package stream

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/lake"
)

func samplePayloads() []payload {
	name := SourceName{Kind: "logs-ingestion", Host: "dc1", Name: "dcr-1"}
	return []payload{
		{table: "windows_events", version: 1, source: 7, name: name, us: 1_700_000_000_000_000, rows: []byte("rows")},
		{source: 1<<31 - 1, name: SourceName{Kind: "ingest"}, us: -1, keyKind: keyRequest, request: [32]byte{1, 2, 31: 9}},
		{
			table: "probe_cl", version: 3, source: 1, name: name, keyKind: keyBatch, log: "0b5c2f5e-0000-4000-8000-000000000001", n: 1<<62 + 5,
			tallies: []lake.SourceTally{
				{Source: 1, Channel: "Security", Received: 10, Stored: 5, Duplicate: 2, Filtered: 2, Damaged: 1, Partial: 1, Lost: 3, Late: 2, FirstTime: -5, LastTime: 1 << 60, Losses: []string{"a", ""}},
				{Source: 1, Received: 1, Stored: 1},
			},
			rows: bytes.Repeat([]byte{0}, 300),
		},
	}
}

func TestPayloadsComeBack(t *testing.T) {
	for _, want := range samplePayloads() {
		data := want.append([]byte("before"))[len("before"):]
		var got payload
		if err := got.parse(data); err != nil {
			t.Fatal(err)
		}
		if want.rows == nil {
			want.rows = []byte{}
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(payload{})); d != "" {
			t.Errorf("payload (-want +got):\n%s", d)
		}
		head := len(data) - len(want.rows)
		for n := range head { // a payload cut anywhere in its head is refused
			if err := got.parse(data[:n]); err == nil {
				t.Errorf("%d of %d bytes are a payload", n, head)
			}
		}
	}
}

func FuzzPayload(f *testing.F) {
	for _, p := range samplePayloads() {
		f.Add(p.append(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p, again payload
		if p.parse(data) != nil {
			return
		}
		if err := again.parse(p.append(nil)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, again, cmp.AllowUnexported(payload{})); d != "" {
			t.Errorf("written and read again (-first +second):\n%s", d)
		}
	})
}
