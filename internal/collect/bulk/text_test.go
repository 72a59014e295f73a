package bulk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

const w3cHead = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2026-01-01 00:00:00\r\n#Fields: date time s-ip cs-method cs-uri-stem sc-status\r\n"

func w3cLine(n int) string {
	return fmt.Sprintf("2026-01-01 00:%02d:%02d 10.0.0.1 GET /page%d 200\r\n", n/60%60, n%60, n)
}

// w3cLog has the lines from lo to hi, each one letter of a test's states.
func w3cLog(letters string) []byte {
	var b strings.Builder
	b.WriteString(w3cHead)
	for _, c := range letters {
		b.WriteString(w3cLine(int(c)))
	}
	return []byte(b.String())
}

// TestStatesOfOneTextLog imports states of one log one after the other.
func TestStatesOfOneTextLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		states []string
		stored []int64
	}{
		{"copied", []string{"abc", "abc"}, []int64{3, 0}},
		{"grown", []string{"abc", "abcd", "abcdef", "abcdef"}, []int64{3, 1, 2, 0}},
		{"an early state after the grown one", []string{"ab", "abcd", "ab", "abcd"}, []int64{2, 2, 0, 0}},
		{"diverging", []string{"abcd", "abxy", "abxy", "abcd"}, []int64{4, 4, 0, 0}},
		{"other first line", []string{"abc", "xbc"}, []int64{3, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newTestLake(t)
			var once []string
			for i, state := range c.states {
				path := write(t, "u_ex.log", w3cLog(state))
				once = append(once, path)
				if s := l.load(Config{}, path); s.Stored != c.stored[i] || s.Read != int64(len(state)) {
					t.Errorf("state %d %s: stored %d, want %d; read %d", i, state, s.Stored, c.stored[i], s.Read)
				}
			}
			all := newTestLake(t)
			for i, f := range all.load(Config{}, once...).PerFile {
				if f.Stored != c.stored[i] {
					t.Errorf("in one import, state %d %s: stored %d, want %d", i, c.states[i], f.Stored, c.stored[i])
				}
			}
		})
	}
}

func TestALineThatWasCutOffIsReadAgainWhenItIsWhole(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	whole := string(w3cLog("abc"))
	cut := whole[:len(whole)-8] // "…/page99"
	for i, c := range []struct {
		text                      string
		read, stored, part, total int64
	}{
		{cut, 3, 3, 1, 3},
		{cut, 3, 0, 0, 3},
		{whole, 3, 1, 0, 4},
		{strings.TrimSuffix(whole, "\r\n"), 3, 1, 0, 5}, // no known state: stored again from the last one on
		{whole, 3, 0, 0, 5},
	} {
		s := l.load(Config{}, write(t, "u_ex.log", []byte(c.text)))
		if s.Read != c.read || s.Stored != c.stored || s.Partial != c.part || l.count() != c.total {
			t.Errorf("%d: %+v, %d rows; want %+v", i, s.Counts, l.count(), c)
		}
	}
	l = newTestLake(t)
	l.load(Config{}, write(t, "u_ex.log", []byte(strings.TrimSuffix(whole, "\r\n"))))
	if s := l.load(Config{}, write(t, "u_ex.log", []byte(whole))); s.Stored != 0 {
		t.Errorf("a line break stored %d rows", s.Stored)
	}
}

// TestBlocksKnowTheDirectives reads a log of many blocks whose #Fields change.
func TestBlocksKnowTheDirectives(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("\xef\xbb\xbf" + w3cHead)
	n := 0
	for part := range 8 {
		if part%2 == 1 {
			b.WriteString("#Fields: date time cs-uri-stem sc-status\r\n")
		}
		for range 3000 {
			n++
			if part%2 == 1 {
				fmt.Fprintf(&b, "2026-01-01 00:00:00 /page%d 404\r\n", n)
			} else {
				b.WriteString(w3cLine(n))
			}
		}
		if part%2 == 1 {
			b.WriteString("\r\n" + w3cHead)
		}
	}
	l := newTestLake(t)
	s := l.load(Config{Workers: 3}, write(t, "u_ex.log", []byte(b.String())))
	if s.Stored != int64(n) || s.Partial != 0 || s.Read != int64(n) {
		t.Fatalf("%+v, want %d rows: %v", s.Counts, n, s.PerFile[0].Findings)
	}
	stems, status := l.values(schema.W3CIIS, "csUriStem"), l.values(schema.W3CIIS, "scStatus")
	for i := range n {
		want := "200"
		if i/3000%2 == 1 {
			want = "404"
		}
		if stems[i] != fmt.Sprintf("/page%d", i+1) || status[i] != want {
			t.Fatalf("row %d: %s %s", i, stems[i], status[i])
		}
	}
}

func TestALineThatDoesNotFitIsKeptAndNamed(t *testing.T) {
	t.Parallel()
	text := w3cHead + w3cLine(1) + "2026-01-01 00:00:02 10.0.0.1 GET\r\n" + w3cLine(3) + strings.Repeat("x", 3*maxLine) + "\r\n" + w3cLine(4)
	l := newTestLake(t)
	s := l.load(Config{}, write(t, "u_ex.log", []byte(text)))
	if s.Damaged != 0 || s.Partial < 2 || s.Stored != 3+s.Partial || !strings.HasPrefix(s.PerFile[0].Findings[0], "line 6: ") {
		t.Errorf("%+v %q", s.Counts, s.PerFile[0].Findings)
	}
	if got := l.values(schema.W3CIIS, "_Raw"); got[0] != "-" || got[1] != "2026-01-01 00:00:02 10.0.0.1 GET" || got[2] != "-" {
		t.Errorf("_Raw %.200q", got)
	}
	if again := l.load(Config{}, write(t, "u_ex.log", []byte(text))); again.Stored != 0 || again.Read != s.Read {
		t.Errorf("again: %+v", again.Counts)
	}
}

func TestZone(t *testing.T) {
	t.Parallel()
	path := write(t, "u_ex.log", w3cLog("a"))
	utc, east := newTestLake(t), newTestLake(t)
	utc.load(Config{}, path)
	east.load(Config{Zone: time.FixedZone("+02:00", 7200)}, path)
	if a, b := utc.values(schema.W3CIIS, "TimeGenerated")[0], east.values(schema.W3CIIS, "TimeGenerated")[0]; a == b {
		t.Errorf("both zones give %s", a)
	}
	if got := east.values(schema.W3CIIS, "_UtcOffset")[0]; got != "7200" {
		t.Errorf("_UtcOffset %s", got)
	}
}

func TestALogWithoutLines(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	if s := l.load(Config{}, write(t, "u_ex.log", []byte(w3cHead))); s.Files != 1 || s.Read != 0 || s.Skipped != 0 {
		t.Errorf("%+v", s)
	}
}
