package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// The look of tables.
const (
	// sampleRows are gathered to find the widths of columns; later rows keep them.
	sampleRows = 500
	// gap separates columns.
	gap = "  "
	// minCells is what a column keeps when the terminal is narrow.
	minCells = 8
	// maxCells bounds a column where there is no terminal to fit.
	maxCells = 200
	// maxTableColumns: more columns are shown one below the other where there is
	// no terminal to fit, because nobody reads such a line.
	maxTableColumns = 30
)

// tableWriter lays rows out as a table fitted to width cells (0: no terminal), or,
// where the columns don't fit, as records: one line a value, empty ones left out.
type tableWriter struct {
	out     *bufio.Writer
	width   int
	names   []string
	numbers []bool
	widths  []int
	records bool
	ascii   bool // rules and marks without Unicode
	rows    int
	scratch []byte
}

// writeTable shows the rows, all of them when limit is 0; else so many, and says
// how many there are. Errors of the question come from closing rows.
func writeTable(w io.Writer, rows *engine.Rows, width int, ascii bool, limit int64) error {
	t := &tableWriter{out: bufio.NewWriter(w), width: width, ascii: ascii}
	for _, c := range rows.Columns() {
		t.names = append(t.names, escape(c.Name))
		t.numbers = append(t.numbers, slices.Contains([]schema.Type{schema.Int, schema.Long, schema.Real, schema.Decimal}, c.Type))
	}
	var sample [][]string
	for len(sample) < sampleRows && rows.Next() {
		sample = append(sample, t.values(rows))
	}
	if len(sample) == 0 && rows.Close() != nil {
		return nil // a question that fails shows no head
	}
	t.measure(sample)
	switch {
	case !t.records:
		t.head()
	case len(sample) == 0:
		fmt.Fprintf(t.out, "(no rows of %d columns)\n", len(t.names))
	}
	for _, values := range sample {
		t.row(values)
	}
	for rows.Next() {
		if limit == 0 || rows.Count() <= limit {
			t.row(t.values(rows))
		}
	}
	if limit > 0 && rows.Count() > limit {
		fmt.Fprintf(t.out, "(the first %s rows of %s; narrow the question, or '.format csv' shows all)\n",
			counted(limit), counted(rows.Count()))
	}
	return t.out.Flush()
}

func (t *tableWriter) values(rows *engine.Rows) []string {
	values := make([]string, len(t.names))
	for i := range values {
		t.scratch = query.AppendText(t.scratch[:0], rows, i)
		values[i] = escape(string(t.scratch))
	}
	return values
}

// measure decides on the layout and the widths of columns.
func (t *tableWriter) measure(sample [][]string) {
	t.widths = make([]int, len(t.names))
	for i, name := range t.names {
		t.widths[i] = max(cells(name), 1)
		for _, values := range sample {
			t.widths[i] = max(t.widths[i], cells(values[i]))
		}
	}
	if t.width == 0 {
		t.records = len(t.names) > maxTableColumns
		for i := range t.widths {
			t.widths[i] = min(t.widths[i], maxCells)
		}
		return
	}
	room := t.width - len(gap)*(len(t.names)-1)
	t.records = !shrink(t.widths, room)
}

// shrink makes the widest columns narrower until all fit into room; false when
// they don't even with minCells each.
func shrink(widths []int, room int) bool {
	least := 0
	for _, w := range widths {
		least += min(w, minCells)
	}
	if least > room {
		return false
	}
	for sum(widths) > room {
		// Take from all the widest at once, down to the next width.
		top, next, count := 0, minCells, 0
		for _, w := range widths {
			switch {
			case w > top:
				top, next, count = w, max(top, minCells), 1
			case w == top:
				count++
			case w > next:
				next = w
			}
		}
		take := min(top-next, max((sum(widths)-room)/count, 1))
		for i := range widths {
			if widths[i] == top && sum(widths) > room {
				widths[i] -= min(take, sum(widths)-room)
			}
		}
	}
	return true
}

func sum(values []int) (n int) {
	for _, v := range values {
		n += v
	}
	return n
}

func (t *tableWriter) pick(unicode, ascii string) string {
	if t.ascii {
		return ascii
	}
	return unicode
}

func (t *tableWriter) cut(s string, width int) string { return cutWith(s, width, t.pick("…", "~")) }

func (t *tableWriter) head() {
	t.line(t.names)
	rules := make([]string, len(t.widths))
	for i, w := range t.widths {
		rules[i] = strings.Repeat(t.pick("─", "-"), w)
	}
	t.line(rules)
}

func (t *tableWriter) row(values []string) {
	t.rows++
	if !t.records {
		t.line(values)
		return
	}
	if t.rows > 1 {
		t.out.WriteByte('\n')
	}
	wide := 0
	for i, name := range t.names {
		if values[i] != "" {
			wide = max(wide, cells(name))
		}
	}
	for i, name := range t.names {
		if values[i] == "" {
			continue
		}
		text := pad(name, wide, false) + gap + values[i]
		if t.width > 0 {
			text = t.cut(text, t.width)
		}
		t.out.WriteString(text + "\n")
	}
}

func (t *tableWriter) line(values []string) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(gap)
		}
		b.WriteString(pad(t.cut(v, t.widths[i]), t.widths[i], t.numbers[i]))
	}
	t.out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}
