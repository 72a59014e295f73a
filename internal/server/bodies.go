package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wadi-project/wadi/internal/collect/ingest"
)

// bodies bounds the memory of requests' bodies: one half for those that arrive, the
// other for those that are decoded.
type bodies struct {
	mu       sync.Mutex
	max      int64
	arriving int64
	byToken  map[string]int64

	work    int64
	changed chan struct{} // closed and replaced when work shrinks
}

func newBodies(memory int64) *bodies {
	return &bodies{max: memory / 2, byToken: map[string]int64{}, changed: make(chan struct{})}
}

// resize changes the bound; what is held already stays.
func (b *bodies) resize(memory int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.max = memory / 2
}

// arrive takes n bytes for an arriving body; it never waits, because senders may be
// slow.
func (b *bodies) arrive(token string, n int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.arriving+n > b.max || b.byToken[token]+n > b.max/oneTokenPart {
		return NewProblem(http.StatusTooManyRequests, "TooManyBodies", "the server holds as many bodies of requests as it may").RetryAfter(time.Second)
	}
	b.arriving += n
	b.byToken[token] += n
	return nil
}

func (b *bodies) arrived(token string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arriving -= n
	if b.byToken[token] -= n; b.byToken[token] <= 0 {
		delete(b.byToken, token)
	}
}

// account is the memory of one body that is being decoded.
type account struct {
	of   *bodies
	ctx  context.Context
	took int64
}

// more takes n bytes more, and waits for them. One body always finds room.
func (a *account) more(n int64) error {
	b := a.of
	limit := time.NewTimer(workWait)
	defer limit.Stop()
	for {
		b.mu.Lock()
		if b.work == a.took || b.work+n <= b.max {
			b.work += n
			a.took += n
			b.mu.Unlock()
			return nil
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-a.ctx.Done():
			return context.Cause(a.ctx)
		case <-limit.C:
			return NewProblem(http.StatusTooManyRequests, "ServerBusy", "the server is busy with other requests").RetryAfter(time.Second)
		}
	}
}

// end gives everything back.
func (a *account) end() {
	b := a.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work -= a.took
	a.took = 0
	close(b.changed)
	b.changed = make(chan struct{})
}

// held gives what arriving bodies and those being decoded hold, in bytes.
func (b *bodies) held() (arriving, work int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arriving, b.work
}

// raw is a body as it came.
type raw struct {
	data  []byte
	token string
	took  int64
	from  *bodies
}

func (r *raw) release() {
	r.from.arrived(r.token, r.took)
	r.data, r.took = nil, 0
}

// readBody reads the whole body of a request, as it is sent. The caller releases
// it.
func (s *Server) readBody(r *Request) (*raw, error) {
	if r.ContentLength > ingest.MaxBody {
		return nil, tooLarge("the body has %d bytes", r.ContentLength)
	}
	body := &raw{token: r.Token.Name, from: s.bodies}
	if err := body.read(r.Body); err != nil {
		body.release()
		return nil, err
	}
	return body, nil
}

func (r *raw) read(from io.Reader) error {
	if err := r.grow(firstBuffer); err != nil {
		return err
	}
	for {
		if len(r.data) == cap(r.data) {
			if len(r.data) > ingest.MaxBody {
				return tooLarge("the body goes on behind %d bytes", ingest.MaxBody)
			}
			if err := r.grow(min(2*cap(r.data), ingest.MaxBody+1)); err != nil {
				return err
			}
		}
		n, err := from.Read(r.data[len(r.data):cap(r.data)])
		r.data = r.data[:len(r.data)+n]
		switch {
		case errors.Is(err, io.EOF):
			if len(r.data) > ingest.MaxBody {
				return tooLarge("the body has more than %d bytes", ingest.MaxBody)
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// patience is the body of a request: it ends when its sender is too slow.
type patience struct {
	io.ReadCloser
	control *http.ResponseController
	began   time.Time
	grace   time.Duration
	n       int64
}

// patient puts a limit on how long the body of a request may take; reset is called
// when the request failed, and limits how long the rest is waited for.
func patient(w http.ResponseWriter, r *http.Request, grace time.Duration) (reset func()) {
	p := &patience{ReadCloser: r.Body, control: http.NewResponseController(w), began: time.Now(), grace: grace}
	if r.Body == nil || r.Body == http.NoBody {
		_ = p.control.SetReadDeadline(time.Time{}) // what fails leaves the server's own limits
		return func() {}
	}
	r.Body = p
	return func() { _ = p.control.SetReadDeadline(time.Now().Add(restGrace)) }
}

// Read reads; errors are problems.
func (p *patience) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(p.began.Add(p.grace + time.Duration(p.n/bodyRate)*time.Second))
	n, err := p.ReadCloser.Read(b)
	p.n += int64(n)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		_ = p.control.SetReadDeadline(time.Time{}) // the answer may take its time
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, NewProblem(http.StatusRequestTimeout, "TooSlow", "the body came too slowly: %d bytes in %d seconds", p.n, int(time.Since(p.began).Seconds()))
	}
	return n, NewProblem(http.StatusBadRequest, "BodyEnded", "the body ended early, after %d bytes", p.n)
}

// grow makes room for more, which is accounted for first.
func (r *raw) grow(size int) error {
	more := int64(size - cap(r.data))
	if err := r.from.arrive(r.token, more); err != nil {
		return err
	}
	r.took += more
	r.data = append(make([]byte, 0, size), r.data...)
	return nil
}

func tooLarge(format string, args ...any) *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge, "ContentLengthLimitExceeded", "%s; at most %d bytes are taken, counted after decompression", fmt.Sprintf(format, args...), ingest.MaxBody)
}

// encodings are the values of Content-Encoding that are understood.
const encodings = "gzip, zstd"

// encodingOf gives the encoding of a body, empty for none.
func encodingOf(h http.Header) (string, error) {
	text := strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ",")))
	switch text {
	case "", "identity":
		return "", nil
	case "gzip", "x-gzip":
		return "gzip", nil
	case "zstd":
		return "zstd", nil
	}
	return "", NewProblem(http.StatusUnsupportedMediaType, "UnsupportedEncoding", "the Content-Encoding %q is not understood: use gzip, zstd or none", clip(text))
}

// worker decodes bodies; its memory is kept between them.
type worker struct {
	decoder *ingest.Decoder
	result  ingest.Result
	gzip    *gzip.Reader
	zstd    *zstd.Decoder
	plain   []byte
}

// decoders keeps workers that are free.
type decoders struct {
	free  chan *worker
	now   func() time.Time
	taken atomic.Int64 // since rest was called last
	// loaded tells rest that there was a load; it is rest's own.
	loaded bool
}

func newDecoders(now func() time.Time) *decoders {
	return &decoders{free: make(chan *worker, workers), now: now}
}

func (d *decoders) take() *worker {
	d.taken.Add(1)
	select {
	case w := <-d.free:
		return w
	default:
		return &worker{decoder: ingest.NewDecoder(d.now)}
	}
}

// give takes a worker back, unless it has grown large or there are enough.
func (d *decoders) give(w *worker) {
	large := cap(w.plain) > keptBytes || w.result.Rows != nil && cap(w.result.Rows.Encoded()) > rowsPerByte*keptBytes
	if !large {
		select {
		case d.free <- w:
			return
		default:
		}
	}
	if w.zstd != nil {
		w.zstd.Close()
	}
}

// rest gives memory back when nothing was decoded since the last call: that of the
// free workers, and what the runtime keeps of a load that is over.
func (d *decoders) rest() {
	if d.taken.Swap(0) > 0 {
		d.loaded = true
		return
	}
	if !d.loaded {
		return
	}
	d.loaded = false
	for {
		select {
		case w := <-d.free:
			if w.zstd != nil {
				w.zstd.Close()
			}
		default:
			debug.FreeOSMemory()
			return
		}
	}
}

// decode reads a body into the worker's result and gives it without its encoding.
// What it needs is taken from the account first; plain is valid until the next call.
func (w *worker) decode(a *account, t *ingest.Target, f ingest.Format, encoding string, body []byte) (plain []byte, err error) {
	plain = body
	if encoding != "" {
		if plain, err = w.decompress(a, encoding, body); err != nil {
			return nil, err
		}
	}
	if err := a.more(int64(len(plain)) * rowsPerByte); err != nil {
		return nil, err
	}
	if err := w.decoder.Decode(t, f, plain, &w.result); err != nil {
		return nil, ingestProblem(err)
	}
	return plain, nil
}

// reader gives a body's decompressor.
func (w *worker) reader(a *account, encoding string, body []byte) (io.Reader, error) {
	from := bytes.NewReader(body)
	var err error
	if encoding == "gzip" {
		if w.gzip == nil {
			w.gzip = new(gzip.Reader)
		}
		err = w.gzip.Reset(from)
		return w.gzip, err
	}
	var head zstd.Header
	if err := head.Decode(body); err == nil {
		window := head.WindowSize
		if head.SingleSegment {
			window = head.FrameContentSize
		}
		if err := a.more(int64(min(window, maxWindow))); err != nil {
			return nil, err
		}
	}
	if w.zstd == nil {
		w.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	}
	if err == nil {
		err = w.zstd.Reset(from)
	}
	return w.zstd, err
}

// decompress gives the body without its encoding.
func (w *worker) decompress(a *account, encoding string, body []byte) ([]byte, error) {
	from, err := w.reader(a, encoding, body)
	var p *Problem
	if errors.As(err, &p) {
		return nil, err
	}
	if err != nil {
		return nil, wrongEncoding(encoding, err)
	}
	w.plain = w.plain[:0]
	if err := a.more(int64(cap(w.plain))); err != nil {
		return nil, err
	}
	for {
		if len(w.plain) == cap(w.plain) {
			if len(w.plain) > ingest.MaxBody {
				return nil, tooLarge("the body goes on behind %d bytes when decompressed", ingest.MaxBody)
			}
			size := min(max(2*cap(w.plain), firstBuffer), ingest.MaxBody+1)
			if err := a.more(int64(size - cap(w.plain))); err != nil {
				return nil, err
			}
			w.plain = append(make([]byte, 0, size), w.plain...)
		}
		n, err := from.Read(w.plain[len(w.plain):cap(w.plain)])
		w.plain = w.plain[:len(w.plain)+n]
		switch {
		case len(w.plain) > ingest.MaxBody:
			return nil, tooLarge("the body has more than %d bytes when decompressed", ingest.MaxBody)
		case errors.Is(err, io.EOF):
			return w.plain, nil
		case err != nil:
			return nil, wrongEncoding(encoding, err)
		}
	}
}

// wrongEncoding says that a body isn't what its Content-Encoding names. The
// libraries' errors hold nothing of the body.
func wrongEncoding(encoding string, err error) *Problem {
	return NewProblem(http.StatusBadRequest, "InvalidEncoding", "the body is no valid %s: %v", encoding, err)
}

// clip bounds a client's text in a message.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
