package demo

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/event"
)

// Truth is what is hidden in a demo: demo-truth.json.
type Truth struct {
	Generation int        `json:"generation"`
	Seed       uint64     `json:"seed"`
	From       string     `json:"from"`
	Until      string     `json:"until"`
	Events     int64      `json:"events"`
	Requests   int64      `json:"requests"`
	Scenarios  []Scenario `json:"scenarios"`
}

// Scenario is one thing that happened, and the questions that find it.
type Scenario struct {
	Name string `json:"name"`
	// Text tells what happened.
	Text string `json:"text"`
	// From and Until bound its events.
	From    string   `json:"from"`
	Until   string   `json:"until"`
	Answers []Answer `json:"answers"`
}

// Answer is a question in KQL and its right answer, in the form of
// `wadi query --format json`: a list of rows.
type Answer struct {
	Query   string   `json:"query"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

// intruder is the address that the break-in comes from, and intruderRule the
// name of the firewall rule that it leaves behind.
const (
	intruderIP   = "203.0.113.77"
	intruderRule = "Remote Support 4444"
	stolen       = "svc-scan"
	newAdmin     = "helpdesk2"
)

// The programs of the intruder.
var intruderPrograms = []program{
	newProgram(`C:\Windows\System32\cmd.exe`, `cmd.exe /c whoami /all`, -1),
	newProgram(`C:\Windows\System32\net.exe`, `net group "Domain Admins" /domain`, -1),
	newProgram(`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `powershell.exe -nop -w hidden -EncodedCommand SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA=`, -1),
}

// Truth gives what is hidden in the demo.
func (g *Generator) Truth() *Truth { return g.truth }

// addScenarios puts the scenarios' events into the streams and writes the truth.
// Six days before the end somebody breaks in at night; three days before, the
// shop fails in the afternoon.
func (g *Generator) addScenarios() {
	g.truth = &Truth{
		Generation: Generation, Seed: g.config.Seed, From: g.start.String(), Until: g.config.Until.String(),
		Events: g.config.Events, Requests: g.config.Requests,
	}
	night := g.config.Until - 6*event.TicksPerDay + event.TicksPerHour
	day := g.config.Until - 3*event.TicksPerDay + 14*event.TicksPerHour
	g.breakIn(night)
	g.makeAdministrator(night + 135*minute)
	g.startPrograms(night + 150*minute)
	g.openFirewall(night + 165*minute)
	g.failOrders(day)
}

const minute = event.TicksPerHour / 60

func (g *Generator) in(machine string, c channel) *stream {
	return &g.streams[g.fleet.machine(machine)*int(channels)+int(c)]
}

func (g *Generator) tell(name, text string, from, until event.Ticks, answers ...Answer) {
	g.truth.Scenarios = append(g.truth.Scenarios, Scenario{Name: name, Text: text, From: from.String(), Until: until.String(), Answers: answers})
}

func (g *Generator) template(name string) int { return g.templates.byName[name] }

// thief is the account that the break-in uses.
func (g *Generator) thief() *account {
	for i := range g.fleet.services {
		if g.fleet.services[i].name == stolen {
			return &g.fleet.services[i]
		}
	}
	panic("BUG: no account " + stolen)
}

// The logon that the break-in opens.
const stolenLogon = 0x5a3f17c2

func (g *Generator) breakIn(at event.Ticks) {
	victim := g.thief()
	fails, succeeds := g.template("4625"), g.template("4624")
	set := func(i int64, s *scene) {
		s.subject, s.subjectLogon, s.target, s.targetLogon = &nobody, 0, victim, stolenLogon
		s.logon, s.workstation, s.ip, s.port = &remote, "RDS01", intruderIP, 50_000+int(i%9_000)
	}
	failed := 60 + g.config.Events/2000
	s := g.in("RDS01", security)
	s.inserts = append(s.inserts,
		insert{at, at + 120*minute, failed, func(i int64, s *scene) int { set(i, s); return fails }},
		insert{at + 121*minute, at + 122*minute, 1, func(i int64, s *scene) int { set(i, s); return succeeds }})
	g.tell("failed-then-successful-logon",
		"From "+intruderIP+" somebody guesses the password of "+stolen+" over remote desktop on RDS01 for two hours, then it works.", at, at+122*minute,
		Answer{
			Query: `SecurityEvent
| where EventID == 4625 or EventID == 4624
| summarize Failed = countif(EventID == 4625), Succeeded = countif(EventID == 4624) by Computer, TargetUserName, IpAddress
| where Succeeded > 0 and Failed > 20 * Succeeded`,
			Columns: []string{"Computer", "TargetUserName", "IpAddress", "Failed", "Succeeded"},
			Rows:    [][]any{{"rds01.nordwind.example", stolen, intruderIP, failed, 1}},
		},
		Answer{
			Query:   fmt.Sprintf("SecurityEvent | where IpAddress == %q and EventID == 4624 | project TimeGenerated, LogonType, TargetLogonId", intruderIP),
			Columns: []string{"TimeGenerated", "LogonType", "TargetLogonId"},
			Rows:    [][]any{{(at + 121*minute).String(), 10, fmt.Sprintf("0x%x", stolenLogon)}},
		})
}

func (g *Generator) makeAdministrator(at event.Ticks) {
	thief := g.thief()
	made := &account{name: newAdmin, domain: "NORDWIND", sid: domainSID + "1999", display: "Helpdesk Two"}
	list := []int{g.template("4720"), g.template("4722"), g.template("4732")}
	s := g.in("DC01", security)
	s.inserts = append(s.inserts, insert{at, at + 3*minute, int64(len(list)), func(i int64, s *scene) int {
		s.subject, s.subjectLogon, s.target = thief, stolenLogon, made
		return list[i]
	}})
	g.tell("account-made-administrator",
		stolen+" makes the account "+newAdmin+" on DC01 and puts it into Administrators.", at, at+3*minute,
		Answer{
			Query:   "SecurityEvent | where EventID == 4732 | project TimeGenerated, Computer, SubjectUserName, TargetUserName, MemberSid",
			Columns: []string{"TimeGenerated", "Computer", "SubjectUserName", "TargetUserName", "MemberSid"},
			Rows:    [][]any{{(at + 2*minute).String(), "dc01.nordwind.example", stolen, "Administrators", made.sid}},
		},
		Answer{
			Query:   "SecurityEvent | where EventID == 4720 | project TimeGenerated, TargetUserName, TargetSid",
			Columns: []string{"TimeGenerated", "TargetUserName", "TargetSid"},
			Rows:    [][]any{{at.String(), newAdmin, made.sid}},
		})
}

func (g *Generator) startPrograms(at event.Ticks) {
	thief := g.thief()
	starts := g.template("4688")
	s := g.in("RDS01", security)
	s.inserts = append(s.inserts, insert{at, at + 9*minute, int64(len(intruderPrograms)), func(i int64, s *scene) int {
		s.subject, s.subjectLogon = thief, stolenLogon
		s.program, s.parent = &intruderPrograms[i], &intruderPrograms[0]
		s.pid, s.parentPID = uint32(6000+4*i), 5400
		return starts
	}})
	answer := Answer{
		Query:   fmt.Sprintf("SecurityEvent | where EventID == 4688 and SubjectUserName == %q | project TimeGenerated, Computer, NewProcessName, CommandLine | sort by TimeGenerated asc", stolen),
		Columns: []string{"TimeGenerated", "Computer", "NewProcessName", "CommandLine"},
	}
	for i, p := range intruderPrograms {
		answer.Rows = append(answer.Rows, []any{(at + event.Ticks(i)*3*minute).String(), "rds01.nordwind.example", p.image, p.command})
	}
	g.tell("process-creation", "In the session on RDS01 the intruder looks around and starts an encoded PowerShell command.", at, at+9*minute, answer,
		Answer{
			Query:   `SecurityEvent | where EventID == 4688 and CommandLine contains "-encodedcommand" | summarize Starts = count() by Computer, SubjectUserName`,
			Columns: []string{"Computer", "SubjectUserName", "Starts"},
			Rows:    [][]any{{"rds01.nordwind.example", stolen, 1}},
		})
}

func (g *Generator) openFirewall(at event.Ticks) {
	added := g.template("4946")
	s := g.in("RDS01", security)
	s.inserts = append(s.inserts, insert{at, at + minute, 1, func(_ int64, s *scene) int {
		s.text = intruderRule
		return added
	}})
	g.tell("firewall-rule-added", "A rule named "+intruderRule+" is added to the firewall of RDS01.", at, at+minute,
		Answer{
			Query:   `SecurityEvent | where EventID == 4946 and EventData has "4444" | project TimeGenerated, Computer`,
			Columns: []string{"TimeGenerated", "Computer"},
			Rows:    [][]any{{at.String(), "rds01.nordwind.example"}},
		})
}

// orderErrors is how many errors the order service reports in its outage.
const orderErrors = 120

func (g *Generator) failOrders(at event.Ticks) {
	broken := g.template("100")
	s := g.in("APP01", application)
	s.inserts = append(s.inserts, insert{at, at + 40*minute, orderErrors, func(i int64, s *scene) int {
		s.number = 48_100 + int(i)
		return broken
	}})
	last := s.inserts[len(s.inserts)-1].at(orderErrors - 1)
	g.tell("application-error", "The order service on APP01 can't reach its database for 40 minutes.", at, at+40*minute,
		Answer{
			Query:   `Event | where EventLog == "Application" and EventID == 100 | summarize Errors = count(), First = min(TimeGenerated), Last = max(TimeGenerated) by Computer, Source`,
			Columns: []string{"Computer", "Source", "Errors", "First", "Last"},
			Rows:    [][]any{{"app01.nordwind.example", "OrderService", orderErrors, at.String(), last.String()}},
		})

	failed := 50 + g.config.Requests/400
	answer := Answer{
		Query:   `W3CIISLog | where scStatus == "500" | summarize Requests = count() by sComputerName, csMethod, csUriStem | sort by sComputerName asc`,
		Columns: []string{"sComputerName", "csMethod", "csUriStem", "Requests"},
	}
	for _, name := range []string{"WEB01", "WEB02"} {
		w := &g.web[g.fleet.machine(name)]
		w.inserts = append(w.inserts, insert{at, at + 40*minute, failed, func(int64, *scene) int { return 0 }})
		answer.Rows = append(answer.Rows, []any{name, pages[ordersPage].method, pages[ordersPage].stem, failed})
	}
	g.tell("burst-of-500", "While the order service is down, the shop answers orders with status 500.", at, at+40*minute, answer)
}
