#!/usr/bin/env python3
"""`redoubt backup` and the server it talks to: option files, TLS, a replica's position, the keys of the server's own settings,
files that are not the server's. What goes wrong on the way is in backup_failures.py.

    backup_server.py [TestCase.test ...]
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

import realserver
import redoubt

_CONFIG = realserver.Config(log_size="16M", buffer_pool="32M", options=("--log-bin=bin", "--server-id=1"))
_CONNECTION = 8  # exit codes (src/base/error.h)
_PRIVILEGE = 13
_SYNC_TIMEOUT_S = 30


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _over_tcp(port):
    return ("--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}")


class BackupServer(unittest.TestCase):

    def setUp(self):
        self._scratch = realserver.Scratch()
        self.addCleanup(self._scratch.__exit__, None, None, None)

    def path(self, *parts):
        return self._scratch.path(*parts)

    def site(self, name, config=_CONFIG):
        site = realserver.Site(self.path(name))
        realserver.Templates(self.path("templates")).fill(site, config)
        return site

    def started(self, name, *options, config=_CONFIG):
        server = realserver.Server(self.site(name, config), config, options)
        server.start()
        self.addCleanup(server.kill)
        return server

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def back_up(self, *options, folder="backup", environment=None):
        shutil.rmtree(self.path(folder), ignore_errors=True)
        result = subprocess.run([redoubt.REDOUBT, "backup", self.path(folder), *options], capture_output=True, text=True, check=False,
                                timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, "HOME": self.path(), **(environment or {})})
        return redoubt.Answer(result.returncode, None, result.stderr + result.stdout)

    def assert_backed_up(self, answer, folder="backup"):
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        found = redoubt.run(redoubt.command("verify", self.path(folder)))
        self.assertEqual(found.code, redoubt.OK, found.text)

    def test_option_files_groups_and_passwords(self):
        server = self.started("site")
        with server.connect() as sql:
            sql.query("CREATE USER dba@localhost IDENTIFIED BY 'pass # word'")
            sql.query("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO dba@localhost")
        file = self.write("my.cnf", f"[client]\nsocket={server.socket}\n[redoubt]\nuser = dba\npassword = \"pass # word\"\n"
                                    "[client_other]\nuser=nobody_there\n[mysqld]\nsocket=/nowhere\n")
        self.assert_backed_up(self.back_up("--defaults-file", file))
        self.assert_backed_up(self.back_up("--defaults-extra-file", file, "--user=root", "--password="))
        answer = self.back_up("--defaults-file", file, "--defaults-group-suffix=_other")
        self.assertEqual(answer.code, _PRIVILEGE, answer.text)
        self.assertIn("nobody_there", answer.text)
        shutil.move(file, self.path(".my.cnf"))  # HOME's
        self.assert_backed_up(self.back_up())
        os.unlink(self.path(".my.cnf"))
        self.assert_backed_up(self.back_up("--socket", server.socket, "--user=dba", environment={"MYSQL_PWD": "pass # word"}))
        self.assert_backed_up(self.back_up("--socket", server.socket, "--user=dba", "--password=pass # word"))
        for folder, _, names in os.walk(self.path("backup")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as content:
                    self.assertNotIn(b"pass # word", content.read(), name)
        answer = self.back_up("--socket", server.socket, "--user=dba", "--password=wrong")
        self.assertEqual(answer.code, _PRIVILEGE, answer.text)
        self.assertNotIn("wrong\n", answer.text)
        answer = self.back_up("--socket", server.socket, "--user=dba", "--password")  # no terminal to ask on
        self.assertNotEqual(answer.code, redoubt.OK)

    def _make_certificates(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=self.path(), check=True, capture_output=True)

        os.makedirs(self.path(), exist_ok=True)
        for name, authority in (("ca", ()), ("other", ())):
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
                    f"{name}.pem", *authority)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-out", "server.pem")

    def test_tls(self):
        self._make_certificates()
        port = _free_port()
        server = self.started("site", *_over_tcp(port), f"--ssl-ca={self.path('ca.pem')}", f"--ssl-cert={self.path('server.pem')}",
                              f"--ssl-key={self.path('server.key')}")
        with server.connect() as sql:
            sql.query("CREATE USER dba@'127.0.0.1' IDENTIFIED BY 'p' REQUIRE SSL")
            sql.query("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO dba@'127.0.0.1'")
        account = ("--port", str(port), "--user=dba", "--password=p")
        self.assert_backed_up(self.back_up(*account, f"--ssl-ca={self.path('ca.pem')}", "--ssl-verify-server-cert"))
        self.assert_backed_up(self.back_up(*account, "--ssl"))
        answer = self.back_up(*account, "--skip-ssl")
        self.assertEqual(answer.code, _PRIVILEGE, answer.text)
        answer = self.back_up(*account, f"--ssl-ca={self.path('other.pem')}", "--ssl-verify-server-cert")
        self.assertEqual(answer.code, _CONNECTION, answer.text)
        self.assertIn(f"127.0.0.1:{port}", answer.text)

    def _wait_for(self, what, sql, statement):
        deadline = time.monotonic() + _SYNC_TIMEOUT_S
        while not sql.query(statement):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def test_replica_position_as_mariadb_backup_notes_it(self):
        ports = [_free_port(), _free_port()]
        primaries = [self.started(f"primary{i}", *_over_tcp(port), f"--gtid-domain-id={i}") for i, port in enumerate(ports)]
        replica = self.started("replica", "--server-id=3")
        for i, primary in enumerate(primaries):
            with primary.connect() as sql:
                sql.query("SET sql_log_bin=0")
                sql.query("CREATE USER r@'127.0.0.1' IDENTIFIED BY 'p'")
                sql.query("GRANT REPLICATION SLAVE ON *.* TO r@'127.0.0.1'")
        with replica.connect() as sql:
            for name, port, how in (("", ports[0], "slave_pos"), ("'it''s odd'", ports[1], "no")):
                sql.query(f"CHANGE MASTER {name} TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='r', MASTER_PASSWORD='p', "
                          f"MASTER_USE_GTID={how}" + (", MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=4" if how == "no" else ""))
            sql.query("START ALL SLAVES")
            for i, primary in enumerate(primaries):
                with primary.connect() as other:
                    other.query(f"CREATE DATABASE d{i}")
            self._wait_for("replicated", sql, "SELECT 1 FROM information_schema.schemata WHERE schema_name IN ('d0', 'd1') HAVING COUNT(*) = 2")
        answer = self.back_up("--socket", replica.socket, "--user=root", "--slave-info")
        self.assert_backed_up(answer)
        peer = realserver.run([realserver.MARIADB_BACKUP, "--no-defaults", "--backup", f"--target-dir={self.path('peer')}",
                               f"--socket={replica.socket}", "--user=root", "--slave-info"], 120)
        self.assertEqual(peer.returncode, 0, peer.stdout)
        texts = []
        for folder in ("backup", "peer"):
            with open(self.path(folder, "xtrabackup_slave_info"), encoding="utf-8") as text:
                texts.append(text.read())
        self.assertIn("gtid_slave_pos", texts[0])
        # mariadb-backup does not escape the quote in the channel's name; then its line is no statement.
        self.assertEqual(texts[0].replace("it''s", "it's"), texts[1])
        with replica.connect() as sql:
            sql.query("STOP ALL SLAVES")
            for statement in texts[0].splitlines():
                sql.query(statement.rstrip(";"))

    def test_keys_come_from_the_servers_settings(self):
        config = realserver.Config(log_size="16M", buffer_pool="32M", encryption="ctr")
        server = self.started("site", config=config)
        with server.connect() as sql:
            sql.query("CREATE DATABASE d")
            sql.query("CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(100)) PAGE_COMPRESSED=1")
            sql.query("USE d")
            sql.query("INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_5000")
        answer = self.back_up("--socket", server.socket, "--user=root")
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        found = redoubt.run(redoubt.command("verify", self.path("backup"), site=server.site, config=config))
        self.assertEqual(found.code, redoubt.OK, found.text)
        self.assertEqual(redoubt.run(redoubt.command("prepare", self.path("backup"))).code, redoubt.KEY)
        with open(server.site.key_file, encoding="utf-8") as keys:
            secrets = [line.split(";")[1].strip() for line in keys if ";" in line]
        self.assertTrue(secrets)
        for folder, _, names in os.walk(self.path("backup")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as content:
                    data = content.read()
                    for secret in secrets:
                        self.assertNotIn(secret.encode(), data, name)

    def test_files_that_are_not_the_servers_are_refused(self):
        server = self.started("site")
        real, copy = server.site.data, self.path("copy")
        realserver.copy_tree(real, copy)
        os.rename(real, self.path("moved"))  # what another machine's server would have at this path
        os.rename(copy, real)
        answer = self.back_up("--socket", server.socket, "--user=root")
        self.assertEqual(answer.code, _CONNECTION, answer.text)
        self.assertIn("ibdata1", answer.text)
        self.assertFalse(os.path.exists(self.path("backup")))


if __name__ == "__main__":
    if missing := realserver.missing_parts() + redoubt.missing_parts():
        print(f"SKIPPED: not found: {', '.join(missing)}")
        sys.exit(77)
    realserver.end_orderly_on_signals()
    unittest.main(verbosity=2)
