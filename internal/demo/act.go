package demo

import (
	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/event"
)

// security acts out what the Security log records.
func (h *host) security(a act) template {
	switch a {
	case actLogon:
		return h.logOn()
	case actLogonFails:
		h.chooseLogon()
		h.subject, h.subjectLogon = &nobody, 0
		return h.template("4625")
	case actLogoff:
		if len(h.sessions) == 0 {
			return h.logOn()
		}
		i := h.random.below(len(h.sessions))
		s := h.sessions[i]
		h.sessions[i] = h.sessions[len(h.sessions)-1]
		h.sessions = h.sessions[:len(h.sessions)-1]
		h.target, h.targetLogon, h.logon = s.account, s.logon, s.kind
		return h.template("4634")
	case actExplicit:
		h.target, h.pid = pick(&h.random, h.fleet.services), h.newPID()
		return h.template("4648")
	case actStart:
		return h.startProcess()
	case actEnd:
		return h.endProcess()
	case actTicket:
		h.chooseClient()
		return h.template("4768")
	case actService:
		h.chooseClient()
		h.from = pick(&h.random, h.fleet.machines)
		return h.template("4769")
	case actNTLM:
		h.chooseClient()
		return h.template("4776")
	case actShare:
		if len(h.sessions) == 0 {
			return h.logOn()
		}
		s := pick(&h.random, h.sessions)
		h.target, h.targetLogon, h.ip, h.port = s.account, s.logon, s.ip, s.port
		h.text = *pick(&h.random, shares)
		return h.template("5140")
	}
	h.connect()
	h.number = h.random.below(40)
	return h.template("5156")
}

// chooseClient picks a person at a machine, as domain controllers and servers
// see them.
func (h *host) chooseClient() {
	m := pick(&h.random, h.fleet.machines)
	h.target = m.owner
	if h.target == nil || h.random.chance(150) {
		h.target = pick(&h.random, h.fleet.people)
	}
	h.ip, h.workstation, h.port = m.ip, m.short, 49_152+h.random.below(16_000)
}

// chooseLogon picks who logs on, and how.
func (h *host) chooseLogon() {
	if h.host.role == workstation && h.random.chance(700) {
		h.target, h.ip, h.port, h.workstation = h.host.owner, "127.0.0.1", 0, h.host.short
		h.logon = &unlock
		if h.random.chance(300) {
			h.logon = &interactive
		}
		return
	}
	h.chooseClient()
	h.logon = &network
	switch n := h.random.below(100); {
	case n < 12:
		h.logon = &ntlm
	case n < 20 && h.host.role == server:
		h.target, h.logon, h.ip, h.port, h.workstation = pick(&h.random, h.fleet.services), &batch, "-", 0, h.host.short
	case n < 24:
		h.target, h.logon, h.ip, h.port, h.workstation = pick(&h.random, h.fleet.services), &asService, "-", 0, h.host.short
	case n < 26 && h.host.role != workstation:
		h.target, h.logon = pick(&h.random, h.fleet.admins), &remote
	}
	if h.logon == &network {
		h.workstation = "-"
	}
}

func (h *host) logOn() template {
	h.chooseLogon()
	h.subject, h.subjectLogon = &nobody, 0
	h.targetLogon = h.random.next() >> 36
	if h.logon.kind != "3" {
		h.subject, h.subjectLogon = &systemAccount, 0x3e7
	}
	h.privilege = h.target.admin
	if len(h.sessions) < openMost {
		h.sessions = append(h.sessions, session{h.target, h.targetLogon, h.logon, h.ip, h.port})
	}
	return h.template("4624")
}

func (h *host) newPID() uint32 { return uint32(4 * (200 + h.random.below(4000))) }

// chooseProcess picks a program and who runs it.
func (h *host) chooseProcess() {
	h.program = pick(&h.random, h.fleet.programs[h.host.role])
	h.parent = h.fleet.parent(h.host.role, h.program)
	h.pid, h.parentPID = h.newPID(), h.newPID()
	h.subject, h.subjectLogon = &systemAccount, 0x3e7
	if h.host.owner != nil && h.random.chance(700) {
		h.subject, h.subjectLogon = h.host.owner, h.random.next()>>36
		if len(h.sessions) > 0 {
			h.subjectLogon = h.sessions[0].logon
		}
	}
}

func (h *host) startProcess() template {
	h.chooseProcess()
	if len(h.running) < openMost {
		h.running = append(h.running, process{h.program, h.subject, h.subjectLogon, h.pid})
	}
	return h.template("4688")
}

func (h *host) endProcess() template {
	if len(h.running) == 0 {
		return h.startProcess()
	}
	p := h.running[0]
	h.running = append(h.running[:0], h.running[1:]...)
	h.program, h.subject, h.subjectLogon, h.pid = p.program, p.owner, p.logon, p.pid
	return h.template("4689")
}

// connect picks a program and whom it talks to.
func (h *host) connect() {
	h.chooseProcess()
	h.peer, h.port = pick(&h.random, peers), 49_152+h.random.below(16_000)
}

// upkeep acts out what the System and Application logs record.
func (h *host) upkeep(a act) template {
	h.number = h.random.below(1000)
	switch a {
	case actState:
		h.service, h.state = pick(&h.random, services), either(h.random.chance(500), "running", "stopped")
		return h.template("7036")
	case actStartType:
		return h.template("7040")
	case actBoot:
		return h.template(either(h.random.chance(300), "6006", either(h.random.chance(500), "6005", "12")))
	case actUptime:
		return h.template("6013")
	case actClock:
		return h.template("37")
	case actUpdate:
		return h.template("19")
	case actCrash:
		h.chooseProcess()
		return h.template("1000")
	case actInstall:
		return h.template("1033")
	case actLicence:
		return h.template("16384")
	case actDefender:
		return h.template("15")
	}
	h.pid = h.newPID()
	return h.template("102")
}

// trace acts out what Sysmon and PowerShell record.
func (h *host) trace(a act) template {
	switch a {
	case actSysmonStart:
		h.chooseProcess()
		return h.template("1")
	case actSysmonConnect:
		h.connect()
		return h.template("3")
	case actSysmonFile:
		h.chooseProcess()
		h.text = *pick(&h.random, files)
		return h.template("11")
	case actSysmonName:
		h.connect()
		return h.template("22")
	case actScript:
		h.chooseProcess()
		h.text = *pick(&h.random, scripts)
		return h.template("4104")
	}
	h.chooseProcess()
	return h.template(either(h.random.chance(500), "40961", "53504"))
}

// cursor walks the events of one stream within a block, in the order of time.
type cursor struct {
	stream     *stream
	block      *block
	start      event.Ticks // of the demo
	hour       int
	slot, last int64 // background events of the hour, [slot, last) are to come
	time       event.Ticks
	done       bool
	inserts    []window
}

// window is what a block has of an insert.
type window struct {
	insert *insert
	next   int64
	last   int64
}

// open gives a cursor and the number of records that the stream has before it.
func (g *Generator) open(s *stream, b *block, r *random) (cursor, int64) {
	c := cursor{stream: s, block: b, start: g.start, hour: b.lo}
	c.slot, c.last = s.slots(b.lo, b.part, b.parts)
	before := s.before[b.lo] + c.slot
	width := event.TicksPerHour
	from, to := g.hour(b.lo), g.hour(b.hi)
	if b.parts > 1 {
		from, to = from+width*event.Ticks(b.part)/event.Ticks(b.parts), from+width*event.Ticks(b.part+1)/event.Ticks(b.parts)
	}
	for i := range s.inserts {
		n := &s.inserts[i]
		w := window{n, n.until(from), n.until(to)}
		before += w.next
		if w.next < w.last {
			c.inserts = append(c.inserts, w)
		}
	}
	c.settle(r)
	return c, before
}

// settle finds the time of the next background event.
func (c *cursor) settle(r *random) {
	for c.slot == c.last {
		c.hour++
		if c.hour >= c.block.hi {
			c.done = true
			return
		}
		c.slot, c.last = c.stream.slots(c.hour, 0, 1)
	}
	n := c.stream.before[c.hour+1] - c.stream.before[c.hour]
	within := (c.slot*int64(event.TicksPerHour) + int64(r.next()%uint64(event.TicksPerHour))) / n
	c.time = c.start + event.Ticks(c.hour)*event.TicksPerHour + event.Ticks(within)
}

// peek gives the time of the stream's next event and, when it is a scenario's,
// its window.
func (c *cursor) peek() (t event.Ticks, w *window, ok bool) {
	t, ok = c.time, !c.done
	for i := range c.inserts {
		n := &c.inserts[i]
		if n.next == n.last {
			continue
		}
		if at := n.insert.at(n.next); !ok || at < t {
			t, w, ok = at, n, true
		}
	}
	return t, w, ok
}

// take moves past what peek gave.
func (c *cursor) take(w *window, r *random) {
	if w != nil {
		w.next++
		return
	}
	c.slot++
	c.settle(r)
}

// Fill makes block i: events of one machine in the order of time and, for a web
// server, the lines of its web log with their directives. It never fails; the
// error is [bulk.Feed]'s.
func (g *Generator) Fill(i int, out *bulk.Block) error {
	b, events := &g.blocks[i], out.Events
	h := g.newHost(b)
	var cursors [channels]cursor
	var records [channels]int64
	for c := range channels {
		cursors[c], records[c] = g.open(&g.own(b.machine)[c], b, &h.random)
		records[c] += int64(100_000 + 7919*b.machine + 104_729*int(c))
	}
	for {
		best, found := channel(0), false
		var first event.Ticks
		var source *window
		for c := range channels {
			if t, w, ok := cursors[c].peek(); ok && (!found || t < first) {
				best, first, source, found = c, t, w, true
			}
		}
		if !found {
			break
		}
		h.time, h.record = first, uint64(records[best])
		records[best]++
		var t template
		if source != nil {
			t = g.templates.list[source.insert.fill(source.next, &h.scene)]
			h.privilege = false // the scene has another target now
		} else {
			t = h.next(best)
		}
		cursors[best].take(source, &h.random)
		off := events.Begin()
		events.Text = t.render(events.Text, &h.scene)
		events.Events = append(events.Events, event.Event{XML: events.End(off)})
	}
	out.Host, out.Lines = h.host.computer, g.appendWeb(out.Lines, b, h)
	return nil
}
