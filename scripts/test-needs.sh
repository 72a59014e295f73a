#!/usr/bin/env bash
# Installs what the tests need beyond Go: a Python environment with two foreign
# readers (PyIceberg, the Rust EVTX parser), Debian's libevtx and, where node is
# there, Microsoft's Kusto parser. Debian packages only as root; otherwise the line
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
wants='evtx==0.14.0 pyiceberg[sql-sqlite,pyarrow]==0.12.0'
if [ "$(cat "$venv/wants" 2>/dev/null)" != "$wants" ]; then
  echo "installing Python packages for the tests: $wants"
  rm -rf "$venv"
  # shellcheck disable=SC2086
  if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check $wants; then
    echo "$wants" >"$venv/wants"
  else
    rm -rf "$venv"
    echo "cannot install the Python packages: tests against PyIceberg and the Rust EVTX parser will skip"
  fi
fi

msparser=internal/kql/kqltest/msparser
if ! command -v npm >/dev/null; then
  echo "npm (Debian: nodejs npm) is missing: the comparison with Microsoft's Kusto parser will skip"
elif ! cmp -s $msparser/package-lock.json .cache/msparser/package-lock.json; then
  echo "installing Microsoft's Kusto parser for the tests"
  rm -rf .cache/msparser
  mkdir -p .cache/msparser
  cp $msparser/package.json $msparser/package-lock.json .cache/msparser/
  if ! npm ci --silent --no-audit --no-fund --ignore-scripts --prefix .cache/msparser; then
    rm -rf .cache/msparser
    echo "cannot install it: the comparison with Microsoft's Kusto parser will skip"
  fi
fi
exit 0
