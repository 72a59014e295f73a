package windowsrow

import (
	"bytes"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// eventLogProvider writes who cleared a log (1102 in Security, 104 in System) as
// UserData, under the names that other audits use in EventData.
const eventLogProvider = "Microsoft-Windows-Eventlog"

var clearedBy = []string{"SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"}

var escapes = [][2][]byte{{[]byte("&lt;"), []byte("<")}, {[]byte("&gt;"), []byte(">")}, {[]byte("&amp;"), []byte("&")}}

// userData sets the columns of who cleared a log; other UserData has no columns.
func userData(rows *datafile.Rows, provider, text []byte) {
	if len(text) == 0 || string(provider) != eventLogProvider {
		return
	}
	for _, name := range clearedBy {
		_, value, ok := bytes.Cut(text, []byte("<"+name+">"))
		if !ok {
			continue
		}
		if value, _, ok = bytes.Cut(value, []byte("</"+name+">")); !ok || bytes.IndexByte(value, '<') >= 0 {
			continue
		}
		for _, e := range escapes {
			value = bytes.ReplaceAll(value, e[0], e[1])
		}
		rows.Bytes(schema.EventDataColumn(nil, []byte(name)), value)
	}
}
