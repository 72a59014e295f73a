package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Config says what is measured and with what.
type Config struct {
	// Wadi is the path of the binary under test.
	Wadi string
	// Corpus is the folder of real files (WADI_CORPUS).
	Corpus string
	// Cache keeps inputs that take long to make, by generator version.
	Cache string
	// Runs is how often each figure is measured; the median is printed.
	Runs int
	// LakeRows is the size of the lake that questions are asked of.
	LakeRows int64
	// LoadFor is how long each load of a server lasts; 0 is the package's default.
	LoadFor time.Duration
	// EVTXDump is the peer's binary; empty when none could be had, and then no
	// ratio is printed.
	EVTXDump string
	// Only picks sections by name; empty means all.
	Only []string
}

// section is a group of figures over the same input.
type section struct {
	name string
	run  func(context.Context, *bench) error
}

var sections = []section{
	{"evtx", benchEVTX},
	{"import", benchImport},
	{"corpus", benchCorpus},
	{"query", benchQuery},
	{"pairs", benchPairs},
	{"hot", benchHot},
	{"plan", benchPlan},
	{"many", benchMany},
	{"bomb", benchBomb},
	{"ingest", benchIngest},
}

// bench is one run: the configuration and where results go.
type bench struct {
	Config
	out io.Writer
	tmp string
}

// Run measures every section and prints a line for each figure, with its goal.
// Figures are for people: a missed goal is printed, not an error. Errors are
// commands that failed.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	tmp, err := os.MkdirTemp("", "wadi-bench-")
	if err != nil {
		return fmt.Errorf("cannot make a folder for the bench: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := os.MkdirAll(cfg.Cache, 0o755); err != nil {
		return fmt.Errorf("cannot make the cache of the bench: %w", err)
	}
	if cfg.LoadFor == 0 {
		cfg.LoadFor = defaultLoadFor
	}
	b := &bench{Config: cfg, out: out, tmp: tmp}
	for _, s := range sections {
		if len(cfg.Only) > 0 && !slices.Contains(cfg.Only, s.name) {
			continue
		}
		fmt.Fprintf(out, "== %s\n", s.name)
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("cannot measure %s: %w", s.name, err)
		}
	}
	return nil
}

// figure prints one line: what, the measured value, the goal.
func (b *bench) figure(what, value, goal string) {
	fmt.Fprintf(b.out, "%-58s %-44s goal %s\n", what, value, goal)
}

// fresh gives a folder name that does not exist yet.
func (b *bench) fresh(name string, run int) string {
	return filepath.Join(b.tmp, fmt.Sprintf("%s-%d", name, run))
}
