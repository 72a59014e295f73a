package schema

const (
	ofSyslog = originSentinel + ", Syslog"
	ofPerf   = originSentinel + ", Perf"
)

// Syslogs holds syslog messages; Syslog is a view of it.
var Syslogs = &Table{
	Name:      "syslog",
	Version:   1,
	Doc:       "Syslog messages; Syslog is a view of it.",
	Partition: ByDay,
	Sort:      []string{"Computer", "Facility", "TimeGenerated"},
	OwnName:   true,
	Columns: append(rowColumns(),
		col(0, "Computer", String, "Name of the computer.", ofSyslog),
		col(0, "EventTime", DateTime, "When the message was made.", ofSyslog),
		col(0, "Facility", String, "Facility of the message.", ofSyslog),
		col(0, "HostIP", String, "Address of the sender.", ofSyslog),
		col(0, "HostName", String, "Name of the sender.", ofSyslog),
		col(0, "ProcessID", Int, "Process that wrote the message.", ofSyslog),
		col(0, "ProcessName", String, "Program that wrote the message.", ofSyslog),
		col(0, "SeverityLevel", String, "Severity of the message.", ofSyslog),
		col(0, "SyslogMessage", String, "Text of the message.", ofSyslog),
		col(0, "_ResourceId", String, "Azure resource, where the source says it.", ofSyslog),
	),
	Computed: hiddenColumns,
}

// Perfs holds performance counters; Perf is a view of it.
var Perfs = &Table{
	Name:      "perf",
	Version:   1,
	Doc:       "Performance counters; Perf is a view of it.",
	Partition: ByDay,
	Sort:      []string{"Computer", "ObjectName", "CounterName", "TimeGenerated"},
	OwnName:   true,
	Columns: append(rowColumns(),
		col(0, "BucketEndTime", DateTime, "End of the aggregated interval.", ofPerf),
		col(0, "BucketStartTime", DateTime, "Begin of the aggregated interval.", ofPerf),
		col(0, "Computer", String, "Name of the computer.", ofPerf),
		col(0, "CounterName", String, "Name of the counter.", ofPerf),
		col(0, "CounterPath", String, "Full path of the counter.", ofPerf),
		col(0, "CounterValue", Real, "Value of the counter.", ofPerf),
		col(0, "InstanceName", String, "Instance of the counter.", ofPerf),
		col(0, "Max", Real, "Largest value of the interval.", ofPerf),
		col(0, "Min", Real, "Smallest value of the interval.", ofPerf),
		col(0, "ObjectName", String, "Performance object.", ofPerf),
		col(0, "SampleCount", Int, "Number of samples in the interval.", ofPerf),
		col(0, "StandardDeviation", Real, "Standard deviation over the interval.", ofPerf),
		col(0, "_ResourceId", String, "Azure resource, where the source says it.", ofPerf),
	),
	Computed: hiddenColumns,
}

const ofWAD = "Azure Diagnostics (WAD) tables"

// ETW holds events of ETW providers as Azure Diagnostics collects them.
var ETW = &Table{
	Name:      "etw",
	Version:   1,
	Doc:       "Events of ETW providers, as Azure Diagnostics collects them.",
	Partition: ByDay,
	Sort:      []string{"ProviderGuid", "EventID", "TimeGenerated"},
	OwnName:   true,
	Columns: append(rowColumns(),
		col(0, "DeploymentId", String, "Deployment the computer belongs to.", ofWAD+", DeploymentId"),
		col(0, "Role", String, "Role of the computer in its deployment.", ofWAD+", Role"),
		col(0, "RoleInstance", String, "Instance of the role.", ofWAD+", RoleInstance"),
		col(0, "Computer", String, "Name of the computer.", originWadi),
		col(0, "ProviderGuid", String, "Identifier of the provider.", ofWAD+", ProviderGuid"),
		col(0, "ProviderName", String, "Name of the provider.", ofWAD+", ProviderName"),
		col(0, "EventID", Int, "Number of the event within its provider.", ofWAD+", EventId"),
		col(0, "Level", Int, "Severity.", ofWAD+", Level"),
		col(0, "Pid", Int, "Process that raised the event.", ofWAD+", Pid"),
		col(0, "Tid", Int, "Thread that raised the event.", ofWAD+", Tid"),
		col(0, "OpcodeName", String, "Name of the operation.", ofWAD+", OpcodeName"),
		col(0, "KeywordName", String, "Names of the keywords.", ofWAD+", KeywordName"),
		col(0, "TaskName", String, "Name of the task.", ofWAD+", TaskName"),
		col(0, "ChannelName", String, "Name of the channel.", ofWAD+", ChannelName"),
		col(0, "EventMessage", String, "Message format of the event.", ofWAD+", EventMessage"),
		col(0, "ActivityId", String, "Activity the event belongs to.", ofWAD+", ActivityId"),
		col(0, "Message", Dynamic, "Values of the event, names and values.", ofWAD+", Message"),
	),
	Computed: hiddenColumns,
}

// Files holds lines of text logs that have no table of their own.
var Files = &Table{
	Name:      "files",
	Version:   1,
	Doc:       "Lines of text logs that have no table of their own.",
	Partition: ByDay,
	Sort:      []string{"TimeGenerated"},
	OwnName:   true,
	Columns: append(rowColumns(),
		col(0, "Computer", String, "Computer the file lies on.", originWadi),
		col(0, "RawData", String, "The line.", "Azure Monitor custom log tables"),
		col(0, "_Damage", String, "Why the line is incomplete; null for whole ones.", originWadi),
	),
	Computed: hiddenColumns,
}
