package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Limits of custom tables: those of Azure Monitor, so that a table made here can
// be made there, and the other way round.
const (
	// MaxCustomTables bounds a lake's custom tables.
	MaxCustomTables = 500
	// MaxCustomColumns bounds the columns of one custom table: questions and
	// footers cost by column.
	MaxCustomColumns = 500
	// maxCustomName bounds the name of a table, with its _CL.
	maxCustomName = 63
	// maxCustomColumnName bounds the name of a column.
	maxCustomColumnName = 45
	// maxCustomID bounds field ids and versions of a definition that is read: far
	// above what adding columns reaches, far below Iceberg's 32 bits.
	maxCustomID = 1 << 20
	// maxDefinition bounds a list of columns that is read, in bytes.
	maxDefinition = 64 << 10
)

// CustomSuffix ends the names of all custom tables and of no others, so that no
// later built-in table meets one.
const CustomSuffix = "_CL"

// firstCustomID is the field id of a custom table's first own column; the ids
// before are kept for columns that every row has.
const firstCustomID = 20

const originCustom = "definition of the table"

// customTypes are the types as KQL's declarations write them.
var customTypes = map[string]Type{
	"bool": Bool, "boolean": Bool, "int": Int, "long": Long, "real": Real, "double": Real, "decimal": Decimal, "string": String,
	"datetime": DateTime, "date": DateTime, "timespan": TimeSpan, "time": TimeSpan, "guid": Guid, "uuid": Guid, "uniqueid": Guid,
	"dynamic": Dynamic,
}

// reservedColumns are names that every custom table's view has, lower case.
var reservedColumns = map[string]string{"tenantid": "TenantId", "type": "Type"}

// customColumn is a column as a definition keeps it.
type customColumn struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Born int    `json:"born"`
}

// customTable is a definition as the lake keeps it.
type customTable struct {
	Name    string         `json:"name"`
	Version int            `json:"version"`
	Columns []customColumn `json:"columns"`
}

// ParseCustom makes a custom table of the lake from its name in KQL, such as
// Probe_CL, and the list of its columns, such as
// "TimeGenerated:datetime, client:int, n:long". The table is stored under the
// name in lower case; TimeGenerated need not be named. Errors are for the user.
func ParseCustom(name, columns string) (*Table, *View, error) {
	if err := checkCustomName(name); err != nil {
		return nil, nil, fmt.Errorf("cannot make table %q: %w", name, err)
	}
	def := customTable{Name: name, Version: 1}
	if err := def.add(columns); err != nil {
		return nil, nil, fmt.Errorf("cannot make table %s: %w", name, err)
	}
	t := def.table()
	return t, CustomView(t), nil
}

// AddColumns gives a custom table with more columns and the next version. Columns
// are only ever added, and rows stored before have none of the new ones' values.
// t isn't changed.
func AddColumns(t *Table, columns string) (*Table, *View, error) {
	if t.Custom == "" {
		return nil, nil, fmt.Errorf("cannot alter table %s: it is built in; only custom tables can be altered", t.Name)
	}
	def := definitionOf(t)
	def.Version++
	if err := def.add(columns); err != nil {
		return nil, nil, fmt.Errorf("cannot alter table %s: %w", t.Custom, err)
	}
	next := def.table()
	return next, CustomView(next), nil
}

// Definition gives a custom table's definition as JSON, as [ParseDefinition] reads
// it. docs/formats/lake.md describes it.
func (t *Table) Definition() string {
	text, err := json.Marshal(definitionOf(t))
	if err != nil {
		panic(fmt.Sprintf("BUG: a definition of plain values: %v", err))
	}
	return string(text)
}

// ParseDefinition reads what [Table.Definition] gives, and checks it as
// [ParseCustom] does: the text may come from anybody who writes to the lake.
func ParseDefinition(text string) (*Table, error) {
	var def customTable
	if len(text) > 4*maxDefinition {
		return nil, fmt.Errorf("cannot read a table's definition: it has %d bytes", len(text))
	}
	if err := json.Unmarshal([]byte(text), &def); err != nil {
		return nil, fmt.Errorf("cannot read a table's definition: %w", err)
	}
	if err := def.check(); err != nil {
		return nil, fmt.Errorf("cannot read the definition of table %q: %w", def.Name, err)
	}
	return def.table(), nil
}

func definitionOf(t *Table) customTable {
	def := customTable{Name: t.Custom, Version: t.Version}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.FieldID >= firstCustomID {
			def.Columns = append(def.Columns, customColumn{c.FieldID, c.Name, c.KQL.String(), c.Born})
		}
	}
	return def
}

// check holds a definition that was read to the rules of one that is made.
func (d *customTable) check() error {
	if err := checkCustomName(d.Name); err != nil {
		return err
	}
	if len(d.Columns) > MaxCustomColumns {
		return fmt.Errorf("%d columns; %d are the most", len(d.Columns), MaxCustomColumns)
	}
	seen, last := map[string]string{}, firstCustomID-1
	for _, c := range d.Columns {
		if err := checkColumnName(c.Name, seen); err != nil {
			return err
		}
		if t, ok := customTypes[c.Type]; !ok || t.String() != c.Type {
			return fmt.Errorf("column %s has the type %q", c.Name, c.Type)
		}
		if c.ID <= last || c.ID > maxCustomID || c.Born < 1 || c.Born > d.Version {
			return fmt.Errorf("column %s has the field id %d behind %d, born in version %d of %d", c.Name, c.ID, last, c.Born, d.Version)
		}
		last = c.ID
	}
	if len(d.Columns) == 0 {
		return errNoColumns
	}
	if d.Version < 1 || d.Version > maxCustomID {
		return fmt.Errorf("version %d", d.Version)
	}
	return nil
}

var errNoColumns = errors.New("no column is named besides TimeGenerated; columns are written as 'client:int, n:long'")

// add reads a list of columns into the definition, born in its version.
func (d *customTable) add(list string) error {
	if len(list) > maxDefinition {
		return fmt.Errorf("the list of columns has %d bytes; %d are the most", len(list), maxDefinition)
	}
	seen, id, before := map[string]string{}, firstCustomID, len(d.Columns)
	for _, c := range d.Columns {
		seen[strings.ToLower(c.Name)] = c.Name
		id = c.ID + 1
	}
	times := 0
	for part := range strings.SplitSeq(list, ",") {
		name, word, ok := strings.Cut(part, ":")
		name, word = strings.TrimSpace(name), strings.TrimSpace(word)
		if !ok || name == "" || word == "" {
			return fmt.Errorf("%q is no column; columns are written as 'client:int, n:long'", strings.TrimSpace(part))
		}
		typ, ok := customTypes[word]
		if !ok {
			return fmt.Errorf("column %s has the type %q; types are bool, int, long, real, decimal, string, datetime, timespan, guid, dynamic", name, word)
		}
		if name == "TimeGenerated" && d.Version == 1 {
			if times++; times > 1 {
				return errors.New("column TimeGenerated occurs twice")
			}
			if typ != DateTime {
				return fmt.Errorf("column TimeGenerated is %s; it must be datetime", typ)
			}
			continue
		}
		if err := checkColumnName(name, seen); err != nil {
			return err
		}
		d.Columns = append(d.Columns, customColumn{id, name, typ.String(), d.Version})
		id++
	}
	switch {
	case len(d.Columns) == before:
		return errNoColumns
	case len(d.Columns) > MaxCustomColumns:
		return fmt.Errorf("%d columns; %d are the most", len(d.Columns), MaxCustomColumns)
	}
	return nil
}

// checkCustomName checks the name of a custom table.
func checkCustomName(name string) error {
	switch {
	case strings.HasPrefix(name, "_"):
		return errors.New("names that begin with _ are Wadi's own")
	case !plainName(name):
		return errors.New("a name begins with a letter and has only letters, digits and _ (A–Z, a–z, 0–9)")
	case !strings.HasSuffix(name, CustomSuffix) || name == CustomSuffix:
		stem := name
		if len(name) > 3 && strings.EqualFold(name[len(name)-3:], CustomSuffix) {
			stem = name[:len(name)-3]
		}
		return fmt.Errorf("the name of a custom table ends with %s: %s", CustomSuffix, stem+CustomSuffix)
	case len(name) > maxCustomName:
		return fmt.Errorf("the name has %d characters; %d are the most", len(name), maxCustomName)
	}
	return nil
}

// checkColumnName checks the name of a column against those seen (lower case to
// exact), and adds it.
func checkColumnName(name string, seen map[string]string) error {
	folded := strings.ToLower(name)
	reserved, taken := reservedColumns[folded]
	switch {
	case strings.HasPrefix(name, "_"):
		return fmt.Errorf("column %s: names that begin with _ are Wadi's own", name)
	case !plainName(name):
		return fmt.Errorf("column %q: a name begins with a letter and has only letters, digits and _ (A–Z, a–z, 0–9)", name)
	case len(name) > maxCustomColumnName:
		return fmt.Errorf("column %s: the name has %d characters; %d are the most", name, len(name), maxCustomColumnName)
	case name == "TimeGenerated":
		return errors.New("column TimeGenerated is there already: every table has it")
	case folded == "timegenerated":
		return fmt.Errorf("column %s differs from TimeGenerated only by case; every table has that", name)
	case taken:
		return fmt.Errorf("column %s: every table has the column %s already", name, reserved)
	case seen[folded] == name:
		return fmt.Errorf("column %s occurs twice", name)
	case seen[folded] != "":
		return fmt.Errorf("columns %s and %s differ only by case", seen[folded], name)
	}
	seen[folded] = name
	return nil
}

// plainName tells whether a name is [A-Za-z][A-Za-z0-9_]*.
func plainName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// table makes the table of a definition that was checked.
func (d *customTable) table() *Table {
	t := &Table{
		Name: strings.ToLower(d.Name), Custom: d.Name, Version: d.Version, Doc: "Custom table; " + d.Name + " is a view of it.",
		Partition: ByDay, Sort: []string{"TimeGenerated"}, OwnName: true, Columns: rowColumns(), Computed: hiddenColumns,
	}
	for i := range t.Columns {
		t.Columns[i].FieldID = i + 1
	}
	for _, c := range d.Columns {
		column := col(c.ID, c.Name, customTypes[c.Type], "Column of the table's definition.", originCustom)
		column.Born = c.Born
		t.Columns = append(t.Columns, column)
	}
	return t
}

// CustomView makes the view of a custom table: all its rows, with the columns that
// every table of a workspace has.
func CustomView(t *Table) *View {
	cols := []ViewColumn{
		constant("TenantId", String, tenantID, docTenantID),
		stored(t, "TimeGenerated", DateTime),
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.FieldID >= firstCustomID {
			cols = append(cols, stored(t, c.Name, c.KQL))
		}
	}
	return &View{
		Name: t.Custom, Table: t, Doc: "Custom table of this lake.",
		Columns: slices.Concat(cols, azureColumns(t, t.Custom), wadiColumns(t)),
	}
}
