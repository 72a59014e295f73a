package forward

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/collect/ingest"
	"github.com/wadi-project/wadi/internal/deliver/logsingestion"
	"github.com/wadi-project/wadi/internal/schema"
)

// decoding takes batches as a Wadi's endpoint does, up to storing them.
type decoding struct {
	t       *testing.T
	streams *ingest.Streams
	dec     *ingest.Decoder
	out     ingest.Result
	stored  map[string]int64
	partial int64
}

func newDecoding(t *testing.T) *decoding {
	return &decoding{
		t: t, streams: ingest.NewStreams(schema.Builtin()), stored: map[string]int64{},
		dec: ingest.NewDecoder(func() time.Time { return time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC) }),
	}
}

func (d *decoding) Send(_ context.Context, b *logsingestion.Batch) error {
	target, err := d.streams.Stream(b.Stream)
	if err != nil {
		return err
	}
	if err := d.dec.Decode(target, ingest.JSON, b.Rows, &d.out); err != nil {
		return &logsingestion.RefusedError{Status: 400, Detail: err.Error()}
	}
	for _, t := range d.out.Tallies {
		d.stored[b.Stream] += t.Stored
		d.partial += t.Partial
	}
	return nil
}

// TestTaken sends real logs to what decodes requests: every row is taken.
func TestTaken(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("the corpus isn't here: WADI_CORPUS is unset")
	}
	for _, c := range []struct {
		folder, stream string
		least          int64
	}{
		{"evtx", DefaultEventStream, 23_503},
		{"iis", DefaultIISStream, 10},
	} {
		t.Run(c.folder, func(t *testing.T) {
			d := newDecoding(t)
			dir := t.TempDir()
			var log strings.Builder
			sum, err := Run(t.Context(), Config{Paths: []string{filepath.Join(corpus, c.folder)}, Sender: d, Dir: dir, Once: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
			t.Logf("%+v, of them %d with damage", sum, d.partial)
			refused, _ := os.ReadFile(filepath.Join(dir, refusedFile))
			if err != nil || sum.Rows < c.least || d.stored[c.stream] != sum.Rows {
				t.Errorf("%d rows are stored of %d: %v\n%.3000s", d.stored[c.stream], sum.Rows, err, refused)
			}
			if strings.Contains(string(refused), "the receiver refuses") {
				t.Errorf("rows are refused by the receiver:\n%.3000s", refused)
			}
			if t.Failed() || testing.Verbose() {
				t.Logf("refused lines:\n%.2000s\n%.4000s", refused, log.String())
			}
		})
	}
}
