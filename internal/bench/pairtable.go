package bench

import "github.com/wadi-project/wadi/internal/schema"

// pair is a question in KQL and the SQL that somebody who knows DuckDB and Wadi's
// columns well would write for the same answer. In SQL windows_events and w3c_iis
// are the tables' Parquet files.
type pair struct {
	name, kql, sql string
	// types are those of the result's columns.
	types []schema.Type
	// anyRows tells that any rows are right, so that only their number is compared.
	anyRows bool
}

const (
	tLong, tString, tTime, tDynamic = schema.Long, schema.String, schema.DateTime, schema.Dynamic

	// security picks the rows of SecurityEvent.
	security = `windows_events WHERE _Table = 'SecurityEvent'`
	// ticks gives a timestamp in ticks since the year 1, with the stored digit of
	// 100 ns. Hours and days are counted by whole numbers, which costs a third of
	// time_bucket.
	ticks = `(epoch_us(TimeGenerated) * 10 + _TimeSub + 621355968000000000)`
)

// pairs are typical questions of detection and hunting.
var pairs = []pair{
	{
		name: "count by hour and event",
		kql:  `SecurityEvent | summarize count() by bin(TimeGenerated, 1h), EventID`,
		sql: `SELECT h * 36000000000 + 621355968000000000, EventID, n FROM (
			SELECT epoch_us(TimeGenerated) // 3600000000 AS h, EventID, count(*) AS n FROM ` + security + ` GROUP BY ALL)`,
		types: []schema.Type{tTime, tLong, tLong},
	},
	{
		name: "a term in the command line",
		kql:  `SecurityEvent | where EventID == 4688 and CommandLine has "powershell" | summarize count() by Computer, SubjectUserName`,
		sql: `SELECT Computer, SubjectUserName, count(*) FROM ` + security + ` AND EventID = 4688
			AND regexp_matches(CommandLine, '(?i)(?:^|[^\pL\pN])powershell(?:$|[^\pL\pN])') GROUP BY ALL`,
		types: []schema.Type{tString, tString, tLong},
	},
	{
		name: "failed logons by user",
		kql: `SecurityEvent | where EventID == 4625
			| summarize Failures = count(), Hosts = dcount(Computer), Addresses = dcount(IpAddress) by TargetUserName`,
		sql: `SELECT TargetUserName, count(*), count(DISTINCT Computer), count(DISTINCT IpAddress) FROM ` + security + `
			AND EventID = 4625 GROUP BY ALL`,
		types: []schema.Type{tString, tLong, tLong, tLong},
	},
	{
		name: "success after failure",
		kql: `SecurityEvent | where EventID == 4625 | summarize Failures = count(), Last = max(TimeGenerated) by TargetUserName
			| join kind=innerunique (SecurityEvent | where EventID == 4624 | project TargetUserName, Computer, At = TimeGenerated) on TargetUserName
			| where At > Last and At < Last + 1h
			| summarize Successes = count(), First = min(At) by TargetUserName, Failures`,
		sql: `WITH failed AS (SELECT TargetUserName AS u, count(*) AS n, max(` + ticks + `) AS t FROM ` + security + ` AND EventID = 4625 GROUP BY ALL)
			SELECT u, n, count(*), min(s) FROM failed JOIN (SELECT TargetUserName AS v, ` + ticks + ` AS s FROM ` + security + ` AND EventID = 4624)
			ON u = v WHERE s > t AND s < t + 36000000000 GROUP BY ALL`,
		types: []schema.Type{tString, tLong, tLong, tTime},
	},
	{
		name: "last logon of each computer",
		kql: `SecurityEvent | where EventID == 4624 | summarize arg_max(TimeGenerated, *) by Computer
			| project Computer, TimeGenerated, TargetUserName, IpAddress`,
		sql: `SELECT Computer, max(t), arg_max(u, t), arg_max(i, t) FROM (
			SELECT Computer, ` + ticks + ` AS t, TargetUserName AS u, IpAddress AS i FROM ` + security + ` AND EventID = 4624) GROUP BY ALL`,
		types: []schema.Type{tString, tTime, tString, tString},
	},
	{
		name:  "set of users by computer",
		kql:   `SecurityEvent | where EventID == 4624 | summarize Users = make_set(TargetUserName) by Computer | extend Users = array_sort_asc(Users)`,
		sql:   `SELECT Computer, to_json(list_sort(list(DISTINCT TargetUserName))) FROM ` + security + ` AND EventID = 4624 GROUP BY ALL`,
		types: []schema.Type{tString, tDynamic},
	},
	{
		name:  "newest hundred",
		kql:   `SecurityEvent | top 100 by TimeGenerated | project TimeGenerated, Computer, EventID, TargetUserName`,
		sql:   `SELECT ` + ticks + `, Computer, EventID, coalesce(TargetUserName, '') FROM ` + security + ` ORDER BY TimeGenerated DESC, _TimeSub DESC LIMIT 100`,
		types: []schema.Type{tTime, tString, tLong, tString},
	},
	{
		name:    "any hundred",
		kql:     `SecurityEvent | where EventID == 4688 | take 100 | project TimeGenerated, Computer, NewProcessName, CommandLine`,
		sql:     `SELECT ` + ticks + `, Computer, NewProcessName, CommandLine FROM ` + security + ` AND EventID = 4688 LIMIT 100`,
		types:   []schema.Type{tTime, tString, tString, tString},
		anyRows: true,
	},
	{
		name: "parse of a path",
		kql: `SecurityEvent | where EventID == 4688 | extend Name = tolower(NewProcessName)
			| parse Name with Drive ":\\" Folder "\\" Rest | summarize count() by Drive, Folder`,
		sql: `SELECT regexp_extract(n, '(?s)^(.*?):\\', 1), regexp_extract(n, '(?s)^.*?:\\(.*?)\\', 1), count(*) FROM (
			SELECT lower(NewProcessName) AS n FROM ` + security + ` AND EventID = 4688) GROUP BY ALL`,
		types: []schema.Type{tString, tString, tLong},
	},
	{
		name: "privileges, one a row",
		kql: `SecurityEvent | where EventID == 4672 | mv-expand Privilege = split(PrivilegeList, "\n") to typeof(string)
			| summarize count(), dcount(SubjectUserName) by Privilege = trim(@"\s+", Privilege)`,
		sql: `SELECT trim(p, E' \t\n\r'), count(*), count(DISTINCT u) FROM (
			SELECT unnest(string_split(PrivilegeList, E'\n')) AS p, SubjectUserName AS u FROM ` + security + ` AND EventID = 4672) GROUP BY 1`,
		types: []schema.Type{tString, tLong, tLong},
	},
	{
		name: "series of logons",
		kql: `SecurityEvent | where EventID == 4624
			| make-series Logons = count() on TimeGenerated from datetime(2026-10-18) to datetime(2026-11-01) step 1h by Computer
			| project Computer, Logons`,
		sql: `WITH n AS (SELECT Computer, (epoch_us(TimeGenerated) - 1792281600000000) // 3600000000 AS b, count(*) AS n FROM ` + security + `
				AND EventID = 4624 AND TimeGenerated >= TIMESTAMPTZ '2026-10-18 00:00:00+00' AND TimeGenerated < TIMESTAMPTZ '2026-11-01 00:00:00+00' GROUP BY ALL),
			grid AS (SELECT Computer, b FROM (SELECT DISTINCT Computer FROM n), range(336) AS r(b))
			SELECT Computer, to_json(list(coalesce(n, 0) ORDER BY b)) FROM grid LEFT JOIN n USING (Computer, b) GROUP BY ALL`,
		types: []schema.Type{tString, tDynamic},
	},
	{
		name: "union of two views",
		kql: `union withsource=Source (SecurityEvent | project TimeGenerated, Computer), (W3CIISLog | project TimeGenerated, Computer)
			| summarize count() by Computer, Day = bin(TimeGenerated, 1d)`,
		sql: `SELECT Computer, d * 864000000000 + 621355968000000000, n FROM (SELECT Computer, epoch_us(TimeGenerated) // 86400000000 AS d, count(*) AS n FROM (
			SELECT Computer, TimeGenerated FROM ` + security + ` UNION ALL SELECT sComputerName, TimeGenerated FROM w3c_iis) GROUP BY ALL)`,
		types: []schema.Type{tString, tTime, tLong},
	},
	{
		name:  "distinct users and addresses",
		kql:   `SecurityEvent | where EventID in (4624, 4625) | distinct TargetUserName, IpAddress`,
		sql:   `SELECT DISTINCT TargetUserName, IpAddress FROM ` + security + ` AND EventID IN (4624, 4625)`,
		types: []schema.Type{tString, tString},
	},
	{
		name:  "percentiles of lengths",
		kql:   `SecurityEvent | where EventID == 4688 | summarize percentiles(strlen(CommandLine), 50, 95, 99), count() by Computer`,
		sql:   `SELECT c, p[1], p[2], p[3], n FROM (SELECT Computer AS c, quantile_disc(length(CommandLine), [0.5, 0.95, 0.99]) AS p, count(*) AS n FROM ` + security + ` AND EventID = 4688 GROUP BY ALL)`,
		types: []schema.Type{tString, tLong, tLong, tLong, tLong},
	},
	{
		name: "texts cut and joined",
		kql: `SecurityEvent | where EventID == 4688
			| extend Who = tolower(strcat(SubjectDomainName, "\\", SubjectUserName)), File = extract(@"([^\\]+)$", 1, NewProcessName)
			| summarize Runs = count(), Longest = max(strlen(CommandLine)) by Who, File`,
		sql: `SELECT lower(SubjectDomainName || '\' || SubjectUserName), regexp_extract(NewProcessName, '([^\\]+)$', 1), count(*), max(length(CommandLine)) FROM ` + security + `
			AND EventID = 4688 GROUP BY ALL`,
		types: []schema.Type{tString, tString, tLong, tLong},
	},
}
