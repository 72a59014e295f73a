package pattern

import (
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

// parts makes a pattern of words: * is a star, <name> of a type a column, anything
// else a text.
func parts(words ...string) []Part {
	types := map[string]schema.Type{"<s>": schema.String, "<l>": schema.Long, "<i>": schema.Int, "<r>": schema.Real, "<b>": schema.Bool, "<t>": schema.DateTime, "<g>": schema.Guid, "<d>": schema.Dynamic}
	var out []Part
	for _, w := range words {
		switch t := types[w]; {
		case w == "*":
			out = append(out, Part{Star: true})
		case t != 0:
			out = append(out, Part{Type: t})
		default:
			out = append(out, Part{Text: w})
		}
	}
	return out
}

func TestParse(t *testing.T) {
	const no = "no match"
	for _, c := range []struct {
		kind, flags string
		pattern     []Part
		text, want  string
	}{
		{"simple", "", parts("a=", "<s>", ", b=", "<s>"), "a=1, b=xy", "1|xy"},
		{"simple", "", parts("a=", "<s>", ", b=", "<s>"), "nomatch", no},
		{"simple", "", parts("a", "<s>", "c", "*"), "aXcYc", "X"},
		{"simple", "", parts("a", "<s>", "c"), "aXcYc", "XcY"},
		{"simple", "", parts("a", "<s>", "b"), "abcbd", no},
		{"simple", "", parts("k=", "<s>", ","), "k=1,k=2,end", no},
		{"simple", "", parts("a", "<s>", "c"), "aXc\n", no},
		{"simple", "", parts("*", "x=", "<s>", ",", "*"), "y=1,x=2,x=9", "2"},
		{"simple", "", parts("*", "x=", "<s>", "<", "*"), "a\nx=2\n3<", "2\n3"},
		{"simple", "", parts("a.b", "<s>"), "axbZ", no},
		{"simple", "", parts("a=", "<s>"), "A=1", no},
		{"simple", "", parts("n=", "<l>", "*", "m=", "<l>"), "n=27 junk m=23", "27|23"},
		{"simple", "", parts("n=", "<l>", "*", "m=", "<l>"), "n=xx junk m=23", no},
		{"simple", "", parts("a=", "<l>", ",b=", "<s>", ",c=", "<l>", ",d=", "<s>"), "a=1,b=2,c=zz,d=4", no},
		{"relaxed", "", parts("a=", "<l>", ",b=", "<s>", ",c=", "<l>", ",d=", "<s>"), "a=1,b=2,c=zz,d=4", "1|2|zz|4"},
		{"relaxed", "", parts("p|", "<s>", "-q|", "<l>", "*"), "p|1-q|xx", "1|"},
		{"relaxed", "", parts("n=", "<l>", ",m=", "<l>"), "n=xx,m=23", "xx|23"},
		{"relaxed", "", parts("a", "<s>", "c"), "aXcYc", "XcY"},
		{"simple", "", parts("a=", "<l>", ",b=", "<s>"), "a=,b=2", no},
		{"simple", "", parts("a=", "<s>", ",b=", "<s>"), "a=,b=2", "|2"},
		{"simple", "", parts("q=", "<b>"), "q=12x", no},
		{"simple", "", parts("t=", "<t>", "|"), "t=02/17/2016 08:40:01|", "02/17/2016 08:40:01"},
		{"simple", "", parts("<s>", "###", "<s>"), "a###b###c", "a|b###c"},
		{"simple", "", parts("<<", "<s>", ">>=<<", "<s>", ">>"), "<<key>>=<<value>>", "key|value"},
		{"regex", "", parts("a", "<s>", "c", "*"), "aXcYc", "XcY"},
		{"regex", "U", parts("a", "<s>", "c", "*"), "aXcYc", "X"},
		{"regex", "", parts("a", "<s>", "b"), "abcbd", "bc"},
		{"regex", "", parts("k=", "<s>", ","), "k=1,k=2,end", "1,k=2"},
		{"regex", "", parts("a.b", "<s>"), "axbZ", "Z"},
		{"regex", "i", parts("a=", "<s>"), "A=5", "5"},
		{"regex", "s", parts("a=x.", "<s>"), "a=x\ny", "y"},
		{"regex", "m", parts("^a=", "<s>"), "x\na=1", "1"},
		{"regex", "U", parts("*", "x=", "<s>", ","), "y=1,x=2,x=9,", "9"},
		{"regex", "", parts("(foo)=", "<s>", ",", "(bar)=", "<s>"), "foo=9,bar=8", "9|8"},
		{"regex", "", parts("n=", "<l>"), "n=27x", "27"},
		{"simple", "", parts("n=", "<l>"), "n=27x", no},
		{"regex", "", parts("v=", "<b>", `\|Q`), "v=12|Q", no},
		{"regex", "", parts("v=", "<r>", `\|Q`), "v=.5|Q", no},
		{"regex", "", parts("v=", "<r>", `\|Q`), "v=1.5|Q", "1.5"},
		{"regex", "U", parts("v=", "<g>", `\|Q`), "v={74be27de-1e4e-49d9-b579-fe0b331d3642}|Q", "{74be27de-1e4e-49d9-b579-fe0b331d3642}"},
		{"regex", "", parts("<s>", `\d+`, "<s>"), "abc123def", "abc12|def"},
	} {
		p := &Parse{Kind: Kind(c.kind), Flags: c.flags, Parts: c.pattern}
		if _, err := p.Check(); err != nil {
			t.Errorf("%v: %v", p, err)
			continue
		}
		m, err := Compile(p)
		if err != nil {
			t.Errorf("%v: %v", p, err)
			continue
		}
		got := no
		if texts, ok := m.Match([]byte(c.text)); ok {
			var all []string
			for _, s := range texts {
				all = append(all, string(s))
			}
			got = strings.Join(all, "|")
		}
		if got != c.want {
			t.Errorf("%s %s %v on %q: %q, not %q", c.kind, c.flags, c.pattern, c.text, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, p := range []Parse{
		{Kind: Simple, Parts: parts("n=", "<s>", "*", "m=", "<s>")},
		{Kind: Simple, Parts: parts("n=", "<s>", "*")},
		{Kind: Simple, Parts: parts("a=", "<s>", "", "<s>")},
		{Kind: Simple, Parts: parts("<s>", "<s>")},
		{Kind: Simple, Parts: parts("*", "<s>")},
		{Kind: Simple, Parts: parts("a=", "<t>", "*", "b=", "<s>")},
		{Kind: Simple, Parts: parts("a=", "<d>")},
		{Kind: Simple, Flags: "i", Parts: parts("a=", "<s>")},
		{Kind: Regex, Flags: "x", Parts: parts("a=", "<s>")},
		{Kind: Regex, Parts: parts("a=", "<t>")},
		{Kind: Regex, Flags: "U", Parts: parts("a=", "<t>", ",")},
		{Kind: Regex, Parts: parts("(?=a)a=", "<s>")},
		{Kind: Regex, Parts: parts("a|b", "<s>")},
		{Kind: Regex, Parts: parts("(?i)a", "<s>")},
		{Kind: Regex, Parts: parts("(", "<s>")},
	} {
		if _, err := p.Check(); err == nil {
			t.Errorf("%v: no error", p)
		}
	}
}

func TestKV(t *testing.T) {
	for _, c := range []struct {
		kv   KV
		text string
		want []string
	}{
		{KV{Keys: []string{"Text", "ThreadId", "Machine"}, Pair: ",", Value: ":"}, "ThreadId:458745723, Machine:Node001, Text: The service is up, Level: Info", []string{"The service is up", "458745723", "Node001"}},
		{
			KV{Keys: []string{"event time", "src", "dst", "bytes", "failure"}, Pair: " ", Value: "=", Quotes: []string{`"`}},
			`src=10.1.1.123 dst=10.1.1.124 bytes=125 failure="connection aborted" "event time"=2021-01-01T10:00:54`,
			[]string{"2021-01-01T10:00:54", "10.1.1.123", "10.1.1.124", "125", "connection aborted"},
		},
		{
			KV{Keys: []string{"event time", "failure"}, Pair: " ", Value: "=", Quotes: []string{"()"}},
			`bytes=125 failure=(connection aborted) (event time)=(2021-01-01 10:00:54)`,
			[]string{"2021-01-01 10:00:54", "connection aborted"},
		},
		{
			KV{Keys: []string{"time", "failure"}, Pair: " ", Value: "=", Quotes: []string{`"`}, Escapes: []string{`\`}},
			`failure="the remote host sent \"bye!\"" time=2021`,
			[]string{"2021", `the remote host sent "bye!"`},
		},
		{KV{Keys: []string{"name", "phone", "city"}, Pair: " ", Value: "="}, "name=John Doe phone=555 5555 city=New York", []string{"John", "555", "New"}},
		{KV{Keys: []string{"name", "phone", "city"}, Pair: " ", Value: "=", Greedy: true}, "name=John Doe phone=555 5555 city=New York", []string{"John Doe", "555 5555", "New York"}},
		{KV{Keys: []string{"Text", "ThreadId", "Machine"}}, "2021-01-01T10:00:34 [INFO] ThreadId:458745723, Machine:Node001, Text: Started", []string{"Started", "458745723", "Node001"}},
		{KV{Keys: []string{"Text", "Machine"}, Quotes: []string{"'"}, Escapes: []string{`\`}}, `Machine:Node001, Text: 'The service \' is up'`, []string{"The service ' is up", "Node001"}},
		{
			KV{Keys: []string{"referer url", "advertiser id"}, Regex: `"([\w ]+)\s*:\s*([^"]*)"`},
			`["referer url: https://h/?dest=1", "advertiser id: 24fe"]`,
			[]string{"https://h/?dest=1", "24fe"},
		},
		{KV{Keys: []string{"k1", "k2", "k3"}, Pair: "][", Value: "="}, "[k1=v1][k2=v2]", []string{"", "v2]", ""}},
		{KV{Keys: []string{"key", "x"}, Pair: " ", Value: "="}, "  key  =  value  ", []string{"value", ""}},
		{KV{Keys: []string{"a"}, Pair: ";", Value: "="}, "a=1;a=2", []string{"1"}},
		{KV{Keys: []string{"a", "c"}, Pair: " ", Value: "="}, "a==b", []string{"=b", ""}},
	} {
		if err := c.kv.Check(); err != nil {
			t.Errorf("%v: %v", c.kv, err)
			continue
		}
		f, err := c.kv.Compile()
		if err != nil {
			t.Errorf("%v: %v", c.kv, err)
			continue
		}
		var got []string
		for _, v := range f.Find([]byte(c.text)) {
			got = append(got, string(v))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v on %q: %q, not %q", c.kv, c.text, got, c.want)
		}
	}
	for _, bad := range []KV{
		{Pair: ","},
		{Value: "="},
		{Pair: ",", Value: "=", Quotes: []string{"abc"}},
		{Pair: ",", Value: "=", Escapes: []string{""}},
		{Regex: "(a)"},
		{Regex: "(a)(b", Pair: ""},
		{Regex: "(a)(b)", Pair: ",", Value: "="},
		{Greedy: true},
	} {
		if bad.Check() == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// FuzzParse checks that looking for literals and the expression agree, and that no
// text makes a matcher or a finder panic.
func FuzzParse(f *testing.F) {
	f.Add("a=1,b=2;a=3", "a=", ",b=", ";")
	f.Add("  x  y ", " ", "y", "=")
	f.Fuzz(func(t *testing.T, text, a, b, c string) {
		if a == "" || b == "" || c == "" {
			return
		}
		for _, pattern := range [][]Part{parts("*", a, "<s>", b, "<s>"), parts("<s>", a, "<s>", b), parts(a, "<s>", c, "*")} {
			p := &Parse{Kind: Simple, Parts: pattern}
			if _, err := p.Check(); err != nil {
				continue
			}
			fast, err := Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			slow := &Matcher{pattern: p, types: fast.types, captures: make([][]byte, len(fast.types))}
			if slow.expression() != nil {
				continue // a text that is no UTF-8
			}
			x, ok := fast.Match([]byte(text))
			y, ok2 := slow.Match([]byte(text))
			if strings.ToValidUTF8(text, "") == text && (ok != ok2 || ok && !slices.EqualFunc(x, y, slices.Equal)) {
				t.Errorf("%v on %q: %q %v and %q %v", pattern, text, x, ok, y, ok2)
			}
		}
		for _, k := range []KV{{Keys: []string{a, b}, Pair: b, Value: c, Quotes: []string{`"`, "()"}, Escapes: []string{`\`}}, {Keys: []string{a}, Pair: b, Value: c, Greedy: true}, {Keys: []string{a, b}}} {
			if k.Check() != nil {
				continue
			}
			finder, err := k.Compile()
			if err != nil {
				t.Fatal(err)
			}
			finder.Find([]byte(text))
		}
	})
}
