package schema

// iisText shows a field as the log wrote it: "-" where the field was logged and
// had no value, empty where it was not logged. Rules test for both.
func iisText(name, field string) ViewColumn {
	return computed(name, String, `iff(isempty(`+name+`) and _Fields has "`+field+`", "-", `+name+`)`, W3CIIS.Column(name).Doc)
}

// exprUserAgent writes blanks as + again: Sentinel shows the header as IIS logs
// it, and rules compare with that.
const exprUserAgent = `iff(isempty(csUserAgent) and _Fields has "cs(User-Agent)", "-", replace_string(csUserAgent, " ", "+"))`

const docThreat = "Threat intelligence that Azure matches with the client's address."

var w3cIISLog = &View{
	Name:   "W3CIISLog",
	Table:  W3CIIS,
	Filter: picks("W3CIISLog"),
	Doc:    "Requests in IIS logs with Sentinel's columns; HTTP.sys's error log is in w3c_iis only.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		constant("SourceSystem", String, `"OpsManager"`, docSourceSys),
		stored(W3CIIS, "TimeGenerated", DateTime),
		computed("Computer", String, `iff(isempty(sComputerName), __source_host(), sComputerName)`, "Server that wrote the log: as the log says, else the source's host."),
		iisText("sSiteName", "s-sitename"),
		iisText("sComputerName", "s-computername"),
		iisText("sIP", "s-ip"),
		iisText("csMethod", "cs-method"),
		iisText("csUriStem", "cs-uri-stem"),
		iisText("csUriQuery", "cs-uri-query"),
		stored(W3CIIS, "sPort", Int),
		iisText("csUserName", "cs-username"),
		iisText("cIP", "c-ip"),
		iisText("csVersion", "cs-version"),
		computed("csUserAgent", String, exprUserAgent, "User-Agent header as IIS logs it, with + for blanks."),
		iisText("csCookie", "cs(Cookie)"),
		iisText("csReferer", "cs(Referer)"),
		iisText("csHost", "cs-host"),
		iisText("scStatus", "sc-status"),
		iisText("scSubStatus", "sc-substatus"),
		iisText("scWin32Status", "sc-win32-status"),
		stored(W3CIIS, "scBytes", Long),
		stored(W3CIIS, "csBytes", Long),
		stored(W3CIIS, "TimeTaken", Long),
		absent("Confidence", String, docThreat),
		absent("Description", String, docThreat),
		absent("FirstReportedDateTime", String, docThreat),
		absent("IndicatorThreatType", String, docThreat),
		absent("IsActive", String, docThreat),
		absent("LastReportedDateTime", String, docThreat),
		absent("MaliciousIP", String, docThreat),
		absent("RemoteIPCountry", String, docThreat),
		absent("RemoteIPLatitude", Real, docThreat),
		absent("RemoteIPLongitude", Real, docThreat),
		absent("Severity", Int, docThreat),
		absent("TLPLevel", String, docThreat),
		absent("AzureDeploymentID", String, docDeployment),
		absent("Role", String, "Role of a classic cloud service."),
		absent("RoleInstance", String, "Role instance of a classic cloud service."),
		absent("StorageAccount", String, docStorage),
		absent("ManagementGroupName", String, docManagement),
		absent("_ResourceId", String, "Azure resource of the computer; W3C logs don't name it."),
	}, asHidden(absent("_SubscriptionId", String, docSubID)), azureColumns(W3CIIS, "W3CIISLog"), wadiColumns(W3CIIS)),
}
