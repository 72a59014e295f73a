package ask

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wadi-project/wadi/internal/query"
)

// eventStream writes server-sent events; it is safe for concurrent use.
type eventStream struct {
	mu  sync.Mutex
	out *answer
}

// event writes one event. data is one line.
func (s *eventStream) event(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := append(append([]byte("event: "), name...), "\ndata: "...)
	_, err := s.out.Write(append(append(b, data...), "\n\n"...))
	return err
}

// progress is the data of the event of that name, end that of the last.
type progress struct {
	Seconds float64 `json:"seconds"`
	Rows    int64   `json:"rows"`
}

func (p progress) json() []byte {
	b, err := json.Marshal(p)
	if err != nil { // two numbers always are JSON
		return []byte("{}")
	}
	return b
}

// events answers a question with server-sent events.
func (h *Handler) events(w http.ResponseWriter, r *http.Request, a *asked) {
	began := time.Now()
	s := &eventStream{out: newAnswer(w, formatEvents.mediaType(), false)}
	var rows atomic.Int64
	state := func() []byte { return progress{time.Since(began).Seconds(), rows.Load()}.json() }
	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_ = s.event("progress", state()) // the rows fail too
			}
		}
	})
	result, err := h.run(r, a)
	var p *QueryProblem
	if err == nil {
		err = s.rows(result, &rows)
		if closing := result.Close(); closing != nil {
			p = problemOf(closing)
		} else if cut := result.Cut(); cut != "" {
			p = truncated(cut)
		}
	} else {
		p = problemOf(err)
	}
	close(done)
	telling.Wait()
	switch {
	case s.out.failed:
	case p != nil && !s.out.begun:
		p.send(w)
	case p != nil && s.event("problem", p.json()) != nil:
	default:
		_ = s.event("end", state()) // the last thing that is said
	}
	_ = err // is in p, or the client has gone
}

// rows writes the columns and the rows; its error is that of writing.
func (s *eventStream) rows(result *query.Result, count *atomic.Int64) error {
	more := result.Next()
	if !more && result.Close() != nil {
		return nil // a question that fails has no columns
	}
	if err := s.event("columns", query.AppendJSONColumns(nil, result.Rows)); err != nil {
		return err
	}
	return s.some(result, count, more)
}

// some writes the rows that are left, the current one with them where current says
// so, and counts them.
func (s *eventStream) some(result *query.Result, count *atomic.Int64, current bool) error {
	b := []byte{'['}
	for more := current || result.Next(); more; more = result.Next() {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = query.AppendJSONRow(b, result.Rows)
		count.Store(result.Count())
		if len(b) >= rowsEvent {
			if err := s.event("rows", append(b, ']')); err != nil {
				return err
			}
			b = append(b[:0], '[')
		}
	}
	if len(b) > 1 {
		return s.event("rows", append(b, ']'))
	}
	return nil
}

// comment writes a line that clients pass over.
func (s *eventStream) comment(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.out.Write([]byte(": " + text + "\n\n"))
	return err
}
