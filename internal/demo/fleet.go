package demo

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// role says how a machine behaves.
type role int

const (
	controller role = iota
	server
	webServer
	workstation
	roles
)

// channel is an event log of a machine; web is the log of its IIS site.
type channel int

const (
	security channel = iota
	system
	application
	sysmon
	powershell
	channels
)

// domainSID begins the SIDs of the demo's domain.
const domainSID = "S-1-5-21-3623811015-3361044348-30300820-"

// machine is one computer.
type machine struct {
	role     role
	computer string // full name, as in System/Computer
	short    string // NetBIOS name
	account  string // machine account
	sid      string // of the machine account
	ip       string
	owner    *account // whose workstation it is
	lsass    string   // process id of lsass.exe, decimal
}

// account is a person, a service or an administrator.
type account struct {
	name, domain, sid, display string
	admin                      bool
}

// program is an image that runs on machines.
type program struct {
	image, command, name, hashes string
	parent                       int // index in the same list, -1 for services.exe
}

// fleet is everything that has a name.
type fleet struct {
	machines []machine
	people   []account
	admins   []account
	services []account
	programs [roles][]program
}

// systemAccount is who processes of the machine itself run as.
var systemAccount = account{name: "SYSTEM", domain: "NT AUTHORITY", sid: "S-1-5-18"}

// nobody is the subject of a logon from the network.
var nobody = account{name: "-", domain: "-", sid: "S-1-0-0"}

var (
	firstNames = strings.Fields("Anna Ben Clara David Emma Finn Greta Hugo Ida Jonas Klara Leo Mia Noah Olga Paul Rosa Samuel Tilda Viktor")
	lastNames  = strings.Fields("Berg Clausen Dahl Egger Fischer Graf Holm Iversen Jansen Keller Lund Moser Nilsen Olsen Petersen Quist Rask Sommer Thorsen Vogt")
	servers    = strings.Fields("fs01 fs02 sql01 app01 app02 rds01 backup01")
)

const (
	workstations = 40
	peopleCount  = 60
)

func newFleet() *fleet {
	f := &fleet{}
	for i := range peopleCount {
		first, last := firstNames[i%len(firstNames)], lastNames[(i*7+i/len(firstNames)*3)%len(lastNames)]
		f.people = append(f.people, account{
			name:   strings.ToLower(first[:1]) + "." + strings.ToLower(last) + suffix(i/len(firstNames)),
			domain: "NORDWIND", sid: domainSID + fmt.Sprint(1104+i), display: first + " " + last,
		})
	}
	for i, name := range []string{"adm-berg", "adm-lund", "adm-vogt"} {
		f.admins = append(f.admins, account{name: name, domain: "NORDWIND", sid: domainSID + fmt.Sprint(1201+i), display: name, admin: true})
	}
	for i, name := range []string{"svc-backup", "svc-sql", "svc-monitor", "svc-scan"} {
		f.services = append(f.services, account{name: name, domain: "NORDWIND", sid: domainSID + fmt.Sprint(1301+i), display: name, admin: i == 0})
	}
	for i := range 2 {
		f.add(controller, fmt.Sprintf("dc%02d", i+1), fmt.Sprintf("10.20.0.%d", 10+i))
	}
	for i, name := range servers {
		f.add(server, name, fmt.Sprintf("10.20.1.%d", 10+i))
	}
	for i := range 2 {
		f.add(webServer, fmt.Sprintf("web%02d", i+1), fmt.Sprintf("10.20.2.%d", 10+i))
	}
	for i := range workstations {
		f.add(workstation, fmt.Sprintf("ws-%03d", i+1), fmt.Sprintf("10.20.10.%d", 20+i))
		f.machines[len(f.machines)-1].owner = &f.people[i]
	}
	for r := range roles {
		f.programs[r] = readPrograms(r)
	}
	return f
}

// suffix tells people of the same name apart.
func suffix(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n + 1)
}

func (f *fleet) add(r role, name, ip string) {
	i := len(f.machines)
	f.machines = append(f.machines, machine{
		role: r, computer: name + ".nordwind.example", short: strings.ToUpper(name), account: strings.ToUpper(name) + "$",
		sid: domainSID + fmt.Sprint(1001+i), ip: ip, lsass: fmt.Sprint(640 + 4*(i%17)),
	})
}

// machine finds a machine by its short name; the names are this package's own.
func (f *fleet) machine(short string) int {
	for i := range f.machines {
		if f.machines[i].short == short {
			return i
		}
	}
	panic("BUG: no machine " + short)
}

// everywhere run on each machine; the others only on their role's.
const everywhere = `C:\Windows\System32\svchost.exe|C:\Windows\system32\svchost.exe -k netsvcs -p -s wuauserv|-1
C:\Windows\System32\wbem\WmiPrvSE.exe|C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding|0
C:\Windows\System32\taskhostw.exe|taskhostw.exe -RegisterUserDevice -NewAccount|0
C:\Windows\System32\conhost.exe|\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1|0
C:\Windows\System32\cmd.exe|C:\Windows\system32\cmd.exe /c C:\Scripts\inventory.cmd|2
C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|powershell.exe -NoProfile -File C:\Scripts\health.ps1|2
C:\Windows\System32\gpupdate.exe|gpupdate.exe /target:computer|0
C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24080.9-0\MpCmdRun.exe|"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24080.9-0\MpCmdRun.exe" SignatureUpdate -ScheduleJob|0
`

// rolePrograms are lines image|command line|parent's line.
var rolePrograms = [roles]string{
	controller: `C:\Windows\System32\dfsrs.exe|C:\Windows\system32\DFSRs.exe|-1
C:\Windows\System32\repadmin.exe|repadmin /replsummary|4
`,
	server: `C:\Program Files\Backup\agent.exe|"C:\Program Files\Backup\agent.exe" --job nightly|-1
C:\Windows\System32\robocopy.exe|robocopy D:\Shares \\backup01\daily$ /MIR /R:1|4
C:\Windows\System32\sc.exe|sc query state= all|4
`,
	webServer: `C:\Windows\System32\inetsrv\w3wp.exe|c:\windows\system32\inetsrv\w3wp.exe -ap "Shop" -v "v4.0"|-1
C:\Windows\System32\inetsrv\appcmd.exe|appcmd list apppool|4
`,
	workstation: `C:\Windows\explorer.exe|C:\Windows\Explorer.EXE|-1
C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE|"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE"|8
C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE|"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n /dde|8
C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE|"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /dde|8
C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe|"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --profile-directory=Default|8
C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe|"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=renderer --lang=en-US|12
C:\Windows\System32\RuntimeBroker.exe|C:\Windows\System32\RuntimeBroker.exe -Embedding|0
C:\Windows\System32\SearchProtocolHost.exe|C:\Windows\system32\SearchProtocolHost.exe Global\UsGthrFltPipeMssGthrPipe|0
C:\Windows\System32\notepad.exe|"C:\Windows\system32\NOTEPAD.EXE" C:\Users\Public\notes.txt|8
`,
}

func readPrograms(r role) []program {
	var out []program
	for line := range strings.Lines(everywhere + rolePrograms[r]) {
		part := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		var parent int
		if _, err := fmt.Sscan(part[2], &parent); err != nil {
			panic("BUG: " + line)
		}
		out = append(out, newProgram(part[0], part[1], parent))
	}
	return out
}

func newProgram(image, command string, parent int) program {
	md, s1, s256 := md5.Sum([]byte(image)), sha1.Sum([]byte(image)), sha256.Sum256([]byte(image))
	upper := func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
	return program{
		image: image, command: command, parent: parent, name: image[strings.LastIndexByte(image, '\\')+1:],
		hashes: "SHA1=" + upper(s1[:]) + ",MD5=" + upper(md[:]) + ",SHA256=" + upper(s256[:]) + ",IMPHASH=" + upper(md[:]),
	}
}

// servicesProgram is the parent of services.
var servicesProgram = newProgram(`C:\Windows\System32\services.exe`, `C:\Windows\system32\services.exe`, -1)

// parent gives the program that started p.
func (f *fleet) parent(r role, p *program) *program {
	if p.parent < 0 {
		return &servicesProgram
	}
	return &f.programs[r][p.parent]
}
