package lake

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/wadi-project/wadi/internal/catalog"
)

// The exit codes that the lake's errors lead to (package cli).
const (
	codeFailed      = 1
	codeUsage       = 2
	codeNothingDone = 3
)

// Error is an error of the lake that knows its exit code and advice. It
// implements cli.Coder.
type Error struct {
	code int
	hint string
	err  error
}

// Error gives the one line.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.err }

// ExitCode gives the exit code of package cli.
func (e *Error) ExitCode() int { return e.code }

// Hint gives one line of advice.
func (e *Error) Hint() string { return e.hint }

func refuse(code int, hint, format string, args ...any) error {
	return &Error{code: code, hint: hint, err: fmt.Errorf(format, args...)}
}

// explain gives errors of a full disk or a read-only folder their exit code and
// one clear line; others stay as they are.
func explain(err error) error {
	var own *Error
	switch {
	case err == nil || errors.As(err, &own):
		return err
	case isFull(err) || catalog.IsFull(err):
		return &Error{codeNothingDone, "free some space, then run it again: what was committed before stays", fmt.Errorf("the disk is full: %w", err)}
	case errors.Is(err, fs.ErrPermission) || isReadOnly(err) || catalog.IsReadOnly(err):
		return &Error{codeNothingDone, "questions work on a read-only folder, changes need write access", fmt.Errorf("the folder can't be written: %w", err)}
	}
	return err
}
