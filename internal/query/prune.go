package query

import (
	"cmp"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/lake"
)

// prune gives the files that may hold a row which meets all bounds. files is not
// changed.
func prune(files []lake.DataFile, bounds []duck.Bound) []lake.DataFile {
	if len(bounds) == 0 {
		return files
	}
	var kept []lake.DataFile
	for i := range files {
		if mayMatch(&files[i], bounds) {
			kept = append(kept, files[i])
		}
	}
	return kept
}

func mayMatch(f *lake.DataFile, bounds []duck.Bound) bool { return excluding(f, bounds) == nil }

// excluding gives the first bound that no row of the file meets, nil when rows may
// meet all of them.
func excluding(f *lake.DataFile, bounds []duck.Bound) *duck.Bound {
	for i := range bounds {
		if stats, known := f.Bounds[bounds[i].FieldID]; known && excludes(stats, f.Rows, &bounds[i]) {
			return &bounds[i]
		}
	}
	return nil
}

// excludes tells whether no value of a column with these statistics can meet the
// bound.
func excludes(stats lake.Bound, rows int64, b *duck.Bound) bool {
	if stats.Nulls >= rows && rows > 0 {
		return true // nulls meet no bound
	}
	if above(b.Min, stats.Max) || above(stats.Min, b.Max) {
		return true
	}
	if len(b.Equal) == 0 {
		return false
	}
	for _, v := range b.Equal {
		if !above(v, stats.Max) && !above(stats.Min, v) {
			return false
		}
	}
	return true
}

// above tells whether a > b is certain: both are known and of comparable types.
func above(a, b any) bool {
	c, ok := compare(a, b)
	return ok && c > 0
}

// compare orders two values of statistics; ok is false when either is missing or
// they can't be compared. NaN compares with nothing.
func compare(a, b any) (c int, ok bool) {
	switch x := a.(type) {
	case string:
		if y, same := b.(string); same {
			return strings.Compare(x, y), true
		}
	case bool:
		if y, same := b.(bool); same {
			return cmp.Compare(bit(x), bit(y)), true
		}
	case float64:
		if y, same := b.(float64); same && x == x && y == y {
			return cmp.Compare(x, y), true
		}
	default:
		x64, okA := integer(a)
		y64, okB := integer(b)
		if okA && okB {
			return cmp.Compare(x64, y64), true
		}
	}
	return 0, false
}

func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int32:
		return int64(x), true
	case int64:
		return x, true
	default:
		return 0, false
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// enough gives the first files that together hold at least take rows; all of them
// when take is 0.
func enough(files []lake.DataFile, take int64) []lake.DataFile {
	if take <= 0 {
		return files
	}
	var rows int64
	for i := range files {
		if rows += files[i].Rows; rows >= take {
			return files[:i+1]
		}
	}
	return files
}
