package evidence

import (
	"fmt"
	"strings"
	"testing"
)

// chainOf seals entries one after the other.
func chainOf(t testing.TB, entries ...Entry) []Stored {
	t.Helper()
	var all []Stored
	var prev Head
	for i := range entries {
		e := entries[i]
		body, head, err := Seal(&e, prev)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Stored{N: e.N, Body: body, Head: head})
		prev = head
	}
	return all
}

func play(all []Stored) (c Chain, wrong []string) {
	for _, s := range all {
		_, w := c.Add(s)
		wrong = append(wrong, w...)
	}
	return c, wrong
}

func file(name string, rows int64) File {
	return File{Path: "windows_events/data/d20261125/" + name, SHA256: strings.Repeat("ab", 32), Rows: rows}
}

func TestChain(t *testing.T) {
	a, b, merged := file("a", 3), file("b", 4), file("m", 7)
	all := chainOf(t,
		Entry{N: 1, Chain: "one", Kind: Begin},
		Entry{N: 2, Chain: "one", Kind: Part, Added: []File{a}},
		Entry{N: 3, Chain: "one", Kind: Part, Added: []File{b}},
		Entry{N: 4, Chain: "one", Kind: "compact", Added: []File{merged}, Removed: []Removed{{a.Path, 3}, {b.Path, 4}}},
	)
	restored := Entry{N: 5, Chain: "two", Kind: Begin, Former: &Former{4, all[3].Head.String()}, Added: []File{{Path: merged.Path, SHA256: merged.SHA256, Rows: 7}}}
	all = append(all, chainOf(t, restored)...)
	c, wrong := play(all)
	if len(wrong) > 0 || c.N != 5 || c.ID != "two" || len(c.Files) != 1 || c.Files[merged.Path] == nil || c.Gone[a.Path] != 4 || c.Entries != 5 {
		t.Errorf("%v: %+v", wrong, c)
	}
	for n, head := range map[int64]Head{1: all[0].Head, 4: all[3].Head} {
		if same, known := c.Knows(n, head); !same || !known {
			t.Errorf("head %d isn't known", n)
		}
		if same, known := c.Knows(n+1, head); same || !known {
			t.Errorf("head %d is known as that of %d", n, n+1)
		}
	}
	if same, known := c.Knows(9, all[0].Head); same || !known {
		t.Error("a head behind the end")
	}
	// A chain may begin late: what was before it can't be told.
	late, wrong := play(all[4:])
	if _, known := late.Knows(3, all[0].Head); known || len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
}

func TestChainNamesWhatIsWrong(t *testing.T) {
	a := file("a", 3)
	entries := []Entry{
		{N: 1, Chain: "one", Kind: Begin},
		{N: 2, Chain: "one", Kind: Part, Added: []File{a}},
		{N: 3, Chain: "one", Kind: "delete", Removed: []Removed{{a.Path, 3}}},
	}
	for name, c := range map[string]struct {
		change func(all []Stored) []Stored
		want   string
	}{
		"body": {func(all []Stored) []Stored {
			all[1].Body = []byte(strings.Replace(string(all[1].Body), `"rows":3`, `"rows":4`, 1))
			return all
		}, "entry 2 of the chain: it was changed"},
		"head":      {func(all []Stored) []Stored { all[1].Head[0] ^= 1; return all }, "entry 2 of the chain: it was changed"},
		"garbage":   {func(all []Stored) []Stored { all[1].Body = []byte("{"); return all }, "entry 2 of the chain: it can't be read"},
		"missing":   {func(all []Stored) []Stored { return append(all[:1], all[2]) }, "entry 3 of the chain: entry 2 before it is missing"},
		"order":     {func(all []Stored) []Stored { all[1], all[2] = all[2], all[1]; return all }, "out of order"},
		"beginning": {func(all []Stored) []Stored { return all[1:] }, "entry 2 of the chain: what was before it is missing"},
		"number":    {func(all []Stored) []Stored { all[2].N = 4; return all }, "it says that it is entry 3"},
		"twice": {func([]Stored) []Stored {
			return chainOf(t, entries[0], entries[1], Entry{N: 3, Kind: Part, Added: []File{a}})
		}, "which is in already"},
		"taken": {func([]Stored) []Stored {
			return chainOf(t, entries[0], Entry{N: 2, Kind: "expire", Removed: []Removed{{a.Path, 3}}})
		}, "which no entry brought in"},
		"rows": {func([]Stored) []Stored {
			return chainOf(t, entries[0], entries[1], Entry{N: 3, Kind: "delete", Removed: []Removed{{a.Path, 2}}})
		}, "with 2 rows, which has 3"},
		"another": {func(all []Stored) []Stored {
			return append(all, chainOf(t, Entry{N: 4, Kind: Begin, Former: &Former{3, all[1].Head.String()}})...)
		}, "doesn't go on from entry 3"},
	} {
		if _, wrong := play(c.change(chainOf(t, entries...))); !strings.Contains(strings.Join(wrong, "\n"), c.want) {
			t.Errorf("%s: %q", name, wrong)
		}
	}
	if _, wrong := play(chainOf(t, entries...)); len(wrong) > 0 {
		t.Errorf("nothing was changed: %q", wrong)
	}
}

func TestDescribe(t *testing.T) {
	g := Group{Rows: 12, Spans: []Span{{3, 1, 8, 8}, {OtherSources, 5, 90, 4}}}
	if got := g.Describe(2); got != "row group 2 (12 rows: source 3 _Seq 1 to 8, other sources _Seq 5 to 90)" {
		t.Error(got)
	}
	for range 20 {
		g.Spans = append(g.Spans, Span{1, 1, 1, 1})
	}
	if got := g.Describe(1); !strings.HasSuffix(got, ", and 14 more sources)") {
		t.Error(got)
	}
	for path, want := range map[string]string{
		"t/data/d20261125/a": "2026-11-25", "t/data/m202611/a": "2026-11", "t/data/x/a": "", "t/data/d2026112x/a": "",
	} {
		if got := Day(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestKept(t *testing.T) {
	k := Kept{N: 7, Head: Head{1, 2}, Chain: "one", When: "2026-11-25T17:00:00Z"}
	all, err := ReadKept(strings.NewReader("# heads\n\n" + k.Line() + "8 " + Head{3}.String() + "\n"))
	if err != nil || len(all) != 2 || all[0] != k || all[1] != (Kept{N: 8, Head: Head{3}}) {
		t.Errorf("%+v, %v", all, err)
	}
	for _, text := range []string{"7", "x " + k.Head.String(), "7 abcd", "7 " + strings.Repeat("g", 64)} {
		if _, err := ReadKept(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzChain holds that bodies of any form are judged, never a panic.
func FuzzChain(f *testing.F) {
	for _, s := range chainOf(f, Entry{N: 1, Chain: "one", Kind: Begin, Added: []File{file("a", 3)}}, Entry{N: 2, Kind: "expire", Removed: []Removed{{"ledger/x", 1}}}) {
		f.Add(string(s.Body), string(s.Body))
	}
	f.Add(`{"n":1,"kind":"begin","former":{}}`, `{"n":-1,"added":[{"path":"`+fmt.Sprint(1)+`"}]}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		var c Chain
		_, first := c.Add(Stored{N: 1, Body: []byte(a)})
		_, second := c.Add(Stored{N: 2, Body: []byte(b)})
		if len(first)+len(second) == 0 {
			t.Errorf("heads of zeros fit %q and %q", a, b)
		}
	})
}
