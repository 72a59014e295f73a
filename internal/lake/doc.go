// Package lake keeps rows: an Iceberg table for each table of the schema, in one
// data folder, written by one process at a time and read by any number.
package lake
