package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Question is the body of POST /api/v1/query.
type Question struct {
	// Query is the question in KQL.
	Query string `json:"query"`
	// Timespan keeps rows whose TimeGenerated lies in it, of every table: an ISO 8601
	// duration before now, or two of time, duration and time with a / between.
	Timespan string `json:"timespan,omitempty"`
	// Now is what now() gives and ago() counts from (RFC 3339); the server's clock
	// when empty.
	Now string `json:"now,omitempty"`
	// Format is json, jsonl or arrow; empty: what Accept says.
	Format string `json:"format,omitempty"`
	// MaxRows cuts the answer, within the server's own limit; 0 leaves that.
	MaxRows int64 `json:"maxRows,omitempty"`
}

// Document is an answer as JSON.
type Document struct {
	Columns []Column `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// Problem tells why the answer is not whole; it is not there when it is.
	Problem *QueryProblem `json:"problem,omitempty"`
}

// Column is a column of an answer; Type is KQL's.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// format is a form of answers.
type format uint8

const (
	formatJSON format = iota
	formatLines
	formatArrow
	formatEvents
)

// mediaTypes are the forms by their media types, the first of each is what answers
// have.
var mediaTypes = []struct {
	name   string
	format format
}{
	{"application/json", formatJSON},
	{"application/x-ndjson", formatLines},
	{"application/jsonl", formatLines},
	{"application/vnd.apache.arrow.stream", formatArrow},
	{"text/event-stream", formatEvents},
	{"application/*", formatJSON},
	{"*/*", formatJSON},
}

func (f format) mediaType() string {
	for _, m := range mediaTypes {
		if m.format == f {
			return m.name
		}
	}
	return ""
}

// asked is a request that is understood.
type asked struct {
	Question
	format format
	now    time.Time
	within string // a predicate in KQL, "" for none
}

// read reads a request. Its errors are [*QueryProblem]s.
func read(w http.ResponseWriter, r *http.Request, now time.Time) (a asked, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return a, problem(http.StatusUnsupportedMediaType, "the body has to be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return a, problem(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxBody)
	case err != nil:
		return a, problem(http.StatusBadRequest, "the body can't be read: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a.Question); err != nil {
		return a, problem(http.StatusBadRequest, "the body is no request: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return a, problem(http.StatusBadRequest, "the body has more than one JSON value")
	}
	if strings.TrimSpace(a.Query) == "" {
		return a, problem(http.StatusBadRequest, "there is no question: \"query\" is empty")
	}
	if a.MaxRows < 0 {
		return a, problem(http.StatusBadRequest, "maxRows is negative")
	}
	a.now = now
	if a.Now != "" {
		if a.now, err = time.Parse(time.RFC3339Nano, a.Now); err != nil {
			return a, problem(http.StatusBadRequest, "now is no time like 2026-11-01T00:00:00Z: %q", a.Now)
		}
	}
	if a.within, err = within(a.Timespan, a.now); err != nil {
		return a, problem(http.StatusBadRequest, "timespan: %v", err)
	}
	a.format, err = chosen(a.Format, r.Header.Values("Accept"))
	return a, err
}

// chosen decides on the form of an answer: the field, else the first acceptable
// media type of the highest quality, else JSON.
func chosen(field string, accept []string) (format, error) {
	if field != "" {
		f, ok := map[string]format{"json": formatJSON, "jsonl": formatLines, "arrow": formatArrow}[field]
		if !ok {
			return 0, problem(http.StatusBadRequest, "format is none of json, jsonl and arrow: %q", field)
		}
		return f, nil
	}
	best, found, any := 0.0, formatJSON, false
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			kind, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			any = true
			q := 1.0
			if text, ok := params["q"]; ok {
				if q, err = strconv.ParseFloat(text, 64); err != nil {
					continue
				}
			}
			for _, m := range mediaTypes {
				if m.name == kind && q > best {
					best, found = q, m.format
				}
			}
		}
	}
	if any && best == 0 {
		return 0, problem(http.StatusNotAcceptable, "answers are application/json, application/x-ndjson, application/vnd.apache.arrow.stream or text/event-stream")
	}
	return found, nil
}

// within makes a predicate of a timespan, "" of none: from ≤ TimeGenerated < to.
func within(text string, now time.Time) (string, error) {
	if text == "" {
		return "", nil
	}
	from, to := time.Time{}, now
	first, second, two := strings.Cut(text, "/")
	d, err := duration(first)
	switch {
	case !two && err != nil:
		return "", err
	case !two:
		from = now.Add(-d)
	case err == nil: // duration/end
		if to, err = moment(second); err != nil {
			return "", err
		}
		from = to.Add(-d)
	default:
		if from, err = moment(first); err != nil {
			return "", err
		}
		if d, err = duration(second); err == nil {
			to = from.Add(d)
		} else if to, err = moment(second); err != nil {
			return "", err
		}
	}
	if from.After(to) {
		return "", fmt.Errorf("%q ends before it begins", text)
	}
	const layout = "2006-01-02T15:04:05.0000000Z"
	return "TimeGenerated >= datetime(" + from.UTC().Format(layout) + ") and TimeGenerated < datetime(" + to.UTC().Format(layout) + ")", nil
}

// moment reads a time or a day, UTC unless it says otherwise.
func moment(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time like 2026-11-01T00:00:00Z nor a duration like P1D or PT12H", text)
}

// duration reads an ISO 8601 duration of weeks, days, hours, minutes and seconds;
// months and years have no fixed length.
func duration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no duration like P1D or PT12H (weeks, days, hours, minutes, seconds)", text)
	rest, ok := strings.CutPrefix(text, "P")
	if !ok || rest == "" || strings.HasSuffix(rest, "T") {
		return 0, bad
	}
	units, total := "WD", time.Duration(0)
	lengths := map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	for rest != "" {
		if rest[0] == 'T' && units != "HMS" && !strings.HasPrefix(units, "M") && !strings.HasPrefix(units, "S") {
			units, rest = "HMS", rest[1:]
			continue
		}
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 || n > 9 || n == len(rest) {
			return 0, bad
		}
		at := strings.IndexByte(units, rest[n])
		if at < 0 {
			return 0, bad
		}
		count, err := strconv.Atoi(rest[:n])
		length := lengths[rest[n]]
		if err != nil || time.Duration(count) > (maxSpan-total)/length {
			return 0, fmt.Errorf("%q is longer than a hundred years", text)
		}
		total += time.Duration(count) * length
		if units, rest = units[at+1:], rest[n+1:]; units == "" && rest != "" && rest[0] != 'T' {
			return 0, bad
		}
	}
	return total, nil
}
