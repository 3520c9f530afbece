#!/usr/bin/env python3
"""Entries that the server itself leaves marked as deleted in spatial indexes (docs/formats/undo.md#spatial): `verify` must take them for what
they are, a note, and find none after the index was made anew.

    tests/interop/spatial_marks.py [--keep]
"""

import argparse
import sys

import realserver
import redoubt

_CTEST_SKIP = 77
_ROWS = 2000  # several leaves, each of which could have any of the entries
_SAME = "ST_GeomFromText('LINESTRING(1 1,100 50)')"
_SOME = "a % 100 = 10"
_AWAY_AND_BACK = (f"UPDATE {{}} SET g = POINT(1, 2) WHERE {_SOME}", f"UPDATE {{}} SET g = {_SAME} WHERE {_SOME}")
# table: key, options, geometry, statements; while they run, a reader keeps purge away
_LEFT = {
    "away_and_back": ("PRIMARY KEY", "", _SAME, _AWAY_AND_BACK),
    "compressed": ("PRIMARY KEY", "ROW_FORMAT=COMPRESSED", _SAME, _AWAY_AND_BACK),
    "no_key": ("", "", _SAME, _AWAY_AND_BACK),
    "again": ("PRIMARY KEY", "", _SAME, (f"DELETE FROM {{}} WHERE {_SOME}", f"INSERT INTO {{}} SELECT seq, {_SAME} FROM seq_10_to_1999_step_100")),
    "versioned": ("", "WITH SYSTEM VERSIONING", _SAME, (f"DELETE FROM {{}} WHERE {_SOME}",)),
}
_NOT_LEFT = {
    "gone": ("PRIMARY KEY", "", _SAME, (f"DELETE FROM {{}} WHERE {_SOME}",)),
    "apart": ("PRIMARY KEY", "", "POINT(seq, seq)", (f"UPDATE {{}} SET g = POINT(1, 2) WHERE {_SOME}", f"UPDATE {{}} SET g = POINT(a, a) WHERE {_SOME}")),
}


def make(site, config):
    with realserver.Server(site, config) as server:
        with server.connect() as sql, server.connect() as reader:
            sql.query("CREATE DATABASE d")
            sql.query("USE d")
            for name, (key, options, geometry, _) in (_LEFT | _NOT_LEFT).items():
                sql.query(f"CREATE TABLE {name} (a INT {key}, g GEOMETRY NOT NULL, SPATIAL KEY s (g)) {options}")
                sql.query(f"INSERT INTO {name} (a, g) SELECT seq, {geometry} FROM seq_1_to_{_ROWS}")
            reader.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            for name, (_, _, _, statements) in (_LEFT | _NOT_LEFT).items():
                for statement in statements:
                    sql.query(statement.format(name))
        server.shut_down()  # when all is purged


def rebuild(site, config):
    """What the server says of the tables, which it then makes anew."""
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            complaints, _ = realserver.check_tables(sql)
            sql.query("SET system_versioning_alter_history = KEEP")
            for name in _LEFT:
                sql.query(f"ALTER TABLE d.{name} FORCE")
        server.shut_down()
    return complaints


def marked(site, config):
    """Exit code of `verify`, and (kind, severity, table, index) of what it says."""
    answer = redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site, config=config))
    return answer.code, sorted((f["kind"], f["severity"], f["table"], f["index"]) for f in answer.document["findings"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    config = realserver.Config(options=("--innodb-fast-shutdown=0",))
    with realserver.Scratch(keep=options.keep) as scratch:
        site = realserver.Site(scratch.path("site"))
        realserver.Templates(scratch.path("templates")).fill(site, config)
        make(site, config)
        expected = (redoubt.OK, sorted(("mark-left-by-purge", "note", f"d.{name}", "s") for name in _LEFT))
        checks = [("as the server left it", marked(site, config), expected),
                  ("CHECK TABLE", rebuild(site, config), []),
                  ("with indexes made anew", marked(site, config), (redoubt.OK, []))]
    failed = [check for check in checks if check[1] != check[2]]
    for what, found, wanted in checks:
        print(f"{what}: {'ok' if found == wanted else f'{found}, expected {wanted}'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
