package evtx

import "strings"

// flatEntry is one member of the flat form: a key and the character data that
// belongs to it, a leaf element's content or an attribute's value.
type flatEntry struct {
	key   string // not escaped
	chain int32  // the first node of the text; child elements in between do not count
	// content tells that the text is an element's content, not an attribute's;
	// leaf that the element has nothing else inside.
	content, leaf bool
	// element is the element that the content or the attribute belongs to.
	element int32
	// optional entries are left out when their text is empty.
	optional bool
	// deps are the values that the elements around depend on (templates only).
	deps []uint16
	// place is that of elements inside content.
	place place
}

// place says where an element stands, which decides how its members are called.
type place struct {
	kind placeKind
	path string // of the elements around, with a dot behind; "" at the top
}

type placeKind uint8

const (
	placeRecord placeKind = iota // the record's root
	placeEvent                   // a child of the root
	placeSystem                  // below System
	placeData                    // a child of EventData
	placeOther
)

// systemKeys names System's fields as the lake's columns are named (package
// schema, table windows_events), by path below System.
var systemKeys = map[string]string{
	"Provider.@Name":                 "Provider",
	"Provider.@Guid":                 "ProviderGuid",
	"Provider.@EventSourceName":      "EventSourceName",
	"EventID":                        "EventID",
	"EventID.@Qualifiers":            "Qualifiers",
	"Version":                        "Version",
	"Level":                          "Level",
	"Task":                           "Task",
	"Opcode":                         "Opcode",
	"Keywords":                       "Keywords",
	"TimeCreated.@SystemTime":        "TimeGenerated",
	"EventRecordID":                  "EventRecordId",
	"Correlation.@ActivityID":        "ActivityId",
	"Correlation.@RelatedActivityID": "RelatedActivityId",
	"Execution.@ProcessID":           "SystemProcessId",
	"Execution.@ThreadID":            "SystemThreadId",
	"Channel":                        "Channel",
	"Computer":                       "Computer",
	"Security.@UserID":               "SystemUserId",
}

// systemNames are the keys of systemKeys: EventData's own names that are the same
// keep their path in front.
var systemNames = func() map[string]bool {
	m := make(map[string]bool, len(systemKeys))
	for _, name := range systemKeys {
		m[name] = true
	}
	return m
}()

// flattener lists the flat form's entries of an element tree, a record's or a
// template's.
type flattener struct {
	d       *Decoder
	nodes   []node
	entries []flatEntry
	deps    []uint16
	// odd tells that a name hangs on a value, which only a record's tree knows.
	odd bool
}

// element lists element i, which stands at at.
func (f *flattener) element(i int32, at place) {
	e := &f.nodes[i]
	if e.id != noDependency {
		f.deps = append(f.deps[:len(f.deps):len(f.deps)], e.id)
		defer func() { f.deps = f.deps[:len(f.deps)-1] }()
	}
	name := string(f.d.names[e.name])
	key, inside, named := f.inside(e, name, at)
	for a := e.attr; a != 0; a = f.nodes[a].next {
		n := &f.nodes[a]
		attr := string(f.d.names[n.name])
		if named && attr == "Name" || attr == "xmlns" || strings.HasPrefix(attr, "xmlns:") {
			continue
		}
		f.add(flatEntry{key: f.systemKey(inside.path+"@"+attr, at.kind), chain: n.child, element: i, optional: true})
	}
	elements := false
	for c := e.child; c != 0; c = f.nodes[c].next {
		elements = elements || f.nodes[c].kind == kindElement
	}
	own := flatEntry{key: f.systemKey(key, at.kind), chain: e.child, element: i, content: true, leaf: !elements, optional: elements || at.kind <= placeSystem, place: inside}
	if own.key == "" {
		own.key = "#text"
	}
	if e.child == 0 {
		f.add(own)
	}
	text := false
	for c := e.child; c != 0; c = f.nodes[c].next {
		switch {
		case f.nodes[c].kind == kindElement:
			f.element(c, inside)
		case !text: // the text stands where it begins
			text = true
			f.add(own)
		}
	}
}

// inside gives the key of element e's text, the place of what is inside it, and
// whether its name is its Name attribute's.
func (f *flattener) inside(e *node, name string, at place) (key string, in place, named bool) {
	switch {
	case at.kind == placeRecord:
		return "", place{placeEvent, ""}, false
	case at.kind == placeEvent && name == "System":
		return name, place{placeSystem, ""}, false
	case at.kind == placeEvent && name == "EventData":
		return name, place{placeData, name + "."}, false
	case at.kind == placeData && (name == "Data" || name == "ComplexData"):
		key, named = f.dataName(e)
		switch {
		case !named:
			key = name
		case key == "" || systemNames[key]:
			key = "EventData." + key
		}
		return key, place{placeOther, key + "."}, named
	}
	key = at.path + name
	kind := placeOther
	if at.kind == placeSystem {
		kind = placeSystem
	}
	return key, place{kind, key + "."}, false
}

// systemKey gives the name of a field below System.
func (f *flattener) systemKey(path string, kind placeKind) string {
	if kind != placeSystem {
		return path
	}
	if name, ok := systemKeys[path]; ok {
		return name
	}
	return "System." + path
}

// dataName gives a Data element's Name, not escaped.
func (f *flattener) dataName(e *node) (string, bool) {
	for a := e.attr; a != 0; a = f.nodes[a].next {
		if string(f.d.names[f.nodes[a].name]) != "Name" {
			continue
		}
		var text []byte
		for c := f.nodes[a].child; c != 0; c = f.nodes[c].next {
			if f.nodes[c].kind == kindHole {
				f.odd = true
			}
			text = f.d.appendNode(text, &f.nodes[c], modeRaw)
		}
		return string(text), len(text) > 0
	}
	return "", false
}

func (f *flattener) add(e flatEntry) {
	e.deps = f.deps
	f.entries = append(f.entries, e)
}

// groups gives the entries' indexes by key, in the order of each key's first
// entry.
func (f *flattener) groups() [][]int {
	var groups [][]int
	at := make(map[string]int, len(f.entries))
	for i := range f.entries {
		g, ok := at[f.entries[i].key]
		if !ok {
			g = len(groups)
			at[f.entries[i].key] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// AppendFlatJSON appends the record as one flat JSON object: System's fields
// under the names of the lake's columns, then EventData's by their own name, and
// what else the record holds by path (docs/formats/evtx.md). Errors as
// [Decoder.AppendXML].
func (d *Decoder) AppendFlatJSON(dst []byte, r *Record) ([]byte, error) {
	start, limit := len(dst), d.limit(dst)
	if !d.slow {
		if in, c := d.begin(r); c != nil {
			if p := d.flatProgram(c, in.def, place{kind: placeRecord}); p != nil {
				out, ok := d.runFlat(append(dst, '{'), p, in, 0, limit)
				if ok {
					return d.spend(append(out, '}'), start), nil
				}
				dst = out[:start]
			}
		}
	}
	root, err := d.tree(r)
	if err != nil {
		root, err = d.salvage(r, err)
	}
	if err == nil {
		dst, err = d.flatTree(dst, root, limit)
	}
	if err != nil {
		return dst[:start], d.loseRecord(r, err)
	}
	return d.spend(dst, start), nil
}

// flatTree appends the flat form of the record whose tree is in d.nodes.
func (d *Decoder) flatTree(dst []byte, root int32, limit int) ([]byte, error) {
	f := flattener{d: d, nodes: d.nodes, entries: d.entries[:0]}
	f.element(root, place{kind: placeRecord})
	d.entries = f.entries
	w := jsonWriter{d: d, nodes: d.nodes, limit: limit}
	dst = append(dst, '{')
	open := len(dst)
	for _, group := range f.groups() {
		start, count, first := len(dst), 0, 0
		if start > open {
			dst = append(dst, ',')
		}
		dst = append(appendUTF8(append(dst, '"'), []byte(f.entries[group[0]].key), modeJSON), '"', ':')
		first = len(dst)
		for _, i := range group {
			e := &f.entries[i]
			if !w.chainHasText(e.chain) {
				if e.optional {
					continue
				}
				dst = append(append(dst, ','), `""`...)
			} else {
				dst = w.text(append(dst, ','), e.chain)
			}
			count++
			if err := w.tooLong(dst); err != nil {
				return dst, err
			}
		}
		dst = closeGroup(dst, start, first, count)
	}
	return append(dst, '}'), nil
}

// closeGroup ends a member whose count values stand from first on, each behind a
// comma: several become an array, none takes the key at start away.
func closeGroup(dst []byte, start, first, count int) []byte {
	switch count {
	case 0:
		return dst[:start]
	case 1:
		copy(dst[first:], dst[first+1:])
		return dst[:len(dst)-1]
	}
	dst[first] = '['
	return append(dst, ']')
}
