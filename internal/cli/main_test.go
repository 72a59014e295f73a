package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
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
	// And the program itself, for tests that sit at a terminal.
	if os.Getenv(asProgram) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		code := New().Run(ctx, os.Args[1:])
		stop()
		os.Exit(int(code))
	}
	os.Exit(m.Run())
}

// asProgram is the variable that makes the test binary the program.
const asProgram = "WADI_TEST_AS_PROGRAM"
