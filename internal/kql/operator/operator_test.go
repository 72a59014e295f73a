package operator_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/operator"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

var update = flag.Bool("update", false, "write the golden file anew")

// source has a column of every type that operators tell apart.
const source = "datatable(n:long, s:string, t:datetime, d:dynamic, b:bool)[]"

// planOf prints the plan of operators over source as they are written, or the errors.
// Asked is what the data answer where columns hang on them.
func planOf(operators, asked string) string {
	q, diags := syntax.Parse(source + " | " + operators)
	if len(diags) == 0 {
		p, found := bind.Bind(q, bind.Env{
			Now: event.UnixEpoch, Tables: func(string) bind.Source { return bind.Source{} }, AsWritten: true,
			Ask: func(*plan.Plan) ([]byte, error) { return []byte(asked), nil },
		})
		if diags = found; len(diags) == 0 {
			_, text, _ := strings.Cut(p.String(), "\n") // behind the source
			return text
		}
	}
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "error: %v", d)
		if d.Hint != "" {
			b.WriteString(" (" + d.Hint + ")")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestPlans holds operators to their plans: testdata/plans.txt has blocks of
// operators, a line "---" and the plan, parted by "===". A block may begin with what
// the data answer, behind "asked ".
func TestPlans(t *testing.T) {
	const file = "testdata/plans.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for block := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n"), "\n===\n") {
		query, want, _ := strings.Cut(block, "\n---\n")
		asked, operators := "", query
		if rest, ok := strings.CutPrefix(query, "asked "); ok {
			asked, operators, _ = strings.Cut(rest, "\n")
		}
		got := strings.TrimSuffix(planOf(operators, asked), "\n")
		all = append(all, query+"\n---\n"+got)
		if diff := cmp.Diff(want, got); diff != "" && !*update {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d cases", len(all))
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(all, "\n===\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOrdered tells behind which operators rows have an order.
func TestOrdered(t *testing.T) {
	for text, want := range map[string][2]bool{ // without and with an order before
		"where b":             {false, true},
		"extend x = 1":        {false, true},
		"project n":           {false, true},
		"take 1":              {false, true},
		"mv-expand d":         {false, true},
		"sort by n":           {true, true},
		"top 1 by n":          {true, true},
		"serialize":           {true, true},
		"distinct n":          {false, false},
		"summarize count()":   {false, false},
		"count":               {false, false},
		"union (print 1)":     {false, false},
		"join (print 1) on n": {false, false},
	} {
		q, diags := syntax.Parse("T | " + text)
		if len(diags) > 0 {
			t.Fatal(text, diags)
		}
		pipe, ok := q.Statements[0].(*syntax.Run).X.(*syntax.Pipe)
		if !ok {
			t.Fatal(text)
		}
		if got := [2]bool{operator.Ordered(pipe.Ops[0], false), operator.Ordered(pipe.Ops[0], true)}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
