package server

import (
	"encoding/json"
	"net/http"
)

// Health is the answer of /healthz and /readyz.
type Health struct {
	Status string `json:"status"`
}

func healthRoutes() []Route {
	health := []Content{{Type: "application/json", Value: Health{}}}
	return []Route{
		{
			Method: http.MethodGet, Path: "/healthz", Name: "health",
			About:   "Tells that the process runs.",
			Answers: []Answer{{Status: http.StatusOK, About: "It runs.", Content: health}},
			Handle: func(_ *Server, w http.ResponseWriter, _ *Request) error {
				return writeJSON(w, http.StatusOK, Health{"ok"})
			},
		},
		{
			Method: http.MethodGet, Path: "/readyz", Name: "ready",
			About:   "Tells whether the server takes requests: 503 while it starts, goes down, or can't store.",
			Answers: []Answer{{Status: http.StatusOK, About: "It takes requests.", Content: health}},
			Handle:  (*Server).ready,
		},
		{
			Method: http.MethodGet, Path: "/metrics", Name: "metrics",
			About:   "The server's figures in the Prometheus text format.",
			Answers: []Answer{{Status: http.StatusOK, About: "The figures.", Content: []Content{{Type: metricsType}}}},
			Handle:  (*Server).writeMetrics,
		},
		{
			Method: http.MethodGet, Path: "/api/v1/openapi.json", Name: "openapi",
			About:   "This description of the API.",
			Answers: []Answer{{Status: http.StatusOK, About: "An OpenAPI 3.1 document.", Content: []Content{{Type: "application/json"}}}},
			Handle: func(s *Server, w http.ResponseWriter, _ *Request) error {
				w.Header().Set("Content-Type", "application/json")
				_, err := w.Write(s.openAPI)
				return err
			},
		},
	}
}

func (s *Server) ready(w http.ResponseWriter, _ *Request) error {
	if s.draining.Load() {
		return NewProblem(http.StatusServiceUnavailable, "ShuttingDown", "the server is going down").RetryAfter(drainRetry)
	}
	if s.Door.Stats().LastError != nil {
		return NewProblem(http.StatusServiceUnavailable, "CannotCommit", "rows are kept in the log and can't be brought into the lake; the server's log says why").RetryAfter(drainRetry)
	}
	return writeJSON(w, http.StatusOK, Health{"ready"})
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
