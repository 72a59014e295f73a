// Package server is `wadi serve`: one process that holds the lake, takes what
// arrives over HTTPS through the stream door, and answers questions.
//
// # How it is put together
//
// [Run] opens the lake for writing, the stream door, the engine with its warm
// worker, and listens. Every endpoint is a [Route] in one table; the table gives
// the mux its handlers, the checks (token, scope, query parameters), the names in
// the metrics, and the OpenAPI 3.1 document at /api/v1/openapi.json, which
// docs/openapi.json holds too. A handler returns an error; a [*Problem] becomes its
// RFC 9457 answer, everything else a 500 whose cause goes to the log only.
//
// # Way of a request that stores
//
//	connection (bounded, oldest idle one goes first) ─► token ─► body, decompressed
//	(bounded each and in all) ─► decoder (a few) ─► door: durable ─► 204
//
// Nothing is acknowledged before the door says that it is durable, and a body is
// stored whole or not at all.
//
// # Tokens
//
// A token is 32 random bytes; state.db has its SHA-256. Requests are compared with
// a copy in memory that follows `wadi token` by a counter. A token with ids may send
// under these ids only. Wrong tokens are counted by address and answered 429 after
// some; a right one always passes.
//
// # Settings
//
// One table of settings (settings.go) gives flags, variables, the keys of wadi.yaml,
// their JSON schema and their page of the documentation. SIGHUP reads the file
// again, and the certificate.
//
// # Limits and trade-offs
//
// All limits are in limits.go or are settings. The server trusts who may read the
// data folder and its socket. HTTP/1.1 and HTTP/2, both over TLS only.
//
// Sources: RFC 9110, 9457, 6750 (bearer), Microsoft's documentation of the Logs
// Ingestion API, the Prometheus text format, OpenAPI 3.1.
package server
