package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDemoUntil(t *testing.T) {
	now := time.Date(2026, 11, 25, 13, 14, 15, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"":                          "2026-11-25T00:00:00.0000000Z",
		"2026-11-01":                "2026-11-01T00:00:00.0000000Z",
		"2026-11-01T06:00:00Z":      "2026-11-01T06:00:00.0000000Z",
		"2026-11-01T06:00:00+01:00": "2026-11-01T05:00:00.0000000Z",
	} {
		if got, err := parseUntil(text, now); err != nil || got.String() != want {
			t.Errorf("%q gives %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestDemoRefusesWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"--until", "yesterday"}, {"--until", "2026-11-01T00:30:00Z"}, {"--events", "10"}, {"--events", "-1"}, {"more"}} {
		dir := t.TempDir()
		code, out, errs := run(t, "", append([]string{"--data", dir + "/lake", "demo"}, args...)...)
		if code != CodeUsage || out != "" || !strings.HasPrefix(errs, "wadi: cannot ") {
			t.Errorf("%v: code %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

func TestFullDiskEndsWithThreeWhoeverMetIt(t *testing.T) {
	var errs bytes.Buffer
	err := fmt.Errorf("cannot make the demo: %w", &fs.PathError{Op: "write", Path: "sort-1.run", Err: syscall.ENOSPC})
	if code := reportTo(&errs, err, false); code != CodeNothingDone || !strings.Contains(errs.String(), "\nhint: free some space") {
		t.Errorf("code %d, %q", code, errs.String())
	}
}
