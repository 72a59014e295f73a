package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/files"
)

// server is a listener with its handler; descriptors are counted at its end.
type server struct {
	path   string
	cancel func()
	ended  chan error
}

// serve starts a server in a folder of a short path.
func serve(t *testing.T, handle Handler) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	before := descriptors(t)
	l, err := Listen(filepath.Join(dir, "s"), Config{Version: "v", Handle: handle})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{path: l.Path(), cancel: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- l.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(s.path); err == nil {
			t.Error("the socket is left behind")
		}
		if after := descriptors(t); after > before {
			t.Errorf("%d descriptors are open, %d were before", after, before)
		}
	})
	return s
}

// descriptors counts what the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc to count descriptors")
	}
	return len(names)
}

func (s *server) dial(t *testing.T) *Client {
	t.Helper()
	c, err := Dial(t.Context(), filepath.Dir(s.path), s.path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// call runs a call that may see what shown says.
func (s *server) call(t *testing.T, stdin io.Reader, shown Shown, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code, err := s.dial(t).Run(t.Context(), Call{Version: "v", Args: args}, Streams{stdin, &o, &e}, shown)
	if err != nil {
		t.Fatal(err)
	}
	return code, o.String(), e.String()
}

func TestACallComesAcross(t *testing.T) {
	want := Call{
		Version: "v", Args: []string{"import", "a b", "wä\xff", "", "--x=\n"}, Dir: "/a b/\xfe", Env: map[string]string{"LANG": "C\xff"},
		Screen: true, Stdout: Stream{Terminal: true, Width: 77}, Stderr: Stream{Width: 3},
	}
	var got Call
	big := strings.Repeat("0123456789", 50_000)
	s := serve(t, func(_ context.Context, s *Session) int {
		got = s.Call
		if !s.Stdout().Terminal() || s.Stdout().Width() != 77 || s.Stderr().Terminal() {
			t.Error("the streams are others")
		}
		fmt.Fprint(s.Stdout(), big)
		fmt.Fprint(s.Stderr(), "err")
		return 42
	})
	var o, e bytes.Buffer
	code, err := s.dial(t).Run(t.Context(), want, Streams{nil, &o, &e}, Shown{})
	if err != nil || code != 42 || o.String() != big || e.String() != "err" {
		t.Errorf("code %d, %d bytes, %q: %v", code, o.Len(), e.String(), err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFiles looks at files of many kinds through the socket and directly.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 10_000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("log %05d ä.evtx", i)), []byte{byte(i)}, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	odd := filepath.Join(dir, "odd \xff\n\"name")
	if err := os.WriteFile(odd, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(odd, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	piped := strings.Repeat("through a pipe\n", 20_000)
	go func() { _ = os.WriteFile(fifo, []byte(piped), 0o600) }()
	s := serve(t, func(_ context.Context, s *Session) int {
		remote := s.Files()
		sameFolder(t, remote, dir)
		for _, path := range []string{odd, filepath.Join(dir, "link"), dir, fifo} {
			for name, stat := range map[string][2]func(string) (fs.FileInfo, error){"stat": {os.Stat, remote.Stat}, "lstat": {os.Lstat, remote.Lstat}} {
				want, err := stat[0](path)
				got, err2 := stat[1](path)
				if err != nil || err2 != nil || want.Name() != got.Name() || want.Mode() != got.Mode() || want.Size() != got.Size() || !want.ModTime().Equal(got.ModTime()) {
					t.Errorf("%s %q: %v %v, %v %v", name, path, want, got, err, err2)
				}
			}
		}
		f, err := remote.Open(odd)
		if err != nil {
			t.Error(err)
			return 1
		}
		b := make([]byte, 3)
		if _, err := f.ReadAt(b, 4); err != nil || string(b) != "ent" {
			t.Errorf("%q %v", b, err)
		}
		_ = f.Close()
		if f, err = remote.Open(fifo); err != nil {
			t.Error(err)
			return 1
		}
		if got, err := io.ReadAll(f); err != nil || string(got) != piped {
			t.Errorf("%d bytes of the pipe: %v", len(got), err)
		}
		if _, err := f.ReadAt(b, 0); err == nil {
			t.Error("a pipe was read at a place")
		}
		_ = f.Close()
		if paths, err := remote.Glob(filepath.Join(dir, "log 0000?*")); err != nil || len(paths) != 10 {
			t.Errorf("%d paths: %v", len(paths), err)
		}
		if f, err := remote.Open(dir); err != nil {
			t.Error(err)
		} else if st, err := f.Stat(); err != nil || !st.IsDir() {
			t.Errorf("a folder: %v %v", st, err)
		}
		if abs, err := remote.Abs("x"); err != nil || abs != "x" { // the call had no folder
			t.Errorf("%q %v", abs, err)
		}
		return 0
	})
	s.call(t, nil, Shown{Read: []string{dir, filepath.Join(dir, "log 0000?*")}})
}

func sameFolder(t *testing.T, remote Files, dir string) {
	t.Helper()
	got, err := remote.ReadDir(dir)
	want, err2 := os.ReadDir(dir)
	if err != nil || err2 != nil || len(got) != len(want) {
		t.Errorf("%d names, want %d: %v %v", len(got), len(want), err, err2)
		return
	}
	for i := range want {
		if got[i].Name() != want[i].Name() || got[i].Type() != want[i].Type() || got[i].IsDir() != want[i].IsDir() {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
	if info, err := got[2].Info(); err != nil || info.Size() != 1 {
		t.Errorf("%v %v", info, err)
	}
}

// TestErrorsAreThoseOfTheSystem holds that errors.Is works on what a client says.
func TestErrorsAreThoseOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(_ context.Context, s *Session) int {
		remote := s.Files()
		_, err := remote.Stat(filepath.Join(dir, "missing"))
		var pe *fs.PathError
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pe) || pe.Path != filepath.Join(dir, "missing") {
			t.Errorf("%v", err)
		}
		if _, err := remote.Open(filepath.Join(file, "below")); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%v", err)
		}
		if _, err := remote.ReadDir(file); !errors.Is(err, syscall.ENOTDIR) {
			t.Errorf("%v", err)
		}
		if _, err := remote.Open(strings.Repeat("x", maxPath+1)); err == nil {
			t.Error("a path beyond the limit was opened")
		}
		return 0
	})
	s.call(t, nil, Shown{Read: []string{dir}})
}

// TestOnlyWhatIsNamedIsShown asks a client for what its command line doesn't name.
func TestOnlyWhatIsNamedIsShown(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"named", "secret", "named2", "x.evtx"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, func(_ context.Context, s *Session) int {
		remote := s.Files()
		for _, path := range []string{"secret", "named2", "named/../secret", "../" + filepath.Base(dir) + "/secret", "."} {
			path = dir + "/" + path
			_, err := remote.Open(path)
			_, err2 := remote.Stat(path)
			_, err3 := remote.ReadDir(path)
			if err == nil || err2 == nil || err3 == nil {
				t.Errorf("%s is shown: %v %v %v", path, err, err2, err3)
			}
		}
		if _, err := remote.Glob(dir + "/*"); err == nil {
			t.Error("another glob is expanded")
		}
		if err := remote.Write(dir+"/secret", func(io.Writer) error { return nil }); err == nil {
			t.Error("a file is written that nobody named")
		}
		if _, err := io.ReadAll(s.Stdin()); err == nil {
			t.Error("standard input is read that nobody named")
		}
		for _, path := range []string{"named", "x.evtx"} {
			f, err := remote.Open(dir + "/" + path)
			if err != nil {
				t.Error(err)
				continue
			}
			_ = f.Close()
		}
		return 0
	})
	s.call(t, strings.NewReader("input"), Shown{Read: []string{dir + "/named", dir + "/*.evtx"}, Write: []string{dir + "/out"}})
	if b, err := os.ReadFile(dir + "/secret"); err != nil || string(b) != "x" {
		t.Errorf("%q %v", b, err)
	}
}

func TestStandardInput(t *testing.T) {
	text := strings.Repeat("input\n", 50_000)
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() { _, _ = io.WriteString(w, text); _ = w.Close() }()
	for name, in := range map[string]io.Reader{"regular": file, "pipe": r, "reader": strings.NewReader(text)} {
		s := serve(t, func(_ context.Context, s *Session) int {
			in := s.Stdin()
			f, isFile := in.(files.File)
			if isFile != (name == "regular") {
				t.Errorf("%s: a file: %v", name, isFile)
			}
			if isFile {
				b := make([]byte, 4)
				if _, err := f.ReadAt(b, 6); err != nil || string(b) != "inpu" {
					t.Errorf("%q %v", b, err)
				}
				defer f.Close()
			}
			if got, err := io.ReadAll(in); err != nil || string(got) != text {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			return 0
		})
		s.call(t, in, Shown{Stdin: true})
	}
}

func TestWrittenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	content := strings.Repeat("x", 3*chunk+1)
	broken := errors.New("broken")
	s := serve(t, func(_ context.Context, s *Session) int {
		write := func(w io.Writer) error { _, err := io.WriteString(w, content); return err }
		if err := s.Files().Write(path, write); err != nil {
			t.Error(err)
		}
		if err := s.Files().Write(path, func(w io.Writer) error { fmt.Fprint(w, "half"); return broken }); !errors.Is(err, broken) {
			t.Error(err)
		}
		if err := s.Files().Write("/dev/null", write); err != nil {
			t.Error(err)
		}
		if err := s.Files().Write(path+"/below", write); err == nil {
			t.Error("a file below a file was made")
		}
		// Left behind by a command that failed without a word: the client removes it.
		if _, err := s.ask(askMessage{What: askCreate, Path: text(path)}, nil, nil); err != nil {
			t.Error(err)
		}
		return 0
	})
	s.call(t, nil, Shown{Write: []string{path, "/dev/null", path + "/below"}})
	b, err := os.ReadFile(path)
	st, err2 := os.Stat(path)
	if err != nil || err2 != nil || string(b) != content || st.Mode() != answerMode {
		t.Errorf("%d bytes, %v %v %v", len(b), st.Mode(), err, err2)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%v is left: %v", names, err)
	}
}

// TestCancel holds that Ctrl-C reaches the command, and its last words the client.
func TestCancel(t *testing.T) {
	running := make(chan struct{})
	s := serve(t, func(ctx context.Context, s *Session) int {
		close(running)
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), ErrCancelled) {
			t.Error(context.Cause(ctx))
		}
		fmt.Fprint(s.Stderr(), "interrupted")
		return 7
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-running; cancel() }()
	var e bytes.Buffer
	code, err := s.dial(t).Run(ctx, Call{Version: "v"}, Streams{nil, io.Discard, &e}, Shown{})
	if code != 7 || err != nil || e.String() != "interrupted" {
		t.Errorf("code %d, %q, %v", code, e.String(), err)
	}
}

// TestAClientThatGoes holds that every wait of the server ends with its client.
func TestAClientThatGoes(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Open for reading and writing, so that the client's open doesn't wait.
	keep, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	for name, wait := range map[string]func(context.Context, *Session, func()){
		"context": func(ctx context.Context, _ *Session, running func()) { running(); <-ctx.Done() },
		"reads a pipe": func(_ context.Context, s *Session, running func()) {
			f, err := s.Files().Open(fifo)
			if err != nil {
				t.Error(err)
				return
			}
			running()
			_, _ = f.Read(make([]byte, 1))
		},
		"writes": func(_ context.Context, s *Session, running func()) {
			running()
			for {
				if _, err := s.Stdout().Write(make([]byte, chunk)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			running, cause := make(chan struct{}), make(chan error, 1)
			s := serve(t, func(ctx context.Context, s *Session) int {
				wait(ctx, s, func() { close(running) })
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return 0
			})
			c := s.dial(t)
			client := make(chan error, 1)
			stalled, stop := io.Pipe() // takes nothing
			go func() {
				_, err := c.Run(t.Context(), Call{Version: "v"}, Streams{nil, stop, io.Discard}, Shown{Read: []string{fifo}})
				client <- err
			}()
			<-running
			_ = c.conn.c.Close()
			_ = stalled.Close()
			if err := <-cause; !errors.Is(err, ErrGone) {
				t.Error(err)
			}
			var own *Error
			if err := <-client; !errors.As(err, &own) {
				t.Error(err)
			}
		})
	}
}

// TestAServerThatGoes holds what its client says then.
func TestAServerThatGoes(t *testing.T) {
	s := serve(t, func(_ context.Context, s *Session) int {
		fmt.Fprint(s.Stdout(), "half")
		_ = s.conn.close()
		return 0
	})
	var o bytes.Buffer
	_, err := s.dial(t).Run(t.Context(), Call{Version: "v"}, Streams{nil, &o, io.Discard}, Shown{})
	want := fmt.Sprintf("cannot finish: the server (process %d) ended in the middle", os.Getpid())
	var own *Error
	if !errors.As(err, &own) || own.Text != want || own.Code != 1 || own.Advice == "" || o.String() != "half" {
		t.Errorf("%v, %q", err, o.String())
	}
	s.cancel()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	s.ended <- nil
	if _, err := Dial(t.Context(), "/", s.path); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a socket that is gone: %v", err)
	}
	// And one that a killed server left behind.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := Dial(t.Context(), "/", s.path); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a socket without server: %v", err)
	}
	again, err := Listen(s.path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	_ = again.l.Close()
}

func TestAnotherVersionIsOneLine(t *testing.T) {
	s := serve(t, func(context.Context, *Session) int { t.Error("it ran"); return 0 })
	_, err := s.dial(t).Run(t.Context(), Call{Version: "w"}, Streams{nil, io.Discard, io.Discard}, Shown{})
	want := fmt.Sprintf("cannot go through the server (process %d): it is wadi v and this is wadi w", os.Getpid())
	var own *Error
	if !errors.As(err, &own) || own.Text != want || own.Code != codeRefused || own.Advice == "" {
		t.Errorf("%v", err)
	}
}

func TestTooManyCallsAreRefused(t *testing.T) {
	var running [MaxClients]chan struct{}
	begun := make(chan int, MaxClients)
	leave := make(chan struct{})
	s := serve(t, func(context.Context, *Session) int { begun <- 1; <-leave; return 0 })
	for i := range running {
		running[i] = make(chan struct{})
		c := s.dial(t)
		go func() {
			defer close(running[i])
			if _, err := c.Run(t.Context(), Call{Version: "v"}, Streams{nil, io.Discard, io.Discard}, Shown{}); err != nil {
				t.Error(err)
			}
		}()
		<-begun
	}
	_, err := s.dial(t).Run(t.Context(), Call{Version: "v"}, Streams{nil, io.Discard, io.Discard}, Shown{})
	var own *Error
	if !errors.As(err, &own) || own.Code != codeRefused || !strings.Contains(own.Text, "64 commands run there already") {
		t.Errorf("%v", err)
	}
	close(leave)
	for _, c := range running {
		<-c
	}
}
