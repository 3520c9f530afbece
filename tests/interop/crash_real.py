#!/usr/bin/env python3
"""Crashes of recover, prepare and restore on directories that the real server and real backups left.

Makes, small: the data directories of killed servers (pages torn in the log's reach, tables
encrypted or page_compressed, undo tablespaces, DDL in the redo), a backup by mariadb-backup and
one by `redoubt backup`, both under load with DDL. On each runs tests/crash/real_directory_test,
which loads it into the simulated disk and lets it lose power, be killed, fail, run full, rot and
lose writes. REDOUBT_CRASH_SEEDS widens each kind.

Then, on real disks: `restore --move` to another file system, killed again and again; the server
must start on what the last run left.

    crash_real.py [--keep] [--only NAME]
"""

import argparse
import concurrent.futures
import dataclasses
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import backup_mirror
import hot_backup
import matrix
import realserver
import redoubt
import sqlclient

_TEST = os.path.join(os.path.dirname(redoubt.REDOUBT), "real_directory_test")
_TEST_TIMEOUT_S = 3600
_OTHER_FILE_SYSTEM = "/dev/shm"
_MOVE_ROUNDS_MAX = 40

_PLAIN = realserver.Config(log_size="10M", buffer_pool="24M", page_compressed="zlib")
_ENCRYPTED = realserver.Config(page_size=4096, checksum="crc32", encryption="ctr", undo_tablespaces=2,
                               log_size="10M", buffer_pool="24M")


@dataclasses.dataclass
class Input:
    """A directory, what is run on it, and how many seeds of each fault."""

    name: str
    folder: str
    key_file: str
    commands: dict  # command -> options

    def lines(self):
        keys = ["--key-file", self.key_file] if self.key_file else []
        return [[_TEST, command, self.folder, *keys, *seeds] for command, seeds in self.commands.items()]


def _seeds(**counts):
    return [word for name, count in counts.items() for word in (f"--{name}", str(count))]


def _make_tables(sql, config):
    sql.query("CREATE DATABASE d")
    sql.query("USE d")
    special = "PAGE_COMPRESSED=1" if config.page_compressed else "ROW_FORMAT=COMPRESSED"
    for name, options in (("t", ""), ("c", special), ("r", "ROW_FORMAT=REDUNDANT"), ("x", ""), ("y", "")):
        sql.query(f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, k INT, v CHAR(120) CHARACTER SET latin1, "
                  f"b BLOB, KEY (k)) ENGINE=InnoDB {options}")
        sql.query(f"INSERT INTO {name} (k, v, b) SELECT seq, MD5(seq), REPEAT(MD5(seq), IF(seq % 50, 1, 400)) "
                  "FROM seq_1_to_400")


def _change(sql, serial, label):
    """DML on tables old and new, and DDL of each kind. `label`: of the connection's life."""
    sql.query(f"UPDATE t SET v = REVERSE(v), k = k + 1 WHERE id % 3 = {serial % 3}")
    sql.query(f"DELETE FROM c WHERE id % 7 = {serial % 7}")
    sql.query(f"INSERT INTO c (k, v) SELECT seq, MD5(seq + {serial}) FROM seq_1_to_60")
    sql.query(f"INSERT INTO r (k, v) SELECT seq, SHA1(seq + {serial}) FROM seq_1_to_60")
    sql.query(f"CREATE TABLE n{label}{serial} (id INT PRIMARY KEY, v VARCHAR(80)) ENGINE=InnoDB")
    sql.query(f"INSERT INTO n{label}{serial} SELECT seq, MD5(seq) FROM seq_1_to_300")
    sql.query(f"RENAME TABLE n{label}{serial} TO m{label}{serial}")
    if serial > 0:
        sql.query(f"DROP TABLE m{label}{serial - 1}")
    sql.query("TRUNCATE TABLE x")
    sql.query(f"INSERT INTO x (k, v) SELECT seq, MD5(seq) FROM seq_1_to_{50 + serial % 200}")
    sql.query("ALTER TABLE y ADD INDEX kv (v)")
    sql.query("ALTER TABLE y DROP INDEX kv")


def _server(folder, config, templates):
    site = realserver.Site(folder)
    templates.fill(site, config)
    server = realserver.Server(site, config)
    server.start()
    with server.connect() as sql:
        _make_tables(sql, config)
    return server


def _killed(folder, config, templates):
    server = _server(folder, config, templates)
    server.shut_down()  # so that the log holds what follows, not the making of the server
    server.start()
    with server.connect() as sql:
        sql.query("USE d")
        for serial in range(2):
            _change(sql, serial, "k")
            sql.query("FLUSH TABLES t FOR EXPORT")  # pages go home, through the doublewrite buffer
            sql.query("UNLOCK TABLES")
        sql.query("BEGIN")
        sql.query("UPDATE t SET k = k + 7")  # never committed
        server.kill()
    return server.site


class _Load:
    """One connection that changes tables until it is told to stop."""

    def __init__(self, server, label):
        self._server = server
        self._label = label
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.error = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()
        if self.error:
            raise realserver.HarnessError(f"the load: {self.error}")

    def _work(self):
        try:
            with self._server.connect() as sql:
                sql.query("USE d")
                serial = 0
                while not self._stopping.is_set():
                    _change(sql, serial, self._label)
                    serial += 1
                    time.sleep(0.1)  # the log is small, and must not be overwritten before it is copied
        except (sqlclient.SqlError, sqlclient.ConnectionLost) as error:
            self.error = str(error)


def _backups(folder, config, templates):
    """(by mariadb-backup, by Redoubt)"""
    config = dataclasses.replace(config, log_size="64M")  # as copied it is as long as what was written
    server = _server(folder, config, templates)
    try:
        theirs, ours = folder + "-theirs", folder + "-ours"
        with _Load(server, "a"):
            backup_mirror.take_backup(server, server.site, theirs)
        with _Load(server, "b"):
            answer = hot_backup.back_up(server, ours, server.site, config)
        if answer.code != redoubt.OK:
            raise realserver.HarnessError(f"redoubt backup: exit {answer.code}: {answer.text}")
    finally:
        server.kill()
    return theirs, ours, server.site


def make_inputs(scratch):
    templates = realserver.Templates(scratch.path("templates"))
    inputs = []
    for name, config in (("plain", _PLAIN), ("encrypted", _ENCRYPTED)):
        site = _killed(scratch.path(f"killed-{name}"), config, templates)
        keys = site.key_file if config.encryption else ""
        inputs.append(Input(f"killed-{name}", site.data, keys, {
            "recover": _seeds(crash=40, fail=10, fill=5, rot=10, stale=20)}))
    theirs, ours, site = _backups(scratch.path("backed-up"), _ENCRYPTED, templates)
    prepare = _seeds(crash=20, fail=5, fill=3, rot=5, stale=10)
    restore = _seeds(crash=6, fail=2, fill=1)
    inputs.append(Input("theirs", theirs, site.key_file, {
        "prepare": prepare, "restore": restore, "move": restore, "move_across": restore}))
    inputs.append(Input("ours", ours, site.key_file, {"prepare": prepare, "move_across": restore}))
    return inputs


def simulated(inputs, jobs):
    """Sentences on what went wrong."""
    def run(line):
        result = realserver.run(line, _TEST_TIMEOUT_S)
        return line, result.returncode, result.stdout.strip()

    problems = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        work = [(entry.name, pool.submit(run, line)) for entry in inputs for line in entry.lines()]
        for name, future in work:
            line, code, text = future.result()
            print("\n".join(f"{name}: {fact}" for fact in text.splitlines()), flush=True)
            if code != 0:
                problems.append(f"{name}: exit {code} of {' '.join(line)}: {realserver.tail(text, 5)}")
    return problems


def move_across(entry, config, scratch):
    """`restore --move` from one file system to another, killed until it comes to its end."""
    if not os.path.isdir(_OTHER_FILE_SYSTEM) or os.stat(_OTHER_FILE_SYSTEM).st_dev == os.stat(scratch.folder).st_dev:
        print(f"move across file systems: skipped, {_OTHER_FILE_SYSTEM} is no other one")
        return []
    draw = random.Random("move across")
    site = realserver.Site(scratch.path("moved"))
    site.create()
    shutil.copy(entry.key_file, site.key_file)
    with tempfile.TemporaryDirectory(prefix="rd-", dir=_OTHER_FILE_SYSTEM) as other:
        backup = os.path.join(other, "backup")
        realserver.copy_tree(entry.folder, backup)
        options = ["--move", *(() if config.encryption else ("--threads", "2"))]
        answer = redoubt.run(redoubt.command("prepare", backup, site=site, config=config))
        if answer.code != redoubt.OK:
            return [f"prepare: exit {answer.code}: {answer.text}"]
        begun = time.monotonic()
        shutil.copytree(backup, os.path.join(other, "rehearsal"))
        rehearsal = redoubt.run(redoubt.command("restore", os.path.join(other, "rehearsal"), scratch.path("rehearsed"),
                                                *options, site=site, config=config))
        if rehearsal.code != redoubt.OK:
            return [f"rehearsal: exit {rehearsal.code}: {rehearsal.text}"]
        duration = time.monotonic() - begun
        for rounds in range(_MOVE_ROUNDS_MAX):
            line = redoubt.command("restore", backup, site.data, *options, site=site, config=config)
            with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
                try:
                    text, _ = process.communicate(timeout=draw.uniform(0, duration * (0.3 + 0.1 * rounds)))
                except subprocess.TimeoutExpired:
                    if os.path.exists(os.path.join(site.data, "ib_logfile0")):
                        started = redoubt.run(redoubt.command("verify", site.data, site=site, config=config))
                        if started.code != redoubt.OK:
                            process.kill()
                            return [f"the log has its name and the directory is not whole: {started.text}"]
                    process.kill()
                    process.wait()
                    continue
            if process.returncode != redoubt.OK:
                return [f"round {rounds}: exit {process.returncode}: {text}"]
            break
        else:
            return [f"not at its end after {_MOVE_ROUNDS_MAX} rounds"]
        print(f"move across file systems: killed {rounds} times, then complete")
        left = [name for name in os.listdir(backup) if name.startswith(("ib", "undo"))]
        problems = [f"left in the backup: {left}"] if left else []
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            found, count = realserver.check_tables(sql)
        server.shut_down()
        print(f"move across file systems: the server started, {count} tables")
        return problems + found + server.complaints()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep the directories")
    parser.add_argument("--only", default="", help="inputs whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary() + ([] if os.access(_TEST, os.X_OK) else [_TEST])
    if missing:
        print(f"skipped: not installed: {', '.join(missing)}")
        return matrix.CTEST_SKIP
    realserver.end_orderly_on_signals()
    with realserver.Scratch(keep=options.keep) as scratch:
        inputs = [entry for entry in make_inputs(scratch) if options.only in entry.name]
        print(f"inputs in {scratch.folder}", flush=True)
        problems = simulated(inputs, options.jobs)
        for entry in inputs:
            if entry.name == "ours":
                problems += move_across(entry, _ENCRYPTED, scratch)
    print("\n".join(problems) if problems else "all well")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
