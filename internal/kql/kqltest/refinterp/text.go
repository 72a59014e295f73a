package refinterp

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
)

// foldText maps every letter to one of those that differ from it in case only.
func foldText(s string) string { return strings.Map(foldRune, s) }

func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

func isTerm(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// at finds whether a needle stands somewhere in a text so that the edges that are
// asked for are those of terms. An edge of the needle that is no letter or digit
// needs no test.
func at(text, needle string, start, end bool) bool {
	t, n := []rune(text), []rune(needle)
	if len(n) == 0 {
		return true
	}
	for i := 0; i+len(n) <= len(t); i++ {
		if !slices.Equal(t[i:i+len(n)], n) {
			continue
		}
		if start && isTerm(n[0]) && i > 0 && isTerm(t[i-1]) {
			continue
		}
		if j := i + len(n); end && isTerm(n[len(n)-1]) && j < len(t) && isTerm(t[j]) {
			continue
		}
		return true
	}
	return false
}

func search(op fn.Op, args []any) any {
	s, needle := args[0].(string), args[1].(string)
	switch op {
	case fn.Has, fn.HasPrefix, fn.HasSuffix, fn.Contains, fn.StartsWith, fn.EndsWith, fn.HasAny, fn.HasAll:
		s, needle = foldText(s), foldText(needle)
	case fn.Matches:
		return regexp.MustCompile(needle).MatchString(s)
	}
	switch op {
	case fn.Has, fn.HasCS:
		return at(s, needle, true, true)
	case fn.HasPrefix, fn.HasPrefixCS:
		return at(s, needle, true, false)
	case fn.HasSuffix, fn.HasSuffixCS:
		return at(s, needle, false, true)
	case fn.Contains, fn.ContainsCS:
		return strings.Contains(s, needle)
	case fn.StartsWith, fn.StartsWithCS:
		return strings.HasPrefix(s, needle)
	case fn.EndsWith, fn.EndsWithCS:
		return strings.HasSuffix(s, needle)
	}
	for _, a := range args[1:] {
		if at(s, foldText(a.(string)), true, true) != (op == fn.HasAll) {
			return op == fn.HasAny
		}
	}
	return op == fn.HasAll
}

// text evaluates the functions of texts; ok is false for an operation that is not
// one of them.
func text(c *plan.Call, args []any) (v any, ok bool) {
	switch c.Op {
	case fn.Strcat, fn.StrcatDelim, fn.ToLower, fn.ToUpper, fn.Substring, fn.StrLen, fn.IndexOf, fn.Extract, fn.ReplaceString, fn.StrRep, fn.Reverse,
		fn.ReplaceRegex, fn.ReplaceFirst:
	default:
		return nil, false
	}
	if hasNull(args) {
		return unsupported("%s of null", c.Op), true
	}
	s := args[0].(string)
	switch c.Op {
	case fn.Strcat, fn.StrcatDelim:
		parts := make([]string, len(args))
		for i, a := range args {
			parts[i] = a.(string)
		}
		if c.Op == fn.Strcat {
			return strings.Join(parts, ""), true
		}
		return strings.Join(parts[1:], parts[0]), true
	case fn.ToLower:
		return strings.Map(unicode.ToLower, s), true
	case fn.ToUpper:
		return strings.Map(unicode.ToUpper, s), true
	case fn.StrLen:
		return int64(len([]rune(s))), true
	case fn.StrRep:
		return strings.Repeat(s, int(args[1].(int64))), true
	case fn.Reverse:
		r := []rune(s)
		slices.Reverse(r)
		return string(r), true
	case fn.ReplaceString:
		if args[1] == "" {
			return s, true
		}
		return strings.ReplaceAll(s, args[1].(string), args[2].(string)), true
	case fn.ReplaceRegex, fn.ReplaceFirst:
		return replaced(s, args[1].(string), args[2].(string), c.Op == fn.ReplaceRegex), true
	case fn.IndexOf:
		needle := args[1].(string)
		if needle == "" {
			return nil, true
		}
		before, _, found := strings.Cut(s, needle)
		if !found {
			return int64(-1), true
		}
		return int64(len([]rune(before))), true
	case fn.Extract:
		m := regexp.MustCompile(args[1].(string)).FindStringSubmatch(s)
		if m == nil {
			return "", true
		}
		return m[args[2].(int64)], true
	}
	return substring(args), true
}

// substring counts code points; a negative start counts from the end, and before
// the text there is nothing.
func substring(args []any) any {
	r := []rune(args[0].(string))
	start, n := args[1].(int64), int64(len(r))
	if start < 0 {
		start += n
	}
	if start < 0 || start >= n {
		return ""
	}
	end := n
	if len(args) > 2 {
		count := max(args[2].(int64), 0)
		if count < n-start {
			end = start + count
		}
	}
	return string(r[start:end])
}

// replaced puts a text, in which \1 stands for a group, in the place of all matches
// or of the first.
func replaced(s, pattern, by string, all bool) string {
	re := regexp.MustCompile(pattern)
	template := regexp.MustCompile(`\\(\d)`).ReplaceAllString(strings.ReplaceAll(by, "$", "$$"), "$${$1}")
	if all {
		return re.ReplaceAllString(s, template)
	}
	m := re.FindStringSubmatchIndex(s)
	if m == nil {
		return s
	}
	return s[:m[0]] + string(re.ExpandString(nil, template, s, m)) + s[m[1]:]
}
