"""What the tests of failing backups share: a private server, `redoubt backup` as a process of its own that tests stop, step and
signal, and what must hold when it has ended.

    class Something(failures.FailureTest):
        def test_it(self):
            server = self.start()
            backup = self.begin(server)
            self.assert_failed(backup.finish(), redoubt.CONNECTION, "socket")
            self.assert_unlocked(server)
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

import realserver
import redoubt
import sqlclient
import sqlproxy

CONFIG = realserver.Config(log_size="16M", buffer_pool="64M", options=("--log-bin=bin", "--server-id=1"))
DATABASE = "d"
PROMPTLY_S = 1.0  # what docs/backup.md promises of ^C

_WAIT_S = 60      # for anything that must come; no test passes by waiting
_STEP_S = 0.001   # a step of a process that is let run bit by bit


class Backup:
    """One `redoubt backup`, running."""

    def __init__(self, line, folder, environment=None):
        self.folder = folder
        self.line = line
        self._ended = None
        self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                         errors="replace", start_new_session=True, env=environment)
        self._texts = {}
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("stdout", "stderr")]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self):
        return self._process.pid

    def _read(self, name):
        self._texts[name] = getattr(self._process, name).read()

    def running(self):
        return self._process.poll() is None

    def send(self, number):
        self._process.send_signal(number)

    def stop(self):
        """SIGSTOP; returns when it stands."""
        self.send(signal.SIGSTOP)
        deadline = time.monotonic() + _WAIT_S
        while self.running():
            with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "T":
                    return
            assert time.monotonic() < deadline, "not stopped"

    def resume(self):
        self.send(signal.SIGCONT)

    def step_until(self, condition):
        """Lets it run a millisecond at a time until `condition()`; it then stands. False: it came to its end before."""
        deadline = time.monotonic() + _WAIT_S
        while True:
            self.stop()
            if condition():
                return True
            if not self.running():
                return False
            assert time.monotonic() < deadline, "the state that was waited for did not come"
            self.resume()
            time.sleep(_STEP_S)

    def finish(self, timeout_s=_WAIT_S):
        """Waits for its end. Errors: HarnessError when it hangs."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise realserver.HarnessError(f"redoubt backup did not end in {timeout_s} s") from error
        for reader in self._readers:
            reader.join()
        return redoubt.Answer(code, _document(self._texts["stdout"]), self._texts["stderr"] + self._texts["stdout"])

    def kill(self):
        if self.running():
            self._process.kill()
            self._process.wait()

    def left_processes(self):
        """Pids of its session: only it has begun any."""
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and int(name) != self.pid and os.getsid(int(name)) == self.pid:
                    found.append(int(name))
            except ProcessLookupError:
                pass
        return found


def _document(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def wait_until(condition, what):
    deadline = time.monotonic() + _WAIT_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise realserver.HarnessError(f"did not come about in {_WAIT_S} s: {what}")
        time.sleep(0.01)
    return value


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


class FailureTest(unittest.TestCase):

    def setUp(self):
        self._scratch = realserver.Scratch(keep=bool(os.environ.get("REDOUBT_KEEP")))
        self.addCleanup(self._scratch.__exit__, None, None, None)
        self._restored = 0
        self._backups = []

    def shortDescription(self):
        return None  # the name says it

    def path(self, *parts):
        return self._scratch.path(*parts)

    def start(self, *options, config=CONFIG, name="site"):
        """A private server with a database of tables of all engines."""
        site = realserver.Site(self.path(name))
        _templates().fill(site, config)
        server = realserver.Server(site, config, options)
        server.start()
        self.addCleanup(server.kill)
        with server.connect() as sql:
            sql.query(f"CREATE DATABASE {DATABASE}")
            sql.query(f"USE {DATABASE}")
            for name, engine in (("small", "InnoDB"), ("myisam", "MyISAM"), ("aria", "Aria")):
                sql.query(f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE={engine}")
                sql.query(f"INSERT INTO {name} SELECT seq, MD5(seq) FROM seq_1_to_100")
        return server

    @staticmethod
    def fill(server, table="big", megabytes=32):
        """A table of about that size, on disk."""
        with server.connect() as sql:
            sql.query(f"USE {DATABASE}")
            sql.query("SET GLOBAL innodb_flush_log_at_trx_commit=0, GLOBAL sync_binlog=0")
            sql.query("SET SESSION sql_log_bin=0, unique_checks=0, foreign_key_checks=0")
            sql.query(f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARBINARY(8000)) CHARACTER SET latin1")
            sql.query(f"INSERT INTO {table} SELECT seq, REPEAT(MD5(seq), 220) FROM seq_1_to_{megabytes * 125}")
            sql.query(f"FLUSH TABLES {table} FOR EXPORT")
            sql.query("UNLOCK TABLES")

    def proxy(self, server):
        proxy = sqlproxy.Proxy(os.path.join(server.site.folder, f"p{time.monotonic_ns() % 10**8}"), server.socket)
        self.addCleanup(proxy.close)
        return proxy

    def begin(self, server, *options, folder="backup", proxy=None, user="root", prefix=(), environment=None):
        socket = proxy.path if proxy else server.socket
        line = [*prefix, *redoubt.command("backup", self.path(folder), "--socket", socket, "--user", user, *options)]
        backup = Backup(line, self.path(folder), environment)
        self._backups.append(backup)
        self.addCleanup(backup.kill)
        return backup

    def clear(self):
        """Between subtests: what one left running when it failed must not fail the next."""
        for backup in self._backups:
            backup.kill()
        self._backups.clear()
        shutil.rmtree(self.path("backup"), ignore_errors=True)

    def back_up(self, server, *options, **arguments):
        backup = self.begin(server, *options, **arguments)
        return backup, backup.finish()

    def stopped_in_copy(self, server, *options, table="big", folder="backup", user="root"):
        """A backup that stands (SIGSTOP) with the table's file begun and not complete."""
        wanted = os.path.getsize(os.path.join(server.site.data, DATABASE, f"{table}.ibd"))
        copy = self.path(folder, DATABASE, f"{table}.ibd")

        def in_the_middle():
            return os.path.exists(copy) and 0 < os.path.getsize(copy) < wanted

        for _ in range(5):
            shutil.rmtree(self.path(folder), ignore_errors=True)
            backup = self.begin(server, "--threads=1", *options, folder=folder, user=user)
            if backup.step_until(in_the_middle):
                return backup
            answer = backup.finish()
            self.assertEqual(answer.code, redoubt.OK, answer.text)
        raise realserver.HarnessError("the copy was never caught in the middle")

    @contextlib.contextmanager
    def long_write(self, server):
        """A statement that writes to a MyISAM table all the while, which BLOCK_DDL waits for."""

        def write():
            try:
                with server.connect() as sql:
                    sql.query(f"INSERT INTO {DATABASE}.myisam SELECT 2000000 + SLEEP(1000), 'x'")
            except (sqlclient.SqlError, sqlclient.ConnectionLost):
                pass  # ended below

        writer = threading.Thread(target=write)
        writer.start()
        with server.connect() as sql:
            ids = wait_until(lambda: sql.query("SELECT id FROM information_schema.processlist WHERE info LIKE 'INSERT%SLEEP%' AND state = "
                                               "'User sleep'"), "a statement that writes")
            try:
                yield
            finally:
                sql.query(f"KILL {ids[0][0]}")
                writer.join()

    # --- what must hold afterwards -------------------------------------------------------------

    def assert_failed(self, backup, answer, code, *words):
        """The exit code, the words, nobody left, and nothing that a command takes for a backup."""
        self.assertEqual(answer.code, code, answer.text)
        for word in words:
            self.assertIn(word, answer.text)
        self.assertEqual(backup.left_processes(), [])
        self.assert_no_backup(backup.folder)

    def assert_no_backup(self, folder):
        if not os.path.exists(folder) or not os.listdir(folder):
            return
        for line in (("verify", folder), ("prepare", folder), ("restore", folder, self.path("never"))):
            answer = redoubt.run(redoubt.command(*line))
            self.assertEqual(answer.code, redoubt.INCOMPLETE, f"{line[0]}: {answer.text}")
        self.assertFalse(os.path.exists(self.path("never")))

    def assert_unlocked(self, server, database=DATABASE, myisam=True):
        """Others make tables and commit without waiting a second for a lock, and no connection of the backup is left."""
        with server.connect() as sql:
            sql.query("SET SESSION lock_wait_timeout=1, innodb_lock_wait_timeout=1")
            sql.query(f"CREATE TABLE {database}.unlocked (id INT PRIMARY KEY) ENGINE=InnoDB")
            sql.query("BEGIN")
            sql.query(f"INSERT INTO {database}.unlocked VALUES (1)")
            sql.query("COMMIT")
            if myisam:
                sql.query(f"REPLACE INTO {database}.myisam VALUES (1000000, 'unlocked')")
            sql.query(f"DROP TABLE {database}.unlocked")
            wait_until(lambda: self.sessions(sql) == [], "the end of the backup's connections")

    @staticmethod
    def sessions(sql):
        """Connections that hold or wait for a stage, or a BACKUP LOCK."""
        return [row for row in sql.query("SELECT id, info FROM information_schema.processlist WHERE info LIKE 'BACKUP %'")]

    def assert_good(self, folder, config=CONFIG, check=None):
        """Verified, prepared, restored; a server starts on it, CHECKs all tables, and `check(sql)` holds."""
        for command in ("verify", "prepare"):
            answer = redoubt.run(redoubt.command(command, folder))
            self.assertEqual(answer.code, redoubt.OK, f"{command}: {answer.text}")
        self._restored += 1
        site = realserver.Site(self.path(f"restored{self._restored}"))
        site.create()
        answer = redoubt.run(redoubt.command("restore", folder, site.data, "--move"))
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        with realserver.Server(site, config) as server:
            with server.connect() as sql:
                self.assertEqual(check_all(sql), [])
                if check:
                    check(sql)
            server.shut_down()
            self.assertEqual(server.complaints(), [])


def check_all(sql):
    """CHECK TABLE of every table of every engine. Sentences on what is wrong."""
    found = []
    for schema, name in sql.query("SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND "
                                  "table_schema NOT IN ('information_schema', 'performance_schema', 'sys')"):
        rows = sql.query(f"CHECK TABLE {quoted(schema)}.{quoted(name)}")
        if rows[-1][2:] not in (("status", "OK"), ("note", "The storage engine for the table doesn't support check")):
            found += [f"{schema}.{name}: {row[2]}: {row[3]}" for row in rows]
    return found


_shared = None


def _templates():
    """Fresh directories, made once a run."""
    global _shared  # pylint: disable=global-statement
    if _shared is None:
        scratch = realserver.Scratch()
        atexit.register(scratch.__exit__)
        _shared = realserver.Templates(scratch.path("templates"))
    return _shared
