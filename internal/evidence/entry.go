package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// MaxSpans bounds the sources of one row group whose ranges of _Seq are kept apart: a
// compacted file may hold rows of thousands.
const MaxSpans = 16

// OtherSources is the source of the range that the sources beyond MaxSpans share.
const OtherSources = -1

// The kinds of entries that are no action of wadi_audit.
const (
	// Begin begins a chain, with all files the tables have.
	Begin = "begin"
	// Part is a part of a log: new rows.
	Part = "part"
)

// Head is the hash of a chain up to and with an entry.
type Head [sha256.Size]byte

// String gives the head in hexadecimal.
func (h Head) String() string { return hex.EncodeToString(h[:]) }

// ParseHead reads what String gives.
func ParseHead(text string) (h Head, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) {
		return h, fmt.Errorf("cannot read the head %q", text)
	}
	return Head(raw), nil
}

// Entry is what one commit did.
type Entry struct {
	// N counts the entries of a lake through, from 1, over all its chains.
	N int64 `json:"n"`
	// Chain is the UUID of the chain that the entry belongs to.
	Chain string `json:"chain"`
	// Kind is Begin, Part, or the action of wadi_audit.
	Kind string `json:"kind"`
	// ID is what the snapshots carry as wadi.import; empty for Begin.
	ID string `json:"id,omitempty"`
	// US is when, µs since 1970.
	US int64 `json:"us"`
	// Prev is the head of the entry before, empty for Begin.
	Prev string `json:"prev,omitempty"`
	// Former, of Begin, names the last entry of the chain before, if any, and Why
	// says why a new one begins.
	Former *Former `json:"former,omitempty"`
	Why    string  `json:"why,omitempty"`
	// Added came into the tables, Removed left them.
	Added   []File    `json:"added,omitempty"`
	Removed []Removed `json:"removed,omitempty"`
	// Ledger is set where the commit has rows of the ledger.
	Ledger *Ledger `json:"ledger,omitempty"`
}

// Former names an entry of a chain that has ended.
type Former struct {
	N    int64  `json:"n"`
	Head string `json:"head"`
}

// File is a data file as it was written.
type File struct {
	// Path is relative to the folder of the tables, with slashes.
	Path string `json:"path"`
	// SHA256 is in hexadecimal, empty where it isn't known (the state was lost).
	SHA256 string  `json:"sha256,omitempty"`
	Rows   int64   `json:"rows"`
	Bytes  int64   `json:"bytes"`
	Groups []Group `json:"groups,omitempty"`
}

// Group is a row group of a file.
type Group struct {
	// Offset and Bytes are its place in the file, CRC is CRC-32C of it.
	Offset int64  `json:"at"`
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	CRC    uint32 `json:"crc"`
	Spans  []Span `json:"seq,omitempty"`
}

// Span is a range of _Seq of one source, or of OtherSources.
type Span struct {
	Source int32 `json:"source"`
	Lo     int64 `json:"lo"`
	Hi     int64 `json:"hi"`
	Rows   int64 `json:"rows"`
}

// Removed is a file that left the tables.
type Removed struct {
	Path string `json:"path"`
	Rows int64  `json:"rows"`
}

// Ledger stands for the rows of the ledger that a part has.
type Ledger struct {
	Log      string `json:"log"`
	Position int64  `json:"position"`
	Rows     int64  `json:"rows"`
	Digest   string `json:"digest"`
}

// Seal gives an entry's body and head; prev is the head of the entry before. Entries
// of the kind Begin stand for themselves: prev is not used.
func Seal(e *Entry, prev Head) (body []byte, head Head, err error) {
	e.Prev = ""
	if e.Kind != Begin {
		e.Prev = prev.String()
	}
	if body, err = json.Marshal(e); err != nil {
		return nil, head, fmt.Errorf("cannot write down entry %d: %w", e.N, err)
	}
	return body, seal(e.Kind == Begin, prev, body), nil
}

func seal(begin bool, prev Head, body []byte) Head {
	if begin {
		prev = Head{}
	}
	h := sha256.New()
	h.Write([]byte("wadi evidence 1\n"))
	h.Write(prev[:])
	h.Write(body)
	return Head(h.Sum(nil))
}

// ChainOf gives the UUID of the chain that an entry belongs to, empty when it can't
// be read.
func ChainOf(body []byte) string {
	var e Entry
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return e.Chain
}
