package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// conns bounds the connections. When a new one comes and there is no place, the
// oldest goes that no request with a right token runs on: first those that never
// had one. So a crowd of idle or slow strangers costs a bounded memory and keeps
// nobody out.
type conns struct {
	mu      sync.Mutex
	max     int
	all     map[net.Conn]*connection
	strange list.List // *connection, oldest first
	friends list.List
	dropped int64
}

// connection is one connection; its fields are under conns.mu.
type connection struct {
	of   *conns
	conn net.Conn
	// known tells that a right token was seen on it; busy counts the requests with
	// one that run.
	known bool
	busy  int
	place *list.Element // in one of the lists while not busy
}

func newConns(most int) *conns { return &conns{max: most, all: map[net.Conn]*connection{}} }

func (c *conns) resize(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.max = most
}

func (c *conns) count() (open int, dropped int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all), c.dropped
}

// connKey is the key of a connection in the context of its requests.
type connKey struct{}

// context is http.Server.ConnContext: it takes the new connection in.
func (c *conns) context(ctx context.Context, conn net.Conn) context.Context {
	entry := &connection{of: c, conn: conn}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[conn] = entry
	for len(c.all) > c.max {
		oldest := c.strange.Front()
		if oldest == nil {
			oldest = c.friends.Front()
		}
		if oldest == nil {
			c.drop(entry) // everybody is busy: the new one has to come again
			return ctx
		}
		c.drop(oldest.Value.(*connection))
	}
	entry.place = c.strange.PushBack(entry)
	return context.WithValue(ctx, connKey{}, entry)
}

// state is http.Server.ConnState: it forgets connections that have ended.
func (c *conns) state(conn net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry := c.all[conn]; entry != nil {
		c.remove(entry)
	}
}

func (c *conns) remove(e *connection) {
	delete(c.all, e.conn)
	e.unlist()
}

// drop ends a connection. The one below TLS is closed: TLS would say goodbye, and
// wait for a client that doesn't read.
func (c *conns) drop(e *connection) {
	c.remove(e)
	c.dropped++
	below := e.conn
	if t, ok := below.(*tls.Conn); ok {
		below = t.NetConn()
	}
	_ = below.Close()
}

func (e *connection) unlist() {
	if e.place == nil {
		return
	}
	if e.known {
		e.of.friends.Remove(e.place)
	} else {
		e.of.strange.Remove(e.place)
	}
	e.place = nil
}

// known notes that a request with a right token runs on its connection, until done
// is called.
func known(ctx context.Context) (done func()) {
	e, ok := ctx.Value(connKey{}).(*connection)
	if !ok {
		return func() {}
	}
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	e.unlist()
	e.known = true
	e.busy++
	return func() {
		e.of.mu.Lock()
		defer e.of.mu.Unlock()
		if e.busy--; e.busy == 0 && e.of.all[e.conn] == e {
			e.place = e.of.friends.PushBack(e)
		}
	}
}
