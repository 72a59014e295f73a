package schema

const (
	docItemID     = "The row's name for ever: _Source and _Seq in hexadecimal."
	docCase       = "Case label of the import; empty without one."
	docSourceFile = "File the row was read from."
	docSourceHost = "Host the row came from, where the door knows it."
)

// hidden is a computed column of Wadi's own.
func hidden(name string, t Type, expr, doc string) ViewColumn {
	return ViewColumn{Name: name, KQL: t, Kind: Computed, Expr: expr, Doc: doc, Hidden: true}
}

// hiddenColumns are computed for every table whose rows come from a source.
var hiddenColumns = []ViewColumn{
	hidden("_ItemId", String, "__item_id()", docItemID),
	hidden("_Case", String, "__case()", docCase),
	hidden("_SourceFile", String, "__source_file()", docSourceFile),
	hidden("_SourceHost", String, "__source_host()", docSourceHost),
}

// Tables gives all tables in the order of docs/tables.md. Those that nothing
// writes yet have field ids 0. The slice is the caller's, the tables are not to
// be changed.
func Tables() []*Table {
	return []*Table{
		WindowsEvents, W3CIIS, Syslogs, Perfs, ETW, Signin, AADAudit, AzureActivities, Files,
		Sources, Alerts, Ledger, Heartbeats, WadiAudit,
	}
}

// LookupTable gives the table of that exact physical name, nil when there is
// none.
func LookupTable(name string) *Table {
	for _, t := range Tables() {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// LookupView gives the view of that exact name, nil when there is none.
func LookupView(name string) *View {
	for _, v := range views {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// rowColumns are the columns that every row of a table has whose first writer is
// still to come; field ids are fixed then.
func rowColumns() []Column {
	return []Column{
		stats(col(0, "TimeGenerated", DateTime, "When it happened; microseconds, floored, the seventh digit is in _TimeSub.", originWadi)),
		col(0, "_TimeSub", Int, docTimeSub, originWadi),
		required(stats(col(0, "_IngestedAt", DateTime, docIngestedAt, originWadi))),
		required(stats(col(0, "_Source", Int, docSource, originWadi))),
		required(stats(col(0, "_Seq", Long, docSeq, originWadi))),
		required(col(0, "_Table", String, docTable, originWadi)),
	}
}
