#!/usr/bin/env python3
"""Statements of DDL that a crash cut short: the log that the server keeps of them (ddl_recovery.log) is written by hand into the directory of a
killed server, as it would stand there in the middle of each kind of statement; and servers are killed in the middle of real statements, where strace
holds up each change of a name. What is read without a server must be what the server has after
it has taken up its log: the same tables, with the same rows.

    tests/interop/ddl_recovery.py [--only NAME] [--keep]
"""

import argparse
import contextlib
import os
import shutil
import struct
import subprocess
import sys
import threading
import time

import realserver
import redoubt
import sqlclient
import stored_rows
from stored_rows import DUMP, Dump, name_of

_CTEST_SKIP = 77
_BLOCK = 4096
_NAMES_AT = 56
_HEADER = b"\xfe\xfe\x0b\x02" + struct.pack("<HH", _BLOCK, _NAMES_AT)
_EXECUTE, _ENTRY, _IGNORE = 1, 2, 3
_DELETE, _RENAME_FILE, _REPLACE, _EXCHANGE, _RENAME, _DROP_INIT, _DROP, _DROP_DATABASE, _CREATE, _ALTER = 1, 2, 3, 4, 5, 7, 8, 11, 12, 16
_LOG = "ddl_recovery.log"
_COPY = "ALTER TABLE d.t1 ADD c INT DEFAULT 7, ALGORITHM=COPY"
_SCHEMAS = ("d", "e")


def block(kind, action=0, phase=0, following=0, flags=0, xid=0, tries=0, unless=0, names=()):
    """One entry. `names`: handler, db, name, from handler, from db, from name, path, extra name."""
    head = struct.pack("<BBBxIHQ16sQ", kind, action, phase, following, flags, xid, b"", unless << 8 | tries)
    texts = [text.encode() for text in (*names, *[""] * (8 - len(names)))]
    body = b"".join(struct.pack("<H", len(text)) + text + b"\0" for text in texts)
    return (head.ljust(_NAMES_AT, b"\0") + body).ljust(_BLOCK, b"\0")


def chain(*actions, first=1, **execute):
    """Blocks of one statement: what begins it, and its actions in the order in which they are taken."""
    blocks = [block(_EXECUTE, following=first + 1, **execute)]
    for i, action in enumerate(actions):
        following = first + i + 2 if i + 1 < len(actions) else 0
        blocks.append(block(_ENTRY, following=following, **action))
    return blocks


def drop(path, phase=0, name="t", database="d"):
    return {"action": _DROP, "phase": phase, "names": ("InnoDB", database, name, "", "", "", path)}


def drop_init():
    return {"action": _DROP_INIT, "names": ("", "", "", "", "d")}


def create(path, database="d", name="t"):
    return {"action": _CREATE, "names": ("InnoDB", database, name, "", "", "", path)}


def rename_back(name, old):
    return {"action": _RENAME, "names": ("InnoDB", "d", name, "", "d", old)}


def plain(sql):
    for table in ("t1", "t2", "t3"):
        sql.query(f"CREATE TABLE d.{table} (a INT PRIMARY KEY, b VARCHAR(20)) ENGINE=InnoDB")
        sql.query(f"INSERT INTO d.{table} SELECT seq, '{table}' FROM d.seq_1_to_20")


def altered(statement, **patch):
    """An ALTER TABLE of d.t1 that has copied all and waits for the last lock. `patch`: what its entry is to say then, as further on in it."""
    readers = []

    def prepare(sql, server):
        plain(sql)
        before = contents(sql)  # later that would wait
        reader = server.connect()  # lives until the server is killed
        readers.append(reader)
        reader.query("BEGIN")
        reader.query("SELECT * FROM d.t1 LIMIT 1")
        threading.Thread(target=run_until_killed, args=(server, statement), daemon=True).start()
        while not sql.query("SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock'"):
            time.sleep(0.02)
        return before

    def log(before):
        blocks = [before[at:at + _BLOCK] for at in range(_BLOCK, len(before), _BLOCK)]
        return [patched(entry, patch) if entry[0] == _ENTRY and entry[1] == _ALTER else entry for entry in blocks]
    return prepare, log


def run_until_killed(server, statement):
    with contextlib.suppress(OSError, sqlclient.ConnectionLost, sqlclient.SqlError, realserver.HarnessError):
        with server.connect() as sql:
            sql.query(statement)


def patched(entry, patch):
    names, rest = [], entry[_NAMES_AT:]
    for _ in range(8):
        size = int.from_bytes(rest[:2], "little")
        names.append(rest[2:2 + size].decode())
        rest = rest[3 + size:]
    if "extra" in patch:
        names[7] = patch["extra"]
    phase, flags = patch.get("phase", entry[2]), patch.get("flags", int.from_bytes(entry[8:10], "little"))
    return block(_ENTRY, _ALTER, phase, int.from_bytes(entry[4:8], "little"), flags, names=names)


def partitioned(sql):
    plain(sql)
    sql.query("CREATE TABLE d.`part 1` (a INT PRIMARY KEY) ENGINE=InnoDB PARTITION BY HASH (a) PARTITIONS 3")
    sql.query("INSERT INTO d.`part 1` SELECT seq FROM d.seq_1_to_20")


def two_databases(sql):
    plain(sql)
    sql.query("CREATE TABLE e.t1 (a INT PRIMARY KEY) ENGINE=InnoDB")
    sql.query("INSERT INTO e.t1 VALUES (1)")


def two_databases_without_frms(sql, server):
    """As DROP DATABASE leaves them when it comes to drop what the engines still have."""
    two_databases(sql)
    sql.query("FLUSH TABLES")
    for name in os.listdir(os.path.join(server.site.data, "d")):
        if name.endswith(".frm"):
            os.remove(os.path.join(server.site.data, "d", name))


def related(sql):
    plain(sql)
    sql.query("CREATE TABLE d.child (a INT PRIMARY KEY, CONSTRAINT c1 FOREIGN KEY (a) REFERENCES d.t2 (a)) ENGINE=InnoDB")
    sql.query("INSERT INTO d.child VALUES (1), (2)")


def begun(sql, server):
    """A CREATE TABLE has come to the point where it would write its .frm."""
    plain(sql)
    with open(os.path.join(server.site.data, "d", "t9.frm"), "wb"):
        pass


def renamed(sql):
    plain(sql)
    sql.query("RENAME TABLE d.t1 TO d.`new näme`")


def rotated(sql):
    plain(sql)
    sql.query("RENAME TABLE d.t1 TO d.x, d.t2 TO d.t1, d.x TO d.t2")


# name: (what is there, blocks of the log, server options)
_CASES = {
    "nothing open": (plain, [block(_IGNORE, following=2), block(_ENTRY, **drop("./d/t1"))]),
    "all done": (plain, chain(create("./d/t1") | {"phase": 255})),
    "create": (plain, chain(create("./d/t1"))),
    "create begun": (begun, chain(create("./d/t9"))),
    "create, tried too often": (plain, chain(create("./d/t1"), tries=3)),
    "create of many": (plain, chain(create("./d/t1")) + chain(create("./d/t3"), first=3)),
    "create under another statement": (plain, [block(_EXECUTE, following=2, unless=3), block(_ENTRY, **create("./d/t1")),
                                               block(_EXECUTE, following=4), block(_ENTRY, **create("./d/t2"))]),
    "drop": (plain, chain(drop_init(), drop("./d/t1"), drop("./d/t3"))),
    "drop that is done": (plain, chain(drop_init(), drop("./d/t9"), drop("./d/t1", phase=1), drop("./d/t2", phase=2))),
    "drop with partitions": (partitioned, chain(drop_init(), {
        "action": _DROP, "names": ("partition", "d", "part 1", "", "", "", "./d/part@00201")})),
    "drop of a child": (related, chain(drop_init(), drop("./d/child"))),
    "drop database": (two_databases_without_frms, chain({"action": _DROP_DATABASE, "names": ("", "d", "", "", "", "", "./d/")})),
    "rename": (renamed, chain(rename_back("new näme", "t1"))),
    "rename not begun": (plain, chain(rename_back("new", "t1"))),
    "rename of three": (rotated, chain(rename_back("t2", "x"), rename_back("t1", "t2"), rename_back("x", "t1"))),
    "rename of a child": (related, chain(rename_back("child", "old_child"))),
    "alter created": altered(_COPY),
    "alter copied": altered(_COPY, phase=6),
    "alter with rename": altered(_COPY, phase=6, flags=1, extra="new name"),
    "alter to MyISAM": altered("ALTER TABLE d.t1 ENGINE=MyISAM", phase=6),
    "files": (plain, chain({"action": _DELETE, "names": ("InnoDB", "", "./d/t1")}, {"action": _DELETE, "names": (".frm", "", "./d/t1")},
                           {"action": _RENAME_FILE, "names": ("InnoDB", "", "./d/t4", "", "", "./d/t2")},
                           {"action": _RENAME_FILE, "names": (".frm", "", "./d/t4", "", "", "./d/t2")})),
    "replace": (plain, chain({"action": _REPLACE, "names": ("InnoDB", "", "./d/t1", "", "", "./d/t2")},
                             {"action": _REPLACE, "names": (".frm", "", "./d/t1", "", "", "./d/t2")})),
    "exchange": (rotated, chain({"action": _EXCHANGE, "phase": 2, "names": ("InnoDB", "", "./d/t1", "", "", "./d/t2", "./d/x")})),
    "old format": (plain, None),
}


def contents(sql):
    """What is there by name: InnoDB's tables and what they hold."""
    held = {name: "" for name, in sql.query("SELECT name FROM information_schema.innodb_sys_tables WHERE name LIKE 'd/%' OR name LIKE 'e/%'")}
    for schema, table, _, _ in stored_rows.innodb_tables(sql, _SCHEMAS):
        held[f"{schema}.{table}"] = sql.query(f"CHECKSUM TABLE {name_of(schema, table)}")[0][1]
    return held


def compare(site, config):
    """Sentences on what differs between our reading of the directory and the server's, once it has started on it."""
    dump = Dump(site.data)
    problems = verified(site, "crashed")
    recovered = site.copy_to(site.folder + "-recovered")
    answer = redoubt.recover(recovered, config)
    if answer.code != redoubt.OK:
        problems.append(f"redoubt recover: exit {answer.code}: {answer.text}")
    problems += verified(recovered, "recovered")
    again = Dump(recovered.data)
    recovered.remove()
    if (again.rows, again.refused) != (dump.rows, dump.refused):
        problems.append(f"after redoubt recover: {sorted(again.tables)}, refused {again.refused}; before: {sorted(dump.tables)}, refused {dump.refused}")
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            found = problems + stored_rows.compare(dump, sql, _SCHEMAS, create=True)
            held = contents(sql)
            wanted = {name for name in held if "/" not in name}
            ours = {name for name in dump.tables if name.split(".")[0] in _SCHEMAS}
            if ours != wanted:
                found.append(f"we have {sorted(ours)}, the server has {sorted(wanted)}: {server.log_text()[-1500:]}")
            found += [f"{name}: {why}" for name, why in dump.refused.items() if name.split(".")[0] in _SCHEMAS]
        server.shut_down()
    return found, held


def verified(site, state):
    """That verify takes no half-done statement for damage."""
    answer = redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site))
    return [] if answer.code == redoubt.OK else [f"verify, {state}: exit {answer.code}: {answer.text}"]


def run(case, site, config):
    prepare, blocks = _CASES[case]
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            for schema in _SCHEMAS:
                sql.query(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
            before = prepare(*(sql, server)[:prepare.__code__.co_argcount]) or contents(sql)
        server.kill()
    path = os.path.join(site.data, _LOG)
    if callable(blocks):
        with open(path, "rb") as file:
            blocks = blocks(file.read())
    with open(path, "wb") as file:
        head = _HEADER if blocks is not None else b"\xfe\xfe\x0b\x01" + _HEADER[4:]
        file.write(head.ljust(_BLOCK, b"\0") + b"".join(blocks if blocks is not None else chain(create("./d/t1"))))
    found, after = compare(site, config)
    return found, before != after


def run_binlogged(cut, site, config):
    """A CREATE TABLE that is not marked as done: the binary log says whether it is. `cut`: it does not have it."""
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            for schema in _SCHEMAS:
                sql.query(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
            plain(sql)
            position = int(sql.query("SHOW MASTER STATUS")[0][1])
            sql.query(f"CREATE TABLE {name_of('d', 'last')} (a INT PRIMARY KEY) ENGINE=InnoDB")
        server.kill()
    path = os.path.join(site.data, _LOG)
    with open(path, "rb") as file:
        log = bytearray(file.read())
    if log[_BLOCK] != _IGNORE or log[2 * _BLOCK + 1] != _CREATE or not int.from_bytes(log[_BLOCK + 10:_BLOCK + 18], "little"):
        return [f"the log does not begin with the CREATE TABLE: {log[_BLOCK:_BLOCK + 18].hex()} {log[2 * _BLOCK:2 * _BLOCK + 18].hex()}"], True
    log[_BLOCK] = _EXECUTE
    log[2 * _BLOCK + 2] = 1
    with open(path, "wb") as file:
        file.write(log)
    if cut:
        os.truncate(os.path.join(site.data, "mb.000001"), position)
    found, after = compare(site, config)
    if ("d.last" in after) == cut:
        found.append(f"the server was to {'drop' if cut else 'keep'} d.last: {sorted(after)}")
    return found, True


# statement: at how many of its changes of names the server is killed
_REAL = {
    _COPY: 6,
    "ALTER TABLE d.t1 ADD c INT, RENAME TO d.t9, ALGORITHM=COPY": 4,
    "ALTER TABLE d.t1 ADD KEY (b), RENAME TO d.t9": 3,
    "ALTER TABLE d.t1 ADD c INT DEFAULT 7, ALGORITHM=INSTANT": 1,
    "ALTER TABLE d.t1 FORCE": 5,
    "ALTER TABLE d.t1 ENGINE=MyISAM": 5,
    "RENAME TABLE d.t1 TO d.t8, d.t2 TO d.t1": 4,
    "TRUNCATE TABLE d.t1": 2,
    "DROP TABLE d.t1, d.t2": 5,
}
_CALLS = "rename,renameat,renameat2,unlink,unlinkat"
_HOLD_S = 0.4  # each of these calls; on a slow machine the server dies earlier in the statement, which will do as well


def hold_up(server, trace):
    """strace on the server, or None where that is not possible."""
    try:
        process = subprocess.Popen(["strace", "-f", "-o", trace, "-e", f"trace={_CALLS}", "-e", f"inject={_CALLS}:delay_enter={int(_HOLD_S * 1e6)}",
                                    "-p", str(server.pid())], stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    time.sleep(0.5)
    return process if process.poll() is None else None


def run_real(statement, point, site, config):
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            for schema in _SCHEMAS:
                sql.query(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
            plain(sql)
        tracer = hold_up(server, os.path.join(site.folder, "trace"))
        if tracer is None:
            return None, True
        threading.Thread(target=run_until_killed, args=(server, statement), daemon=True).start()
        time.sleep((point + 0.5) * _HOLD_S)
        server.kill()
        tracer.wait()
    return compare(site, config)[0], True


def run_misfit(site, config):
    """Tables whose .frm is another's, or empty: their rows are read by InnoDB's dictionary, and it is said."""
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            for schema in _SCHEMAS:
                sql.query(f"CREATE DATABASE {schema}")
            plain(sql)
            sql.query("CREATE TABLE d.other (x INT PRIMARY KEY, y INT, z INT) ENGINE=InnoDB")
        server.shut_down()
    shutil.copyfile(os.path.join(site.data, "d", "other.frm"), os.path.join(site.data, "d", "t1.frm"))
    os.truncate(os.path.join(site.data, "d", "t2.frm"), 0)
    dump = Dump(site.data)
    found = [f"d.{table}: {len(dump.rows.get(f'd.{table}', []))} rows, {dump.refused} {dump.failure}" for table in ("t1", "t2", "t3")
             if len(dump.rows.get(f"d.{table}", [])) != 20]
    return found + [f"no word of {table}: {dump.notes}" for table in ("d.t1", "d.t2")
                    if not any(f"{table} is read as InnoDB's dictionary" in note for note in dump.notes)], True


_LOADS_MAX = 40
_LOAD = "SET STATEMENT unique_checks=0, foreign_key_checks=0 FOR INSERT INTO d.t2 SELECT seq, SHA2(seq, 512) FROM d.seq_1_to_60000"


def commit_until_killed(server):
    """Each commit makes durable what others have logged so far."""
    with contextlib.suppress(OSError, sqlclient.ConnectionLost, sqlclient.SqlError, realserver.HarnessError):
        with server.connect() as sql:
            for number in range(10**6):
                sql.query(f"INSERT INTO d.t1 VALUES ({number})")


def run_bulk_load(templates, site, config):
    """A load into an empty table, killed in the middle: pages that it had taken and not filled are no damage. Again until there are such pages."""
    for _ in range(_LOADS_MAX):
        site.remove()
        templates.fill(site, config)
        with realserver.Server(site, config) as server:
            with server.connect() as sql:
                sql.query("CREATE DATABASE d")
                sql.query("CREATE TABLE d.t1 (a INT PRIMARY KEY) ENGINE=InnoDB")
                sql.query("CREATE TABLE d.t2 (a INT PRIMARY KEY, b VARCHAR(200), KEY (b)) ENGINE=InnoDB")
            threads = [threading.Thread(target=commit_until_killed, args=(server,), daemon=True),
                       threading.Thread(target=run_until_killed, args=(server, _LOAD), daemon=True)]
            for thread in threads:
                thread.start()
            deadline = time.monotonic() + 20
            while os.path.getsize(os.path.join(site.data, "d", "t2.ibd")) < 2 << 20 and time.monotonic() < deadline:
                time.sleep(0.002)
            server.kill()
            for thread in threads:
                thread.join()
        answer = redoubt.recover(site, config)
        if answer.code != redoubt.OK:
            return [f"redoubt recover: exit {answer.code}: {answer.text}"], True
        answer = redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site))
        if answer.code != redoubt.OK:
            return [f"verify: exit {answer.code}: {answer.text}"], True
        if any(finding["kind"] == "page-zero" for finding in answer.document["findings"]):
            return [], True
    return [f"no such pages in {_LOADS_MAX} loads: a case that shows nothing"], True


def run_damaged(site, config):
    """A log that leads in a circle (the server would follow it for ever): all tables are read, and it is said."""
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            for schema in _SCHEMAS:
                sql.query(f"CREATE DATABASE {schema}")
            plain(sql)
        server.kill()
    with open(os.path.join(site.data, _LOG), "wb") as file:
        file.write(_HEADER.ljust(_BLOCK, b"\0") + block(_EXECUTE, following=2) + block(_ENTRY, following=2, **create("./d/t1")))
    dump = Dump(site.data)
    found = [] if {"d.t1", "d.t2", "d.t3"} <= set(dump.tables) else [f"{sorted(dump.tables)} {dump.failure}"]
    if not any(_LOG in note and "in a circle" in note for note in dump.notes):
        found.append(f"no word of the log: {dump.notes}")
    return found, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the case of this name")
    parser.add_argument("--keep", action="store_true", help="keep the directories")
    options = parser.parse_args()
    if realserver.missing_parts() or not os.access(DUMP, os.X_OK):
        print("skipped: no mariadbd, or dump_tables is not built")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    changes_nothing = ("nothing open", "all done", "create, tried too often", "drop that is done", "rename not begun", "old format")
    failed = 0
    runs = {case: (lambda site, config, case=case: run(case, site, config), realserver.Config()) for case in _CASES}
    for cut in (False, True):
        runs[f"binary log {'cut' if cut else 'whole'}"] = (lambda site, config, cut=cut: run_binlogged(cut, site, config),
                                                           realserver.Config(options=("--log-bin=mb", "--sync-binlog=1")))
    for statement, points in _REAL.items():
        for point in range(points):
            runs[f"{statement}, {point}"] = (lambda site, config, statement=statement, point=point: run_real(statement, point, site, config),
                                             realserver.Config())
    runs["bulk load"] = (lambda site, config: run_bulk_load(templates, site, config), realserver.Config())
    runs["misfit"] = (run_misfit, realserver.Config())
    runs["damaged"] = (run_damaged, realserver.Config())
    if options.only and options.only not in runs:
        parser.error(f"no case {options.only}: {', '.join(runs)}")
    with realserver.Scratch(options.keep) as scratch:
        templates = realserver.Templates(scratch.path("templates"))
        for number, (case, (function, config)) in enumerate(runs.items()):
            if options.only and case != options.only:
                continue
            site = realserver.Site(scratch.path(f"site{number}"))
            templates.fill(site, config)
            found, changed = function(site, config)
            if found is None:
                print(f"{case}: SKIPPED, strace is not to be had here", flush=True)
                continue
            if changed == (case in changes_nothing):
                found.append(f"the server's start changed {'something' if changed else 'nothing'}: a case that shows nothing")
            print(f"{case}: {'ok' if not found else 'FAILED'}", flush=True)
            for sentence in found:
                print(f"  {sentence}")
            failed += bool(found)
            if not found and not options.keep:
                site.remove()
    print(f"{failed} of {len(runs)} cases failed" if failed else "all cases as the server has them")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
