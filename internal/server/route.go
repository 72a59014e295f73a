package server

import (
	"net/http"
	"slices"
)

// Scope is what a token may be used for.
type Scope string

// The scopes of tokens. A route without scope is open.
const (
	ScopeNone   Scope = ""
	ScopeIngest Scope = "ingest"
	ScopeQuery  Scope = "query"
	ScopeAdmin  Scope = "admin"
)

// Scopes are the scopes that a token can have.
func Scopes() []Scope { return []Scope{ScopeIngest, ScopeQuery, ScopeAdmin} }

// Param is a parameter of a route: of the path, the query or a header.
type Param struct {
	// Name as in the request; In is path, query or header.
	Name, In string
	// About is one sentence.
	About string
	// Required parameters are checked before the handler runs.
	Required bool
	// Pattern is a regular expression that the whole value must match, empty for any.
	Pattern string
	// Values are the only ones allowed, none for any.
	Values []string
}

// Content is a form of a body: its media type and a value of the Go type that
// describes it (nil: any text).
type Content struct {
	Type  string
	Value any
}

// Answer is a possible answer of a route.
type Answer struct {
	Status  int
	About   string
	Content []Content
}

// Route is one endpoint: what the mux, the checks, the metrics and OpenAPI know of
// it.
type Route struct {
	// Method and Path are as in http.ServeMux; {name} in Path is a parameter.
	Method, Path string
	// Name is the operation's id and the route's name in metrics.
	Name string
	// About is one sentence, Detail more, empty for none.
	About, Detail string
	// Scope is what the token must allow; ScopeNone needs no token.
	Scope Scope
	// Params are all parameters but Authorization. A query parameter that isn't named
	// is refused.
	Params []Param
	// Body are the forms of the request's body, none for no body.
	Body []Content
	// Answers are those of success; problems are the same everywhere.
	Answers []Answer
	// Slow routes stream: they have no deadline for their answer.
	Slow bool
	// Handle answers. An error before anything was written becomes a problem.
	Handle func(s *Server, w http.ResponseWriter, r *Request) error
}

// Request is a request that passed the checks of its route.
type Request struct {
	*http.Request
	// Token is who asks, nil where the route is open.
	Token *Token
	// Route is the route taken.
	Route *Route
}

// Routes is the table of all endpoints. Each file of handlers adds its own.
func Routes() []Route {
	return slices.Concat(healthRoutes(), ingestRoutes(), queryRoutes())
}
