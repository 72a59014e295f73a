package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// Session is one call in the server. Its methods may be used from many goroutines.
type Session struct {
	Call

	conn   *conn
	ctx    context.Context //nolint:containedctx // the call's own life
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when nothing is received any more

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan reply
}

// reply is what came for a question.
type reply struct {
	replyMessage
	body []byte
	file *os.File
}

// The causes that end a session's context; both are context.Canceled.
var (
	// ErrCancelled: the client's user wants no more.
	ErrCancelled = fmt.Errorf("the caller has cancelled: %w", context.Canceled)
	// ErrGone: the client has gone.
	ErrGone = fmt.Errorf("the caller has gone: %w", context.Canceled)
)

func newSession(ctx context.Context, n *conn, call Call) *Session {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Session{Call: call, conn: n, ctx: ctx, cancel: cancel, done: make(chan struct{}), waiting: map[uint64]chan reply{}}
	context.AfterFunc(ctx, func() { n.hurry(lastWords) })
	go s.receive()
	return s
}

// receive takes what the client sends until it has gone.
func (s *Session) receive() {
	defer close(s.done)
	defer s.conn.drop()
	for {
		f, err := s.conn.receive()
		if err == nil {
			err = s.handle(f)
		}
		if err != nil {
			s.cancel(fmt.Errorf("%w (%v)", ErrGone, err))
			return
		}
	}
}

func (s *Session) handle(f frame) error {
	var r reply
	switch {
	case f.kind == kindCancel && f.file == nil:
		s.cancel(ErrCancelled)
		return nil
	case f.kind != kindReply:
		drop(f.file)
		return errProtocol
	}
	if err := json.Unmarshal(f.head, &r.replyMessage); err != nil {
		drop(f.file)
		return errProtocol
	}
	r.body, r.file = append([]byte(nil), f.body...), f.file
	s.mu.Lock()
	c, ok := s.waiting[r.ID]
	s.mu.Unlock()
	if !ok { // nobody waits any more
		drop(r.file)
		return nil
	}
	select {
	case c <- r:
	case <-s.ctx.Done():
		drop(r.file)
	}
	return nil
}

func drop(f *os.File) {
	if f != nil {
		_ = f.Close() // was never read
	}
}

// end sends the exit code and ends the session.
func (s *Session) end(code int) {
	s.cancel(nil)
	// A client that has gone, or stalls, needs no code.
	_ = s.conn.send(kindEnd, endMessage{Code: code}, nil, nil)
	_ = s.conn.close()
	<-s.done
}

// ask asks the client and gives its first reply, and those that follow to more.
func (s *Session) ask(m askMessage, body []byte, more func(*reply) error) (reply, error) {
	c := make(chan reply)
	s.mu.Lock()
	s.next++
	m.ID = s.next
	s.waiting[m.ID] = c
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, m.ID)
		s.mu.Unlock()
	}()
	if err := s.conn.send(kindAsk, &m, body, nil); err != nil {
		s.cancel(fmt.Errorf("%w (%v)", ErrGone, err))
		return reply{}, context.Cause(s.ctx)
	}
	for {
		select {
		case r := <-c:
			if err := r.err(string(m.Path)); err != nil {
				drop(r.file)
				return reply{}, err
			}
			if !r.More {
				return r, nil
			}
			if more == nil || r.file != nil {
				drop(r.file)
				return reply{}, errProtocol
			}
			if err := more(&r); err != nil {
				return reply{}, err
			}
		case <-s.ctx.Done():
			return reply{}, context.Cause(s.ctx)
		}
	}
}

// err is the error that a reply carries, as package os would give it.
func (r *reply) err(path string) error {
	switch {
	case r.Errno != 0:
		return &os.PathError{Op: r.Op, Path: path, Err: syscall.Errno(r.Errno)}
	case r.Error != "":
		return &os.PathError{Op: r.Op, Path: path, Err: errors.New(r.Error)}
	}
	return nil
}

// Output is a stream of the client that is written to.
type Output struct {
	s    *Session
	kind kind
	is   Stream
}

// Stdout is the client's standard output.
func (s *Session) Stdout() *Output { return &Output{s, kindOut, s.Call.Stdout} }

// Stderr is the client's standard error.
func (s *Session) Stderr() *Output { return &Output{s, kindErr, s.Call.Stderr} }

// Terminal tells whether the stream is a terminal.
func (o *Output) Terminal() bool { return o.is.Terminal }

// Width is a terminal's width in columns, else 0.
func (o *Output) Width() int { return o.is.Width }

// Write sends p to the client; it waits while the client's reader doesn't read.
func (o *Output) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(len(p), n+chunk)]
		if err := o.s.conn.send(o.kind, nil, part, nil); err != nil {
			o.s.cancel(fmt.Errorf("%w (%v)", ErrGone, err))
			return n, syscall.EPIPE
		}
		n += len(part)
	}
	return n, nil
}

// Stdin is the client's standard input: a [files.File] when it is a regular file.
func (s *Session) Stdin() io.Reader {
	if !s.StdinIsFile {
		return &input{s: s}
	}
	f, err := s.open(askMessage{What: askStdin})
	if err != nil {
		return failing{err}
	}
	return f
}

// failing is a reader that can't be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// input is a standard input that is no regular file: it is asked for at the first
// read.
type input struct {
	s    *Session
	once sync.Once
	r    io.Reader
}

func (i *input) Read(p []byte) (int, error) {
	i.once.Do(func() {
		f, err := i.s.open(askMessage{What: askStdin})
		if err != nil {
			i.r = failing{err}
			return
		}
		i.r = f
	})
	return i.r.Read(p)
}
