//go:build cgo

package query

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
)

// bombDeadline is how long a question may take in these tests, fewBombsDeadline when
// only a few are run; bombSlack what it takes besides where other tests keep the
// machine busy: the grace, the kill, a new worker, which runs at idle priority.
const (
	bombDeadline     = 5 * time.Second
	fewBombsDeadline = 2 * time.Second
	bombSlack        = 10 * time.Second
)

func nested(open, inner, closing string, n int) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(closing, n)
}

// bombs are questions that would cost everything. Each is refused, ends at a limit
// that its error names, or turns out to be cheap.
func bombs() map[string]string {
	var items, conditions, functions strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&items, "%d,", i)
	}
	for i := range 40_000 {
		fmt.Fprintf(&conditions, " or EventID == %d", i)
	}
	functions.WriteString("let f0 = (x:long) { x + x };\n")
	for i := range 40 {
		fmt.Fprintf(&functions, "let f%d = (x:long) { f%d(x) + f%d(x) };\n", i+1, i, i)
	}
	const million = "range x from 1 to 1000000 step 1"
	return map[string]string{
		"range of 10^12":               "range x from 1 to 1000000000000 step 1 | count",
		"sorted range":                 "range x from 1 to 100000000 step 1 | sort by x desc | take 1",
		"distinct range":               "range x from 1 to 100000000 step 1 | summarize dcount(x)",
		"groups without end":           "range x from 1 to 100000000 step 1 | summarize count() by x | top 1 by count_",
		"range by ticks":               "range t from datetime(0001-01-01) to datetime(9999-12-31) step 1tick | count",
		"cartesian join":               million + " | extend k = 1 | join kind=inner (" + million + " | extend k = 1) on k | count",
		"cartesian join, sorted":       million + " | extend k = 1 | join kind=fullouter (range y from 1 to 1000000 step 1 | extend k = 1) on k | sort by y asc, x desc | take 3",
		"join of joins":                "let a = " + million + " | extend k = x % 2; a | join kind=inner a on k | join kind=inner a on k | join kind=inner a on k | count",
		"regex that backtracks":        `range x from 1 to 1000 step 1 | extend s = strrep("a", 1024) | where s matches regex "(a*)*(a|aa)*b" | count`,
		"regex that counts":            `print x = "a" matches regex "((a{100}){100}){100}"`,
		"regex as long as a book":      `print x = "a" matches regex "` + strings.Repeat("(a|b)", 100_000) + `"`,
		"regex replacing":              million + ` | extend s = strrep("ab", 500) | summarize count() by replace_regex(s, "(.)", @"\1\1\1\1\1\1\1\1\1\1")`,
		"parse with many wildcards":    `range x from 1 to 10000 step 1 | extend s = strrep("a", 1024) | parse s with ` + strings.Repeat(`* "a" `, 60) + ` * "b" y | summarize count() by y`,
		"brackets":                     "print x = " + nested("(", "1", ")", 200_000),
		"nots":                         "print x = " + nested("not(", "true", ")", 100_000),
		"choices":                      "print x = " + nested("iff(true, 1, ", "1", ")", 50_000),
		"arrays":                       "print x = dynamic(" + nested("[", "1", "]", 200_000) + ")",
		"indexes":                      "print d = dynamic([1]) | extend x = d" + strings.Repeat("[0]", 100_000),
		"nested subqueries":            nested("(", "print x = 1", " | where x == 1)", 5_000),
		"minus":                        "print x = " + strings.Repeat("-", 200_000) + "1",
		"a long chain":                 "windows_events | where EventID == 0" + conditions.String() + " | count",
		"a long list":                  "windows_events | where EventID in (" + items.String() + "0) | count",
		"a long text":                  `print x = strlen("` + strings.Repeat("x", 5<<20) + `")`,
		"a long comment":               "print 1 //" + strings.Repeat("x", 5<<20),
		"many operators":               "windows_events" + strings.Repeat(" | where EventID == 1", 20_000),
		"many columns":                 "print " + strings.Repeat("1, ", 20_000) + "1",
		"many unions":                  "union " + strings.Repeat("(windows_events | where EventID == 1), ", 300) + "windows_events | count",
		"unions of unions":             "let a = union windows_events, windows_events; let b = union a, a, a, a; let c = union b, b, b, b; let d = union c, c, c, c; let e = union d, d, d, d; union e, e, e, e | count",
		"lets that double":             functions.String() + "print f40(1)",
		"a let of itself":              "let f = (x:long) { f(x) }; print f(1)",
		"texts repeated":               `print x = strlen(strrep(strrep(strrep(strrep("aaaaaaaaaa", 1024), 1024), 1024), 1024))`,
		"texts doubled":                `print a = "xxxxxxxxxx"` + strings.Repeat(" | extend a = strcat(a, a)", 45) + " | project strlen(a)",
		"arrays doubled":               `print a = range(1, 1000)` + strings.Repeat(" | extend a = array_concat(a, a)", 40) + " | project array_length(a)",
		"an endless array":             "print x = array_length(range(1, 1000000000000))",
		"an endless repeat":            "print x = array_length(repeat(1, 1000000000000))",
		"a list of everything":         "range x from 1 to 100000000 step 1 | summarize array_length(make_list(x, 1000000000))",
		"a set of everything":          "range x from 1 to 100000000 step 1 | summarize array_length(make_set(tostring(x), 1000000000))",
		"a bag of everything":          "range x from 1 to 100000000 step 1 | summarize make_bag(pack(tostring(x), x)) | project array_length(bag_keys(bag_))",
		"mv-expand of mv-expand":       "print a = range(1, 1000000) | mv-expand b = a | mv-expand c = a | mv-expand d = a | count",
		"mv-apply of mv-apply":         "print a = range(1, 100000) | mv-apply b = a on (mv-apply c = a on (summarize sum(tolong(c)))) | count",
		"a series by ticks":            "range x from 1 to 10 step 1 | extend t = datetime(2020-01-01) | make-series count() on t from datetime(0001-01-01) to datetime(9999-12-31) step 1tick",
		"a series of many":             million + " | extend t = datetime(2020-01-01) | make-series count() on t from datetime(2000-01-01) to datetime(2030-01-01) step 1h by x | count",
		"many series":                  "range x from 1 to 100 step 1 | make-series count() on x from 1 to 1000000000000 step 1",
		"a wide pivot":                 "range x from 1 to 1000000 step 1 | extend y = tostring(x) | evaluate pivot(y)",
		"deep JSON":                    `print x = parse_json(strrep("[", 1024))` + strings.Repeat(" | extend x = pack_array(x, x)", 60),
		"any rows":                     "range x from 1 to 100000000 step 1 | take 9223372036854775807 | count",
		"top of all":                   "range x from 1 to 100000000 step 1 | top 1000000000000 by x desc | count",
		"rows numbered":                "range x from 1 to 100000000 step 1 | serialize | extend n = row_number() | summarize max(n)",
		"cumulated":                    "range x from 1 to 100000000 step 1 | serialize | extend n = row_cumsum(x) | summarize max(n)",
		"a rolling window of anything": "range x from 1 to 100000000 step 1 | sort by x desc | extend p = prev(x, 1000000000) | count",
		"percentiles of all":           "range x from 1 to 100000000 step 1 | summarize percentiles(x, 1, 50, 99)",
		"toscalar of a join":           "print x = toscalar(" + million + " | extend k = 1 | join kind=inner (" + million + " | extend k = 1) on k | count)",
		"in everything":                million + " | where x in ((range y from 1 to 1000000000000 step 1)) | count",
		"materialised":                 "let m = materialize(range x from 1 to 100000000 step 1); m | join kind=inner m on x | count",
		"sampled":                      "range x from 1 to 100000000 step 1 | sample 10 | count",
		"parsed keys":                  `range x from 1 to 100000 step 1 | extend s = strrep("k=v,", 1000) | parse-kv s as (k:string) with (pair_delimiter=",", kv_delimiter="=") | summarize count() by k`,
		"searched":                     `search "` + strings.Repeat("x", 100_000) + `"`,
	}
}

// TestBombs runs every bomb, and beside each a small question.
func TestBombs(t *testing.T) {
	dir := t.TempDir()
	lake := testLake(t, dir, 3)
	slow, deadline := os.Getenv("WADI_SLOW") != "", bombDeadline
	if !slow {
		deadline = fewBombsDeadline
	}
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{lake.Lake.Dir()}, TempDir: t.TempDir(), Deadline: deadline})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &Config{Lake: lake.Lake, Engine: e}
	fast := []string{"range of 10^12", "cartesian join", "texts doubled", "lets that double", "brackets", "a long chain", "many unions"}
	if !slow {
		t.Logf("only %d of %d bombs: the others take a minute, set WADI_SLOW=1 (make test does)", len(fast), len(bombs()))
	}
	for name, text := range bombs() {
		if !slow && !slices.Contains(fast, name) {
			continue
		}
		t.Run(name, func(t *testing.T) { explode(t, c, text) })
	}
}

func explode(t *testing.T, c *Config, text string) {
	done := make(chan error, 1)
	start, took := time.Now(), time.Duration(0)
	go func() {
		_, err := askOn(t.Context(), c, text)
		took = time.Since(start)
		done <- err
	}()
	var small *answer
	var smallErr error
	for range 3 { // on a busy machine idle priority may not be enough for one in time
		if small, smallErr = askOn(t.Context(), c, "windows_events | count"); smallErr == nil {
			break
		}
	}
	err := <-done
	if smallErr != nil || len(small.rows) != 1 {
		t.Errorf("the question beside it gives %v, %v", small, smallErr)
	}
	if took > bombDeadline+bombSlack {
		t.Errorf("it took %v", took)
	}
	t.Logf("%v: %.300v", took.Round(time.Millisecond), err)
	if !tame(err) {
		t.Errorf("ends with %.500v", err)
	}
}

// tame tells whether an end is one that names its limit.
func tame(err error) bool {
	var mistake *Error
	switch {
	case err == nil, errors.As(err, &mistake), errors.Is(err, engine.ErrDeadline), errors.Is(err, engine.ErrMemory), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return strings.Contains(err.Error(), "limit") || strings.Contains(err.Error(), "maximum") || strings.Contains(err.Error(), "too ") || strings.Contains(err.Error(), "longer than") || strings.Contains(err.Error(), "more than")
}
