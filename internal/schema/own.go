package schema

// Sources names every source that ever brought rows.
var Sources = &Table{
	Name:      "sources",
	Version:   1,
	Doc:       "Every source that brought rows: log, door, kind, host, file and case.",
	Partition: ByMonth,
	Sort:      []string{"TimeGenerated"},
	OwnName:   true,
	Columns: []Column{
		stats(col(1, "TimeGenerated", DateTime, "When the source was made; equals _IngestedAt.", originWadi)),
		required(stats(col(2, "_IngestedAt", DateTime, docIngestedAt, originWadi))),
		required(stats(col(3, "_Source", Int, "Number of the source, given once.", originWadi))),
		required(stats(col(4, "_Seq", Long, docSeq, originWadi))),
		col(5, "Log", String, "UUID of the log the source belongs to.", originWadi),
		col(6, "Door", String, "Door the rows came through: bulk or stream.", originWadi),
		col(7, "Kind", String, "What the source is: evtx, w3c, demo and others.", originWadi),
		col(8, "Host", String, "Host the rows came from, where the door knows it.", originWadi),
		col(9, "File", String, "File the rows were read from.", originWadi),
		col(10, "Subscription", String, "Subscription the rows came by.", originWadi),
		col(11, "Case", String, "Case label of the import; empty without one.", originWadi),
	},
}

// Ledger counts what every part of every log brought, per source.
var Ledger = &Table{
	Name:      "ledger",
	Version:   2,
	Doc:       "What each part of each log brought, per source: received = stored + duplicate + filtered + damaged.",
	Partition: ByMonth,
	Sort:      []string{"Log", "Position"},
	OwnName:   true,
	Columns: []Column{
		stats(col(1, "TimeGenerated", DateTime, "When the part was committed; equals _IngestedAt.", originWadi)),
		required(stats(col(2, "_IngestedAt", DateTime, docIngestedAt, originWadi))),
		required(stats(col(3, "_Source", Int, docSource, originWadi))),
		required(stats(col(4, "_Seq", Long, docSeq, originWadi))),
		col(5, "Log", String, "UUID of the log.", originWadi),
		col(6, "Position", Long, "Number of the part in its log.", originWadi),
		col(7, "Channel", String, "Channel the counts are of; empty for the whole source.", originWadi),
		col(8, "Received", Long, "Records read.", originWadi),
		col(9, "Stored", Long, "Records stored, partial ones among them.", originWadi),
		col(10, "Duplicate", Long, "Records that were stored before.", originWadi),
		col(11, "Filtered", Long, "Records that a rule of the source dropped.", originWadi),
		col(12, "Damaged", Long, "Records that could not be read.", originWadi),
		col(13, "Partial", Long, "Stored records that are incomplete (_Damage).", originWadi),
		col(14, "Lost", Long, "Records that the source says are missing.", originWadi),
		col(15, "FirstTime", DateTime, "Smallest TimeGenerated of the stored records.", originWadi),
		col(16, "LastTime", DateTime, "Largest TimeGenerated of the stored records.", originWadi),
		col(17, "SkewMin", TimeSpan, "Smallest _IngestedAt - TimeGenerated.", originWadi),
		col(18, "SkewMax", TimeSpan, "Largest _IngestedAt - TimeGenerated.", originWadi),
		col(19, "Detail", Dynamic, "The first losses as a JSON list: place and reason.", originWadi),
		born(2, col(20, "Late", Long, "Stored records of the stream door that arrived more than five minutes after TimeGenerated; null for imports.", originWadi)),
		born(2, col(21, "Target", String, "Target of a delivery, on rows that count what was delivered; null on all others.", originWadi)),
		born(2, col(22, "Delivered", Long, "Records that Target has taken; null on rows without one.", originWadi)),
	},
	Computed: hiddenColumns,
}

// WadiAudit records what people and Wadi did to the lake.
var WadiAudit = &Table{
	Name:      "wadi_audit",
	Version:   1,
	Doc:       "What was done to the lake, by whom: imports, expiry, deletions, retention, holds, relocation.",
	Partition: ByMonth,
	Sort:      []string{"Log", "Position"},
	OwnName:   true,
	Columns: []Column{
		stats(col(1, "TimeGenerated", DateTime, "When it was done.", originWadi)),
		required(stats(col(2, "_IngestedAt", DateTime, docIngestedAt, originWadi))),
		required(stats(col(3, "_Source", Int, docSource, originWadi))),
		required(stats(col(4, "_Seq", Long, docSeq, originWadi))),
		col(5, "Log", String, "UUID of the log.", originWadi),
		col(6, "Position", Long, "Number of the action in its log.", originWadi),
		col(7, "Actor", String, "User of the operating system who did it.", originWadi),
		col(8, "Action", String, "What was done: import, expire, delete, retention, hold, relocate, restore, compact, table.", originWadi),
		col(9, "TableName", String, "Table it was done to.", originWadi),
		col(10, "Object", String, "What in the table it was done to.", originWadi),
		col(11, "Detail", Dynamic, "More, as a JSON object.", originWadi),
	},
}
