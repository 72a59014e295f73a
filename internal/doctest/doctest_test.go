package doctest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// blockTimeout bounds one file's commands: a build and a demo lake on a slow
// machine take some minutes.
const blockTimeout = 15 * time.Minute

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// pages gives the documentation that is executed, relative to the root.
func pages(t *testing.T) []string {
	t.Helper()
	guide, err := filepath.Glob(filepath.Join(root(t), "docs/guide/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := []string{"README.md"}
	for _, path := range guide {
		out = append(out, "docs/guide/"+filepath.Base(path))
	}
	return out
}

var fence = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

func script(page string) string {
	var b strings.Builder
	for _, block := range fence.FindAllStringSubmatch(page, -1) {
		b.WriteString(block[1])
	}
	return b.String()
}

// sourcesAddress is the address that the documentation clones from.
const sourcesAddress = "https://github.com/wadi-project/wadi"

func TestCommandsRun(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("builds a fresh clone and runs every documented command: set WADI_SLOW=1 (make test does)")
	}
	origin := filepath.Join(t.TempDir(), "origin")
	clone(t, root(t), origin)
	// The guide begins behind the build, so its pages share one.
	shell(t, origin, origin, "make --silent build")
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root(t), page))
			if err != nil {
				t.Fatal(err)
			}
			commands := script(string(text))
			if commands == "" {
				return
			}
			dir := t.TempDir()
			if page != "README.md" {
				commands = "export PATH=" + filepath.Join(origin, "bin") + ":$PATH\n" + commands
				clone(t, origin, filepath.Join(dir, "wadi"))
				dir = filepath.Join(dir, "wadi")
			}
			shell(t, origin, dir, commands)
		})
	}
}

func clone(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "--quiet", from, to).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
}

// shell runs commands in dir as a newcomer would; the documented address leads to
// origin.
func shell(t *testing.T, origin, dir, commands string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), blockTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euxc", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+origin+".insteadOf",
		"GIT_CONFIG_VALUE_0="+sourcesAddress, "WADI_DATA=", "WADI_SLOW=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

var named = regexp.MustCompile("`((?:internal|cmd|docs|scripts|testdata|tools)/[A-Za-z0-9_./-]*)`")

func TestNamedPathsExist(t *testing.T) {
	top := root(t)
	all := append(pages(t), "ARCHITECTURE.md")
	for _, folder := range []string{"docs/decisions", "docs/formats"} {
		more, err := filepath.Glob(filepath.Join(top, folder, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range more {
			all = append(all, folder+"/"+filepath.Base(path))
		}
	}
	found := 0
	for _, page := range all {
		text, err := os.ReadFile(filepath.Join(top, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			path := strings.TrimSuffix(match[1], "/…")
			if _, err := os.Stat(filepath.Join(top, path)); err != nil {
				t.Errorf("%s names %s, which is not there", page, match[1])
			}
		}
	}
	if found == 0 {
		t.Error("no path found in the documentation: the pattern is broken")
	}
}
