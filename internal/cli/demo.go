package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/demo"
	"github.com/wadi-project/wadi/internal/event"
)

// requestsShare is how many events come on one request of the demo's web logs.
const requestsShare = 20

func (a *App) demoCommand() *cobra.Command {
	config := demo.Config{Seed: 1, Events: 200_000}
	var until string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Make a realistic, labelled lake to try things on",
		Long: "Make fourteen days of events of a small fleet, with an intrusion and an outage inside, and store them\n" +
			"as import does. What is hidden, the questions that find it and the right answers are then in\n" +
			demo.TruthFile + " in the lake's folder. The same flags give the same events; a second run adds nothing.\n" +
			"On top of the events comes one line of web log for every " + fmt.Sprint(requestsShare) + ".",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needsLake("demo"); err != nil {
				return err
			}
			var err error
			if config.Until, err = parseUntil(until, time.Now()); err != nil {
				return err
			}
			config.Requests = config.Events / requestsShare
			g, err := demo.New(config)
			if err != nil {
				return &Error{Code: CodeUsage, Hint: "see 'wadi demo --help'", Err: err}
			}
			return a.demo(cmd.Context(), g)
		},
	}
	cmd.Flags().Int64Var(&config.Events, "events", config.Events, "number of Windows events")
	cmd.Flags().Uint64Var(&config.Seed, "seed", config.Seed, "which of the possible demos")
	cmd.Flags().StringVar(&until, "until", "", "end of the fourteen days: a day, or a time on a whole hour, UTC (default today 00:00)")
	return cmd
}

// parseUntil reads a day or a time; empty is the day of now at 00:00.
func parseUntil(text string, now time.Time) (event.Ticks, error) {
	if text == "" {
		return event.FromTime(now.UTC().Truncate(24 * time.Hour)), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return event.FromTime(t), nil
		}
	}
	return 0, usageError("use 2026-11-01 or 2026-11-01T00:00:00Z", "cannot understand --until %q", text)
}

func (a *App) demo(ctx context.Context, g *demo.Generator) (err error) {
	w, done, err := a.openImporter(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	start := time.Now()
	summary, err := g.Run(ctx, bulk.Config{Writer: w, Log: a.log}, a.DataDir)
	if err != nil {
		return err
	}
	if summary.Interrupted {
		return fmt.Errorf("cannot finish the demo: interrupted after %d records; run it again to go on", summary.Stored)
	}
	truth := g.Truth()
	if summary.Stored == 0 {
		_, err = fmt.Fprintf(a.Stdout, "the demo is there already: %d events and %d requests up to %s\n", truth.Events, truth.Requests, truth.Until)
		return err
	}
	_, err = fmt.Fprintf(a.Stdout, "stored %d records in %.1f s: %d events and %d requests of fourteen days up to %s\nwhat is hidden in them: %s/%s\n",
		summary.Stored, time.Since(start).Seconds(), truth.Events, truth.Requests, truth.Until, a.DataDir, demo.TruthFile)
	return err
}
