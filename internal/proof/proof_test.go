package proof

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// wadiBinary builds wadi once for all tests of the package.
var wadiBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wadi-proof-")
	if err != nil {
		return "", err
	}
	binaryDir.Store(&dir)
	path := filepath.Join(dir, "wadi")
	cmd := exec.Command("go", "build", "-o", path, "../../cmd/wadi")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build wadi: %w\n%s", err, out)
	}
	return path, nil
})

// binaryDir is where the binary lies, once it was asked for.
var binaryDir atomic.Pointer[string]

func TestMain(m *testing.M) {
	code := m.Run()
	if dir := binaryDir.Load(); dir != nil {
		_ = os.RemoveAll(*dir) // a left-over binary in the temporary folder hurts nobody
	}
	os.Exit(code)
}

// wadi runs the binary and gives its exit code and output.
func wadi(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// must runs the binary and fails the test unless it ends with 0.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := wadi(t, args...)
	if code != 0 {
		t.Fatalf("wadi %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// slow skips unless the slow tests were asked for.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("takes minutes: set WADI_SLOW=1 (make test does)")
	}
}

// corpus gives the folder of real files.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		t.Skip("needs real event logs: set WADI_CORPUS to the corpus folder")
	}
	return dir
}

// summary is `import --json`.
type summary struct {
	Files, Skipped, Read, Stored, Duplicate, Damaged int64
	Seconds                                          float64
}

func importJSON(t *testing.T, args ...string) summary {
	t.Helper()
	out := must(t, args...)
	var s summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("cannot read the summary: %v\n%s", err, out)
	}
	if s.Read != s.Stored+s.Duplicate+s.Damaged {
		t.Errorf("the summary doesn't add up: %+v", s)
	}
	return s
}

func evtxFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(strings.ToLower(path), ".evtx") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 100 {
		t.Fatalf("found %d EVTX files in %s: %v", len(files), dir, err)
	}
	return files
}

// multiset counts texts by their hash.
type multiset map[[32]byte]int

func (m multiset) add(text []byte, n int) { m[sha256.Sum256(text)] += n }

func (m multiset) differences() (n int) {
	for _, count := range m {
		if count != 0 {
			n++
		}
	}
	return n
}

// TestCorpusComesBack imports every EVTX file of the corpus with its duplicates
// and compares each event's text, byte for byte, with what evtx dump prints.
func TestCorpusComesBack(t *testing.T) {
	slow(t)
	files := evtxFiles(t, filepath.Join(corpus(t), "evtx"))
	data := t.TempDir()
	got := importJSON(t, append([]string{"--data", data, "import", "--json", "--keep-duplicates"}, files...)...)
	if got.Files != int64(len(files)) || got.Duplicate != 0 || got.Stored < 20_000 {
		t.Errorf("%d files given: %+v", len(files), got)
	}

	want := multiset{}
	var dumped int64
	scan := bufio.NewScanner(strings.NewReader(must(t, append([]string{"evtx", "dump", "--format", "xml"}, files...)...)))
	scan.Buffer(nil, 64<<20)
	scan.Split(splitEvents)
	for scan.Scan() {
		want.add(scan.Bytes(), 1)
		dumped++
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	if dumped != got.Stored {
		t.Errorf("evtx dump printed %d events, import stored %d", dumped, got.Stored)
	}
	each(t, data, "windows_events | project _Xml", func(row []string) { want.add([]byte(row[0]), -1) })
	if n := want.differences(); n != 0 {
		t.Errorf("%d event texts differ between evtx dump and the lake", n)
	}
	must(t, "--data", data, "lake", "verify")
}

// each calls fn with the rows of a question whose columns are texts. JSON keeps
// every character of a text; Go's reader of CSV doesn't (CRLF).
func each(t *testing.T, data, question string, fn func(row []string)) {
	t.Helper()
	var got struct{ Rows [][]string }
	if err := json.Unmarshal([]byte(must(t, "--data", data, "query", "--format", "json", "set notruncation; "+question)), &got); err != nil {
		t.Fatal(err)
	}
	for _, row := range got.Rows {
		fn(row)
	}
}

// splitEvents cuts a stream of XML events behind each closing tag.
func splitEvents(data []byte, atEOF bool) (advance int, token []byte, err error) {
	const closing = "</Event>"
	start := 0
	for start < len(data) && (data[start] == '\n' || data[start] == '\r') {
		start++
	}
	if i := bytes.Index(data[start:], []byte(closing)); i >= 0 {
		end := start + i + len(closing)
		return end, data[start:end], nil
	}
	if atEOF {
		if start < len(data) {
			return 0, nil, fmt.Errorf("an event without end: %.100q", data[start:])
		}
		return len(data), nil, nil
	}
	return start, nil, nil
}

// TestImportTwiceAddsNothing covers de-duplication over everything at once.
func TestImportTwiceAddsNothing(t *testing.T) {
	slow(t)
	dir := corpus(t)
	data := t.TempDir()
	first := importJSON(t, "--data", data, "import", "--json", filepath.Join(dir, "evtx"), filepath.Join(dir, "iis"))
	again := importJSON(t, "--data", data, "import", "--json", filepath.Join(dir, "evtx"), filepath.Join(dir, "iis"))
	if again.Stored != 0 || again.Read != first.Read || again.Duplicate+again.Damaged != first.Read {
		t.Errorf("first %+v, again %+v", first, again)
	}
	rows := must(t, "--data", data, "query", "--format", "csv", "windows_events | count")
	var events int64
	if _, err := fmt.Sscanf(rows, "Count\n%d", &events); err != nil {
		t.Fatalf("%v: %q", err, rows)
	}
	if events == 0 || events > first.Stored {
		t.Errorf("%d events in the lake, stored %d", events, first.Stored)
	}
}
