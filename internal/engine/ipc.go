package engine

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// WriteArrow writes the rows that are left as an Arrow IPC stream, with the types
// that [Rows.Arrow] gives. A stream whose rows end with an error lacks its end mark.
// It does not close w, nor the rows: the question's own error comes from here too.
func (r *Rows) WriteArrow(w io.Writer) error {
	var out *ipc.Writer
	err := r.Arrow(func(record arrow.RecordBatch) error {
		if out == nil {
			out = ipc.NewWriter(w, ipc.WithSchema(record.Schema()))
		}
		if err := out.Write(record); err != nil {
			return &writeError{err}
		}
		return nil
	})
	if err != nil || out == nil {
		return err
	}
	if err := out.Close(); err != nil {
		return &writeError{err}
	}
	return nil
}

// writeError is an error of writing an answer, not of the question.
type writeError struct{ err error }

func (e *writeError) Error() string { return fmt.Sprintf("cannot write Arrow: %v", e.err) }

func (e *writeError) Unwrap() error { return e.err }

// IsWriteError tells an error of writing an answer from one of the question.
func IsWriteError(err error) bool {
	var w *writeError
	return errors.As(err, &w)
}
