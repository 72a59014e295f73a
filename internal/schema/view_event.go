package schema

// eventDataAsSentinel is EventData with double quotes and the namespace that
// Microsoft's agents write, so that rules which parse its text find what they
// look for; empty for an event whose first element behind System is another, or has
// no end tag.
const eventDataAsSentinel = `__event_data()`

// eventDataAsBag is EventData as Sentinel's WindowsEvent has it. The binder knows it:
// a field of it with a column of its own is read there.
const (
	eventDataAsBag    = `__event_data_json()`
	docEventDataAsBag = "EventData as an object of texts by their names, of a repeated name the first; values without a name are in the array Data."
)

const exprUserName = `case(isempty(SystemUserId), "N/A", SystemUserId == "S-1-5-18", "NT AUTHORITY\\SYSTEM", ` +
	`SystemUserId == "S-1-5-19", "NT AUTHORITY\\LOCAL SERVICE", SystemUserId == "S-1-5-20", "NT AUTHORITY\\NETWORK SERVICE", SystemUserId)`

// exprParameters is ParameterXml for classic events, whose Data have no names.
const exprParameters = `iff(substring(EventXml, 0, 17) == "<EventData><Data>", replace_string(replace_string(extract("(?s)<EventData>(<Data>.*</Data>)", 1, EventXml), "<Data>", "<Param>"), "</Data>", "</Param>"), "")`

var event = &View{
	Name:   "Event",
	Table:  WindowsEvents,
	Filter: picks("Event"),
	Doc:    "Windows events but those of channel Security, as Sentinel's agents show them.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		constant("SourceSystem", String, `"OpsManager"`, docSourceSys),
		stored(WindowsEvents, "TimeGenerated", DateTime),
		storedAs(WindowsEvents, "Source", String, "Provider"),
		storedAs(WindowsEvents, "EventLog", String, "Channel"),
		stored(WindowsEvents, "Computer", String),
		storedAs(WindowsEvents, "EventLevel", Int, "Level"),
		computed("EventLevelName", String, exprLevelName, docLevelName),
		computed("ParameterXml", String, exprParameters, "Values of a classic event as Param elements; empty where values have names."),
		computed("EventData", String, `iff(substring(EventXml, 0, 10) == "<EventData", strcat("<DataItem Type=\"System.XmlData\">", `+eventDataAsSentinel+`, "</DataItem>"), "")`,
			"EventData as XML, in the DataItem that Sentinel's agents put around it."),
		stored(WindowsEvents, "EventID", Int),
		storedAs(WindowsEvents, "RenderedDescription", String, "RenderedMessage"),
		absent("AzureDeploymentID", String, docDeployment),
		absent("Role", String, "Role of a classic cloud service."),
		storedAs(WindowsEvents, "EventCategory", Int, "Task"),
		computed("UserName", String, exprUserName, "User the provider ran as: the well-known names, else the security identifier; N/A without one."),
		storedAs(WindowsEvents, "Message", String, "RenderedMessage"),
		absent("ManagementGroupName", String, docManagement),
	}, azureColumns(WindowsEvents, "Event"), wadiColumns(WindowsEvents)),
}

var windowsEvent = &View{
	Name:   "WindowsEvent",
	Table:  WindowsEvents,
	Filter: picks("WindowsEvent"),
	Doc:    "Windows events of sources that say so, as forwarded events are in Sentinel.",
	Columns: join([]ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(WindowsEvents, "TimeGenerated", DateTime),
		stored(WindowsEvents, "Provider", String),
		stored(WindowsEvents, "Channel", String),
		stored(WindowsEvents, "Computer", String),
		stored(WindowsEvents, "Task", Int),
		storedAs(WindowsEvents, "EventLevel", Int, "Level"),
		computed("EventLevelName", String, exprLevelName, docLevelName),
		computed("EventData", Dynamic, eventDataAsBag, docEventDataAsBag),
		stored(WindowsEvents, "EventID", Int),
		absent("RawEventData", String, "EventData as JSON, for events that Sentinel can't parse."),
		storedAs(WindowsEvents, "Correlation", String, "ActivityId"),
		absent("EventOriginId", String, docEventOrigin),
		computed("EventRecordId", String, "tostring(EventRecordId)", "The record's number in its channel on its computer."),
		computed("Keywords", String, `extract("<Keywords>([^<]*)<", 1, __xml())`, "Keyword bits, hexadecimal as in the event."),
		computed("Opcode", String, "tostring(Opcode)", "The provider's operation number."),
		stored(WindowsEvents, "SystemProcessId", Int),
		stored(WindowsEvents, "SystemThreadId", Int),
		stored(WindowsEvents, "SystemUserId", String),
		stored(WindowsEvents, "Version", Int),
		absent("ManagementGroupName", String, docManagement),
	}, azureColumns(WindowsEvents, "WindowsEvent"), wadiColumns(WindowsEvents)),
}

// join makes one list of several.
func join(lists ...[]ViewColumn) []ViewColumn {
	var all []ViewColumn
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
