package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// catalogName and Namespace are fixed names in catalog.db: a lake has one
// catalog, a workspace is a namespace, and there is one workspace so far.
const (
	catalogName = "wadi"
	// Namespace is the Iceberg namespace of the tables.
	Namespace = "default"
)

// pointersSchema is the layout of Iceberg's JDBC catalog, so that other readers
// open the file (PyIceberg's SqlCatalog, Trino's JDBC catalog).
const pointersSchema = `
CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL, property_value VARCHAR(1000),
  PRIMARY KEY (catalog_name, namespace, property_key)) WITHOUT ROWID;
INSERT OR IGNORE INTO iceberg_namespace_properties VALUES ('wadi', 'default', 'exists', 'true');`

// ErrMoved says that another committer was faster.
var ErrMoved = errors.New("another commit came first")

// Pointers is catalog.db: where each table's current metadata lies. It is safe
// for concurrent use.
type Pointers struct{ db *db }

// OpenPointers opens catalog.db.
func OpenPointers(ctx context.Context, path string, o Options) (*Pointers, error) {
	d, err := open(ctx, path, o, pointersSchema)
	if err != nil {
		return nil, err
	}
	return &Pointers{d}, nil
}

// All gives the metadata location of every table, all of one instant.
func (p *Pointers) All(ctx context.Context) (map[string]string, error) {
	rows, err := p.db.sql.QueryContext(ctx, `SELECT table_name, metadata_location FROM iceberg_tables
		WHERE catalog_name = ? AND table_namespace = ? AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)`, catalogName, Namespace)
	if err != nil {
		return nil, fmt.Errorf("cannot read the catalog: %w", err)
	}
	all := map[string]string{}
	for rows.Next() {
		var name, location string
		if err := rows.Scan(&name, &location); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot read the catalog: %w", err), rows.Close())
		}
		all[name] = location
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cannot read the catalog: %w", err)
	}
	return all, nil
}

// Move is the change of one table's pointer.
type Move struct {
	Table string
	// From is the location the change is based on, empty for a new table.
	From, To string
}

// Swap moves the pointers of some tables, all or none. It fails with ErrMoved
// when one of them is no longer where it is said to be. After another error All
// tells whether the change happened.
func (p *Pointers) Swap(ctx context.Context, moves []Move) error {
	err := p.db.change(ctx, "swap", func(tx *sql.Tx) error {
		for _, m := range moves {
			var res sql.Result
			var err error
			if m.From == "" {
				res, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO iceberg_tables
					(catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type)
					VALUES (?, ?, ?, ?, NULL, 'TABLE')`, catalogName, Namespace, m.Table, m.To)
			} else {
				res, err = tx.ExecContext(ctx, `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
					WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`,
					m.To, m.From, catalogName, Namespace, m.Table, m.From)
			}
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n != 1 {
				return errors.Join(fmt.Errorf("table %s: %w", m.Table, ErrMoved), err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot change the catalog: %w", err)
	}
	return nil
}

// Backup writes a consistent copy to a new file.
func (p *Pointers) Backup(ctx context.Context, to string) error { return p.db.backup(ctx, to) }

// Checkpoint empties the write-ahead log.
func (p *Pointers) Checkpoint(ctx context.Context) error { return p.db.checkpoint(ctx) }

// Close closes the database.
func (p *Pointers) Close() error { return p.db.close() }
