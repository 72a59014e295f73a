package eventxml

import "bytes"

// eventLogProvider writes who cleared a log (1102 in Security, 104 in System) as
// UserData, under the names that other audits use in EventData. Sentinel's agents
// show these values in EventData.
const eventLogProvider = "Microsoft-Windows-Eventlog"

var clearedBy = [...]string{"SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"}

var references = [...][2]string{{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}}

// ClearedBy gives each of the values that tell who cleared a log, from the content of
// UserData of an event of that provider; of all other events none. A value is valid
// until the call returns.
func ClearedBy(provider, userData []byte, each func(name string, value []byte)) {
	if len(userData) == 0 || string(provider) != eventLogProvider {
		return
	}
	for _, name := range clearedBy {
		_, value, ok := bytes.Cut(userData, []byte("<"+name+">"))
		if !ok {
			continue
		}
		if value, _, ok = bytes.Cut(value, []byte("</"+name+">")); !ok || bytes.IndexByte(value, '<') >= 0 {
			continue
		}
		for _, e := range references {
			value = bytes.ReplaceAll(value, []byte(e[0]), []byte(e[1]))
		}
		each(name, value)
	}
}
