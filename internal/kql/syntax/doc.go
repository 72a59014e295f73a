// Package syntax reads and prints the Kusto query language (KQL).
//
// A hand-written lexer and recursive-descent parser: KQL has no reserved words
// (count, where and type names are also column names), so what a word is depends
// on where it stands, which a generated parser handles badly and slowly. Every
// node knows its place in the text. After an error the parser skips to the next
// operator, so that one query gives all its errors.
//
// Every operator and statement has nodes of its own, whether the rest of Wadi runs
// it or not; only the graph operators and a few statements are kept as their
// tokens ([Opaque], [OpaqueStatement]). So every query prints back, and a refusal
// names what doesn't run and its place instead of "syntax error".
//
// What is accepted is what Microsoft's parser accepts (internal/kql/kqltest/msparser
// compares them over every query there is), words that can't be names without
// brackets (words.go) among it. A diagnostic says what was expected and, where a
// common mistake explains it (hint.go), what to write instead.
//
// [Print] is the inverse of [Parse]: parse(print(x)) equals x but for places.
// [Tokens] gives the tokens alone, for completion and colours.
//
// Depth and size are bounded (see limits.go); time is linear in the text.
package syntax
