package evtx

import (
	"bytes"
	"encoding/binary"
)

// Operation codes of programs. Every operation first writes its literal
// lits[lo:hi].
const (
	opLit   uint8 = iota // nothing more
	opText               // XML: the value as element content; lits[a:b] between an array's items
	opLeaf               // XML: unless value dep is null: lits[a:b], the value, lits[c:e]; once per item of an array
	opAttr               // XML: unless the value is empty: lits[a:b], the value, a quote
	opInner              // XML: the value inside an attribute with other text
	opDep                // skip the next n operations when value dep is null
	opValue              // JSON: the value, lits[a:b] when it is empty
	opField              // JSON: unless value dep is null: lits[a:b] (a key), then as opValue with null
	opAttrs              // JSON: an element with attributes, attrs[a:b], and perhaps content
	opChild              // JSON: the elements of the value as members, with a comma before
	opComma              // JSON: a comma unless the object is empty
	opClose              // JSON: the object's end, or null instead of an empty object
)

// Flags of operations.
const (
	flagItems     uint8 = 1 << iota // opValue: an array becomes a JSON array, else it is not covered
	flagContent                     // opAttrs: slot holds the content
	flagContainer                   // opValue: of EventData or UserData, whose Data elements are special
)

// op is one operation of a program.
type op struct {
	code, flags  uint8
	slot, dep    uint16
	n            uint16
	lo, hi, a, b uint32
	c, e         uint32
}

// attrOp is one attribute of an opAttrs: a key literal `"Name":`, and a value of
// the instance or a literal.
type attrOp struct {
	lo, hi  uint32 // key, and the value when literal
	slot    uint16
	literal bool
}

// program renders one template.
type program struct {
	lits  []byte
	ops   []op
	attrs []attrOp
	// names are the static members beside an opChild: a child of the same name
	// would need a number, which the program does not cover.
	names [][]byte
}

// nameRef is where a template's binary XML refers to a name.
type nameRef struct {
	pos    int    // of the reference, from the start of the definition's body
	inline bool   // the name stands behind the reference
	text   []byte // otherwise: the name's length and characters as stored
}

// compiled is a template as programs, good for every chunk where its definition
// is the same. Programs are nil where the template has a shape that they do not
// cover.
type compiled struct {
	body []byte
	refs []nameRef
	root []byte // the root element's name
	dep  uint16 // the value that the root depends on

	xml, json *program
	flat      []*flatProgram // by place, made at first use
}

// templateKey finds candidates for the same template: its GUID and size.
type templateKey struct {
	guid [16]byte
	size int
}

// compiledFor gives the compiled template whose definition lies at a chunk
// offset, nil when it has none.
func (d *Decoder) compiledFor(def int) *compiled {
	if uint(def) >= uint(len(d.byDef)) {
		return nil
	}
	if i := d.byDef[def]; i != 0 {
		return d.active[i-1]
	}
	c := d.findCompiled(def)
	if len(d.active) < 1<<16-1 {
		d.active = append(d.active, c)
		d.byDef[def] = uint16(len(d.active))
		d.usedDefs = append(d.usedDefs, uint32(def))
	}
	return c
}

// forgetChunk drops what holds for the open chunk only.
func (d *Decoder) forgetChunk() {
	d.names, d.nameText, d.defs = d.names[:0], d.nameText[:0], append(d.defs[:0], node{})
	for _, off := range d.usedNames {
		d.nameIndex[off] = 0
	}
	d.usedNames = d.usedNames[:0]
	clear(d.templates)
	for _, def := range d.usedDefs {
		d.byDef[def] = 0
	}
	d.usedDefs, d.active = d.usedDefs[:0], d.active[:0]
}

// findCompiled looks the definition up among the templates of former chunks and
// compiles it when it is new.
func (d *Decoder) findCompiled(def int) *compiled {
	if def < chunkHeaderSize || def+templateHeaderSize > len(d.buf) {
		return nil
	}
	key := templateKey{[16]byte(d.buf[def+4:]), int(binary.LittleEndian.Uint32(d.buf[def+20:]))}
	lo := def + templateHeaderSize
	if key.size > len(d.buf)-lo {
		return nil
	}
	for _, c := range d.cache[key] {
		if c.same(d.buf, lo) {
			return c
		}
	}
	d.refs = d.refs[:0]
	root, err := d.template(def)
	if err != nil {
		return nil
	}
	if len(d.refs) == 0 {
		return nil // the tree was built before, without its names' places
	}
	c := d.compile(root)
	c.body = bytes.Clone(d.buf[lo : lo+key.size])
	for _, r := range d.refs {
		r.pos -= lo
		c.refs = append(c.refs, r)
	}
	if d.cacheBytes += len(c.body) * compiledFactor; d.cacheBytes > maxCompiledBytes {
		clear(d.cache)
		d.cacheBytes = len(c.body) * compiledFactor
	}
	d.cache[key] = append(d.cache[key], c)
	return c
}

// same tells whether the definition body at lo in chunk buf says the same as c's:
// equal bytes, but for where names lie.
func (c *compiled) same(buf []byte, lo int) bool {
	body := buf[lo : lo+len(c.body)]
	at := 0
	for i := range c.refs {
		r := &c.refs[i]
		if !bytes.Equal(body[at:r.pos], c.body[at:r.pos]) {
			return false
		}
		off := int(binary.LittleEndian.Uint32(body[r.pos:]))
		at = r.pos + 4
		if here := off == lo+at; here != r.inline {
			return false
		}
		if r.inline {
			at += 4 // the next name of the hash bucket
			continue
		}
		if off+6+len(r.text) > len(buf) || !bytes.Equal(buf[off+6:off+6+len(r.text)], r.text) {
			return false
		}
	}
	return bytes.Equal(body[at:], c.body[at:])
}

// noteName records a template's name reference at p (in front of it) for the
// cache; the name was read already.
func (d *Decoder) noteName(pos, off int) {
	r := nameRef{pos: pos, inline: off == pos+4}
	if !r.inline {
		n := int(binary.LittleEndian.Uint16(d.buf[off+6:]))
		r.text = bytes.Clone(d.buf[off+6 : off+8+2*n])
	}
	d.refs = append(d.refs, r)
}

// compile makes the programs of the template whose tree is root in d.defs.
func (d *Decoder) compile(root int32) *compiled {
	c := &compiled{root: bytes.Clone(d.names[d.defs[root].name]), dep: d.defs[root].id}
	x := xmlCompiler{d: d}
	if x.element(root) {
		c.xml = x.finish()
	}
	j := jsonCompiler{d: d}
	if j.value(root, isContainer(c.root)) {
		c.json = j.finish()
	}
	return c
}

// builder collects a program.
type builder struct {
	program
	mark int // the literal of the next operation begins here
}

// emit adds an operation and gives it the literal written since the last one.
func (b *builder) emit(o op) int {
	o.lo, o.hi = uint32(b.mark), uint32(len(b.lits))
	b.mark = len(b.lits)
	b.ops = append(b.ops, o)
	return len(b.ops) - 1
}

// side adds a literal that an operation refers to beside its own one. There must
// be no pending literal.
func (b *builder) side(text ...[]byte) (lo, hi uint32) {
	lo = uint32(len(b.lits))
	for _, t := range text {
		b.lits = append(b.lits, t...)
	}
	b.mark = len(b.lits)
	return lo, uint32(len(b.lits))
}

func (b *builder) finish() *program {
	b.emit(op{code: opLit})
	p := b.program
	p.lits = append(p.lits, make([]byte, litStep)...)
	return &p
}

// litStep is how many bytes appendLit copies at once: most literals fit in. Literals
// have that many bytes behind them.
const litStep = 64

// appendLit appends lits[lo:hi], in whole steps and without a call of memmove.
func appendLit(dst, lits []byte, lo, hi uint32) []byte {
	w, n := len(dst), int(hi-lo)
	if n > litStep || cap(dst)-w < litStep {
		return append(dst, lits[lo:hi]...)
	}
	copyLit((*[litStep]byte)(dst[w:w+litStep]), (*[litStep]byte)(lits[lo:]))
	return dst[:w+n]
}

func copyLit(to, from *[litStep]byte) {
	*(*[16]byte)(to[:16]) = *(*[16]byte)(from[:16])
	*(*[16]byte)(to[16:32]) = *(*[16]byte)(from[16:32])
	*(*[16]byte)(to[32:48]) = *(*[16]byte)(from[32:48])
	*(*[16]byte)(to[48:]) = *(*[16]byte)(from[48:])
}

// fragment tells whether b is one template instance, perhaps behind a fragment
// header, and gives the offset behind the instance's token.
func fragment(b []byte) (int, bool) {
	if len(b) > 5 && b[0] == 0x0f && b[4] == 0x0c {
		return 5, true
	}
	if len(b) > 1 && b[0] == 0x0c {
		return 1, true
	}
	return 0, false
}

// open reads the single template instance that fills the stream buf[lo:hi] and
// gives its compiled template; nil when the stream is anything else.
func (d *Decoder) open(lo, hi int) (instance, *compiled) {
	skip, ok := fragment(d.buf[lo:hi])
	if !ok {
		return instance{}, nil
	}
	in, next, err := d.readInstance(lo+skip, hi)
	if err != nil || next < hi && d.buf[next] != 0 {
		return instance{}, nil
	}
	c := d.compiledFor(in.def)
	if c != nil && c.dep != noDependency {
		if i := in.lo + int(c.dep); i < in.hi && d.slots[i].typ == typNull {
			return instance{}, nil // no element at all, which programs do not cover
		}
	}
	return in, c
}
