package cli

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/server"
)

func (a *App) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke the tokens that clients of the server need",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.tokenCreateCommand(), a.tokenListCommand(), a.tokenRevokeCommand())
	return cmd
}

// newToken are the properties of a token to be made.
type newToken struct {
	scopes, ids []string
	expires     string
}

func (a *App) tokenCreateCommand() *cobra.Command {
	var want newToken
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token and print it; it can't be shown again",
		Long: "Prints the token alone. The lake keeps its hash only. The scope ingest lets it send rows, query ask questions,\n" +
			"admin administer. A token with --id may send under these ids only. The server need not run; one that does\n" +
			"takes the token at once.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.createToken(cmd.Context(), args[0], &want) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&want.scopes, "scope", nil, "ingest, query, admin; several with commas")
	flags.StringSliceVar(&want.ids, "id", nil, "ids that it may send under; several with commas (default any)")
	flags.StringVar(&want.expires, "expires", "", "when it ends: 90d, 12h, or a day such as 2027-01-31 (default never)")
	return cmd
}

// Names of tokens and ids.
var (
	tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	senderID  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

func (a *App) createToken(ctx context.Context, name string, want *newToken) (err error) {
	if err := needsLake("token create"); err != nil {
		return err
	}
	if !tokenName.MatchString(name) {
		return usageError("use letters, digits, '.', '_' and '-', up to 64", "cannot make a token named %q", name)
	}
	scopes, err := server.ParseScopes(want.scopes)
	if err != nil || len(scopes) == 0 {
		return usageError("say what it is for: --scope ingest, query, admin, or several with commas", "cannot make the token: %w", errors.Join(err, errIf(err == nil, "it has no scope")))
	}
	for _, id := range want.ids {
		if !senderID.MatchString(id) {
			return usageError("an id is 1 to 64 letters, digits and '-'", "cannot make the token: %q is no id", id)
		}
	}
	ends, err := a.tokenEnd(want.expires)
	if err != nil {
		return err
	}
	w, done, err := a.openWriter(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	text, sum := server.NewToken()
	token := &lake.Token{Name: name, SHA256: sum[:], IDs: want.ids, CreatedUS: time.Now().UnixMicro(), ExpiresUS: ends}
	for _, s := range scopes {
		token.Scopes = append(token.Scopes, string(s))
	}
	if err := w.AddToken(ctx, token); err != nil {
		return err
	}
	return a.say("%s", text)
}

// errIf gives an error when is holds.
func errIf(is bool, text string) error {
	if is {
		return errors.New(text)
	}
	return nil
}

// tokenEnd gives the time a token ends, µs since 1970, 0 for never.
func (a *App) tokenEnd(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	now := time.Now()
	var end time.Time
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			end = now.AddDate(0, 0, int(n))
		}
	} else if d, err := time.ParseDuration(text); err == nil {
		end = now.Add(d)
	} else if t, err := parseNow(text); err == nil {
		end = t
	}
	if !end.After(now) {
		return 0, usageError("use 90d, 12h or 2027-01-31, later than now", "cannot understand when the token ends: %q", text)
	}
	return end.UnixMicro(), nil
}

func (a *App) tokenListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens, without the tokens themselves",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.readLake(cmd.Context(), "token list", func(l *lake.Lake) error { return a.listTokens(cmd.Context(), l, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a token")
	return cmd
}

func (a *App) listTokens(ctx context.Context, l *lake.Lake, asJSON bool) error {
	all, err := l.Tokens(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 && !asJSON {
		return a.say("There are no tokens.")
	}
	now := time.Now().UnixMicro()
	moment := func(us int64, never string) string {
		if us == 0 {
			return never
		}
		return clip(event.FromUnixMicros(us).String())
	}
	var lines [][]string
	for _, t := range all {
		state := "valid"
		switch {
		case t.RevokedUS != 0:
			state = "revoked"
		case t.ExpiresUS != 0 && t.ExpiresUS <= now:
			state = "expired"
		}
		if asJSON {
			one := map[string]any{"name": t.Name, "state": state, "scopes": t.Scopes, "ids": t.IDs, "created": event.FromUnixMicros(t.CreatedUS).String()}
			if t.ExpiresUS != 0 {
				one["expires"] = event.FromUnixMicros(t.ExpiresUS).String()
			}
			if err := a.printJSON(one); err != nil {
				return err
			}
			continue
		}
		ids := "any"
		if len(t.IDs) > 0 {
			ids = strings.Join(t.IDs, ", ")
		}
		lines = append(lines, []string{t.Name, state, strings.Join(t.Scopes, ", "), ids, moment(t.CreatedUS, ""), moment(t.ExpiresUS, "never")})
	}
	if !asJSON {
		a.list([]string{"Name", "State", "Scopes", "Ids", "Created", "Expires"}, lines)
	}
	return nil
}

func (a *App) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End a token; a running server refuses it at once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.writeLake(cmd.Context(), "token revoke", func(w *lake.Writer) error { return w.RevokeToken(cmd.Context(), args[0]) })
		},
	}
}
