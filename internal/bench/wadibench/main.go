// Command wadibench prints Wadi's figures: `make bench`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/bench"
)

func main() {
	cfg := bench.Config{Corpus: os.Getenv("WADI_CORPUS")}
	only := ""
	flag.StringVar(&cfg.Wadi, "wadi", "bin/wadi", "binary under test")
	flag.StringVar(&cfg.Cache, "cache", ".cache/bench", "folder for inputs that take long to make")
	flag.IntVar(&cfg.Runs, "runs", 5, "runs a figure")
	flag.Int64Var(&cfg.LakeRows, "lake-rows", 20_000_000, "size of the lake that questions are asked of")
	flag.StringVar(&only, "only", "", "sections, comma-separated: evtx, import, corpus, query, pairs, hot, plan, many, bomb, ingest")
	flag.Parse()
	if only != "" {
		cfg.Only = strings.Split(only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "wadibench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, cfg bench.Config) (err error) {
	if cfg.Corpus == "" {
		return errors.New("cannot make the inputs: set WADI_CORPUS to the folder of real event logs")
	}
	if cfg.Wadi, err = filepath.Abs(cfg.Wadi); err != nil {
		return err
	}
	if cfg.Cache, err = filepath.Abs(cfg.Cache); err != nil {
		return err
	}
	if len(cfg.Only) == 0 || slices.Contains(cfg.Only, "evtx") {
		cfg.EVTXDump = evtxDump(ctx, cfg.Cache)
	}
	return bench.Run(ctx, cfg, os.Stdout)
}

// evtxDump finds the peer: $EVTX_DUMP, else on PATH, else built by cargo into
// the cache, else none.
func evtxDump(ctx context.Context, cache string) string {
	if path := os.Getenv("EVTX_DUMP"); path != "" {
		return path
	}
	if path, err := exec.LookPath("evtx_dump"); err == nil {
		return path
	}
	root := filepath.Join(cache, "evtx-0.15.1")
	path := filepath.Join(root, "bin/evtx_dump")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(ctx, "cargo", "install", "evtx", "--version", "0.15.1", "--features", "evtx_dump,fast-alloc", "--root", root)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "no evtx_dump to compare with:", err)
		return ""
	}
	return path
}
