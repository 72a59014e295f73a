package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

// pinSlack is how much longer than a question may run its files are kept: the
// time between the pin and the question's start, and clocks that drift.
const pinSlack = time.Minute

// nanosPerTick is how long a tick of KQL is.
const nanosPerTick = 100

// Config is what questions run on. It may be shared by any number of them.
type Config struct {
	// Lake is read; each question pins its own state of it.
	Lake *lake.Lake
	// Engine runs the SQL. Its read folders must hold the lake's folder.
	Engine *engine.Engine
	// Now is the clock of now() and ago(); nil is time.Now.
	Now func() time.Time
	// MaxRows cuts answers where the engine's own limit, or the question's, doesn't
	// cut them before; 0 leaves it to them.
	MaxRows int64
}

// Result is the rows of one question, read as [engine.Rows] are, and how they are
// to be shown. The caller must Close it. Not safe for concurrent use.
type Result struct {
	*engine.Rows
	// Render is what `render` asked for, nil without it.
	Render *plan.Render

	point    *lake.ReadPoint
	question *Question
	steps    []Step
}

// Steps are the parts of the work up to the start of the rows and how long each
// took. The caller may append to it.
func (r *Result) Steps() []Step { return slices.Concat(r.question.steps, r.steps) }

// Cut says where and why a result ends early, "" when it is whole.
func (r *Result) Cut() string {
	if !r.Truncated() {
		return ""
	}
	rows, bytes := r.Limits()
	if bytes == math.MaxInt64 {
		return fmt.Sprintf("the result is cut after %d rows: the limit is %d rows", r.Count(), rows)
	}
	return fmt.Sprintf("the result is cut after %d rows: the limit is %d rows or %d MB", r.Count(), rows, bytes>>20)
}

// Close ends the question, early or not, lets the pinned files go, and gives the
// first error. It may be called twice.
func (r *Result) Close() error {
	return errors.Join(r.Rows.Close(), r.point.Close())
}

// Question is a question that is understood and planned, and bound to no lake yet.
// It may be run any number of times; its now() stays that of [Compile].
type Question struct {
	plan      *plan.Plan
	statement *duck.Statement
	steps     []Step
	// open is the text of a question whose columns depend on the data (pivot,
	// bag_unpack): it is planned when it runs, and has no plan before.
	open   string
	now    time.Time
	set    *schema.Set
	within string
}

// Check looks at the form of a question only, without knowing any table: what it
// finds is wrong about every lake.
func Check(text string) error {
	if _, found := syntax.Parse(text); len(found) > 0 {
		return mistakes(text, found)
	}
	return nil
}

// Compile reads a question about the tables of a set (lake.Lake.Schema); now is what
// now() and ago() count from. A mistake in it gives an [*Error]; one behind an operator
// whose columns depend on the data is found when the question runs.
func Compile(text string, set *schema.Set, now time.Time) (*Question, error) {
	return CompileWithin(text, set, now, "")
}

// CompileWithin is [Compile] over the rows for which a predicate in KQL holds, of
// every table with TimeGenerated: within is Wadi's own text, never a user's.
func CompileWithin(text string, set *schema.Set, now time.Time, within string) (*Question, error) {
	open := false
	q, err := compile(text, set, now, within, func(*plan.Plan) ([]byte, error) {
		open = true
		return nil, errNoData
	})
	if open {
		return &Question{open: text, now: now, set: set, within: within}, nil
	}
	return q, err
}

// errNoData stands for an answer that only the lake has.
var errNoData = errors.New("the columns depend on the data")

// compile reads a question; ask answers what its columns hang on.
func compile(text string, set *schema.Set, now time.Time, within string, ask func(*plan.Plan) ([]byte, error)) (*Question, error) {
	watch := newStopwatch()
	q, found := syntax.Parse(text)
	watch.lap("parse")
	if len(found) > 0 {
		return nil, mistakes(text, found)
	}
	env := environment(set, now, ask)
	env.Within = within
	p, found := bind.Bind(q, env)
	if len(found) > 0 {
		return nil, mistakes(text, found)
	}
	watch.lap("bind")
	statement, err := duck.Emit(p)
	watch.lap("write SQL")
	if err != nil {
		return nil, fmt.Errorf("cannot plan the question: %w", err)
	}
	return &Question{plan: p, statement: statement, steps: watch.steps}, nil
}

// Run compiles and starts a question.
func Run(ctx context.Context, c *Config, text string) (*Result, error) {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	set, err := c.Lake.Schema(ctx)
	if err != nil {
		return nil, err
	}
	q, err := Compile(text, set, now())
	if err != nil {
		return nil, err
	}
	return q.Run(ctx, c)
}

// Run starts the question. ctx holds until the result is closed.
func (q *Question) Run(ctx context.Context, c *Config) (*Result, error) {
	q, err := q.planned(ctx, c)
	if err != nil {
		return nil, err
	}
	watch := newStopwatch()
	point, err := c.Lake.Pin(ctx, c.Engine.Deadline()+pinSlack)
	if err != nil {
		return nil, err
	}
	watch.lap("pin the lake's state")
	ask, err := q.over(point)
	watch.lap("choose the files")
	if err != nil {
		return nil, errors.Join(err, point.Close())
	}
	limit(ask, c.MaxRows, c.Engine)
	rows, err := c.Engine.Query(ctx, ask)
	if err != nil {
		return nil, errors.Join(err, point.Close())
	}
	return &Result{Rows: rows, Render: q.plan.Render, point: point, question: q, steps: watch.steps}, nil
}

// environment is what the binder knows: the tables of a set.
func environment(set *schema.Set, now time.Time, ask func(*plan.Plan) ([]byte, error)) bind.Env {
	return bind.Env{
		Now: event.FromTime(now), Ask: ask,
		Tables: func(name string) bind.Source { return source(set, name) },
		Names:  func() []string { return Names(set) },
	}
}

// source resolves a table's name: a view, or a table under its own name.
func source(set *schema.Set, name string) bind.Source {
	if v := set.LookupView(name); v != nil {
		return bind.Source{Table: v.Table, View: v}
	}
	return bind.Source{Table: set.LookupTable(name)}
}

// Names lists what a question may ask of a set: views, then tables.
func Names(set *schema.Set) []string {
	var names []string
	for _, v := range set.Views() {
		names = append(names, v.Name)
	}
	for _, t := range set.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// over joins the statement with the files of a read point.
func (q *Question) over(point *lake.ReadPoint) (*engine.Query, error) {
	ask := &engine.Query{
		SQL: q.statement.SQL, Unlimited: q.plan.NoTruncation, MaxRows: q.plan.MaxRows, MaxBytes: q.plan.MaxBytes,
		Deadline: time.Duration(min(q.plan.Deadline, math.MaxInt64/nanosPerTick)) * nanosPerTick,
	}
	for _, c := range q.statement.Columns {
		ask.Columns = append(ask.Columns, engine.Column(c))
	}
	files := fileCache{point: point, tables: map[*schema.Table]lake.TableFiles{}}
	for i := range q.statement.Stages {
		s := &q.statement.Stages[i]
		stage := engine.Stage{Table: s.Table, SQL: s.SQL, Op: s.Op, Args: s.Args, In: s.In, Kept: s.Kept}
		for _, c := range s.Out {
			stage.Out = append(stage.Out, engine.Column(c))
		}
		var err error
		if stage.Scans, err = files.scans(s.Scans); err != nil {
			return nil, err
		}
		ask.Stages = append(ask.Stages, stage)
	}
	var err error
	ask.Scans, err = files.scans(q.statement.Scans)
	return ask, err
}
