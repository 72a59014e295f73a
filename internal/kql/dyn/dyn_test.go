package dyn

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) []byte {
	t.Helper()
	out, ok := Parse(nil, []byte(text))
	if !ok {
		t.Fatalf("%s is no JSON", text)
	}
	return out
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{` { "a" : 1 , "b":[ 1.0,2e0, -0.0 ,null, true ] } `, `{"a":1,"b":[1.0,2.0,-0.0,null,true]}`},
		{`{"a":1,"a":2,"\u0061":3,"b":4}`, `{"a":1,"b":4}`},
		{`"\u00e9\/\n\u0001\ud83d\ude00\ud83d"`, `"é/\n\u0001😀` + "\uFFFD" + `"`},
		{`12345678901234567890`, `1.2345678901234567E+19`},
		{`-9223372036854775808`, `-9223372036854775808`},
		{`1e400`, `"Infinity"`},
		{`0.0000001`, `1E-07`},
		{`[]`, `[]`},
		{`{}`, `{}`},
	} {
		if got := string(parse(t, c.in)); got != c.want {
			t.Errorf("%s is %s, not %s", c.in, got, c.want)
		}
	}
	for _, bad := range []string{"", " ", "{", "[1,]", "{a:1}", "01", "1.", "+1", "nul", `"a`, "\"a\nb\"", `"\x"`, `{"a"}`, "1 2", "[1 2]", strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2)} {
		if isValid([]byte(bad)) {
			t.Errorf("%.40q is taken for JSON", bad)
		}
	}
	var many strings.Builder
	many.WriteString(`{"k0":0`)
	for i := range 40 {
		many.WriteString(`,"k` + string(rune('a'+i%26)) + `":1`)
	}
	if got := length(parse(t, many.String()+"}")); got != 27 {
		t.Errorf("%d keys of 27", got)
	}
}

func TestParseOrString(t *testing.T) {
	for in, want := range map[string]string{"abc": `"abc"`, "null": "", "  ": "", `"x"`: `"x"`, "[1": `"[1"`, " 5 ": "5"} {
		if got := string(ParseOrString(nil, []byte(in))); got != want {
			t.Errorf("%q is %s, not %s", in, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	v := ` {"a": {"b": [10, {"c": "x\"y"}, null]}, "q\"": 1, "u\u0041": 2}`
	for path, want := range map[string]string{
		`["a","b",0]`: "10", `["a","b",-2,"c"]`: `"x\"y"`, `["a","b",2]`: "", `["a","b",3]`: "", `["a","b",-4]`: "", `["a","x"]`: "",
		`["a",0]`: "", `["a","b","c"]`: "", `["q\""]`: "1", `["uA"]`: "2",
	} {
		p, ok := ParsePath([]byte(path))
		if !ok || p.String() != path {
			t.Fatalf("path %s reads as %s", path, p)
		}
		if got := string(Find([]byte(v), p)); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
	}
	if _, ok := FindText([]byte("{bad"), nil); ok {
		t.Error("bad text is JSON")
	}
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		in       string
		kind     string
		long     any
		asInt    any
		real     any
		asBool   any
		printed  string
		sortedAs string
	}{
		{"2147483648", "long", int64(2147483648), int64(-2147483648), 2147483648.0, true, "2147483648", ""},
		{"1.9", "double", int64(1), int64(1), 1.9, true, "1.9", ""},
		{`"42"`, "string", int64(42), int64(42), 42.0, true, "42", ""},
		{`"3.14"`, "string", nil, nil, 3.14, nil, "3.14", ""},
		{`"0x10"`, "string", int64(16), int64(16), nil, true, "0x10", ""},
		{"true", "bool", int64(1), int64(1), 1.0, true, "true", ""},
		{"null", "null", nil, nil, nil, nil, "", ""},
		{"[1]", "array", nil, nil, nil, nil, "[1]", ""},
		{`{"b":1,"a":2}`, "dictionary", nil, nil, nil, nil, `{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{`"2147483648"`, "string", int64(2147483648), nil, 2147483648.0, true, "2147483648", ""},
	} {
		v := []byte(c.in)
		check := func(what string, got any, ok bool, want any) {
			if !ok {
				got = nil
			}
			if got != want {
				t.Errorf("%s of %s is %v, not %v", what, c.in, got, want)
			}
		}
		n, ok := ToLong(v)
		check("long", n, ok, c.long)
		n, ok = ToInt(v)
		check("int", n, ok, c.asInt)
		f, ok := ToReal(v)
		check("real", f, ok, c.real)
		b, ok := ToBool(v)
		check("bool", b, ok, c.asBool)
		check("type", TypeName(v), true, c.kind)
		check("text", string(Text(nil, v)), true, c.printed)
		if c.sortedAs != "" {
			check("sorted", string(SortedJSON(nil, v)), true, c.sortedAs)
		}
	}
}

func TestParseXML(t *testing.T) {
	for in, want := range map[string]string{
		`<e/>`:                             `{"e":null}`,
		`<e>text</e>`:                      `{"e":"text"}`,
		`<e name="value" />`:               `{"e":{"@name":"value"}}`,
		`<e name="value">text</e>`:         `{"e":{"@name":"value","#text":"text"}}`,
		`<e> <a>text</a> <b>text</b> </e>`: `{"e":{"a":"text","b":"text"}}`,
		`<e> <a>text</a> <a>text</a> </e>`: `{"e":{"a":["text","text"]}}`,
		`<e> text <a>text</a> </e>`:        `{"e":{"#text":"text","a":"text"}}`,
		`<?xml version="1.0"?><!-- c --><EventData><Data Name='A &amp; B'>1 &lt; 2</Data><Data Name="C"/></EventData>`: `{"EventData":{"Data":[{"@Name":"A & B","#text":"1 < 2"},{"@Name":"C"}]}}`,
		`<a><![CDATA[<x>]]></a>`: `{"a":"<x>"}`,
		`<a>`:                    "", `<a></b>`: "", `text`: "", `<a/><b/>`: "", ``: "", `<a>&nbsp;</a>`: "", `<!DOCTYPE a [<!ENTITY x "y">]><a/>`: "",
	} {
		got, ok := ParseXML(nil, []byte(in))
		if ok != (want != "") || string(got) != want {
			t.Errorf("%s is %s, not %s", in, got, want)
		}
	}
}

func TestTreePath(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":"b","c":123}`:                                `["['a']","['c']"]`,
		`{"prop1":[1,2,3,4],"prop2":"value2"}`:             `["['prop1']","['prop1'][0]","['prop2']"]`,
		`{"listProperty":[100,200,300,"abcde",{"x":"y"}]}`: `["['listProperty']","['listProperty'][0]","['listProperty'][0]['x']"]`,
	} {
		if got, _ := TreePath(nil, []byte(in)); string(got) != want {
			t.Errorf("%s has %s, not %s", in, got, want)
		}
	}
}

// FuzzParse compares with encoding/json: the same texts are JSON, and mean the same;
// what Parse gives stays as it is.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x\u0041",null,true,{}]}`, `"\ud83d\ude00"`, "[1e5,-0]", "{", `{"a":1,"a":2}`, `[" ]`, `"\\"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !bytes.Equal(text, bytes.ToValidUTF8(text, nil)) || bytes.IndexByte(text, '\f') >= 0 {
			return // texts of the engine are UTF-8
		}
		out, ok := Parse(nil, text)
		if ok != json.Valid(text) {
			t.Fatalf("%q: %v, encoding/json says %v", text, ok, !ok)
		}
		_, _ = ParseXML(nil, text)
		if !ok {
			return
		}
		again, ok := Parse(nil, out)
		if !ok || !bytes.Equal(again, out) {
			t.Fatalf("%q gives %q, that gives %q", text, out, again)
		}
		if repeated(text) {
			return
		}
		var x, y any
		if json.Unmarshal(text, &x) != nil || json.Unmarshal(out, &y) != nil {
			return // numbers beyond float64
		}
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("%q means %v, %q means %v", text, x, out, y)
		}
		useAll(t, out)
	})
}

// repeated tells whether a bag has a key twice: encoding/json takes the last.
func repeated(text []byte) bool {
	var walk func(v []byte) bool
	walk = func(v []byte) bool {
		seen := map[string]bool{}
		for it := Walk(v); it.Next(); {
			k := string(Unquote(nil, it.Key))
			if it.bag && seen[k] || walk(it.Value) {
				return true
			}
			seen[k] = true
		}
		return false
	}
	return walk(text)
}

// useAll calls the functions on any value: none may panic, and what they make is in
// the package's form.
func useAll(t *testing.T, v []byte) {
	items := Elements(nil, v)
	out := [][]byte{
		Slice(nil, items, 1, -2), Split(nil, items, []int64{-1, 2}), Rotate(nil, items, 3), Shift(nil, items, -2, nil), Zip(nil, [][]byte{v, v}),
		Iff(nil, items, v, nil), SortedJSON(nil, v), RemoveKeys(nil, v, []Path{{Member("a")}}), Reverse(nil, items),
	}
	add := func(b []byte, ok bool) {
		if ok {
			out = append(out, b)
		}
	}
	add(Concat(nil, [][]byte{v, v}))
	add(Union(nil, [][]byte{v, v}))
	add(Keys(nil, v))
	add(Merge(nil, [][]byte{v, v}))
	add(SetKey(nil, v, Path{Member("x"), Member("y")}, v))
	add(ZipBag(nil, v, v))
	add(TreePath(nil, v))
	add(Sort(nil, v, true, true))
	for _, b := range out {
		if again, ok := Parse(nil, b); !ok || !bytes.Equal(again, b) {
			t.Fatalf("of %s: %s is not in form (%s)", v, b, again)
		}
	}
	if !Equal(v, v) {
		t.Fatalf("%s is not equal to itself", v)
	}
	lines, ok := Expand(nil, v, false)
	if k := KindOf(v); (k == Array || k == Bag) && ok && bytes.Count(lines, []byte("\n"))+1 != length(v) {
		t.Fatalf("%s expands to %q", v, lines)
	}
}

func TestRanges(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{string(RangeLong(nil, 1, 8, 3)), "[1,4,7]"},
		{string(RangeLong(nil, 5, 1, -2)), "[5,3,1]"},
		{string(RangeLong(nil, math.MaxInt64-1, math.MaxInt64, 1)), "[9223372036854775806,9223372036854775807]"},
		{string(RangeReal(nil, 1, 2, 0.5)), "[1.0,1.5,2.0]"},
		{string(RangeTicks(nil, 36e9, 72e9, 36e9, AppendSpan)), `["01:00:00","02:00:00"]`},
	} {
		if c.got != c.want {
			t.Errorf("%s, not %s", c.got, c.want)
		}
	}
	if n := length(RangeLong(nil, 1, 1e9, 1)); n != MaxElements {
		t.Errorf("a range has %d elements", n)
	}
	if _, err := Repeat(nil, []byte("1"), MaxElements+1); err == nil {
		t.Error("repeat has no bound")
	}
}

func TestParseLiteral(t *testing.T) {
	for in, want := range map[string]string{
		`{'a': 1, "b": [2.50, 'x"y', null, true]}`:                                               `{"a":1,"b":[2.5,"x\"y",null,true]}`,
		`["some string value", datetime("01-01-2022"), null]`:                                    `["some string value","2022-01-01T00:00:00.0000000Z",null]`,
		`[dynamic({"a":1}), time(1d), guid(0123456789abcdef0123456789abcdef), real(1), long(2)]`: `[{"a":1},"1.00:00:00","01234567-89ab-cdef-0123-456789abcdef",1.0,2]`,
		` null `: "", `4`: "4", `"s"`: `"s"`, `[]`: "[]", "[1, // one\n2]": "[1,2]", `0x10`: "16", `'\u0041\\'`: `"A\\"`, `@'a\b'`: `"a\\b"`,
	} {
		got, err := ParseLiteral(in)
		if err != nil || string(got) != want {
			t.Errorf("%s is %s (%v), not %s", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "{a:1}", "[1", "abc", "[1,]", "{'a' 1}", "1 2", "f(1)", `"x`, "--1", "dynamic(1", "-"} {
		if got, err := ParseLiteral(bad); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

// FuzzParseLiteral: no text may panic, and what is read is in form.
func FuzzParseLiteral(f *testing.F) {
	for _, s := range []string{`{'a':1}`, `[datetime(2020), dynamic(null)]`, `'\`, `@"`, "-", "h'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := ParseLiteral(text)
		if err != nil || len(out) == 0 || text != strings.ToValidUTF8(text, "") {
			return
		}
		if again, ok := Parse(nil, out); !ok || !bytes.Equal(again, out) {
			t.Fatalf("%q gives %q, that gives %q", text, out, again)
		}
	})
}

func TestManyNames(t *testing.T) {
	var xml, bag strings.Builder
	xml.WriteString("<e>")
	bag.WriteString(`{"n":0`)
	for i := range 60_000 {
		name := "a" + string(AppendLong(nil, int64(i)))
		xml.WriteString("<" + name + "/>")
		bag.WriteString(`,"` + name + `":1`)
	}
	xml.WriteString("</e>")
	bag.WriteString("}")
	v, ok := ParseXML(nil, []byte(xml.String()))
	if inner := Find(v, Path{Member("e")}); !ok || length(inner) != 60_000 {
		t.Errorf("%d elements", length(inner))
	}
	same := parse(t, bag.String())
	if other := append([]byte("{"), bytes.TrimPrefix(same, []byte(`{"n":0,`))...); !Equal(same, append(bytes.TrimSuffix(other, []byte("}")), `,"n":0}`...)) {
		t.Error("bags differ by the order of their keys")
	}
}
