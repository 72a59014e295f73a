package server

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wadi-project/wadi/internal/collect/stream"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/server/ask"
)

// Server is a running server: what handlers work with. It is safe for concurrent
// use.
type Server struct {
	// Writer is the lake, open for writing.
	Writer *lake.Writer
	// Engine answers questions; nil in a build without cgo.
	Engine *engine.Engine
	// Door is the stream door.
	Door *stream.Door
	// Log takes what an operator may want to know. No event's text goes there.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time

	version  string
	grace    time.Duration
	settings atomic.Pointer[Settings]
	tokens   *tokens
	metrics  *metrics
	bodies   *bodies
	decoders *decoders
	targets  targets
	conns    *conns
	failures *failures
	draining atomic.Bool
	// questions answers questions and runs live tails.
	questions *ask.Handler
	// done is cancelled when the server begins to drain: long answers end then.
	done   context.Context
	routes []Route
	// openAPI is the description of routes.
	openAPI []byte
}

// Query gives what questions run on. The engine must be there.
func (s *Server) Query() *query.Config {
	return &query.Config{Lake: s.Writer.Lake, Engine: s.Engine, Now: s.Now}
}

// Done is closed when the server begins to drain; an answer that goes on for long
// ends then.
func (s *Server) Done() <-chan struct{} { return s.done.Done() }
