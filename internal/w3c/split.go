package w3c

import "bytes"

// split cuts line into p.parts and tells whether joining them by one blank gives
// the line back.
func (p *Parser) split(line []byte) (exact bool) {
	if p.quoted {
		if exact, ok := p.splitQuoted(line); ok && len(p.parts) == len(p.fields) {
			return exact
		}
	}
	exact = p.splitBlanks(line)
	if len(p.parts) == len(p.fields) {
		return exact
	}
	// Not what the field list says: other writers quote, or separate by tabs.
	if bytes.IndexByte(line, '\t') >= 0 {
		if p.splitTabs(line); len(p.parts) == len(p.fields) {
			return false
		}
	}
	if bytes.IndexByte(line, '"') >= 0 {
		if exact, ok := p.splitQuoted(line); ok && len(p.parts) == len(p.fields) {
			return exact
		}
	}
	return p.splitBlanks(line)
}

// splitBlanks cuts at runs of blanks.
func (p *Parser) splitBlanks(line []byte) (exact bool) {
	p.parts = p.parts[:0]
	exact = true
	for len(line) > 0 {
		n := bytes.IndexByte(line, ' ')
		if n < 0 {
			n = len(line)
		}
		if n > 0 && len(p.parts) <= MaxFields {
			p.parts = append(p.parts, line[:n:n])
		} else {
			exact = false
		}
		if n == len(line) {
			break
		}
		if line = line[n+1:]; len(line) == 0 {
			exact = false // a blank at the end
		}
	}
	return exact
}

// splitTabs cuts at every tab.
func (p *Parser) splitTabs(line []byte) {
	p.parts = p.parts[:0]
	for len(p.parts) <= MaxFields {
		v, rest, more := bytes.Cut(line, []byte{'\t'})
		if v = bytes.Trim(v, " "); len(v) == 0 {
			v = []byte{'-'}
		}
		p.parts = append(p.parts, v)
		if !more {
			return
		}
		line = rest
	}
}

// splitQuoted cuts at runs of blanks and tabs outside of quotes; a quote within
// a quoted value is doubled. ok is false when the quoting is broken: such a line
// was not quoted.
func (p *Parser) splitQuoted(line []byte) (exact, ok bool) {
	p.parts = p.parts[:0]
	exact = true
	for len(p.parts) <= MaxFields {
		rest := bytes.TrimLeft(line, " \t")
		if len(rest) < len(line) {
			exact = exact && len(p.parts) > 0 && len(line)-len(rest) == 1 && line[0] == ' ' && len(rest) > 0
		}
		if line = rest; len(line) == 0 {
			return exact, true
		}
		if line[0] != '"' {
			n := bytes.IndexAny(line, " \t")
			if n < 0 {
				n = len(line)
			}
			p.parts = append(p.parts, line[:n:n])
			line = line[n:]
			continue
		}
		exact = false
		v, n := p.unquote(line)
		if n < 0 || n < len(line) && line[n] != ' ' && line[n] != '\t' {
			return false, false
		}
		p.parts = append(p.parts, v)
		line = line[n:]
	}
	return false, false
}

// unquote reads the quoted value at the start of s and tells where it ends, -1
// when it doesn't.
func (p *Parser) unquote(s []byte) (v []byte, end int) {
	off, doubled := len(p.scratch), false
	for i := 1; ; i++ {
		n := bytes.IndexByte(s[i:], '"')
		if n < 0 {
			return nil, -1
		}
		if i += n; i+1 < len(s) && s[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		if !doubled {
			return s[1:i:i], i + 1
		}
		p.scratch = append(p.scratch, bytes.ReplaceAll(s[1:i], []byte(`""`), []byte(`"`))...)
		return p.scratch[off:len(p.scratch):len(p.scratch)], i + 1
	}
}
