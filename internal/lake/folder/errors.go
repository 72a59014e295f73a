package folder

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/wadi-project/wadi/internal/catalog"
)

// The exit codes that the lake's errors lead to (package cli).
const (
	CodeFailed      = 1
	CodeUsage       = 2
	CodeNothingDone = 3
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

// Refuse makes an Error with an exit code of package cli and one line of advice.
func Refuse(code int, hint, format string, args ...any) error {
	return &Error{code: code, hint: hint, err: fmt.Errorf(format, args...)}
}

// Explain gives errors of a full disk or a read-only folder their exit code and
// one clear line; others stay as they are.
func Explain(err error) error {
	var own *Error
	switch {
	case err == nil || errors.As(err, &own):
		return err
	case IsFull(err) || catalog.IsFull(err):
		return &Error{CodeNothingDone, "free some space, then run it again: what was committed before stays", fmt.Errorf("the disk is full: %w", err)}
	case errors.Is(err, fs.ErrPermission) || isReadOnly(err) || catalog.IsReadOnly(err):
		return &Error{CodeNothingDone, "questions work on a read-only folder, changes need write access", fmt.Errorf("the folder can't be written: %w", err)}
	}
	return err
}
