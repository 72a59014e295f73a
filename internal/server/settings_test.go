package server

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSettingsComeFromTheStrongest(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("wadi.yaml", "listen: 127.0.0.1:1\nlog:\n  level: debug\n  # format:\nlimits:\n  drain: 3s\ntls:\n  hosts: [a.example, 10.0.0.1]\n")
	other := write("other.yaml", "listen: 127.0.0.1:2\n")
	env := map[string]string{"WADI_LISTEN": "127.0.0.1:3", "WADI_LIMITS_BODY_MEMORY": "1GB"}
	getenv := func(name string) string { return env[name] }
	flags := map[string]string{"listen": "127.0.0.1:4"}

	cases := []struct {
		name   string
		from   Sources
		listen string
	}{
		{"defaults", Sources{DataDir: t.TempDir()}, "127.0.0.1:9443"},
		{"the folder's file", Sources{DataDir: dir}, "127.0.0.1:1"},
		{"--config", Sources{DataDir: dir, File: other}, "127.0.0.1:2"},
		{"variables", Sources{DataDir: dir, File: other, Getenv: getenv}, "127.0.0.1:3"},
		{"flags", Sources{DataDir: dir, File: other, Getenv: getenv, Flags: flags}, "127.0.0.1:4"},
	}
	for _, c := range cases {
		s, err := ReadSettings(c.from)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if s.Listen != c.listen {
			t.Errorf("%s: %s", c.name, s.Listen)
		}
	}
	s, err := ReadSettings(Sources{DataDir: dir, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	if s.LogLevel != slog.LevelDebug || s.Drain != 3*time.Second || len(s.Hosts) != 2 || s.BodyMemory != 1<<30 || s.LogFormat != "text" {
		t.Errorf("%+v", s)
	}
}

func TestSettingsMistakes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ text, want, hint string }{
		{"listen: 127.0.0.1:1\nlimits:\n  conections: 5\n", `wadi.yaml:3: there is no key "limits.conections"`, "did you mean limits.connections?"},
		{"lisen: x\n", `wadi.yaml:1: there is no key "lisen"`, "did you mean listen?"},
		{"\n\ndrain: 3s\n", `wadi.yaml:3: there is no key "drain"`, "did you mean limits.drain?"},
		{"colour: red\n", `wadi.yaml:1: there is no key "colour"`, "docs/guide/serve.md"},
		{"listen: a\nlisten: b\n", "wadi.yaml:2: the key listen stands in line 1 too", ""},
		{"log:\n  level: loud\n", `wadi.yaml:2: log.level "loud": use debug, info, warn, error`, ""},
		{"listen: [a]\n", "wadi.yaml:1: listen needs one value", ""},
		{"listen: ~\n", "wadi.yaml:1: listen needs one value", ""},
		{"listen: nowhere\n", `wadi.yaml:1: listen "nowhere": use HOST:PORT`, ""},
		{"limits: 5\n", "wadi.yaml:1: the file limits must be a map", ""},
		{"limits:\n  body_memory: 1KB\n", `wadi.yaml:2: limits.body_memory "1KB": use at least 64MB`, ""},
		{"limits:\n  connections: many\n", `wadi.yaml:2: limits.connections "many": use a number`, ""},
		{"tls:\n  cert: /x\n", "tls.cert and tls.key: one is set", "set both"},
		{"tls:\n  client_scopes: [root]\n", `there is no scope "root"`, ""},
		{"a: &x [*x]\n", "wadi.yaml", ""},
		{"a: [\n", "wadi.yaml", ""},
		{"- a\n", "wadi.yaml:1: the file", ""},
	} {
		if err := os.WriteFile(filepath.Join(dir, "wadi.yaml"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadSettings(Sources{DataDir: dir})
		var wrong *SettingError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) || !strings.Contains(wrong.Hint(), c.hint) || wrong.ExitCode() != 2 {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if _, err := ReadSettings(Sources{DataDir: dir, File: filepath.Join(dir, "missing")}); err == nil {
		t.Error("a file that was named may be missing")
	}
	if _, err := ReadSettings(Sources{DataDir: t.TempDir(), Flags: map[string]string{"listen": "x"}}); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("%v", err)
	}
}

func FuzzSettings(f *testing.F) {
	f.Add("listen: 127.0.0.1:1\nlog: {level: debug}\n")
	f.Add("tls: {hosts: [a, b], client_ca: &a x, cert: *a}")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseSettings("f", []byte(text))
		if err == nil && len(values) > len(AllSettings()) {
			t.Errorf("%v", values)
		}
	})
}
