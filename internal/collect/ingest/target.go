package ingest

import (
	"strings"

	"github.com/wadi-project/wadi/internal/schema"
)

// Target is where rows go: a table with the columns that a sender may use. It is
// immutable.
type Target struct {
	// Name is the table's name in KQL.
	Name string
	// Table is the physical table.
	Table *schema.Table
}

// Streams resolves the names of streams and tables. It is immutable and safe for
// concurrent use; a changed set of tables needs a new one.
type Streams struct {
	targets map[string]*Target
	streams map[string]string
}

// microsoftStreams are the streams of Sentinel's tables.
var microsoftStreams = []string{"SecurityEvent", "Event", "WindowsEvent", "W3CIISLog"}

// NewStreams makes the targets of a set of tables.
func NewStreams(set Tables) *Streams {
	s := &Streams{targets: map[string]*Target{}, streams: map[string]string{}}
	for _, v := range set.Views() {
		s.targets[v.Name] = &Target{Name: v.Name, Table: v.Table}
	}
	for _, name := range microsoftStreams {
		s.streams["Microsoft-"+name] = name
	}
	return s
}

// Stream gives the target of a stream of the Logs Ingestion protocol:
// Microsoft-SecurityEvent, Microsoft-Event, Microsoft-WindowsEvent,
// Microsoft-W3CIISLog, or Custom- and the name of a custom table. The error is an
// [*UnknownError].
func (s *Streams) Stream(name string) (*Target, error) {
	if table, ok := s.streams[name]; ok {
		return s.targets[table], nil
	}
	if table, ok := strings.CutPrefix(name, "Custom-"); ok && s.targets[table] != nil {
		return s.targets[table], nil
	}
	return nil, &UnknownError{What: "stream", Name: name, Reason: "there is no such stream"}
}

// Table gives the target of a table by its name in KQL (SecurityEvent, Probe_CL)
// or its physical name. The error is an [*UnknownError].
func (s *Streams) Table(name string) (*Target, error) {
	if t := s.targets[name]; t != nil {
		return t, nil
	}
	return nil, &UnknownError{What: "table", Name: name, Reason: "there is no such table"}
}
