package server

import (
	"bytes"
	"encoding/json"
	"strings"
)

// SettingsSchema gives the JSON schema of wadi.yaml, for editors and checks.
func SettingsSchema() []byte {
	root := schemaObject()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "wadi.yaml: the settings of wadi serve"
	all := AllSettings()
	for i := range all {
		at, key := root, all[i].Key
		for {
			group, rest, ok := strings.Cut(key, ".")
			properties := at["properties"].(map[string]any)
			if !ok {
				properties[key] = all[i].schema()
				break
			}
			if properties[group] == nil {
				properties[group] = schemaObject()
			}
			at, key = properties[group].(map[string]any), rest
		}
	}
	return indented(root)
}

func schemaObject() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}}
}

func (s *Setting) schema() map[string]any {
	about := s.About + "; variable " + s.Env()
	if s.Reloads {
		about += "; SIGHUP reads it again"
	}
	m := map[string]any{"description": about}
	switch s.Kind {
	case List:
		m["type"], m["items"] = []string{"array", "string"}, map[string]any{"type": "string"}
	case Number:
		m["type"] = "integer"
	case Size:
		m["type"], m["pattern"] = []string{"string", "integer"}, "^[0-9]+ ?([KMG]B)?$"
	default:
		m["type"] = "string"
	}
	if len(s.Values) > 0 {
		m["enum"] = s.Values
	}
	if s.Default != "" {
		m["default"] = s.Default
	}
	return m
}

func indented(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // maps, slices and texts: can't fail
	return b.Bytes()
}

// SettingsSample gives a wadi.yaml with every setting, commented out, at its default.
func SettingsSample() []byte {
	var b bytes.Buffer
	b.WriteString("# The settings of wadi serve (docs/wadi.schema.json is their JSON schema). Flags and variables go before what stands here.\n" +
		"# 'systemctl reload wadi' (SIGHUP) reads those again that are marked with *.\n")
	group := ""
	all := AllSettings()
	for i := range all {
		s := &all[i]
		mark := ""
		if s.Reloads {
			mark = "* "
		}
		head, name, nested := strings.Cut(s.Key, ".")
		indent := ""
		if nested {
			indent = "  "
			if head != group {
				b.WriteString("\n" + head + ":\n")
				group = head
			}
		} else {
			b.WriteString("\n")
			name = head
		}
		value := s.Default
		if s.Kind == List {
			value = "[" + value + "]"
		} else if value == "" {
			value = `""`
		}
		b.WriteString(indent + "# " + mark + s.About + "\n" + indent + "# " + name + ": " + value + "\n")
	}
	return b.Bytes()
}
