#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time each.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' >/dev/null || { echo "no fuzz target found"; exit 1; }
git grep -lE '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u | while read -r folder; do
  git grep -hoE '^func Fuzz[A-Za-z0-9_]+' -- "$folder/*_test.go" | sed 's/^func //' | sort -u | while read -r target; do
    echo "== $folder $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "./$folder" </dev/null
  done
done
