package syntax

import "reflect"

// OperatorWord gives the word that an operator or a source begins with and its
// place, for messages; "" for what has none.
func OperatorWord(n Node) (string, Span) {
	start := n.Pos().Start
	word := func(w string) (string, Span) { return w, Span{start, start + len(w)} }
	switch n := n.(type) {
	case *Opaque:
		return n.Word, n.WordAt
	case *Join:
		return n.Word, n.WordAt
	case *ParseOp:
		return n.Word, n.WordAt
	case *MvExpand:
		return n.Word, n.WordAt
	case *MvApply:
		return n.Word, n.WordAt
	case *Where:
		return word(n.Word)
	case *Columns:
		return word(n.Word)
	case *Sort:
		return word(n.Word)
	case *Take:
		return word(n.Word)
	}
	if w, ok := operatorWords[reflect.TypeOf(n)]; ok {
		return word(w)
	}
	return "", n.Pos()
}

// operatorWords are the nodes that only one word begins.
var operatorWords = map[reflect.Type]string{
	reflect.TypeFor[*Summarize]():      "summarize",
	reflect.TypeFor[*Top]():            "top",
	reflect.TypeFor[*Count]():          "count",
	reflect.TypeFor[*Render]():         "render",
	reflect.TypeFor[*As]():             "as",
	reflect.TypeFor[*Union]():          "union",
	reflect.TypeFor[*RangeRows]():      "range",
	reflect.TypeFor[*Search]():         "search",
	reflect.TypeFor[*Find]():           "find",
	reflect.TypeFor[*ParseKV]():        "parse-kv",
	reflect.TypeFor[*MakeSeries]():     "make-series",
	reflect.TypeFor[*Evaluate]():       "evaluate",
	reflect.TypeFor[*Invoke]():         "invoke",
	reflect.TypeFor[*GetSchema]():      "getschema",
	reflect.TypeFor[*Consume]():        "consume",
	reflect.TypeFor[*AssertSchema]():   "assert-schema",
	reflect.TypeFor[*ExternalData]():   "externaldata",
	reflect.TypeFor[*Sample]():         "sample",
	reflect.TypeFor[*SampleDistinct](): "sample-distinct",
	reflect.TypeFor[*TopHitters]():     "top-hitters",
	reflect.TypeFor[*TopNested]():      "top-nested",
	reflect.TypeFor[*Partition]():      "partition",
	reflect.TypeFor[*Scan]():           "scan",
	reflect.TypeFor[*Reduce]():         "reduce",
	reflect.TypeFor[*Fork]():           "fork",
	reflect.TypeFor[*Facet]():          "facet",
	reflect.TypeFor[*Datatable]():      "datatable",
}
