package udf

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/pattern"
)

// parses are the work of parse, parse-where and parse-kv. Each column is a call of
// its own with the pattern as JSON: matching anew costs less than handing all
// columns over at once would.
var parses = []Func{
	searching("parse_column", tText, func() Eval {
		m := compiled[pattern.Matcher]{compile: compilePattern}
		return func(a []Value, out *Value) error {
			matcher, err := m.get(a[0].S)
			if err != nil {
				return err
			}
			if i := a[2].I; i < 0 || i >= int64(matcher.Columns()) {
				return fmt.Errorf("parse has no column %d", i)
			}
			if texts, ok := matcher.Match(a[1].S); ok {
				out.S = texts[a[2].I]
			}
			return nil
		}
	}, tText, tText, tLong),
	searching("parse_matches", tBool, func() Eval {
		m := compiled[pattern.Matcher]{compile: compilePattern}
		return func(a []Value, out *Value) error {
			matcher, err := m.get(a[0].S)
			if err != nil {
				return err
			}
			_, ok := matcher.Match(a[1].S)
			out.I = truth(ok)
			return nil
		}
	}, tText, tText),
	searching("parse_kv", tText, func() Eval {
		m := compiled[pattern.Finder]{compile: compileKV}
		return func(a []Value, out *Value) error {
			finder, err := m.get(a[0].S)
			if err != nil {
				return err
			}
			values := finder.Find(a[1].S)
			if i := a[2].I; i < 0 || i >= int64(len(values)) {
				return fmt.Errorf("parse-kv has no column %d", i)
			}
			out.S = values[a[2].I]
			return nil
		}
	}, tText, tText, tLong),
}

// compiled keeps what the last argument compiled to; it is the same on each row.
type compiled[T any] struct {
	compile func(spec []byte) (*T, error)
	spec    []byte
	made    *T
}

func (c *compiled[T]) get(spec []byte) (*T, error) {
	if c.made != nil && bytes.Equal(c.spec, spec) {
		return c.made, nil
	}
	made, err := c.compile(spec)
	if err != nil {
		return nil, err
	}
	c.spec, c.made = bytes.Clone(spec), made
	return made, nil
}

func compilePattern(spec []byte) (*pattern.Matcher, error) {
	p := new(pattern.Parse)
	if err := json.Unmarshal(spec, p); err != nil {
		return nil, fmt.Errorf("cannot read the pattern of parse: %w", err)
	}
	return pattern.Compile(p)
}

func compileKV(spec []byte) (*pattern.Finder, error) {
	k := new(pattern.KV)
	if err := json.Unmarshal(spec, k); err != nil {
		return nil, fmt.Errorf("cannot read the delimiters of parse-kv: %w", err)
	}
	return k.Compile()
}
