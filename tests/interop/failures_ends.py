"""Failing backups: ended by signals at each moment; locks of others that they wait for."""

import contextlib
import signal
import threading
import time

import failures
import redoubt
import sqlproxy

_D = failures.DATABASE


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Signals(failures.FailureTest):
    """^C, SIGTERM and SIGKILL: promptly ended, the server unlocked, no backup left."""

    def _end(self, backup, number):
        """Sends the signal; how long the end took is part of the promise."""
        begin = time.monotonic()
        backup.send(number)
        answer = backup.finish()
        took = time.monotonic() - begin
        if number == signal.SIGKILL:
            self.assertEqual(answer.code, -signal.SIGKILL)
            self.assertEqual(backup.left_processes(), [])
            self.assert_no_backup(backup.folder)
        else:
            self.assertLess(took, failures.PROMPTLY_S)
            self.assert_failed(backup, answer, redoubt.INTERRUPTED, "error: ")

    @contextlib.contextmanager
    def case(self, **facts):
        self.clear()
        with self.subTest(**facts):
            yield

    def test_in_the_middle_of_the_copy(self):
        server = self.start()
        self.fill(server)
        for number in _SIGNALS:
            with self.case(signal=number.name):
                backup = self.stopped_in_copy(server)
                if number == signal.SIGKILL:
                    self._end(backup, number)
                else:
                    backup.send(number)  # it waits until the process goes on
                    begin = time.monotonic()
                    backup.resume()
                    answer = backup.finish()
                    self.assertLess(time.monotonic() - begin, failures.PROMPTLY_S)
                    self.assert_failed(backup, answer, redoubt.INTERRUPTED, "error: ")
                self.assert_unlocked(server)

    def test_while_it_waits_for_each_stage(self):
        """The server's answer does not come: what a stage that is not granted looks like."""
        server = self.start()
        for stage in ("START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT", "END"):
            for number in _SIGNALS:
                with self.case(stage=stage, signal=number.name):
                    proxy = self.proxy(server)
                    with proxy.hold(f"BACKUP STAGE {stage}", sqlproxy.AFTER) as hold:
                        backup = self.begin(server, proxy=proxy)
                        hold.wait()
                        self._end(backup, number)
                        self.assert_unlocked(server)

    def test_while_a_session_holds_up_start(self):
        """The server itself makes it wait: LOCK TABLES ... WRITE."""
        server = self.start()
        for number in _SIGNALS:
            with self.case(signal=number.name):
                with server.connect() as writer:
                    writer.query(f"LOCK TABLES {_D}.myisam WRITE")
                    backup = self.begin(server)
                    self._wait_for_stage(server, backup, "START")
                    self._end(backup, number)
                    writer.query("UNLOCK TABLES")
                self.assert_unlocked(server)

    def test_while_a_writer_of_myisam_holds_up_block_ddl(self):
        server = self.start()
        for number in _SIGNALS:
            with self.case(signal=number.name), self.long_write(server):
                backup = self.begin(server)
                self._wait_for_stage(server, backup, "BLOCK_DDL")
                self._end(backup, number)
                self.assert_unlocked(server, myisam=False)  # while the other goes on writing
            self.assert_unlocked(server)

    def test_while_a_commit_holds_up_block_commit(self):
        """A commit that waits for a replica's acknowledgement, which does not come, holds the lock that BLOCK_COMMIT wants."""
        server = self.start()
        for number in _SIGNALS:
            with self.case(signal=number.name):
                with server.connect() as sql:
                    for setting in ("wait_point='AFTER_SYNC'", "wait_no_slave=1", "timeout=100000000", "enabled=1"):
                        sql.query(f"SET GLOBAL rpl_semi_sync_master_{setting}")
                    writer = threading.Thread(target=self._commit, args=(server,))
                    writer.start()
                    failures.wait_until(lambda: sql.query("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'REPLACE%' AND "
                                                          "state LIKE 'Waiting for semi-sync%'"), "a commit that hangs")
                    try:
                        backup = self.begin(server)
                        self._wait_for_stage(server, backup, "BLOCK_COMMIT")
                        self._end(backup, number)
                    finally:
                        sql.query("SET GLOBAL rpl_semi_sync_master_enabled=0")
                        writer.join()
                self.assert_unlocked(server)

    @staticmethod
    def _commit(server):
        with server.connect() as sql:
            sql.query(f"REPLACE INTO {_D}.small VALUES (5000, 'x')")

    def test_while_commits_are_blocked(self):
        """SIGKILL too: the server finds the connection closed and unlocks."""
        server = self.start()
        for number in _SIGNALS:
            with self.case(signal=number.name):
                proxy = self.proxy(server)
                with proxy.hold("SHOW MASTER STATUS", sqlproxy.AFTER) as position:
                    backup = self.begin(server, proxy=proxy)
                    position.wait()
                    self._end(backup, number)
                    self.assert_unlocked(server)

    def _wait_for_stage(self, server, backup, stage):
        with server.connect() as sql:
            failures.wait_until(lambda: any(stage in (info or "") for _, info in self.sessions(sql)) or not backup.running(),
                                f"a backup that waits for {stage}")
        self.assertTrue(backup.running(), "the backup did not wait")


class Locks(failures.FailureTest):
    """Others hold what a backup wants."""

    def test_a_session_with_locked_tables_holds_on(self):
        server = self.start()
        with server.connect() as writer:
            writer.query(f"LOCK TABLES {_D}.myisam WRITE")
            self._refused(server, "BACKUP STAGE START", "holds its locks")
            writer.query("UNLOCK TABLES")
        self.assert_unlocked(server)

    def _refused(self, server, *words):
        backup, answer = self.back_up(server, "--lock-wait-timeout=1")
        self.assert_failed(backup, answer, redoubt.REFUSED, "--lock-wait-timeout", *words)
        return backup

    def test_another_backup_runs(self):
        server = self.start()
        with server.connect() as other:
            other.query("BACKUP STAGE START")
            self._refused(server, "BACKUP STAGE START", "another backup")
            other.query("BACKUP STAGE END")
        self.assert_unlocked(server)

    def test_another_backup_of_ours_runs(self):
        server = self.start()
        self.fill(server)
        first = self.stopped_in_copy(server, folder="first")
        self._refused(server, "BACKUP STAGE START", "another backup")
        first.resume()
        self.assertEqual(first.finish().code, redoubt.OK)
        self.assert_unlocked(server)
        self.assert_good(first.folder)

    def test_it_waits_for_another_backup_to_end(self):
        """Without a limit: it goes on when the other one is done."""
        server = self.start()
        with server.connect() as other, server.connect() as sql:
            other.query("BACKUP STAGE START")
            backup = self.begin(server)
            failures.wait_until(lambda: self.sessions(sql), "a backup that waits")
            other.query("BACKUP STAGE END")
        answer = backup.finish()
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        self.assert_good(backup.folder)

    def test_a_writer_of_myisam_holds_on(self):
        server = self.start()
        with self.long_write(server):
            self._refused(server, "BACKUP STAGE BLOCK_DDL")
            with server.connect() as sql:  # and its locks are gone while the other's are still there
                sql.query("SET SESSION lock_wait_timeout=1")
                sql.query(f"CREATE TABLE {_D}.made (id INT)")
        self.assert_unlocked(server)

    def test_long_transactions_do_not_hold_it_up(self):
        """An open transaction on InnoDB tables: the backup does not wait for it, and does not have what it did."""
        server = self.start()
        with server.connect() as writer:
            writer.query("BEGIN")
            writer.query(f"INSERT INTO {_D}.small VALUES (777777, 'not committed')")
            backup, answer = self.back_up(server, "--lock-wait-timeout=5")
            self.assertEqual(answer.code, redoubt.OK, answer.text)
            writer.query("COMMIT")
        self.assert_good(backup.folder, check=lambda sql: self.assertEqual(
            sql.query(f"SELECT 1 FROM {_D}.small WHERE id=777777"), []))
