package duck

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// Stage is a part of a question that runs before [Statement.SQL] and before the
// stages behind it: a SELECT whose rows go through a Go operator of package series
// into a relation that later SQL reads.
type Stage struct {
	// Table is the relation the rows go to: stage_0, stage_1 …
	Table string
	// SQL is one SELECT over the names of Scans and of earlier stages. Its columns
	// have the types In, in the engine's wire form.
	SQL   string
	Scans []Scan
	// Op, Args, In, Out and Kept start the operator: see series.New.
	Op   string
	Args []udf.Value
	In   []schema.Type
	// Out are the columns of Table, named v<number>.
	Out  []Column
	Kept int
}

// stageList gathers the stages of a question, over all its statements.
type stageList struct {
	list  []Stage
	names map[*plan.Stage]string
}

// stage ends the SQL below as a question of its own, and reads what the operator
// makes of it.
func (e *emitter) stage(n *plan.Stage) string {
	if name := e.stages.names[n]; name != "" {
		return "SELECT * FROM " + name
	}
	below := newEmitter(e.stages)
	below.size = e.size
	from := below.node(n.From)
	s := Stage{Op: n.Op, Kept: len(n.Keep)}
	for _, a := range n.Args {
		s.Args = append(s.Args, udf.Constant(a.V))
	}
	var cols []string
	take := func(x plan.Expr) {
		cols = append(cols, fmt.Sprintf("CAST(%s AS %s) AS r%d", below.value(x), sqlTypes[x.Type()], len(cols)))
		s.In = append(s.In, x.Type())
	}
	for _, x := range n.In {
		take(x)
	}
	for _, r := range n.Out {
		s.Out = append(s.Out, Column{Name: column(r.ID), Type: r.T})
	}
	for i := range n.Keep {
		r := &n.Keep[i]
		take(r)
		s.Out = append(s.Out, Column{Name: column(r.ID), Type: r.T})
	}
	s.SQL = below.statement("SELECT " + strings.Join(cols, ", ") + " FROM " + from)
	s.Scans = below.scans
	if below.err != nil {
		e.err = below.err
		return ""
	}
	e.size = below.size + len(s.SQL)
	s.Table = "stage_" + strconv.Itoa(len(e.stages.list))
	e.stages.list = append(e.stages.list, s)
	e.stages.names[n] = s.Table
	return "SELECT * FROM " + s.Table
}
