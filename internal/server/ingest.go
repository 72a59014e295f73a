package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/collect/ingest"
	"github.com/wadi-project/wadi/internal/collect/stream"
	"github.com/wadi-project/wadi/internal/schema"
)

// Headers of requests and answers that store.
const (
	batchHeader     = "Wadi-Batch"
	rowsHeader      = "Wadi-Rows"
	duplicateHeader = "Wadi-Duplicate"
	gapHeader       = "Wadi-Gap"
)

// idPattern is what names a sender: the {id} of a data collection rule.
const idPattern = `[A-Za-z0-9-]{1,64}`

// Media types of bodies.
const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
	typeArrow  = "application/vnd.apache.arrow.stream"
)

func ingestRoutes() []Route {
	body := []Content{{Type: typeJSON, Value: []map[string]any{}}, {Type: typeNDJSON}, {Type: typeArrow}}
	headers := []Param{
		{Name: batchHeader, In: "header", About: "UUID of the log that the client keeps of its own, ';', and the number of the batch in it, from 1 and rising by one", Pattern: `[^;]{36};[0-9]{1,18}`},
		{Name: "Content-Encoding", In: "header", About: "gzip, zstd or none"},
	}
	answers := []Answer{{
		Status: http.StatusNoContent,
		About: "All rows are durable. " + rowsHeader + " has their number; " + duplicateHeader + ": true says that the request was stored before; " +
			gapHeader + " has the number of batches missing before this one.",
	}}
	const repeat = "A request that is stored is durable before its answer, whole or not at all. A repetition within an hour (same token, same path, same body) is " +
		"answered alike, stored once and counted as a duplicate; with " + batchHeader + " it is known for as long as the source lives."
	return []Route{
		{
			Method: http.MethodPost, Path: "/dataCollectionRules/{id}/streams/{stream}", Name: "logsIngestion",
			About: "Stores rows of a stream, by the Logs Ingestion protocol of Azure Monitor.", Detail: repeat,
			Scope: ScopeIngest, Body: body, Answers: answers,
			Params: append([]Param{
				{Name: "id", In: "path", Required: true, About: "names the sender: 1 to 64 letters, digits and hyphens", Pattern: idPattern},
				{Name: "stream", In: "path", Required: true, About: "Microsoft-SecurityEvent, Microsoft-Event, Microsoft-WindowsEvent, Microsoft-W3CIISLog, or Custom- and a table's name"},
				{Name: "api-version", In: "query", Required: true, About: "the version of the protocol, 2023-01-01", Values: []string{"2023-01-01"}},
			}, headers...),
			Handle: (*Server).logsIngestion,
		},
		{
			Method: http.MethodPost, Path: "/api/v1/ingest/{table}", Name: "ingest",
			About: "Stores rows of a table.", Detail: repeat,
			Scope: ScopeIngest, Body: body, Answers: answers,
			Params: append([]Param{
				{Name: "table", In: "path", Required: true, About: "a table's name in KQL, or its physical name"},
				{Name: "source", In: "query", About: "names the sender: 1 to 64 letters, digits and hyphens; without it the token's name does", Pattern: idPattern},
			}, headers...),
			Handle: (*Server).ingestTable,
		},
	}
}

// targets resolves names to tables; it follows the lake's set of tables.
type targets struct {
	mu      sync.Mutex
	set     *schema.Set
	streams *ingest.Streams
}

func (t *targets) of(set *schema.Set) *ingest.Streams {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.set != set {
		t.set, t.streams = set, ingest.NewStreams(set)
	}
	return t.streams
}

func (s *Server) logsIngestion(w http.ResponseWriter, r *Request) error {
	id, name := r.PathValue("id"), r.PathValue("stream")
	return s.store(w, r, stream.SourceName{Kind: "logs-ingestion", Name: id}, name, (*ingest.Streams).Stream)
}

func (s *Server) ingestTable(w http.ResponseWriter, r *Request) error {
	id := r.URL.Query().Get("source")
	source := stream.SourceName{Kind: "ingest", Name: id}
	if id == "" {
		source.Name = r.Token.Name
	}
	return s.store(w, r, source, r.PathValue("table"), (*ingest.Streams).Table)
}

// store reads, decodes and stores the body of a request.
func (s *Server) store(w http.ResponseWriter, r *Request, source stream.SourceName, name string, find func(*ingest.Streams, string) (*ingest.Target, error)) error {
	if !r.Token.MaySendAs(source.Name) {
		return NewProblem(http.StatusForbidden, "IdNotAllowed", "the token %s may not send as %s", r.Token.Name, source.Name)
	}
	set, err := s.Writer.Schema(r.Context())
	if err != nil {
		return err
	}
	target, err := find(s.targets.of(set), name)
	if err != nil {
		return ingestProblem(err)
	}
	format, ok := formatOf(r.Header.Get("Content-Type"))
	if !ok {
		return NewProblem(http.StatusUnsupportedMediaType, "UnsupportedType", "the Content-Type %q is not understood: use %s, %s or %s", clip(r.Header.Get("Content-Type")), typeJSON, typeNDJSON, typeArrow)
	}
	encoding, err := encodingOf(r.Header)
	if err != nil {
		w.Header().Set("Accept-Encoding", encodings)
		return err
	}
	batch := &stream.Batch{Table: target.Table, Source: source}
	if err := batchNumber(r, batch); err != nil {
		return err
	}
	body, err := s.readBody(r)
	if err != nil {
		return err
	}
	defer body.release()
	receipt, rows, err := s.submit(r, target, format, encoding, body, batch)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set(rowsHeader, strconv.Itoa(rows))
	if receipt.Duplicate {
		h.Set(duplicateHeader, "true")
	}
	if receipt.Gap > 0 {
		h.Set(gapHeader, strconv.FormatInt(receipt.Gap, 10))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// formatOf gives the form of a body. What curl says when it isn't told says nothing.
func formatOf(contentType string) (ingest.Format, bool) {
	if contentType == "application/x-www-form-urlencoded" {
		contentType = ""
	}
	return ingest.FormatOf(contentType)
}

// submit decodes a body and gives it to the door, within the memory for that.
func (s *Server) submit(r *Request, target *ingest.Target, format ingest.Format, encoding string, body *raw, batch *stream.Batch) (stream.Receipt, int, error) {
	ctx := r.Context()
	memory := &account{of: s.bodies, ctx: ctx}
	defer memory.end()
	worker := s.decoders.take()
	defer s.decoders.give(worker)
	plain, err := worker.decode(memory, target, format, encoding, body.data)
	if err != nil {
		return stream.Receipt{}, 0, err
	}
	batch.Rows, batch.Tallies = worker.result.Rows, slices.Clone(worker.result.Tallies)
	rows := 0
	for _, t := range batch.Tallies {
		rows += int(t.Received)
	}
	if batch.Log == "" {
		if rows == 0 {
			return stream.Receipt{}, 0, nil
		}
		key := requestKey(r, plain)
		batch.Request = &key
	}
	receipt, err := s.Door.Submit(ctx, batch)
	if err != nil {
		return receipt, 0, s.doorProblem(err)
	}
	s.metrics.stored(r.Route.Name, rows, len(plain), receipt)
	return receipt, rows, nil
}

// requestKey is what a repetition of the request has again.
func requestKey(r *Request, plain []byte) [32]byte {
	h := sha256.New()
	sum := sha256.Sum256(plain)
	for _, part := range [][]byte{[]byte("wadi request 1"), r.Token.hash[:], []byte(r.URL.Path), []byte(r.URL.Query().Get("source")), sum[:]} {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(part))))
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}

// batchNumber reads the number that the client's own log gave the batch.
func batchNumber(r *Request, batch *stream.Batch) error {
	text := r.Header.Get(batchHeader)
	if text == "" {
		return nil
	}
	log, number, _ := strings.Cut(text, ";")
	id, err := uuid.Parse(log)
	n, err2 := strconv.ParseInt(number, 10, 64)
	if err != nil || err2 != nil || n < 1 {
		return NewProblem(http.StatusBadRequest, "InvalidParameter", "the header %s is the UUID of a log, ';', and a number from 1", batchHeader)
	}
	batch.Log, batch.N = id.String(), n
	return nil
}

// ingestProblem gives what is wrong with a body or a name as a problem.
func ingestProblem(err error) error {
	var unknown *ingest.UnknownError
	if errors.As(err, &unknown) {
		code := "StreamNotFound"
		if unknown.What == "table" {
			code = "TableNotFound"
		}
		return NewProblem(http.StatusNotFound, code, "%s", clipLine(unknown.Error()))
	}
	var wrong *ingest.Error
	if !errors.As(err, &wrong) {
		return err
	}
	p := NewProblem(http.StatusBadRequest, "InvalidBody", "%s", clipLine(wrong.Error()))
	if wrong.TooLarge {
		p = NewProblem(http.StatusRequestEntityTooLarge, "ContentLengthLimitExceeded", "%s", clipLine(wrong.Error()))
	}
	p.Row, p.Column = wrong.Row, wrong.Column
	return p
}

// clipLine bounds a message that holds a client's names.
func clipLine(s string) string {
	const most = 1000
	return string(bytes.ToValidUTF8([]byte(s[:min(len(s), most)]), []byte("�")))
}

// doorProblem says why the door did not take a batch.
func (s *Server) doorProblem(err error) error {
	var busy *stream.ErrBusy
	switch {
	case errors.As(err, &busy):
		return NewProblem(http.StatusTooManyRequests, "ServerBusy", "%s", busy.Reason).RetryAfter(max(busy.RetryAfter, time.Second))
	case errors.Is(err, stream.ErrClosed):
		return NewProblem(http.StatusServiceUnavailable, "ShuttingDown", "the server is going down").RetryAfter(drainRetry)
	}
	// Whether it is durable isn't known: the client sends it again, and it is known
	// by its key if it was.
	s.Log.Error("a batch can't be stored", "error", err)
	return fmt.Errorf("cannot store a batch: %w", errors.Join(err,
		NewProblem(http.StatusServiceUnavailable, "CannotStore", "the rows can't be stored now; send them again").RetryAfter(drainRetry)))
}
