package syntax

import "slices"

// operatorNames are all of KQL's operators, to tell what is unknown from what
// doesn't run.
var operatorNames = []string{
	"as", "assert-schema", "consume", "count", "distinct", "evaluate", "execute-and-cache", "extend", "facet", "filter", "find", "fork", "getschema",
	"graph-mark-components", "graph-match", "graph-merge", "graph-shortest-paths", "graph-to-table", "graph-where-edges", "graph-where-nodes", "invoke", "join", "limit",
	"lookup", "macro-expand", "make-graph", "make-series", "mv-apply", "mv-expand", "mvapply", "mvexpand", "order", "parse", "parse-kv", "parse-where", "partition",
	"project", "project-away", "project-by-names", "project-keep", "project-rename", "project-reorder", "reduce", "render", "sample",
	"sample-distinct", "scan", "search", "serialize", "sort", "summarize", "take", "top", "top-hitters", "top-nested", "union", "where",
}

// Operators gives the names of all operators of the language, sorted.
func Operators() []string { return slices.Clone(operatorNames) }

// Nearest gives the candidate most like name, "" when none is near: for "did you
// mean". Case counts little, since a wrong case is the usual mistake.
func Nearest(name string, candidates []string) string {
	best, bestCost := "", 2*(1+len(name)/3)+1
	for _, c := range candidates {
		if cost := Distance(name, c, bestCost); cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// Distance is the Levenshtein distance in half steps: a change of case costs 1,
// any other edit 2. It stops above limit.
func Distance(a, b string, limit int) int {
	const longest = 64
	if len(a) > longest || len(b) > longest || 2*max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = 2 * j
	}
	for i := range len(a) {
		cur := make([]int, len(b)+1)
		cur[0] = 2 * (i + 1)
		for j := range len(b) {
			cost := 2
			if a[i] == b[j] {
				cost = 0
			} else if a[i]|0x20 == b[j]|0x20 {
				cost = 1
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+2, cur[j]+2)
		}
		prev = cur
	}
	return prev[len(b)]
}
