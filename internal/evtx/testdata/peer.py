"""Prints the records of event logs as the Rust parser (PyPI evtx) reads them.

Paths come in on standard input, one a line. For each file: its path, a tab and
the number of records, then one JSON object a line.
"""
import sys
import warnings

import evtx

warnings.simplefilter("ignore")
for path in sys.stdin.read().splitlines():
    try:
        records = [r["data"] for r in evtx.PyEvtxParser(path, 1, skip_errors=True, indent=False).records_json()]
    except Exception:  # an empty file
        records = []
    print(path, len(records), sep="\t")
    for r in records:
        print(r.replace("\n", " "))
