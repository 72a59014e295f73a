package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// Version is the product's version. It is part of the demo's and the bench
// lakes' identity, so a release that changes either must change it.
const Version = "0.1.0"

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Stdout, "wadi %s %s/%s %s\n", Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
			return err
		},
	}
}
