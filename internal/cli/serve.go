package cli

import (
	"context"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wadi-project/wadi/internal/server"
)

func (a *App) serveCommand() *cobra.Command {
	var config string
	var salvage bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: take rows over HTTPS, answer questions, keep the lake",
		Long: "Runs until it is told to end (Ctrl-C, SIGTERM). Settings come from flags, else from variables (WADI_LISTEN for\n" +
			"--listen), else from --config, else from wadi.yaml in the data folder. SIGHUP reads the file and the certificate again.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), cmd.Flags(), config, salvage)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config, "config", a.Getenv("WADI_CONFIG"), "file of settings (or WADI_CONFIG; default wadi.yaml in the data folder)")
	flags.BoolVar(&salvage, "salvage", false, "start although frames of the log are damaged: they are skipped and named")
	all := server.AllSettings()
	for i := range all {
		s := &all[i]
		if s.Flag() == "log-level" || s.Flag() == "log-format" {
			continue // flags of every command
		}
		about := s.About
		if s.Default != "" {
			about += " (default " + s.Default + ")"
		}
		flags.String(s.Flag(), "", about)
	}
	return cmd
}

func (a *App) serve(ctx context.Context, flags *pflag.FlagSet, config string, salvage bool) error {
	if err := needsLake("serve"); err != nil {
		return err
	}
	given := map[string]string{}
	all := server.AllSettings()
	for i := range all {
		if f := flags.Lookup(all[i].Flag()); f != nil && f.Changed {
			given[all[i].Key] = f.Value.String()
		}
	}
	reload := make(chan os.Signal, 1)
	if len(reloadSignals) > 0 {
		signal.Notify(reload, reloadSignals...)
		defer signal.Stop(reload)
	}
	return server.Run(ctx, server.Config{
		Sources: server.Sources{Flags: given, Getenv: a.Getenv, File: config, DataDir: a.DataDir},
		Version: Version,
		Stdout:  a.Stdout, Stderr: a.Stderr,
		Reload:  reload,
		Salvage: salvage,
		Local: func(ctx context.Context, local server.Local) (string, func() error, error) {
			return NewHost(local.Writer, local.Engine, local.Flush).Listen(ctx, a.Getenv, local.Log)
		},
	})
}
