#!/usr/bin/env python3
"""Instant ALTER TABLE, cut off after each mini-transaction in which it changes its table: what is read without a server must be the
rows that the server had before, and `verify` must find nothing wrong.

The redo log of a killed server is cut behind that mini-transaction, and the table's .frm is what it was before the statement. The server's
own recovery is tried, too: where it serves the table its rows must be the same. Often it does not (10.11.19: the table is refused, comes
back without a column's default, or the server does not start at all); how often is printed.

    tests/interop/instant_crash.py [--only NAME] [--no-server] [--keep]
"""

import argparse
import collections
import os
import sys

import realserver
import redoubt
import sqlclient
import staging
import stored_rows
import surgery
from stored_rows import DUMP, Dump

_CTEST_SKIP = 77
_CUT = 4 << 20  # bytes of the log that are cleared: more than the statements write
_COLUMNS = "b VARCHAR(30), d CHAR(4) NOT NULL DEFAULT 'dd', e BIGINT, n1 INT, n2 INT, n3 INT, n4 INT, n5 INT"
_ADD = "ADD x VARCHAR(20) DEFAULT 'xx'"
_LARGE = "'" + "large " * 2000 + "'"
# name: (key, more columns, ALTERs before, the one that is cut off)
_CASES = {
    "add": ("a INT PRIMARY KEY", "", [], "ADD c INT DEFAULT 5"),
    "add_first": ("a INT PRIMARY KEY", "", [], "ADD c INT DEFAULT 5 FIRST"),
    "drop": ("a INT PRIMARY KEY", "", [], "DROP b"),
    "add_add": ("a INT PRIMARY KEY", ", n6 INT, n7 INT", [_ADD], "ADD c INT DEFAULT 5"),
    "add_drop": ("a INT PRIMARY KEY", "", [_ADD], "DROP b"),
    "drop_added": ("a INT PRIMARY KEY", "", [_ADD], "DROP x"),
    "drop_drop": ("a INT PRIMARY KEY", "", [_ADD, "DROP b"], "DROP x"),
    "drop_add": ("a INT PRIMARY KEY", ", n6 INT, n7 INT", [_ADD, "DROP b"], "ADD y VARCHAR(400) DEFAULT 'y', ADD z INT DEFAULT 3"),
    "reorder": ("a INT PRIMARY KEY", "", [_ADD + " FIRST", "DROP b"], "MODIFY e BIGINT AFTER a"),
    "large": ("a INT PRIMARY KEY", "", [f"ADD x TEXT DEFAULT {_LARGE}"], "DROP b"),
    "no_key": ("a INT", "", [_ADD, "DROP n1"], "DROP b"),
    "text_key": ("a VARCHAR(20) PRIMARY KEY", "", [_ADD, "DROP n1"], "DROP b"),
    "wide_key": ("a INT, PRIMARY KEY (d, a)", "", [_ADD, "DROP n1"], "DROP b"),
}
# Whether x's default can be found depends on the size of the null bitmap, and that on the columns that were being added.
_HIDDEN = {"hidden": ("a INT PRIMARY KEY", "", [_ADD], "ADD c INT DEFAULT 5")}
_FORMATS = ("DYNAMIC", "REDUNDANT")
_CONFIG = realserver.Config()


def _all_tables():
    """(table, row format, what _CASES says)."""
    for name, case in {**_CASES, **_HIDDEN}.items():
        for row_format in _FORMATS:
            yield f"{name}_{row_format[:3].lower()}", row_format, case


def _make(sql):
    for table, row_format, (key, more, earlier, _) in _all_tables():
        sql.query(f"CREATE TABLE {table} ({key}, {_COLUMNS}{more}, KEY (e)) ROW_FORMAT={row_format} CHARACTER SET latin1")
        sql.query(f"INSERT INTO {table} (a, b, e) SELECT seq, CONCAT('text ', seq), seq DIV 3 FROM seq_1_to_300")
        for i, change in enumerate(earlier):
            sql.query(f"ALTER TABLE {table} {change}, ALGORITHM=INSTANT")
            sql.query(f"INSERT INTO {table} (a, e) VALUES ({1000 + i}, 77)")
            sql.query(f"UPDATE {table} SET e = 5 WHERE a = {3 + i}")


def _alter(sql, server):
    """Alters all tables. By table: the log's bounds, its space, its columns and rows before, and all .frm files as they were."""
    def lsn():
        return int(sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'")[0][1])

    folder = os.path.join(server.site.data, staging.DATABASE)
    before = {}
    for table, _, (_, _, _, change) in _all_tables():
        names = [row[0] for row in sql.query(f"SHOW COLUMNS FROM {table}")]
        columns = stored_rows.column_types(sql, staging.DATABASE, table, names)
        rows = stored_rows.server_rows(sql, staging.DATABASE, table, columns, False)
        space = int(sql.query(f"SELECT space FROM information_schema.innodb_sys_tables WHERE name = '{staging.DATABASE}/{table}'")[0][0])
        frm = {name: surgery.read(os.path.join(folder, name), 0, 1 << 20) for name in os.listdir(folder) if name.endswith(".frm")}
        begin = lsn()
        sql.query(f"ALTER TABLE {table} {change}, ALGORITHM=INSTANT")
        before[table] = (begin, lsn(), space, columns, rows, frm)
    return before


def _cuts(crashed, begin, end, space):
    """Offsets in the log behind each mini-transaction that changes the table, and behind the one before the first, which writes
    the undo record."""
    head = surgery.log_head(crashed.crashed.data)
    ends, changing = [], []
    for offset, records in surgery.mini_transactions(crashed.crashed.data):
        if head.offset(begin) <= offset < head.offset(end):
            if surgery.changes_pages_of(records, {space}):
                changing.append(len(ends))
            ends.append(offset + len(records) + 5)
    return [ends[i] for i in range(changing[0] - 1, changing[-1] + 1)]


def _problems(site, table, columns, rows, hidden, changed):
    """Sentences on what Redoubt says of a directory whose ALTER of the table was cut off. `changed`: after it had changed the table."""
    name = f"{staging.DATABASE}.{table}"
    found = []
    dump = Dump(site.data)
    if dump.failure or name not in dump.tables:
        return [f"{dump.failure}{dump.refused}"]
    if any("hide the defaults" in error for error in dump.errors):
        hidden.append(table)
    else:
        found += dump.errors
        problem = stored_rows.difference(name, columns, dump.rows[name], rows, in_order=True)
        found += [problem] if problem else []
    answer = redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site, config=_CONFIG))
    findings = answer.document["findings"] if answer.document else []
    found += [f"verify: {finding}" for finding in findings if finding["severity"] != "note"]
    if changed and not any(finding["kind"] == "alter-cut-off" and finding["table"] == name for finding in findings):
        found.append("verify says nothing of an ALTER TABLE that had not ended")
    if answer.code != redoubt.OK:
        found.append(f"verify: exit {answer.code}: {answer.text.strip()[:300]}")
    return found


def _server_says(site, table, columns, rows):
    """What becomes of the table in the server's own recovery."""
    try:
        with realserver.Server(site, _CONFIG) as server:
            with server.connect() as sql:
                realserver.check_tables(sql)
                theirs = stored_rows.server_rows(sql, staging.DATABASE, table, columns, False)
            server.shut_down()
    except realserver.HarnessError:
        return "does not start"
    except sqlclient.SqlError as error:
        return f"refuses the table ({error.code})"
    except sqlclient.ConnectionLost:
        return "crashes"
    return "other rows" if stored_rows.difference(table, columns, rows, theirs, in_order=True) else "same rows"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="tables whose names have this in them")
    parser.add_argument("--no-server", action="store_true", help="without the server's own recovery")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary() + ([] if os.path.exists(DUMP) else [DUMP])
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    staging.scratch().keep |= options.keep
    crashed = staging.crash("instant", _CONFIG, _make, _alter)
    failed, hidden, said = 0, [], collections.Counter()
    for table, (begin, end, space, columns, rows, frm) in crashed.facts.items():
        if options.only not in table:
            continue
        cuts = _cuts(crashed, begin, end, space)
        for number, cut in enumerate(cuts):
            site = crashed.copy()
            for name, content in frm.items():
                with open(os.path.join(site.data, staging.DATABASE, name), "wb") as out:
                    out.write(content)
            surgery.write(surgery.log_path(site.data), cut, bytes(_CUT))
            problems = _problems(site, table, columns, rows, hidden, number > 0)
            theirs = "not asked" if options.no_server else _server_says(site, table, columns, rows)
            said[theirs] += 1
            failed += bool(problems)
            print(f"{'FAIL' if problems else 'ok'}   {table} cut {number + 1} of {len(cuts)}; the server: {theirs}", *problems, sep="\n     ",
                  flush=True)
    if hidden and set(hidden) != {"hidden_dyn"}:
        print(f"FAIL defaults are hidden in {hidden}")
        failed += 1
    print("defaults that cannot be found:", ", ".join(hidden) or "none")
    print("the server, of the same directories:", dict(said))
    print(f"{sum(said.values()) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
