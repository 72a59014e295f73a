// Package duck writes plans as SQL for DuckDB.
package duck
