package server

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Problem is an error that a client gets as RFC 9457 says. It holds nothing that
// the client didn't send or may not know.
type Problem struct {
	// Status is the HTTP status.
	Status int `json:"status"`
	// Title is the same for all problems of a Code.
	Title string `json:"title"`
	// Detail says what is wrong with this request, and what would do.
	Detail string `json:"detail,omitempty"`
	// Code names the kind of problem for programs; clients of Azure Monitor look for
	// it in error.code.
	Code string `json:"code"`
	// Row and Column are where the mistake in a body is; 0 and empty elsewhere.
	Row    int    `json:"row,omitempty"`
	Column string `json:"column,omitempty"`
	// Error repeats code and detail where Azure's clients look for them.
	Azure *azureError `json:"error,omitempty"`

	retryAfter time.Duration
	challenge  string
	allow      string
}

// azureError is the error object of Azure's services.
type azureError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error gives one line.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// NewProblem makes a problem; code is in CamelCase as Azure's codes are.
func NewProblem(status int, code, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: http.StatusText(status), Code: code, Detail: fmt.Sprintf(format, args...)}
}

// RetryAfter adds when to try again.
func (p *Problem) RetryAfter(d time.Duration) *Problem {
	p.retryAfter = d
	return p
}

// write answers with the problem. Nothing may have been written before.
func (p *Problem) write(w http.ResponseWriter) {
	p.Azure = &azureError{Code: p.Code, Message: p.Detail}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Ms-Error-Code", p.Code)
	h.Set("Cache-Control", "no-store")
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(p.retryAfter.Seconds())))))
	}
	if p.challenge != "" {
		h.Set("WWW-Authenticate", p.challenge)
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	body, err := json.Marshal(p)
	if err != nil { // a struct of texts and numbers: can't fail
		body = []byte("{}")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client may have gone
}
