package lake

import (
	"context"
	"errors"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

var errNotYet = errors.New("not built yet")

// Lake is a data folder opened for reading. It is safe for concurrent use.
type Lake struct{ notice string }

// Open opens the data folder dir for reading. It takes no lock, and it works on a
// read-only folder. A missing folder is an error; a folder without a lake is an
// empty lake with a Notice; a lake of a newer format is an error (exit code 3).
func Open(ctx context.Context, dir string, o Options) (*Lake, error) { return nil, errNotYet }

// Notice is one line for the user about the folder, empty when there is nothing
// to say.
func (l *Lake) Notice() string { return l.notice }

// Dir is the data folder as an absolute path.
func (l *Lake) Dir() string { return "" }

// Close releases what Open took. Read points must be closed before.
func (l *Lake) Close() error { return nil }

// Pin gives one state of all tables. Its files stay until Close or until the
// deadline from now has passed, whichever is first.
func (l *Lake) Pin(ctx context.Context, deadline time.Duration) (*ReadPoint, error) {
	return nil, errNotYet
}

// ReadPoint is one state of all tables. It is safe for concurrent use.
type ReadPoint struct{}

// Table gives the files of a table; a table without rows has none.
func (r *ReadPoint) Table(t *schema.Table) (TableFiles, error) { return TableFiles{}, errNotYet }

// Close lets the files go. Closing twice is harmless.
func (r *ReadPoint) Close() error { return nil }
