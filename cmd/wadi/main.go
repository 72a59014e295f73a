// Command wadi collects, keeps and searches the security logs of Windows and
// Azure. It is a thin shell around package cli.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/wadi-project/wadi/internal/cli"
	"github.com/wadi-project/wadi/internal/engine"
)

func main() {
	// The query worker is this binary, executed again: nothing else may run first.
	if len(os.Args) > 1 && os.Args[1] == engine.WorkerCommand {
		if err := engine.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(int(cli.CodeFailed))
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.New().Run(ctx, os.Args[1:])
	stop()
	os.Exit(int(code))
}
