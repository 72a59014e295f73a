package server

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// ListenError says that the address can't be listened on. It implements cli.Coder.
type ListenError struct {
	reason string
	advice string
	cause  error
}

// Error gives one line.
func (e *ListenError) Error() string { return e.reason }

// Unwrap gives the cause.
func (e *ListenError) Unwrap() error { return e.cause }

// ExitCode says that nothing was done.
func (e *ListenError) ExitCode() int { return codeNothingDone }

// Hint gives one line of advice.
func (e *ListenError) Hint() string { return e.advice }

// listen opens the port, or says who has it.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	e := &ListenError{cause: err, reason: fmt.Sprintf("cannot listen on %s: %v", address, err), advice: "choose another with --listen"}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, e
	}
	e.reason = fmt.Sprintf("cannot listen on %s: another process listens there", address)
	if _, port, err := net.SplitHostPort(address); err == nil {
		if pid := portHolder(port); pid != 0 {
			e.reason = fmt.Sprintf("cannot listen on %s: process %d listens there", address, pid)
		}
	}
	return nil, e
}
