#!/usr/bin/env bash
# The lint gate. Every step prints its name; the first that fails ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
tool() { go tool -modfile=tools/go.mod "$@"; }
step() { printf '== %s (%d s)\n' "$*" "$SECONDS"; }

step gofumpt
files=$(git ls-files '*.go')
# shellcheck disable=SC2086
bad=$(tool gofumpt -l $files)
if [ -n "$bad" ]; then echo "not formatted (run gofumpt -w):"; echo "$bad"; exit 1; fi
step vet
go vet ./...
step fix
go fix -diff ./...
step staticcheck
tool staticcheck ./...
step vet for Windows, without cgo
CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go vet ./cmd/... ./internal/cli/...
step house rules
go test -count=1 ./internal/archtest
step tidy
go mod tidy -diff
(cd tools && go mod tidy -diff)
step generate
go generate ./...
git diff --exit-code -- docs
step vulnerabilities
if out=$(tool govulncheck ./... 2>&1); then
  echo "no known vulnerability is reachable"
elif grep -q 'Vulnerability #' <<<"$out"; then
  echo "$out"; exit 1
else
  echo "skipped: the vulnerability data can't be had here: $(tail -n 1 <<<"$out")"
fi
