package syntax

import (
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
)

// BenchmarkParse reads a rule of about 60 lines, the target's form: lets, a join,
// mv-expand, parse, summarize.
func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(rule)))
	for b.Loop() {
		if _, diags := Parse(rule); len(diags) > 0 {
			b.Fatal(diags[0])
		}
	}
}

// BenchmarkParseCorpus reads all public queries.
func BenchmarkParseCorpus(b *testing.B) {
	queries := kqltest.Queries(b)
	for b.Loop() {
		for _, text := range queries {
			Parse(text)
		}
	}
}

var rule = strings.TrimSpace(`
// Many failed sign-ins, then one that succeeds, from the same address.
let lookback = 1d;
let window = 30m;
let threshold = 10;
let failures = dynamic([50053, 50055, 50126]);
let exclude = (account:string) { account has "svc-" or account endswith "$" };
let failed = SigninLogs
    | where TimeGenerated > ago(lookback)
    | where ResultType in ("50053", "50055", "50126") and not(exclude(UserPrincipalName))
    | extend City = tostring(LocationDetails.city), Country = tostring(LocationDetails.countryOrRegion)
    | extend Os = tostring(DeviceDetail["operatingSystem"]), Browser = tostring(DeviceDetail.browser)
    | summarize
        FailureCount = count(),
        Accounts = make_set(UserPrincipalName, 100),
        Cities = make_set(City),
        FirstFailure = min(TimeGenerated),
        LastFailure = max(TimeGenerated)
        by IPAddress, bin(TimeGenerated, window)
    | where FailureCount > threshold;
let succeeded = SigninLogs
    | where TimeGenerated > ago(lookback)
    | where ResultType == "0"
    | mv-expand Policy = ConditionalAccessPolicies to typeof(dynamic) limit 10
    | extend PolicyName = tostring(Policy.displayName), Result = tostring(Policy.result)
    | where Result !in~ ("notApplied", "notEnabled")
    | summarize
        SuccessTime = min(TimeGenerated),
        Apps = make_set(AppDisplayName),
        Policies = make_list(PolicyName, 50)
        by IPAddress, UserPrincipalName;
let watch = datatable(IPAddress:string, Reason:string) [
    "203.0.113.7", "scanner",
    "198.51.100.23", "proxy",
    "192.0.2.99", "test",
];
failed
| join kind=inner (
    succeeded
    | where isnotempty(UserPrincipalName)
    | project IPAddress, UserPrincipalName, SuccessTime, Apps, Policies
) on IPAddress
| where SuccessTime between (FirstFailure .. (LastFailure + 2h))
| join kind=leftouter watch on $left.IPAddress == $right.IPAddress
| parse UserPrincipalName with Account "@" Domain
| extend
    Severity = case(
        FailureCount > 100 and array_length(Accounts) > 20, "High",
        FailureCount > 50, "Medium",
        isnotempty(Reason), "Medium",
        "Low"),
    Minutes = datetime_diff("minute", SuccessTime, FirstFailure)
| mv-apply City = Cities to typeof(string) on (
    where isnotempty(City)
    | summarize CityCount = dcount(City), CityList = strcat_array(make_list(City), ", ")
)
| project-away IPAddress1
| summarize arg_max(SuccessTime, *) by IPAddress, Account
| extend timestamp = SuccessTime, AccountCustomEntity = Account, IPCustomEntity = IPAddress
| project-reorder timestamp, Severity, AccountCustomEntity, IPCustomEntity, *
| sort by Severity asc, FailureCount desc
`)
