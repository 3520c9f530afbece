"""Failing backups: what the server, its administrator or its accounts do meanwhile."""

import os

import failures
import realserver
import redoubt
import sqlproxy

_STAGES = ("START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT", "END")


def _moments():
    """(name, statement, when): around each stage, and while commits are blocked."""
    for stage in _STAGES:
        yield f"before {stage}", f"BACKUP STAGE {stage}", sqlproxy.BEFORE
        yield f"in {stage}", f"BACKUP STAGE {stage}", sqlproxy.AFTER
    yield "at the position", "SHOW MASTER STATUS", sqlproxy.AFTER


class Server(failures.FailureTest):
    """Killed, restarted, promoted, reconfigured."""

    def _fail_at_each_moment(self, server, act, bring_back):
        for name, statement, when in _moments():
            with self.subTest(name):
                self.clear()
                proxy = self.proxy(server)
                with proxy.hold(statement, when) as hold:
                    backup = self.begin(server, proxy=proxy)
                    hold.wait()
                    act()
                answer = backup.finish()
                bring_back()
                self.assert_failed(backup, answer, redoubt.CONNECTION, "error: ", "hint: ")
                self.assert_unlocked(server)
                proxy.close()

    def test_killed_in_the_middle_of_the_copy(self):
        server = self.start()
        self.fill(server)
        backup = self.stopped_in_copy(server)
        server.kill()
        backup.resume()
        self.assert_failed(backup, backup.finish(), redoubt.CONNECTION, "error: ")
        server.start()
        self.assert_unlocked(server)

    def test_killed_at_each_stage(self):
        server = self.start()
        self._fail_at_each_moment(server, server.kill, server.start)

    def test_restarted_in_the_middle_of_the_copy(self):
        server = self.start()
        self.fill(server)
        backup = self.stopped_in_copy(server)
        server.shut_down()
        server.start()
        backup.resume()
        self.assert_failed(backup, backup.finish(), redoubt.CONNECTION, "error: ")
        self.assert_unlocked(server)

    def test_restarted_at_each_stage(self):
        server = self.start()

        def restart():
            server.shut_down()
            server.start()

        self._fail_at_each_moment(server, restart, lambda: None)

    def test_replica_promoted(self):
        """The backup is good, and says of replication what was true when commits were blocked."""
        server = self.start("--relay-log=relay", "--read-only=1")
        for name, statement, when in (("copy", "BACKUP STAGE START", sqlproxy.AFTER), ("flush", "BACKUP STAGE FLUSH", sqlproxy.AFTER),
                                      ("DDL blocked", "BACKUP STAGE BLOCK_DDL", sqlproxy.AFTER)):
            with self.subTest(name), server.connect() as sql:
                sql.query("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=1, MASTER_USER='r', MASTER_LOG_FILE='bin.000007', "
                          "MASTER_LOG_POS=4711, MASTER_USE_GTID=no")
                sql.query("START SLAVE")

                proxy = self.proxy(server)
                self.clear()
                with proxy.hold(statement, when) as hold:
                    backup = self.begin(server, "--slave-info", proxy=proxy)
                    hold.wait()
                    for step in ("STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only=0",
                                 f"REPLACE INTO {failures.DATABASE}.small VALUES (5000, 'promoted')"):
                        sql.query(step)
                answer = backup.finish()
                self.assertEqual(answer.code, redoubt.OK, answer.text)
                info = os.path.join(backup.folder, "xtrabackup_slave_info")
                if os.path.exists(info):
                    with open(info, encoding="utf-8") as text:
                        self.assertNotIn("bin.000007", text.read())
                self.assert_unlocked(server)
                self.assert_good(backup.folder, check=self._is_promoted)

    def _is_promoted(self, sql):
        self.assertEqual(sql.query(f"SELECT v FROM {failures.DATABASE}.small WHERE id=5000"), [("promoted",)])

    def test_log_resized(self):
        """Bigger and smaller, while files are copied and when DDL is blocked: the backup goes on."""
        server = self.start(config=realserver.Config(log_size="16M", buffer_pool="64M", options=("--innodb-log-buffer-size=2M",)))
        self.fill(server, megabytes=24)
        with server.connect() as sql:
            sql.query(f"CREATE TABLE {failures.DATABASE}.resized (id INT AUTO_INCREMENT PRIMARY KEY)")
        rows = 0
        for size in (64 << 20, 8 << 20):
            for blocked in (False, True):
                with self.subTest(size=size, ddl_blocked=blocked):
                    self.clear()
                    if blocked:
                        proxy = self.proxy(server)
                        with proxy.hold("BACKUP STAGE BLOCK_DDL", sqlproxy.AFTER) as hold:
                            backup = self.begin(server, proxy=proxy)
                            hold.wait()
                            self._resize(server, size)
                    else:
                        backup = self.stopped_in_copy(server)
                        self._resize(server, size)
                        backup.resume()
                    answer = backup.finish()
                    self.assertEqual(answer.code, redoubt.OK, answer.text)
                    self.assert_unlocked(server)
                    rows += 1
                    self.assert_good(backup.folder, check=lambda sql, rows=rows: self.assertEqual(
                        sql.value(f"SELECT COUNT(*) FROM {failures.DATABASE}.resized"), str(rows)))
                with server.connect() as sql:  # back to where it was
                    sql.query(f"SET GLOBAL innodb_log_file_size={16 << 20}")

    @staticmethod
    def _resize(server, size):
        with server.connect() as sql:
            sql.query(f"SET GLOBAL innodb_log_file_size={size}")
            sql.query(f"INSERT INTO {failures.DATABASE}.resized VALUES ()")
            assert int(sql.value("SELECT @@GLOBAL.innodb_log_file_size")) == size

    def test_redo_overwritten_before_it_was_read(self):
        config = realserver.Config(log_size="4M", buffer_pool="64M", options=("--innodb-log-buffer-size=2M",))
        server = self.start(config=config)
        self.fill(server)
        backup = self.stopped_in_copy(server)
        with server.connect() as sql:
            sql.query(f"USE {failures.DATABASE}")
            sql.query("CREATE TABLE lap (id INT AUTO_INCREMENT PRIMARY KEY, v VARBINARY(8000))")
            for _ in range(6):
                sql.query("INSERT INTO lap (v) SELECT REPEAT('x', 7000) FROM seq_1_to_300")
        backup.resume()
        answer = backup.finish()
        self.assert_failed(backup, answer, redoubt.REDO_LOST, "innodb_log_file_size", "lsn")
        self.assert_unlocked(server)


class Accounts(failures.FailureTest):
    """Who may take a backup."""

    _NEEDED = ("RELOAD", "PROCESS", "BINLOG MONITOR")

    def test_each_missing_privilege_is_named(self):
        server = self.start()
        with server.connect() as sql:
            sql.query("CREATE USER ba@localhost")
            for held in (self._NEEDED[1:], self._NEEDED[:1] + self._NEEDED[2:], self._NEEDED[:2], ()):
                with self.subTest(held=held):
                    sql.query("REVOKE ALL PRIVILEGES, GRANT OPTION FROM ba@localhost")
                    if held:
                        sql.query(f"GRANT {', '.join(held)} ON *.* TO ba@localhost")
                    missing = [name for name in self._NEEDED if name not in held]
                    backup, answer = self.back_up(server, user="ba")
                    self.assert_failed(backup, answer, redoubt.PRIVILEGE, *missing, "GRANT " + ", ".join(missing) + " ON *.*")
                    for name in held:
                        self.assertNotIn(name, answer.text)
                    self.assertFalse(os.path.exists(backup.folder))
            sql.query(f"GRANT {', '.join(self._NEEDED)} ON *.* TO ba@localhost")
        backup, answer = self.back_up(server, user="ba")
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        self.assert_good(backup.folder)

    def test_privilege_revoked_in_the_middle(self):
        """It is the statement's own error then: no hang, no backup."""
        server = self.start()
        with server.connect() as sql:
            sql.query("CREATE USER ba@localhost")
            sql.query(f"GRANT {', '.join(self._NEEDED)} ON *.* TO ba@localhost")
            proxy = self.proxy(server)
            with proxy.hold("BACKUP STAGE START", sqlproxy.AFTER) as hold:
                backup = self.begin(server, proxy=proxy, user="ba")
                hold.wait()
                sql.query("DROP USER ba@localhost")
            answer = backup.finish()
        self.assert_failed(backup, answer, redoubt.PRIVILEGE, "ba")
        self.assert_unlocked(server)

    def test_unknown_user_and_wrong_password(self):
        server = self.start()
        with server.connect() as sql:
            sql.query("CREATE USER ba@localhost IDENTIFIED BY 'right'")
        for user, password in (("stranger", ""), ("ba", "wr0ng-secret")):
            with self.subTest(user):
                backup, answer = self.back_up(server, user=user, environment={**os.environ, "MYSQL_PWD": password})
                self.assert_failed(backup, answer, redoubt.PRIVILEGE, user, "error: ")
                self.assertNotIn("wr0ng-secret", answer.text)
                self.assertFalse(os.path.exists(backup.folder))

    def test_nobody_listens(self):
        server = self.start()
        server.shut_down()
        backup, answer = self.back_up(server)
        self.assert_failed(backup, answer, redoubt.CONNECTION, server.socket)
        self.assertFalse(os.path.exists(backup.folder))

    def test_password_is_seen_nowhere(self):
        """Not in the process list once the command has begun, not in what it says, not in the backup, not with the server."""
        secret = "Secr3t of the t3st"
        server = self.start("--general-log=1", "--general-log-file=general.log")
        self.fill(server)
        with server.connect() as sql:
            sql.query(f"CREATE USER ba@localhost IDENTIFIED BY '{secret}'")
            sql.query(f"GRANT {', '.join(self._NEEDED)} ON *.* TO ba@localhost")
        for verbose in ((), ("--verbose",)):
            with self.subTest(verbose=verbose):
                self.clear()
                backup = self.stopped_in_copy(server, f"--password={secret}", *verbose, user="ba")
                with open(f"/proc/{backup.pid}/cmdline", "rb") as line:
                    self.assertNotIn(secret.encode(), line.read())
                backup.resume()
                answer = backup.finish()
                self.assertEqual(answer.code, redoubt.OK, answer.text)
                self.assertNotIn(secret, answer.text)
                self.assert_nowhere_in(backup.folder, secret.encode())
        backup, answer = self.back_up(server, f"--password={secret}!", folder="other", user="ba")
        self.assert_failed(backup, answer, redoubt.PRIVILEGE)
        self.assertNotIn(secret, answer.text)

    def assert_nowhere_in(self, folder, secret):
        for parent, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(parent, name), "rb") as content:
                    self.assertNotIn(secret, content.read(), name)


