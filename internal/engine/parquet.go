package engine

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// rowGroupRows is how many rows a row group of an answer has.
const rowGroupRows = 100_000

// WriteParquet writes the rows that are left as one Parquet file (zstd), with the
// types that [Rows.Arrow] gives. A column name that occurs once stays as it is,
// whatever characters it holds. It does not close w, nor the rows: the question's
// own error comes from here too.
func (r *Rows) WriteParquet(w io.Writer) error {
	var out *pqarrow.FileWriter
	err := r.Arrow(func(record arrow.RecordBatch) (err error) {
		if out == nil {
			properties := pq.NewWriterProperties(pq.WithCompression(compress.Codecs.Zstd), pq.WithMaxRowGroupLength(rowGroupRows), pq.WithCreatedBy("wadi"))
			if out, err = pqarrow.NewFileWriter(record.Schema(), keepOpen{w}, properties, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema())); err != nil {
				return fmt.Errorf("cannot write Parquet: %w", err)
			}
		}
		if err = out.WriteBuffered(record); err != nil {
			return fmt.Errorf("cannot write Parquet: %w", err)
		}
		return nil
	})
	if out != nil && err == nil {
		if err = out.Close(); err != nil {
			err = fmt.Errorf("cannot write Parquet: %w", err)
		}
	} else if out != nil {
		_ = out.Close() // what is written is no whole file, and the caller knows
	}
	if errors.Is(err, io.ErrShortWrite) {
		return fmt.Errorf("cannot write Parquet: %w", err)
	}
	return err
}

// keepOpen hides a writer's Close, which Parquet's writer would call.
type keepOpen struct{ io.Writer }
