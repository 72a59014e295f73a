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
	var batches int64 // lost ones of senders' own logs: how many records they held isn't known
	var said []string
	live := false
	for i := range accounts {
		s := &accounts[i]
		sum.Add(&s.SourceTally)
		if s.Door == streamDoor {
			live = true
			batches += s.Lost
		}
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
		said = append([]string{"Missing: " + missing(sum.Lost-batches, batches, sum.Damaged) + "."}, said...)
	}
	if live {
		said = append(said, "Of live sources, missing batches of a sender are counted; record numbers that an event log skips are not.")
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
			if s.Door == streamDoor {
				words = append(words, missing(0, c.Lost, c.Damaged))
			} else {
				words = append(words, missing(c.Lost, 0, c.Damaged))
			}
		}
		if c.Partial > 0 {
			words = append(words, plural(c.Partial, "record")+" stored incomplete")
		}
		if c.Late > 0 {
			words = append(words, plural(c.Late, "record")+" came late, up to "+span(c.SkewMax)+" after the event")
		}
		if s.Door == streamDoor && c.Stored > 0 && c.SkewMin < -lake.LateAfter {
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

// streamDoor is the door of live sources (table sources).
const streamDoor = "stream"

// missing says what is lacking: records and whole batches lost at the source, and
// damaged records.
func missing(records, batches, damaged int64) string {
	var words []string
	if records > 0 {
		words = append(words, plural(records, "record")+" lost at the source")
	}
	switch {
	case batches == 1:
		words = append(words, "1 batch lost at the source")
	case batches > 1:
		words = append(words, counted(batches)+" batches lost at the source")
	}
	if damaged > 0 {
		words = append(words, plural(damaged, "record")+" damaged and not stored")
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
