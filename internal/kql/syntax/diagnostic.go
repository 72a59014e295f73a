package syntax

import "fmt"

// Span is a stretch of the query's text in bytes, End excluded.
type Span struct{ Start, End int }

// Node is a part of a query with its place in the text.
type Node interface {
	// Pos gives the node's place; printed and made-up nodes have the zero Span.
	Pos() Span
}

// Pos lets Span be embedded as a node's place.
func (s Span) Pos() Span { return s }

// Diagnostic is one reason why a query can't run, with its place. It is an
// error; its text names line and column.
type Diagnostic struct {
	Span
	// Line and Column count from 1; Column counts characters.
	Line, Column int
	// Message says what is wrong, without the place.
	Message string
	// Hint says what to do; it may be empty.
	Hint string
}

// Error gives the message with its place.
func (d Diagnostic) Error() string {
	return fmt.Sprintf("%s at %d:%d", d.Message, d.Line, d.Column)
}

// At makes a diagnostic for a place in text.
func At(text string, span Span, message, hint string) Diagnostic {
	d := Diagnostic{Span: span, Line: 1, Column: 1, Message: message, Hint: hint}
	for i, r := range text {
		if i >= span.Start {
			break
		}
		d.Column++
		if r == '\n' {
			d.Line, d.Column = d.Line+1, 1
		}
	}
	return d
}
