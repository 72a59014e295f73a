// Package bind gives a parsed query its meaning: names, types, a plan.
//
// A scope is the list of columns a query sees at one point. A column is a
// function that gives its expression when it is first asked for, so that of a
// view with 200 computed columns only those in use are bound, and only their
// stored columns are read. No operator but summarize, distinct and count makes a
// new set of columns in the plan: project and its kin just change the scope.
//
// Kusto's rules that differ from SQL's are made explicit here, so that a plan
// needs no more knowledge of KQL: operands are converted to one type, string
// columns read null as "", int arithmetic is long, names get Kusto's suffixes.
// now() and ago() are constants of [Env.Now]; arithmetic of constants is folded,
// which is what file pruning lives on.
//
// Views are written in the same language (schema.View); functions whose names
// begin with "__" exist only there.
package bind
