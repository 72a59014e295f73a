package udf

import (
	"bytes"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/dyn"
)

// urls are the functions that read and write URLs.
var urls = []Func{
	textFunc("url_decode", appendURLDecoded),
	textFunc("url_encode", func(dst, s []byte) []byte { return appendEscaped(dst, s, "-_.!*()", "0123456789abcdef", true) }),
	textFunc("url_encode_component", func(dst, s []byte) []byte { return appendEscaped(dst, s, "-_.~", "0123456789ABCDEF", false) }),
	scratched("parse_url", tBag, func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			scratch = appendURL(scratch[:0], args[0].S)
			out.S = scratch
			return nil
		}
	}, tText),
	scratched("parse_urlquery", tBag, func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			scratch = append(scratch[:0], `{"Query Parameters":`...)
			scratch = append(appendQuery(scratch, bytes.TrimPrefix(args[0].S, []byte("?"))), '}')
			out.S = scratch
			return nil
		}
	}, tText),
}

// appendURLDecoded resolves %XX and "+"; what is no such escape stays as it is.
func appendURLDecoded(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			dst = append(dst, ' ')
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			dst = append(dst, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return valid(dst)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// appendEscaped writes all but letters, digits and safe as %XX.
func appendEscaped(dst, s []byte, safe, hex string, plus bool) []byte {
	for _, c := range s {
		switch {
		case isAlnum(c) || bytes.IndexByte([]byte(safe), c) >= 0:
			dst = append(dst, c)
		case c == ' ' && plus:
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// appendURL takes a URL apart as Kusto does: nothing is decoded or folded; user
// and password are there only with a colon between them; a lone "/" at the end is
// no path. What has no scheme is all empty.
func appendURL(dst, s []byte) []byte {
	var scheme, host, port, path, user, password, query, fragment []byte
	scheme, rest, ok := bytes.Cut(s, []byte("://"))
	if ok = ok && isScheme(scheme); ok {
		rest, fragment, _ = bytes.Cut(rest, []byte("#"))
		atEnd := len(fragment) == 0 && !bytes.HasSuffix(s, []byte("#"))
		var hasQuery bool
		rest, query, hasQuery = bytes.Cut(rest, []byte("?"))
		authority := rest
		if i := bytes.IndexByte(rest, '/'); i >= 0 {
			authority, path = rest[:i], rest[i:]
		}
		if len(path) == 1 && atEnd && !hasQuery {
			path = nil
		}
		if info, tail, found := bytes.Cut(authority, []byte("@")); found {
			if u, p, colon := bytes.Cut(info, []byte(":")); colon {
				user, password, authority = u, p, tail
			}
		}
		host = authority
		if i := bytes.LastIndexByte(authority, ':'); i >= 0 && isDigits(authority[i+1:]) {
			host, port = authority[:i], authority[i+1:]
		}
	} else {
		scheme = nil
	}
	dst = append(dst, '{')
	dst = appendPair(dst, "Scheme", scheme)
	dst = appendPair(dst, "Host", host)
	dst = appendPair(dst, "Port", port)
	dst = appendPair(dst, "Path", path)
	dst = appendPair(dst, "Username", user)
	dst = appendPair(dst, "Password", password)
	dst = append(dst, `,"Query Parameters":`...)
	dst = appendQuery(dst, query)
	dst = appendPair(dst, "Fragment", fragment)
	return append(dst, '}')
}

func isScheme(s []byte) bool {
	for i, c := range s {
		if !isAlnum(c) && (i == 0 || c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return len(s) > 0
}

func isDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

// appendQuery writes the parameters of a query sorted by name; one that is there
// more than once has an array, one without name or value is left out.
func appendQuery(dst, query []byte) []byte {
	values := map[string][]string{}
	var names []string
	for part := range bytes.SplitSeq(query, []byte("&")) {
		k, v, _ := bytes.Cut(part, []byte("="))
		if len(k) == 0 || len(v) == 0 {
			continue
		}
		if values[string(k)] == nil {
			names = append(names, string(k))
		}
		values[string(k)] = append(values[string(k)], string(v))
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dyn.AppendString(dst, []byte(name)), ':')
		if list := values[name]; len(list) == 1 {
			dst = dyn.AppendString(dst, []byte(list[0]))
		} else {
			dst = appendStrings(dst, list)
		}
	}
	return append(dst, '}')
}
