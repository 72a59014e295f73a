package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Token is a bearer token as the state keeps it: never the token itself.
type Token struct {
	Name string `json:"name"`
	// SHA256 is that of the token's text.
	SHA256 []byte `json:"sha256"`
	// Scopes are what it may be used for, IDs the ids that it may send under (none:
	// any).
	Scopes []string `json:"scopes"`
	IDs    []string `json:"ids,omitempty"`
	// CreatedUS, ExpiresUS and RevokedUS are µs since 1970; ExpiresUS 0 is never,
	// RevokedUS 0 is not revoked.
	CreatedUS int64 `json:"created_us"`
	ExpiresUS int64 `json:"expires_us,omitempty"`
	RevokedUS int64 `json:"revoked_us,omitempty"`
}

// TokenEnd revokes a token.
type TokenEnd struct {
	Name string `json:"name"`
	US   int64  `json:"us"`
}

func addToken(ctx context.Context, tx *sql.Tx, t *Token) error {
	scopes, err := json.Marshal(t.Scopes)
	if err != nil {
		return err
	}
	ids, err := json.Marshal(t.IDs)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO tokens (name, sha256, scopes, ids, created_us, expires_us, revoked_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
		t.Name, t.SHA256, string(scopes), string(ids), t.CreatedUS, t.ExpiresUS, t.RevokedUS)
	return err
}

func revokeToken(ctx context.Context, tx *sql.Tx, e *TokenEnd) error {
	_, err := tx.ExecContext(ctx, "UPDATE tokens SET revoked_us = ? WHERE name = ? AND revoked_us = 0", e.US, e.Name)
	return err
}

// Tokens gives all tokens by name, revoked and expired ones too. A state of before
// there were tokens has none.
func (s *State) Tokens(ctx context.Context) ([]Token, error) {
	n := 0
	if err := s.db.sql.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'tokens'").Scan(&n); err != nil {
		return nil, fmt.Errorf("cannot read the tokens: %w", err)
	}
	if n == 0 {
		return nil, nil
	}
	var all []Token
	err := s.query(ctx, func(rows *sql.Rows) error {
		var t Token
		var scopes, ids []byte
		if err := rows.Scan(&t.Name, &t.SHA256, &scopes, &ids, &t.CreatedUS, &t.ExpiresUS, &t.RevokedUS); err != nil {
			return err
		}
		if err := json.Unmarshal(scopes, &t.Scopes); err != nil {
			return fmt.Errorf("the scopes of token %s: %w", t.Name, err)
		}
		if err := json.Unmarshal(ids, &t.IDs); err != nil {
			return fmt.Errorf("the ids of token %s: %w", t.Name, err)
		}
		all = append(all, t)
		return nil
	}, "SELECT name, sha256, scopes, ids, created_us, expires_us, revoked_us FROM tokens ORDER BY name")
	return all, err
}
