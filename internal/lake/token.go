package lake

import (
	"context"
	"errors"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/ledger"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Token is a bearer token as the state keeps it.
type Token = catalog.Token

// Tokens gives all tokens by name, expired and revoked ones too.
func (l *Lake) Tokens(ctx context.Context) ([]Token, error) {
	s, err := l.openState(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	all, err := s.Tokens(ctx)
	return all, errors.Join(err, s.Close())
}

// Tokens gives all tokens by name, expired and revoked ones too.
func (w *Writer) Tokens(ctx context.Context) ([]Token, error) { return w.state.Tokens(ctx) }

// TokenChanges counts the changes of tokens by this writer: who keeps a copy of
// them compares it.
func (w *Writer) TokenChanges() int64 { return w.tokenChanges.Load() }

// AddToken keeps a new token. A name is used once: a revoked or expired token keeps
// its own, so that wadi_audit stays clear.
func (w *Writer) AddToken(ctx context.Context, t *Token) error {
	all, err := w.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, have := range all {
		if have.Name == t.Name {
			return folder.Refuse(folder.CodeUsage, "take another name, or see 'wadi token list'", "cannot make the token: there is one named %s", t.Name)
		}
	}
	a := &ledger.Action{Action: "token", Object: t.Name, Detail: map[string]any{"create": t.Scopes, "ids": t.IDs, "expires_us": t.ExpiresUS}}
	err = w.setting(ctx, a, func(int64) []catalog.Change { return []catalog.Change{{AddToken: t}} })
	w.tokenChanges.Add(1)
	return err
}

// RevokeToken ends a token. One that is revoked stays as it is.
func (w *Writer) RevokeToken(ctx context.Context, name string) error {
	all, err := w.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Name != name {
			continue
		}
		if t.RevokedUS != 0 {
			return nil
		}
		a := &ledger.Action{Action: "token", Object: name, Detail: map[string]any{"revoke": true}}
		end := &catalog.TokenEnd{Name: name, US: w.opts.Now().UnixMicro()}
		err = w.setting(ctx, a, func(int64) []catalog.Change { return []catalog.Change{{EndToken: end}} })
		w.tokenChanges.Add(1)
		return err
	}
	return folder.Refuse(folder.CodeUsage, "see 'wadi token list'", "cannot revoke %q: there is no such token", name)
}
