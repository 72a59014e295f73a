package udf

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/dyn"
)

// patterns are functions of regular expressions. The database's own do where the
// expression is a literal and one match is enough; these do the rest.
var patterns = []Func{
	searching("matches", tBool, func() Eval {
		var res regexes
		return func(a []Value, out *Value) error {
			re, err := res.get(a[1].S)
			if err != nil {
				return err
			}
			out.I = truth(re.Match(a[0].S))
			return nil
		}
	}, tText, tText),
	searching("extract", tText, func() Eval {
		var res regexes
		return func(a []Value, out *Value) error {
			re, err := res.get(a[0].S)
			if err != nil {
				return err
			}
			if a[1].I < 0 || a[1].I > int64(re.NumSubexp()) {
				return fmt.Errorf("the regular expression %q has no group %d", a[0].S, a[1].I)
			}
			if m := re.FindSubmatch(a[2].S); m != nil {
				out.S = m[a[1].I]
			}
			return nil
		}
	}, tText, tLong, tText),
	searching("extract_all", tBag, newExtractAll, tText, tBag, tText),
	searching("countof_regex", tLong, func() Eval {
		var res regexes
		return func(a []Value, out *Value) error {
			re, err := res.get(a[1].S)
			if err != nil {
				return err
			}
			out.I = int64(len(re.FindAllIndex(a[0].S, -1)))
			return nil
		}
	}, tText, tText),
	shorter(3, searching("indexof_regex", tLong, newIndexOfRegex, tText, tText, tLong, tLong, tLong)),
	searching("trim", tText, func() Eval { return newTrim(true, true) }, tText, tText),
	searching("trim_start", tText, func() Eval { return newTrim(true, false) }, tText, tText),
	searching("trim_end", tText, func() Eval { return newTrim(false, true) }, tText, tText),
	searching("replace_regex", tText, newReplaceRegex, tText, tText, tText),
}

// newExtractAll is extract_all(regex, groups, text): an array of the group of each
// match, or with more groups of an array of them. groups are numbers or names;
// those that the expression has not are dropped, and when none is left all are
// taken. No match gives null.
func newExtractAll() Eval {
	var res regexes
	var list elements
	var scratch []byte
	return func(a []Value, out *Value) error {
		re, err := res.get(a[0].S)
		if err != nil {
			return err
		}
		var groups []int
		if list.read(a[1].S) {
			for i, text := range list.texts {
				n, err := strconv.Atoi(string(text))
				if list.kinds[i] == '"' {
					n, err = re.SubexpIndex(string(text)), nil
				}
				if err == nil && n >= 1 && n <= re.NumSubexp() {
					groups = append(groups, n)
				}
			}
		}
		if len(groups) == 0 {
			for n := range re.NumSubexp() {
				groups = append(groups, n+1)
			}
		}
		matches := re.FindAllSubmatchIndex(a[2].S, -1)
		if out.Null = matches == nil; out.Null {
			return nil
		}
		group := func(dst []byte, m []int, g int) []byte {
			if m[2*g] < 0 {
				return append(dst, `""`...)
			}
			return dyn.AppendString(dst, a[2].S[m[2*g]:m[2*g+1]])
		}
		scratch = append(scratch[:0], '[')
		for i, m := range matches {
			if i > 0 {
				scratch = append(scratch, ',')
			}
			if len(groups) == 1 {
				scratch = group(scratch, m, groups[0])
				continue
			}
			scratch = append(scratch, '[')
			for j, g := range groups {
				if j > 0 {
					scratch = append(scratch, ',')
				}
				scratch = group(scratch, m, g)
			}
			scratch = append(scratch, ']')
		}
		scratch = append(scratch, ']')
		out.S = scratch
		return nil
	}
}

// newIndexOfRegex is indexof_regex(text, regex, start, length, occurrence). Kusto
// cuts the text at start and length; whether an expression sees what is before the
// cut isn't known, so anchors count from the cut.
func newIndexOfRegex() Eval {
	var res regexes
	return func(a []Value, out *Value) error {
		re, err := res.get(a[1].S)
		if err != nil {
			return err
		}
		start, length, occurrence := int64(0), int64(-1), int64(1)
		for i, p := range []*int64{&start, &length, &occurrence} {
			if len(a) > 2+i {
				*p = a[2+i].I
			}
		}
		if out.Null = start < 0 || length < -1 || occurrence < 1; out.Null {
			return nil
		}
		s := []rune(string(a[0].S))
		if out.I = -1; start > int64(len(s)) {
			return nil
		}
		s = s[start:]
		if length >= 0 && length < int64(len(s)) {
			s = s[:length]
		}
		text := []byte(string(s))
		if m := re.FindAllIndex(text, int(min(occurrence, 1<<20))); int64(len(m)) >= occurrence {
			out.I = start + int64(utf8.RuneCount(text[:m[occurrence-1][0]]))
		}
		return nil
	}
}

// newTrim is trim(regex, text) and its kin: one match at the start and one at the
// end are cut.
func newTrim(start, end bool) Eval {
	var first, last regexes
	return func(a []Value, out *Value) error {
		s := a[1].S
		if start {
			re, err := first.get(fmt.Appendf(nil, `\A(?:%s)`, a[0].S))
			if err != nil {
				return err
			}
			if m := re.FindIndex(s); m != nil {
				s = s[m[1]:]
			}
		}
		if end {
			re, err := last.get(fmt.Appendf(nil, `(?:%s)\z`, a[0].S))
			if err != nil {
				return err
			}
			if m := re.FindIndex(s); m != nil {
				s = s[:m[0]]
			}
		}
		out.S = s
		return nil
	}
}

// newReplaceRegex is replace_regex(text, regex, rewrite) with \1 … \9 and \0 in
// rewrite.
func newReplaceRegex() Eval {
	var res regexes
	var scratch []byte
	return func(a []Value, out *Value) error {
		re, err := res.get(a[1].S)
		if err != nil {
			return err
		}
		if err := CheckRewrite(string(a[2].S), re.NumSubexp()); err != nil {
			return err
		}
		scratch = scratch[:0]
		at := 0
		for _, m := range re.FindAllSubmatchIndex(a[0].S, -1) {
			scratch = append(scratch, a[0].S[at:m[0]]...)
			if scratch = appendRewrite(scratch, a[2].S, a[0].S, m); len(scratch) > maxText {
				return errTooLong
			}
			at = m[1]
		}
		scratch = append(scratch, a[0].S[at:]...)
		out.S = scratch
		return nil
	}
}

func appendRewrite(dst, rewrite, s []byte, m []int) []byte {
	for i := 0; i < len(rewrite); i++ {
		c := rewrite[i]
		if c == '\\' {
			i++
			if c = rewrite[i]; c != '\\' {
				if g := int(c - '0'); m[2*g] >= 0 {
					dst = append(dst, s[m[2*g]:m[2*g+1]]...)
				}
				continue
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// CheckRewrite tells what is wrong with the third argument of replace_regex for an
// expression of so many groups.
func CheckRewrite(rewrite string, groups int) error {
	for i := 0; i < len(rewrite); i++ {
		if rewrite[i] != '\\' {
			continue
		}
		if i++; i >= len(rewrite) || rewrite[i] != '\\' && (rewrite[i] < '0' || rewrite[i] > '9') {
			return fmt.Errorf(`the replacement %q has a \ that is followed by neither a digit nor a \`, rewrite)
		}
		if c := rewrite[i]; c != '\\' && int(c-'0') > groups {
			return fmt.Errorf("the replacement %q names a group that the regular expression does not have", rewrite)
		}
	}
	return nil
}
