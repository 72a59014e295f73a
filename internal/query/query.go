package query

import (
	"context"
	"errors"
	"fmt"
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

// Config is what questions run on. It may be shared by any number of them.
type Config struct {
	// Lake is read; each question pins its own state of it.
	Lake *lake.Lake
	// Engine runs the SQL. Its read folders must hold the lake's folder.
	Engine *engine.Engine
	// Now is the clock of now() and ago(); nil is time.Now.
	Now func() time.Time
}

// Result is the rows of one question, read as [engine.Rows] are, and how they are
// to be shown. The caller must Close it. Not safe for concurrent use.
type Result struct {
	*engine.Rows
	// Render is what `render` asked for, nil without it.
	Render *plan.Render

	point *lake.ReadPoint
}

// Close ends the question, early or not, lets the pinned files go, and gives the
// first error. It may be called twice.
func (r *Result) Close() error {
	return errors.Join(r.Rows.Close(), r.point.Close())
}

// Run starts a question. A mistake in it gives an [*Error]. ctx holds until the
// result is closed.
func Run(ctx context.Context, c *Config, text string) (*Result, error) {
	p, statement, err := compile(c, text)
	if err != nil {
		return nil, err
	}
	point, err := c.Lake.Pin(ctx, c.Engine.Deadline()+pinSlack)
	if err != nil {
		return nil, err
	}
	q, err := question(point, p, statement)
	if err != nil {
		return nil, errors.Join(err, point.Close())
	}
	rows, err := c.Engine.Query(ctx, q)
	if err != nil {
		return nil, errors.Join(err, point.Close())
	}
	return &Result{Rows: rows, Render: p.Render, point: point}, nil
}

// Check tells what is wrong with a question without running it: nil or an
// [*Error].
func Check(c *Config, text string) error {
	_, _, err := compile(c, text)
	return err
}

func compile(c *Config, text string) (*plan.Plan, *duck.Statement, error) {
	q, found := syntax.Parse(text)
	if len(found) > 0 {
		return nil, nil, &Error{Text: text, Diagnostics: found}
	}
	now := c.Now
	if now == nil {
		now = time.Now
	}
	p, found := bind.Bind(q, bind.Env{Now: event.FromTime(now()), Tables: source, Names: sourceNames})
	if len(found) > 0 {
		return nil, nil, &Error{Text: text, Diagnostics: found}
	}
	statement, err := duck.Emit(p)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot plan the question: %w", err)
	}
	return p, statement, nil
}

// source resolves a table's name: a view, or a table under its own name.
func source(name string) bind.Source {
	if v := schema.LookupView(name); v != nil {
		return bind.Source{Table: v.Table, View: v}
	}
	return bind.Source{Table: schema.LookupTable(name)}
}

func sourceNames() []string {
	var names []string
	for _, v := range schema.Views() {
		names = append(names, v.Name)
	}
	for _, t := range schema.Tables() {
		names = append(names, t.Name)
	}
	return names
}

// question joins the statement with the files of the read point.
func question(point *lake.ReadPoint, p *plan.Plan, statement *duck.Statement) (*engine.Query, error) {
	q := &engine.Query{SQL: statement.SQL, Unlimited: p.NoTruncation}
	for _, c := range statement.Columns {
		q.Columns = append(q.Columns, engine.Column(c))
	}
	for i := range statement.Scans {
		s := &statement.Scans[i]
		files, err := point.Table(s.Table)
		if err != nil {
			return nil, fmt.Errorf("cannot read the files of %s: %w", s.Table.Name, err)
		}
		scan := engine.Scan{Name: s.Name}
		for _, index := range s.Columns {
			column := &s.Table.Columns[index]
			scan.Columns = append(scan.Columns, engine.ScanColumn{FieldID: column.FieldID, Disk: column.Disk})
		}
		for _, f := range enough(prune(files.Files, s.Bounds), s.Take) {
			scan.Files = append(scan.Files, f.Path)
		}
		q.Scans = append(q.Scans, scan)
	}
	return q, nil
}
