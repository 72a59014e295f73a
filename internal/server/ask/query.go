package ask

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// Config is what the handlers answer from.
type Config struct {
	// Query holds the lake and the engine.
	Query *query.Config
	// Now is the server's clock; nil is time.Now.
	Now func() time.Time
	// Watch begins to watch a table, for live tails; nil where there are none.
	Watch func(t *schema.Table) Watcher
}

// Handler answers questions. It is safe for concurrent use; how many run at once is
// the engine's limit.
type Handler struct {
	config Config
	tails  chan struct{} // one for each that runs
}

// New makes a handler.
func New(c Config) *Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Handler{c, make(chan struct{}, maxTails)}
}

// problemTrailer is the trailer that tells of an answer that is not whole, and
// rowsTrailer how many rows it has.
const (
	problemTrailer = "Wadi-Problem"
	rowsTrailer    = "Wadi-Rows"
)

// Query is POST /api/v1/query.
func (h *Handler) Query(w http.ResponseWriter, r *http.Request) {
	a, err := read(w, r, h.config.Now())
	if err != nil {
		problemOf(err).send(w)
		return
	}
	if a.format == formatEvents {
		h.events(w, r, &a)
		return
	}
	result, err := h.run(r, &a)
	if err != nil {
		problemOf(err).send(w)
		return
	}
	out := newAnswer(w, a.format.mediaType(), true)
	p := out.write(result, a.format)
	if err := result.Close(); err != nil && p == nil {
		p = problemOf(err)
	}
	switch {
	case out.failed: // nobody reads
	case p != nil && !out.begun:
		p.send(w)
	default:
		out.end(result.Count(), p)
	}
}

// run starts a question.
func (h *Handler) run(r *http.Request, a *asked) (*query.Result, error) {
	c := *h.config.Query
	c.MaxRows = a.MaxRows
	set, err := c.Lake.Schema(r.Context())
	if err != nil {
		return nil, err
	}
	q, err := query.CompileWithin(a.Query, set, a.now, a.within)
	if err != nil {
		return nil, err
	}
	return q.Run(r.Context(), &c)
}

// answer is a response whose head goes out with its first bytes.
type answer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	kind    string
	begun   bool
	failed  bool // the client has gone, or reads nothing
}

func newAnswer(w http.ResponseWriter, kind string, trailers bool) *answer {
	if trailers {
		w.Header().Set("Trailer", problemTrailer+", "+rowsTrailer)
	}
	return &answer{w: w, control: http.NewResponseController(w), kind: kind}
}

// Write writes a part of the answer and sends it.
func (a *answer) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // nothing begins the answer
	}
	a.begin()
	// Without support for deadlines, as in a test's recorder, nothing stalls.
	_ = a.control.SetWriteDeadline(time.Now().Add(writeStall))
	n, err := a.w.Write(p)
	if err == nil {
		if err = a.control.Flush(); errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	a.failed = a.failed || err != nil
	return n, err
}

func (a *answer) begin() {
	if !a.begun {
		a.begun = true
		a.w.Header().Set("Content-Type", a.kind)
		a.w.Header().Set("Cache-Control", "no-store")
		a.w.WriteHeader(http.StatusOK)
	}
}

// end ends an answer that has begun, or is empty.
func (a *answer) end(rows int64, p *QueryProblem) {
	a.begin()
	a.w.Header().Set(rowsTrailer, strconv.FormatInt(rows, 10))
	if p != nil {
		a.w.Header().Set(problemTrailer, p.header())
	}
}

// write writes the rows and what became of them, which it gives too.
func (a *answer) write(result *query.Result, f format) *QueryProblem {
	switch f {
	case formatLines:
		return a.lines(result)
	case formatArrow:
		return a.arrow(result)
	}
	var p *QueryProblem
	err := query.WriteJSONEnding(a, result.Rows, func() ([]byte, error) {
		if p = ended(result); p == nil {
			return nil, nil
		}
		if p.Code != truncatedCode && !a.begun {
			return nil, p // it gets its status
		}
		return append([]byte(`,"problem":`), p.json()...), nil
	})
	if err != nil && p == nil {
		a.failed = true
	}
	return p
}

// truncatedCode is that of [truncated].
const truncatedCode = "Truncated"

// ended closes a result behind its last row and tells why it is not whole.
func ended(result *query.Result) *QueryProblem {
	if err := result.Close(); err != nil {
		return problemOf(err)
	}
	if cut := result.Cut(); cut != "" {
		return truncated(cut)
	}
	return nil
}

func (a *answer) lines(result *query.Result) *QueryProblem {
	if err := query.WriteJSONLines(a, result.Rows); err != nil {
		a.failed = true
		return nil
	}
	p := ended(result)
	if p != nil && (a.begun || p.Code == truncatedCode) {
		line := append(append([]byte(`{"$problem":`), p.json()...), "}\n"...)
		_, _ = a.Write(line) // notes its failure
	}
	return p
}

func (a *answer) arrow(result *query.Result) *QueryProblem {
	err := result.WriteArrow(a)
	switch {
	case engine.IsWriteError(err):
		if a.failed {
			return nil
		}
		return problemOf(err)
	case err != nil && !errors.Is(err, io.ErrShortWrite):
		return problemOf(err)
	}
	return ended(result)
}
