package engine

import (
	"fmt"
	"math"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// Stage is a part of a question that runs before [Query.SQL]: the rows of one
// SELECT go through a Go operator of package series into a relation that the SQL
// of later stages, and of the question, reads. It lives in the worker's DuckDB for
// as long as the question.
type Stage struct {
	// Table is the relation's name, stage_0, stage_1 …
	Table string
	// SQL is one SELECT over the names of Scans and of earlier stages; its columns
	// have the types In.
	SQL   string
	Scans []Scan
	// Op, Args, In, the types of Out and Kept start the operator: see series.New.
	Op   string
	Args []udf.Value
	In   []schema.Type
	// Out are the relation's columns.
	Out  []Column
	Kept int
}

// Limits of what a stage makes: its rows lie in DuckDB's memory, which spills to
// disk, so they are bounded well below what a question may use.
const (
	maxStages     = 64
	maxStageRows  = 20_000_000
	maxStageBytes = 1 << 30
)

// stageRequest is a stage on its way to the worker.
type stageRequest struct {
	Table string        `json:"table"`
	SQL   string        `json:"sql"`
	Op    string        `json:"op"`
	Args  []stageArg    `json:"args"`
	In    []schema.Type `json:"in"`
	Out   []stageColumn `json:"out"`
	Kept  int           `json:"kept"`
}

type stageColumn struct {
	Name string      `json:"name"`
	Type schema.Type `json:"type"`
}

// stageArg is a udf.Value; a real travels by its bits, because JSON has no NaN.
type stageArg struct {
	Null bool   `json:"null,omitempty"`
	I    int64  `json:"i,omitempty"`
	F    uint64 `json:"f,omitempty"`
	S    []byte `json:"s,omitempty"`
}

// stageRequests gives the stages as the worker gets them.
func stageRequests(stages []Stage) ([]stageRequest, error) {
	if len(stages) > maxStages {
		return nil, fmt.Errorf("cannot run %d stages: the limit is %d", len(stages), maxStages)
	}
	var out []stageRequest
	for i := range stages {
		s := &stages[i]
		below := Query{SQL: s.SQL, Scans: s.Scans}
		for _, t := range s.In {
			below.Columns = append(below.Columns, Column{Type: t})
		}
		text, err := statement(&below, 0)
		if err != nil {
			return nil, err
		}
		r := stageRequest{Table: s.Table, SQL: text, Op: s.Op, In: s.In, Kept: s.Kept}
		for _, a := range s.Args {
			r.Args = append(r.Args, stageArg{Null: a.Null, I: a.I, F: math.Float64bits(a.F), S: a.S})
		}
		for _, c := range s.Out {
			r.Out = append(r.Out, stageColumn(c))
		}
		out = append(out, r)
	}
	return out, nil
}

// names checks what goes into SQL unquoted.
func (s *stageRequest) names() error {
	if !identifier(s.Table) {
		return fmt.Errorf("cannot run a stage under the name %q", s.Table)
	}
	if len(s.Out) == 0 || len(s.Out) > maxColumns {
		return fmt.Errorf("cannot run a stage with %d columns: the limit is 1..%d", len(s.Out), maxColumns)
	}
	for _, c := range s.Out {
		if !identifier(c.Name) {
			return fmt.Errorf("cannot run a stage with a column %q", c.Name)
		}
	}
	return nil
}

func (s *stageRequest) args() []udf.Value {
	args := make([]udf.Value, len(s.Args))
	for i, a := range s.Args {
		args[i] = udf.Value{Null: a.Null, I: a.I, F: math.Float64frombits(a.F), S: a.S}
	}
	return args
}

func (s *stageRequest) outTypes() []schema.Type {
	types := make([]schema.Type, len(s.Out))
	for i, c := range s.Out {
		types[i] = c.Type
	}
	return types
}
