package evtx

import "errors"

var errLater = errors.New("rendering is not built in yet")

// AppendXML appends the record as XML in EvtRender's form, on one line unless
// values hold line breaks, without a line break behind it. It is the text that
// the lake stores. On an error, a [*Loss] that is also in [Decoder.Losses], the
// record is damaged and dst is given back as it was.
func (d *Decoder) AppendXML(dst []byte, r *Record) ([]byte, error) { return dst, errLater }

// AppendJSON appends the record as one JSON object in the shape of the evtx_dump
// tool, without a line break behind it: elements are members, attributes stand
// under "#attributes", EventData's named Data are members by name. Errors as
// [Decoder.AppendXML].
func (d *Decoder) AppendJSON(dst []byte, r *Record) ([]byte, error) { return dst, errLater }

// AppendFlatJSON appends the record as one flat JSON object: System's fields
// under the names of the lake's columns, then EventData's by their own name, and
// what else the record holds by path (docs/formats/evtx.md). Errors as
// [Decoder.AppendXML].
func (d *Decoder) AppendFlatJSON(dst []byte, r *Record) ([]byte, error) { return dst, errLater }

// FieldSet is a list of fields to get from records without rendering them. It is
// immutable and may be shared.
type FieldSet struct{ names []string }

// NewFieldSet gives the set of the named fields: the keys of
// [Decoder.AppendFlatJSON], for example "EventID", "Channel", "TimeGenerated" or
// "SubjectUserName".
func NewFieldSet(names ...string) *FieldSet { return &FieldSet{names: names} }

// AppendFields appends the unescaped text of the set's fields to dst, one after
// the other, and appends to ends, for each field, the length of dst behind it;
// -1 when the record has no such field. Errors as [Decoder.AppendXML].
func (d *Decoder) AppendFields(dst []byte, ends []int, r *Record, set *FieldSet) ([]byte, []int, error) {
	return dst, ends, errLater
}
