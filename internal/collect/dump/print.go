package dump

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
)

// Print writes the summary for people.
func (info *Info) Print(w io.Writer) error {
	var b strings.Builder
	h := info.Header
	fmt.Fprintf(&b, "%s\n", info.Name)
	if h.Present {
		fmt.Fprintf(&b, "  format    %d.%d, %s, %d chunks (header: %d)%s\n", h.Major, h.Minor, bytesText(info.SizeBytes), info.Chunks, h.ChunkCount, flagsText(h))
	} else {
		fmt.Fprintf(&b, "  format    no file header, %s, %d chunks\n", bytesText(info.SizeBytes), info.Chunks)
	}
	fmt.Fprintf(&b, "  records   %d", info.Records)
	if info.LastID != 0 {
		fmt.Fprintf(&b, ", identifiers %d to %d", info.FirstID, info.LastID)
	}
	b.WriteByte('\n')
	if first, last := info.span(); last != 0 {
		fmt.Fprintf(&b, "  time      %s to %s\n", first, last)
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, c := range info.Channels {
		head := ""
		if i == 0 {
			head = "channels"
		}
		name := c.Name
		if name == "" {
			name = "(none)"
		}
		fmt.Fprintf(t, "  %-8s  %s\t%d records\t%s\t%s to %s\n", head, name, c.Records, computersText(c.Computers), c.First, c.Last)
	}
	t.Flush() // into a strings.Builder, which never fails
	fmt.Fprintf(&b, "  gaps      %s\n", info.gapsText())
	fmt.Fprintf(&b, "  damage    %s\n", info.damageText())
	for _, l := range info.Losses {
		fmt.Fprintf(&b, "            %s\n", l.Error())
	}
	if more := info.Findings - int64(len(info.Losses)); more > 0 {
		fmt.Fprintf(&b, "            … and %d more\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// span gives the smallest and largest time of all channels.
func (info *Info) span() (first, last event.Ticks) {
	var all Channel
	for _, c := range info.Channels {
		all.span(c.First, c.Last)
	}
	return all.First, all.Last
}

func bytesText(n int64) string {
	if n < 1_000_000 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func flagsText(h evtx.Header) string {
	var b strings.Builder
	for _, f := range []struct {
		flag uint32
		text string
	}{
		{evtx.FlagDirty, "dirty: not closed cleanly, the header is stale"},
		{evtx.FlagFull, "full: old events are kept, new ones were dropped"},
		{evtx.FlagNoChecksum, "without checksums"},
	} {
		if h.Flags&f.flag != 0 {
			b.WriteString("; " + f.text)
		}
	}
	return b.String()
}

func computersText(n int) string {
	if n == 1 {
		return "1 computer"
	}
	return fmt.Sprintf("%d computers", n)
}

// shownGaps bounds the gaps that are printed.
const shownGaps = 10

func (info *Info) gapsText() string {
	if info.GapCount == 0 {
		return "none"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d, %d identifiers missing:", info.GapCount, info.Missing)
	for i, g := range info.Gaps {
		if i == shownGaps {
			b.WriteString(" …")
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if g.First == g.Last {
			fmt.Fprintf(&b, " %d", g.First)
		} else {
			fmt.Fprintf(&b, " %d–%d", g.First, g.Last)
		}
	}
	return b.String()
}

func (info *Info) damageText() string {
	if info.Findings == 0 {
		return "none"
	}
	return fmt.Sprintf("%d findings, %d records known to be lost", info.Findings, info.Lost)
}
