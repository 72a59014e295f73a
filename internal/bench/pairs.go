package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// leastCPU is what one measurement should cost, so that the clock and the parts
// that don't grow with the data weigh little: small questions are asked more than
// once.
const leastCPU = 50 * time.Millisecond

// benchPairs asks each pair's KQL and SQL of one warm worker in turn, and prints
// the CPU seconds of both and their ratio.
func benchPairs(ctx context.Context, b *bench) (err error) {
	dir, err := b.demoLake(ctx)
	if err != nil {
		return err
	}
	l, err := lake.Open(ctx, dir, lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	e, err := engine.Start(ctx, engine.Config{Executable: b.Wadi, Threads: 2, ReadDirs: []string{l.Dir()}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	c := &query.Config{Lake: l, Engine: e}
	tables, err := parquetTables(ctx, l, e.Deadline())
	if err != nil {
		return err
	}
	product, worst, measured := 1.0, 0.0, 0
	for i := range pairs {
		p := &pairs[i]
		r, err := b.pair(ctx, c, p, tables)
		var mistake *query.Error
		if errors.As(err, &mistake) {
			b.figure(p.name, "is refused: "+mistake.Error(), "an answer")
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		product, worst, measured = product*r, max(worst, r), measured+1
	}
	mean := math.Pow(product, 1/float64(max(measured, 1)))
	b.figure(fmt.Sprintf("%d of %d pairs, CPU seconds of KQL against SQL", measured, len(pairs)), fmt.Sprintf("geometric mean %.2f×, worst %.2f×", mean, worst), "≤1.1×, none above 1.3×")
	return nil
}

// parquetTables gives the common table expressions of the tables, over the files
// of one state of the lake.
func parquetTables(ctx context.Context, l *lake.Lake, keep time.Duration) (text string, err error) {
	point, err := l.Pin(ctx, keep)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, point.Close()) }()
	var parts []string
	for _, t := range []*schema.Table{schema.WindowsEvents, schema.W3CIIS} {
		files, err := point.Table(t)
		if err != nil {
			return "", err
		}
		var names []string
		for i := range files.Files {
			names = append(names, "'"+strings.ReplaceAll(files.Files[i].Path, "'", "''")+"'")
		}
		parts = append(parts, t.Name+" AS NOT MATERIALIZED (SELECT * FROM read_parquet(["+strings.Join(names, ", ")+"]))")
	}
	return "WITH " + strings.Join(parts, ", "), nil
}

// pair measures one pair and gives the ratio.
func (b *bench) pair(ctx context.Context, c *query.Config, p *pair, tables string) (float64, error) {
	ask := &engine.Query{SQL: "SELECT * FROM (" + tables + " " + strings.Replace(p.sql, "WITH ", ", ", 1) + ")"}
	if !strings.HasPrefix(p.sql, "WITH ") {
		ask.SQL = "SELECT * FROM (" + tables + " " + p.sql + ")"
	}
	for i, t := range p.types {
		ask.Columns = append(ask.Columns, engine.Column{Name: fmt.Sprint("c", i), Type: t})
	}
	kql := func() (*engine.Rows, func() error, error) {
		r, err := query.Run(ctx, c, p.kql)
		if err != nil {
			return nil, nil, err
		}
		return r.Rows, r.Close, nil
	}
	sql := func() (*engine.Rows, func() error, error) {
		r, err := c.Engine.Query(ctx, ask)
		if err != nil {
			return nil, nil, err
		}
		return r, r.Close, nil
	}
	rows, err := sameAnswer(p, kql, sql)
	if err != nil {
		return 0, err
	}
	warm, err := cost(1, sql)
	if err != nil {
		return 0, err
	}
	times := 1 + int(leastCPU/max(warm.cpu, time.Millisecond))
	var ours, theirs costs
	for range b.Runs {
		for _, side := range []struct {
			into *costs
			ask  asker
		}{{&ours, kql}, {&theirs, sql}} {
			u, err := cost(times, side.ask)
			if err != nil {
				return 0, err
			}
			side.into.add(u)
		}
	}
	r := ratio(&ours, &theirs)
	b.figure(fmt.Sprintf("%s (%d rows)", p.name, rows), fmt.Sprintf("KQL %.0f ms, SQL %.0f ms of CPU: %.2f×",
		1e3*median(ours.cpu).Seconds(), 1e3*median(theirs.cpu).Seconds(), r), "≤1.3×")
	return r, nil
}

// asker starts a question.
type asker func() (*engine.Rows, func() error, error)

// cost asks n times and gives the worker's cost of one.
func cost(n int, ask asker) (usage, error) {
	before, err := children()
	if err != nil {
		return usage{}, err
	}
	start := time.Now()
	for range n {
		rows, done, err := ask()
		if err != nil {
			return usage{}, err
		}
		for rows.Next() {
			continue
		}
		if err := done(); err != nil {
			return usage{}, err
		}
	}
	wall := time.Since(start)
	after, err := children()
	if err != nil {
		return usage{}, err
	}
	return usage{wall: wall / time.Duration(n), cpu: (after.cpu - before.cpu) / time.Duration(n), rssBytes: after.rssBytes}, nil
}

// sameAnswer checks that both give the same rows and gives their number.
func sameAnswer(p *pair, kql, sql asker) (int, error) {
	ours, err := lines(kql)
	if err != nil {
		return 0, err
	}
	theirs, err := lines(sql)
	if err != nil {
		return 0, fmt.Errorf("cannot ask in SQL: %w", err)
	}
	if len(ours) != len(theirs) || len(ours) == 0 {
		return 0, fmt.Errorf("the answers differ: %d rows of KQL, %d of SQL", len(ours), len(theirs))
	}
	for i := range ours {
		if ours[i] != theirs[i] && !p.anyRows {
			return 0, fmt.Errorf("the answers differ: KQL %q, SQL %q", ours[i], theirs[i])
		}
	}
	return len(ours), nil
}

// lines gives a result's rows as text, sorted.
func lines(ask asker) ([]string, error) {
	rows, done, err := ask()
	if err != nil {
		return nil, err
	}
	var out []string
	for rows.Next() {
		var line []byte
		for i := range rows.Columns() {
			line = append(query.AppendText(line, rows, i), '\t')
		}
		out = append(out, string(line))
	}
	slices.Sort(out)
	return out, done()
}
