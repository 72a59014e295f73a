package server

import (
	"context"
	"net/http"

	"github.com/wadi-project/wadi/internal/collect/stream"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/server/ask"
)

// typeEvents is the media type of server-sent events.
const typeEvents = "text/event-stream"

// tailBytes bounds the rows that wait for one live tail: it looks at their numbers
// only, so that they never wait for long.
const tailBytes = 1 << 20

func queryRoutes() []Route {
	return []Route{
		{
			Method: http.MethodPost, Path: "/api/v1/query", Name: "query",
			About: "Answers a question in KQL.",
			Detail: "The form of the answer is that of the field format, else of Accept. An answer that is cut, or whose question fails on the way, says so at its end: " +
				"a member \"problem\" of the JSON document, a last line {\"$problem\":…} of JSON lines, an event, and the trailer Wadi-Problem. The trailer Wadi-Rows has " +
				"the number of rows. As server-sent events: progress each second, columns, rows, then end or problem. Ending the request ends the question.",
			Scope: ScopeQuery, Slow: true,
			Body: []Content{{Type: typeJSON, Value: ask.Question{}}},
			Answers: []Answer{{
				Status: http.StatusOK, About: "The answer.",
				Content: []Content{{Type: typeJSON, Value: ask.Document{}}, {Type: typeNDJSON}, {Type: typeArrow}, {Type: typeEvents}},
			}},
			Handle: func(s *Server, w http.ResponseWriter, r *Request) error {
				s.questions.Query(w, r.Request)
				return nil
			},
		},
		{
			Method: http.MethodGet, Path: "/api/v1/tail", Name: "tail",
			About: "Tells the rows of a table that arrive by the stream door, about a second after they are durable.",
			Detail: "Server-sent events: ready, columns (once), rows (arrays of rows), dropped when rows or batches were left out because the reader was too slow, " +
				"problem or end as the last one.",
			Scope: ScopeQuery, Slow: true,
			Params: []Param{
				{Name: "table", In: "query", Required: true, About: "a table's or view's name in KQL"},
				{Name: "where", In: "query", About: "a condition in KQL that rows must meet, such as EventID == 4625"},
			},
			Answers: []Answer{{Status: http.StatusOK, About: "The rows, until the request ends.", Content: []Content{{Type: typeEvents}}}},
			Handle: func(s *Server, w http.ResponseWriter, r *Request) error {
				ctx, cancel := context.WithCancelCause(r.Context())
				defer cancel(nil)
				defer context.AfterFunc(s.done, func() { cancel(stream.ErrClosed) })()
				s.questions.Tail(w, r.WithContext(ctx))
				return nil
			},
		},
	}
}

// newQuestions makes what answers questions; the lake, the engine and the door are
// open.
func (s *Server) newQuestions() *ask.Handler {
	return ask.New(ask.Config{
		Query: s.Query(), Now: s.Now,
		Watch: func(t *schema.Table) ask.Watcher { return s.Door.Subscribe(tailBytes, t) },
	})
}
