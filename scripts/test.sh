#!/usr/bin/env bash
# Runs every test, the slow ones too, then the packages with goroutines again
# under the race detector. Skips are listed with their reason.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
step() { printf '== %s (%d s)\n' "$*" "$SECONDS"; }
run() { go tool -modfile=tools/go.mod gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg -- "$@"; }

if [ -x .cache/venv/bin/python ]; then export WADI_PYTHON="$root/.cache/venv/bin/python"; fi
if [ -d .cache/msparser/node_modules ]; then export WADI_MSPARSER="$root/.cache/msparser/node_modules"; fi
if [ -d .cache/azure/node_modules ]; then export WADI_AZURE_NPM="$root/.cache/azure/node_modules"; fi
if [ -n "${WADI_CORPUS:-}" ]; then WADI_CORPUS=$(cd "$WADI_CORPUS" && pwd) && export WADI_CORPUS; fi

step build for other systems, without cgo
CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -o /dev/null ./cmd/wadi
CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go build -o /dev/null ./cmd/wadi
step race detector, fast tests of the packages with goroutines, without the corpus
WADI_CORPUS='' run -race -timeout 20m ./internal/pipe ./internal/engine/... ./internal/query/... ./internal/collect/... ./internal/lake/... ./internal/server/...
step all tests
WADI_SLOW=1 run -timeout 40m ./...
