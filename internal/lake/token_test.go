package lake

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	w, err := OpenWriter(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := Token{Name: "a", SHA256: make([]byte, 32), Scopes: []string{"ingest", "query"}, IDs: []string{"x"}, CreatedUS: 5, ExpiresUS: 7}
	b := Token{Name: "b", SHA256: []byte{31: 1}, Scopes: []string{"admin"}, CreatedUS: 6}
	for _, token := range []*Token{&a, &b} {
		if err := w.AddToken(ctx, token); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AddToken(ctx, &a); err == nil {
		t.Error("a name can be used twice")
	}
	if err := w.RevokeToken(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeToken(ctx, "c"); err == nil {
		t.Error("a token that isn't there can be revoked")
	}
	if n := w.TokenChanges(); n != 3 {
		t.Errorf("%d changes", n)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	have, err := l.Tokens(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(have) != 2 || have[1].RevokedUS == 0 {
		t.Fatalf("%+v", have)
	}
	b.RevokedUS = have[1].RevokedUS
	if diff := cmp.Diff([]Token{a, b}, have); diff != "" {
		t.Error(diff)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
