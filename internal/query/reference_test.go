//go:build cgo

package query

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/kqltest/refinterp"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// The seeds of TestReference: a fast test runs the first ones, WADI_SLOW more;
// WADI_SEEDS=from-to runs others.
const (
	fastSeeds       = 300
	fastStoredSeeds = 60 // the views make their plans long
	slowSeeds       = 5000
)

func seeds(t *testing.T, fast uint64) (from, to uint64) {
	if text := os.Getenv("WADI_SEEDS"); text != "" {
		first, last, _ := strings.Cut(text, "-")
		var err, err2 error
		from, err = strconv.ParseUint(first, 10, 64)
		to, err2 = strconv.ParseUint(last, 10, 64)
		if err := errors.Join(err, err2); err != nil {
			t.Fatalf("WADI_SEEDS is a range, such as 1-1000: %v", err)
		}
		return from, to
	}
	if os.Getenv("WADI_SLOW") != "" {
		return 1, slowSeeds
	}
	return 1, fast
}

// world is what questions are asked of, twice.
type world struct {
	config *Config
	tables refinterp.Tables
	// answered counts the answers with rows.
	answered int
}

// TestReference compares the engine with the reference interpreter over generated
// questions and tables.
func TestReference(t *testing.T) {
	w := &world{config: empty.get(t), tables: func(*schema.Table) [][]any { return nil }}
	agree(t, w, fastSeeds, (*generator).query)
}

func agree(t *testing.T, w *world, fast uint64, generate func(*generator) *gquery) {
	from, to := seeds(t, fast)
	var same, refusals, unknown, failures int
	w.answered = 0
	for seed := from; seed <= to && failures < 10; seed++ {
		q := generate(&generator{r: rand.New(rand.NewPCG(seed, 4))})
		problem, err := w.differs(t, q.text())
		var mistake *Error
		var unsupported *refinterp.Unsupported
		switch {
		case errors.As(err, &mistake):
			refusals++
			t.Logf("seed %d is refused: %v\n%s", seed, err, q.text())
		case errors.As(err, &unsupported):
			unknown++
			t.Logf("seed %d: %v", seed, err)
		case problem != "":
			failures++
			small := w.shrink(t, q)
			problem, _ = w.differs(t, small.text())
			t.Errorf("seed %d: %s\n%s", seed, problem, small.text())
		default:
			same++
		}
	}
	t.Logf("%d questions agree, %d of them with rows; %d are refused, %d use what the reference interpreter does not know", same, w.answered, refusals, unknown)
	if total := int(to-from) + 1; failures == 0 && (same < total*9/10 || w.answered < total/2) {
		t.Errorf("of %d questions only %d were compared, %d with rows", total, same, w.answered)
	}
}

// differs asks the engine and the interpreter; problem is "" when they agree. An
// err is a refusal or something the interpreter does not know.
func (w *world) differs(t *testing.T, text string) (problem string, err error) {
	t.Helper()
	p, err := planOf(text)
	if err != nil {
		return "", err
	}
	want, err := refinterp.Run(p, w.tables)
	if err != nil {
		return "", err
	}
	got, err := raw(t, w.config, text)
	var mistake *Error
	if errors.As(err, &mistake) {
		return "", err
	}
	if err != nil {
		return "the engine fails: " + err.Error(), nil
	}
	if len(got) > 0 {
		w.answered++
	}
	if diff := sameValues(got, want, isSorted(p)); diff != "" {
		return diff + "\n   want " + show(shownAs(want, p)) + "\n   got  " + show(shownAs(got, p)) + "\n" + p.String(), nil
	}
	return "", nil
}

func planOf(text string) (*plan.Plan, error) {
	q, found := syntax.Parse(text)
	if len(found) > 0 {
		return nil, &Error{Text: text, Diagnostics: found}
	}
	env := environment(schema.Builtin(), oracleNow, nil)
	env.AsWritten = true
	p, found := bind.Bind(q, env)
	if len(found) > 0 {
		return nil, &Error{Text: text, Diagnostics: found}
	}
	return p, nil
}

// isSorted tells whether the order of a plan's rows is defined.
func isSorted(p *plan.Plan) bool {
	n := p.Root
	for {
		switch x := n.(type) {
		case *plan.Sort:
			return true
		case *plan.Take:
			n = x.From
		case *plan.Filter:
			n = x.From
		case *plan.Extend:
			n = x.From
		default:
			return false
		}
	}
}

// raw reads a result as the interpreter gives it.
func raw(t *testing.T, c *Config, text string) ([][]any, error) {
	result, err := Run(t.Context(), c, text)
	if err != nil {
		return nil, err
	}
	out := [][]any{}
	for result.Next() {
		line := make([]any, len(result.Columns()))
		for i := range line {
			line[i] = rawValue(result.Rows, i)
		}
		out = append(out, line)
	}
	return out, result.Close()
}

func rawValue(rows *engine.Rows, i int) any {
	if rows.Null(i) {
		return nil
	}
	switch rows.Columns()[i].Type {
	case schema.Bool:
		return rows.Bool(i)
	case schema.Int, schema.Long, schema.DateTime, schema.TimeSpan:
		return rows.Int(i)
	case schema.Real:
		return rows.Real(i)
	default:
		return string(rows.Text(i))
	}
}

// sameValues compares rows; reals may differ in their last digits.
func sameValues(got, want [][]any, ordered bool) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d rows, not %d", len(got), len(want))
	}
	used := make([]bool, len(got))
	for i, w := range want {
		found := false
		for j := range got {
			if !used[j] && (!ordered || i == j) && sameLine(got[j], w) {
				used[j], found = true, true
				break
			}
		}
		if !found {
			return fmt.Sprintf("row %d differs", i)
		}
	}
	return ""
}

func sameLine(got, want []any) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range want {
		g, ok := got[i].(float64)
		w, alsoReal := want[i].(float64)
		if ok && alsoReal {
			if !near(g, w) {
				return false
			}
			continue
		}
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

// shownAs shows values by their types.
func shownAs(rows [][]any, p *plan.Plan) [][]any {
	var out [][]any
	for _, r := range rows {
		line := make([]any, len(r))
		for i, v := range r {
			if v == nil || i >= len(p.Output) {
				line[i] = v
				continue
			}
			c := plan.Const{T: p.Output[i].Expr.Type(), V: v}
			line[i] = c.String()
		}
		out = append(out, line)
	}
	return out
}

// shrink drops operators and rows while the question still differs.
func (w *world) shrink(t *testing.T, q *gquery) *gquery {
	still := func(c *gquery) bool {
		problem, err := w.differs(t, c.text())
		return err == nil && problem != ""
	}
	for again := true; again; {
		again = false
		for i := range q.ops {
			c := *q
			c.ops = append(append([]string{}, q.ops[:i]...), q.ops[i+1:]...)
			if still(&c) {
				q, again = &c, true
				break
			}
		}
	}
	for n := range q.tables {
		for i := 0; i < len(q.tables[n].rows); {
			c := *q
			c.tables = append([]gtable{}, q.tables...)
			rows := q.tables[n].rows
			c.tables[n].rows = append(append([][]string{}, rows[:i]...), rows[i+1:]...)
			if still(&c) {
				q = &c
				continue
			}
			i++
		}
	}
	return q
}
