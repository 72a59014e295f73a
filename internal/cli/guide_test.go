package cli

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/complete"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestGuideNamesTheFunctions compares the guide's tables with what is there.
func TestGuideNamesTheFunctions(t *testing.T) {
	text, err := os.ReadFile("../../docs/guide/kql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Functions\n")
	section, _, ends := strings.Cut(section, "\n## ")
	if !found || !ends {
		t.Fatal("the guide has no section of functions")
	}
	var named []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") {
			for _, m := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(line, -1) {
				named = append(named, m[1])
			}
		}
	}
	// These are bound where they stand, not from the catalogue.
	known := []string{"column_ifexists", "columnifexists", "series_stats"}
	for _, question := range []string{"SecurityEvent | summarize ", "SecurityEvent | serialize x = ", "SecurityEvent | extend x = "} {
		for _, c := range query.Complete(question, len(question), schema.Builtin()) {
			if c.Kind == complete.Function || c.Kind == complete.Aggregate {
				known = append(known, strings.TrimRight(c.Text, "()"))
			}
		}
	}
	for _, name := range known {
		if !slices.Contains(named, name) {
			t.Errorf("docs/guide/kql.md doesn't name %s", name)
		}
	}
	for i, name := range named {
		if !slices.Contains(known, name) {
			t.Errorf("docs/guide/kql.md names %s, which is not there", name)
		}
		if slices.Index(named, name) != i {
			t.Errorf("docs/guide/kql.md names %s twice", name)
		}
	}
}
