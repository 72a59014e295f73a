package series

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

const (
	// maxPatternRows bounds the different rows that basket and autocluster look at.
	maxPatternRows = 1 << 20
	// maxPatternBytes bounds their texts.
	maxPatternBytes = 64 << 20
	// maxPatterns bounds what basket finds: with many columns that agree there are
	// exponentially many sets.
	maxPatterns = 10_000
	// maxLooked bounds how often autocluster compares a row with a pattern: about ten
	// seconds' work.
	maxLooked = 1 << 30
)

var errPatterns = errors.New("there are too many different rows or patterns to search; keep fewer columns, or raise the threshold")

// table is a relation of discrete attributes, each row with a weight. A value is a
// number of its column's dictionary, -1 for an empty one, which is in no pattern.
type table struct {
	columns int
	rows    [][]int32
	weights []int64
	total   int64
	texts   [][]string
	codes   []map[string]int32
	bytes   int
}

func newTable(in []schema.Type) (*table, error) {
	n := len(in) - 1
	if n < 1 || in[n] != schema.Long || slices.ContainsFunc(in[:n], func(t schema.Type) bool { return t != schema.String }) {
		return nil, errors.New("cannot search patterns: the columns are not texts and a weight")
	}
	t := &table{columns: n, texts: make([][]string, n), codes: make([]map[string]int32, n)}
	for i := range t.codes {
		t.codes[i] = map[string]int32{}
	}
	return t, nil
}

// Row takes a row: the texts of its attributes and its weight.
func (t *table) Row(in []udf.Value, _ Emit) error {
	weight := in[t.columns].I
	if weight <= 0 {
		return nil
	}
	row := make([]int32, t.columns)
	for i := range row {
		s := in[i].S
		if len(s) == 0 {
			row[i] = -1
			continue
		}
		code, there := t.codes[i][string(s)]
		if !there {
			code = int32(len(t.texts[i]))
			text := string(s)
			t.codes[i][text] = code
			t.texts[i] = append(t.texts[i], text)
			t.bytes += len(text)
		}
		row[i] = code
	}
	t.rows, t.weights = append(t.rows, row), append(t.weights, weight)
	t.total += weight
	if len(t.rows) > maxPatternRows || t.bytes > maxPatternBytes {
		return errPatterns
	}
	return nil
}

// pattern is a set of attributes' values (-1 elsewhere) and the weight of the rows
// that have them all.
type pattern struct {
	values []int32
	weight int64
}

func (p *pattern) size() int {
	n := 0
	for _, v := range p.values {
		if v >= 0 {
			n++
		}
	}
	return n
}

func (p *pattern) matches(row []int32) bool {
	for i, v := range p.values {
		if v >= 0 && row[i] != v {
			return false
		}
	}
	return true
}

// emit gives the patterns: number, weight, percentage, and the attributes' texts,
// null where any value matches.
func (t *table) emit(patterns []pattern, emit Emit) error {
	out := make([]udf.Value, 3+t.columns)
	for i, p := range patterns {
		out[0] = udf.Value{I: int64(i)}
		out[1] = udf.Value{I: p.weight}
		out[2] = udf.Value{F: 100 * float64(p.weight) / float64(t.total)}
		for c, v := range p.values {
			out[3+c] = udf.Value{Null: true}
			if v >= 0 {
				out[3+c] = udf.Value{S: []byte(t.texts[c][v])}
			}
		}
		if err := emit(out); err != nil {
			return err
		}
	}
	return nil
}

// order sorts patterns: the heaviest first, then those of more attributes, then by
// their texts.
func (t *table) order(patterns []pattern) {
	slices.SortFunc(patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(b.size(), a.size()), strings.Compare(t.key(&a), t.key(&b)))
	})
}

func (t *table) key(p *pattern) string {
	var b strings.Builder
	for c, v := range p.values {
		if v >= 0 {
			b.WriteString(t.texts[c][v])
		}
		b.WriteByte(0)
	}
	return b.String()
}

// basket finds every set of values, one a column at most, that rows of at least a
// share of the whole weight have. Arguments are that share and the most values of a
// set.
type basket struct {
	*table
	threshold float64
	most      int
	found     []pattern
}

func newBasket(args []udf.Value, in, out []schema.Type) (Operator, error) {
	t, err := newTable(in)
	if err != nil {
		return nil, err
	}
	if len(args) != 2 || len(out) != 3+t.columns {
		return nil, errors.New("cannot run basket: its columns are not those of the operator")
	}
	return &basket{table: t, threshold: args[0].F, most: int(args[1].I)}, nil
}

// attribute is a frequent value and the rows that have it.
type attribute struct {
	column int
	value  int32
	rows   []int32
	weight int64
}

// attributes are the values whose rows have at least the least weight.
func (t *table) attributes(least float64) []attribute {
	var out []attribute
	for c := range t.columns {
		lists := make([][]int32, len(t.texts[c]))
		weights := make([]int64, len(t.texts[c]))
		for i, row := range t.rows {
			if v := row[c]; v >= 0 {
				lists[v] = append(lists[v], int32(i))
				weights[v] += t.weights[i]
			}
		}
		for v, w := range weights {
			if float64(w) >= least {
				out = append(out, attribute{c, int32(v), lists[v], w})
			}
		}
	}
	return out
}

func (o *basket) End(emit Emit) error {
	least := math.Max(o.threshold*float64(o.total), 1)
	all := o.attributes(least)
	if err := o.grow(nil, nil, all, least); err != nil {
		return err
	}
	o.order(o.found)
	return o.emit(o.found, emit)
}

// grow adds to a set each of the attributes behind it, as long as enough rows have
// them all: Eclat's depth-first search.
func (o *basket) grow(set []attribute, rows []int32, rest []attribute, least float64) error {
	for i, a := range rest {
		if len(set) > 0 && set[len(set)-1].column == a.column {
			continue
		}
		both, weight := a.rows, a.weight
		if len(set) > 0 {
			both, weight = o.common(rows, a.rows)
		}
		if float64(weight) < least {
			continue
		}
		if len(o.found) >= maxPatterns {
			return fmt.Errorf("cannot find all baskets: %w", errPatterns)
		}
		grown := append(set[:len(set):len(set)], a)
		p := pattern{values: make([]int32, o.columns), weight: weight}
		for c := range p.values {
			p.values[c] = -1
		}
		for _, x := range grown {
			p.values[x.column] = x.value
		}
		o.found = append(o.found, p)
		if len(grown) < o.most {
			if err := o.grow(grown, both, rest[i+1:], least); err != nil {
				return err
			}
		}
	}
	return nil
}

// common gives the rows of two ascending lists, and their weight.
func (t *table) common(a, b []int32) ([]int32, int64) {
	out := make([]int32, 0, min(len(a), len(b)))
	weight := int64(0)
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			out = append(out, a[i])
			weight += t.weights[a[i]]
			i++
			j++
		}
	}
	return out, weight
}

// autocluster finds a few patterns that together describe most rows: from the
// heaviest rows that no pattern covers yet it drops values one after the other, as
// long as that raises the score, the weighted geometric mean of the share of rows a
// pattern covers and the share of columns it tells. Arguments are the weight of the
// first share and the number of rows to begin from.
type autocluster struct {
	*table
	sizeWeight float64
	seeds      int
	// looked counts the rows that were compared with a pattern.
	looked int64
}

func newAutocluster(args []udf.Value, in, out []schema.Type) (Operator, error) {
	t, err := newTable(in)
	if err != nil {
		return nil, err
	}
	if len(args) != 2 || len(out) != 3+t.columns {
		return nil, errors.New("cannot run autocluster: its columns are not those of the operator")
	}
	return &autocluster{table: t, sizeWeight: args[0].F, seeds: int(args[1].I)}, nil
}

// maxClusters bounds what autocluster gives; minCluster is the least share of a
// cluster, below which it describes no more than a row or two.
const (
	maxClusters = 50
	minCluster  = 0.01
)

func (o *autocluster) End(emit Emit) error {
	covered := make([]bool, len(o.rows))
	byWeight := make([]int, len(o.rows))
	for i := range byWeight {
		byWeight[i] = i
	}
	slices.SortStableFunc(byWeight, func(a, b int) int {
		x, y := pattern{values: o.rows[a]}, pattern{values: o.rows[b]}
		return cmp.Or(cmp.Compare(o.weights[b], o.weights[a]), strings.Compare(o.key(&x), o.key(&y)))
	})
	var found []pattern
	for len(found) < maxClusters {
		best, score := pattern{}, 0.0
		seeds := 0
		for _, i := range byWeight {
			if seeds >= o.seeds {
				break
			}
			if covered[i] {
				continue
			}
			seeds++
			if p, s := o.climb(o.rows[i], covered); s > score {
				best, score = p, s
			}
			if o.looked > maxLooked {
				return fmt.Errorf("cannot find clusters: %w", errPatterns)
			}
		}
		if score == 0 || float64(best.weight) < minCluster*float64(o.total) {
			break
		}
		found = append(found, best)
		for i, row := range o.rows {
			covered[i] = covered[i] || best.matches(row)
		}
	}
	o.order(found)
	return o.emit(found, emit)
}

// climb widens a row into the pattern of the best score over the rows that are not
// covered; the pattern's weight is that of all rows.
func (o *autocluster) climb(row []int32, covered []bool) (pattern, float64) {
	p := pattern{values: slices.Clone(row)}
	score := o.score(&p, covered)
	for {
		drop, better := -1, score
		for c, v := range p.values {
			if v < 0 || p.size() == 1 {
				continue
			}
			p.values[c] = -1
			if s := o.score(&p, covered); s > better {
				drop, better = c, s
			}
			p.values[c] = v
		}
		if drop < 0 {
			break
		}
		p.values[drop], score = -1, better
	}
	for i, r := range o.rows {
		if p.matches(r) {
			p.weight += o.weights[i]
		}
	}
	return p, score
}

func (o *autocluster) score(p *pattern, covered []bool) float64 {
	weight := int64(0)
	o.looked += int64(len(o.rows))
	for i, r := range o.rows {
		if !covered[i] && p.matches(r) {
			weight += o.weights[i]
		}
	}
	size := float64(weight) / float64(o.total)
	told := float64(p.size()) / float64(o.columns)
	return math.Pow(size, o.sizeWeight) * math.Pow(told, 1-o.sizeWeight)
}
