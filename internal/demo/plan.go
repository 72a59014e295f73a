package demo

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/wadi-project/wadi/internal/event"
)

// Generation is the version of the generator. Any change of what it makes from
// the same configuration must raise it: lakes made by it are known by it.
const Generation = 1

const (
	days  = 14
	hours = days * 24
	// MinEvents is the smallest demo: the scenarios and some life around them.
	MinEvents = 2000
	// MaxEvents keeps all products below 2^63; a larger demo helps nobody.
	MaxEvents = 2_000_000_000
	// maxBlock is how many events and requests a block has at most, but for
	// roundings and a scenario's events: some MB of text.
	maxBlock = 4096
	// goodBlock is what an average block should have, so that a block is worth its
	// de-duplication key.
	goodBlock = 1500
)

// Config says what to make. The same configuration gives the same events in
// every run of the same [Generation].
type Config struct {
	// Seed picks one of 2^64 demos.
	Seed uint64
	// Until is the end of the fourteen days; whole hours.
	Until event.Ticks
	// Events is the number of Windows events.
	Events int64
	// Requests is the number of lines of the web servers' logs.
	Requests int64
}

// stream is what one machine writes to one channel, or its web log.
type stream struct {
	machine int
	channel channel
	// before[h] is the number of its events before hour h, without inserts.
	before  [hours + 1]int64
	inserts []insert
}

// insert is a run of a scenario's events in a stream, evenly spaced in
// [from, to).
type insert struct {
	from, to event.Ticks
	count    int64
	// fill sets the scene of event i and gives its template.
	fill func(i int64, s *scene) int
}

// until counts the insert's events before t.
func (n *insert) until(t event.Ticks) int64 {
	span, passed := int64(n.to-n.from), int64(min(max(t, n.from), n.to)-n.from)
	return (passed*n.count + span - 1) / span
}

// at is when event i happens.
func (n *insert) at(i int64) event.Ticks {
	return n.from + event.Ticks(i*int64(n.to-n.from)/n.count)
}

// block is a piece of the demo: some hours of one machine, or, when parts is
// more than 1, one part of an hour.
type block struct {
	machine     int
	lo, hi      int // hours
	part, parts int64
}

// Generator makes a demo. It is immutable and safe for concurrent use.
type Generator struct {
	config    Config
	fleet     *fleet
	templates *templates
	start     event.Ticks
	streams   []stream // machine*channels + channel
	web       []stream // machine → its web log, no hours when it has none
	blocks    []block
	truth     *Truth
}

// New plans a demo.
func New(config Config) (*Generator, error) {
	switch {
	case config.Events < MinEvents || config.Events > MaxEvents:
		return nil, fmt.Errorf("cannot make %d events: the demo has %d to %d", config.Events, MinEvents, MaxEvents)
	case config.Requests < MinEvents/20 || config.Requests > MaxEvents:
		return nil, fmt.Errorf("cannot make %d requests: the demo has %d to %d", config.Requests, MinEvents/20, MaxEvents)
	case config.Until%event.TicksPerHour != 0:
		return nil, errors.New("cannot end the demo within an hour: give a whole hour")
	case config.Until < event.UnixEpoch+days*event.TicksPerDay:
		return nil, errors.New("cannot end the demo before 1970-01-15")
	}
	g := &Generator{config: config, fleet: newFleet(), start: config.Until - days*event.TicksPerDay}
	var err error
	if g.templates, err = readTemplates(); err != nil {
		return nil, err
	}
	g.streams = make([]stream, len(g.fleet.machines)*int(channels))
	g.web = make([]stream, len(g.fleet.machines))
	for m := range g.fleet.machines {
		for c := range channels {
			g.streams[m*int(channels)+int(c)] = stream{machine: m, channel: c}
		}
		g.web[m] = stream{machine: m}
	}
	g.addScenarios()
	g.deal(g.streams, config.Events, func(s *stream, r role) int { return volume[r][s.channel] })
	g.deal(g.web, config.Requests, func(_ *stream, r role) int {
		if r == webServer {
			return 1
		}
		return 0
	})
	g.cut()
	return g, nil
}

// deal gives each stream and hour its share of n, by cumulative rounding, so
// that the sum is n whatever the weights are.
func (g *Generator) deal(streams []stream, n int64, weight func(*stream, role) int) {
	for i := range streams {
		for _, insert := range streams[i].inserts {
			n -= insert.count
		}
	}
	each := func(fn func(s *stream, hour int, weight uint64)) {
		for i := range streams {
			s := &streams[i]
			r := g.fleet.machines[s.machine].role
			for h := range hours {
				at := g.start + event.Ticks(h)*event.TicksPerHour
				weekend := at / event.TicksPerDay % 7 // 0001-01-01 was a Monday
				fn(s, h, uint64(weight(s, r))*uint64(rhythm(r, int(at/event.TicksPerHour%24), weekend >= 5)))
			}
		}
	}
	var total, done uint64
	each(func(_ *stream, _ int, w uint64) { total += w })
	each(func(s *stream, h int, w uint64) {
		s.before[h+1] = s.before[h] + share(uint64(n), done+w, total) - share(uint64(n), done, total)
		done += w
	})
}

// slots gives the range of background events of an hour that a part of it has.
func (s *stream) slots(hour int, part, parts int64) (lo, hi int64) {
	n := s.before[hour+1] - s.before[hour]
	return (n*part + parts - 1) / parts, (n*(part+1) + parts - 1) / parts
}

// count is how many records a stream has in the hours [lo, hi).
func (g *Generator) count(s *stream, lo, hi int) int64 {
	n := s.before[hi] - s.before[lo]
	for i := range s.inserts {
		n += s.inserts[i].until(g.hour(hi)) - s.inserts[i].until(g.hour(lo))
	}
	return n
}

func (g *Generator) hour(h int) event.Ticks { return g.start + event.Ticks(h)*event.TicksPerHour }

// own gives the event streams of a machine.
func (g *Generator) own(machine int) []stream {
	return g.streams[machine*int(channels) : (machine+1)*int(channels)]
}

// cut makes the blocks: windows of some hours, in the order of time, so that what
// is committed together lies close together in time.
func (g *Generator) cut() {
	window := 24
	for _, h := range []int{24, 12, 8, 6, 4, 3, 2, 1} {
		window = h
		if (g.config.Events+g.config.Requests)*int64(h) <= goodBlock*int64(len(g.fleet.machines))*hours {
			break
		}
	}
	total := func(m, lo, hi int) int64 {
		n := g.count(&g.web[m], lo, hi)
		for i := range g.own(m) {
			n += g.count(&g.own(m)[i], lo, hi)
		}
		return n
	}
	for lo := 0; lo < hours; lo += window {
		for m := range g.fleet.machines {
			switch n := total(m, lo, lo+window); {
			case n == 0:
			case n <= maxBlock:
				g.blocks = append(g.blocks, block{machine: m, lo: lo, hi: lo + window, parts: 1})
			default:
				for h := lo; h < lo+window; h++ {
					parts := (total(m, h, h+1) + maxBlock - 1) / maxBlock
					for part := range parts {
						g.blocks = append(g.blocks, block{machine: m, lo: h, hi: h + 1, part: part, parts: parts})
					}
				}
			}
		}
	}
}

// Kind names the demo among the kinds of sources.
func (g *Generator) Kind() string { return "demo" }

// Blocks is the number of blocks.
func (g *Generator) Blocks() int { return len(g.blocks) }

// Key identifies block i of this demo among all demos, for de-duplication.
func (g *Generator) Key(i int) [32]byte {
	c := &g.config
	return sha256.Sum256(fmt.Appendf(nil, "wadi demo %d: seed %d until %d events %d requests %d block %d", Generation, c.Seed, c.Until, c.Events, c.Requests, i))
}
