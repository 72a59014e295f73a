package schema

// Type is a KQL scalar type.
type Type uint8

// The scalar types of KQL. The zero value is no type.
const (
	Bool Type = iota + 1
	Int
	Long
	Real
	Decimal
	String
	DateTime
	TimeSpan
	Guid
	Dynamic
)

var typeNames = [...]string{"", "bool", "int", "long", "real", "decimal", "string", "datetime", "timespan", "guid", "dynamic"}

// String gives KQL's name of the type.
func (t Type) String() string { return typeNames[t] }

// Disk is how a column lies in the lake, named as Iceberg names its types.
type Disk uint8

// The Iceberg types in use. Decimal, guid and dynamic (JSON) columns lie as
// string, timespans as long ticks, datetimes as timestamptz in microseconds.
const (
	DiskBoolean Disk = iota + 1
	DiskInt
	DiskLong
	DiskDouble
	DiskString
	DiskTimestamptz
)

var diskNames = [...]string{"", "boolean", "int", "long", "double", "string", "timestamptz"}

// String gives Iceberg's name of the type.
func (d Disk) String() string { return diskNames[d] }

// Column is one stored column of a table.
type Column struct {
	// Name is the column's name in KQL and in Iceberg.
	Name string
	// KQL is the type a question sees, Disk the type in the files.
	KQL  Type
	Disk Disk
	// FieldID is the Iceberg field id, fixed for ever.
	FieldID int
	// Required columns are never null.
	Required bool
	// Born is the version of the table's schema in which the column appeared.
	Born int
	// Stats asks for minimum and maximum in the manifests.
	Stats bool
	// Doc is one sentence for a reader of docs/tables.md.
	Doc string
	// Origin tells where name and meaning come from.
	Origin string
}

// Partition is how a table is split into folders; only days and months of
// _IngestedAt are allowed (docs/decisions, partitions and retention).
type Partition uint8

// The partition transforms in use.
const (
	ByDay Partition = iota + 1
	ByMonth
)

// Table is one physical table of the lake.
type Table struct {
	// Name is the table's name, [a-z0-9_] only.
	Name string
	// Custom is the name in KQL of a custom table, such as Probe_CL; empty for the
	// built-in tables.
	Custom string
	// Version is the current schema version: the highest Born of its columns.
	Version int
	// Doc is one sentence for docs/tables.md.
	Doc string
	// Partition says how the table is split.
	Partition Partition
	// Sort names the columns rows are sorted by within a file, after the hour
	// of TimeGenerated: for windows_events Channel, EventID, TimeGenerated.
	Sort []string
	// Columns in the order of their field ids.
	Columns []Column
	// OwnName tells that KQL sees the table under its physical name.
	OwnName bool
	// Computed are columns that exist under the physical name too but are not
	// stored (_Xml, _Case, _ItemId …): KQL expressions or named functions. Views have
	// those whose names begin with "_".
	Computed []ViewColumn
}

// Column gives the column of that exact name, nil when there is none.
func (t *Table) Column(name string) *Column {
	if i := t.Index(name); i >= 0 {
		return &t.Columns[i]
	}
	return nil
}

// Index gives the position in Columns of the column of that exact name, -1 when
// there is none. Callers on a hot path look indexes up once.
func (t *Table) Index(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Kind says where a view column's values come from.
type Kind uint8

// The kinds of view columns.
const (
	// Stored columns are a physical column, cast where the types differ; a
	// failed cast is null.
	Stored Kind = iota + 1
	// Computed columns are a KQL expression over the table's columns.
	Computed
	// Constant columns have one value in every row.
	Constant
	// NotAvailable columns bind, with the right type, and are always null
	// (strings: empty), because nothing Wadi collects holds the value.
	NotAvailable
)

// ViewColumn is one column of a view.
type ViewColumn struct {
	Name string
	KQL  Type
	Kind Kind
	// Expr is, by Kind: the physical column's name; a KQL expression over the
	// physical table's columns; a KQL literal; empty.
	Expr string
	Doc  string
	// Hidden columns are not in "*": Wadi's own, whose names begin with "_", and of a
	// physical table what is in others of its columns already.
	Hidden bool
}

// View is a name under which KQL sees rows of a table.
type View struct {
	// Name is the name in KQL, e.g. SecurityEvent.
	Name string
	// Table is the physical table the rows come from.
	Table *Table
	// Filter is a KQL predicate over the physical columns that picks the view's
	// rows, e.g. _Table == "SecurityEvent"; empty for all rows.
	Filter string
	// Columns in the order "*" shows them.
	Columns []ViewColumn
	Doc     string
}
