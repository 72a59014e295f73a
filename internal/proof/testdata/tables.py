"""Reads every table of a Wadi lake with PyIceberg and prints, as JSON, the rows
and, by column, nulls, minimum, maximum and a sum of checksums over the values'
texts, which does not depend on the order of rows.

Usage: tables.py FOLDER
"""
import datetime
import json
import sys
import zlib

from pyiceberg.catalog.sql import SqlCatalog

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def plain(value):
    """Times as microseconds since 1970, the rest as it is."""
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // MICROSECOND
    return value


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def column(values):
    present = [plain(v) for v in values if v is not None]
    out = {"nulls": len(values) - len(present), "sum": sum(zlib.crc32(text(v).encode()) for v in present)}
    if present:
        # Strings compare by code point here and by bytes of UTF-8 in Go: the same order.
        out["min"], out["max"] = text(min(present)), text(max(present))
    return out


def main(folder):
    catalog = SqlCatalog("wadi", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/lake")
    result = {}
    for namespace in catalog.list_namespaces():
        for name in catalog.list_tables(namespace):
            table = catalog.load_table(name)
            rows = table.scan().to_arrow()
            result[name[-1]] = {
                "rows": rows.num_rows,
                "columns": {n: column(rows.column(n).to_pylist()) for n in rows.column_names},
            }
    json.dump(result, sys.stdout)


main(sys.argv[1])
