package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// logonRows fills rows of windows_events as a logon event's XML gives them: about
// 1.5 KB of text each.
func logonRows(b *datafile.Rows, count int, salt int64) {
	t := schema.WindowsEvents
	at := func(name string) int { return t.Index(name) }
	const names = "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TargetUserSid TargetUserName TargetDomainName TargetLogonId Status FailureReason SubStatus LogonType LogonProcessName AuthenticationPackageName WorkstationName TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort"
	var text []byte
	for i := range count {
		n := salt*int64(count) + int64(i)
		text = append(text[:0], "<EventData>"...)
		for name := range strings.FieldsSeq(names) {
			text = fmt.Appendf(text, "<Data Name='%s'>%s-%d</Data>", name, name, n%1000)
		}
		text = append(text, "</EventData></Event>"...)
		b.BeginNumbered()
		b.Int(at("TimeGenerated"), 1_780_000_000_000_000+n*1000)
		b.String(at("_Table"), "SecurityEvent")
		b.Int(at("_SystemForm"), 0)
		b.Bytes(at("EventXml"), text)
		b.String(at("Channel"), "Security")
		b.String(at("Provider"), "Microsoft-Windows-Security-Auditing")
		b.Int(at("EventID"), 4624+n%3)
		b.Int(at("EventRecordId"), n)
		b.String(at("Computer"), fmt.Sprint("host", n%50))
		b.End()
	}
}

// percentile gives the wait that p of a hundred don't pass.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)*p/100, len(all)-1)]
}

// slowDisk delays each sync.
type slowDisk struct {
	wal.FS
	delay time.Duration
}

type slowFile struct {
	wal.File
	delay time.Duration
}

func (s slowDisk) Create(name string) (wal.File, error) {
	f, err := s.FS.Create(name)
	return slowFile{f, s.delay}, err
}

func (f slowFile) Sync() error {
	<-time.After(f.delay)
	return f.File.Sync()
}

// BenchmarkSubmit puts batches of 500 logons from 32 callers through the door until
// they are in the lake: rows a second, and the longest wait of a hundredth of the
// batches. Run it with -cpu 1 for the figure of one core.
func BenchmarkSubmit(b *testing.B) {
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		b.Run(fmt.Sprint("sync+", delay), func(b *testing.B) {
			x := newWorld(b)
			d, err := Open(context.Background(), Config{Writer: x.w, WAL: wal.Options{FS: slowDisk{wal.OS(), delay}}})
			if err != nil {
				b.Fatal(err)
			}
			const callers, size = 32, 500
			var next, busy atomic.Int64
			waits := make([][]time.Duration, callers)
			var wg sync.WaitGroup
			b.ResetTimer()
			begun := time.Now()
			for c := range callers {
				wg.Go(func() {
					rows := datafile.NewRows(schema.WindowsEvents)
					logonRows(rows, size, int64(c))
					tally := lake.SourceTally{Channel: "Security", Received: size, Stored: size, FirstTime: event.FromUnixMicros(1), LastTime: event.FromUnixMicros(2)}
					batch := &Batch{Table: schema.WindowsEvents, Source: SourceName{Kind: "ingest", Name: fmt.Sprint("c", c)}, Rows: rows, Tallies: []lake.SourceTally{tally}}
					for n := next.Add(1); n <= int64(b.N); {
						batch.Request = &[32]byte{byte(n), byte(n >> 8), byte(n >> 16)}
						at := time.Now()
						_, err := d.Submit(context.Background(), batch)
						var full *ErrBusy
						if errors.As(err, &full) {
							busy.Add(1)
							continue
						}
						if err != nil {
							b.Error(err)
							return
						}
						waits[c] = append(waits[c], time.Since(at))
						n = next.Add(1)
					}
				})
			}
			wg.Wait()
			if err := d.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			took := time.Since(begun)
			b.StopTimer()
			var all []time.Duration
			for _, w := range waits {
				all = append(all, w...)
			}
			b.ReportMetric(float64(b.N*size)/took.Seconds(), "rows/s")
			b.ReportMetric(float64(percentile(all, 99).Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(busy.Load()), "busy")
			st := d.Stats()
			b.ReportMetric(float64(st.Commits), "commits")
			b.ReportMetric(float64(st.CommitTime.Milliseconds())/float64(max(st.Commits, 1)), "commit-ms")
			if os.Getenv("WADI_VERBOSE") != "" {
				b.Logf("%+v", st)
			}
		})
	}
}

// BenchmarkVisible sends batches of 500 logons at a rate, for twenty seconds, and looks
// every 10 ms how many rows a question would see: the wait of a hundredth of the
// batches between acknowledgement and being seen.
func BenchmarkVisible(b *testing.B) {
	for _, perSecond := range []int{10_000, 40_000} {
		b.Run(fmt.Sprint(perSecond), func(b *testing.B) {
			for b.Loop() {
				benchVisible(b, perSecond)
			}
		})
	}
}

func benchVisible(b *testing.B, perSecond int) {
	const size = 500
	x := newWorld(b)
	d, err := Open(context.Background(), Config{Writer: x.w})
	if err != nil {
		b.Fatal(err)
	}
	batches := 20 * perSecond / size
	acked := make(chan time.Time, batches)
	go func() {
		rows := datafile.NewRows(schema.WindowsEvents)
		logonRows(rows, size, 1)
		tally := lake.SourceTally{Channel: "Security", Received: size, Stored: size}
		batch := &Batch{Table: schema.WindowsEvents, Source: SourceName{Kind: "ingest"}, Rows: rows, Tallies: []lake.SourceTally{tally}}
		tick := time.NewTicker(time.Second * size / time.Duration(perSecond))
		defer tick.Stop()
		for range batches {
			<-tick.C
			if _, err := d.Submit(context.Background(), batch); err != nil {
				b.Error(err)
			}
			acked <- time.Now()
		}
		close(acked)
	}()
	var waits []time.Duration
	seen := int64(0)
	for at := range acked {
		for need := int64(len(waits)+1) * size; seen < need; {
			<-time.After(10 * time.Millisecond)
			p, err := x.w.Pin(context.Background(), time.Minute)
			if err != nil {
				b.Fatal(err)
			}
			files, err := p.Table(schema.WindowsEvents)
			if err := errors.Join(err, p.Close()); err != nil {
				b.Fatal(err)
			}
			seen = files.Rows
		}
		waits = append(waits, time.Since(at))
	}
	st := d.Stats()
	if err := d.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(percentile(waits, 50).Milliseconds()), "p50-ms")
	b.ReportMetric(float64(percentile(waits, 99).Milliseconds()), "p99-ms")
	b.ReportMetric(float64(st.HotFiles), "hot-files")
	b.ReportMetric(float64(st.Commits), "commits")
}

// BenchmarkAck sends 30,000 logons a second in batches of 500 from many callers, for ten
// seconds, over a disk that delays each sync by 5 ms: the wait for the
// acknowledgement.
func BenchmarkAck(b *testing.B) {
	const size, batches, perSecond = 500, 600, 60
	for b.Loop() {
		x := newWorld(b)
		d, err := Open(context.Background(), Config{Writer: x.w, WAL: wal.Options{FS: slowDisk{wal.OS(), 5 * time.Millisecond}}})
		if err != nil {
			b.Fatal(err)
		}
		free := make(chan *Batch, 64)
		for i := range cap(free) {
			rows := datafile.NewRows(schema.WindowsEvents)
			logonRows(rows, size, int64(i))
			tally := lake.SourceTally{Channel: "Security", Received: size, Stored: size}
			free <- &Batch{Table: schema.WindowsEvents, Source: SourceName{Kind: "ingest"}, Rows: rows, Tallies: []lake.SourceTally{tally}}
		}
		waits := make([]time.Duration, batches)
		var wg sync.WaitGroup
		tick := time.NewTicker(time.Second / perSecond)
		for i := range batches {
			<-tick.C
			batch := <-free
			wg.Go(func() {
				at := time.Now()
				if _, err := d.Submit(context.Background(), batch); err != nil {
					b.Error(err)
				}
				waits[i] = time.Since(at)
				free <- batch
			})
		}
		wg.Wait()
		tick.Stop()
		if err := d.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(percentile(waits, 50).Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(percentile(waits, 99).Microseconds())/1000, "p99-ms")
	}
}
