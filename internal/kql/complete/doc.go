// Package complete suggests what may stand at a place of a query that is being
// written: operators behind a bar, tables at the beginning, columns and functions
// within an expression.
//
// The text before the cursor is split into tokens, never parsed whole, since it is
// wrong most of the time. The innermost open bracket tells which pipeline the
// cursor is in. Its finished operators are bound with the let statements before
// them, so that the columns are exactly those that the next operator sees; where
// binding fails, one operator less is tried, down to the source table.
package complete
