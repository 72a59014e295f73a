package logsingestion

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
)

// TestSend sends to a TLS server and checks the request.
func TestSend(t *testing.T) {
	var got []string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(z)
		if err != nil {
			t.Error(err)
		}
		got = append(got, r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), r.Header.Get(BatchHeader), string(body))
		w.WriteHeader(http.StatusNoContent)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that must fail
	srv.StartTLS()
	defer srv.Close()
	der := srv.Certificate().Raw
	sum := sha256.Sum256(der)
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	var colons strings.Builder
	for i := 0; i < len(digits); i += 2 {
		colons.WriteString(":" + digits[i:i+2])
	}
	other := sha256.Sum256(sum[:])
	for _, c := range []struct {
		name, pin, ca, err string
	}{
		{name: "authority", ca: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))},
		{name: "fingerprint", pin: digits},
		{name: "fingerprint with colons", pin: colons.String()[1:]},
		{name: "another fingerprint", pin: hex.EncodeToString(other[:]), err: "pinned"},
		{name: "unknown", err: "unknown authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := TLSConfig([]byte(c.ca), c.pin)
			if err != nil {
				t.Fatal(err)
			}
			cl, err := New(Config{URL: srv.URL + "/", Rule: "dcr-1", TLS: cfg, Token: func() (string, error) { return "secret", nil }})
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			err = cl.Send(t.Context(), &Batch{Stream: "Custom-Probe_CL", Rows: []byte(`[{"n":1}]`), Log: "u", N: 7})
			if c.err != "" {
				if !errors.Is(err, ErrCertificate) || !strings.Contains(err.Error(), c.err) || got != nil {
					t.Errorf("error %v, request %v", err, got)
				}
				return
			}
			want := []string{"POST", "/dataCollectionRules/dcr-1/streams/Custom-Probe_CL", "api-version=2023-01-01", "Bearer secret", "application/json", "gzip", "u;7", `[{"n":1}]`}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

// answers is a network that gives its answers in turn, and notes when it was
// asked.
type answers struct {
	start time.Time
	list  []func() (*http.Response, error)
	asked []time.Duration
	auth  []string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, time.Since(a.start))
	a.auth = append(a.auth, r.Header.Get("Authorization"))
	next := a.list[0]
	if len(a.list) > 1 {
		a.list = a.list[1:]
	}
	return next()
}

func status(code int, retry, body string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: http.Header{"Retry-After": {retry}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func fails() (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
}

func client(t *testing.T, a *answers, cfg Config) *Client {
	t.Helper()
	cfg.URL, cfg.Rule, cfg.transport = "https://wadi.example", "r", a
	a.start = time.Now()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRetry: pauses double, Retry-After is obeyed, and only what may change is
// tried again.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{list: []func() (*http.Response, error){fails, status(503, "", ""), status(429, "7", ""), status(500, "", ""), status(204, "", "")}}
		if err := client(t, a, Config{}).Send(t.Context(), &Batch{Stream: "s"}); err != nil {
			t.Fatal(err)
		}
		if len(a.asked) != 5 {
			t.Fatalf("asked %v", a.asked)
		}
		for i, base := range []time.Duration{firstPause, 2 * firstPause, 7 * time.Second, 8 * firstPause} {
			wait := a.asked[i+1] - a.asked[i]
			if wait > base || wait < base*3/4 {
				t.Errorf("pause %d is %v, want %v or a little less", i, wait, base)
			}
		}
		// For ever, at most a minute apart.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		a = &answers{list: []func() (*http.Response, error){fails}}
		if err := client(t, a, Config{}).Send(ctx, &Batch{Stream: "s"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n := len(a.asked); n < 60 || n > 100 {
			t.Errorf("asked %d times in an hour", n)
		}
		// A bound.
		a = &answers{list: []func() (*http.Response, error){status(503, "3600", "")}}
		if err := client(t, a, Config{GiveUp: 30 * time.Second}).Send(t.Context(), &Batch{Stream: "s"}); err == nil || len(a.asked) != 1 {
			t.Errorf("%v after %d tries", err, len(a.asked))
		}
	})
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		code  int
		body  string
		want  string
		rows  bool
		tries int
	}{
		{400, `{"type":"about:blank","title":"Bad Request","detail":"row 3, column n:\n wrong"}`, "400 Bad Request: row 3, column n: wrong", true, 1},
		{404, `{"error":{"code":"NotFound","message":"no such rule"}}`, "404 Not Found: no such rule", false, 1},
		{413, "too large", "413 Request Entity Too Large: too large", true, 1},
		{403, "", "403 Forbidden", false, 1},
		{307, "", "307 Temporary Redirect", false, 1},
		{401, "", "401 Unauthorized", false, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &answers{list: []func() (*http.Response, error){status(c.code, "", c.body)}}
			err := client(t, a, Config{Token: func() (string, error) { return "x", nil }}).Send(t.Context(), &Batch{Stream: "s"})
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.HasSuffix(err.Error(), c.want) || refused.OfRows() != c.rows || len(a.asked) != c.tries {
				t.Errorf("%d: %v after %d tries", c.code, err, len(a.asked))
			}
		})
	}
}

// TestTokenRenewed: a token that ran out is read anew.
func TestTokenRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		a := &answers{list: []func() (*http.Response, error){status(401, "", ""), status(204, "", "")}}
		c := client(t, a, Config{Token: func() (string, error) { return []string{"", "old", "new"}[asked.Add(1)], nil }})
		if err := c.Send(t.Context(), &Batch{Stream: "s"}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Bearer old", "Bearer new"}, a.auth); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct{ url, rule, want string }{
		{"http://wadi.example:9443", "r", "without TLS"},
		{"ftp://wadi.example", "r", "not an address"},
		{"wadi.example:9443", "r", "not an address"},
		{"https://user:pass@wadi.example", "r", "not an address"},
		{"https://wadi.example?x=1", "r", "not an address"},
		{"https://wadi.example", "a/../b", "letters, digits and hyphens"},
		{"https://wadi.example", "", "letters, digits and hyphens"},
	} {
		if _, err := New(Config{URL: c.url, Rule: c.rule}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v", c.url, c.rule, err)
		}
	}
	for _, url := range []string{"http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "https://wadi.example/"} {
		if _, err := New(Config{URL: url, Rule: "r"}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, c := range [][2]string{{"no PEM", ""}, {"", "12:34"}, {"", strings.Repeat("zz", 32)}} {
		if _, err := TLSConfig([]byte(c[0]), c[1]); err == nil {
			t.Errorf("%v was taken", c)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-5": 0, "x": 0, "99999999": maxRetryAfter,
		"Fri, 01 May 2026 12:00:30 GMT": 30 * time.Second, "Fri, 01 May 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
