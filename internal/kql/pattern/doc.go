// Package pattern does the work of the operators parse, parse-where and parse-kv
// on one text: it checks and compiles their pattern and gives the captured texts.
//
// What matches. In kind simple a literal is text and a column runs up to the next
// literal, lazily; the whole must end where the text ends unless a * is last. Where
// nothing ends a column, before a *, its type gives its shape. In kind regex a
// literal is a regular expression, a string column is greedy, every other column
// has its type's shape, and the match may end anywhere. Both may begin anywhere.
// In both a column that does not convert to its type undoes the whole match; kind
// relaxed is simple without that, and shapes may be missing.
//
// Simple patterns are matched by looking for one literal after the other, which is
// what their expression would do; where a shape stands between, and in kind regex,
// an expression is compiled. Everything is linear in the text.
package pattern
