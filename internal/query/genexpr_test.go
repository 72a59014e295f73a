//go:build cgo

package query

import (
	"fmt"
	"strings"
)

// expr makes an expression of a type, over the columns of a relation.
func (g *generator) expr(rel *grel, typ string, depth int) string {
	if depth == 0 || g.r.IntN(5) == 0 {
		if g.r.IntN(4) == 0 {
			return pickOf(g, interesting[typ])
		}
		return g.column(rel, typ)
	}
	e := func(t string) string { return g.expr(rel, t, depth-1) }
	if g.r.IntN(8) == 0 {
		return g.choice(typ, e)
	}
	switch typ {
	case "bool":
		return g.boolExpr(rel, depth, e)
	case "int":
		return g.intExpr(e)
	case "long":
		return g.longExpr(e)
	case "real":
		return g.realExpr(e)
	case "string":
		return g.stringExpr(e)
	case "datetime":
		return g.timeExpr(e)
	default:
		return g.spanExpr(e)
	}
}

func (g *generator) choice(typ string, e func(string) string) string {
	switch g.r.IntN(3) {
	case 0:
		return "iff(" + e("bool") + ", " + e(typ) + ", " + e(typ) + ")"
	case 1:
		return "case(" + e("bool") + ", " + e(typ) + ", " + e("bool") + ", " + e(typ) + ", " + e(typ) + ")"
	}
	return "coalesce(" + e(typ) + ", " + e(typ) + ")"
}

func (g *generator) boolExpr(rel *grel, depth int, e func(string) string) string {
	switch g.r.IntN(9) {
	case 0:
		return "(" + e("bool") + g.one(" and ", " or ") + e("bool") + ")"
	case 1:
		return "not(" + e("bool") + ")"
	case 2:
		t := g.one("int", "long", "real", "datetime", "timespan")
		return "(" + e(t) + g.one(" < ", " <= ", " > ", " >= ") + e(t) + ")"
	case 3:
		t := g.one("int", "long", "real", "string", "datetime", "timespan", "bool")
		return "(" + e(t) + g.one(" == ", " != ") + e(t) + ")"
	case 4:
		t := g.one("int", "long", "string", "datetime")
		items := []string{g.literal(t), g.literal(t), g.literal(t)}
		return "(" + e(t) + g.one(" in ", " !in ") + "(" + strings.Join(items[:1+g.r.IntN(3)], ", ") + "))"
	case 5:
		return g.one("isnull", "isnotnull") + "(" + e(pickOf(g, gtypes)) + ")"
	case 6:
		return g.one("isempty", "isnotempty") + "(" + e("string") + ")"
	case 7:
		t := g.one("int", "long", "real", "datetime")
		return "(" + e(t) + g.one(" between ", " !between ") + "(" + g.literal(t) + " .. " + g.literal(t) + "))"
	default:
		return g.search(e)
	}
}

// literal gives one that is not null.
func (g *generator) literal(typ string) string {
	for {
		if s := pickOf(g, interesting[typ]); !strings.Contains(s, "null") {
			return s
		}
	}
}

func (g *generator) search(e func(string) string) string {
	needle := g.one(`"a"`, `"foo"`, `"FOO"`, `"bar"`, `"_"`, `"."`, `"b"`, `"é"`, `"É"`, `"a-b"`, `"-"`, `"Foo."`, `".bar"`, `"12"`, `""`, `"SS"`, `"日本"`, `"Ω"`)
	switch g.r.IntN(6) {
	case 0:
		return "(" + e("string") + g.one(" has_any ", " has_all ") + "(" + needle + ", " + g.one(`"x"`, `"foo"`, `"a"`) + "))"
	case 1:
		return "(" + e("string") + g.one(" =~ ", " !~ ") + e("string") + ")"
	case 2:
		return "(" + e("string") + g.one(" in~ ", " !in~ ") + "(" + needle + `, "ABC"))`
	case 3:
		return "(" + e("string") + " matches regex " + g.one(`@"^\w+$"`, `@"[a-c]+"`, `@"\d"`, `@"(?i)FOO"`, `@"\s"`, `@"^$"`, `@"o\b"`) + ")"
	}
	op := g.one("has", "has_cs", "hasprefix", "hassuffix", "hasprefix_cs", "hassuffix_cs", "contains", "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs")
	if g.r.IntN(3) == 0 {
		op = "!" + op
	}
	if g.r.IntN(5) == 0 {
		needle = e("string")
	}
	return "(" + e("string") + " " + op + " " + needle + ")"
}

func (g *generator) intExpr(e func(string) string) string {
	switch g.r.IntN(4) {
	case 0:
		return "toint(" + e(g.one("long", "string", "bool", "int", "real")) + ")"
	case 1:
		return "toint(bin(" + e("int") + ", " + g.one("int(5)", "int(1)") + "))"
	default:
		return "dayofmonth(" + e("datetime") + ")"
	}
}

func (g *generator) longExpr(e func(string) string) string {
	switch g.r.IntN(9) {
	case 0, 1:
		return "(" + e(g.one("int", "long")) + g.one(" + ", " - ", " * ", " / ", " % ") + e(g.one("int", "long")) + ")"
	case 2:
		return "strlen(" + e("string") + ")"
	case 3:
		return "tolong(" + e(g.one("int", "string", "bool", "real", "long")) + ")"
	case 4:
		return "bin(" + e("long") + ", " + g.one("5", "10", "3000000000") + ")"
	case 5:
		return "abs(" + e("long") + ")"
	case 6:
		return "indexof(" + e("string") + ", " + e("string") + ")"
	case 7:
		return g.one("min_of", "max_of") + "(" + e("long") + ", " + e("long") + ")"
	default:
		return "(-(" + e("long") + "))"
	}
}

func (g *generator) realExpr(e func(string) string) string {
	switch g.r.IntN(8) {
	case 0, 1:
		return "(" + e("real") + g.one(" + ", " - ", " * ", " / ", " % ") + e(g.one("real", "int")) + ")"
	case 2:
		return "toreal(" + e(g.one("int", "string", "real", "bool")) + ")"
	case 3:
		return "bin(" + e("real") + ", " + g.one("0.5", "1.0", "4.0") + ")"
	case 4:
		return "round(" + e("real") + g.one("", ", 1", ", 0") + ")"
	case 5:
		return g.one("abs", "ceiling", "sign", "sqrt") + "(" + e("real") + ")"
	case 6: // of numbers whose logarithms are exact: libraries differ in the last digit
		return g.one("log", "log10", "log2") + "(" + g.one("0.0", "1.0", "-1.0", "real(nan)", "real(+inf)", "real(null)") + ")"
	default:
		return "(" + e("timespan") + " / " + e("timespan") + ")"
	}
}

func (g *generator) stringExpr(e func(string) string) string {
	switch g.r.IntN(11) {
	case 0:
		return "strcat(" + e("string") + ", " + e(g.one("string", "int", "bool", "real", "datetime", "timespan")) + ")"
	case 1:
		return g.one("tolower", "toupper", "reverse") + "(" + e("string") + ")"
	case 2:
		return "substring(" + e("string") + ", " + fmt.Sprint(g.r.IntN(7)-3) + ")"
	case 3:
		return "substring(" + e("string") + ", " + fmt.Sprint(g.r.IntN(7)-3) + ", " + fmt.Sprint(g.r.IntN(5)-1) + ")"
	case 4, 5:
		return "tostring(" + e(pickOf(g, gtypes)) + ")"
	case 6:
		return "extract(" + g.one(`@"(\w+)", 1`, `@"([a-z])(\w)", 2`, `@"\d+", 0`, `@"o(b?)", 1`) + ", " + e("string") + ")"
	case 9:
		return "tostring(split(" + e("string") + ", " + g.one(`" "`, `"o"`, `"-"`, `"é"`) + ")[" + fmt.Sprint(g.r.IntN(5)-2) + "])"
	case 10:
		if g.r.IntN(2) == 0 {
			return g.one("trim", "trim_start", "trim_end") + "(" + g.one(`@"\s+"`, `"a"`, `@"[-_]"`) + ", " + e("string") + ")"
		}
		return "replace_regex(" + e("string") + ", " + g.one(`@"(o+)"`, `@"(^)"`, `@"(\w)"`, `@"(a)(b?)"`) + ", " + g.one(`@"<\1>"`, `"$1"`, `""`, `@"x\0"`) + ")"
	case 7:
		return "replace_string(" + e("string") + ", " + g.one(`"a"`, `"oo"`, `"_"`, `"é"`) + ", " + g.one(`""`, `"xx"`, `"a"`) + ")"
	default:
		return "strcat_delim(" + g.one(`"-"`, `""`) + ", " + e("string") + ", " + e("string") + ")"
	}
}

func (g *generator) timeExpr(e func(string) string) string {
	switch g.r.IntN(5) {
	case 0:
		return "(" + e("datetime") + g.one(" + ", " - ") + e("timespan") + ")"
	case 1:
		return "bin(" + e("datetime") + ", " + g.one("1h", "1d", "7d", "90m", "1s", "1tick") + ")"
	case 2:
		return g.one("startofday", "startofweek", "startofmonth", "startofyear", "endofday", "endofmonth", "endofyear", "endofweek") + "(" + e("datetime") + ")"
	case 3:
		return g.one("min_of", "max_of") + "(" + e("datetime") + ", " + e("datetime") + ")"
	default:
		return "todatetime(tostring(" + e("datetime") + "))"
	}
}

func (g *generator) spanExpr(e func(string) string) string {
	switch g.r.IntN(5) {
	case 0:
		return "(" + e("datetime") + " - " + e("datetime") + ")"
	case 1:
		return "(" + e("timespan") + g.one(" + ", " - ") + e("timespan") + ")"
	case 2:
		return "bin(" + e("timespan") + ", " + g.one("1h", "1d", "1s") + ")"
	case 3:
		return "dayofweek(" + e("datetime") + ")"
	default:
		return "(" + e("timespan") + g.one(" * ", " / ") + e(g.one("int", "real")) + ")"
	}
}
