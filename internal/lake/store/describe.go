package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// partitionField is the id of the one partition field (Iceberg starts at 1000).
const partitionField = 1000

// properties of every table. Metadata stays small; a reader that writes deletes
// rewrites files, because DuckDB reads them without Iceberg.
func properties(t *schema.Table) iceberg.Properties {
	p := iceberg.Properties{
		table.ParquetCompressionKey:               "zstd",
		table.MetadataCompressionKey:              "gzip",
		table.MetadataPreviousVersionsMaxKey:      "1",
		table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.DefaultWriteMetricsModeKey:          "none",
		table.ManifestMergeEnabledKey:             "true",
		"write.delete.mode":                       "copy-on-write",
		"write.update.mode":                       "copy-on-write",
		"write.merge.mode":                        "copy-on-write",
	}
	for i := range t.Columns {
		if t.Columns[i].Stats {
			p["write.metadata.metrics.column."+t.Columns[i].Name] = "full"
		}
	}
	if t.Custom != "" {
		p[DefinitionKey] = t.Definition()
	}
	return p
}

// icebergSchema gives the Iceberg schema of a table, with the field ids of
// package schema.
func icebergSchema(t *schema.Table, id int) (*iceberg.Schema, error) {
	fields := make([]iceberg.NestedField, 0, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		typ, ok := icebergTypes[c.Disk]
		if !ok || c.FieldID <= 0 {
			return nil, fmt.Errorf("cannot make table %s: column %s has no type or field id yet", t.Name, c.Name)
		}
		fields = append(fields, iceberg.NestedField{ID: c.FieldID, Name: c.Name, Type: typ, Required: c.Required})
	}
	return iceberg.NewSchema(id, fields...), nil
}

var icebergTypes = map[schema.Disk]iceberg.Type{
	schema.DiskBoolean: iceberg.PrimitiveTypes.Bool, schema.DiskInt: iceberg.PrimitiveTypes.Int32,
	schema.DiskLong: iceberg.PrimitiveTypes.Int64, schema.DiskDouble: iceberg.PrimitiveTypes.Float64,
	schema.DiskString: iceberg.PrimitiveTypes.String, schema.DiskTimestamptz: iceberg.PrimitiveTypes.TimestampTz,
}

// newTable makes the metadata of a table that isn't in the catalog yet. The ids
// are set by hand: the library's own way would number the fields anew.
func (s *Store) newTable(t *schema.Table, now time.Time) (*Table, error) {
	sc, err := icebergSchema(t, 0)
	if err != nil {
		return nil, err
	}
	at := t.Column("_IngestedAt")
	if at == nil {
		return nil, fmt.Errorf("cannot make table %s: it has no column _IngestedAt", t.Name)
	}
	field := iceberg.PartitionField{SourceIDs: []int{at.FieldID}, FieldID: partitionField, Name: "ingested_day", Transform: iceberg.DayTransform{}}
	if t.Partition == schema.ByMonth {
		field.Name, field.Transform = "ingested_month", iceberg.MonthTransform{}
	}
	spec := iceberg.NewPartitionSpecID(0, field)
	b, err := table.NewMetadataBuilder(2)
	if err != nil {
		return nil, fmt.Errorf("cannot make table %s: %w", t.Name, err)
	}
	unsorted := table.UnsortedSortOrder // the builder writes to it
	steps := []func() error{
		func() error { return b.SetUUID(uuid.New()) },
		func() error { return b.SetLoc(s.tableLocation(t.Name)) },
		func() error { return b.AddSchema(sc) },
		func() error { return b.SetCurrentSchemaID(-1) },
		func() error { return b.AddPartitionSpec(&spec, true) },
		func() error { return b.SetDefaultSpecID(-1) },
		func() error { return b.AddSortOrder(&unsorted) },
		func() error { return b.SetDefaultSortOrderID(-1) },
		func() error { return b.SetProperties(properties(t)) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("cannot make table %s: %w", t.Name, err)
		}
	}
	meta, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("cannot make table %s: %w", t.Name, err)
	}
	for i := range t.Columns {
		if f, ok := meta.CurrentSchema().FindFieldByID(t.Columns[i].FieldID); !ok || f.Name != t.Columns[i].Name {
			return nil, fmt.Errorf("cannot make table %s: column %s didn't keep its field id", t.Name, t.Columns[i].Name)
		}
	}
	if meta, err = dated(meta, now); err != nil {
		return nil, fmt.Errorf("cannot make table %s: %w", t.Name, err)
	}
	return &Table{Name: t.Name, Meta: meta}, nil
}

// dated sets the moment of a table's last update, which the library takes from the
// machine's clock: a lake has one clock.
func dated(meta table.Metadata, now time.Time) (table.Metadata, error) {
	return withFields(meta, func(fields map[string]json.RawMessage) {
		fields["last-updated-ms"] = strconv.AppendInt(nil, now.UnixMilli(), 10)
	})
}

// withFields changes metadata in its JSON form.
func withFields(meta table.Metadata, change func(map[string]json.RawMessage)) (table.Metadata, error) {
	data, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	change(fields)
	if data, err = json.Marshal(fields); err != nil {
		return nil, err
	}
	return table.ParseMetadataBytes(data)
}

// evolve gives the updates that bring an older schema up to t: columns are only
// ever added. A schema that another program changed in a way Wadi can't write is
// an error.
func evolve(current *iceberg.Schema, t *schema.Table, highest int) ([]table.Update, error) {
	missing := 0
	for i := range t.Columns {
		c := &t.Columns[i]
		f, ok := current.FindFieldByID(c.FieldID)
		if !ok {
			missing++
			continue
		}
		if !f.Type.Equals(icebergTypes[c.Disk]) {
			return nil, fmt.Errorf("cannot write table %s: field %d is %s there and %s here", t.Name, c.FieldID, f.Type, c.Disk)
		}
	}
	if missing == 0 {
		return nil, nil
	}
	fields := append([]iceberg.NestedField(nil), current.Fields()...)
	for i := range t.Columns {
		c := &t.Columns[i]
		if _, ok := current.FindFieldByID(c.FieldID); !ok {
			// Rows written before have no value, whatever the column promises for new ones.
			fields = append(fields, iceberg.NestedField{ID: c.FieldID, Name: c.Name, Type: icebergTypes[c.Disk]})
		}
	}
	return []table.Update{table.NewAddSchemaUpdate(iceberg.NewSchema(highest+1, fields...)), table.NewSetCurrentSchemaUpdate(-1)}, nil
}

// partitionOf gives the partition value of a moment: days or months since 1970.
func partitionOf(p schema.Partition, us int64) (value any, logical map[int]string) {
	at := time.UnixMicro(us).UTC()
	if p == schema.ByMonth {
		return int32((at.Year()-1970)*12 + int(at.Month()) - 1), nil
	}
	return iceberg.Date(FloorDiv(us, 24*3600*1_000_000)), map[int]string{partitionField: "date"}
}

// PartitionFolder names the folder of a partition, in [a-z0-9] only.
func PartitionFolder(p schema.Partition, us int64) string {
	at := time.UnixMicro(us).UTC()
	if p == schema.ByMonth {
		return at.Format("m200601")
	}
	return at.Format("d20060102")
}

// FloorDiv divides and rounds down.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// versionOf reads the schema version back from a file's name; 1 for files that
// Wadi didn't write.
func versionOf(location string) int {
	name := strings.TrimSuffix(path.Base(location), ".parquet")
	if i := strings.LastIndex(name, "_v"); i >= 0 {
		if v, err := strconv.Atoi(name[i+2:]); err == nil && v > 0 {
			return v
		}
	}
	return 1
}

// describe makes the manifest's entry of a data file from what its writer
// counted; the file isn't opened again. All rows have an _IngestedAt of the
// partition that us lies in.
func (s *Store) describe(t *schema.Table, spec iceberg.PartitionSpec, f datafile.File, us int64) (iceberg.DataFile, error) {
	loc, err := s.Location(f.Path)
	if err != nil {
		return nil, err
	}
	value, logical := partitionOf(t.Partition, us)
	b, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, loc, iceberg.ParquetFile,
		map[int]any{partitionField: value}, logical, nil, f.Rows, f.SizeBytes)
	if err != nil {
		return nil, fmt.Errorf("cannot describe %s: %w", f.Path, err)
	}
	stats := map[int]bool{}
	for i := range t.Columns {
		if t.Columns[i].Stats {
			stats[t.Columns[i].FieldID] = true
		}
	}
	sizes, values, nulls := map[int]int64{}, map[int]int64{}, map[int]int64{}
	lower, upper := map[int][]byte{}, map[int][]byte{}
	for _, c := range f.Stats {
		if !stats[c.FieldID] {
			continue
		}
		sizes[c.FieldID], values[c.FieldID], nulls[c.FieldID] = c.SizeBytes, c.Values, c.Nulls
		if c.Min != nil {
			lower[c.FieldID] = boundBytes(c.Min)
		}
		if c.Max != nil {
			upper[c.FieldID] = boundBytes(c.Max)
		}
	}
	b.ColumnSizes(sizes).ValueCounts(values).NullValueCounts(nulls).LowerBoundValues(lower).UpperBoundValues(upper)
	if len(f.SplitOffsets) > 0 {
		b.SplitOffsets(f.SplitOffsets)
	}
	return b.Build(), nil
}

// boundBytes encodes a bound (Iceberg spec, appendix D: single-value
// serialization).
func boundBytes(v any) []byte {
	switch x := v.(type) {
	case bool:
		if x {
			return []byte{1}
		}
		return []byte{0}
	case int32:
		return binary.LittleEndian.AppendUint32(nil, uint32(x))
	case int64:
		return binary.LittleEndian.AppendUint64(nil, uint64(x))
	case float64:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
	case string:
		return []byte(x)
	}
	panic(fmt.Sprintf("BUG: a bound of type %T", v))
}

// boundValue decodes a bound; nil for none.
func boundValue(t iceberg.Type, b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	want := 0
	switch t.(type) {
	case iceberg.StringType:
		return string(b), nil
	case iceberg.BooleanType:
		want = 1
	case iceberg.Int32Type:
		want = 4
	case iceberg.Int64Type, iceberg.TimestampTzType, iceberg.Float64Type:
		want = 8
	default:
		return nil, nil // a column that isn't Wadi's
	}
	if len(b) == 4 && want == 8 { // written before the column was widened
		if _, ok := t.(iceberg.Int64Type); ok {
			return int64(int32(binary.LittleEndian.Uint32(b))), nil
		}
	}
	if len(b) != want {
		return nil, fmt.Errorf("a bound of %s has %d bytes", t, len(b))
	}
	switch t.(type) {
	case iceberg.BooleanType:
		return b[0] != 0, nil
	case iceberg.Int32Type:
		return int32(binary.LittleEndian.Uint32(b)), nil
	case iceberg.Float64Type:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}
