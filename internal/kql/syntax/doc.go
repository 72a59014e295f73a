// Package syntax reads and prints the Kusto query language (KQL).
//
// A hand-written lexer and recursive-descent parser: KQL has no reserved words
// (count, where and type names are also column names), so what a word is depends
// on where it stands, which a generated parser handles badly and slowly. Every
// node knows its place in the text. After an error the parser skips to the next
// operator, so that one query gives all its errors.
//
// Operators that the rest of Wadi doesn't run are kept as [Opaque]: their name,
// place and tokens. So every query of the language prints back, and a refusal
// names the operator and its place instead of "syntax error".
//
// [Print] is the inverse of [Parse]: parse(print(x)) equals x but for places.
//
// Depth and size are bounded (see limits.go); time is linear in the text.
package syntax
