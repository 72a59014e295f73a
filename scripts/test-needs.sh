#!/usr/bin/env bash
# Installs what the tests need beyond Go: a Python environment with two foreign
# readers (PyIceberg, the Rust EVTX parser) and Debian's libevtx. What can't be
# installed is said, and the tests that need it skip with the reason.
set -u
cd "$(dirname "$0")/.."
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
if ! command -v evtxexport >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -q && apt-get install -qy --no-install-recommends libevtx-utils; } >/dev/null ||
      echo "cannot install libevtx-utils: tests against evtxexport will skip"
  else
    echo "for the tests against evtxexport run: sudo apt-get install libevtx-utils"
  fi
fi
exit 0
