package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/query"
)

// QueryProblem is an error of a request as RFC 9457 describes it.
type QueryProblem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Code names the problem for programs: InvalidRequest, WrongQuestion, Truncated,
	// Busy, DeadlineExceeded, OutOfMemory, ShuttingDown, QueryFailed.
	Code string `json:"code"`
	// Hint is one line of advice.
	Hint string `json:"hint,omitempty"`
	// Diagnostics are the mistakes of a question with their places.
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
}

// Diagnostic is one mistake in a question.
type Diagnostic struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Start and End are the place in the question, in bytes.
	Start int `json:"start"`
	End   int `json:"end"`
}

// Error gives one line.
func (p *QueryProblem) Error() string { return p.Detail }

func problem(status int, format string, args ...any) *QueryProblem {
	return &QueryProblem{Title: http.StatusText(status), Status: status, Code: "InvalidRequest", Detail: fmt.Sprintf(format, args...)}
}

// codeBusy is the code of questions that are refused because too many run.
const codeBusy = "Busy"

// maxDiagnostics bounds the mistakes that are told: one can lead to many.
const maxDiagnostics = 20

// problemOf describes an error of a question.
func problemOf(err error) *QueryProblem {
	var own *QueryProblem
	var wrong *query.Error
	var hinting interface{ Hint() string }
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &wrong):
		p := coded(http.StatusBadRequest, "WrongQuestion", err)
		p.Hint = wrong.Hint()
		for _, d := range wrong.Diagnostics[:min(len(wrong.Diagnostics), maxDiagnostics)] {
			p.Diagnostics = append(p.Diagnostics, Diagnostic{Message: d.Message, Hint: d.Hint, Start: d.Start, End: d.End})
		}
		return p
	case errors.Is(err, engine.ErrBusy):
		return coded(http.StatusServiceUnavailable, codeBusy, err)
	case errors.Is(err, engine.ErrDeadline):
		return coded(http.StatusGatewayTimeout, "DeadlineExceeded", err)
	case errors.Is(err, engine.ErrMemory):
		return coded(http.StatusUnprocessableEntity, "OutOfMemory", err)
	case errors.Is(err, engine.ErrClosed), errors.Is(err, engine.ErrUnavailable), errors.Is(err, context.Canceled):
		return coded(http.StatusServiceUnavailable, "ShuttingDown", err)
	}
	p := coded(http.StatusInternalServerError, "QueryFailed", err)
	if errors.As(err, &hinting) {
		p.Hint = hinting.Hint()
	}
	return p
}

func coded(status int, code string, err error) *QueryProblem {
	return &QueryProblem{Title: http.StatusText(status), Status: status, Detail: err.Error(), Code: code}
}

// truncated is the problem of an answer that is cut.
func truncated(why string) *QueryProblem {
	return &QueryProblem{Title: "The answer is cut", Status: http.StatusOK, Detail: why, Code: truncatedCode, Hint: "narrow the question, or begin it with 'set notruncation;'"}
}

// json gives a problem in one line.
func (p *QueryProblem) json() []byte {
	b, err := json.Marshal(p)
	if err != nil { // strings and numbers always are JSON
		return []byte(`{"title":"` + http.StatusText(p.Status) + `"}`)
	}
	return b
}

// header gives a problem in one line of ASCII, which every HTTP library takes.
func (p *QueryProblem) header() string {
	var b strings.Builder
	for _, r := range string(p.json()) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, "\\u%04x", u)
		}
	}
	return b.String()
}

// send answers a request with a problem.
func (p *QueryProblem) send(w http.ResponseWriter) {
	h := w.Header()
	h.Del("Trailer")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(p.json(), '\n')) // a client that has gone needs none
}
