package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wadi-project/wadi/internal/collect/bulk"
)

// TruthFile is the name of the file in the data folder that tells what is
// hidden in its demo.
const TruthFile = "demo-truth.json"

// Run brings the demo into the lake of cfg.Writer, whose folder is dir, and then
// writes [TruthFile] there. What the lake has already is not stored again.
func (g *Generator) Run(ctx context.Context, cfg bulk.Config, dir string) (bulk.Summary, error) {
	summary, err := bulk.ImportFeed(ctx, cfg, g)
	if err != nil {
		return summary, fmt.Errorf("cannot make the demo: %w", err)
	}
	if err := writeTruth(filepath.Join(dir, TruthFile), g.truth); err != nil {
		return summary, fmt.Errorf("cannot write what is hidden in the demo: %w", err)
	}
	return summary, nil
}

// writeTruth writes the file whole or not at all.
func writeTruth(path string, truth *Truth) error {
	text, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return err
	}
	making := path + ".new"
	if err := os.WriteFile(making, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(making, path)
}
