package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	sqlite "modernc.org/sqlite" // the driver registers itself as "sqlite"
)

// Options say how a database is opened.
type Options struct {
	// ReadOnly opens an existing database without changing anything. Where the
	// folder can't be written and SQLite needs to (its WAL index), a private copy
	// is read instead.
	ReadOnly bool
	// TempDir is where such a copy is made; empty is the system's.
	TempDir string
	// Fault, when set, is called before each change with its name and fails it:
	// for tests.
	Fault func(op string) error
}

// busyMillis is how long a statement waits for another process's transaction.
// Transactions here last milliseconds, but for the copy of a backup.
const busyMillis = 10_000

// db is one SQLite file.
type db struct {
	sql   *sql.DB
	fault func(op string) error
	copy  string // folder of a private copy, to be removed
}

// dsn names a file for SQLite, whatever its path holds.
func dsn(path, mode string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	u := url.URL{Scheme: "file", OmitHost: false, Path: p}
	q := fmt.Sprintf("?mode=%s&_pragma=busy_timeout(%d)&_txlock=immediate", mode, busyMillis)
	if mode == "rwc" {
		q += "&_pragma=auto_vacuum(incremental)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	} else {
		q += "&_pragma=query_only(1)"
	}
	return u.String() + q
}

// open opens a database and, for writing, runs schema statements that are
// harmless when they were run before.
func open(ctx context.Context, path string, o Options, schema string) (*db, error) {
	if o.ReadOnly {
		return openReadOnly(ctx, path, o)
	}
	d, err := connect(ctx, path, "rwc")
	if err != nil {
		return nil, err
	}
	d.fault = o.Fault
	if err := d.change(ctx, "open", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, schema)
		return err
	}); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open %s: %w", path, err), d.close())
	}
	return d, nil
}

func connect(ctx context.Context, path, mode string) (*db, error) {
	s, err := sql.Open("sqlite", dsn(path, mode))
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	if mode == "rwc" {
		// One connection: what this process writes it also reads, in order.
		s.SetMaxOpenConns(1)
	}
	if err := s.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open %s: %w", path, err), s.Close())
	}
	return &db{sql: s}, nil
}

// openReadOnly opens in place and, where that fails, a copy. In place means with
// write access where there is any: SQLite then removes its index of the log again
// when the last reader closes. query_only keeps the content as it is.
func openReadOnly(ctx context.Context, path string, o Options) (*db, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	d, err := connect(ctx, path, "rw")
	if err == nil {
		if _, err = d.sql.ExecContext(ctx, "SELECT count(*) FROM sqlite_schema"); err == nil {
			return d, nil
		}
		err = errors.Join(fmt.Errorf("cannot read %s: %w", path, err), d.close())
	}
	var code *sqlite.Error
	if !errors.As(err, &code) || (code.Code()&0xff != sqliteCantOpen && code.Code()&0xff != sqliteReadOnly) {
		return nil, err
	}
	return openCopy(ctx, path, o)
}

// Result codes of SQLite (sqlite.org/rescode.html).
const (
	sqliteReadOnly = 8
	sqliteCantOpen = 14
)

// copyTries bounds how often a copy is taken anew because a writer (through
// another mount of the folder) changed the files meanwhile.
const copyTries = 20

func openCopy(ctx context.Context, path string, o Options) (*db, error) {
	dir, err := os.MkdirTemp(o.TempDir, "wadi-catalog-")
	if err != nil {
		return nil, fmt.Errorf("cannot copy %s, which can't be read in place: %w", path, err)
	}
	to := filepath.Join(dir, "copy.db")
	for range copyTries {
		before := fingerprint(path)
		if err = errors.Join(copyFile(path, to), copyFile(path+"-wal", to+"-wal")); err != nil {
			break
		}
		if fingerprint(path) == before {
			d, err := connect(ctx, to, "rwc")
			if err != nil {
				return nil, errors.Join(err, os.RemoveAll(dir))
			}
			d.copy = dir
			return d, nil
		}
		err = errors.New("it keeps changing")
	}
	return nil, errors.Join(fmt.Errorf("cannot copy %s: %w", path, err), os.RemoveAll(dir))
}

func fingerprint(path string) string {
	var s strings.Builder
	for _, p := range []string{path, path + "-wal"} {
		if st, err := os.Stat(p); err == nil {
			s.WriteString(fmt.Sprint(st.Size(), st.ModTime().UnixNano(), ";"))
		}
	}
	return s.String()
}

// copyFile copies a small file; a missing one is skipped.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// close closes the database; the last connection moves the WAL into the file.
func (d *db) close() error {
	err := d.sql.Close()
	if d.copy != "" {
		err = errors.Join(err, os.RemoveAll(d.copy))
	}
	return err
}

// change runs fn in a transaction. An error leaves the database as it was, but
// for an error of the commit itself, whose outcome the caller must look up.
func (d *db) change(ctx context.Context, op string, fn func(*sql.Tx) error) error {
	if d.fault != nil {
		if err := d.fault(op); err != nil {
			return err
		}
	}
	// The transaction isn't tied to ctx: a cancellation must not come between its
	// statements and its commit.
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	tx, err := d.sql.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if d.fault != nil {
		if err := d.fault(op + " commit"); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// checkpoint gives free pages back, moves the WAL into the database file and
// empties it.
func (d *db) checkpoint(ctx context.Context) error {
	if _, err := d.sql.ExecContext(ctx, "PRAGMA incremental_vacuum"); err != nil {
		return fmt.Errorf("cannot give pages back: %w", err)
	}
	var busy, log, moved int
	if err := d.sql.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil {
		return fmt.Errorf("cannot checkpoint: %w", err)
	}
	return nil // busy: a reader is in the way, the next checkpoint does it
}

// backup writes a consistent copy to a new file.
func (d *db) backup(ctx context.Context, to string) error {
	c, err := d.sql.Conn(ctx)
	if err != nil {
		return fmt.Errorf("cannot copy the database to %s: %w", to, err)
	}
	// A connection that only reads would refuse to write the copy.
	_, err = c.ExecContext(ctx, "PRAGMA query_only(0)")
	if err == nil {
		_, err = c.ExecContext(ctx, "VACUUM INTO ?", to)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return fmt.Errorf("cannot copy the database to %s: %w", to, err)
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0) // SQLite doesn't sync what VACUUM INTO writes
	if err != nil {
		return fmt.Errorf("cannot copy the database to %s: %w", to, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cannot copy the database to %s: %w", to, err)
	}
	return nil
}

// IsFull tells that SQLite could not write because the disk is full.
func IsFull(err error) bool {
	var code *sqlite.Error
	return errors.As(err, &code) && code.Code()&0xff == 13
}

// IsReadOnly tells that SQLite could not write because file or folder are
// read-only.
func IsReadOnly(err error) bool {
	var code *sqlite.Error
	return errors.As(err, &code) && (code.Code()&0xff == sqliteReadOnly || code.Code()&0xff == sqliteCantOpen)
}

// Copy writes a consistent copy of a database to a new file, durable.
func Copy(ctx context.Context, from, to string) error {
	d, err := openReadOnly(ctx, from, Options{})
	if err != nil {
		return err
	}
	return errors.Join(d.backup(ctx, to), d.close())
}
