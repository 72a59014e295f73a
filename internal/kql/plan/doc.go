// Package plan holds a bound query as a typed tree of relational nodes.
package plan
