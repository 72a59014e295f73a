//go:build cgo

package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/kql/series"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// tryOperator doubles numbers and counts rows: each row in gives, of its first
// number n, n rows of n and a text of n letters; the end gives the number of rows.
// Its argument makes it fail in one of several ways.
type tryOperator struct {
	how  string
	rows int64
}

func (o *tryOperator) Row(in []udf.Value, emit series.Emit) error {
	o.rows++
	switch {
	case o.how == "error" && o.rows == 5000:
		return errors.New("row 5000 is no good")
	case o.how == "panic" && o.rows == 5000:
		panic("row 5000")
	case o.how == "slow":
		for end := time.Now().Add(time.Millisecond); time.Now().Before(end); {
			continue
		}
	case o.how == "endless":
		for {
			if err := emit([]udf.Value{{I: 1}, {S: []byte("more and more")}}); err != nil {
				return err
			}
		}
	}
	for range in[0].I {
		if err := emit([]udf.Value{in[0], {S: []byte(strings.Repeat("é", int(in[0].I)) + string(in[1].S)), Null: in[1].Null}}); err != nil {
			return err
		}
	}
	return nil
}

func (o *tryOperator) End(emit series.Emit) error {
	return emit([]udf.Value{{I: o.rows}, {Null: true}})
}

// openStages opens DuckDB in this process with tryOperator under the name try.
func openStages(t *testing.T) *duck {
	t.Helper()
	d := openTry(t)
	d.operator = func(op string, args []udf.Value, in, out []schema.Type, kept int) (series.Operator, error) {
		if op == "try" {
			return &tryOperator{how: string(args[0].S)}, nil
		}
		return series.New(op, args, in, out, kept)
	}
	return d
}

func tryStage(table, how, sql string) Stage {
	return Stage{
		Table: table, SQL: sql, Op: "try", Args: []udf.Value{{S: []byte(how)}}, In: []schema.Type{schema.Long, schema.Dynamic},
		Out: []Column{{"v1", schema.Long}, {"v2", schema.Dynamic}},
	}
}

func TestStages(t *testing.T) {
	d := openStages(t)
	stages := []Stage{
		tryStage("stage_0", "", "SELECT i % 20, CASE WHEN i % 20 > 1 THEN 'x' END FROM range(40000) r(i) ORDER BY i"),
		tryStage("stage_1", "", "SELECT 2, v2 FROM stage_0 WHERE v1 = 3"),
	}
	const sql = `SELECT (SELECT count(*) FROM stage_0), (SELECT max(v1) FROM stage_0), (SELECT count(*) FROM stage_0 WHERE v2 IS NULL),
		(SELECT count(*) FROM stage_0 WHERE v2 = repeat('é', v1) || 'x'), (SELECT count(*) FROM stage_1), (SELECT min(v2) FROM stage_1)`
	types := []schema.Type{schema.Long, schema.Long, schema.Long, schema.Long, schema.Long, schema.String}
	for range 2 { // nothing is left of the first time
		got, err := answersAll(t.Context(), t, d, &Query{SQL: sql, Stages: stages, Columns: columns(types...)})
		want := "380001 40000 2001 378000 12001 ééééé"
		if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "380001 40000 2001 378000 12001 ééé") {
			t.Errorf("got %v, %v\nwant %s", got, err, want)
		}
	}
	if _, err := answers(t.Context(), t, d, "SELECT count(*) FROM stage_0", schema.Long); err == nil {
		t.Error("a stage outlived its question")
	}
}

// TestStageFailures: whatever fails in a stage is one error, and the database
// serves on.
func TestStageFailures(t *testing.T) {
	d := openStages(t)
	d.stageRows = 200_000
	const many = "SELECT 1, '' FROM range(100000) r(i)"
	bad := tryStage("stage_0", "", many)
	bad.Table = `x" (y INT); DROP TABLE z; --`
	badColumn := tryStage("stage_0", "", many)
	badColumn.Out[1].Name = "a b"
	unknown := tryStage("stage_0", "", many)
	unknown.Op = "nothing"
	for name, c := range map[string]struct {
		stage Stage
		want  string
	}{
		"an error":        {tryStage("stage_0", "error", many), "try: row 5000 is no good"},
		"a panic":         {tryStage("stage_0", "panic", many), "BUG in try: row 5000"},
		"an endless one":  {tryStage("stage_0", "endless", many), "try: it gives more than 200000 rows"},
		"a bad name":      {bad, "cannot run a stage under the name"},
		"a bad column":    {badColumn, "cannot run a stage with a column"},
		"no operator":     {unknown, `cannot run the operator "nothing"`},
		"not a SELECT":    {tryStage("stage_0", "", "SELECT 1, ''); DROP TABLE x; SELECT (1"), "Parser Error"},
		"an error in SQL": {tryStage("stage_0", "", "SELECT error('in SQL')::BIGINT, ''"), "in SQL"},
	} {
		_, err := answersAll(t.Context(), t, d, &Query{SQL: "SELECT count(*) FROM stage_0", Stages: []Stage{c.stage}, Columns: columns(schema.Long)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", name, err, c.want)
		}
		if got, err := answers(t.Context(), t, d, "SELECT 42", schema.Long); err != nil || got[0] != "42" {
			t.Errorf("behind %s: %v, %v", name, got, err)
		}
	}
}

func TestStageCancelled(t *testing.T) {
	d := openStages(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := answersAll(ctx, t, d, &Query{SQL: "SELECT 1", Stages: []Stage{tryStage("stage_0", "slow", "SELECT 1, '' FROM range(100000) r(i)")}, Columns: columns(schema.Long)})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

// TestStageInWorker runs a real operator in a real worker, with its times.
func TestStageInWorker(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	q := &Query{
		Stages: []Stage{{
			Table: "stage_0", SQL: "SELECT '[1,' || i || ']', i FROM range(1000) r(i) ORDER BY i", Op: "series_stats", In: []schema.Type{schema.Dynamic, schema.Long}, Kept: 1,
			Out: []Column{{"v1", schema.Real}, {"v2", schema.Long}, {"v3", schema.Real}, {"v4", schema.Long}, {"v5", schema.Real}, {"v6", schema.Real}, {"v7", schema.Real}, {"v8", schema.Long}},
		}},
		SQL: "SELECT sum(v3), max(v8) FROM stage_0", Columns: columns(schema.Real, schema.Long),
	}
	got, rows, err := ask(t.Context(), e, q)
	if err != nil || got[0][0] != "499501" || got[0][1] != "999" {
		t.Fatalf("got %v, %v", got, err)
	}
	if times := rows.Times(); len(times.Stages) != 1 || times.Stages[0] <= 0 || times.Run <= 0 || times.Total < times.Stages[0] {
		t.Errorf("times %+v", times)
	}
	works(t, e)
}
