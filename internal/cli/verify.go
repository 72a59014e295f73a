package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/evidence"
	"github.com/wadi-project/wadi/internal/lake"
)

func (a *App) verifyCommand() *cobra.Command {
	var asJSON bool
	var heads string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the lake against its chain of evidence",
		Long: "Checks every file as 'lake verify' does, then recomputes the chain of evidence: what each commit added and took out, and\n" +
			"its rows of the ledger. What was changed, removed or brought in beside the chain is named with its day, its row groups\n" +
			"and the ranges of _Seq they held. Exit code 1 when there is a fault.\n\n" +
			"Who can write to the folder can write a new chain. Keep its heads elsewhere: --heads FILE compares those in FILE and,\n" +
			"when nothing is wrong, adds the present one.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "verify", func(l *lake.Lake) error { return a.verify(cmd.Context(), l, heads, asJSON) })
		},
	}
	cmd.Flags().StringVar(&heads, "heads", "", "file outside of the lake with the heads of the chain")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// maxHeads bounds the file of heads that is read.
const maxHeads = 256 << 20

// readHeads reads the heads that were kept, and the text they stand in; a file that
// isn't there yet has none.
func (a *App) readHeads(path string) (kept []evidence.Kept, text string, err error) {
	if path == "" {
		return nil, "", nil
	}
	f, err := a.open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the heads: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxHeads))
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the heads: %w", err)
	}
	kept, err = evidence.ReadKept(strings.NewReader(string(data)))
	return kept, string(data), err
}

func (a *App) verify(ctx context.Context, l *lake.Lake, heads string, asJSON bool) error {
	kept, text, err := a.readHeads(heads)
	if err != nil {
		return err
	}
	faults := []lake.Fault{}
	v, err := l.VerifyEvidence(ctx, kept, func(f lake.Fault) {
		faults = append(faults, f)
		if !asJSON {
			a.printFault(f)
		}
	})
	if err != nil {
		return err
	}
	if asJSON {
		err = a.printJSON(struct {
			lake.Evidence
			Findings []lake.Fault `json:"findings"`
		}{v, faults})
	} else {
		err = a.say("%s with %s (%s): %s, %s.", plural(int64(v.Files), "file"), plural(v.Rows, "row"), megabytes(v.Bytes),
			plural(int64(v.Faults), "fault"), plural(int64(v.Orphans), "orphan"))
		if v.Head != "" {
			err = errors.Join(err, a.say("The chain %s has %s; its head is %d %s.", v.Chain, entries(v.Entries), v.N, v.Head))
		}
		if v.Unproven > 0 {
			err = errors.Join(err, a.say("%s older than the chain: what they held then isn't known.", plural(int64(v.Unproven), "file")))
		}
	}
	switch {
	case err != nil:
		return err
	case v.Faults > 0:
		return &Error{Code: CodeFailed, Hint: "restore the files named from a backup", Err: fmt.Errorf("cannot vouch for the lake: %s", plural(int64(v.Faults), "fault"))}
	case heads == "" || v.Head == "":
		return nil
	}
	return a.keepHead(heads, text, kept, v)
}

// keepHead adds the present head to the file, unless it is the last there.
func (a *App) keepHead(path, text string, kept []evidence.Kept, v lake.Evidence) error {
	head, err := evidence.ParseHead(v.Head)
	if err != nil {
		return err
	}
	if n := len(kept); n > 0 && kept[n-1].N == v.N && kept[n-1].Head == head {
		return nil
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text += evidence.Kept{N: v.N, Head: head, Chain: v.Chain, When: time.Now().UTC().Format(time.RFC3339)}.Line()
	return a.toFile(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func entries(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return counted(n) + " entries"
}

// printFault prints a finding with what the file held.
func (a *App) printFault(f lake.Fault) {
	kind := "fault"
	if f.Orphan {
		kind = "orphan"
	}
	fmt.Fprintf(a.Stdout, "%s: %s: %s\n", kind, escape(f.Path), escape(f.Reason))
	if f.Day != "" {
		fmt.Fprintf(a.Stdout, "  of table %s, rows stored on %s\n", escape(f.Table), f.Day)
	}
	for _, held := range f.Held {
		fmt.Fprintf(a.Stdout, "  %s\n", escape(held))
	}
}
