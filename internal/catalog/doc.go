// Package catalog keeps what the lake must remember beside its files, in two
// SQLite databases: catalog.db and state.db.
package catalog
