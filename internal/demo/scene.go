package demo

import (
	"strconv"

	"github.com/wadi-project/wadi/internal/event"
)

// hole is a place in a template that a scene fills.
type hole uint8

const (
	holeNone hole = iota
	holeTime
	holeTimeUTC
	holeTimeSecond
	holeRecord
	holeThread
	holeComputer
	holeHostAccount
	holeHostSID
	holeHostIP
	holeLsass
	holeSubjectSID
	holeSubjectName
	holeSubjectDomain
	holeSubjectLogon
	holeTargetSID
	holeTargetName
	holeTargetDomain
	holeTargetDisplay
	holeTargetLogon
	holeTargetElevated
	holeLogonType
	holeLogonProcess
	holeLogonPackage
	holeLogonLM
	holeLogonKey
	holeLogonPID
	holeLogonImage
	holeWorkstation
	holeGUID
	holeGUIDBare
	holeProcessGUID
	holeParentGUID
	holeIP
	holePort
	holePeerIP
	holePeerPort
	holePeerName
	holePID
	holePIDHex
	holeParentPID
	holeParentPIDHex
	holeImage
	holeImagePath
	holeCommand
	holeParentImage
	holeParentCommand
	holeProgram
	holeHashes
	holeElevation
	holeLabel
	holeIntegrity
	holeSession
	holeService
	holeServiceSID
	holeServiceTitle
	holeServiceBinary
	holeState
	holeStartOld
	holeStartNew
	holeShare
	holeText
	holeScript
	holeFile
	holeFilter
	holeUptime
	holeNumber
)

var holeNames = map[string]hole{
	"time": holeTime, "time.utc": holeTimeUTC, "time.second": holeTimeSecond, "record": holeRecord, "thread": holeThread,
	"computer": holeComputer, "host.account": holeHostAccount, "host.sid": holeHostSID, "host.ip": holeHostIP, "lsass": holeLsass,
	"subject.sid": holeSubjectSID, "subject.name": holeSubjectName, "subject.domain": holeSubjectDomain, "subject.logon": holeSubjectLogon,
	"target.sid": holeTargetSID, "target.name": holeTargetName, "target.domain": holeTargetDomain, "target.display": holeTargetDisplay,
	"target.logon": holeTargetLogon, "target.elevated": holeTargetElevated,
	"logon.type": holeLogonType, "logon.process": holeLogonProcess, "logon.package": holeLogonPackage, "logon.lm": holeLogonLM,
	"logon.key": holeLogonKey, "logon.pid": holeLogonPID, "logon.image": holeLogonImage, "workstation": holeWorkstation,
	"guid": holeGUID, "guid.bare": holeGUIDBare, "process.guid": holeProcessGUID, "parent.guid": holeParentGUID,
	"ip": holeIP, "port": holePort, "peer.ip": holePeerIP, "peer.port": holePeerPort, "peer.name": holePeerName,
	"pid": holePID, "pid.hex": holePIDHex, "parent.pid": holeParentPID, "parent.pid.hex": holeParentPIDHex,
	"image": holeImage, "image.path": holeImagePath, "command": holeCommand, "parent.image": holeParentImage,
	"parent.command": holeParentCommand, "program": holeProgram, "hashes": holeHashes,
	"elevation": holeElevation, "label": holeLabel, "integrity": holeIntegrity, "session": holeSession,
	"service": holeService, "service.sid": holeServiceSID, "service.title": holeServiceTitle, "service.binary": holeServiceBinary,
	"state": holeState, "start.old": holeStartOld, "start.new": holeStartNew, "share": holeShare, "text": holeText,
	"script": holeScript, "file": holeFile, "filter": holeFilter, "uptime": holeUptime, "number": holeNumber,
}

// scene is what one event is about. Its texts are XML already.
type scene struct {
	random random
	host   *machine
	time   event.Ticks
	record uint64

	subject, target           *account
	subjectLogon, targetLogon uint64
	logon                     *logonKind
	workstation               string
	ip                        string
	port                      int
	peer                      *peer

	program, parent *program
	pid, parentPID  uint32

	service *service
	state   string
	from    *machine // whose account a ticket is for
	text    string
	number  int
	boot    event.Ticks // when the host started
}

// logonKind is how a logon came about.
type logonKind struct {
	kind, process, pack, lm, key, pid, image string
}

// peer is the other end of a connection.
type peer struct{ name, ip, port string }

// service is a Windows service and how event 7036 writes its name in Binary.
type service struct{ title, binary string }

// append appends the value of a hole.
func (s *scene) append(dst []byte, h hole) []byte {
	switch {
	case h == holeNone:
		return dst
	case h <= holeLsass:
		return s.appendHost(dst, h)
	case h <= holeTargetElevated:
		return s.appendAccount(dst, h)
	case h <= holePeerName:
		return s.appendLogon(dst, h)
	case h <= holeSession:
		return s.appendProcess(dst, h)
	}
	return s.appendOther(dst, h)
}

func (s *scene) appendHost(dst []byte, h hole) []byte {
	switch h {
	case holeTime:
		return s.time.AppendISO(dst, 7)
	case holeTimeUTC: // Sysmon's form: 2006-01-02 15:04:05.000
		at := len(dst)
		dst = s.time.AppendISO(dst, 3)
		dst[at+10] = ' '
		return dst[:len(dst)-1]
	case holeTimeSecond:
		return s.time.AppendISO(dst, 0)
	case holeRecord:
		return strconv.AppendUint(dst, s.record, 10)
	case holeThread:
		return strconv.AppendUint(dst, 4*(s.random.next()>>54)+100, 10)
	case holeComputer:
		return append(dst, s.host.computer...)
	case holeHostAccount:
		return append(dst, s.host.account...)
	case holeHostSID:
		return append(dst, s.host.sid...)
	case holeHostIP:
		return append(dst, s.host.ip...)
	}
	return append(dst, s.host.lsass...)
}

func (s *scene) appendAccount(dst []byte, h hole) []byte {
	switch h {
	case holeSubjectSID:
		return append(dst, s.subject.sid...)
	case holeSubjectName:
		return append(dst, s.subject.name...)
	case holeSubjectDomain:
		return append(dst, s.subject.domain...)
	case holeSubjectLogon:
		return appendHex(dst, s.subjectLogon)
	case holeTargetSID:
		return append(dst, s.target.sid...)
	case holeTargetName:
		return append(dst, s.target.name...)
	case holeTargetDomain:
		return append(dst, s.target.domain...)
	case holeTargetDisplay:
		return append(dst, s.target.display...)
	case holeTargetLogon:
		return appendHex(dst, s.targetLogon)
	}
	if s.target.admin {
		return append(dst, "%%1842"...)
	}
	return append(dst, "%%1843"...)
}

func (s *scene) appendLogon(dst []byte, h hole) []byte {
	switch h {
	case holeLogonType:
		return append(dst, s.logon.kind...)
	case holeLogonProcess:
		return append(dst, s.logon.process...)
	case holeLogonPackage:
		return append(dst, s.logon.pack...)
	case holeLogonLM:
		return append(dst, s.logon.lm...)
	case holeLogonKey:
		return append(dst, s.logon.key...)
	case holeLogonPID:
		return append(dst, s.logon.pid...)
	case holeLogonImage:
		return append(dst, s.logon.image...)
	case holeWorkstation:
		return append(dst, s.workstation...)
	case holeGUID:
		return append(appendGUID(append(dst, '{'), s.random.next(), s.random.next()), '}')
	case holeGUIDBare:
		return appendGUID(dst, s.random.next(), s.random.next())
	case holeProcessGUID:
		return s.appendProcessGUID(dst, s.pid)
	case holeParentGUID:
		return s.appendProcessGUID(dst, s.parentPID)
	case holeIP:
		return append(dst, s.ip...)
	case holePort:
		return strconv.AppendInt(dst, int64(s.port), 10)
	case holePeerIP:
		return append(dst, s.peer.ip...)
	case holePeerPort:
		return append(dst, s.peer.port...)
	}
	return append(dst, s.peer.name...)
}

func (s *scene) appendProcess(dst []byte, h hole) []byte {
	switch h {
	case holePID:
		return strconv.AppendUint(dst, uint64(s.pid), 10)
	case holePIDHex:
		return appendHex(dst, uint64(s.pid))
	case holeParentPID:
		return strconv.AppendUint(dst, uint64(s.parentPID), 10)
	case holeParentPIDHex:
		return appendHex(dst, uint64(s.parentPID))
	case holeImage:
		return append(dst, s.program.image...)
	case holeImagePath:
		return append(dst, s.program.image[len("C:"):]...)
	case holeCommand:
		return append(dst, s.program.command...)
	case holeParentImage:
		return append(dst, s.parent.image...)
	case holeParentCommand:
		return append(dst, s.parent.command...)
	case holeProgram:
		return append(dst, s.program.name...)
	case holeHashes:
		return append(dst, s.program.hashes...)
	}
	own := s.subject == &systemAccount
	switch h {
	case holeElevation:
		return append(dst, either(own, "%%1936", "%%1938")...)
	case holeLabel:
		return append(dst, either(own, "S-1-16-16384", "S-1-16-8192")...)
	case holeIntegrity:
		return append(dst, either(own, "System", "Medium")...)
	}
	return append(dst, either(own, "0", "1")...)
}

func either(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func (s *scene) appendOther(dst []byte, h hole) []byte {
	switch h {
	case holeService:
		return append(dst, s.from.account...)
	case holeServiceSID:
		return append(dst, s.from.sid...)
	case holeServiceTitle:
		return append(dst, s.service.title...)
	case holeServiceBinary:
		return append(dst, s.service.binary...)
	case holeState:
		return append(dst, s.state...)
	case holeStartOld:
		return append(dst, either(s.number%2 == 0, "demand start", "auto start")...)
	case holeStartNew:
		return append(dst, either(s.number%2 == 0, "auto start", "demand start")...)
	case holeUptime:
		return strconv.AppendInt(dst, int64((s.time-s.boot)/event.TicksPerSecond), 10)
	case holeFilter:
		return strconv.AppendInt(dst, int64(67_000+s.number%40), 10)
	case holeNumber:
		return strconv.AppendInt(dst, int64(s.number), 10)
	}
	return append(dst, s.text...) // share, text, script, file
}

const hexDigits = "0123456789abcdef"

// appendHex appends n as 0x1f.
func appendHex(dst []byte, n uint64) []byte {
	return strconv.AppendUint(append(dst, '0', 'x'), n, 16)
}

// appendGUID appends 16 bytes as a GUID of version 4, without braces.
func appendGUID(dst []byte, a, b uint64) []byte {
	a, b = a&^0xf000|0x4000, b&^(3<<62)|2<<62
	for i := range 36 {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			dst = append(dst, '-')
		case i < 18:
			dst = append(dst, hexDigits[a>>60])
			a <<= 4
		default:
			dst = append(dst, hexDigits[b>>60])
			b <<= 4
		}
	}
	return dst
}

// appendProcessGUID appends Sysmon's name of a process: the machine, the hour it
// started in, its identifier.
func (s *scene) appendProcessGUID(dst []byte, pid uint32) []byte {
	machine := uint64(s.host.sid[len(s.host.sid)-1])<<32 | 0x5a3f0000
	return append(appendGUID(append(dst, '{'), machine<<24|uint64(s.time/event.TicksPerHour)<<8, uint64(pid)<<20), '}')
}
