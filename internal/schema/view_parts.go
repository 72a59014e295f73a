package schema

import (
	"slices"
	"strings"
)

// Parts that views are built of. View expressions are KQL over the physical
// table's columns; the functions that begin with "__" exist only there.

// stored shows the physical column of the same name, cast to t.
func stored(t *Table, name string, typ Type) ViewColumn { return storedAs(t, name, typ, name) }

// storedAs shows physical column from under another name.
func storedAs(t *Table, name string, typ Type, from string) ViewColumn {
	v := ViewColumn{Name: name, KQL: typ, Kind: Stored, Expr: from}
	if c := t.Column(from); c != nil {
		v.Doc = c.Doc
	}
	return v
}

func computed(name string, typ Type, expr, doc string) ViewColumn {
	return ViewColumn{Name: name, KQL: typ, Kind: Computed, Expr: expr, Doc: doc}
}

func constant(name string, typ Type, literal, doc string) ViewColumn {
	return ViewColumn{Name: name, KQL: typ, Kind: Constant, Expr: literal, Doc: doc}
}

func absent(name string, typ Type, doc string) ViewColumn {
	return ViewColumn{Name: name, KQL: typ, Kind: NotAvailable, Doc: doc}
}

// fromXML reads a value of EventData that has no column from the event's text.
func fromXML(name string, typ Type) ViewColumn {
	expr := `__event_field("` + name + `")`
	if typ == Int {
		expr = "toint(" + expr + ")"
	}
	return computed(name, typ, expr, "Value of EventData's "+name+", read from EventXml.")
}

// asHidden keeps columns out of "*".
func asHidden(cols ...ViewColumn) []ViewColumn {
	for i := range cols {
		cols[i].Hidden = true
	}
	return cols
}

const (
	// tenantID is the workspace's identifier in every table: Wadi has one
	// workspace, and rules only join on the column.
	tenantID       = `"00000000-0000-0000-0000-000000000000"`
	docTenantID    = "Identifier of the workspace; Wadi has one."
	docType        = "Name of the table."
	docManagement  = "Management group of Microsoft's agent."
	docSourceSys   = "Kind of agent that collected the row, as Sentinel names it."
	docDeployment  = "Deployment of a classic cloud service."
	docStorage     = "Storage account of Azure Diagnostics."
	docBilledSize  = "Size that Azure bills."
	docIsBillable  = "Whether Azure bills the row."
	docSubID       = "Subscription of the Azure resource."
	exprSubID      = `extract("(?i)^/subscriptions/([^/]+)", 1, _ResourceId)`
	docLevelName   = "Name of the severity."
	exprLevelName  = `case(Level == 1, "Critical", Level == 2, "Error", Level == 3, "Warning", Level == 5, "Verbose", Level == 0 or Level == 4, "Information", "")`
	docEventOrigin = "Identifier that Azure gives the event."
)

// azureColumns are columns that Azure adds to every row.
func azureColumns(t *Table, typ string) []ViewColumn {
	cols := []ViewColumn{constant("Type", String, `"`+typ+`"`, docType)}
	if t.Column("_ResourceId") != nil {
		cols = append(cols, stored(t, "_ResourceId", String))
		cols = append(cols, asHidden(computed("_SubscriptionId", String, exprSubID, docSubID))...)
	}
	return append(cols, asHidden(
		absent("_BilledSize", Real, docBilledSize),
		constant("_IsBillable", String, `"False"`, docIsBillable),
	)...)
}

// wadiColumns are Wadi's own columns in a view: what names a row and where it
// comes from.
func wadiColumns(t *Table) []ViewColumn {
	var cols []ViewColumn
	for _, name := range []string{"_IngestedAt", "_Source", "_Seq", "_Table", "_Raw", "_Damage"} {
		if c := t.Column(name); c != nil {
			cols = append(cols, asHidden(stored(t, name, c.KQL))...)
		}
	}
	for _, c := range t.Computed {
		if strings.HasPrefix(c.Name, "_") {
			cols = append(cols, c)
		}
	}
	return cols
}

// picks is the filter of a view: rows whose _Table was decided to be name.
func picks(name string) string { return `_Table == "` + name + `"` }

var views = []*View{
	securityEvent, event, windowsEvent, w3cIISLog, syslogView, perfView,
	signinLogs, nonInteractiveSignins, auditLogs, azureActivityView, securityAlert, heartbeatView,
}

// Views gives all views in the order of docs/tables.md. The slice is the
// caller's, the views are not to be changed.
func Views() []*View { return slices.Clone(views) }
