// Command wadi collects, keeps and searches the security logs of Windows and
// Azure. It is a thin shell around package cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/wadi-project/wadi/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.New().Run(ctx, os.Args[1:])
	stop()
	os.Exit(int(code))
}
