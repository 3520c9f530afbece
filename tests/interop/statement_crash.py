#!/usr/bin/env python3
"""Statements cut off after mini-transactions in which they change their table: what is read without a server must be the rows that the
server had before, and `verify` must find nothing wrong.

The redo log of a killed server is cut behind the mini-transaction, and all .frm files are what they were before the statement. The server's
own recovery must give the same rows, except after instant ALTERs, where it often fails (10.11.19: the table is refused, comes back without
a column's default, or the server does not start at all); how often is printed.

    tests/interop/statement_crash.py [--only NAME] [--all-cuts] [--no-server] [--keep]
"""

import argparse
import collections
import dataclasses
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
_CUT = 8 << 20  # bytes of the log that are cleared: more than the statements write
_COLUMNS = "b VARCHAR(30), d CHAR(4) NOT NULL DEFAULT 'dd', e BIGINT, n1 INT, n2 INT, n3 INT, n4 INT, n5 INT"
_KEY = "a INT PRIMARY KEY"
_ADD = "ADD x VARCHAR(20) DEFAULT 'xx'"
_LARGE = "'" + "large " * 2000 + "'"
_CUTS_MAX = 6  # of a statement that is no instant ALTER, without --all-cuts
_SAME = "same rows"
_CONFIG = realserver.Config()


@dataclasses.dataclass(frozen=True)
class Case:
    """A table, and the statement on it ({}) that is cut off."""

    statement: str
    earlier: tuple = ()  # instant changes before
    key: str = _KEY
    columns: str = ""    # more of them
    row_format: str = "DYNAMIC"
    instant: bool = False


@dataclasses.dataclass
class Ran:
    """What a statement that came to its end leaves known."""

    begin: int     # LSN
    end: int
    space: int
    columns: list  # before, as the next two
    rows: list
    frm: dict      # content by file name


_INSTANT = {
    "add": ("ADD c INT DEFAULT 5", {}),
    "add_first": ("ADD c INT DEFAULT 5 FIRST", {}),
    "drop": ("DROP b", {}),
    "add_add": ("ADD c INT DEFAULT 5", {"earlier": (_ADD,), "columns": ", n6 INT, n7 INT"}),
    "add_drop": ("DROP b", {"earlier": (_ADD,)}),
    "drop_added": ("DROP x", {"earlier": (_ADD,)}),
    "drop_drop": ("DROP x", {"earlier": (_ADD, "DROP b")}),
    "drop_add": ("ADD y VARCHAR(400) DEFAULT 'y', ADD z INT DEFAULT 3", {"earlier": (_ADD, "DROP b"), "columns": ", n6 INT, n7 INT"}),
    "reorder": ("MODIFY e BIGINT AFTER a", {"earlier": (_ADD + " FIRST", "DROP b")}),
    "large": ("DROP b", {"earlier": (f"ADD x TEXT DEFAULT {_LARGE}",)}),
    "no_key": ("DROP b", {"earlier": (_ADD, "DROP n1"), "key": "a INT"}),
    "text_key": ("DROP b", {"earlier": (_ADD, "DROP n1"), "key": "a VARCHAR(20) PRIMARY KEY"}),
    "wide_key": ("DROP b", {"earlier": (_ADD, "DROP n1"), "key": "a INT, PRIMARY KEY (d, a)"}),
    # Whether x's default can be found depends on the size of the null bitmap, and that on the columns that were being added.
    "hidden": ("ADD c INT DEFAULT 5", {"earlier": (_ADD,)}),
}
_OTHERS = {
    "add_index": "ALTER TABLE {} ADD UNIQUE INDEX ab (a, b), ADD INDEX b (b), ALGORITHM=NOCOPY",
    "swap_index": "ALTER TABLE {} DROP INDEX e, ADD INDEX eb (e, b), ALGORITHM=NOCOPY",
    "insert_large": "INSERT INTO {} (a, b, t) VALUES (2000, 'x', REPEAT('y', 60000))",
    "update_large": "UPDATE {} SET t = REPEAT('z', 40000) WHERE a IN (50, 51, 100)",
    "delete_large": "DELETE FROM {} WHERE a IN (50, 100, 7)",
    "insert_many": "INSERT INTO {} (a, b, t) SELECT seq + 3000, 'q', REPEAT('r', 3000) FROM seq_1_to_60",
    "update_keys": "UPDATE {} SET a = a + 10000 WHERE a % 40 = 0",
    "delete_many": "DELETE FROM {} WHERE a > 20",
}


def _all_cases():
    """Cases by their tables' names."""
    cases = {}
    for name, (change, more) in _INSTANT.items():
        for row_format in ("DYNAMIC", "REDUNDANT"):
            cases[f"{name}_{row_format[:3].lower()}"] = Case(f"ALTER TABLE {{}} {change}, ALGORITHM=INSTANT", row_format=row_format, instant=True, **more)
    for name, statement in _OTHERS.items():
        cases[name] = Case(statement, columns=", t TEXT")
    return cases


_CASES = _all_cases()


def _make(sql):
    for table, case in _CASES.items():
        sql.query(f"CREATE TABLE {table} ({case.key}, {_COLUMNS}{case.columns}, KEY e (e)) ROW_FORMAT={case.row_format} CHARACTER SET latin1")
        sql.query(f"INSERT INTO {table} (a, b, e) SELECT seq, CONCAT('text ', seq), seq DIV 3 FROM seq_1_to_300")
        if not case.instant:
            sql.query(f"UPDATE {table} SET t = REPEAT('t', 9000) WHERE a % 50 = 0")
        for i, change in enumerate(case.earlier):
            sql.query(f"ALTER TABLE {table} {change}, ALGORITHM=INSTANT")
            sql.query(f"INSERT INTO {table} (a, e) VALUES ({1000 + i}, 77)")
            sql.query(f"UPDATE {table} SET e = 5 WHERE a = {3 + i}")


def _run_all(sql, server):
    """Runs all statements. By table: what is known of it."""
    def lsn():
        return int(sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'")[0][1])

    folder = os.path.join(server.site.data, staging.DATABASE)
    ran = {}
    with server.connect() as reader:
        reader.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")  # what is deleted is purged by nobody
        for table, case in _CASES.items():
            names = [row[0] for row in sql.query(f"SHOW COLUMNS FROM {table}")]
            columns = stored_rows.column_types(sql, staging.DATABASE, table, names)
            rows = stored_rows.server_rows(sql, staging.DATABASE, table, columns, False)
            space = int(sql.query(f"SELECT space FROM information_schema.innodb_sys_tables WHERE name = '{staging.DATABASE}/{table}'")[0][0])
            frm = {name: surgery.read(os.path.join(folder, name), 0, 1 << 20) for name in os.listdir(folder) if name.endswith(".frm")}
            begin = lsn()
            sql.query(case.statement.format(table))
            ran[table] = Ran(begin, lsn(), space, columns, rows, frm)
    return ran


def _cuts(crashed, case, ran, all_cuts):
    """Offsets in the log behind mini-transactions that change the table, and behind the one before the first, which writes the undo record."""
    head = surgery.log_head(crashed.crashed.data)
    ends, changing = [], []
    for offset, records in surgery.mini_transactions(crashed.crashed.data):
        if head.offset(ran.begin) <= offset < head.offset(ran.end):
            if surgery.changes_pages_of(records, {ran.space}):
                changing.append(len(ends))
            ends.append(offset + len(records) + 5)
    cuts = [ends[i] for i in range(changing[0] - 1, changing[-1] + 1)]
    if case.instant or all_cuts or len(cuts) <= _CUTS_MAX:
        return cuts
    return [cuts[i * (len(cuts) - 1) // (_CUTS_MAX - 1)] for i in range(_CUTS_MAX)]


def _problems(site, table, ran, changing, hidden):
    """Sentences on what Redoubt says of a directory whose statement was cut off. `changing`: by an instant ALTER; `hidden` gets the table
    where its defaults cannot be found."""
    name = f"{staging.DATABASE}.{table}"
    found = []
    dump = Dump(site.data)
    if dump.failure or name not in dump.tables:
        return [f"{dump.failure}{dump.refused}"]
    if any("hide the defaults" in error for error in dump.errors):
        hidden.add(table)
    else:
        found += dump.errors
        problem = stored_rows.difference(name, ran.columns, dump.rows[name], ran.rows, in_order=True)
        found += [problem] if problem else []
    answer = redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site, config=_CONFIG))
    findings = answer.document["findings"] if answer.document else []
    found += [f"verify: {finding}" for finding in findings if finding["severity"] != "note"]
    if (name in redoubt.cut_off_alters(answer)) != changing:
        found.append(f"verify says that instant ALTERs of {redoubt.cut_off_alters(answer)} had not ended")
    if answer.code != redoubt.OK:
        found.append(f"verify: exit {answer.code}: {answer.text.strip()[:300]}")
    return found


def _server_says(site, table, ran):
    """What becomes of the table in the server's own recovery."""
    try:
        with realserver.Server(site, _CONFIG) as server:
            with server.connect() as sql:
                complaints, _ = realserver.check_tables(sql)
                theirs = stored_rows.server_rows(sql, staging.DATABASE, table, ran.columns, False)
            server.shut_down()
    except realserver.HarnessError:
        return "does not start"
    except sqlclient.SqlError as error:
        return f"refuses the table ({error.code})"
    except sqlclient.ConnectionLost:
        return "crashes"
    if complaints:
        return f"complains: {complaints[0]}"
    return "other rows" if stored_rows.difference(table, ran.columns, ran.rows, theirs, in_order=True) else _SAME


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="tables whose names have this in them")
    parser.add_argument("--all-cuts", action="store_true", help="at every mini-transaction, which may be hundreds")
    parser.add_argument("--no-server", action="store_true", help="without the server's own recovery")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary() + ([] if os.path.exists(DUMP) else [DUMP])
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    staging.scratch().keep |= options.keep
    crashed = staging.crash("statements", _CONFIG, _make, _run_all)
    failed, hidden, said = 0, set(), collections.Counter()
    for table, ran in crashed.facts.items():
        if options.only not in table:
            continue
        case = _CASES[table]
        cuts = _cuts(crashed, case, ran, options.all_cuts)
        for number, cut in enumerate(cuts):
            site = crashed.copy()
            for name, content in ran.frm.items():
                with open(os.path.join(site.data, staging.DATABASE, name), "wb") as out:
                    out.write(content)
            surgery.write(surgery.log_path(site.data), cut, bytes(_CUT))
            problems = _problems(site, table, ran, case.instant and number > 0, hidden)
            theirs = "not asked" if options.no_server else _server_says(site, table, ran)
            said["an instant ALTER" if case.instant else "others", theirs] += 1
            if not case.instant and theirs not in (_SAME, "not asked"):
                problems.append(f"the server {theirs}")
            failed += bool(problems)
            print(f"{'FAIL' if problems else 'ok'}   {table} cut {number + 1} of {len(cuts)}; the server: {theirs}", *problems, sep="\n     ",
                  flush=True)
    if hidden - {"hidden_dyn"}:
        print(f"FAIL defaults are hidden in {hidden}")
        failed += 1
    for (kind, theirs), count in sorted(said.items()):
        print(f"the server, where {kind} was cut off: {theirs}: {count}")
    print(f"{sum(said.values()) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
