package ingest

import (
	"bytes"
	"strconv"

	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/schema"
)

// The rules of columns that the views of Windows events compute. Each has two
// directions: what of the event such a value says, where nothing else does, and
// what the view makes of the event, which must be the value.
const (
	ruleEventData = iota + 1
	ruleParameterXML
	ruleAccount
	ruleAccountType
	ruleSubject
	ruleTarget
	ruleProcess
	ruleLogonType
	ruleActivity
	ruleAuditLevel
	ruleLevelName
	ruleUserName
	ruleRecordID
	ruleKeywords
	ruleOpcode
)

var ruleOf = map[string]int{
	"SecurityEvent.EventData": ruleEventData, "SecurityEvent.Account": ruleAccount, "SecurityEvent.AccountType": ruleAccountType,
	"SecurityEvent.SubjectAccount": ruleSubject, "SecurityEvent.TargetAccount": ruleTarget, "SecurityEvent.Process": ruleProcess,
	"SecurityEvent.LogonTypeName": ruleLogonType, "SecurityEvent.Activity": ruleActivity, "SecurityEvent.Level": ruleAuditLevel,
	"Event.EventData": ruleEventData, "Event.ParameterXml": ruleParameterXML, "Event.EventLevelName": ruleLevelName, "Event.UserName": ruleUserName,
	"WindowsEvent.EventData": ruleEventData, "WindowsEvent.EventLevelName": ruleLevelName, "WindowsEvent.EventRecordId": ruleRecordID,
	"WindowsEvent.Keywords": ruleKeywords, "WindowsEvent.Opcode": ruleOpcode,
}

// Keywords of audits, and what Level shows for them.
const (
	auditSuccess = -0x7fe0000000000000 // 0x8020000000000000
	auditFailure = -0x7ff0000000000000 // 0x8010000000000000
)

var (
	levelNames = map[string]int64{"Critical": 1, "Error": 2, "Warning": 3, "Information": 4, "Verbose": 5}
	userNames  = [...][2]string{
		{"NT AUTHORITY\\SYSTEM", "S-1-5-18"}, {"NT AUTHORITY\\LOCAL SERVICE", "S-1-5-19"}, {"NT AUTHORITY\\NETWORK SERVICE", "S-1-5-20"},
	}
	logonTypes = [...][2]string{
		{"0", "0 - System"},
		{"2", "2 - Interactive"},
		{"3", "3 - Network"},
		{"4", "4 - Batch"},
		{"5", "5 - Service"},
		{"7", "7 - Unlock"},
		{"8", "8 - NetworkCleartext"},
		{"9", "9 - NewCredentials"},
		{"10", "10 - RemoteInteractive"},
		{"11", "11 - CachedInteractive"},
		{"12", "12 - CachedRemoteInteractive"},
		{"13", "13 - CachedUnlock"},
	}
)

// offer sets a slot that no column has set.
func (w *windowsWriter) offer(col, slot int, n int64, text []byte) {
	if w.from[slot] == 0 {
		w.from[slot], w.numbers[slot], w.texts[slot] = col+1, n, text
	}
}

// deriveSystem takes what a computed column says of System, where no other column
// does.
func (w *windowsWriter) deriveSystem(d *sent) string {
	text := string(d.text)
	switch w.t.columns[d.col].at {
	case ruleAuditLevel:
		n, err := strconv.ParseInt(text, 10, 32)
		switch {
		case err != nil || n < 0:
			return "the column takes the text of a whole number"
		case n == 8 && w.from[slotLevel] == 0:
			w.offer(d.col, slotKeywords, auditSuccess, nil)
		case n == 16 && w.from[slotLevel] == 0:
			w.offer(d.col, slotKeywords, auditFailure, nil)
		default:
			w.offer(d.col, slotLevel, n, nil)
		}
	case ruleLevelName:
		if n, ok := levelNames[text]; ok {
			w.offer(d.col, slotLevel, n, nil)
		}
	case ruleUserName:
		if text == "N/A" {
			return ""
		}
		id := d.text
		for _, u := range userNames {
			if u[0] == text {
				id = []byte(u[1])
			}
		}
		w.offer(d.col, slotUserID, 0, id)
	case ruleRecordID:
		if n, ok := parseWhole(d.text); ok && n >= 0 {
			w.offer(d.col, slotRecordID, n, nil)
		}
	case ruleOpcode:
		if n, ok := parseWhole(d.text); ok && n >= 0 && int64(int32(n)) == n {
			w.offer(d.col, slotOpcode, n, nil)
		}
	case ruleKeywords:
		if n, form, ok := eventxml.ParseKeywords(d.text); ok {
			w.event.Form |= form
			w.offer(d.col, slotKeywords, int64(n), nil)
		}
	case ruleActivity:
		w.deriveActivity(d)
	}
	return ""
}

// deriveActivity takes number and title: the title is the message's first line
// where Wadi has none for the number.
func (w *windowsWriter) deriveActivity(d *sent) {
	number, title, titled := bytes.Cut(d.text, []byte(" - "))
	n, ok := parseWhole(number)
	if !ok || n < 0 || int64(int32(n)) != n {
		return
	}
	w.offer(d.col, slotEventID, n, nil)
	if _, known := schema.ActivityTitle(int32(n)); titled && !known {
		w.offer(d.col, slotMessage, 0, title)
	}
}

// value gives what the view shows for a column of EventData.
func (w *windowsWriter) value(name string) []byte {
	at := schema.EventDataColumn(nil, []byte(name))
	for i := range w.event.Data {
		if n := w.event.Data[i].Name; string(n) == name || len(n) > 0 && schema.EventDataColumn(w.event.System.Provider, n) == at {
			return w.event.Data[i].Value
		}
	}
	return nil
}

// offerData adds a value of EventData that no column has given.
func (w *windowsWriter) offerData(name string, value []byte) {
	if len(value) > 0 && w.value(name) == nil {
		w.event.Data = append(w.event.Data, windowsrow.Data{Name: []byte(name), Value: value})
	}
}

// deriveData takes what a computed column says of EventData, where no other column
// does.
func (w *windowsWriter) deriveData(d *sent) {
	switch w.t.columns[d.col].at {
	case ruleSubject:
		w.offerAccount("Subject", d.text)
	case ruleTarget:
		w.offerAccount("Target", d.text)
	case ruleAccount:
		whose := "Subject"
		if w.aboutTarget() && w.value("SubjectUserName") != nil || w.logon() || w.event.System.EventID == 4776 || w.value("TargetUserName") != nil {
			whose = "Target"
		}
		w.offerAccount(whose, d.text)
	case ruleProcess:
		if w.value("NewProcessName") == nil {
			w.offerData("ProcessName", d.text)
		}
	case ruleLogonType:
		for _, t := range logonTypes {
			if t[1] == string(d.text) {
				w.offerData("LogonType", []byte(t[0]))
				return
			}
		}
		w.offerData("LogonType", d.text)
	}
}

// offerAccount takes domain\name apart. 4776 has names alone.
func (w *windowsWriter) offerAccount(whose string, account []byte) {
	domain, name, ok := bytes.Cut(account, []byte(`\`))
	if !ok {
		domain, name = nil, account
	}
	if w.value(whose+"UserName") == nil && w.value(whose+"DomainName") == nil {
		w.offerData(whose+"UserName", name)
		w.offerData(whose+"DomainName", domain)
	}
}

func (w *windowsWriter) logon() bool {
	s := &w.event.System
	return s.Has&event.HasEventID != 0 && (s.EventID == 4624 || s.EventID == 4625)
}

// aboutTarget tells whether SecurityEvent's Account is the target.
func (w *windowsWriter) aboutTarget() bool {
	name := w.value("SubjectUserName")
	return w.logon() || len(name) == 0 || string(name) == "-"
}

// account is SubjectAccount or TargetAccount.
func (w *windowsWriter) account(whose string) []byte {
	name, domain := w.value(whose+"UserName"), w.value(whose+"DomainName")
	switch s := &w.event.System; {
	case len(name) == 0 && len(domain) == 0:
		return nil
	case whose == "Target" && s.Has&event.HasEventID != 0 && s.EventID == 4776:
		return name
	}
	return append(append(bytes.Clone(domain), '\\'), name...)
}

// shows tells whether the view makes of the event what was sent.
func (w *windowsWriter) shows(d *sent) bool {
	s := &w.event.System
	want := d.text
	decimal := func(n int64, has uint32) bool {
		return s.Has&has != 0 && string(want) == strconv.FormatInt(n, 10)
	}
	switch w.t.columns[d.col].at {
	case ruleEventData:
		return w.showsEventData(d)
	case ruleParameterXML:
		return bytes.Equal(want, w.parameters())
	case ruleAccount, ruleAccountType:
		whose := "Subject"
		if w.aboutTarget() {
			whose = "Target"
		}
		if w.t.columns[d.col].at == ruleAccount {
			return bytes.Equal(want, w.account(whose))
		}
		name := w.value(whose + "UserName")
		kind := "User"
		if bytes.HasSuffix(name, []byte("$")) {
			kind = "Machine"
		}
		return len(name) > 0 && string(want) == kind
	case ruleSubject:
		return bytes.Equal(want, w.account("Subject"))
	case ruleTarget:
		return bytes.Equal(want, w.account("Target"))
	case ruleProcess:
		path := w.value("NewProcessName")
		if len(path) == 0 {
			path = w.value("ProcessName")
		}
		return bytes.Equal(want, path[bytes.LastIndexByte(path, '\\')+1:])
	case ruleLogonType:
		name := w.value("LogonType")
		for _, t := range logonTypes {
			if t[0] == string(name) {
				name = []byte(t[1])
			}
		}
		return bytes.Equal(want, name)
	case ruleActivity:
		return w.showsActivity(want)
	case ruleAuditLevel:
		switch {
		case s.Has&event.HasKeywords != 0 && s.Keywords == auditSuccess:
			return string(want) == "8"
		case s.Has&event.HasKeywords != 0 && s.Keywords == auditFailure:
			return string(want) == "16"
		}
		return decimal(int64(s.Level), event.HasLevel)
	case ruleLevelName:
		return s.Has&event.HasLevel != 0 && s.Level < 256 && string(want) == event.Level(s.Level).String()
	case ruleUserName:
		return string(want) == userName(s.UserID)
	case ruleRecordID:
		return decimal(s.EventRecordID, event.HasEventRecordID)
	case ruleOpcode:
		return decimal(int64(s.Opcode), event.HasOpcode)
	case ruleKeywords:
		return s.Has&event.HasKeywords != 0 && bytes.Equal(want, eventxml.AppendKeywords(nil, uint64(s.Keywords), w.event.Form))
	}
	return false
}

func userName(id []byte) string {
	for _, u := range userNames {
		if u[1] == string(id) {
			return u[0]
		}
	}
	if len(id) == 0 {
		return "N/A"
	}
	return string(id)
}

// showsActivity compares with the number and the title, or the message's first
// line.
func (w *windowsWriter) showsActivity(want []byte) bool {
	s := &w.event.System
	if s.Has&event.HasEventID == 0 {
		return false
	}
	text := strconv.AppendInt(nil, int64(s.EventID), 10)
	title, known := schema.ActivityTitle(s.EventID)
	if !known {
		line := w.event.Message
		if end := bytes.IndexAny(line, "\r\n"); end >= 0 {
			line = line[:end]
		}
		title = string(line)
	}
	if known || len(w.event.Message) > 0 {
		text = append(append(text, " - "...), title...)
	}
	return bytes.Equal(want, text)
}

// showsEventData compares XML that was sent in the view's own form; other forms
// were taken by their values.
func (w *windowsWriter) showsEventData(d *sent) bool {
	text := bytes.TrimSpace(d.text)
	if bytes.HasPrefix(text, []byte("<DataItem")) {
		text = bytes.TrimSuffix(text[bytes.IndexByte(text, '>')+1:], []byte("</DataItem>"))
	}
	if !bytes.HasPrefix(text, []byte(eventDataTags[0])) {
		return true
	}
	return bytes.Equal(eventxml.AppendSentinel(nil, w.xml), bytes.TrimSpace(text))
}

// parameters is Event's ParameterXml.
func (w *windowsWriter) parameters() []byte {
	rest, ok := bytes.CutPrefix(w.xml, []byte(eventDataOpen))
	end := bytes.LastIndex(rest, []byte("</Data>"))
	if !ok || !bytes.HasPrefix(rest, []byte("<Data>")) || end < 0 {
		return nil
	}
	text := rest[:end+len("</Data>")]
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("<Data>"), []byte("<Param>")), []byte("</Data>"), []byte("</Param>"))
}
