package udf

import (
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

// TestAll checks the tables of functions.
func TestAll(t *testing.T) {
	for i, f := range All() {
		if i > 0 && All()[i-1].Name >= f.Name {
			t.Errorf("%s is there twice or out of order", f.Name)
		}
		if f.Min > len(f.Params) || f.Result == 0 || f.New == nil || f.Variadic && len(f.Params) == 0 {
			t.Errorf("%s is not whole", f.Name)
		}
		for _, c := range f.Name {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
				t.Errorf("%s can't be a name in SQL", f.Name)
			}
		}
	}
}

// run calls a function of texts to a text.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	f := Lookup(name)
	if f == nil || f.Result != schema.String {
		t.Fatalf("there is no function %s to a text", name)
	}
	in := make([]Value, len(args))
	for i := range args {
		in[i].S = []byte(args[i])
	}
	var out Value
	if err := f.New()(in, &out); err != nil {
		t.Fatalf("%s%q: %v", name, args, err)
	}
	return string(out.S)
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"url_decode", "https%3a%2f%2fwww.bing.com%2f", "https://www.bing.com/"},
		{"url_decode", "a+b%", "a b%"},
		{"url_decode", "%ff", "\uFFFD"},
		{"base64_encode_tostring", "Kusto", "S3VzdG8="},
		{"base64_decode_tostring", "S3VzdG8=", "Kusto"},
		{"base64_decode_tostring", "S3VzdG8", ""},
	} {
		if got := run(t, c.name, c.in); got != c.want {
			t.Errorf("%s(%q) = %q, not %q", c.name, c.in, got, c.want)
		}
	}
}
