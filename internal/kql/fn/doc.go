// Package fn is the catalogue of scalar and aggregate functions.
package fn
