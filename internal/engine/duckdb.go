//go:build cgo

package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/wadi-project/wadi/internal/kql/agg"
	"github.com/wadi-project/wadi/internal/kql/series"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

const hasDuckDB = true

// interruptAgain is the pause between interrupts until a question stops: DuckDB
// forgets one that comes before the execution begins.
const interruptAgain = 5 * time.Millisecond

// duck is DuckDB in memory, locked down. It is used through the C API, not
// database/sql: results are streamed rather than materialised, and read by
// vectors rather than by boxed values.
type duck struct {
	conn  bindings.Connection
	about string
	funcs goFunctions
	// writer fills the tables of stages while conn streams.
	writer bindings.Connection
	// stageRows bounds a stage, maxStageRows but in tests; operator starts its
	// operator, series.New but in tests.
	stageRows int64
	operator  func(op string, args []udf.Value, in, out []schema.Type, kept int) (series.Operator, error)
	aggs      goAggregates
}

// openDatabase opens DuckDB, registers Wadi's functions and locks the
// configuration.
func openDatabase(config *workerConfig) (database, error) { return openDuck(config, udf.All()) }

func openDuck(config *workerConfig, funcs []udf.Func) (*duck, error) {
	var db bindings.Database
	if bindings.Open("", &db) != bindings.StateSuccess {
		return nil, errors.New("cannot open DuckDB")
	}
	d := &duck{about: bindings.LibraryVersion(), operator: series.New, stageRows: maxStageRows}
	if bindings.Connect(db, &d.conn) != bindings.StateSuccess || bindings.Connect(db, &d.writer) != bindings.StateSuccess {
		return nil, errors.New("cannot connect to DuckDB")
	}
	if err := registerFunctions(d.conn); err != nil {
		return nil, fmt.Errorf("cannot register functions: %w", err)
	}
	if err := d.funcs.registerAll(d.conn, funcs); err != nil {
		return nil, fmt.Errorf("cannot register functions: %w", err)
	}
	if err := d.aggs.registerAll(d.conn, agg.All(), &d.funcs.stop); err != nil {
		return nil, fmt.Errorf("cannot register functions: %w", err)
	}
	for _, statement := range lockDown(config) {
		if err := execute(d.conn, statement); err != nil {
			return nil, fmt.Errorf("cannot lock DuckDB down (%s): %w", statement, err)
		}
	}
	return d, nil
}

// lockDown are the settings of the sandbox; the order matters: lock_configuration
// is last.
func lockDown(config *workerConfig) []string {
	dirs := make([]string, len(config.ReadDirs))
	for i, dir := range config.ReadDirs {
		dirs[i] = literal(strings.TrimSuffix(dir, "/") + "/")
	}
	return []string{
		"SET autoinstall_known_extensions=false",
		"SET autoload_known_extensions=false",
		"SET allow_community_extensions=false",
		"SET allow_persistent_secrets=false",
		"SET TimeZone='UTC'",
		fmt.Sprintf("SET memory_limit='%dB'", config.DuckDBBytes),
		fmt.Sprintf("SET threads=%d", config.Threads),
		"SET temp_directory=" + literal(config.TempDir),
		fmt.Sprintf("SET max_temp_directory_size='%dB'", config.MaxTempBytes),
		// Footers of a wide table cost 0.2–1 ms a file; data files never change.
		"SET parquet_metadata_cache=true",
		// top 100 of whole events reads the sort key first and the other 165 columns
		// of 100 rows: 0.07 instead of 1.3 CPU seconds over 2 M events (default 50).
		"SET late_materialization_max_rows=1000",
		"SET allowed_directories=[" + strings.Join(dirs, ", ") + "]",
		"SET enable_external_access=false",
		"SET lock_configuration=true",
	}
}

func (d *duck) version() string { return d.about }

func execute(conn bindings.Connection, text string) error {
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	if bindings.Query(conn, text, &result) != bindings.StateSuccess {
		return plain(bindings.ResultError(&result))
	}
	return nil
}

// prepare is the statement gate: exactly one statement, a SELECT, with the
// promised columns. The caller must destroy what it gets, also with an error.
func (d *duck) prepare(text string, types []schema.Type) (bindings.PreparedStatement, error) {
	var extracted bindings.ExtractedStatements
	var prepared bindings.PreparedStatement
	n := bindings.ExtractStatements(d.conn, text, &extracted)
	defer bindings.DestroyExtracted(&extracted)
	if n != 1 {
		if why := bindings.ExtractStatementsError(extracted); why != "" {
			return prepared, plain(why)
		}
		return prepared, errRefused
	}
	if bindings.PrepareExtractedStatement(d.conn, extracted, 0, &prepared) != bindings.StateSuccess {
		return prepared, plain(bindings.PrepareError(prepared))
	}
	if bindings.PreparedStatementType(prepared) != bindings.StatementTypeSelect {
		return prepared, errRefused
	}
	if n := int(bindings.PreparedStatementColumnCount(prepared)); n != len(types) {
		return prepared, fmt.Errorf("cannot run a statement with %d columns instead of %d", n, len(types))
	}
	for i, t := range types {
		got := bindings.PreparedStatementColumnType(prepared, bindings.IdxT(i))
		if want := wireOf(t).duckType(); got != want {
			return prepared, fmt.Errorf("cannot run a statement whose column %d has DuckDB's type %d instead of %d", i, got, want)
		}
	}
	return prepared, nil
}

func (w wire) duckType() bindings.Type {
	switch w {
	case wireBool:
		return bindings.TypeBoolean
	case wireInt32:
		return bindings.TypeInteger
	case wireInt64:
		return bindings.TypeBigInt
	case wireFloat64:
		return bindings.TypeDouble
	default:
		return bindings.TypeVarchar
	}
}

func (d *duck) run(ctx context.Context, q *request, out *sender) (err error) {
	defer d.funcs.forget()
	defer func() {
		if dropped := d.dropStages(q.Stages); err == nil || errors.Is(err, errFull) {
			err = errors.Join(dropped, err)
		}
	}()
	// A question is bound while it is prepared (files are opened), so an
	// interrupt must reach that too.
	defer d.aggs.forget()
	defer d.funcs.forget()
	defer d.interruptWith(ctx)()
	if err = d.steps(ctx, q, out); ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// steps runs a question's stages, then its own SQL, and notes the times.
func (d *duck) steps(ctx context.Context, q *request, out *sender) error {
	began := time.Now()
	lap := func(to *time.Duration) {
		now := time.Now()
		*to, began = now.Sub(began), now
	}
	for i := range q.Stages {
		err := d.runStage(ctx, &q.Stages[i])
		out.times.Stages = append(out.times.Stages, 0)
		lap(&out.times.Stages[i])
		if err != nil {
			return err
		}
	}
	prepared, err := d.prepare(q.SQL, q.Types)
	defer bindings.DestroyPrepare(&prepared)
	lap(&out.times.Prepare)
	if err == nil {
		err = d.stream(ctx, prepared, out.chunk)
	}
	lap(&out.times.Run)
	return err
}

// interruptWith interrupts the connection when ctx ends, again and again until
// the function it gives is called; after that no interrupt comes any more.
func (d *duck) interruptWith(ctx context.Context) func() {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		d.funcs.stop.Store(true)
		again := time.NewTicker(interruptAgain)
		defer again.Stop()
		for {
			bindings.Interrupt(d.conn)
			select {
			case <-done:
				return
			case <-again.C:
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

// stream runs a prepared statement chunk by chunk, so that no more of a result
// than a few chunks lies in memory.
func (d *duck) stream(ctx context.Context, prepared bindings.PreparedStatement, take func(bindings.DataChunk) error) error {
	var pending bindings.PendingResult
	defer bindings.DestroyPending(&pending)
	if bindings.PendingPreparedStreaming(prepared, &pending) != bindings.StateSuccess {
		return plain(bindings.PendingError(pending))
	}
	var result bindings.Result
	defer bindings.DestroyResult(&result)
	if bindings.ExecutePending(pending, &result) != bindings.StateSuccess {
		return plain(bindings.ResultError(&result))
	}
	for ctx.Err() == nil {
		chunk := bindings.FetchChunk(result)
		if chunk.Ptr == nil {
			if text := bindings.ResultError(&result); text != "" {
				return plain(text)
			}
			return nil
		}
		err := take(chunk)
		bindings.DestroyDataChunk(&chunk)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// functionErrors is what DuckDB puts before the errors of Go functions, which say
// all there is to say.
const functionErrors = "Invalid Input Error: "

// plain turns DuckDB's errors into one line and finds those of memory.
func plain(text string) error {
	for _, sign := range []string{"Out of Memory", "bad allocation", "bad_alloc", "could not allocate", "Failed to allocate", "failed to allocate"} {
		if strings.Contains(text, sign) {
			return errMemory
		}
	}
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimPrefix(line, functionErrors)
	if line == "" {
		line = "DuckDB gave no reason"
	}
	return errors.New(line)
}
