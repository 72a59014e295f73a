package duck

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Statement is a question in SQL, with what its relations read.
type Statement struct {
	// SQL is one SELECT over the names of Scans, without a semicolon. Its
	// columns are those of Columns by position, in the engine's wire form.
	SQL string
	// Scans are the relations that SQL reads.
	Scans []Scan
	// Columns are the result's columns.
	Columns []Column
}

// Scan is one relation of stored rows. SQL reads its columns as c<FieldID>.
type Scan struct {
	// Name is scan_0, scan_1 …
	Name  string
	Table *schema.Table
	// Columns are positions in Table.Columns, in ascending order; there may be
	// none, when only rows are counted.
	Columns []int
	// Bounds must all hold of a row that can matter: files whose statistics
	// exclude one need not be read.
	Bounds []Bound
	// Take, when above 0, tells that any Take rows of the scan suffice: nothing
	// above it filters, sorts or groups.
	Take int64
}

// Bound is a condition on a stored column. Values have the Go type that data
// file statistics have: int32, int64 (also timestamptz, in microseconds since
// 1970), string, bool. Nulls never meet a bound.
type Bound struct {
	FieldID int
	// Min and Max are inclusive; nil is no bound.
	Min, Max any
	// Equal, when not empty, lists the only values that can matter.
	Equal []any
}

// Column is a column of the result.
type Column struct {
	Name string
	Type schema.Type
}

// Emit writes a plan as SQL for DuckDB 1.5.
func Emit(p *plan.Plan) (*Statement, error) {
	return nil, fmt.Errorf("cannot write SQL: not built yet")
}
