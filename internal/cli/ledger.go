package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
)

func (a *App) ledgerCommand() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Say what is missing, by source and channel",
		Long: "Adds the ledger up and says in words, by source and channel, what is missing: records that a source has lost, records that\n" +
			"could not be read, and what came late. 'ledger' in KQL has the counts by part.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "ledger", func(l *lake.Lake) error { return a.ledger(cmd.Context(), l, all, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "name sources that miss nothing too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a source and channel")
	return cmd
}

func (a *App) ledger(ctx context.Context, l *lake.Lake, all, asJSON bool) error {
	accounts, err := l.Accounts(ctx)
	if err != nil {
		return err
	}
	var sum lake.SourceTally
	var said []string
	for i := range accounts {
		s := &accounts[i]
		sum.Add(&s.SourceTally)
		if asJSON {
			err = errors.Join(err, a.ledgerJSON(s))
			continue
		}
		lines := ledgerWords(s, all)
		if len(lines) > 0 {
			said = append(said, escape(sourceWords(s))+":")
			said = append(said, lines...)
		}
	}
	if asJSON || err != nil {
		return err
	}
	switch {
	case len(accounts) == 0:
		return a.say("Nothing was received yet.")
	case sum.Lost == 0 && sum.Damaged == 0:
		said = append([]string{"Nothing is missing."}, said...)
	default:
		said = append([]string{"Missing: " + missing(&sum) + "."}, said...)
	}
	for _, line := range said {
		err = errors.Join(err, a.say("%s", line))
	}
	return errors.Join(err, a.say("%s received = %s stored + %s duplicate + %s filtered + %s damaged, from %s.",
		counted(sum.Received), counted(sum.Stored), counted(sum.Duplicate), counted(sum.Filtered), counted(sum.Damaged), plural(int64(len(accounts)), "source")))
}

// sourceWords names a source.
func sourceWords(s *lake.Account) string {
	name := s.Source.File
	if name == "" {
		name = s.Source.Subscription
	}
	words := []string{fmt.Sprintf("Source %d", s.Source.ID)}
	for _, w := range []string{s.Source.Kind, name} {
		if w != "" {
			words = append(words, w)
		}
	}
	if s.Source.Host != "" {
		words = append(words, "of "+s.Source.Host)
	}
	return strings.Join(words, " ")
}

// ledgerWords says what is to be said of a source, one line a channel. all says
// something of every channel.
func ledgerWords(s *lake.Account, all bool) (lines []string) {
	for i := range s.Channels {
		c := &s.Channels[i]
		var words []string
		if c.Lost > 0 || c.Damaged > 0 {
			words = append(words, missing(c))
		}
		if c.Partial > 0 {
			words = append(words, plural(c.Partial, "record")+" stored incomplete")
		}
		if c.Late > 0 {
			words = append(words, plural(c.Late, "record")+" came late, up to "+span(c.SkewMax)+" after the event")
		}
		if s.Door == "stream" && c.Stored > 0 && c.SkewMin < -lake.LateAfter {
			words = append(words, "its clock is up to "+span(-c.SkewMin)+" ahead")
		}
		if len(words) == 0 {
			if !all {
				continue
			}
			words = append(words, "nothing is missing")
		}
		if all {
			words = append(words, counted(c.Stored)+" of "+counted(c.Received)+" stored, "+counted(c.Duplicate)+" duplicate, "+counted(c.Filtered)+" filtered")
		}
		line := strings.Join(words, "; ") + "."
		if len(c.Losses) > 0 {
			line += " First: " + c.Losses[0] + "."
		}
		if c.Channel != "" {
			line = c.Channel + ": " + line
		}
		lines = append(lines, "  "+escape(line))
	}
	for i := range s.Targets {
		if t := &s.Targets[i]; all {
			lines = append(lines, "  "+escape(strings.TrimSpace(t.Channel+" delivered to "+t.Target)+": "+counted(t.Delivered)+"."))
		}
	}
	return lines
}

// missing says what a tally lacks.
func missing(t *lake.SourceTally) string {
	var words []string
	if t.Lost > 0 {
		words = append(words, plural(t.Lost, "record")+" lost at the source")
	}
	if t.Damaged > 0 {
		words = append(words, plural(t.Damaged, "record")+" damaged and not stored")
	}
	return strings.Join(words, ", ")
}

// span prints a length of time, in ticks, to the second.
func span(ticks int64) string {
	d := time.Duration(ticks/int64(event.TicksPerSecond)) * time.Second
	if days := d / (24 * time.Hour); days > 1 {
		return plural(int64(days), "day")
	}
	return d.String()
}

func (a *App) ledgerJSON(s *lake.Account) error {
	head := func(t *lake.SourceTally) map[string]any {
		return map[string]any{
			"source": s.Source.ID, "log": s.Log, "door": s.Door, "kind": s.Source.Kind, "host": s.Source.Host, "file": s.Source.File,
			"subscription": s.Source.Subscription, "case": s.Case, "channel": t.Channel,
		}
	}
	var err error
	for i := range s.Channels {
		c := &s.Channels[i]
		v := head(c)
		for name, n := range map[string]int64{
			"received": c.Received, "stored": c.Stored, "duplicate": c.Duplicate, "filtered": c.Filtered, "damaged": c.Damaged,
			"partial": c.Partial, "lost": c.Lost, "late": c.Late,
		} {
			v[name] = n
		}
		if c.Stored > 0 {
			v["first"], v["last"] = c.FirstTime.String(), c.LastTime.String()
			v["skew_min_s"], v["skew_max_s"] = c.SkewMin/int64(event.TicksPerSecond), c.SkewMax/int64(event.TicksPerSecond)
		}
		if len(c.Losses) > 0 {
			v["losses"] = c.Losses
		}
		err = errors.Join(err, a.printJSON(v))
	}
	for i := range s.Targets {
		v := head(&s.Targets[i])
		v["target"], v["delivered"] = s.Targets[i].Target, s.Targets[i].Delivered
		err = errors.Join(err, a.printJSON(v))
	}
	return err
}
