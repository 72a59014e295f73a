#!/usr/bin/env bash
# Runs every test, the fast ones first, then the slow ones and the race
# detector over the packages with goroutines. Skips are listed with their reason.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
if [ -x .cache/venv/bin/python ]; then export WADI_PYTHON="$root/.cache/venv/bin/python"; fi
if [ -n "${WADI_CORPUS:-}" ]; then WADI_CORPUS=$(cd "$WADI_CORPUS" && pwd); export WADI_CORPUS; fi
CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o /dev/null ./cmd/wadi
CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/wadi
export WADI_SLOW=1
go tool -modfile=tools/go.mod gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg -- -timeout 40m ./...
