package server

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

//go:generate go test . -run "TestDocs" -update

// TestDocs holds the published files to the code, and writes them with -update.
func TestDocs(t *testing.T) {
	golden(t, "../../docs/openapi.json", OpenAPI())
	golden(t, "../../docs/wadi.schema.json", SettingsSchema())
	golden(t, "../../packaging/wadi.yaml", SettingsSample())
}

// TestSampleIsRead reads the sample as it is, and with every setting in it.
func TestSampleIsRead(t *testing.T) {
	values, err := parseSettings("sample", SettingsSample())
	if err != nil || len(values) != 0 {
		t.Errorf("%v %v", values, err)
	}
	var on strings.Builder
	for line := range strings.Lines(string(SettingsSample())) {
		key, _, _ := strings.Cut(strings.TrimSpace(strings.TrimLeft(line, " #")), ":")
		if strings.Contains(line, "# "+key+":") && !strings.Contains(key, " ") {
			line = strings.Replace(line, "# ", "", 1)
		}
		on.WriteString(line)
	}
	values, err = parseSettings("sample", []byte(on.String()))
	if err != nil || len(values) != len(AllSettings()) {
		t.Errorf("%d settings, %v, in\n%s", len(values), err, on.String())
	}
}

// TestOpenAPIHolds looks at the document as a program would: every reference leads
// somewhere, operations have their own names, parameters of paths are described.
func TestOpenAPIHolds(t *testing.T) {
	var d struct {
		OpenAPI    string
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	if d.OpenAPI != "3.1.0" || len(d.Components.Schemas) == 0 {
		t.Errorf("%q, %d schemas", d.OpenAPI, len(d.Components.Schemas))
	}
	names, operations := map[string]bool{}, 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			operations++
			name := op["operationId"].(string)
			if names[name] || name == "" {
				t.Errorf("%s %s: the name %q is there twice", method, path, name)
			}
			names[name] = true
			params := fmt.Sprint(op["parameters"])
			for part := range strings.SplitSeq(path, "/") {
				if strings.HasPrefix(part, "{") && !strings.Contains(params, "name:"+strings.Trim(part, "{}.")) {
					t.Errorf("%s %s doesn't describe %s", method, path, part)
				}
			}
		}
	}
	if operations != len(Routes()) {
		t.Errorf("%d operations of %d routes", operations, len(Routes()))
	}
	for part := range strings.SplitSeq(string(OpenAPI()), `"$ref": "#/components/schemas/`) {
		if name, _, ok := strings.Cut(part, `"`); ok && !strings.HasPrefix(part, "{") && d.Components.Schemas[name] == nil {
			t.Errorf("no schema %q", name)
		}
	}
}

// TestGuideNamesTheSettings holds the guide's table of settings to the code.
func TestGuideNamesTheSettings(t *testing.T) {
	text, err := os.ReadFile("../../docs/guide/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	all := AllSettings()
	for i := range all {
		s := &all[i]
		if row := fmt.Sprintf("| `%s` | `--%s` | `%s` |", s.Key, s.Flag(), s.Env()); !strings.Contains(string(text), row) {
			t.Errorf("docs/guide/serve.md has no row %s", row)
		}
	}
}
