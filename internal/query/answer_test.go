//go:build cgo

package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

// emptyLake is an engine with one warm worker over a lake without rows, made once
// for the test binary; TestMain ends it.
type emptyLake struct {
	once   sync.Once
	dir    string
	err    error
	config *Config
}

var empty emptyLake

// oracleNow is now() in the cases: some fixed time.
var oracleNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (e *emptyLake) get(t testing.TB) *Config {
	t.Helper()
	e.once.Do(func() { e.err = e.make() })
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.config
}

func (e *emptyLake) make() (err error) {
	ctx := context.Background()
	if e.dir, err = os.MkdirTemp("", "wadi-oracle-"); err != nil {
		return err
	}
	w, err := lake.OpenWriter(ctx, e.dir, lake.Options{})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	l, err := lake.Open(ctx, e.dir, lake.Options{})
	if err != nil {
		return err
	}
	q, err := engine.Start(ctx, engine.Config{ReadDirs: []string{e.dir}, TempDir: e.dir, Deadline: 20 * time.Second})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	e.config = &Config{Lake: l, Engine: q, Now: func() time.Time { return oracleNow }}
	return nil
}

func (e *emptyLake) close() {
	if e.config != nil {
		_ = e.config.Engine.Close()
		_ = e.config.Lake.Close()
	}
	if e.dir != "" {
		_ = os.RemoveAll(e.dir)
	}
}

// answer is a result read whole. Values are nil, bool, int64, float64, or string
// (times and decimals as Kusto prints them), dynamics decoded with json.Number.
type answer struct {
	columns []engine.Column
	rows    [][]any
}

// answerTo runs a question over the empty lake. A mistake is an [*Error].
func answerTo(t testing.TB, text string) (*answer, error) {
	t.Helper()
	return askOn(t.Context(), empty.get(t), text)
}

func askOn(ctx context.Context, c *Config, text string) (*answer, error) {
	result, err := Run(ctx, c, text)
	if err != nil {
		return nil, err
	}
	a := &answer{columns: result.Columns(), rows: [][]any{}}
	for result.Next() {
		row := make([]any, len(a.columns))
		for i := range a.columns {
			if row[i], err = value(result.Rows, i); err != nil {
				return nil, errors.Join(err, result.Close())
			}
		}
		a.rows = append(a.rows, row)
	}
	return a, result.Close()
}

func value(rows *engine.Rows, i int) (any, error) {
	if rows.Null(i) {
		return nil, nil
	}
	switch rows.Columns()[i].Type {
	case schema.Bool:
		return rows.Bool(i), nil
	case schema.Int, schema.Long:
		return rows.Int(i), nil
	case schema.Real:
		return rows.Real(i), nil
	case schema.DateTime:
		return event.Ticks(rows.Int(i)).String(), nil
	case schema.TimeSpan:
		return fn.FormatSpan(rows.Int(i)), nil
	case schema.Dynamic:
		return decode(rows.Text(i))
	default:
		return string(rows.Text(i)), nil
	}
}

func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("a dynamic value is no JSON: %w: %q", err, text)
	}
	if d.More() {
		return nil, fmt.Errorf("a dynamic value is more than one JSON value: %q", text)
	}
	return v, nil
}

// same compares a value with the recorded one. Wholes agree exactly, reals to nine
// digits: Kusto rounds some (variance to ten places, and stdev is made of it).
func same(got, want any) bool {
	switch w := want.(type) {
	case json.Number:
		return sameNumber(got, w.String())
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(g[i], w[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k := range w {
			v, has := g[k]
			if !has || !same(v, w[k]) {
				return false
			}
		}
		return true
	case string:
		if f, ok := got.(float64); ok { // "NaN" and its kin
			return (math.IsNaN(f) || math.IsInf(f, 0)) && fn.FormatReal(f) == w
		}
		g, ok := got.(string)
		return ok && g == w
	case bool:
		g, ok := got.(bool)
		return ok && g == w
	default:
		return got == nil && want == nil
	}
}

// sameNumber compares a value with a recorded number: a whole one is told from a
// real one by its form, but that the recorder wrote 2.0 as 2.
func sameNumber(got any, want string) bool {
	text := ""
	switch g := got.(type) {
	case int64:
		text = fmt.Sprint(g)
	case float64:
		text = fmt.Sprintf("%.17e", g)
	case json.Number:
		text = g.String()
	case string: // a decimal
		text = g
	default:
		return false
	}
	if text == want {
		return true
	}
	g, okG := new(big.Float).SetPrec(200).SetString(text)
	w, okW := new(big.Float).SetPrec(200).SetString(want)
	if !okG || !okW {
		return false
	}
	if g.IsInt() && w.IsInt() && !strings.ContainsAny(text+want, ".eE") {
		return g.Cmp(w) == 0
	}
	x, _ := g.Float64()
	y, _ := w.Float64()
	return near(x, y)
}

// near tells whether reals agree to nine digits; NaN agrees with NaN only, and
// what is infinite with itself.
func near(x, y float64) bool {
	switch {
	case math.IsNaN(x) || math.IsNaN(y):
		return math.IsNaN(x) && math.IsNaN(y)
	case math.IsInf(x, 0) || math.IsInf(y, 0):
		return x == y
	}
	return x == y || math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
}

// sameRows tells how rows differ from those recorded, "" when they don't. The
// order counts only where the query defines it.
func sameRows(got, want [][]any, ordered bool) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d rows, not %d", len(got), len(want))
	}
	used := make([]bool, len(got))
	for i, w := range want {
		found := -1
		for j := range got {
			if !used[j] && (!ordered || i == j) && same(any(got[j]), any(w)) {
				found = j
				break
			}
		}
		if found < 0 {
			return fmt.Sprintf("row %d differs", i)
		}
		used[found] = true
	}
	return ""
}

func show(rows [][]any) string {
	const limit = 20
	var b strings.Builder
	for i, r := range rows {
		if i == limit {
			fmt.Fprintf(&b, "\n      … %d more", len(rows)-limit)
			break
		}
		line, err := json.Marshal(r)
		if err != nil {
			line = fmt.Append(nil, r)
		}
		b.WriteString("\n      ")
		b.Write(line)
	}
	return b.String()
}
