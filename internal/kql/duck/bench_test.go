//go:build cgo

package duck_test

import (
	"testing"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// rule has 60 lines, as a long detection rule has: lets of values, tables and a
// function, joins, a union, summarize by summarize.
const rule = `let lookback = 14d;
let timeframe = 1d;
let threshold = 5;
let privileged = dynamic(["Domain Admins", "Enterprise Admins", "Schema Admins"]);
let systems = datatable(Computer:string, Tier:int)
[
  "dc1.corp.example", 0,
  "dc2.corp.example", 0,
  "web1.corp.example", 2
];
let short = (name:string) { tolower(tostring(split(name, ".")[0])) };
let failed = SecurityEvent
| where TimeGenerated between (ago(lookback) .. now())
| where EventID == "4625" and AccountType =~ "User"
| where SubStatus in ("0xc0000064", "0xc000006a")
| extend Reason = case(
    SubStatus == "0xc0000064", "no such user",
    SubStatus == "0xc000006a", "wrong password",
    "other")
| project TimeGenerated, Computer, TargetAccount, IpAddress, Reason, LogonType;
let known = failed
| where TimeGenerated < ago(timeframe)
| summarize by TargetAccount, IpAddress;
let suspects = failed
| where TimeGenerated >= ago(timeframe)
| summarize Attempts = count(), Computers = dcount(Computer), First = min(TimeGenerated), Last = max(TimeGenerated)
    by TargetAccount, IpAddress, Reason
| where Attempts > threshold;
let success = SecurityEvent
| where TimeGenerated >= ago(timeframe)
| where EventID == 4624 and LogonType in (3, 10)
| project SuccessTime = TimeGenerated, TargetAccount, IpAddress, SuccessComputer = Computer, LogonProcessName;
let groups = SecurityEvent
| where TimeGenerated >= ago(timeframe)
| where EventID in (4728, 4732, 4756)
| where TargetUserName in (privileged)
| extend Member = iff(MemberName == "-", MemberSid, MemberName)
| summarize Changes = count(), LastChange = max(TimeGenerated) by Member;
suspects
| join kind=leftanti (known) on TargetAccount, IpAddress
| join kind=inner (success) on TargetAccount, IpAddress
| where SuccessTime > First
| extend Host = short(SuccessComputer), Delay = SuccessTime - Last
| join kind=leftouter (groups) on $left.TargetAccount == $right.Member
| lookup kind=leftouter (systems) on $left.SuccessComputer == $right.Computer
| union (
    failed
    | where TimeGenerated >= ago(timeframe) and IpAddress startswith "10."
    | summarize Attempts = count(), First = min(TimeGenerated), Last = max(TimeGenerated) by TargetAccount, IpAddress, Reason
    | where Attempts > 10 * threshold
  )
| extend Severity = case(Tier == 0, "High", isnotempty(Member), "High", Attempts > 100, "Medium", "Low")
| where Severity in~ ("high", "medium") or Computers > 3
| project First, Last, TargetAccount, IpAddress, Reason, Attempts, Computers, Host, Delay, Changes, Severity, LogonProcessName
| summarize Attempts = sum(Attempts), Hosts = dcount(Host), First = min(First), LastTry = max(Last), any(LogonProcessName)
    by TargetAccount, IpAddress, Severity, bin(Last, 1h)
| sort by Severity asc, Attempts desc
| top 100 by Attempts`

// BenchmarkTranslate is the whole way from text to SQL, against the real schema.
func BenchmarkTranslate(b *testing.B) {
	for name, text := range map[string]string{
		"typical": `SecurityEvent
| where TimeGenerated > ago(1d) and EventID in (4624, 4625)
| where Account has "admin" and Computer startswith "dc"
| extend Target = strcat(TargetDomainName, "\\", TargetUserName)
| summarize Failed = countif(EventID == 4625), Hosts = dcount(Computer) by bin(TimeGenerated, 1h), Target
| where Failed > 10 | sort by Failed desc | take 20 | render timechart`,
		"star": `SecurityEvent | take 100`,
		"rule": rule,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				q, diags := syntax.Parse(text)
				p, found := bind.Bind(q, schemaEnv)
				if len(diags)+len(found) > 0 {
					b.Fatal(diags, found)
				}
				if _, err := duck.Emit(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
