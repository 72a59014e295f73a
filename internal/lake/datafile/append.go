package datafile

import "fmt"

// Append adds copies of another arena's rows, of the same table, behind its own. A
// row begun in either is dropped.
func (b *Rows) Append(from *Rows) {
	if b.table != from.table {
		panic(fmt.Sprintf("BUG: rows of %s appended to those of %s", from.table.Name, b.table.Name))
	}
	b.Drop()
	from.Drop()
	b.buf = append(b.buf, from.buf...)
	b.n += from.n
	b.numbered += from.numbered
	for i, u := range from.used {
		b.used[i] = b.used[i] || u
	}
	if b.err == nil {
		b.err = from.err
	}
}
