package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
)

// Code is the exit code of a command.
type Code int

// The exit codes, a promise to scripts.
const (
	// CodeDone: the job is done. Damaged records, duplicates and skipped files
	// are reported and are no failure.
	CodeDone Code = 0
	// CodeFailed: a named file could not be opened, or verify found a fault.
	CodeFailed Code = 1
	// CodeUsage: wrong usage or KQL.
	CodeUsage Code = 2
	// CodeNothingDone: nothing was done, because the lake is locked, of a newer
	// format, read-only, or the disk is full.
	CodeNothingDone Code = 3
)

// Error is an error with the exit code it leads to and a hint for the user. One
// without Err ends the program without a word: nobody reads on.
type Error struct {
	Code Code
	// Hint says in one line what the user can do; may be empty.
	Hint string
	Err  error
}

// Error gives the one line.
func (e *Error) Error() string {
	if e.Err == nil {
		return "stopped"
	}
	return e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// usageError is a mistake in the call, with a hint.
func usageError(hint, format string, args ...any) error {
	return &Error{Code: CodeUsage, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Coder is implemented by errors of lower packages that know their exit code
// (lake: locked, newer format, read-only, full disk).
type Coder interface {
	error
	// ExitCode gives one of the values of Code.
	ExitCode() int
	// Hint gives one line of advice, may be empty.
	Hint() string
}

// detailer is implemented by errors that show more than their line: lines for the
// user, without a line feed at the end.
type detailer interface {
	error
	Detail() string
}

// report prints err for the user and gives the exit code.
func (a *App) report(err error) Code { return reportTo(a.Stderr, err, a.colours(a.Stderr)) }

// The colours of errors on a terminal; they mark what the text says already.
const (
	inkError = "\x1b[1;31m"
	inkHint  = "\x1b[36m"
	inkNone  = "\x1b[0m"
)

func reportTo(w io.Writer, err error, colours bool) Code {
	if err == nil {
		return CodeDone
	}
	ink := func(s, colour string) string {
		if !colours {
			return s
		}
		return colour + s + inkNone
	}
	code, hint := CodeFailed, ""
	var own *Error
	var coder Coder
	switch {
	case errors.As(err, &own):
		if own.Err == nil {
			return own.Code
		}
		code, hint = own.Code, own.Hint
	case errors.As(err, &coder):
		code, hint = Code(coder.ExitCode()), coder.Hint()
	case errors.Is(err, syscall.ENOSPC): // from a package that knows no codes: a sorter's file, a copy of an archive
		code, hint = CodeNothingDone, "free some space, then run it again: what was committed before stays"
	}
	fmt.Fprintf(w, "%s %s\n", ink("wadi:", inkError), escape(err.Error()))
	var more detailer
	if errors.As(err, &more) {
		for line := range strings.Lines(more.Detail()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.Trim(line, " ^") == "" {
				line = ink(line, inkError)
			}
			fmt.Fprintln(w, line)
		}
	}
	if hint != "" {
		fmt.Fprintf(w, "%s %s\n", ink("hint:", inkHint), escape(hint))
	}
	return code
}
