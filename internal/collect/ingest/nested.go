package ingest

import (
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// nestedReader reads lists and structures as JSON; nil for types that are none, or
// hold what has no JSON of its own.
func nestedReader(a arrow.Array, take func(*value, []byte) string) arrowReader {
	switch a.(type) {
	case array.ListLike, *array.Struct:
	default:
		return nil
	}
	if !nestable(a.DataType()) {
		return nil
	}
	return func(i int, v *value) string {
		left := MaxText
		if weigh(a, i, &left); left < 0 {
			return errLong
		}
		text, err := json.Marshal(a.GetOneForMarshal(i))
		if err != nil {
			return notJSON
		}
		return take(v, text)
	}
}

// nestable tells whether all that a type holds has JSON and memory of its own.
func nestable(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.ListType:
		return nestable(t.Elem())
	case *arrow.LargeListType:
		return nestable(t.Elem())
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if !nestable(f.Type) {
				return false
			}
		}
		return t.NumFields() > 0
	}
	switch t.ID() {
	case arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64, arrow.FLOAT32, arrow.FLOAT64:
		return true
	}
	return isTextType(t.ID())
}

// weigh takes about what a value becomes as JSON off left, and stops below 0: the
// elements of lists may overlap, so that few bytes become many.
func weigh(a arrow.Array, i int, left *int) {
	const number = 8
	if *left -= number; *left < 0 || a.IsNull(i) {
		return
	}
	switch a := a.(type) {
	case array.ListLike:
		lo, hi := a.ValueOffsets(i)
		for k := lo; k < hi && *left >= 0; k++ {
			weigh(a.ListValues(), int(k), left)
		}
	case *array.Struct:
		for k := range a.NumField() {
			*left -= len(a.DataType().(*arrow.StructType).Field(k).Name)
			weigh(a.Field(k), i, left)
		}
	case texts:
		*left -= len(a.Value(i))
	}
}
