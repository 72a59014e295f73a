package server

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings are what an operator sets: by flag, by variable or in wadi.yaml.
type Settings struct {
	Listen string
	// Cert and Key are PEM files, empty for the self-made ones; ClientCA may be empty.
	Cert, Key, ClientCA string
	// Hosts are more names and addresses for the self-made certificate.
	Hosts []string
	// ClientScopes is what a verified client certificate may do.
	ClientScopes []Scope
	LogLevel     slog.Level
	LogFormat    string
	Connections  int
	// BodyMemory and LogBytes are in bytes.
	BodyMemory, LogBytes int64
	Drain                time.Duration
}

// Kind is how a setting's value is written.
type Kind string

// The kinds of settings.
const (
	Text     Kind = "text"
	Number   Kind = "number"
	Size     Kind = "size"     // 64MB, 1GB, or bytes
	Duration Kind = "duration" // 30s, 5m
	List     Kind = "list"     // a YAML list; with commas elsewhere
)

// Setting is one of them: everything there is to say of it.
type Setting struct {
	// Key is its name in wadi.yaml: a.b is b in the map a.
	Key  string
	Kind Kind
	// Default is the value as it would be written, About one sentence.
	Default, About string
	// Values are the only ones allowed, none for any.
	Values []string
	// Reloads tells that SIGHUP changes it in a running server.
	Reloads bool

	set func(*Settings, string) error
}

// Flag is its flag, without hyphens in front.
func (s *Setting) Flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.Key) }

// Env is its variable.
func (s *Setting) Env() string { return "WADI_" + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_")) }

// Bounds of settings.
const (
	minConnections = 16
	maxConnections = 1 << 20
	minBodyMemory  = 64 << 20
	minLogBytes    = 256 << 20
)

// AllSettings is the table of all settings, in the order of their documentation.
func AllSettings() []Setting {
	return []Setting{
		{Key: "listen", Kind: Text, Default: "127.0.0.1:9443", About: "address to listen on, HOST:PORT", set: setListen},
		{Key: "tls.cert", Kind: Text, About: "PEM file of the certificate; empty is tls/cert.pem in the data folder, made at the first start", Reloads: true, set: setText(func(s *Settings) *string { return &s.Cert })},
		{Key: "tls.key", Kind: Text, About: "PEM file of its private key", Reloads: true, set: setText(func(s *Settings) *string { return &s.Key })},
		{Key: "tls.hosts", Kind: List, About: "more names and addresses for the certificate that the server makes itself", set: func(s *Settings, v string) error { s.Hosts = items(v); return nil }},
		{Key: "tls.client_ca", Kind: Text, About: "PEM file of the authorities whose client certificates are taken in place of tokens; empty takes none", Reloads: true, set: setText(func(s *Settings) *string { return &s.ClientCA })},
		{Key: "tls.client_scopes", Kind: List, Default: string(ScopeIngest), About: "what a client certificate may do: ingest, query, admin", Reloads: true, set: setScopes},
		{Key: "log.level", Kind: Text, Default: "info", Values: []string{"debug", "info", "warn", "error"}, About: "what is logged", Reloads: true, set: func(s *Settings, v string) error { return s.LogLevel.UnmarshalText([]byte(v)) }},
		{Key: "log.format", Kind: Text, Default: "text", Values: []string{"text", "json"}, About: "form of the log's lines on standard error", set: setText(func(s *Settings) *string { return &s.LogFormat })},
		{Key: "limits.connections", Kind: Number, Default: "4096", About: "connections at once; beyond it the oldest idle one is closed", Reloads: true, set: setConnections},
		{Key: "limits.body_memory", Kind: Size, Default: "256MB", About: "memory for bodies of requests: half for those that arrive, half for those that are decoded", Reloads: true, set: setSize(minBodyMemory, func(s *Settings) *int64 { return &s.BodyMemory })},
		{Key: "limits.log", Kind: Size, Default: "4GB", About: "size of the write-ahead log; beyond it senders are told to wait", set: setSize(minLogBytes, func(s *Settings) *int64 { return &s.LogBytes })},
		{Key: "limits.drain", Kind: Duration, Default: "30s", About: "how long requests may take to end when the server goes down", Reloads: true, set: setDrain},
	}
}

func setText(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, v string) error { *field(s) = v; return nil }
}

func setSize(least int64, field func(*Settings) *int64) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		n, err := parseSize(v)
		if err == nil && n < least {
			err = fmt.Errorf("use at least %dMB", least>>20)
		}
		*field(s) = n
		return err
	}
}

func setListen(s *Settings, v string) error {
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("use HOST:PORT, for example 127.0.0.1:9443")
	}
	s.Listen = v
	return nil
}

func setScopes(s *Settings, v string) error {
	scopes, err := ParseScopes(items(v))
	s.ClientScopes = scopes
	return err
}

// ParseScopes checks the names of scopes.
func ParseScopes(names []string) ([]Scope, error) {
	var all []Scope
	for _, name := range names {
		if !slices.Contains(Scopes(), Scope(name)) {
			return nil, fmt.Errorf("there is no scope %q: use ingest, query or admin", name)
		}
		if !slices.Contains(all, Scope(name)) {
			all = append(all, Scope(name))
		}
	}
	return all, nil
}

func setConnections(s *Settings, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < minConnections || n > maxConnections {
		return fmt.Errorf("use a number from %d to %d", minConnections, maxConnections)
	}
	s.Connections = n
	return nil
}

func setDrain(s *Settings, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > time.Hour {
		return fmt.Errorf("use a duration up to an hour, for example 30s")
	}
	s.Drain = d
	return nil
}

// items splits a list.
func items(v string) []string {
	var all []string
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// parseSize reads 512MB or 4GB (by 1024), or bytes.
func parseSize(v string) (int64, error) {
	text := strings.ToUpper(strings.TrimSpace(v))
	shift := 0
	for i, unit := range []string{"KB", "MB", "GB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			text, shift = strings.TrimSpace(rest), 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil && shift == 0 {
		n, err = strconv.ParseInt(text, 10, 63)
	}
	if err != nil || n < 1 {
		return 0, fmt.Errorf("use a size such as 512MB or 4GB")
	}
	return n << shift, nil
}

// apply sets one setting from its text.
func (s *Setting) apply(to *Settings, value string) error {
	if len(s.Values) > 0 && !slices.Contains(s.Values, strings.ToLower(value)) {
		return fmt.Errorf("use %s", strings.Join(s.Values, ", "))
	}
	return s.set(to, value)
}
