package demo

import (
	"strings"

	"github.com/wadi-project/wadi/internal/event"
)

// act is something that happens on a machine; each leads to one event.
type act int

const (
	actLogon act = iota
	actLogonFails
	actLogoff
	actExplicit
	actStart
	actEnd
	actTicket
	actService
	actNTLM
	actShare
	actConnect
	actState
	actStartType
	actBoot
	actUptime
	actClock
	actUpdate
	actCrash
	actInstall
	actLicence
	actDefender
	actDatabase
	actSysmonStart
	actSysmonConnect
	actSysmonFile
	actSysmonName
	actScript
	actConsole
)

// choice is an act and how often it happens.
type choice struct {
	weight int
	act    act
}

// life is what happens on the machines of a role, by channel.
var life = [roles][channels][]choice{
	controller: {
		security:    {{170, actTicket}, {330, actService}, {60, actNTLM}, {170, actLogon}, {140, actLogoff}, {2, actLogonFails}, {40, actStart}, {40, actEnd}, {48, actConnect}},
		system:      {{60, actState}, {10, actClock}, {6, actUptime}, {2, actStartType}, {4, actUpdate}, {1, actBoot}},
		application: {{40, actDatabase}, {30, actLicence}, {2, actInstall}},
		sysmon:      sysmonLife, powershell: powershellLife,
	},
	server: {
		security:    {{200, actLogon}, {170, actLogoff}, {2, actLogonFails}, {10, actExplicit}, {160, actStart}, {150, actEnd}, {120, actShare}, {180, actConnect}},
		system:      {{60, actState}, {8, actClock}, {4, actUptime}, {4, actStartType}, {4, actUpdate}, {1, actBoot}},
		application: {{30, actLicence}, {20, actDatabase}, {6, actInstall}, {1, actCrash}},
		sysmon:      sysmonLife, powershell: powershellLife,
	},
	webServer: {
		security:    {{80, actLogon}, {70, actLogoff}, {1, actLogonFails}, {160, actStart}, {150, actEnd}, {400, actConnect}},
		system:      {{60, actState}, {8, actClock}, {4, actUptime}, {4, actStartType}, {4, actUpdate}, {1, actBoot}},
		application: {{30, actLicence}, {20, actDatabase}, {6, actInstall}},
		sysmon:      sysmonLife, powershell: powershellLife,
	},
	workstation: {
		security:    {{90, actLogon}, {70, actLogoff}, {4, actLogonFails}, {12, actExplicit}, {300, actStart}, {280, actEnd}, {180, actConnect}},
		system:      {{60, actState}, {8, actClock}, {3, actUptime}, {8, actStartType}, {8, actUpdate}, {3, actBoot}},
		application: {{20, actLicence}, {12, actDatabase}, {10, actInstall}, {6, actCrash}, {10, actDefender}},
		sysmon:      sysmonLife, powershell: powershellLife,
	},
}

var (
	sysmonLife     = []choice{{380, actSysmonStart}, {330, actSysmonConnect}, {160, actSysmonFile}, {130, actSysmonName}}
	powershellLife = []choice{{80, actScript}, {20, actConsole}}
)

var (
	interactive = logonKind{"2", "User32 ", "Negotiate", "-", "0", "0x5ac", `C:\Windows\System32\svchost.exe`}
	unlock      = logonKind{"7", "User32 ", "Negotiate", "-", "0", "0x5ac", `C:\Windows\System32\svchost.exe`}
	remote      = logonKind{"10", "User32 ", "Negotiate", "-", "0", "0x5ac", `C:\Windows\System32\svchost.exe`}
	network     = logonKind{"3", "Kerberos", "Kerberos", "-", "0", "0x0", "-"}
	ntlm        = logonKind{"3", "NtLmSsp ", "NTLM", "NTLM V2", "128", "0x0", "-"}
	batch       = logonKind{"4", "Advapi  ", "Negotiate", "-", "0", "0x4f8", `C:\Windows\System32\svchost.exe`}
	asService   = logonKind{"5", "Advapi  ", "Negotiate", "-", "0", "0x26c", `C:\Windows\System32\services.exe`}
)

var peers = []peer{
	{"dc01.nordwind.example", "10.20.0.10", "389"},
	{"dc02.nordwind.example", "10.20.0.11", "88"},
	{"fs01.nordwind.example", "10.20.1.10", "445"},
	{"sql01.nordwind.example", "10.20.1.12", "1433"},
	{"app01.nordwind.example", "10.20.1.13", "443"},
	{"updates.example", "198.51.100.20", "443"},
	{"mail.example", "198.51.100.31", "443"},
	{"cdn.example", "198.51.100.47", "443"},
	{"news.example", "198.51.100.80", "443"},
}

var (
	shares = strings.Fields("Finance Projects Public Sales Templates")
	files  = []string{
		`C:\Windows\Temp\tmp4F21.tmp`, `C:\Users\Public\Documents\report.docx`, `C:\Windows\SoftwareDistribution\Download\Install\AM_Delta.exe`,
		`C:\ProgramData\Microsoft\Windows Defender\Scans\mpcache.bin`, `C:\Windows\Prefetch\CONHOST.EXE-0C6456FB.pf`,
	}
	scripts = []string{
		"Get-Service | Where-Object Status -eq 'Running' | Export-Csv C:\\Scripts\\services.csv -NoTypeInformation",
		"Get-ChildItem D:\\Shares -Recurse | Measure-Object -Property Length -Sum",
		"prompt",
		"$os = Get-CimInstance Win32_OperatingSystem\n[math]::Round($os.FreePhysicalMemory / 1MB, 1)",
		"{ Set-StrictMode -Version 1; $_.PSMessageDetails }",
	}
	services = newServices("Windows Update", "Background Intelligent Transfer Service", "Windows Modules Installer", "Software Protection",
		"Device Setup Manager", "WinHTTP Web Proxy Auto-Discovery Service", "Microsoft Defender Antivirus Network Inspection Service", "Portable Device Enumerator Service")
)

// newServices writes the names as event 7036's Binary does: UTF-16, the state
// behind a slash, in hexadecimal.
func newServices(titles ...string) (out []service) {
	for _, title := range titles {
		var b strings.Builder
		for _, c := range []byte(title[:min(len(title), 8)] + "/4") {
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
			b.WriteString("00")
		}
		out = append(out, service{title, b.String() + "0000"})
	}
	return out
}

// session is an open logon.
type session struct {
	account *account
	logon   uint64
	kind    *logonKind
	ip      string
	port    int
}

// process is a running one.
type process struct {
	program *program
	owner   *account
	logon   uint64
	pid     uint32
}

// openMost bounds the sessions and processes that a block remembers.
const openMost = 16

// host is the state of one machine within a block.
type host struct {
	scene
	fleet     *fleet
	templates *templates
	totals    [channels]int
	sessions  []session
	running   []process
	privilege bool // the next event of Security tells of the last logon's privileges
}

func (g *Generator) newHost(b *block) *host {
	h := &host{fleet: g.fleet, templates: g.templates}
	h.host = &g.fleet.machines[b.machine]
	h.random = mix(Generation, g.config.Seed, uint64(g.config.Until), uint64(g.config.Events), uint64(g.config.Requests), uint64(b.machine), uint64(b.lo), uint64(b.part))
	h.boot = g.start - event.Ticks(b.machine%7+1)*event.TicksPerDay
	h.peer, h.service, h.logon = &peers[0], &services[0], &network
	for c := range channels {
		for _, l := range life[h.host.role][c] {
			h.totals[c] += l.weight
		}
	}
	return h
}

// next sets the scene of the next event of a channel and gives its template.
func (h *host) next(c channel) template {
	if c == security && h.privilege {
		h.privilege = false
		return h.template("4672")
	}
	n := h.random.below(h.totals[c])
	list := life[h.host.role][c]
	i := 0
	for n >= list[i].weight {
		n -= list[i].weight
		i++
	}
	switch c {
	case security:
		return h.security(list[i].act)
	case sysmon, powershell:
		return h.trace(list[i].act)
	case system, application, channels:
	}
	return h.upkeep(list[i].act)
}

func (h *host) template(name string) template {
	return h.templates.list[h.templates.byName[name]]
}
