package engine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

// protocolVersion is checked by both sides; they are the same binary, so that a
// difference means that the binary was replaced under a running parent.
const protocolVersion = 2

const (
	// maxFrameBytes bounds what either side allocates for one frame: a request
	// with 100 k file names is ~20 MB, a batch is cut at batchBytes.
	maxFrameBytes = 64 << 20
	// batchRows and batchBytes end a batch of result rows, whichever is first:
	// small enough to keep both sides' buffers small, large enough that the
	// frame's cost vanishes.
	batchRows  = 4096
	batchBytes = 1 << 20
	// maxColumns bounds a result's width; the widest table has 427 columns.
	maxColumns = 4096
)

// The kinds of frames. A frame is: length of what follows the length (uint32,
// little endian, 1..maxFrameBytes), kind (byte), payload.
const (
	frameHello  byte = 1 + iota // parent: JSON workerConfig; worker: JSON helloReply
	frameQuery                  // parent: JSON request
	frameCancel                 // parent: JSON cancelRequest; interrupts the question
	frameBatch                  // worker: columnar rows
	frameEnd                    // worker: JSON endReply; the question is done
)

// workerConfig is the first frame a worker gets.
type workerConfig struct {
	Version      int      `json:"version"`
	MemoryBytes  int64    `json:"memory_bytes"`
	DuckDBBytes  int64    `json:"duckdb_bytes"`
	Threads      int      `json:"threads"`
	TempDir      string   `json:"temp_dir"`
	MaxTempBytes int64    `json:"max_temp_bytes"`
	ReadDirs     []string `json:"read_dirs"`
	// WatchParent: the worker may ask to die with its parent.
	WatchParent bool `json:"watch_parent"`
}

// helloReply says that the worker is ready, or why it isn't.
type helloReply struct {
	Version int    `json:"version"`
	DuckDB  string `json:"duckdb,omitempty"`
	report
	Error string `json:"error,omitempty"`
}

// request is one question.
type request struct {
	// ID tells the questions of one worker apart, so that a late cancel can't hit
	// the next one.
	ID    uint64        `json:"id"`
	SQL   string        `json:"sql"`
	Types []schema.Type `json:"types"`
	// MaxRows and MaxBytes cut the result; 0 is no limit.
	MaxRows  int64 `json:"max_rows"`
	MaxBytes int64 `json:"max_bytes"`
	// Stages run before SQL.
	Stages []stageRequest `json:"stages,omitempty"`
}

// cancelRequest names the question that is to stop.
type cancelRequest struct {
	ID uint64 `json:"id"`
}

// endReply ends a question.
type endReply struct {
	Truncated bool   `json:"truncated,omitempty"`
	Error     string `json:"error,omitempty"`
	Memory    bool   `json:"memory,omitempty"`
	Refused   bool   `json:"refused,omitempty"`
	// Times are the worker's.
	Times workTimes `json:"times"`
}

// workTimes tell how long the worker took for each step of a question.
type workTimes struct {
	Stages  []time.Duration `json:"stages,omitempty"`
	Prepare time.Duration   `json:"prepare"`
	Run     time.Duration   `json:"run"`
}

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	if len(payload)+1 > maxFrameBytes {
		return fmt.Errorf("cannot send a frame of %d bytes: the limit is %d", len(payload), maxFrameBytes)
	}
	frame := make([]byte, 0, 5+len(payload))
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(payload)+1))
	frame = append(frame, kind)
	frame = append(frame, payload...)
	_, err := w.Write(frame)
	return err
}

func writeJSON(w io.Writer, kind byte, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("cannot encode a frame: %w", err)
	}
	return writeFrame(w, kind, payload)
}

// readFrame reads one frame. io.EOF means that the other side left between frames.
func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, nil, fmt.Errorf("cannot read a frame: cut in its head: %w", err)
		}
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head[:4])
	if n < 1 || n > maxFrameBytes {
		return 0, nil, fmt.Errorf("cannot read a frame: length %d is not in 1..%d", n, maxFrameBytes)
	}
	payload = make([]byte, n-1)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("cannot read a frame: %w", io.ErrUnexpectedEOF)
	}
	return head[4], payload, nil
}

// readJSON reads one frame of that kind into v.
func readJSON(r io.Reader, want byte, v any) error {
	kind, payload, err := readFrame(r)
	if err != nil {
		return err
	}
	if kind != want {
		return fmt.Errorf("cannot read a frame: kind %d instead of %d", kind, want)
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("cannot read a frame: %w", err)
	}
	return nil
}

// wire is how a value travels.
type wire uint8

const (
	wireBool wire = iota + 1
	wireInt32
	wireInt64
	wireFloat64
	wireString
)

// wireOf tells how values of a KQL type travel: datetimes and timespans as 100 ns
// ticks, decimal, guid and dynamic as text.
func wireOf(t schema.Type) wire {
	switch t {
	case schema.Bool:
		return wireBool
	case schema.Int:
		return wireInt32
	case schema.Long, schema.DateTime, schema.TimeSpan:
		return wireInt64
	case schema.Real:
		return wireFloat64
	case schema.Decimal, schema.String, schema.Guid, schema.Dynamic:
		return wireString
	default:
		return wireString
	}
}

func (w wire) width() int {
	switch w {
	case wireBool:
		return 1
	case wireInt32:
		return 4
	case wireInt64, wireFloat64:
		return 8
	default:
		return 0
	}
}

// sqlType names the DuckDB type that travels so.
func (w wire) sqlType() string {
	switch w {
	case wireBool:
		return "BOOLEAN"
	case wireInt32:
		return "INTEGER"
	case wireInt64:
		return "BIGINT"
	case wireFloat64:
		return "DOUBLE"
	default:
		return "VARCHAR"
	}
}

// vector is one column of a batch. Fixed-width values lie in fixed, little endian;
// strings in text, string i being text[ends[i-1]:ends[i]].
type vector struct {
	wire  wire
	nulls []byte // bit i set: row i is null
	fixed []byte
	ends  []uint32
	text  []byte
}

// batch is a run of rows by columns.
type batch struct {
	rows    int
	columns []vector
}

func newBatch(types []schema.Type) *batch {
	b := &batch{columns: make([]vector, len(types))}
	for i, t := range types {
		b.columns[i].wire = wireOf(t)
	}
	return b
}

func (b *batch) reset() {
	b.rows = 0
	for i := range b.columns {
		v := &b.columns[i]
		v.nulls, v.fixed, v.ends, v.text = v.nulls[:0], v.fixed[:0], v.ends[:0], v.text[:0]
	}
}

// sizeBytes is about what the batch takes on the wire.
func (b *batch) sizeBytes() int {
	n := 0
	for i := range b.columns {
		v := &b.columns[i]
		n += len(v.nulls) + len(v.fixed) + 4*len(v.ends) + len(v.text)
	}
	return n
}

// appendTo appends the batch as a frame's payload: rows (uint32), columns
// (uint16), then for each column its wire type (byte), the null bitmap, and the
// values: fixed width, or the ends (uint32 each) and the text.
func (b *batch) appendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(b.rows))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(b.columns)))
	for i := range b.columns {
		v := &b.columns[i]
		dst = append(dst, byte(v.wire))
		dst = append(dst, v.nulls...)
		dst = append(dst, v.fixed...)
		for _, e := range v.ends {
			dst = binary.LittleEndian.AppendUint32(dst, e)
		}
		dst = append(dst, v.text...)
	}
	return dst
}

var errBatch = errors.New("cannot read a batch of rows: it is cut or doesn't fit its head")

// decodeBatch reads a payload written by appendTo, whose columns must be of those
// types. The batch keeps parts of payload.
func decodeBatch(payload []byte, types []schema.Type) (*batch, error) {
	if len(payload) < 6 {
		return nil, errBatch
	}
	rows := int(binary.LittleEndian.Uint32(payload))
	columns := int(binary.LittleEndian.Uint16(payload[4:]))
	rest := payload[6:]
	if columns != len(types) || rows > len(payload)*8 {
		return nil, errBatch
	}
	b := newBatch(types)
	b.rows = rows
	take := func(n int) []byte {
		if n > len(rest) {
			return nil
		}
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	for i := range b.columns {
		v := &b.columns[i]
		head := take(1)
		if head == nil || wire(head[0]) != v.wire {
			return nil, errBatch
		}
		if v.nulls = take((rows + 7) / 8); v.nulls == nil {
			return nil, errBatch
		}
		if width := v.wire.width(); width > 0 {
			if v.fixed = take(rows * width); v.fixed == nil {
				return nil, errBatch
			}
			continue
		}
		ends := take(rows * 4)
		if ends == nil {
			return nil, errBatch
		}
		v.ends = make([]uint32, rows)
		last := uint32(0)
		for r := range v.ends {
			v.ends[r] = binary.LittleEndian.Uint32(ends[4*r:])
			if v.ends[r] < last {
				return nil, errBatch
			}
			last = v.ends[r]
		}
		if v.text = take(int(last)); v.text == nil {
			return nil, errBatch
		}
	}
	if len(rest) != 0 {
		return nil, errBatch
	}
	return b, nil
}
