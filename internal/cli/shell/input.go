package shell

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// input is the lines of a question that is being typed.
type input struct {
	lines  []string
	blanks int // empty lines at the end
}

func (in *input) text() string { return strings.Join(in.lines, "\n") }

func (in *input) empty() bool { return len(in.lines) == 0 }

func (in *input) clear() { *in = input{} }

// add takes a line and tells whether the question is whole. pasted tells that the
// line was not typed.
func (in *input) add(line string, pasted bool) (whole bool) {
	line = strings.TrimRight(line, " \t\r")
	if line == "" {
		switch {
		case in.empty():
			return false
		case pasted:
			in.lines = append(in.lines, "")
			return false
		}
		in.blanks++
		// A second empty line ends what can't be whole, too: its errors say why.
		return in.blanks > 1 || in.complete()
	}
	in.blanks = 0
	in.lines = append(in.lines, line)
	return strings.HasSuffix(line, ";") && in.complete()
}

// complete tells whether the text may be a whole question: no bracket is open, and
// it doesn't end in a statement that only prepares one.
func (in *input) complete() bool {
	text := in.text()
	if scan(text).open() {
		return false
	}
	q, found := syntax.Parse(text)
	if n := len(q.Statements); n > 0 {
		if _, asks := q.Statements[n-1].(*syntax.Run); asks {
			return true
		}
		_, opaque := q.Statements[n-1].(*syntax.OpaqueStatement)
		return opaque
	}
	return len(found) > 0
}

// scanned is what a quick look at a text finds: where strings, comments and
// brackets are.
type scanned struct {
	depth   int
	fence   bool // within a string of several lines
	flat    string
	flatten bool // flat means the same as the text
}

func (s scanned) open() bool { return s.depth > 0 || s.fence }

// fences are the ends of strings over several lines.
var fences = []string{"```", "~~~"}

// scan looks through a text, whole or not. flat is the text in one line, without
// comments.
func scan(text string) scanned {
	s := scanned{flatten: true}
	var b strings.Builder
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			i += n
		case strings.HasPrefix(rest, fences[0]) || strings.HasPrefix(rest, fences[1]):
			n := strings.Index(rest[3:], rest[:3])
			if n < 0 {
				s.fence, s.flatten = true, false
				return s
			}
			literal := rest[:n+6]
			s.flatten = s.flatten && !strings.Contains(literal, "\n")
			b.WriteString(literal)
			i += len(literal)
		case c == '"' || c == '\'':
			n := stringEnd(rest, i > 0 && text[i-1] == '@')
			b.WriteString(rest[:n])
			i += n
		case c == '\n' || c == '\r':
			if text := b.String(); text != "" && text[len(text)-1] != ' ' {
				b.WriteByte(' ')
			}
			i++
		default:
			switch c {
			case '(', '[', '{':
				s.depth++
			case ')', ']', '}':
				s.depth--
			}
			b.WriteByte(c)
			i++
		}
	}
	s.flat = strings.TrimSpace(b.String())
	return s
}

// stringEnd gives the length of the string literal that text begins with; it ends
// with the line at the latest.
func stringEnd(text string, verbatim bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\n':
			return i
		case text[i] == '\\' && !verbatim:
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}
