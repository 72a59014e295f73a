//go:build cgo

package ingest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/lake"
)

// TestTypes sends values of every type in every form that is read, and asks KQL
// for them.
func TestTypes(t *testing.T) {
	t.Parallel()
	cases := []struct{ column, sent, want string }{ // as JSON
		{"client", `5`, `5`},
		{"client", `-2147483648`, `-2147483648`},
		{"client", `"2147483647"`, `2147483647`},
		{"client", `5.0`, `5`},
		{"client", `-0`, `0`},
		{"client", `null`, `null`},
		{"n", `9223372036854775807`, `9223372036854775807`},
		{"n", `-9223372036854775808`, `-9223372036854775808`},
		{"n", `"-1"`, `-1`},
		{"ratio", `1`, `1`},
		{"ratio", `-1.5e-3`, `-0.0015`},
		{"ratio", `"2.5"`, `2.5`},
		{"ok", `true`, `true`},
		{"ok", `false`, `false`},
		{"ok", `"True"`, `true`},
		{"at", `"2026-01-31T12:34:56.1234567Z"`, `"2026-01-31T12:34:56.1234560Z"`},
		{"at", `"2026-01-31T12:34:56+01:30"`, `"2026-01-31T11:04:56.0000000Z"`},
		{"at", `"0001-01-01"`, `"0001-01-01T00:00:00.0000000Z"`},
		{"at", `"9999-12-31T23:59:59.999999Z"`, `"9999-12-31T23:59:59.9999990Z"`},
		{"took", `"1.02:03:04.0000005"`, `"1.02:03:04.0000005"`},
		{"took", `"-00:00:01"`, `"-00:00:01"`},
		{"took", `"90m"`, `"01:30:00"`},
		{"id", `"{6F9619FF-8B86-D011-B42D-00C04FC964FF}"`, `"6f9619ff-8b86-d011-b42d-00c04fc964ff"`},
		{"id", `"6f9619ff8b86d011b42d00c04fc964ff"`, `"6f9619ff-8b86-d011-b42d-00c04fc964ff"`},
		{"price", `1.50`, `"1.5"`},
		{"price", `"123456789012345678901234567890.1234"`, `"123456789012345678901234567890.1234"`},
		{"price", `7`, `"7"`},
		{"name", `"ü\ud83d\ude00\u0000\n\\\""`, `"ü😀\u0000\n\\\""`},
		{"name", `"\ud800x"`, `"�x"`},
		{"name", `1.50`, `"1.50"`},
		{"name", `123456789012345678901234567890`, `"123456789012345678901234567890"`},
		{"name", `true`, `"true"`},
		{"name", `{ "a" : [1 , null] }`, `"{\"a\":[1,null]}"`},
		{"more", `{ "a" : [1.0 , null, {"b":"\u00fc"}], "a": 2 }`, `{"a":[1.0,null,{"b":"ü"}]}`},
		{"more", `[]`, `[]`},
		{"more", `"{\"a\":1}"`, `"{\"a\":1}"`},
		{"more", `5`, `5`},
		{"more", `true`, `true`},
		{"more", `1e2`, `100.0`},
	}
	var body strings.Builder
	for i, c := range cases {
		fmt.Fprintf(&body, `{"TimeGenerated":"2026-02-01T00:00:%02d.%07dZ","%s":%s}`+"\n", i, i, c.column, c.sent)
	}
	body.WriteString("{}\n")
	d, out, target, dir := newTestDecoder(), &Result{}, testTarget(t, "Probe_CL"), t.TempDir()
	if err := d.Decode(target, JSON, []byte(body.String()), out); err != nil {
		t.Fatal(err)
	}
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CreateTable(t.Context(), target.Table); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	store(t, dir, out.Rows)
	rows := ask(t, dir, "Probe_CL | sort by TimeGenerated asc")
	if len(rows) != len(cases)+1 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, c := range cases {
		if got := fmt.Sprintf("2026-02-01T00:00:%02d.%07dZ", i, i); rows[i]["TimeGenerated"] != got {
			t.Errorf("row %d: TimeGenerated %v", i, rows[i]["TimeGenerated"])
		}
		got := rows[i][c.column]
		d := json.NewDecoder(strings.NewReader(c.want))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s sent as %s (-want +got):\n%s", c.column, c.sent, diff)
		}
	}
	if got := rows[len(cases)]["TimeGenerated"]; got != "2026-03-01T12:00:00.0000000Z" {
		t.Errorf("a row without TimeGenerated has %v", got)
	}
}
