package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	// batchRows is how many rows a request has.
	batchRows = 500
	// senders is how many requests are under way at once.
	senders = 8
	// defaultLoadFor is how long each load lasts, and twice as long as an idle server
	// is watched.
	defaultLoadFor = 20 * time.Second
	// stampBase is the number that makes each request's body another: of equal
	// length for every request.
	stampBase = 100_000_000_000_000
)

// ingestTable and its columns are what is sent to.
const (
	ingestTable   = "Bench_CL"
	ingestColumns = "TimeGenerated:datetime, n:long, client:int, ratio:real, ok:bool, id:guid, user:string, method:string, path:string, ip:string, agent:string, more:dynamic"
)

// body is a request that is sent again and again, each time with another number.
type body struct {
	what, path, contentType, goal string
	text                          []byte
	put                           func(text []byte, n int64)
}

// numbered gives the body of the n-th request.
func (b *body) numbered(n int64) []byte {
	text := bytes.Clone(b.text)
	b.put(text, stampBase+n)
	return text
}

// jsonBody makes a body of lines; row writes the n-th, and the first has the
// number stampBase in digits.
func jsonBody(what, table, goal string, row func(s *strings.Builder, i int)) body {
	var s strings.Builder
	for i := range batchRows {
		row(&s, i)
		s.WriteByte('\n')
	}
	text := []byte(s.String())
	mark := fmt.Append(nil, stampBase)
	at := bytes.Index(text, mark)
	return body{what, "/api/v1/ingest/" + table, "application/x-ndjson", goal, text, func(text []byte, n int64) { copy(text[at:at+len(mark)], fmt.Append(nil, n)) }}
}

// ingestBodies are what typical senders send.
func ingestBodies() ([]body, error) {
	at := func(i int) string { return fmt.Sprintf("2026-03-01T11:%02d:%02d.%07dZ", i/60%60, i%60, i) }
	custom := jsonBody("12 columns", ingestTable, "≥60k/s", func(s *strings.Builder, i int) {
		fmt.Fprintf(s, `{"TimeGenerated":"%s","n":%d,"client":%d,"ratio":%d.25,"ok":true,"id":"6f9619ff-8b86-d011-b42d-00c04fc964ff","user":"user%d@contoso.com","method":"GET",`+
			`"path":"/api/v1/items/%d","ip":"10.1.2.%d","agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)","more":{"a":%d,"b":["x","y"]}}`, at(i), stampBase+i, i, i, i, i, i%250, i)
	})
	columns := jsonBody("logons as columns", "SecurityEvent", "≥60k/s", func(s *strings.Builder, i int) {
		fmt.Fprintf(s, `{"TimeGenerated":"%s","EventID":4624,"Computer":"dc01.corp.example","EventSourceName":"Microsoft-Windows-Security-Auditing","Level":"8","Task":12544,`+
			`"EventRecordId":%d,"SubjectUserSid":"S-1-5-18","SubjectUserName":"DC01$","SubjectDomainName":"CORP","SubjectLogonId":"0x3e7","TargetUserSid":"S-1-5-21-1-2-3-%d",`+
			`"TargetUserName":"user%d","TargetDomainName":"CORP","TargetLogonId":"0x%x","LogonType":3,"LogonProcessName":"Kerberos","AuthenticationPackageName":"Kerberos",`+
			`"IpAddress":"10.1.2.%d","IpPort":"%d"}`, at(i), stampBase+i, i, i, i*977, i%250, 40000+i)
	})
	text := jsonBody("logons as _Xml", "SecurityEvent", "≥60k/s", func(s *strings.Builder, i int) {
		fmt.Fprintf(s, `{"_Xml":"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>`+
			`<EventID>4624</EventID><Version>2</Version><Level>0</Level><Task>12544</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='%s'/>`+
			`<EventRecordID>%d</EventRecordID><Correlation/><Execution ProcessID='612' ThreadID='4120'/><Channel>Security</Channel><Computer>dc01.corp.example</Computer><Security/></System>`+
			`<EventData><Data Name='SubjectUserSid'>S-1-5-18</Data><Data Name='SubjectUserName'>DC01$</Data><Data Name='SubjectDomainName'>CORP</Data><Data Name='SubjectLogonId'>0x3e7</Data>`+
			`<Data Name='TargetUserSid'>S-1-5-21-1-2-3-%d</Data><Data Name='TargetUserName'>user%d</Data><Data Name='TargetDomainName'>CORP</Data><Data Name='TargetLogonId'>0x%x</Data><Data Name='LogonType'>3</Data>`+
			`<Data Name='LogonProcessName'>Kerberos</Data><Data Name='AuthenticationPackageName'>Kerberos</Data><Data Name='IpAddress'>10.1.2.%d</Data><Data Name='IpPort'>%d</Data></EventData></Event>"}`,
			at(i), stampBase+i, i, i, i*977, i%250, 40000+i)
	})
	stream, err := arrowBody()
	return []body{custom, columns, text, stream}, err
}

// arrowBody makes the rows of the custom table as an Arrow IPC stream.
func arrowBody() (body, error) {
	text := arrow.BinaryTypes.String
	s := arrow.NewSchema([]arrow.Field{
		{Name: "TimeGenerated", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64},
		{Name: "client", Type: arrow.PrimitiveTypes.Int32},
		{Name: "ratio", Type: arrow.PrimitiveTypes.Float64},
		{Name: "ok", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "id", Type: text},
		{Name: "user", Type: text},
		{Name: "method", Type: text},
		{Name: "path", Type: text},
		{Name: "ip", Type: text},
		{Name: "agent", Type: text},
		{Name: "more", Type: text},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	put := func(column int, value string) { b.Field(column).(*array.StringBuilder).Append(value) }
	for i := range batchRows {
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(1772362800000000 + int64(i)*1000001))
		b.Field(1).(*array.Int64Builder).Append(stampBase + int64(i))
		b.Field(2).(*array.Int32Builder).Append(int32(i))
		b.Field(3).(*array.Float64Builder).Append(float64(i) + 0.25)
		b.Field(4).(*array.BooleanBuilder).Append(true)
		put(5, "6f9619ff-8b86-d011-b42d-00c04fc964ff")
		put(6, fmt.Sprintf("user%d@contoso.com", i))
		put(7, "GET")
		put(8, fmt.Sprintf("/api/v1/items/%d", i))
		put(9, fmt.Sprintf("10.1.2.%d", i%250))
		put(10, "Mozilla/5.0 (Windows NT 10.0; Win64; x64)")
		put(11, fmt.Sprintf(`{"a":%d,"b":["x","y"]}`, i))
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(s))
	if err := errors.Join(w.Write(batch), w.Close()); err != nil {
		return body{}, err
	}
	at := bytes.Index(out.Bytes(), binary.LittleEndian.AppendUint64(nil, stampBase))
	return body{"Arrow, 12 columns", "/api/v1/ingest/" + ingestTable, "application/vnd.apache.arrow.stream", "≥150k/s", out.Bytes(), func(text []byte, n int64) {
		binary.LittleEndian.PutUint64(text[at:], uint64(n))
	}}, nil
}

// benchIngest measures the stream door through the real server on one core: rows
// that are durable before the answer, how long answers take at half that load, how
// soon rows are seen, and what an idle server costs.
func benchIngest(ctx context.Context, b *bench) (err error) {
	bodies, err := ingestBodies()
	if err != nil {
		return err
	}
	var sent atomic.Int64
	if err := b.paced(ctx, &bodies[0], &sent); err != nil {
		return err
	}
	for i := range bodies {
		if err := b.full(ctx, &bodies[i], &sent); err != nil {
			return err
		}
	}
	return nil
}

// paced measures a server that has time to spare.
func (b *bench) paced(ctx context.Context, body *body, sent *atomic.Int64) (err error) {
	s, err := b.serve(ctx, "paced", ingestTable, ingestColumns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := b.idle(ctx, s, "idle server, nothing asked yet", "≤120 MB, ≤0.5 % CPU"); err != nil {
		return err
	}
	if err := b.acknowledged(ctx, s, body, sent); err != nil {
		return err
	}
	if err := b.visible(ctx, s, body, sent); err != nil {
		return err
	}
	return b.idle(ctx, s, "idle server, after load and questions", "≤120 MB, worker ≤200 MB")
}

// full measures one body on a server of its own, so that the upkeep of what
// others sent is no part of it.
func (b *bench) full(ctx context.Context, body *body, sent *atomic.Int64) (err error) {
	s, err := b.serve(ctx, fmt.Sprintf("full-%d", sent.Load()), ingestTable, ingestColumns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop(), os.RemoveAll(s.dir)) }()
	return b.load(ctx, s, body, sent)
}

// load sends as fast as the server takes.
func (b *bench) load(ctx context.Context, s *served, body *body, sent *atomic.Int64) error {
	before, _, err := s.cost()
	if err != nil {
		return err
	}
	start := time.Now()
	var batches atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, senders)
	for range senders {
		group.Go(func() {
			for time.Since(start) < b.LoadFor && ctx.Err() == nil {
				if _, err := s.post(ctx, body.path, body.contentType, body.numbered(sent.Add(1)*batchRows)); err != nil {
					failed <- err
					return
				}
				batches.Add(1)
			}
		})
	}
	group.Wait()
	close(failed)
	for err := range failed {
		return err
	}
	wall := time.Since(start)
	after, rss, err := s.cost()
	if err != nil {
		return err
	}
	rows := float64(batches.Load() * batchRows)
	b.figure("ingest, "+body.what, fmt.Sprintf("%.0f rows/s, %.0f a CPU second, %.0f MB/s in, %d MB", rows/wall.Seconds(), rows/(after-before).Seconds(),
		float64(batches.Load())*float64(len(body.text))/1e6/wall.Seconds(), rss/1e6), body.goal)
	return nil
}

// atRate sends batches at a rate of rows a second, each at its time whether or not
// those before are answered, and tells each how long its answer took from then.
func atRate(ctx context.Context, lasts time.Duration, s *served, body *body, sent *atomic.Int64, rate float64, each func(n int64, took time.Duration)) error {
	every := time.Duration(float64(time.Second) * batchRows / rate)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	end := time.After(lasts)
	var group sync.WaitGroup
	failed := make(chan error, 1)
	for {
		select {
		case <-ticker.C:
			due := time.Now()
			n := sent.Add(1) * batchRows
			group.Go(func() {
				if _, err := s.post(ctx, body.path, body.contentType, body.numbered(n)); err != nil {
					select {
					case failed <- err:
					default:
					}
					return
				}
				each(n, time.Since(due))
			})
		case <-end:
			group.Wait()
			select {
			case err := <-failed:
				return err
			default:
				return nil
			}
		}
	}
}

// acknowledged measures answers at half of the load that a core must take.
func (b *bench) acknowledged(ctx context.Context, s *served, body *body, sent *atomic.Int64) error {
	const rate = 30_000
	var mu sync.Mutex
	var took []time.Duration
	if err := atRate(ctx, b.LoadFor, s, body, sent, rate, func(_ int64, d time.Duration) {
		mu.Lock()
		took = append(took, d)
		mu.Unlock()
	}); err != nil {
		return err
	}
	b.figure(fmt.Sprintf("acknowledged, at %d rows/s", rate), percentiles(took), "p99 ≤50 ms")
	return nil
}

// percentiles prints the median and the 99th.
func percentiles(took []time.Duration) string {
	if len(took) == 0 {
		return "no answers"
	}
	slices.Sort(took)
	at := func(p int) float64 { return 1e3 * took[(len(took)-1)*p/100].Seconds() }
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms of %d", at(50), at(99), len(took))
}

// visible measures, at 10,000 rows a second, how long after its answer a row is in
// the answer to a question; the question's own time is part of it.
func (b *bench) visible(ctx context.Context, s *served, body *body, sent *atomic.Int64) error {
	var took []time.Duration
	watch := make(chan int64, 1)
	done := make(chan error, 1)
	go func() {
		for n := range watch {
			start := time.Now()
			question := fmt.Appendf(nil, `{"query":"%s | where n == %d | project n","format":"jsonl"}`, ingestTable, stampBase+n)
			for {
				answer, err := s.post(ctx, "/api/v1/query", "application/json", question)
				if err != nil {
					done <- err
					return
				}
				if bytes.Contains(answer, fmt.Append(nil, stampBase+n)) {
					break
				}
				if time.Since(start) > time.Minute {
					done <- errors.New("a row that was acknowledged is not seen after a minute")
					return
				}
			}
			took = append(took, time.Since(start))
		}
		done <- nil
	}()
	err := atRate(ctx, b.LoadFor, s, body, sent, 10_000, func(n int64, _ time.Duration) {
		select {
		case watch <- n:
		default: // one is watched already
		}
	})
	close(watch)
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	b.figure("visible after the acknowledgement, at 10,000 rows/s", percentiles(took), "p99 ≤1 s")
	return nil
}

// idle measures some quiet seconds.
func (b *bench) idle(ctx context.Context, s *served, what, goal string) error {
	quiet := b.LoadFor / 2
	wait := func(d time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
	if err := wait(quiet); err != nil {
		return err
	}
	before, _, err := s.cost()
	if err != nil {
		return err
	}
	if err := wait(quiet); err != nil {
		return err
	}
	after, rss, err := s.cost()
	if err != nil {
		return err
	}
	workers, err := s.workers()
	if err != nil {
		return err
	}
	b.figure(what, fmt.Sprintf("%d MB, workers %d MB, %.2f %% CPU", rss/1e6, workers/1e6, 100*(after-before).Seconds()/quiet.Seconds()), goal)
	return nil
}
