package udf

import "testing"

// BenchmarkRow times functions that run on every row of large tables.
func BenchmarkRow(b *testing.B) {
	event := []byte("Event: NotifySliceRelease (resourceName=PipelineScheduler, totalSlices=27, sliceNumber=23, lockTime=02/17/2016 08:40:01)")
	spec := []byte(`{"Kind":"simple","Parts":[{"Star":true},{"Text":"resourceName="},{"Type":6},{"Text":", totalSlices="},{"Type":3},{"Text":", "},{"Star":true}]}`)
	for _, c := range []struct {
		name string
		args []Value
	}{
		{"text_to_time", []Value{{S: []byte("2026-01-31T10:20:30.1234567Z")}}},
		{"text_to_time", []Value{{S: []byte("not a time at all")}}},
		{"text_to_long", []Value{{S: []byte("123456")}}},
		{"parse_column", []Value{{S: spec}, {S: event}, {I: 0}}},
		{"parse_matches", []Value{{S: spec}, {S: event}}},
		{"extract_all", []Value{{S: []byte(`(\w+)=`)}, {S: []byte("[]")}, {S: event}}},
		{"parse_url", []Value{{S: []byte("https://h.io/a/b?x=1&y=2#f")}}},
		{"has", []Value{{S: event}, {S: []byte("totalslices")}}},
		{"ipv4_is_in_any_range", []Value{{S: []byte("10.1.2.3")}, {S: []byte(`["192.168.0.0/16","10.0.0.0/8"]`)}}},
		{"parse_user_agent", []Value{{S: []byte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36")}, {S: []byte("browser")}}},
		{"decimal_add", []Value{{S: []byte("1.25")}, {S: []byte("3")}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			eval := Lookup(c.name).New()
			b.ReportAllocs()
			for b.Loop() {
				var out Value
				if err := eval(c.args, &out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
