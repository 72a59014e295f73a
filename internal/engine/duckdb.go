//go:build cgo

package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

const hasDuckDB = true

// errNoDuckDB is never given by this build.
var errNoDuckDB = errors.New("cannot run questions: this build has no DuckDB")

// duck is DuckDB in memory, locked down.
type duck struct {
	conn  *sql.Conn
	about string
}

// openDatabase opens DuckDB, registers Wadi's functions and locks the
// configuration.
func openDatabase(config *workerConfig) (database, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("cannot open DuckDB: %w", err)
	}
	ctx := context.Background()
	conn, err := sql.OpenDB(connector).Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot open DuckDB: %w", err)
	}
	d := &duck{conn: conn}
	if err := conn.QueryRowContext(ctx, "SELECT version()").Scan(&d.about); err != nil {
		return nil, fmt.Errorf("cannot open DuckDB: %w", err)
	}
	if err := registerFunctions(conn); err != nil {
		return nil, fmt.Errorf("cannot register functions: %w", err)
	}
	for _, statement := range lockDown(config) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
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
		"SET allowed_directories=[" + strings.Join(dirs, ", ") + "]",
		"SET enable_external_access=false",
		"SET lock_configuration=true",
	}
}

func (d *duck) version() string { return d.about }

func (d *duck) run(ctx context.Context, text string, columns int, add func(row []any) error) error {
	return d.conn.Raw(func(raw any) error {
		conn, ok := raw.(*duckdb.Conn)
		if !ok {
			return fmt.Errorf("cannot use a connection of type %T", raw)
		}
		return runOn(ctx, conn, text, columns, add)
	})
}

// runOn is the statement gate and the run behind it.
func runOn(ctx context.Context, conn *duckdb.Conn, text string, columns int, add func(row []any) error) (err error) {
	// Prepare refuses more than one statement and runs none.
	prepared, err := conn.Prepare(text)
	if err != nil {
		if strings.Contains(err.Error(), "PrepareContext") {
			return errRefused
		}
		return plain(err)
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	statement, ok := prepared.(*duckdb.Stmt)
	if !ok {
		return fmt.Errorf("cannot use a statement of type %T", prepared)
	}
	kind, err := statement.StatementType()
	if err != nil {
		return plain(err)
	}
	if kind != duckdb.STATEMENT_TYPE_SELECT {
		return errRefused
	}
	if n, err := statement.ColumnCount(); err != nil || n != columns {
		return fmt.Errorf("cannot run a statement with %d columns instead of %d", n, columns)
	}
	rows, err := statement.QueryContext(ctx, nil)
	if err != nil {
		return plain(err)
	}
	defer func() {
		if closing := rows.Close(); err == nil && closing != nil {
			err = plain(closing)
		}
	}()
	values := make([]driver.Value, columns)
	row := make([]any, columns)
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := rows.Next(values); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return plain(err)
		}
		for i, v := range values {
			row[i] = v
		}
		if err := add(row); err != nil {
			return err
		}
	}
}

// plain turns DuckDB's errors into one line and finds those of memory.
func plain(err error) error {
	text := err.Error()
	if strings.Contains(text, "Out of Memory") || strings.Contains(text, "bad allocation") || strings.Contains(text, "bad_alloc") ||
		strings.Contains(text, "could not allocate") || strings.Contains(text, "Failed to allocate") {
		return errMemory
	}
	line, _, _ := strings.Cut(text, "\n")
	return errors.New(line)
}
