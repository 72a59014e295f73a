package server

import (
	"errors"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// recorder notes what became of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// endpoint is a route that is ready to be taken.
type endpoint struct {
	route    Route
	patterns map[string]*regexp.Regexp
}

// handler is the root of all requests.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for i := range s.routes {
		e := &endpoint{route: s.routes[i], patterns: map[string]*regexp.Regexp{}}
		for _, p := range e.route.Params {
			if p.Pattern != "" {
				e.patterns[p.Name] = regexp.MustCompile("^(?:" + p.Pattern + ")$")
			}
		}
		mux.HandleFunc(e.route.Method+" "+e.route.Path, func(w http.ResponseWriter, r *http.Request) { s.serve(e, w, r) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if p := strangePath(r); p != nil {
			s.metrics.answered("none", p.Status, 0)
			p.write(w)
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			p := s.notFound(mux, r)
			s.metrics.answered("none", p.Status, 0)
			p.write(w)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// strangePath refuses paths that could mean another path than they say: none of the
// server's own holds an escaped character.
func strangePath(r *http.Request) *Problem {
	path := r.URL.EscapedPath()
	strange := !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "%\\;") || strings.Contains(path, "//")
	for part := range strings.SplitSeq(path, "/") {
		strange = strange || part == "." || part == ".."
	}
	if !strange {
		return nil
	}
	return NewProblem(http.StatusBadRequest, "InvalidPath", "the path holds what no path of this server does: '.', '..', '//', '\\', ';' or an escaped character")
}

// notFound says that nothing is at a path, or nothing for the method.
func (s *Server) notFound(mux *http.ServeMux, r *http.Request) *Problem {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		try := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(try); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return NewProblem(http.StatusNotFound, "PathNotFound", "nothing is at %s; /api/v1/openapi.json lists what is there", clip(r.URL.Path))
	}
	p := NewProblem(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s does not take %s", clip(r.URL.Path), clip(r.Method))
	p.allow = strings.Join(allowed, ", ")
	return p
}

// serve answers a request of a route.
func (s *Server) serve(e *endpoint, w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	rec := &recorder{ResponseWriter: w}
	s.metrics.inFlight.Add(1)
	defer func() {
		if fault := recover(); fault != nil {
			s.Log.Error("a request failed by a fault", "route", e.route.Name, "fault", fault, "stack", string(debug.Stack()))
			s.fail(rec, e, errors.New("a fault"))
		}
		s.metrics.inFlight.Add(-1)
		s.metrics.answered(e.route.Name, rec.status, time.Since(began))
		s.Log.Debug("request", "route", e.route.Name, "status", rec.status, "from", remoteHost(r), "took", time.Since(began))
	}()
	if !e.route.Slow {
		_ = http.NewResponseController(w).SetWriteDeadline(began.Add(readTimeout + writeTimeout + time.Minute))
	}
	reset := patient(w, r, s.grace)
	if err := s.answer(e, rec, r); err != nil {
		reset()
		s.fail(rec, e, err)
	}
}

func (s *Server) answer(e *endpoint, w http.ResponseWriter, r *http.Request) error {
	req := &Request{Request: r, Route: &e.route}
	if e.route.Scope != ScopeNone {
		token, err := s.authenticate(r)
		if err != nil {
			return err
		}
		if err := authorize(token, e.route.Scope); err != nil {
			return err
		}
		req.Token = token
		done := known(r.Context())
		defer done()
	}
	if s.draining.Load() && e.route.Scope != ScopeNone {
		return NewProblem(http.StatusServiceUnavailable, "ShuttingDown", "the server is going down").RetryAfter(drainRetry)
	}
	if err := e.check(r); err != nil {
		return err
	}
	if e.route.Scope != ScopeNone {
		w.Header().Set("Cache-Control", "no-store")
	}
	return e.route.Handle(s, w, req)
}

// drainRetry is when clients come back to a server that goes down: a restart takes
// some seconds.
const drainRetry = 5 * time.Second

// check holds parameters to what the route says of them.
func (e *endpoint) check(r *http.Request) error {
	query := r.URL.Query()
	var named []string
	for _, p := range e.route.Params {
		var values []string
		switch p.In {
		case "path":
			values = []string{r.PathValue(p.Name)}
		case "query":
			values = query[p.Name]
			named = append(named, p.Name)
		case "header":
			values = r.Header.Values(p.Name)
		}
		if len(values) == 0 && p.Required {
			return NewProblem(http.StatusBadRequest, "MissingParameter", "the %s parameter %s is missing: %s", p.In, p.Name, p.About)
		}
		if len(values) > 1 {
			return NewProblem(http.StatusBadRequest, "InvalidParameter", "the %s parameter %s is there more than once", p.In, p.Name)
		}
		for _, v := range values {
			fits := e.patterns[p.Name] == nil || e.patterns[p.Name].MatchString(v)
			if len(p.Values) > 0 {
				fits = slices.Contains(p.Values, v)
			}
			if !fits {
				return NewProblem(http.StatusBadRequest, "InvalidParameter", "%q is no %s: %s", clip(v), p.Name, p.About)
			}
		}
	}
	for name := range query {
		if !slices.Contains(named, name) {
			return NewProblem(http.StatusBadRequest, "InvalidParameter", "there is no query parameter %q here", clip(name))
		}
	}
	return nil
}

// fail answers with an error. What isn't a problem is the server's own: the client
// learns nothing of it.
func (s *Server) fail(w *recorder, e *endpoint, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		s.Log.Error("a request failed", "route", e.route.Name, "error", err)
		p = NewProblem(http.StatusInternalServerError, "InternalError", "the server could not do it; its log says why")
	}
	if w.status != 0 {
		// The answer is on its way: ending the connection tells that it isn't whole.
		panic(http.ErrAbortHandler)
	}
	p.write(w)
}

// remoteHost is the address of the client without its port.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
