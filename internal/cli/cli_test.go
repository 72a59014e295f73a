package cli

import (
	"bytes"
	"strings"
	"testing"
)

// run calls the command line with its own streams and gives what it printed.
func run(t *testing.T, stdin string, args ...string) (code Code, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &App{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code = app.Run(t.Context(), args)
	return code, out.String(), errs.String()
}

func TestWrongUsageEndsWithTwoAndAHint(t *testing.T) {
	for _, args := range [][]string{{"nosuch"}, {"--nosuch"}, {"version", "extra"}, {"version", "--log-level", "loud"}, {"version", "--log-format", "xml"}} {
		code, out, errs := run(t, "", args...)
		if code != CodeUsage || out != "" || !strings.HasPrefix(errs, "wadi: cannot ") || !strings.Contains(errs, "\nhint: ") || strings.Count(errs, "\n") != 2 {
			t.Errorf("%v: code %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, errs := run(t, "", "version")
	if code != CodeDone || errs != "" || !strings.HasPrefix(out, "wadi "+Version+" ") {
		t.Errorf("code %d, stdout %q, stderr %q", code, out, errs)
	}
}
