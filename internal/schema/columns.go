package schema

// Disk gives the type under which values of a KQL type lie in the lake.
func (t Type) Disk() Disk {
	switch t {
	case Bool:
		return DiskBoolean
	case Int:
		return DiskInt
	case Long, TimeSpan:
		return DiskLong
	case Real:
		return DiskDouble
	case DateTime:
		return DiskTimestamptz
	}
	return DiskString // string, and decimal, guid, dynamic as text
}

// col is a column of the first version; id 0 is "fixed with the first writer".
func col(id int, name string, t Type, doc, origin string) Column {
	return Column{Name: name, KQL: t, Disk: t.Disk(), FieldID: id, Born: 1, Doc: doc, Origin: origin}
}

// required marks a column that is never null.
func required(c Column) Column {
	c.Required = true
	return c
}

// born gives the version of the table that a column came with.
func born(version int, c Column) Column {
	c.Born = version
	return c
}

// stats marks a column with minimum and maximum in the manifests.
func stats(c Column) Column {
	c.Stats = true
	return c
}

const (
	originWadi     = "Wadi"
	originSystem   = "event schema, System"
	originSentinel = "Azure Monitor table reference"
)

// Texts that several tables share.
const (
	docTimeSub    = "Seventh digit of TimeGenerated, 100 ns units (0–9)."
	docIngestedAt = "When Wadi stored the row; one value for each part of an import, never decreasing within a log; retention and partitions count from it."
	docSource     = "Number of the source in table sources; with _Seq it names the row for ever."
	docSeq        = "Order of arrival within the source's log."
	docTable      = "Name of the table that shows the row, decided when it was stored."
)
