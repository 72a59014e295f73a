package eventxml

import (
	"bytes"

	"github.com/wadi-project/wadi/internal/event"
)

// DataReader reads EventData in the text behind </System>, as the lake stores it.
// The zero value is ready; it keeps its memory from text to text and is not safe
// for concurrent use. What it gives is valid until its next call.
type DataReader struct {
	parser Parser
	batch  event.Batch
	user   event.Span
}

const (
	dataStart = "<EventData"
	dataEnd   = "</EventData>"
)

// Read reads all values of EventData, of which [DataReader.Pair] tells then; what
// stands before damage counts, as in an import. ok is false when there is no
// EventData.
func (r *DataReader) Read(text []byte) (count int, ok bool) {
	r.batch.Reset()
	r.user = event.Span{}
	if len(text) > MaxValues {
		return 0, false
	}
	span := r.batch.Append(text)
	p := &r.parser
	p.b, p.x, p.base, p.pos = &r.batch, r.batch.Bytes(span), span.Off, 0
	defer func() { p.b, p.x, p.tag.name = nil, nil, nil }()
	for {
		more, err := p.child("Event")
		if err != nil || !more {
			break
		}
		switch string(p.tag.name) {
		case "EventData":
			ok = true
			err = p.eventData()
		case "UserData":
			r.user, err = p.inner()
		default:
			_, err = p.inner()
		}
		if err != nil || !hasValues(p.x[p.pos:]) {
			break
		}
	}
	return len(r.batch.Pairs), ok
}

// hasValues tells whether one more element with values may follow: an event has
// rarely two.
func hasValues(rest []byte) bool {
	return bytes.Contains(rest, []byte(dataStart)) || bytes.Contains(rest, []byte("<UserData"))
}

// UserData gives the content of UserData in the text that was read last.
func (r *DataReader) UserData() []byte { return r.batch.Bytes(r.user) }

// Pair gives the i-th value read and its name: its Name attribute, for elements
// other than Data without one their own name, else nothing.
func (r *DataReader) Pair(i int) (name, value []byte) {
	p := &r.batch.Pairs[i]
	return r.batch.Bytes(p.Name), r.batch.Bytes(p.Value)
}

// Field gives the first value of EventData with that name, which is not empty: what
// an import puts into a column of that name. ok is false when there is none. The
// value may alias text.
func (r *DataReader) Field(text, name []byte) (value []byte, ok bool) {
	if len(text) > MaxValues || len(name) == 0 {
		return nil, false
	}
	value, ok, sure := quickField(text, name)
	if sure {
		return value, ok
	}
	count, _ := r.Read(text)
	for i := range count {
		if n, v := r.Pair(i); len(n) > 0 && bytes.Equal(n, name) {
			return v, true
		}
	}
	return nil, false
}

// quickField reads values in the usual form, <Data Name='name'>value</Data>, one
// behind the other, up to the one of that name; sure is false at whatever else
// stands there.
func quickField(text, name []byte) (value []byte, ok, sure bool) {
	const named, unnamed, end = "<Data Name='", "<Data>", "</Data>"
	rest, found := bytes.CutPrefix(text, []byte(dataStart+">"))
	if !found {
		return nil, false, false
	}
	for {
		own := []byte(nil)
		switch {
		case bytes.HasPrefix(rest, []byte(named)):
			rest = rest[len(named):]
			quote := bytes.IndexByte(rest, '\'')
			if quote < 0 {
				return nil, false, false
			}
			own, rest = rest[:quote], rest[quote+1:]
			if empty, short := bytes.CutPrefix(rest, []byte("/>")); short {
				if bytes.Equal(own, name) {
					return rest[:0:0], true, true
				}
				rest = empty
				continue
			}
			if len(rest) == 0 || rest[0] != '>' {
				return nil, false, false
			}
			rest = rest[1:]
		case bytes.HasPrefix(rest, []byte(unnamed)):
			rest = rest[len(unnamed):]
		case bytes.HasPrefix(rest, []byte(dataEnd)):
			return nil, false, !bytes.Contains(rest, []byte(dataStart))
		default:
			return nil, false, false
		}
		stop := bytes.IndexByte(rest, '<')
		if stop < 0 || !bytes.HasPrefix(rest[stop:], []byte(end)) || bytes.IndexByte(own, '&') >= 0 {
			return nil, false, false
		}
		if own != nil && bytes.Equal(own, name) {
			return rest[:stop:stop], true, bytes.IndexByte(rest[:stop], '&') < 0
		}
		rest = rest[stop+len(end):]
	}
}

// sentinelNamespace is what Microsoft's agents write into EventData's tag.
const sentinelNamespace = ` xmlns="http://schemas.microsoft.com/win/2004/08/events/event"`

// AppendSentinel appends EventData as Sentinel shows it: from its start tag, with
// the namespace, to its end tag, with double quotes; nothing when the text does not
// begin with one that ends.
func AppendSentinel(dst, text []byte) []byte {
	end := bytes.Index(text, []byte(dataEnd))
	if end < 0 || !bytes.HasPrefix(text, []byte(dataStart)) {
		return dst
	}
	dst = append(append(dst, dataStart...), sentinelNamespace...)
	rest := text[len(dataStart):end]
	for {
		// Within a tag, quotes are the markup's; a ' in a value stays.
		stop := bytes.IndexByte(rest, '>') + 1
		if stop == 0 {
			stop = len(rest)
		}
		dst, rest = appendTag(dst, rest[:stop]), rest[stop:]
		tag := bytes.IndexByte(rest, '<')
		if tag < 0 {
			return append(append(dst, rest...), dataEnd...)
		}
		dst, rest = append(dst, rest[:tag]...), rest[tag:]
	}
}

// appendTag appends a tag with its single quotes doubled; one whose values hold
// double quotes stays as it is.
func appendTag(dst, tag []byte) []byte {
	if bytes.IndexByte(tag, '"') >= 0 {
		return append(dst, tag...)
	}
	for {
		i := bytes.IndexByte(tag, '\'')
		if i < 0 {
			return append(dst, tag...)
		}
		dst = append(append(dst, tag[:i]...), '"')
		tag = tag[i+1:]
	}
}
