package server

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wadi-project/wadi/internal/collect/stream"
)

// metricsType is the media type of the Prometheus text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// bucketBounds are those of the time a request takes, in seconds.
var bucketBounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// metrics are the server's own counters. Labels are route names and statuses, both
// from fixed lists.
type metrics struct {
	inFlight    atomic.Int64
	wrongTokens atomic.Int64

	mu     sync.Mutex
	routes map[string]*routeMetrics
}

type routeMetrics struct {
	byStatus              map[int]int64
	buckets               []int64
	seconds               float64
	rows, bytes, repeated int64
}

func newMetrics() *metrics { return &metrics{routes: map[string]*routeMetrics{}} }

// route gives the counters of a route; the caller holds mu.
func (m *metrics) route(name string) *routeMetrics {
	r := m.routes[name]
	if r == nil {
		r = &routeMetrics{byStatus: map[int]int64{}, buckets: make([]int64, len(bucketBounds)+1)}
		m.routes[name] = r
	}
	return r
}

// answered counts an answer. Status 0 is a client that went before it.
func (m *metrics) answered(route string, status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.route(route)
	r.byStatus[status]++
	r.seconds += took.Seconds()
	i, _ := slices.BinarySearch(bucketBounds, took.Seconds())
	r.buckets[i]++
}

// stored counts rows that were taken.
func (m *metrics) stored(route string, rows, bytes int, receipt stream.Receipt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.route(route)
	if receipt.Duplicate {
		r.repeated++
		return
	}
	r.rows += int64(rows)
	r.bytes += int64(bytes)
}

// page is a metrics page being written.
type page struct{ b strings.Builder }

func (p *page) head(name, kind, about string) {
	fmt.Fprintf(&p.b, "# HELP %s %s\n# TYPE %s %s\n", name, about, name, kind)
}

func (p *page) one(name, kind, about string, value float64) {
	p.head(name, kind, about)
	p.line(name, value)
}

// line writes a sample; labels are pairs.
func (p *page) line(name string, value float64, labels ...string) {
	p.b.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		p.b.WriteByte("{,"[min(i, 1)])
		p.b.WriteString(labels[i] + "=" + strconv.Quote(labels[i+1]))
	}
	if len(labels) > 0 {
		p.b.WriteByte('}')
	}
	p.b.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func (s *Server) writeMetrics(w http.ResponseWriter, _ *Request) error {
	p := &page{}
	p.head("wadi_build_info", "gauge", "The version that runs.")
	p.line("wadi_build_info", 1, "version", s.version)
	s.metrics.write(p)
	open, dropped := s.conns.count()
	p.one("wadi_connections", "gauge", "Open connections.", float64(open))
	p.one("wadi_connections_dropped_total", "counter", "Connections closed to make room for others.", float64(dropped))
	arriving, work := s.bodies.held()
	p.head("wadi_body_bytes", "gauge", "Memory of requests' bodies.")
	p.line("wadi_body_bytes", float64(arriving), "state", "arriving")
	p.line("wadi_body_bytes", float64(work), "state", "decoding")
	writeDoor(p, s.Door.Stats())
	writeProcess(p)
	w.Header().Set("Content-Type", metricsType)
	_, err := w.Write([]byte(p.b.String()))
	return err
}

func (m *metrics) write(p *page) {
	p.one("wadi_requests_in_flight", "gauge", "Requests that run.", float64(m.inFlight.Load()))
	p.one("wadi_wrong_tokens_total", "counter", "Requests with a token that is wrong, revoked or expired.", float64(m.wrongTokens.Load()))
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.routes))
	for name := range m.routes {
		names = append(names, name)
	}
	slices.Sort(names)
	p.head("wadi_http_requests_total", "counter", "Answers by route and status; status 0 is a client that went before.")
	for _, name := range names {
		r := m.routes[name]
		statuses := make([]int, 0, len(r.byStatus))
		for status := range r.byStatus {
			statuses = append(statuses, status)
		}
		slices.Sort(statuses)
		for _, status := range statuses {
			p.line("wadi_http_requests_total", float64(r.byStatus[status]), "route", name, "status", strconv.Itoa(status))
		}
	}
	p.head("wadi_http_request_seconds", "histogram", "How long answers took.")
	for _, name := range names {
		r, sum := m.routes[name], int64(0)
		for i, n := range r.buckets {
			bound := "+Inf"
			if i < len(bucketBounds) {
				bound = strconv.FormatFloat(bucketBounds[i], 'g', -1, 64)
			}
			sum += n
			p.line("wadi_http_request_seconds_bucket", float64(sum), "route", name, "le", bound)
		}
		p.line("wadi_http_request_seconds_sum", r.seconds, "route", name)
		p.line("wadi_http_request_seconds_count", float64(sum), "route", name)
	}
	for _, c := range []struct {
		name, about string
		value       func(*routeMetrics) int64
	}{
		{"wadi_ingest_rows_total", "Rows that were stored, by route.", func(r *routeMetrics) int64 { return r.rows }},
		{"wadi_ingest_bytes_total", "Bytes of bodies that were stored, decompressed, by route.", func(r *routeMetrics) int64 { return r.bytes }},
		{"wadi_ingest_repeated_total", "Requests that were stored before, by route.", func(r *routeMetrics) int64 { return r.repeated }},
	} {
		p.head(c.name, "counter", c.about)
		for _, name := range names {
			if v := c.value(m.routes[name]); v > 0 {
				p.line(c.name, float64(v), "route", name)
			}
		}
	}
}

// writeDoor writes the figures of the stream door.
func writeDoor(p *page, d stream.Stats) {
	for _, c := range []struct {
		name, kind, about string
		value             float64
	}{
		{"wadi_stream_rows_total", "counter", "Rows made durable.", float64(d.Rows)},
		{"wadi_stream_bytes_total", "counter", "Bytes made durable.", float64(d.Bytes)},
		{"wadi_stream_batches_total", "counter", "Batches made durable.", float64(d.Batches)},
		{"wadi_stream_duplicates_total", "counter", "Batches that were stored before.", float64(d.Duplicates)},
		{"wadi_stream_busy_total", "counter", "Batches refused for want of room.", float64(d.Busy)},
		{"wadi_stream_gaps_total", "counter", "Batches that clients' logs skipped.", float64(d.Gaps)},
		{"wadi_stream_replayed_rows_total", "counter", "Rows found in the log at the start.", float64(d.Replayed)},
		{"wadi_stream_commits_total", "counter", "Commits to the lake.", float64(d.Commits)},
		{"wadi_stream_commit_errors_total", "counter", "Commits that failed.", float64(d.CommitErrors)},
		{"wadi_stream_commit_seconds_total", "counter", "Time of commits.", d.CommitTime.Seconds()},
		{"wadi_stream_last_commit_seconds", "gauge", "Time of the last commit.", d.LastCommit.Seconds()},
		{"wadi_stream_hot_files_total", "counter", "Hot files written.", float64(d.HotFiles)},
		{"wadi_stream_hot_errors_total", "counter", "Hot files that could not be written.", float64(d.HotErrors)},
		{"wadi_stream_held_bytes", "gauge", "Rows between log and lake.", float64(d.HeldBytes)},
		{"wadi_stream_held_bytes_max", "gauge", "Bound of wadi_stream_held_bytes.", float64(d.MaxHeldBytes)},
		{"wadi_stream_open_rows", "gauge", "Rows that are not in the lake yet.", float64(d.OpenRows)},
		{"wadi_stream_open_seconds", "gauge", "Age of the oldest of them.", d.OpenAge.Seconds()},
		{"wadi_stream_request_keys", "gauge", "Requests that are known by their hash.", float64(d.RequestKeys)},
		{"wadi_stream_forgotten_keys_total", "counter", "Requests forgotten before their hour.", float64(d.ForgottenKeys)},
		{"wadi_stream_subscribers", "gauge", "Live tails.", float64(d.Subscribers)},
		{"wadi_stream_tail_dropped_total", "counter", "Batches that slow live tails missed.", float64(d.TailDropped)},
		{"wadi_stream_reopened_total", "counter", "Times that the log had to be opened again.", float64(d.Reopened)},
	} {
		p.one(c.name, c.kind, c.about, c.value)
	}
}

func writeProcess(p *page) {
	p.one("go_goroutines", "gauge", "Goroutines.", float64(runtime.NumGoroutine()))
	if cpu, ok := cpuSeconds(); ok {
		p.one("process_cpu_seconds_total", "counter", "CPU time of the server, without its workers.", cpu)
	}
	if rss, ok := residentBytes(); ok {
		p.one("process_resident_memory_bytes", "gauge", "Resident memory of the server, without its workers.", float64(rss))
	}
}
