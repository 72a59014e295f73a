package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wadi-project/wadi/internal/lake"
)

// tokenPrefix begins every token, so that one that leaked is recognised.
const tokenPrefix = "wadi_"

// tokenBytes is how many random bytes a token has; tokenChars its text's length
// behind the prefix.
const (
	tokenBytes = 32
	tokenChars = 43
)

// NewToken makes a token: its text, which is kept nowhere, and the hash that is.
func NewToken() (text string, sum [sha256.Size]byte) {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	text = tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return text, sha256.Sum256([]byte(text))
}

// Token is who asks, and what it may do.
type Token struct {
	// Name is unique among tokens, and among client certificates (cert:NAME).
	Name   string
	scopes []Scope
	ids    []string
	hash   [sha256.Size]byte
	// expires is zero for never.
	expires time.Time
}

// May tells whether the token has a scope.
func (t *Token) May(s Scope) bool { return slices.Contains(t.scopes, s) }

// MaySendAs tells whether the token may send under an id.
func (t *Token) MaySendAs(id string) bool { return len(t.ids) == 0 || slices.Contains(t.ids, id) }

// tokens is the copy of the lake's tokens in memory.
type tokens struct {
	writer *lake.Writer

	mu      sync.Mutex
	read    bool
	changes int64
	byHash  map[[sha256.Size]byte]*Token
}

// find gives the token of a text, nil for none. The time it takes tells nothing of
// the tokens there are: only hashes are compared, whose bits a client can't choose.
func (t *tokens) find(ctx context.Context, text string) (*Token, error) {
	if !strings.HasPrefix(text, tokenPrefix) || len(text) != len(tokenPrefix)+tokenChars {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	if changes := t.writer.TokenChanges(); !t.read || changes != t.changes {
		all, err := t.writer.Tokens(ctx)
		if err != nil {
			return nil, err
		}
		t.read, t.changes, t.byHash = true, changes, usable(all)
	}
	found := t.byHash[sum]
	if found == nil || subtle.ConstantTimeCompare(found.hash[:], sum[:]) != 1 {
		return nil, nil
	}
	return found, nil
}

// usable gives the tokens that are not revoked, by hash.
func usable(all []lake.Token) map[[sha256.Size]byte]*Token {
	byHash := map[[sha256.Size]byte]*Token{}
	for _, row := range all {
		if row.RevokedUS != 0 || len(row.SHA256) != sha256.Size {
			continue
		}
		token := &Token{Name: row.Name, ids: row.IDs, hash: [sha256.Size]byte(row.SHA256)}
		for _, s := range row.Scopes {
			token.scopes = append(token.scopes, Scope(s))
		}
		if row.ExpiresUS != 0 {
			token.expires = time.UnixMicro(row.ExpiresUS)
		}
		byHash[token.hash] = token
	}
	return byHash
}

// authenticate finds out who asks: by the bearer token, else by the certificate of
// the client's side of the connection.
func (s *Server) authenticate(r *http.Request) (*Token, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		if token := certificateToken(r, s.settings.Load()); token != nil {
			return token, nil
		}
		return nil, unauthorized("", "the request has no token: send 'Authorization: Bearer TOKEN' (wadi token create makes one)")
	}
	address := remoteHost(r)
	scheme, text, _ := strings.Cut(header, " ")
	var token *Token
	if strings.EqualFold(scheme, "Bearer") {
		var err error
		if token, err = s.tokens.find(r.Context(), strings.TrimSpace(text)); err != nil {
			return nil, fmt.Errorf("cannot look the token up: %w", err)
		}
	}
	now := s.Now()
	if token != nil && (token.expires.IsZero() || now.Before(token.expires)) {
		return token, nil
	}
	s.metrics.wrongTokens.Add(1)
	if wait := s.failures.count(address, now); wait > 0 {
		return nil, NewProblem(http.StatusTooManyRequests, "TooManyWrongTokens", "too many wrong tokens came from this address").RetryAfter(wait)
	}
	if token != nil {
		return nil, unauthorized("invalid_token", "the token has expired")
	}
	return nil, unauthorized("invalid_token", "the token is not known, or is revoked")
}

func unauthorized(code, detail string) *Problem {
	p := NewProblem(http.StatusUnauthorized, "InvalidToken", "%s", detail)
	p.challenge = `Bearer realm="wadi"`
	if code != "" {
		p.challenge += `, error="` + code + `"`
	}
	return p
}

// authorize checks the scope.
func authorize(t *Token, scope Scope) error {
	if t.May(scope) {
		return nil
	}
	p := NewProblem(http.StatusForbidden, "InsufficientScope", "the token %s may not be used for this: it needs the scope %s", t.Name, scope)
	p.challenge = fmt.Sprintf(`Bearer realm="wadi", error="insufficient_scope", scope="%s"`, scope)
	return p
}

// certificateToken gives what a verified client certificate stands for, nil without
// one.
func certificateToken(r *http.Request, settings *Settings) *Token {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	name := r.TLS.VerifiedChains[0][0].Subject.CommonName
	return &Token{Name: "cert:" + name, scopes: settings.ClientScopes, hash: sha256.Sum256(r.TLS.VerifiedChains[0][0].Raw)}
}

// failures counts wrong tokens by address.
type failures struct {
	mu   sync.Mutex
	seen map[string]*failure
}

type failure struct {
	since time.Time
	n     int
}

func newFailures() *failures { return &failures{seen: map[string]*failure{}} }

// count adds a wrong token; wait is how long the address has to wait when it has
// shown too many.
func (f *failures) count(address string, now time.Time) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	have := f.seen[address]
	if have == nil || now.Sub(have.since) >= wrongTokensWithin || now.Before(have.since) {
		if len(f.seen) >= wrongAddresses {
			f.forget(now)
		}
		have = &failure{since: now}
		f.seen[address] = have
	}
	have.n++
	if have.n > wrongTokens {
		return wrongTokensWithin - now.Sub(have.since)
	}
	return 0
}

// forget makes room: what is old goes, and if nothing is, everything.
func (f *failures) forget(now time.Time) {
	for address, have := range f.seen {
		if now.Sub(have.since) >= wrongTokensWithin {
			delete(f.seen, address)
		}
	}
	if len(f.seen) >= wrongAddresses {
		clear(f.seen)
	}
}
