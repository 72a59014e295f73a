package bulk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/schema"
)

// testFeed makes blocks of three events, every third one with two lines.
type testFeed struct {
	blocks int
	fail   int // the block that cannot be made; 0 for none
}

func (f testFeed) Blocks() int        { return f.blocks }
func (f testFeed) Kind() string       { return "test" }
func (f testFeed) Key(i int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "block %d", i)) }
func (f testFeed) host(i int) string  { return fmt.Sprintf("pc%d", i%4) }
func (f testFeed) events(i int) string {
	return fmt.Sprintf("<EventData><Data>%d</Data></EventData>", i)
}

var errBlock = errors.New("no such block")

func (f testFeed) Fill(i int, b *Block) error {
	if f.fail != 0 && i == f.fail {
		return errBlock
	}
	if len(b.Events.Events) > 0 || len(b.Lines) > 0 {
		return errors.New("the block is not empty")
	}
	b.Host = f.host(i)
	for n := range 3 {
		xml := fmt.Sprintf("<Event><System><EventID>%d</EventID><TimeCreated SystemTime='2026-01-01T00:00:00.0000000Z'/><Channel>Security</Channel></System>%s</Event>", n, f.events(i))
		b.Events.Events = append(b.Events.Events, event.Event{XML: b.Events.Append([]byte(xml))})
	}
	if i%3 == 0 {
		b.Lines = append(b.Lines, w3cHead+w3cLine(i)+w3cLine(i+1)...)
	}
	return nil
}

func TestFeed(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	feed := func(f testFeed, cfg Config) (Summary, error) {
		cfg.Writer, cfg.Workers = l.w, 3
		s, err := ImportFeed(t.Context(), cfg, f)
		addsUp(t, s)
		return s, err
	}
	s, err := feed(testFeed{blocks: 10}, Config{})
	if want := (Counts{Read: 38, Stored: 38}); err != nil || s.Counts != want || s.Files != 1 || l.count() != 38 {
		t.Fatalf("%v, %+v, %d rows", err, s, l.count())
	}
	if s, err = feed(testFeed{blocks: 30}, Config{}); err != nil || s.Stored != 72 || s.Duplicate != 38 || l.count() != 110 {
		t.Errorf("grown: %v, %+v", err, s)
	}
	if s, err = feed(testFeed{blocks: 30}, Config{Case: "x"}); err != nil || s.Stored != 110 {
		t.Errorf("other case: %v, %+v", err, s)
	}
	if s, err = feed(testFeed{blocks: 1}, Config{KeepDuplicates: true}); err != nil || s.Stored != 5 {
		t.Errorf("kept: %v, %+v", err, s)
	}
	for source, host := range l.values(schema.Sources, "Host") {
		if host != "-" && !strings.HasPrefix(host, "pc") {
			t.Errorf("source %d has host %q", source, host)
		}
	}
}

func TestAFeedThatFailsKeepsWhatItMadeBefore(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	s, err := ImportFeed(t.Context(), Config{Writer: l.w}, testFeed{blocks: 50, fail: 49})
	addsUp(t, s)
	if !errors.Is(err, errBlock) || !s.Interrupted || !s.PerFile[0].Incomplete || l.count() != s.Stored {
		t.Errorf("%v, %+v, %d rows", err, s, l.count())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err = ImportFeed(ctx, Config{Writer: l.w}, testFeed{blocks: 50}); !errors.Is(err, context.Canceled) || s.Stored != 0 {
		t.Errorf("%v, %+v", err, s)
	}
	if s, err = ImportFeed(t.Context(), Config{Writer: l.w}, testFeed{blocks: 50}); err != nil || s.Read != 184 || s.Stored+s.Duplicate != 184 || l.count() != 184 {
		t.Errorf("%v, %+v", err, s)
	}
}
