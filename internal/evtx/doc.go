// Package evtx reads Windows event logs (.evtx) and renders their records as
// XML and JSON.
//
// # Why it exists
//
// Every file import, `wadi evtx` and the tools for responders stand on it. It
// has to read what Windows writes and what disks do to it, at the speed of the
// disk, and lose nothing unseen.
//
// # How it works
//
// A file is a 4 KiB header and chunks of 64 KiB. [Open] finds the chunks by
// their magic, because header counts are stale in files that were not closed
// cleanly, and puts them into record order. A chunk stands alone: names and
// template definitions are offsets inside it. A [Decoder] walks the records of
// one chunk at a time and renders them; it is not safe for concurrent use, so
// parallel readers take one each and share only the [File].
//
// A record is binary XML: mostly a template instance, that is a reference to an
// element tree with holes and the typed values for the holes. The Decoder
// compiles a template once into literal text and operations, for XML and for
// JSON, and keeps the programs across chunks, so a record costs some copies and
// the conversion of its values. Whatever the programs do not cover (records
// without template, values that hold several elements, arrays in odd places)
// takes a generic path that builds the element tree; both give the same bytes,
// which a test holds over the whole corpus.
//
// The XML is what Windows' EvtRender gives, byte for byte as far as its rules
// are known (docs/formats/evtx.md lists them with their sources), and is what
// the lake stores. The JSON has the shape of the evtx_dump tool.
//
// # Damage
//
// A damaged record costs that record: the walk goes on at the next record
// signature whose sizes agree. Bad checksums are reported and the data is read
// all the same. What was lost is a value, [Loss], never a panic.
//
// # Limits and trade-offs
//
// Records behind the last live one (slack) are not carved: they are older
// events that the log has dropped, often half overwritten. Nesting, expansion
// and output sizes are capped (limits.go). Messages are not rendered: that takes
// the provider's resources, which a file does not have.
//
// Sources: [MS-EVEN6] 2.2.12 and 3.1.4.7 for binary XML; the file and chunk
// layout is not published by Microsoft and was verified on the corpus
// (docs/formats/evtx.md); EvtRender's text was checked against events that
// Windows forwarded.
package evtx
