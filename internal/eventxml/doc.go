// Package eventxml reads the XML text of one Windows event into the vocabulary
// of package event, and gives the text of its System element back from typed
// values.
//
// # Why it exists
//
// The lake stores an event as columns and as the text behind </System>. The
// System element is not stored as text, because its columns and a small number,
// the form, say the same in a fraction of the bytes; it has to come back byte
// for byte all the same (docs/decisions/0004). So the reader and the writer of
// System are one package, and the reader proves each event by writing it.
//
// # How it works
//
// [Parser.Parse] scans the text once. Values without references are spans of the
// text itself; only values that hold entity references, CDATA or comments are
// copied, unescaped, to the batch's arena. Nothing is allocated for an event
// once the arena has grown. While it reads System the parser notes which of the
// known variants occur (quotes, digits of the time, empty elements …), builds
// the text again with [AppendSystem] and compares: Event.Rebuilds is the result
// of that comparison and no guess. docs/formats/eventxml.md lists the bits.
//
// The order of System's children is that of the Windows SDK's event.xsd, which
// EvtRender keeps. Other orders, unknown elements and attributes, white space or
// comments inside System are read and do not rebuild; the store keeps such a
// System as text.
//
// # Limits and trade-offs
//
// It is a reader of events, not of XML: no DTD, no namespaces (names are taken
// without a prefix), undefined entities stay as written, white space in values
// is kept as EvtRender writes it. Attributes, depth and text are bounded
// (limits.go). Text that is not UTF-8 is refused. The behaviour on malformed
// text behind System is to keep what was read before it.
//
// Sources: [MS-EVEN6] 2.2.16 and the Windows SDK's event.xsd for elements and
// their order; XML 1.0 (Fifth Edition) 2.4–2.7, 3.1 and 4.1; the forms of System
// that occur were counted on 25,769 real records.
package eventxml
