package bulk

import (
	"context"
	"errors"
)

// errNotYet is gone when the importer is there.
var errNotYet = errors.New("cannot import: not built yet")

// Import brings the logs that cfg.Paths name into the lake. Damage, duplicates
// and files that are no log or cannot be opened are in the summary and are no
// error. On an error, or when ctx ends, what was committed stays and the summary
// says what it is.
func Import(ctx context.Context, cfg Config) (Summary, error) { return Summary{}, errNotYet }

// ImportFeed brings what feed makes into the lake, as Import does with files.
func ImportFeed(ctx context.Context, cfg Config, feed Feed) (Summary, error) {
	return Summary{}, errNotYet
}
