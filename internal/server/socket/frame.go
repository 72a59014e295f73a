package socket

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// kind is the kind of a message.
type kind uint8

const (
	kindCall   kind = 1 + iota // client: the call
	kindCancel                 // client: its user wants no more (Ctrl-C)
	kindReply                  // client: an answer to kindAsk
	kindOut                    // server: standard output
	kindErr                    // server: standard error
	kindAsk                    // server: about a file or standard input
	kindEnd                    // server: the exit code, the last message
)

// headerBytes is the length of what is before a message's JSON: u32 length of the
// rest, u8 kind, u8 number of descriptors, u32 length of the JSON.
const headerBytes = 10

// frame is a message: its JSON, and bytes that follow it.
type frame struct {
	kind kind
	head []byte
	body []byte
	file *os.File
}

// errProtocol is a peer that speaks something else.
var errProtocol = errors.New("it speaks another protocol")

// conn is one side's connection. Messages may be sent from many goroutines and
// received from one.
type conn struct {
	c *net.UnixConn

	sending sync.Mutex
	out     []byte // under sending
	// stall is how long a send may take (ns); 0 is stallLimit.
	stall atomic.Int64

	in      []byte // received; in[at:] is not used yet
	at      int
	oob     []byte // nil on a side that takes no descriptors
	pending []*os.File
}

func newConn(c *net.UnixConn, takesFiles bool) *conn {
	n := &conn{c: c}
	if takesFiles {
		n.oob = make([]byte, rightsSpace())
	}
	return n
}

// send sends a message; head becomes JSON unless it is nil.
func (c *conn) send(k kind, head any, body []byte, file *os.File) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	b := append(c.out[:0], make([]byte, headerBytes)...)
	b[4] = byte(k)
	if head != nil {
		text, err := json.Marshal(head)
		if err != nil {
			return fmt.Errorf("cannot send a message: %w", err)
		}
		b = append(b, text...)
	}
	binary.LittleEndian.PutUint32(b[6:], uint32(len(b)-headerBytes))
	b = append(b, body...)
	if len(b) > maxFrame {
		return fmt.Errorf("cannot send a message of %d bytes: the limit is %d", len(b), maxFrame)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
	if cap(b) <= 2*chunk {
		c.out = b
	}
	_ = c.c.SetWriteDeadline(time.Now().Add(cmp.Or(time.Duration(c.stall.Load()), stallLimit))) // fails where the write does
	err := c.write(b, file)
	if err != nil {
		_ = c.c.CloseWrite() // half a message may be out: nothing can follow; there may be something to read
	}
	return err
}

func (c *conn) write(b []byte, file *os.File) error {
	if file == nil {
		_, err := c.c.Write(b)
		return err
	}
	b[5] = 1
	n, err := sendFile(c.c, b, file)
	if err == nil && n < len(b) {
		_, err = c.c.Write(b[n:])
	}
	return err
}

// hurry bounds the sends from now on, also the one under way.
func (c *conn) hurry(limit time.Duration) {
	c.stall.Store(int64(limit))
	_ = c.c.SetWriteDeadline(time.Now().Add(limit)) // on a closed connection there is nothing to hurry
}

// receive gives the next message, whose bytes are valid until the call after.
func (c *conn) receive() (f frame, err error) {
	head, err := c.need(headerBytes)
	if err != nil {
		return f, err
	}
	size := int(binary.LittleEndian.Uint32(head)) + 4
	n := int(binary.LittleEndian.Uint32(head[6:]))
	if size > maxFrame || size < headerBytes || n > size-headerBytes || head[4] < byte(kindCall) || head[4] > byte(kindEnd) || head[5] > 1 {
		return f, errProtocol
	}
	f.kind = kind(head[4])
	files := head[5]
	all, err := c.need(size)
	if err != nil {
		return f, unexpected(err)
	}
	f.head, f.body = all[headerBytes:headerBytes+n], all[headerBytes+n:]
	c.at += size
	if files == 1 {
		if len(c.pending) == 0 {
			return f, errProtocol
		}
		f.file, c.pending = c.pending[0], c.pending[1:]
	}
	return f, nil
}

// need gives the next n bytes without using them up.
func (c *conn) need(n int) ([]byte, error) {
	if c.at > 0 && len(c.in)-c.at < n {
		c.in = c.in[:copy(c.in, c.in[c.at:])]
		c.at = 0
	}
	for len(c.in)-c.at < n {
		if cap(c.in)-len(c.in) < chunk {
			grown := make([]byte, len(c.in), max(2*cap(c.in), 2*chunk))
			copy(grown, c.in)
			c.in = grown
		}
		free := c.in[len(c.in):cap(c.in)]
		got, files, err := readWithFiles(c.c, free, c.oob)
		c.pending = append(c.pending, files...)
		if err == nil && len(c.pending) > maxPending {
			err = errProtocol
		}
		if err == nil && got == 0 {
			err = io.EOF
		}
		if err != nil {
			if len(c.in) > c.at {
				err = unexpected(err)
			}
			return nil, err
		}
		c.in = c.in[:len(c.in)+got]
	}
	return c.in[c.at : c.at+n], nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// close closes the connection; what is being sent or received ends.
func (c *conn) close() error { return c.c.Close() }

// drop closes descriptors that nobody asked for. The receiver calls it at its end.
func (c *conn) drop() {
	for _, f := range c.pending {
		_ = f.Close() // was never read
	}
	c.pending = nil
}
