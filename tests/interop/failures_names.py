"""Backups of servers whose tables have odd names, or are very many: good ones."""

import os
import sys
import unittest

import failures
import realserver
import redoubt

_D = failures.DATABASE

_ODD = ("a/b", "a.b", "a%b", "a#b", "a`b", "a b", " leading", "a-b", "a\\b", "a'b\"c", "a:b*c?", "@0040", "@@", "a@002fb", "#sql-ib12", "#sql2",
        "#mysql60#", "#P#", "a#P#b", "a#SP#b", "ü", "ÄÖ", "表名", "日本語 テーブル", "☃❤", "Ω≈ç", "ﬁ", "\u200b", "nul", "CON", "a;DROP TABLE x;--",
        "x" * 64, "表" * 40, "$HOME", "{}", "{0}", "%s%n", "..", ".", "~", "-rf", "tab\tin", "new\nline", "ibdata1", "ib_logfile0",
        "xtrabackup_info", "redoubt-manifest.json", "t.ibd", "a.new", "a.redoubt", "0", "1e5", "select")
# Longer file names than the file system takes cannot be made at all.
_ODD_DATABASES = ("a/b", "a.b", "a%b", "a#b", "a`b", "a b", " leading", "a-b", "@0040", "#sql-x", "ü", "表名", "☃", "x" * 64, "..", "-rf",
                  "new\nline", "tmp", "backup", "ibdata1x", "lost+found")
_ENGINES = ("InnoDB", "MyISAM", "Aria", "Aria TRANSACTIONAL=0")


class Names(failures.FailureTest):

    def test_odd_table_and_column_names(self):
        server = self.start()
        made = 0
        with server.connect() as sql:
            sql.query(f"USE {_D}")
            for i, name in enumerate(_ODD):
                column = failures.quoted(name.strip())
                for j, engine in enumerate(_ENGINES):
                    other = name if j == 0 else self._varied(name, j)
                    sql.query(f"CREATE TABLE {failures.quoted(other)} ({column} INT PRIMARY KEY, v VARCHAR(50)) ENGINE={engine}")
                    sql.query(f"INSERT INTO {failures.quoted(other)} VALUES ({i}, 'x')")
                    made += 1
        self._round_trip(server)
        self.assertEqual(made, len(_ODD) * len(_ENGINES))

    def test_odd_partition_names(self):
        server = self.start()
        with server.connect() as sql:
            sql.query(f"USE {_D}")
            parts = [name for name in _ODD if len(name) < 20]
            for engine in ("InnoDB", "MyISAM", "Aria"):
                ranges = ", ".join(f"PARTITION {failures.quoted(name)} VALUES LESS THAN ({(i + 1) * 10})" for i, name in enumerate(parts))
                sql.query(f"CREATE TABLE `parts/{engine}` (id INT PRIMARY KEY) ENGINE={engine} PARTITION BY RANGE (id) ({ranges})")
                sql.query(f"INSERT INTO `parts/{engine}` SELECT seq FROM seq_0_to_{len(parts) * 10 - 1}")
                sql.query(f"CREATE TABLE `sub#{engine}` (id INT PRIMARY KEY) ENGINE={engine} PARTITION BY RANGE (id) SUBPARTITION BY HASH (id) "
                          "(PARTITION `a.b` VALUES LESS THAN (50) (SUBPARTITION `s/1`, SUBPARTITION `ü#`), "
                          "PARTITION `#P#` VALUES LESS THAN MAXVALUE (SUBPARTITION `@0040`, SUBPARTITION `表`))")
                sql.query(f"INSERT INTO `sub#{engine}` SELECT seq FROM seq_0_to_99")
        self._round_trip(server)

    def test_odd_database_names(self):
        server = self.start()
        with server.connect() as sql:
            for name in _ODD_DATABASES:
                database = failures.quoted(name)
                sql.query(f"CREATE DATABASE {database} CHARACTER SET latin1")
                for j, engine in enumerate(_ENGINES):
                    table = f"{database}.{failures.quoted(self._varied(name, j))}"
                    sql.query(f"CREATE TABLE {table} (id INT PRIMARY KEY) ENGINE={engine}")
                    sql.query(f"INSERT INTO {table} VALUES ({j})")
                sql.query(f"CREATE VIEW {database}.`a view/` AS SELECT 1")
                sql.query(f"CREATE TRIGGER {database}.`trig.` BEFORE INSERT ON {table} FOR EACH ROW SET @x = 1")
        self._round_trip(server)

    @staticmethod
    def _varied(name, number):
        """A name of its own for each engine, of legal length."""
        return (name[:60] if number else name) + "'" * number

    def _round_trip(self, server):
        with server.connect() as sql:
            sql.query("FLUSH TABLES")
            wanted = self._checksums(sql)
        backup, answer = self.back_up(server)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        self.assert_unlocked(server)
        self.assert_good(backup.folder, check=lambda sql: self.assertEqual(self._checksums(sql), wanted))

    @staticmethod
    def _checksums(sql):
        tables = sql.query("SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND "
                           "table_schema NOT IN ('information_schema', 'performance_schema', 'sys', 'mysql') ORDER BY 1, 2")
        definitions = {(schema, name): sql.query(f"SHOW CREATE TABLE {failures.quoted(schema)}.{failures.quoted(name)}")
                       for schema, name in tables}
        sums = {key: sql.value(f"CHECKSUM TABLE {failures.quoted(key[0])}.{failures.quoted(key[1])}") for key in definitions}
        return {key: (definition, sums[key]) for key, definition in definitions.items()}


class Many(failures.FailureTest):

    def test_many_tables_and_few_descriptors(self):
        self._with_many(1_000)

    @unittest.skipUnless("--slow" in sys.argv, "with --slow only")
    def test_ten_thousand_tables_and_few_descriptors(self):
        self._with_many(10_000)

    def _with_many(self, count):
        few = ("prlimit", "--nofile=1024:1024")
        server = self.start("--table-open-cache=400", "--innodb-open-files=300")
        with server.connect() as sql:
            sql.query("SET GLOBAL innodb_flush_log_at_trx_commit=0, GLOBAL sync_binlog=0")
            sql.query("SET SESSION sql_log_bin=0")
            sql.query(f"USE {_D}")
            for i in range(count):
                engine = ("InnoDB", "InnoDB", "InnoDB", "MyISAM", "Aria")[i % 5]
                sql.query(f"CREATE TABLE t{i} (id INT PRIMARY KEY) ENGINE={engine}")
            for i in range(0, count, 97):
                sql.query(f"INSERT INTO t{i} VALUES ({i})")
        backup, answer = self.back_up(server, prefix=few)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        self.assert_unlocked(server)

        def all_there(sql):
            for i in range(0, count, 97):
                self.assertEqual(sql.query(f"SELECT * FROM {_D}.t{i}"), [(str(i),)])
            self.assertEqual(sql.value(f"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='{_D}' AND table_name LIKE 't%'"),
                             str(count))

        self.assertEqual(len([name for name in os.listdir(os.path.join(backup.folder, _D)) if name.endswith(".frm")]), count + 3)
        self._run_all(few, backup.folder, "prepare")
        self.assert_good(backup.folder, check=all_there)

        with server.connect() as sql:
            sql.query("SET GLOBAL innodb_flush_log_at_trx_commit=0")
            for i in range(300):  # made since the last checkpoint, however many others are older
                sql.query(f"CREATE TABLE {_D}.fresh{i} (id INT PRIMARY KEY) ENGINE=InnoDB")
        server.kill()
        self.assertGreater(self._fresh_tables(server), 256, "the log must name more tables than recovery has open at a time")
        self._run_all(few, server.site.data, "recover")
        with realserver.Server(server.site, failures.CONFIG) as restarted:
            with restarted.connect() as sql:
                all_there(sql)
                self.assertEqual(failures.check_all(sql), [])

    def _run_all(self, few, folder, command):
        """Verified and read as it is, recovered, verified again."""
        rows = "SELECT COUNT(*) FROM d.t0 UNION ALL SELECT COUNT(*) FROM d.t97"
        for line in (("verify", folder, "--level", "files,pages,trees,rows"), ("sql", folder, "-e", rows), (command, folder), ("verify", folder)):
            answer = redoubt.run([*few, *redoubt.command(*line)])
            self.assertEqual(answer.code, redoubt.OK, f"{line}: {answer.text}")

    @staticmethod
    def _fresh_tables(server):
        answer = redoubt.run(redoubt.command("log", server.site.data, "--summary"))
        return answer.document["record_counts"].get("FILE_CREATE", 0)
