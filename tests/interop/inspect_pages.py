#!/usr/bin/env python3
"""`redoubt inspect` against what the server says: the records of small tables in every row format
(values, delete marks of rows that purge has not removed, instant ADD COLUMN), the dictionary, .frm
files, the doublewrite buffer; and every page of a directory, which must be shown without an error.

    tests/interop/inspect_pages.py [-v] [Plain|Encrypted]

The directory is that of a killed server whose pages had all been written.
"""

import os
import random
import shutil
import sys
import time
import unittest

import matrix
import read_tables
import realserver
import redoubt

_FORMATS = ("REDUNDANT", "COMPACT", "DYNAMIC", "COMPRESSED")
_CONFIGS = {
    "Plain": realserver.Config(checksum="crc32", log_size="32M", buffer_pool="32M",
                               undo_tablespaces=2),
    "Encrypted": realserver.Config(encryption="ctr", log_size="32M", buffer_pool="32M"),
}
_DELETED = (3, 5)
_FLUSH_TIMEOUT_S = 30
_PAGES_OF_A_RUN = 4

_scratch = None
_templates = None


def _fill(sql):
    sql.query("CREATE DATABASE d")
    for row_format in _FORMATS:
        # An indexed virtual column rules out instant changes.
        computed = ", g INT AS (n + 1) VIRTUAL, KEY (g)" if row_format != "DYNAMIC" else ""
        sql.query(f"CREATE TABLE d.{row_format} (id INT PRIMARY KEY COMMENT 'key', v VARCHAR(50) NOT "
                  f"NULL DEFAULT 'none', n BIGINT UNSIGNED, dt DATETIME, b LONGBLOB, KEY (v){computed}) "
                  f"ENGINE=InnoDB ROW_FORMAT={row_format}")
        sql.query(f"INSERT INTO d.{row_format} (id, v, n, dt, b) SELECT seq, CONCAT('wört ', seq), IF(seq "
                  "% 4 = 0, NULL, seq * 1007), '2024-05-06 07:08:09', IF(seq = 7, REPEAT(MD5(seq), "
                  "1000), UNHEX(MD5(seq))) FROM seq_1_to_12")
    sql.query("ALTER TABLE d.DYNAMIC ADD COLUMN late INT NOT NULL DEFAULT 77, ALGORITHM=INSTANT")
    sql.query("INSERT INTO d.DYNAMIC (id, v, late) VALUES (20, 'new', 78)")
    sql.query("SET NAMES utf8mb4")
    sql.query("SET sql_mode = ''")
    sql.query("SET innodb_strict_mode = OFF")
    for row_format in _FORMATS:
        table = f"d.types_{row_format.lower()}"
        # pylint: disable=protected-access
        sql.query(f"CREATE TABLE {table} ({read_tables._TYPES}, PRIMARY KEY (id)) ENGINE=InnoDB "
                  f"DEFAULT CHARSET=utf8mb4 ROW_FORMAT={row_format}")
        read_tables.insert_types(sql, table, random.Random(1), 1, 8)
    sql.query("CREATE TABLE d.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES "
              "d.COMPACT (id) ON DELETE CASCADE) ENGINE=InnoDB")
    sql.query("CREATE TABLE d.big (id INT PRIMARY KEY, v CHAR(200)) ENGINE=InnoDB")
    sql.query("INSERT INTO d.big SELECT seq, MD5(seq) FROM seq_1_to_2000")


def _write_all_pages(sql):
    """Until no page in memory differs from its file."""
    sql.query("SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0")
    sql.query("SET GLOBAL innodb_max_dirty_pages_pct = 0")
    deadline = time.monotonic() + _FLUSH_TIMEOUT_S
    while sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0][1] != "0":
        if time.monotonic() > deadline:
            raise realserver.HarnessError("pages are still not written")
        time.sleep(0.1)


class _Directory:
    """A killed server's directory, and what it had said before."""

    def __init__(self, name):
        self.config = _CONFIGS[name]
        self.site = realserver.Site(_scratch.path(name))
        _templates.fill(self.site, self.config)
        with realserver.Server(self.site, self.config) as server:
            with server.connect() as sql, server.connect() as other:
                sql.query("USE mysql")  # (the sequence tables want one)
                _fill(sql)
                other.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")  # purge waits for it
                other.query("SELECT COUNT(*) FROM d.big")
                self.rows = {f: sql.query(f"SELECT id, v, n, dt, HEX(LEFT(b, 700)), LENGTH(b) FROM d.{f} "
                                          "ORDER BY id") for f in _FORMATS}
                for row_format in _FORMATS:
                    sql.query(f"DELETE FROM d.{row_format} WHERE id IN {_DELETED}")
                    sql.query(f"UPDATE d.{row_format} SET n = 5 WHERE id = 9")
                self.create = {f: sql.query(f"SHOW CREATE TABLE d.{f}")[0][1] for f in _FORMATS}
                schema = "information_schema.innodb_sys_"
                self.tables = {row[0]: row[1:] for row in sql.query(
                    f"SELECT name, table_id, space FROM {schema}tables")}
                self.indexes = sql.query(f"SELECT t.name, i.name, i.index_id, i.page_no, i.type FROM {schema}indexes "
                                         f"i JOIN {schema}tables t ON i.table_id = t.table_id")
                self.columns = sql.query(f"SELECT t.name, c.name, c.mtype, c.prtype, c.len FROM {schema}columns c "
                                         f"JOIN {schema}tables t ON c.table_id = t.table_id")
                self.virtual = sql.query(f"SELECT t.name, v.base_pos FROM {schema}virtual v JOIN {schema}tables t "
                                         "ON v.table_id = t.table_id")
                self.foreign = [row[0] for row in sql.query(f"SELECT id FROM {schema}foreign")]
                _write_all_pages(sql)
                server.kill()

    def inspect(self, path, *options):
        return redoubt.run(redoubt.command("inspect", os.path.join(self.site.data, path), *options,
                                           site=self.site, config=self.config))


class InspectTest:
    """Of one directory, made once."""

    name = ""
    made = {}

    def setUp(self):
        if self.name not in self.made:
            self.made[self.name] = _Directory(self.name)
        self.directory = self.made[self.name]

    def inspect(self, path, *options, code=redoubt.OK):
        answer = self.directory.inspect(path, *options)
        self.assertEqual(answer.code, code, f"{path} {options}: {answer.text[-2000:]}")
        self.assertEqual(answer.document["schema"], "redoubt.inspect.v1")
        return answer.document

    @staticmethod
    def fields(record):
        return {field["name"]: field for field in record["fields"]}

    def records(self, path, page):
        document = self.inspect(path, "--page", str(page), "--records")
        self.assertEqual(document["problems"], [])
        self.assertEqual(document["records"][0]["status"], "infimum")
        self.assertEqual(document["records"][-1]["status"], "supremum")
        return document, document["records"][1:-1]

    def root_of(self, table, index):
        return next(int(row[3]) for row in self.directory.indexes
                    if row[0] == f"d/{table}" and row[1] == index)

    def test_rows_are_what_the_server_returned(self):
        for row_format in _FORMATS:
            with self.subTest(row_format=row_format):
                document, records = self.records(f"d/{row_format}.ibd",
                                                 self.root_of(row_format, "PRIMARY"))
                self.assertEqual((document["table"], document["index"]),
                                 (f"d.{row_format}", "PRIMARY"))
                if row_format == "DYNAMIC":
                    self.assertIn("metadata", records[0]["status"])
                    records = records[1:]
                expected = self.directory.rows[row_format]
                self.assertEqual(len(records), len(expected))
                for record, row in zip(records, expected):
                    self.check_row(record, row)
                if row_format == "DYNAMIC":
                    late = [self.fields(record)["late"] for record in records]
                    self.assertEqual([field["value"] for field in late], ["77"] * 12 + ["78"])
                    self.assertEqual(["not_in_record" in field for field in late],
                                     [True] * 12 + [False])

    def check_row(self, record, row):
        number, text, amount, when, begin, length = row
        fields = self.fields(record)
        self.assertEqual(fields["id"]["value"], number)
        self.assertEqual(fields["v"]["value"], f"'{text}'")
        if number == "9":
            amount = "5"  # updated since
        self.assertEqual(fields["n"].get("value"), amount)
        self.assertEqual(fields["dt"].get("value"), None if when is None else f"'{when}'")
        self.assertEqual(record["delete_marked"], int(number) in _DELETED)
        self.assertGreater(int(fields["DB_TRX_ID"]["value"]), 0)
        self.assertIn("rollback segment", fields["DB_ROLL_PTR"]["value"])
        if length is None:
            self.assertTrue(fields["b"]["null"])
        elif int(length) > 1000:
            local = len(fields["b"]["bytes"]) // 2 - 20
            self.assertEqual(fields["b"]["bytes"][:2 * min(local, 700)].upper(), begin[:2 * local])
            self.assertGreater(fields["b"]["off_page"]["length"], 0)
            self.assertEqual(fields["b"]["off_page"]["length"] + local, int(length))
        else:
            self.assertEqual(fields["b"]["bytes"].upper(), begin)

    def test_entries_of_secondary_indexes(self):
        for row_format in _FORMATS:
            with self.subTest(row_format=row_format):
                document, records = self.records(f"d/{row_format}.ibd", self.root_of(row_format, "v"))
                self.assertEqual(document["index"], "v")
                ours = sorted((int(self.fields(r)["id"]["value"]), self.fields(r)["v"]["value"],
                               r["delete_marked"]) for r in records)
                self.assertEqual(ours, [(int(row[0]), f"'{row[1]}'", int(row[0]) in _DELETED)
                                        for row in self.directory.rows[row_format]])

    def test_a_table_file_with_its_frm_alone(self):
        """Away from its directory, the .frm tells of the clustered index what the dictionary does."""
        folder = _scratch.path(self.name + "-alone")
        os.makedirs(folder, exist_ok=True)
        for table in [*_FORMATS, *(f"types_{f.lower()}" for f in _FORMATS)]:
            with self.subTest(table=table):
                for extension in (".ibd", ".frm"):
                    shutil.copy(os.path.join(self.directory.site.data, "d", table + extension), folder)
                pages = [3]
                shown = 0
                while pages:
                    page = pages.pop()
                    document, records = self.records(f"d/{table}.ibd", page)
                    alone, same = self.records(os.path.join(folder, table + ".ibd"), page)
                    self.assertEqual(records, same)
                    self.assertEqual((alone["table"], alone["index"]), (table, document["index"]))
                    pages += [record["child_page"] for record in records if "child_page" in record]
                    self.assertFalse([r for r in records if "problem" in r])
                    shown += len([r for r in records if "fields" in r])
                self.assertGreater(shown, 4)

    def test_node_pointers(self):
        _, records = self.records("d/big.ibd", self.root_of("big", "PRIMARY"))
        self.assertGreater(len(records), 10)
        self.assertTrue(records[0]["min_rec"])
        _, leaf = self.records("d/big.ibd", records[1]["child_page"])
        self.assertEqual(self.fields(records[1])["id"]["value"], self.fields(leaf[0])["id"]["value"])

    def test_undo_of_the_deletes(self):
        """Roll pointers of delete-marked rows lead to records that say so."""
        space_of = {}
        for name in ("undo001", "undo002")[:self.directory.config.undo_tablespaces]:
            space_of[self.inspect(name)["space"]] = name
        slots = self.inspect("ibdata1", "--page", "5")["transaction system"]
        for row_format in _FORMATS:
            _, records = self.records(f"d/{row_format}.ibd", self.root_of(row_format, "PRIMARY"))
            for record in (r for r in records if r["delete_marked"]):
                words = self.fields(record)["DB_ROLL_PTR"]["value"].replace(",", "").split()
                segment, page, offset = words[2], words[4], int(words[6])
                space = int(slots[f"rollback segment {segment}"].split()[1])
                document = self.inspect(space_of.get(space, "ibdata1"), "--page", page, "--records")
                self.assertEqual(document["problems"], [])
                found = [u for u in document["records"] if u["offset"] == offset]
                self.assertEqual([u["type"] for u in found], ["delete mark"])
                self.assertEqual(found[0]["table"], f"d.{row_format}")
                self.assertEqual(found[0]["key"][0]["value"], self.fields(record)["id"]["value"])
                self.assertNotIn("problem", found[0])

    def test_dictionary(self):
        document = self.inspect("")
        ours = {table["name"]: table for table in document["tables"]}
        for name, (table_id, space) in self.directory.tables.items():
            if name in ("SYS_TABLES", "SYS_COLUMNS", "SYS_INDEXES", "SYS_FIELDS"):
                continue  # no dictionary has these
            self.assertEqual((ours[name]["id"], ours[name]["space"]), (int(table_id), int(space)))
        indexes = {(name, index["name"]): (str(index["id"]), str(index["root_page"]), str(index["type"]))
                   for name, table in ours.items() for index in table["indexes"]}
        columns = {(name, column["name"]): tuple(str(column[key]) for key in ("mtype", "prtype", "length"))
                   for name, table in ours.items() for column in table["columns"]}
        for table, name, *rest in self.directory.indexes:
            if table in ours:
                self.assertEqual(indexes[(table, name)], tuple(rest))
        for table, name, *rest in self.directory.columns:
            if table in ours and "/" in table:  # (of its own tables, memory has another charset)
                self.assertEqual(columns[(table, name)], tuple(rest))
        for table, base in self.directory.virtual:
            bases = [b for column in ours[table]["columns"] for b in column.get("base_columns", [])]
            self.assertIn(int(base), bases)
        # One of each table of types, and one of the others but DYNAMIC.
        self.assertEqual(len(self.directory.virtual), 2 * len(_FORMATS) - 1)
        self.assertEqual([key["id"] for key in document["foreign_keys"]], self.directory.foreign)

    def test_frm_files(self):
        for row_format in _FORMATS:
            document = self.inspect(f"d/{row_format}.frm")
            self.assertEqual(document["create_statement"], self.directory.create[row_format])
            self.assertEqual(document["columns"][1]["default"], "DEFAULT 'none'")
            self.assertEqual(document["columns"][0]["comment"], "key")
            self.assertEqual([key["name"] for key in document["keys"]],
                             ["PRIMARY", "v"] + ["g"] * (row_format != "DYNAMIC"))

    def test_doublewrite_buffer(self):
        copies = self.inspect("", "--doublewrite")["doublewrite"]["copies"]
        self.assertGreater(len(copies), 0)
        for copy in copies:
            if copy["home"] != "no such tablespace":  # (one that was dropped)
                self.assertEqual(copy["checksum"], "good", copy)
                self.assertIn(copy["home"], ("same", "newer"), copy)

    def test_every_page_is_shown(self):
        shown = 0
        for folder in ("", "d"):
            for file in sorted(os.listdir(os.path.join(self.directory.site.data, folder))):
                if file == "ibdata1" or file.startswith("undo") or file.endswith(".ibd"):
                    shown += self.show_pages(os.path.join(folder, file))
        self.assertGreater(shown, 100)

    def show_pages(self, path):
        shown = 0
        for run in self.inspect(path, "--map")["map"]:
            count = run["count"] if path.startswith("d/") else min(run["count"], _PAGES_OF_A_RUN)
            for page in range(run["first"], run["first"] + min(count, 12)):
                with_records = ["--records"] if "index" in run["type"] or run["type"] == "undo" else []
                if run["type"] == "doublewrite":
                    answer = self.directory.inspect(path, "--page", str(page))
                    self.assertIn(answer.code, (redoubt.OK, redoubt.DAMAGE))  # another page's copy
                    continue
                document = self.inspect(path, "--page", str(page), *with_records)
                self.assertTrue(document["whole"], f"{path} page {page}")
                self.assertEqual(document.get("problems", []), [], f"{path} page {page}")
                for record in document.get("records", []):
                    self.assertNotIn("problem", record, f"{path} page {page}")
                shown += 1
        return shown


class Plain(InspectTest, unittest.TestCase):
    name = "Plain"


class Encrypted(InspectTest, unittest.TestCase):
    name = "Encrypted"


def main():
    global _scratch, _templates  # pylint: disable=global-statement
    missing = realserver.missing_parts() + redoubt.missing_binary()
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
