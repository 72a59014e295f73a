package forward

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/wadi-project/wadi/internal/deliver/logsingestion"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// nowhere acknowledges everything.
type nowhere struct{}

func (nowhere) Send(context.Context, *logsingestion.Batch) error { return nil }

// BenchmarkForward reads logs into batches that lie on disk before they are sent;
// the receiver costs nothing. It prints rows a second.
func BenchmarkForward(b *testing.B) {
	logs := b.TempDir()
	write(b, filepath.Join(logs, "app.json"), lines(1, 100_000))
	builder := evtxtest.NewBuilder()
	id := uint64(1)
	for range 400 {
		c := builder.Chunk()
		for range 100 {
			record(c, id, "something of a usual length, with a name and a path C:\\Windows\\System32\\svchost.exe", 0)
			id++
		}
	}
	write(b, filepath.Join(logs, "a.evtx"), string(builder.Bytes()))
	for _, name := range []string{"app.json", "a.evtx"} {
		b.Run(name, func(b *testing.B) {
			var rows int64
			for b.Loop() {
				sum, err := Run(b.Context(), Config{Paths: []string{filepath.Join(logs, name)}, Sender: nowhere{}, Dir: b.TempDir(), JSONStream: "Custom-Probe_CL", Once: true})
				if err != nil {
					b.Fatal(err)
				}
				rows += sum.Rows
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
