package evtx_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// benchLog gives a log of real full chunks of the kind, 32 MiB, all records
// different.
func benchLog(b *testing.B, marker string) []byte {
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		b.Skip("WADI_CORPUS is not set: no real chunks to measure on")
	}
	chunks, err := evtxtest.Chunks(dir, 60000, evtxtest.Holds(marker))
	if err != nil || len(chunks) == 0 {
		b.Fatalf("no chunks with %q: %v", marker, err)
	}
	log, _, err := evtxtest.Log(chunks, evtxtest.Options{SizeBytes: 32 << 20, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	return log
}

func BenchmarkRender(b *testing.B) {
	render := map[string]func(*evtx.Decoder, []byte, *evtx.Record) ([]byte, error){
		"xml": (*evtx.Decoder).AppendXML, "json": (*evtx.Decoder).AppendJSON, "flat": (*evtx.Decoder).AppendFlatJSON,
	}
	for _, mix := range []string{"Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Sysmon"} {
		log := benchLog(b, mix)
		for _, form := range []string{"json", "flat", "xml"} {
			b.Run(mix+"/"+form, func(b *testing.B) {
				f, err := evtx.Open(bytes.NewReader(log), int64(len(log)))
				if err != nil {
					b.Fatal(err)
				}
				d := evtx.NewDecoder()
				buf := make([]byte, evtx.ChunkSize)
				var out []byte
				var r evtx.Record
				b.SetBytes(int64(len(log)))
				b.ReportAllocs()
				records := 0
				for b.Loop() {
					records = 0
					for _, c := range f.Chunks() {
						data, err := f.ReadChunk(c, buf)
						if err != nil {
							b.Fatal(err)
						}
						d.Open(c, data)
						out = out[:0]
						for d.Next(&r) {
							if out, err = render[form](d, out, &r); err != nil {
								b.Fatal(err)
							}
							out = append(out, '\n')
							records++
						}
					}
				}
				b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
			})
		}
	}
}
