package cli

import (
	"fmt"
	"os"
	"testing"

	"github.com/wadi-project/wadi/internal/engine"
)

// TestMain lets the test binary be the query worker, as cmd/wadi is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.WorkerCommand {
		if err := engine.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
