package archtest

import (
	"fmt"
	"strings"
	"testing"
)

// TestRulesBite holds each rule against code that breaks it: a rule that finds
// nothing anywhere is no rule.
func TestRulesBite(t *testing.T) {
	long := strings.Repeat("\tprintln()\n", maxFunctionLines)
	for _, c := range []struct{ name, path, text, want string }{
		{"init", "internal/evtx/a.go", "func init() {}", "init hides work"},
		{"folder name", "internal/util/a.go", "", "folder named util"},
		{"undone", "internal/evtx/a.go", "// TO" + "DO: more", "finish it"},
		{"goroutine", "internal/evtx/a.go", "func f() { go f() }", "goroutine in pure code"},
		{"wait group", "internal/w3c/a.go", "func f() { var wg sync.WaitGroup; wg.Go(f) }", "goroutine in pure code"},
		{"clock", "internal/kql/bind/a.go", "func f() { _ = time.Now() }", "clock in pure code"},
		{"sleep", "internal/lake/a_test.go", "func f() { time.Sleep(1) }", "sleeping test"},
		{"bare skip", "internal/lake/a_test.go", "func f(t *testing.T) { t.SkipNow() }", "print its reason"},
		{"long function", "internal/lake/a.go", "func f() {\n" + long + "}", "lines, more than 80"},
		{"long method", "internal/lake/a.go", "func (x *T) f() {\n" + long + "}", "internal/lake.T.f has"},
		{"long file", "internal/lake/a.go", strings.Repeat("\n", maxFileLines), "split it"},
		{"long package", "internal/lake/a.go", strings.Repeat("\n", maxPackageLines), "it is two packages"},
		{"no comment", "internal/lake/a.go", "func F() {}", "exported F has no doc comment"},
		{"no comment on a constant", "internal/lake/a.go", "const A = 1", "exported A has no doc comment"},
		{"no package comment", "internal/lake/a.go", "", "no package comment"},
		{"package state", "internal/lake/a.go", "var n int\nfunc f() { n++ }", "variable n is changed"},
		{"package state behind a field", "internal/lake/a.go", "var n struct{ m map[int]int }\nfunc f() { n.m[1] = 2 }", "variable n is changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := parse(c.path, []byte("package x\n"+c.text))
			if err != nil {
				t.Fatal(err)
			}
			var found strings.Builder
			collect := func(format string, args ...any) { fmt.Fprintf(&found, format+"\n", args...) }
			all := []source{s}
			checkSizes(all, collect)
			checkWords(all, collect)
			checkDocumentation(all, collect)
			checkState(all, collect)
			if !strings.Contains(found.String(), c.want) {
				t.Errorf("want %q among:\n%s", c.want, found.String())
			}
		})
	}
}

func TestImportRulesBite(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"up", "internal/lake", module + "internal/cli", "a floor above"},
		{"sideways", "internal/catalog", module + "internal/lake", "on its own floor"},
		{"tests only", "internal/lake", module + "internal/evtx/evtxtest", "only tests may use"},
		{"no floor", "internal/new", "fmt", "has no floor"},
		{"outside the vocabulary", "internal/event", "github.com/google/go-cmp/cmp", "standard library only"},
		{"impure", "internal/evtx", "os", "pure code gets its bytes"},
		{"DuckDB abroad", "internal/query", "github.com/duckdb/duckdb-go/v2", "only cgo"},
		{"Iceberg abroad", "internal/collect/bulk", "github.com/apache/iceberg-go", "table format has one home"},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := map[string]listed{c.from: {Imports: []string{c.to}}}
			var found strings.Builder
			collect := func(format string, args ...any) { fmt.Fprintf(&found, format+"\n", args...) }
			checkImports(own, collect)
			checkHomes(own, map[string]bool{"os": true, "fmt": true}, collect)
			if !strings.Contains(found.String(), c.want) {
				t.Errorf("want %q among:\n%s", c.want, found.String())
			}
		})
	}
}
