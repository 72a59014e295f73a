package schema

// WindowsEvents holds every Windows event, whichever way it came.
//
// The field ids are fixed (docs/decisions, text and columns): 1 to 32 are the
// row's identity, the text and System, from 100 on EventData's values.
var WindowsEvents = &Table{
	Name:      "windows_events",
	Version:   1,
	Doc:       "Windows events: the exact text, System's values and the common values of EventData. SecurityEvent, Event and WindowsEvent are views of it.",
	Partition: ByDay,
	Sort:      []string{"Channel", "EventID", "TimeGenerated"},
	OwnName:   true,
	Columns:   append(eventColumns, eventDataColumns...),
	Computed: append([]ViewColumn{
		hidden("EventData", Dynamic, eventDataAsBag, docEventDataAsBag),
		hidden("_Xml", String, "__xml()", "The whole event as XML, byte for byte as it was stored."),
	}, hiddenColumns...),
}

var eventColumns = []Column{
	stats(col(1, "TimeGenerated", DateTime, "When the event was raised; microseconds, floored, the seventh digit is in _TimeSub.", "System/TimeCreated/@SystemTime")),
	col(2, "_TimeSub", Int, docTimeSub, "System/TimeCreated/@SystemTime"),
	required(stats(col(3, "_IngestedAt", DateTime, docIngestedAt, originWadi))),
	required(stats(col(4, "_Source", Int, docSource, originWadi))),
	required(stats(col(5, "_Seq", Long, docSeq, originWadi))),
	required(col(6, "_Table", String, docTable+" SecurityEvent, Event or WindowsEvent.", originWadi)),
	col(7, "_RecordTime", Long, "The record header's FILETIME where it differs from TimeGenerated, as ticks of 100 ns since 0001-01-01.", "EVTX record header"),
	col(8, "_SystemForm", Int, "Which variants of EvtRender's form System used (docs/formats, eventxml), so that its text can be rebuilt.", originWadi),
	col(9, "_SystemXml", String, "The exact text up to </System>, only where the columns don't give it back.", originWadi),
	col(10, "EventXml", String, "The event's text after </System>, byte for byte.", "EvtRender, [MS-EVEN6]"),
	col(11, "RenderedMessage", String, "The message that the sender rendered.", "RenderingInfo/Message"),
	col(12, "_Culture", String, "Language of the rendered message.", "RenderingInfo/@Culture"),
	stats(col(13, "Channel", String, "The event log the event was written to.", "System/Channel")),
	col(14, "Provider", String, "Name of the event's provider.", "System/Provider/@Name"),
	col(15, "ProviderGuid", String, "Identifier of the event's provider.", "System/Provider/@Guid"),
	col(16, "EventSourceName", String, "Name of the classic event source.", "System/Provider/@EventSourceName"),
	stats(col(17, "EventID", Int, "The event's number within its provider.", "System/EventID")),
	col(18, "Qualifiers", Int, "Upper 16 bits of a classic event's identifier.", "System/EventID/@Qualifiers"),
	col(19, "Version", Int, "Version of the event's definition.", "System/Version"),
	col(20, "Level", Int, "Severity: 1 critical, 2 error, 3 warning, 0 and 4 information, 5 verbose.", "System/Level"),
	col(21, "Task", Int, "The provider's task number.", "System/Task"),
	col(22, "Opcode", Int, "The provider's operation number.", "System/Opcode"),
	col(23, "Keywords", Long, "Keyword bits (64, so values with the top bit are negative).", "System/Keywords"),
	col(24, "EventRecordId", Long, "The record's number in its channel on its computer.", "System/EventRecordID"),
	col(25, "ActivityId", String, "Activity the event belongs to.", "System/Correlation/@ActivityID"),
	col(26, "RelatedActivityId", String, "Activity that started the event's activity.", "System/Correlation/@RelatedActivityID"),
	col(27, "SystemProcessId", Int, "Process that wrote the event (32 bits, so large ones are negative).", "System/Execution/@ProcessID"),
	col(28, "SystemThreadId", Int, "Thread that wrote the event (32 bits, so large ones are negative).", "System/Execution/@ThreadID"),
	col(29, "SystemUserId", String, "Security identifier of the user the provider ran as.", "System/Security/@UserID"),
	stats(col(30, "Computer", String, "Computer the event was raised on.", "System/Computer")),
	col(31, "_ResourceId", String, "Azure resource of the computer, where the source says it.", originSentinel),
	col(32, "_Damage", String, "Why the record is incomplete; null for whole ones.", originWadi),
}
