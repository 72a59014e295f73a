// Package substrait stands in for github.com/substrait-io/substrait, which
// iceberg-go links in. That package embeds the definitions of some hundred
// functions as YAML, and iceberg-go parses all of them when a program starts:
// 60 ms of CPU and 45 MB, paid by every command and every query worker. They are
// needed to push row filters into iceberg-go's own scanner, which Wadi does not
// use: DuckDB reads the files and the lake rewrites them itself. Without them
// such a filter is an error of iceberg-go, not a wrong answer.
package substrait

import "embed"

//go:embed extensions
var extensionsFS embed.FS

// GetSubstraitExtensionsFS gives the folder extensions; its one file is of a name
// that the reader passes by.
func GetSubstraitExtensionsFS() embed.FS { return extensionsFS }
