package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// readyWithin is how long a server may take to start.
const readyWithin = 30 * time.Second

// served is a server under test: the real binary on loopback TLS, on one core.
type served struct {
	cmd    *exec.Cmd
	dir    string
	url    string
	token  string
	client *http.Client
}

// serve starts `wadi serve` for a lake of its own with a custom table, and makes a
// token.
func (b *bench) serve(ctx context.Context, name, table, columns string) (*served, error) {
	s := &served{dir: b.fresh(name, 0)}
	if _, err := process(ctx, true, nil, b.Wadi, "--data", s.dir, "table", "create", table, columns); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s.url = "https://" + address
	args := []string{b.Wadi, "--data", s.dir, "serve", "--listen", address}
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", "0"}, args...)
	}
	s.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	var errs bytes.Buffer
	s.cmd.Stderr, s.cmd.Stdout = &errs, io.Discard
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, errors.Join(err, s.stop(), errors.New(errs.String()))
	}
	u, err := process(ctx, true, nil, b.Wadi, "--data", s.dir, "token", "create", "bench", "--scope", "ingest,query")
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.token = strings.TrimSpace(u.stdout)
	return s, nil
}

// ready waits until the server answers with its own certificate.
func (s *served) ready(ctx context.Context) error {
	deadline := time.Now().Add(readyWithin)
	for {
		err := s.connect(ctx)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server is not ready: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *served) connect(ctx context.Context) error {
	pem, err := os.ReadFile(filepath.Join(s.dir, "tls", "cert.pem"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("tls/cert.pem holds no certificate")
	}
	s.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64, DisableCompression: true,
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz says %s", answer.Status)
	}
	return nil
}

// stop drains the server.
func (s *served) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	err := s.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("the server ended with %d", exit.ExitCode())
	}
	return err
}

// post sends a body; anything but a 2xx is an error. It waits as a 429 asks for,
// and sends again.
func (s *served) post(ctx context.Context, path, contentType string, body []byte) ([]byte, error) {
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", contentType)
		answer, err := s.client.Do(r)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return nil, err
		}
		switch {
		case answer.StatusCode/100 == 2:
			return text, nil
		case answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode != http.StatusServiceUnavailable:
			return nil, fmt.Errorf("%s: %s: %s", path, answer.Status, text)
		}
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil {
			return nil, fmt.Errorf("%s: %s without Retry-After", path, answer.Status)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(seconds) * time.Second):
		}
	}
}

// cost gives the server's CPU time so far and its memory now.
func (s *served) cost() (cpu time.Duration, rssBytes int64, err error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	u, err := living(pid)
	if err != nil {
		return 0, 0, err
	}
	rssBytes, err = resident(pid)
	return u.cpu, rssBytes, err
}

// workers gives the memory of the server's child processes.
func (s *served) workers() (rssBytes int64, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for _, path := range tasks {
		list, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for pid := range strings.FieldsSeq(string(list)) {
			n, err := resident(pid)
			if err != nil {
				return 0, err
			}
			rssBytes += n
		}
	}
	return rssBytes, nil
}

// resident is VmRSS of proc(5).
func resident(pid string) (n int64, err error) {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			if _, err := fmt.Sscan(text, &n); err != nil {
				return 0, fmt.Errorf("cannot read the memory of process %s: %w", pid, err)
			}
		}
	}
	return n * maxrssUnit, nil
}
