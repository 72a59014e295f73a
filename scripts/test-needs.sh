#!/usr/bin/env bash
# Installs what the tests need beyond Go: a Python environment with two foreign
# readers (PyIceberg, the Rust EVTX parser) and Azure Monitor's client, Debian's
# libevtx and, where node is there, Microsoft's Kusto parser and Azure Monitor's
# client again. Debian packages only as root; otherwise the line
# to run is printed. What is missing is said, and the tests that need it skip with
# the reason.
set -u
cd "$(dirname "$0")/.."

debian=''
command -v evtxexport >/dev/null || debian='libevtx-utils'
python3 -c 'import ensurepip, venv' 2>/dev/null || debian="$debian python3-venv"
if [ -n "$debian" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Debian packages for the tests: $debian"
    # shellcheck disable=SC2086
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $debian; } >/dev/null ||
      echo "cannot install $debian: the tests that need them will skip"
  else
    echo "for all tests run: sudo apt-get install $debian"
  fi
fi

venv=.cache/venv
wants='evtx==0.14.0 pyiceberg[sql-sqlite,pyarrow]==0.12.0 azure-monitor-ingestion==1.1.0'
if [ "$(cat "$venv/wants" 2>/dev/null)" != "$wants" ]; then
  echo "installing Python packages for the tests: $wants"
  rm -rf "$venv"
  # shellcheck disable=SC2086
  if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check $wants; then
    echo "$wants" >"$venv/wants"
  else
    rm -rf "$venv"
    echo "cannot install the Python packages: tests against PyIceberg, the Rust EVTX parser and Azure Monitor's client will skip"
  fi
fi

# node_modules NAME FOLDER WHAT installs the packages that FOLDER pins into .cache/NAME.
node_modules() {
  if cmp -s "$2/package-lock.json" ".cache/$1/package-lock.json"; then return; fi
  echo "installing $3 for the tests"
  rm -rf ".cache/$1"
  mkdir -p ".cache/$1"
  cp "$2/package.json" "$2/package-lock.json" ".cache/$1/"
  if ! npm ci --silent --no-audit --no-fund --ignore-scripts --prefix ".cache/$1"; then
    rm -rf ".cache/$1"
    echo "cannot install $3: the tests that need it will skip"
  fi
}
if command -v npm >/dev/null; then
  node_modules msparser internal/kql/kqltest/msparser "Microsoft's Kusto parser"
  node_modules azure internal/server/testdata/clients "Azure Monitor's client"
else
  echo "npm (Debian: nodejs npm) is missing: tests with Microsoft's Kusto parser and Azure Monitor's client will skip"
fi
exit 0
