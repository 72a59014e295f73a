package wal

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// slowFS delays every sync of the real file system; with instead, a sync is
// nothing but the delay, so that the figure is the log's and not that of the disk
// of the day.
type slowFS struct {
	FS
	delay   time.Duration
	instead bool
}

func (s slowFS) Create(name string) (File, error) { return s.slow(s.FS.Create(name)) }
func (s slowFS) Open(name string) (File, error)   { return s.slow(s.FS.Open(name)) }

func (s slowFS) SyncDir(name string) error {
	s.wait()
	if s.instead {
		return nil
	}
	return s.FS.SyncDir(name)
}

func (s slowFS) slow(f File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return slowFile{f, s}, nil
}

// wait is the disk at work.
func (s slowFS) wait() { <-time.After(s.delay) }

type slowFile struct {
	File
	fs slowFS
}

func (f slowFile) Sync() error {
	f.fs.wait()
	if f.fs.instead {
		return nil
	}
	return f.File.Sync()
}

// BenchmarkAppend appends frames of 500 rows and 400 KB from many at once, with the
// disk's own sync and with one that takes 5 ms. It prints rows a second and the
// latency of acknowledgements.
func BenchmarkAppend(b *testing.B) {
	body := make([]byte, 400<<10)
	for i := range body {
		body[i] = byte(i)
	}
	for _, delay := range []time.Duration{0, 5 * time.Millisecond} {
		for _, sources := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("sync=%v/sources=%d", delay, sources), func(b *testing.B) {
				l := open(b, newDir(b), Options{FS: slowFS{OS(), delay, false}})
				times := make([][]time.Duration, sources)
				var wg sync.WaitGroup
				b.ResetTimer()
				for w := range sources {
					wg.Go(func() {
						for i := w; i < b.N; i += sources {
							start := time.Now()
							f, err := l.Append(b.Context(), 500, func(_, _ int64, dst []byte) ([]byte, error) { return append(dst, body...), nil })
							if err != nil {
								b.Error(err)
								return
							}
							times[w] = append(times[w], time.Since(start))
							l.Committed(f.Position)
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				all := slices.Concat(times...)
				slices.Sort(all)
				b.ReportMetric(500*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(b.N)/float64(l.Stats().Syncs), "frames/sync")
			})
		}
	}
}

// TestAckLatency is the figure at a modest load with a sync of 5 ms: an
// acknowledgement takes two syncs at the most, and what the machine adds. A
// machine that does something else has three tries.
func TestAckLatency(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("it measures for 5 s; set WADI_SLOW=1")
	}
	const limit = 50 * time.Millisecond
	var p99 time.Duration
	for range 3 {
		times := ackTimes(t)
		p99 = times[len(times)*99/100]
		t.Logf("50,000 rows/s, sync 5 ms: p50 %v, p99 %v", times[len(times)/2], p99)
		if p99 <= limit {
			return
		}
	}
	t.Errorf("p99 of the acknowledgement is %v, more than %v", p99, limit)
}

// ackTimes appends 100 batches of 500 rows a second, for 5 s, and gives the
// latencies in order.
func ackTimes(t *testing.T) []time.Duration {
	l := open(t, newDir(t), Options{FS: slowFS{OS(), 5 * time.Millisecond, true}})
	body := make([]byte, 400<<10)
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		<-tick.C
		wg.Go(func() {
			start := time.Now()
			f, err := l.Append(t.Context(), 500, func(_, _ int64, dst []byte) ([]byte, error) { return append(dst, body...), nil })
			took := time.Since(start)
			if err != nil {
				t.Error(err)
				return
			}
			l.Committed(f.Position)
			mu.Lock()
			times = append(times, took)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(times)
	return times
}

// BenchmarkOpen reads and checks a log of 256 MB, as a start does.
func BenchmarkOpen(b *testing.B) {
	dir := newDir(b)
	l := open(b, dir, Options{FS: slowFS{OS(), 0, true}})
	body := make([]byte, 400<<10)
	for range 640 {
		if _, err := l.Append(b.Context(), 500, func(_, _ int64, dst []byte) ([]byte, error) { return append(dst, body...), nil }); err != nil {
			b.Fatal(err)
		}
	}
	size := l.Size()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	for b.Loop() {
		l, err := Open(b.Context(), dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
