#!/usr/bin/env python3
"""Random tables, read without a server and verified, against what the server says.

    tests/interop/random_schemas.py --rotate --seeds 1-50 --jobs 2 [--only PAGE/CHECKSUM/VARIANT] [--keep]

Each seed: a private server of one cell of the matrix; some ten tables of random columns, keys, row formats, partitions, charsets
(random_tables.py), filled and changed with edge values, altered, mostly instantly; then transactions left open, prepared (XA) and
half rolled back under a load of DML and ALTERs; kill -9 or a clean shutdown. Of the directory as it was left
  * every row of every InnoDB table equals what the server, started on it, returns: exactly, in the order stored; VIRTUAL columns not,
  * `redoubt verify --level files,pages,trees,rows` finds nothing, neither then nor after the server's recovery and clean shutdown.
The tables follow from the seed; how far the load at the end gets does not.
"""

import dataclasses
import os
import random
import re
import resource
import sys
import threading
import time

import matrix
import random_tables
import realserver
import redoubt
import sqlclient
import stored_rows
from stored_rows import name_of

_PAGE_SIZES = (4, 8, 16, 32, 64)  # KiB
_TABLES = (8, 13)
_TABLES_MIN = 6       # a seed that made fewer proves too little
_LOAD_THREADS = 3
_VERIFY_TIMEOUT_S = 300
_END_TIMEOUT_S = 60
_PAGE_RUINED = "InnoDB: Unable to decompress"  # said before the crash: a fault of the server's own, as the next
_ROLLBACK_FAILS = "[FATAL] InnoDB: Error (Failed, retry may succeed) in rollback"
# Statistics stay as they are while the server is asked; with the pool of some cells its own recovery can come to a standstill.
_TO_BE_ASKED = ("--innodb-stats-auto-recalc=OFF", "--innodb-buffer-pool-size=256M")
_STATISTICS = ("mysql.innodb_table_stats", "mysql.innodb_index_stats")
_MEMORY_MAX = 4 << 30  # bytes
_FINDINGS_SHOWN = 8
_SESSION = ("SET sql_mode = '{mode}', NAMES utf8mb4, time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 0, "
            "SESSION lock_wait_timeout = 1, system_versioning_alter_history = KEEP, SESSION innodb_strict_mode = OFF")
_SERVER_CHARSETS = ("latin1", "utf8mb4", "utf8mb4", "utf8mb3", "gbk", "sjis", "ujis", "ucs2", "utf16", "utf32")


def _without_what_may_differ(statement):
    """SHOW CREATE TABLE without conversions that the server adds to expressions for its own character set, and without
    AUTO_INCREMENT: the server takes the greatest value there is where that is behind the stored counter, as after an UPDATE."""
    statement = re.sub(r"convert\((`(?:[^`]|``)+`) using \w+\)", r"\1", statement)
    return re.sub(r" AUTO_INCREMENT=\d+", "", statement)


def _compare_statistics(dump, sql, tables):
    """But for tables of which recovery takes back the ALTER, or which it gives another table's place: their statistics go with them."""
    moved = [table for table in tables if any(f"table {table} is still " in note for note in dump.notes)]

    def kept(rows):
        names = [(row, f"{row[0]}.{row[1].split('#P#')[0]}") for row in rows]
        return [row for row, name in names if not row[1].startswith("#mysql50##sql-") and name not in moved]

    found = []
    for name in _STATISTICS:
        schema, table = name.split(".")
        columns = stored_rows.column_types(sql, schema, table, [column["name"] for column in dump.tables[name]["columns"]])
        theirs = stored_rows.server_rows(sql, schema, table, columns, False)
        found.append(stored_rows.difference(name, columns, kept(dump.rows[name]), kept(theirs), in_order=True))
    return [problem for problem in found if problem]


class Schemas:
    """One seed: the server, its tables, how it ended."""

    def __init__(self, case, scratch, templates, seconds, outcome):
        self._draw = random.Random(f"schemas {case}")
        draw = self._draw
        config = case.config()
        self._facts = {
            "row": draw.choice(("redundant", "compact", "dynamic", "dynamic")),
            "charset": draw.choice(_SERVER_CHARSETS),
            "binlog": draw.choice(("", "", "ROW", "MIXED")),
            "end": draw.choice(("killed", "killed", "killed", "stopped", "stopped slowly")),
            "load": draw.choice((True, True, False))}
        options = [f"--innodb-default-row-format={self._facts['row']}", f"--character-set-server={self._facts['charset']}",
                   f"--innodb-change-buffering={draw.choice(('none', 'all'))}", "--innodb-stats-auto-recalc=OFF",
                   f"--innodb-fast-shutdown={0 if 'slowly' in self._facts['end'] else 1}"]
        if self._facts["binlog"]:
            options += ["--log-bin=mb", f"--binlog-format={self._facts['binlog']}", "--server-id=1"]
        self.config = dataclasses.replace(config, options=config.options + tuple(options))
        self.site = realserver.Site(scratch.path("site"))
        realserver.Templates(templates).fill(self.site, self.config)
        self._seconds, self._outcome = seconds, outcome
        self._databases = ["d", "d-x ä.b"]
        self._stopping = threading.Event()
        self.asked_with = _TO_BE_ASKED  # options of the server that tells what is right
        self._ruined = []  # tables that the server calls corrupted
        outcome.counts.update({f"cell {case.page_kib}k/{case.checksum}/{case.variant}": 1, f"end {self._facts['end']}": 1,
                               f"server charset {self._facts['charset']}": 1, f"default format {self._facts['row']}": 1,
                               f"binlog {self._facts['binlog'] or 'off'}": 1})

    def killed(self):
        return self._facts["end"] == "killed"

    def crashed_by_itself(self):
        """A bug of the server, met by a random statement: its directory is one more to read."""
        self._facts["end"] = "killed"
        self._stopping.set()
        self._outcome.counts["end crashed by itself"] += 1

    def _session(self, server, draw):
        sql = server.connect()
        sql.query(_SESSION.format(mode=draw.choice(("", "", "ALLOW_INVALID_DATES"))))
        return sql

    def _maker(self, server, draw, database, tables=()):
        maker = random_tables.Maker(self._session(server, draw), self.config, draw, database, self._outcome.counts)
        maker.tables = list(tables)
        return maker

    # --- the tables ------------------------------------------------------------------------

    def make(self, server):
        """Tables, rows and ALTERs; one thread, all of it the seed's."""
        with server.connect() as sql:
            for database in self._databases:
                sql.query(f"CREATE DATABASE {name_of(database)}")
        makers = [self._maker(server, self._draw, database) for database in self._databases]
        for number in range(self._draw.randint(*_TABLES)):
            maker = makers[number % 3 == 2]
            table = maker.create_table()
            if table:
                self._furnish(maker, table)
        if sum(len(maker.tables) for maker in makers) < _TABLES_MIN:
            raise realserver.HarnessError("the server refused too many tables")
        return makers

    def _furnish(self, maker, table):
        draw = self._draw
        if draw.random() < 0.15:  # the first INSERT into an empty table, with checks off, is logged as one bulk load
            maker.sql.query("SET unique_checks = 0, foreign_key_checks = 0")
            maker.grow(table, draw.choice((50, 700)))
            maker.sql.query("SET unique_checks = 1, foreign_key_checks = 1")
        maker.fill(table, draw.choice((0, 1, 15, 40, 60)))
        if draw.random() < 0.3:
            maker.grow(table, draw.choice((300, 2000)))
        maker.change(table, draw.randint(0, 8))
        for _ in range(draw.choice((0, 1, 2, 4, 7))):
            maker.alter(table)
            maker.fill(table, draw.choice((1, 5, 12)))
            maker.change(table, draw.randint(0, 4))

    # --- the end ---------------------------------------------------------------------------

    def leave(self, server, makers):
        """Transactions left open and prepared, under a load; then the end of the server. Returns the open sessions."""
        loads = self._start_load(server, makers) if self._facts["load"] else []
        sessions = []
        for number in range(self._draw.randint(1, 4)):
            draw = random.Random(self._draw.random())
            maker = draw.choice(makers)
            sessions.append(self._open_transaction(server, draw, maker, number))
        if loads:
            time.sleep(self._seconds)
        with server.connect() as sql:  # what comes before it is in the log file
            sql.query("CREATE TABLE d.last_words (a INT PRIMARY KEY) ENGINE=InnoDB")
            sql.query("INSERT INTO d.last_words VALUES (1), (2)")
        if self.killed():
            server.kill()
            self._stopping.set()
        else:
            self._stopping.set()
        for thread in loads:
            thread.join()
        if not self.killed():
            try:
                server.shut_down()
            except realserver.HarnessError:  # (10.11.19 can purge in circles, and take more and more memory)
                self.asked_with += ("--innodb-force-recovery=2",)  # which would begin again
                self.crashed_by_itself()
        return sessions

    def _open_transaction(self, server, draw, maker, number):
        tables = draw.sample(maker.tables, min(len(maker.tables), draw.randint(1, 3)))
        other = self._maker(server, draw, maker.database, tables)
        kind = draw.choice(("open", "open", "savepoint", "prepared", "bulk"))
        other.sql.query("SET TRANSACTION ISOLATION LEVEL " + draw.choice(("READ COMMITTED", "REPEATABLE READ")))
        if kind == "bulk":
            other.sql.query("SET unique_checks = 0, foreign_key_checks = 0")
        other.sql.query(f"XA START 'x{number}'" if kind == "prepared" else "BEGIN")
        for table in tables:
            other.change(table, draw.randint(1, 5))
            other.fill(table, draw.randint(0, 15))
            if kind == "savepoint":
                other.try_query("SAVEPOINT s")
                other.change(table, 3)
                other.fill(table, 5)
                other.try_query("ROLLBACK TO SAVEPOINT s")
            if kind == "bulk":
                other.grow(table, 500)
        if kind == "prepared" and not (other.try_query(f"XA END 'x{number}'") and other.try_query(f"XA PREPARE 'x{number}'")):
            kind = "open"  # (a deadlock has rolled it back)
        self._outcome.counts[f"transaction left {kind}"] += 1
        return other

    def _start_load(self, server, makers):
        threads = []
        for number in range(_LOAD_THREADS):
            draw = random.Random(self._draw.random())
            maker = makers[number % len(makers)]
            worker = self._maker(server, draw, maker.database, maker.tables)
            step = self._alter if number == _LOAD_THREADS - 1 else self._change
            threads.append(threading.Thread(target=self._on_and_on, args=(step, worker)))
            threads[-1].start()
        return threads

    def _on_and_on(self, step, worker):
        while not self._stopping.is_set():
            try:
                step(worker)
            except sqlclient.SqlError:
                pass  # (a table that another session alters)
            except sqlclient.ConnectionLost:
                return

    def _change(self, worker):
        draw = worker.draw
        worker.sql.query("BEGIN")
        for _ in range(draw.randint(1, 3)):
            table = draw.choice(worker.tables)
            draw.choice((worker.change, worker.fill))(table, draw.randint(1, 4))
        worker.sql.query(draw.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK")))
        self._outcome.counts["transactions of the load"] += 1

    def _alter(self, worker):
        worker.alter(worker.draw.choice(worker.tables))
        worker.fill(worker.draw.choice(worker.tables), 3)

    # --- the comparison --------------------------------------------------------------------

    def key_options(self):
        return ["--key-file", self.site.key_file, "--key-algorithm", self.config.encryption] if self.config.encryption else []

    def verify(self):
        """What `redoubt verify` says of the directory."""
        return redoubt.run(redoubt.command("verify", self.site.data, "--level", "files,pages,trees,rows",
                                           site=self.site, config=self.config), _VERIFY_TIMEOUT_S)

    def without_ruined(self, sentences):
        return [sentence for sentence in sentences if not sentence.startswith(tuple(f"{name} " for name in self._ruined))]

    def judge(self, answer, when):
        """Sentences on what is wrong with an answer of verify()."""
        if answer.document is None:
            return [f"verify {when} ended with {answer.code}: {answer.text.strip()[-2000:]}"]
        findings = answer.document["findings"]
        self._outcome.counts.update(f"verify note: {f['kind']}" for f in findings if f["severity"] == "note")
        self._outcome.counts["records verified"] += answer.document["checked"]["records"]
        found = [f"verify {when}: {f}" for f in findings if f["severity"] != "note" and f.get("table") not in self._ruined]
        if len(found) > _FINDINGS_SHOWN:
            found[_FINDINGS_SHOWN:] = [f"verify {when}: {len(found) - _FINDINGS_SHOWN} findings more"]
        if answer.code != redoubt.OK and not found and not self._ruined:
            found.append(f"verify {when} ended with {answer.code}: {answer.document.get('error')} {answer.document['not_checked']}")
        return found

    def find_ruined(self, sql, server):
        """Tables that a bug of the server has left corrupted: damage is rightly found in them."""
        self._ruined = stored_rows.ruined_tables(sql, self._databases, server)
        self._outcome.counts["tables the server itself ruined"] += len(self._ruined)

    def forgive(self, tables):
        """What becomes of them in the server's recovery is not held against us."""
        self._ruined += tables
        self._outcome.counts["tables with an ALTER cut off"] += len(tables)

    def compare(self, dump, sql):
        schemas = self._databases + ["mysql"]
        there = {f"{schema}.{table}" for schema, table, _, _ in stored_rows.innodb_tables(sql, schemas)}
        extra = [name for name in dump.tables if name not in there and name.startswith(tuple(f"{schema}." for schema in schemas))]
        # An ALTER ... PARTITION of a table with a '/' in its name that does not come to its end leaves it without a .frm.
        lost = [name for name in extra if self._facts["load"] and "/" in name and not dump.tables[name]["create"]]
        self._outcome.counts["tables whose .frm the server lost"] += len(lost)
        self._outcome.problems += [f"{name}: read, but the server has no such table" for name in extra if name not in lost]
        self._outcome.counts["tables compared"] += len(there)
        self._outcome.counts["rows compared"] += sum(len(rows) for name, rows in dump.rows.items() if not name.startswith("mysql."))
        found, left_out = [], list(self._ruined)
        if self.killed():
            found = _compare_statistics(dump, sql, there)
            left_out += _STATISTICS
        return found + stored_rows.compare(dump, sql, schemas, create=not self.killed(), ruined=left_out, simplify=_without_what_may_differ)

    def facts(self, dump):
        facts = self._facts
        return (f"{facts['end']}{', under load' if facts['load'] else ''}, {facts['row']}, {facts['charset']}, binlog {facts['binlog'] or 'off'}, "
                f"{len(dump.tables)} tables, {sum(map(len, dump.rows.values()))} rows")


def run(case, scratch, templates, options, outcome):
    schemas = Schemas(case, scratch, templates, options.seconds, outcome)
    with realserver.Server(schemas.site, schemas.config) as server:
        resource.prlimit(server.pid(), resource.RLIMIT_DATA, (_MEMORY_MAX, _MEMORY_MAX))
        try:
            makers = schemas.make(server)
            sessions = schemas.leave(server, makers)
            del makers, sessions
        except sqlclient.ConnectionLost:
            if server.wait_for_end(_END_TIMEOUT_S) == 0:
                raise
            schemas.crashed_by_itself()
    said = server.log_text()
    dump = stored_rows.Dump(schemas.site.data, *schemas.key_options())
    outcome.facts = schemas.facts(dump)
    left = schemas.verify()
    ruined_before = _PAGE_RUINED in said and left.code == redoubt.DAMAGE
    through = stored_rows.compare_indexes(dump, schemas.site.data, schemas.key_options(), 2, (("--descending",),))
    server = realserver.Server(schemas.site, schemas.config, schemas.asked_with)
    try:
        server.start()
    except realserver.HarnessError:
        if _ROLLBACK_FAILS not in server.log_text() and not redoubt.cut_off_alters(left) and not ruined_before:
            raise
        # It has ruined an index or a page before (verify names it), or fails on an ALTER: nothing to hold ours against.
        outcome.counts["directories that the server itself cannot recover"] += 1
        return
    try:
        with server.connect() as sql:
            sql.query("SET GLOBAL innodb_stats_persistent = OFF")  # else it makes those that a table lacks when it opens it
            schemas.find_ruined(sql, server)
            outcome.problems += schemas.judge(left, "as it was left") + schemas.without_ruined(through)
            schemas.forgive(redoubt.cut_off_alters(left))
            outcome.problems += schemas.compare(dump, sql)
        if schemas.asked_with == _TO_BE_ASKED:
            server.shut_down()
    except (sqlclient.ConnectionLost, realserver.HarnessError):
        if not ruined_before:
            raise
        outcome.counts["directories that the server itself cannot recover"] += 1
        return
    finally:
        server.kill()
    outcome.problems += schemas.judge(schemas.verify(), "after the server's recovery")


def main():
    if not os.access(stored_rows.DUMP, os.X_OK):
        print(f"SKIPPED: not found: {stored_rows.DUMP}")
        return matrix.CTEST_SKIP
    code, counts = matrix.run_all(__doc__, run, _PAGE_SIZES)
    for name in sorted(counts):
        print(f"  {counts[name]:7} {name}")
    return code


if __name__ == "__main__":
    sys.exit(main())
