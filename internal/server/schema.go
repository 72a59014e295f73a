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
