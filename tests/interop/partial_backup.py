#!/usr/bin/env python3
"""Partial backups by the real mariadb-backup: --tables, --databases, and a table that is exported.

Of each: `redoubt verify` and `redoubt prepare` find nothing wrong with it, miss none of the tables
that were left out, and say that it is partial; what they make of it is page by page what
mariadb-backup makes of a copy; a table of the backup that is cut or missing pages is still found.
Restored, the server starts on it: the tables of the backup are whole and have the rows of the
moment of the backup, the others are known to the dictionary only; and a prepared table is imported
by a server that has never seen it.
"""

import os
import shutil
import sys
import threading
import unittest

import backup_mirror
import matrix
import realserver
import redoubt

_CONFIG = realserver.Config(log_size="32M", buffer_pool="32M", undo_tablespaces=2)
_ENCRYPTED = realserver.Config(page_size=4096, checksum="crc32", encryption="ctr", log_size="32M", buffer_pool="32M")
_KINDS = {  # options; the tables that are in the backup
    "tables": (["--tables=^one[.]a,^two[.]c"], {"one/a", "two/c"}),
    "databases": (["--databases=one mysql performance_schema sys"], {"one/a", "one/b"}),
    "tables-exclude": (["--tables-exclude=^one[.]b"], {"one/a", "two/c"}),
    "databases-exclude": (["--databases-exclude=two"], {"one/a", "one/b"}),
}

_scratch = None
_templates = None


def _make_tables(sql):
    for database, tables in (("one", "ab"), ("two", "c")):
        sql.query(f"CREATE DATABASE {database}")
        sql.query(f"USE {database}")  # (the sequence tables want one)
        for table in tables:
            sql.query(f"CREATE TABLE {database}.{table} (id INT AUTO_INCREMENT PRIMARY KEY, k INT, v CHAR(100), KEY (k)) "
                      "ENGINE=InnoDB")
            sql.query(f"INSERT INTO {database}.{table} (k, v) SELECT seq, MD5(seq) FROM seq_1_to_2000")


class _Load:
    """Rows into all tables, one by one, in one transaction each time; and DDL outside the backup."""

    def __init__(self, server):
        self._server = server
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _work(self):
        with self._server.connect() as sql:
            sql.query("USE one")
            serial = 0
            while not self._stopping.is_set():
                sql.query("BEGIN")
                for table in ("one.a", "one.b", "two.c"):
                    sql.query(f"INSERT INTO {table} (k, v) SELECT -seq, MD5(seq + {serial}) FROM seq_1_to_20")
                    sql.query(f"UPDATE {table} SET v = REVERSE(v) WHERE id % 50 = {serial % 50}")
                sql.query("COMMIT")
                serial += 1


def _tables_in(folder):
    return {f"{database}/{name[:-4]}" for database in ("one", "two") if os.path.isdir(os.path.join(folder, database))
            for name in os.listdir(os.path.join(folder, database)) if name.endswith(".ibd")}


class Partial(unittest.TestCase):
    """One backup of each kind, made once."""

    made = {}

    def backup(self, kind, config=_CONFIG):
        """(folder of a fresh copy, site)"""
        key = f"{kind}-{config.label()}"
        if key not in self.made:
            site = realserver.Site(_scratch.path(f"site-{key}"))
            _templates.fill(site, config)
            folder = _scratch.path(f"made-{key}")
            with realserver.Server(site, config) as server:
                with server.connect() as sql:
                    _make_tables(sql)
                with _Load(server):
                    result = realserver.run(
                        [realserver.MARIADB_BACKUP, "--no-defaults", "--backup", f"--target-dir={folder}",
                         *backup_mirror.backup_options(server, site), *_KINDS[kind][0]], 300)
                server.kill()
            if result.returncode != 0:
                raise realserver.HarnessError(realserver.tail(result.stdout, 20))
            self.made[key] = (folder, site)
        made, site = self.made[key]
        folder = _scratch.path(f"copy-{key}")
        shutil.rmtree(folder, ignore_errors=True)
        realserver.copy_tree(made, folder)
        return folder, site

    def run_redoubt(self, *arguments, site, config=_CONFIG, code=redoubt.OK):
        answer = redoubt.run(redoubt.command(*arguments, site=site, config=config))
        self.assertEqual(answer.code, code, f"{arguments}: {answer.text}")
        return answer

    def test_is_prepared_as_by_mariadb_backup(self):
        for config in (_CONFIG, _ENCRYPTED):
            for kind, (_, tables) in _KINDS.items():
                if config is _ENCRYPTED and kind != "tables":
                    continue
                with self.subTest(kind, config=config.label()):
                    folder, site = self.backup(kind, config)
                    self.run_redoubt("verify", folder, site=site, config=config)
                    theirs = folder + "-theirs"
                    shutil.rmtree(theirs, ignore_errors=True)
                    realserver.copy_tree(folder, theirs)
                    backup_mirror.peer_prepare(theirs)
                    answer = self.run_redoubt("prepare", folder, site=site, config=config)
                    self.assertTrue(answer.document["partial"])
                    self.assertEqual(_tables_in(folder), tables, "nothing is made of what was left out")
                    self.assertEqual(backup_mirror.compare(folder, theirs, site, config), [])
                    self.run_redoubt("verify", folder, site=site, config=config)
                    backup_mirror.peer_prepare(folder)  # that it accepts ours

    def test_is_restored_and_a_server_starts_on_it(self):
        for kind in ("tables-exclude", "databases-exclude"):  # the others lack the server's own tables
            for move in (False, True):
                with self.subTest(kind, move=move):
                    folder, site = self.backup(kind)
                    target = realserver.Site(_scratch.path("target"))
                    target.create()
                    self.run_redoubt("restore", folder, target.data, *(["--move"] if move else []), site=site)
                    tables = _KINDS[kind][1]
                    self.assertEqual(_tables_in(target.data), tables)
                    with realserver.Server(target, _CONFIG) as server:
                        with server.connect() as sql:
                            rows = {sql.query(f"SELECT COUNT(*) FROM {table.replace('/', '.')}")[0][0]
                                    for table in tables}
                            self.assertEqual(len(rows), 1, "all tables are of one moment")
                            for table in tables:
                                for _, _, sort, text in sql.query(f"CHECK TABLE {table.replace('/', '.')} EXTENDED"):
                                    self.assertEqual((sort, text), ("status", "OK"), table)
                        server.shut_down()

    def test_damage_to_what_is_there_is_found(self):
        def cut(path):
            os.truncate(path, 50000)

        def flip(path):
            with open(path, "r+b") as file:
                file.seek(3 * 16384 + 5000)
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte[0] ^ 16]))

        for damage in (cut, flip):
            with self.subTest(damage=damage.__name__):
                folder, site = self.backup("tables")
                self.run_redoubt("prepare", folder, site=site)
                damage(os.path.join(folder, "one", "a.ibd"))
                answer = self.run_redoubt("verify", folder, site=site, code=redoubt.DAMAGE)
                self.assertIn("one/a.ibd", answer.text)
                target = _scratch.path("no-target")
                self.run_redoubt("restore", folder, target, site=site, code=redoubt.DAMAGE)
                self.assertFalse(os.path.exists(target), "nothing was written")

    def test_a_table_of_it_is_imported(self):
        """As its owner would: prepared, then DISCARD and IMPORT on another server."""
        folder, site = self.backup("tables")
        self.run_redoubt("prepare", folder, site=site)
        other = realserver.Site(_scratch.path("other"))
        _templates.fill(other, _CONFIG)
        with realserver.Server(other, _CONFIG) as server:
            with server.connect() as sql:
                _make_tables(sql)
                sql.query("ALTER TABLE one.a DROP INDEX k")  # wanted where there is no .cfg file
                sql.query("ALTER TABLE one.a DISCARD TABLESPACE")
                shutil.copy(os.path.join(folder, "one", "a.ibd"), os.path.join(other.data, "one", "a.ibd"))
                sql.query("ALTER TABLE one.a IMPORT TABLESPACE")
                self.assertGreaterEqual(int(sql.query("SELECT COUNT(*) FROM one.a")[0][0]), 2000)
            server.shut_down()


def main():
    global _scratch, _templates  # pylint: disable=global-statement
    missing = realserver.missing_parts() + redoubt.missing_parts()
    if missing:
        print(f"skipped: not installed: {', '.join(missing)}")
        return matrix.CTEST_SKIP
    realserver.end_orderly_on_signals()
    with realserver.Scratch() as _scratch:
        _templates = realserver.Templates(_scratch.path("templates"))
        program = unittest.main(exit=False, verbosity=2, warnings="ignore")
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
