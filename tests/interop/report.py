#!/usr/bin/env python3
"""`redoubt verify --html` of real directories: the report is well-formed, is whole in itself, and has every table with its
size and its rows, every file, every finding, and says what was not checked. Nothing of the directory is changed.

    tests/interop/report.py [-v] [Report.test_...]
"""

import html.parser
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

import matrix
import realserver
import redoubt
import surgery

_PLAIN = realserver.Config(log_size="32M", buffer_pool="64M", undo_tablespaces=2)
_ENCRYPTED = realserver.Config(encryption="cbc", log_size="32M", buffer_pool="64M")
_XHTML = "{http://www.w3.org/1999/xhtml}"
_ROWS = 20000
_SCRIPT = "<script>alert(\"1\")</script>&'"
_ROOM, _ROOM_REDUNDANT = 16384 - 8 - 4 - 120, 16384 - 8 - 4 - 125  # bytes of an empty page for records
_PAGE = 20  # of d/big.ibd: a leaf
_INTERRUPT_TRIES = 20

_scratch = None
_templates = None


def _fill(sql):
    sql.query("SET NAMES utf8mb4")
    sql.query("CREATE DATABASE d")
    sql.query("USE d")
    sql.query("CREATE TABLE big (id INT PRIMARY KEY, v CHAR(200) CHARSET latin1, k INT, KEY (k)) ENGINE=InnoDB")
    sql.query(f"INSERT INTO big SELECT seq, MD5(seq), seq DIV 3 FROM seq_1_to_{_ROWS}")
    for row_format in ("REDUNDANT", "COMPACT", "COMPRESSED"):
        sql.query(f"CREATE TABLE f_{row_format} (id INT PRIMARY KEY, v VARCHAR(200), KEY (v)) ENGINE=InnoDB ROW_FORMAT={row_format}")
        sql.query(f"INSERT INTO f_{row_format} SELECT seq, MD5(seq) FROM seq_1_to_3000")
    sql.query("CREATE TABLE small_pages (id INT PRIMARY KEY, v CHAR(100)) ENGINE=InnoDB PAGE_COMPRESSED=1")
    sql.query("INSERT INTO small_pages SELECT seq, MD5(seq) FROM seq_1_to_3000")
    sql.query("CREATE TABLE blobs (id INT PRIMARY KEY, v LONGBLOB) ENGINE=InnoDB")
    sql.query("INSERT INTO blobs SELECT seq, REPEAT(MD5(seq), 4000) FROM seq_1_to_10")
    sql.query("CREATE TABLE parts (id INT PRIMARY KEY, v INT) ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3")
    sql.query("INSERT INTO parts SELECT seq, seq FROM seq_1_to_900")
    quoted = _SCRIPT.replace("`", "``")
    sql.query(f"CREATE TABLE `{quoted}` (id INT PRIMARY KEY, v INT, KEY `{quoted[:20]}\N{RIGHT-TO-LEFT OVERRIDE}` (v)) ENGINE=InnoDB")
    sql.query(f"INSERT INTO `{quoted}` VALUES (1, 1), (2, 2)")
    sql.query("CREATE TABLE `größe 表` (id INT PRIMARY KEY) ENGINE=InnoDB")
    sql.query("SET GLOBAL innodb_fast_shutdown = 0")  # purge and change buffer are through


def _tables(sql):
    """(schema, table, partition or ""): rows."""
    found = {}
    for schema, name in sql.query("SELECT table_schema, table_name FROM information_schema.tables WHERE engine = 'InnoDB'"):
        partitions = sql.query("SELECT partition_name FROM information_schema.partitions WHERE partition_name IS NOT NULL AND "
                               f"table_schema = '{schema}' AND table_name = '{sql_text(name)}'")
        for partition in [row[0] for row in partitions] or [""]:
            where = f"`{schema}`.`{name}`" + (f" PARTITION ({partition})" if partition else "")
            found[schema, name, partition] = int(sql.value(f"SELECT COUNT(*) FROM {where}"))
    return found


def sql_text(text):
    return text.replace("\\", "\\\\").replace("'", "''")


class _Directory:
    """A cleanly stopped server's directory."""

    def __init__(self, name, config):
        self.config = config
        self.site = realserver.Site(_scratch.path(name))
        _templates.fill(self.site, config)
        with realserver.Server(self.site, config) as server:
            with server.connect() as sql:
                sql.query("USE mysql")
                _fill(sql)
                self.tables = _tables(sql)
            server.shut_down()
        for name in ("aria_log_control", "aria_log.00000001"):
            if os.path.exists(os.path.join(self.site.data, name)):
                os.unlink(os.path.join(self.site.data, name))
        self.whole = self.site.copy_to(self.site.folder + "-whole")

    def files(self):
        """Sizes of InnoDB's tablespace files, by their paths in the directory."""
        return {os.path.relpath(path, self.site.data): os.path.getsize(path)
                for path in (os.path.join(folder, name) for folder, _, names in os.walk(self.site.data) for name in names)
                if re.search(r"\.ibd$|/ibdata1$|/undo\d\d\d$", path)}


class _Balance(html.parser.HTMLParser):
    """What a browser sees: elements by name, text, and whether anything could be fetched or run."""

    def __init__(self):
        super().__init__()
        self.elements = {}
        self.attributes = set()

    def handle_starttag(self, tag, attrs):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        self.attributes |= {name for name, _ in attrs}


def _text(element):
    return "".join(element.itertext()).strip()


class _Report:
    """A parsed report. Errors: ParseError when it is no well-formed XML."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.source = file.read()
        self.size = len(self.source.encode())
        self.browser = _Balance()
        self.browser.feed(self.source)
        self.root = xml.etree.ElementTree.fromstring(self.source)
        self.verdict = _text(next(e for e in self.root.iter(_XHTML + "p") if e.get("class", "").startswith("verdict")))

    def section(self, heading):
        return next(s for s in self.root.iter(_XHTML + "section") if _text(s.find(_XHTML + "h2")) == heading)

    def rows(self, heading):
        """Cells of the rows of a section's tables; of tables within cells, none."""
        for body in self.section(heading).iter(_XHTML + "tbody"):
            for row in body.findall(_XHTML + "tr"):
                yield [_text(cell) for cell in row.findall(_XHTML + "td")]

    def findings(self):
        """(kind, file, page or "", message) of each."""
        for details in self.section("Findings").findall(_XHTML + "details"):
            kind = _text(next(details.iter(_XHTML + "b")))
            for row in details.find(_XHTML + "table").find(_XHTML + "tbody"):
                where, message = row
                places = {part.get("class"): _text(part) for part in where}
                yield kind, places["file"], places.get("page", "").removeprefix("page "), _text(message)


def _human(size):
    """As the command has sizes of files."""
    value, unit = size / 1024, "KiB"
    for larger in ("MiB", "GiB"):
        if value >= 1023.95:
            value, unit = value / 1024, larger
    return f"{value:.1f} {unit}"


class Report(unittest.TestCase):
    """Of a plain and an encrypted directory, made once."""

    made = {}

    def directory(self, name="plain"):
        if name not in self.made:
            self.made[name] = _Directory(name, _PLAIN if name == "plain" else _ENCRYPTED)
        directory = self.made[name]
        directory.site.bring(directory.whole.folder)
        return directory

    def verify(self, directory, *options, code=redoubt.OK, keys=True, path=None):
        """The report, and the JSON document."""
        target = _scratch.path("report.html")
        if os.path.exists(target):
            os.unlink(target)
        line = redoubt.command("verify", path or directory.site.data, "--html", target, *options,
                               **({"site": directory.site, "config": directory.config} if keys else {}))
        answer = redoubt.run(line)
        self.assertEqual(answer.code, code, answer.text[-3000:])
        self.assertFalse(os.path.exists(target + ".tmp"))
        return _Report(target), answer.document

    def check_tables(self, directory, report):
        cells = {row[0]: row for row in report.rows("Tables by size")}
        files = directory.files()
        for (schema, name, partition), rows in directory.tables.items():
            title = f"{schema}.{name}" + (f" ({partition})" if partition else "")
            self.assertIn(title, cells)
            row = cells[title]
            self.assertEqual(row[3], f"{rows:,}", title)
            fill = float(row[4].strip("<%")) if row[4] != "not known" else None
            self.assertIsNotNone(fill, title)
            self.assertTrue(0 <= fill <= 100, row)
        listed = {file: row for row in report.rows("Tablespaces") for file in [row[1]]}
        self.assertEqual(sorted(listed), sorted(files))
        for file, size in files.items():
            self.assertEqual(listed[file][2], _human(size), file)
        big = cells["d.big"]
        self.assertEqual(big[1], _human(files["d/big.ibd"]))
        self.assertGreater(float(big[4].strip("%")), 50)  # it was filled in the order of its key

    def test_has_every_table_with_its_rows_and_sizes(self):
        directory = self.directory()
        before = surgery.fingerprints(directory.site.data)
        report, document = self.verify(directory)
        self.assertEqual(surgery.fingerprints(directory.site.data), before)
        self.assertEqual(document["result"], "clean")
        self.assertIn("No damage was found.", report.verdict)
        self.check_tables(directory, report)
        self.assertNotIn("script", report.browser.elements)
        self.assertFalse({"src", "href", "onclick", "onload"} & report.browser.attributes)
        self.assertNotIn("\N{RIGHT-TO-LEFT OVERRIDE}", report.source)
        self.assertIn("level rows was not asked for", _text(report.section("Not checked")))
        self.assertLess(report.size, 2 << 20)

    def test_counts_each_tree_as_the_server_does(self):
        """Against what the server says of every leaf in its buffer pool. Trees are of two levels, so the rest is the root."""
        directory = self.directory()
        indexes = [("big", "PRIMARY"), ("big", "k"), ("f_REDUNDANT", "PRIMARY"), ("f_REDUNDANT", "v"), ("f_COMPACT", "v")]
        expected = {}
        with realserver.Server(directory.site, directory.config) as server, server.connect() as sql:
            for table, index in indexes:
                sql.query(f"SELECT COUNT(*) FROM d.{table} FORCE INDEX ({index}) WHERE {'id' if index == 'PRIMARY' else index} IS NOT NULL")
                leaves, records, used = sql.query(
                    "SELECT COUNT(*), SUM(number_records), SUM(data_size) FROM information_schema.innodb_buffer_page "
                    f"WHERE table_name = '`d`.`{table}`' AND index_name = '{index}' AND page_type = 'INDEX' AND page_number <> "
                    "(SELECT i.page_no FROM information_schema.innodb_sys_indexes i JOIN information_schema.innodb_sys_tables t "
                    f"ON i.table_id = t.table_id WHERE t.name = 'd/{table}' AND i.name = '{index}')")[0]
                room = _ROOM_REDUNDANT if table == "f_REDUNDANT" else _ROOM
                expected["d." + table, index] = (int(leaves), int(records), 100 * int(used) / (room * int(leaves)))
            server.shut_down()
        report, _ = self.verify(directory)
        found = {}
        table = None
        for row in next(report.section("Tables by size").iter(_XHTML + "tbody")).findall(_XHTML + "tr"):
            if row.get("class") != "more":
                table = _text(row.find(_XHTML + "td"))
                continue
            for inner in row.iter(_XHTML + "tr"):
                cells = [_text(cell) for cell in inner.findall(_XHTML + "td")]
                if inner is not row and cells:
                    found[table, cells[0]] = cells[1:]
        for key, (leaves, records, fill) in expected.items():
            self.assertGreater(leaves, 5, key)
            self.assertEqual(found[key][:3], [f"{records:,}", str(leaves), "1"], key)
            self.assertAlmostEqual(float(found[key][4].strip("%")), fill, delta=0.06, msg=key)

    def test_names_damage_and_says_what_to_do(self):
        directory = self.directory()
        surgery.flip_bit(os.path.join(directory.site.data, "d/big.ibd"), _PAGE, 16384)
        os.unlink(os.path.join(directory.site.data, "d/blobs.ibd"))
        report, document = self.verify(directory, code=redoubt.DAMAGE)
        self.assertIn("is damaged", report.verdict)
        found = list(report.findings())
        self.assertEqual(len(found), len(document["findings"]))
        for finding in document["findings"]:
            self.assertIn((finding["kind"], finding.get("file", ""), str(finding.get("page", "")), finding["message"]), found)
        self.assertIn("page-corrupt", [kind for kind, *_ in found])
        self.assertIn("Restore the table from a backup", _text(report.section("Findings")))
        marks = [e for e in report.root.iter(_XHTML + "rect") if e.get("class") == "mark"]
        self.assertEqual(len(marks), 1)
        self.assertIn(f"page {_PAGE}: page-corrupt", _text(marks[0]))

    def test_of_pages_only_says_what_is_not_known(self):
        directory = self.directory()
        report, _ = self.verify(directory, "--level", "files,pages")
        self.assertIn("trees was not asked for", _text(report.section("Not checked")))
        names = [row[0] for row in report.rows("Tables by size")]
        self.assertIn("d.big", names)
        self.assertIn("d.parts#P#p1", names)
        report, _ = self.verify(directory, "--level", "files")
        self.assertIn("Not known", _text(report.section("Ages of pages")))

    def test_of_one_file_and_of_many(self):
        directory = self.directory()
        file = os.path.join(directory.site.data, "d/big.ibd")
        report, _ = self.verify(directory, path=file)
        self.assertEqual([row[1] for row in report.rows("Tablespaces")], ["big.ibd"])
        report, _ = self.verify(directory, directory.site.data, path=file)
        self.assertEqual([_text(e) for e in report.root.iter(_XHTML + "h1")], [file, directory.site.data])

    def test_without_a_key_says_what_was_not_seen(self):
        directory = self.directory("encrypted")
        report, _ = self.verify(directory)
        self.check_tables(directory, report)
        self.assertIn("key 1, version 1 or later", [row[7] for row in report.rows("Tablespaces")])
        report, document = self.verify(directory, code=redoubt.WARNINGS, keys=False)
        self.assertIn("not everything could be checked", report.verdict)
        not_checked = _text(report.section("Not checked"))
        for key in document["not_checked"]["missing_keys"]:
            self.assertIn(key, not_checked)

    def test_of_a_backup_and_of_a_crash(self):
        directory = self.directory()
        with realserver.Server(directory.site, directory.config) as server, server.connect() as sql:
            sql.query("UPDATE d.big SET v = 'changed' WHERE id < 5000")
            server.kill()
        report, document = self.verify(directory)
        self.assertTrue(document["paths"][0]["needs_recovery"])
        self.assertIn("did not shut down cleanly", report.verdict)
        self.assertIn("redo not applied", report.source)
        backup = _scratch.path("backup")
        answer = redoubt.run(redoubt.command("backup", backup, "--datadir-copy", directory.site.data))
        self.assertEqual(answer.code, redoubt.OK, answer.text[-2000:])
        report, _ = self.verify(directory, path=backup)
        self.assertIn("backup, verified", report.source)

    def test_of_what_cannot_be_verified_says_so(self):
        directory = self.directory()
        with realserver.Server(directory.site, directory.config):
            report, document = self.verify(directory, directory.site.data, code=redoubt.REFUSED,
                                           path=os.path.join(directory.site.data, "d/big.ibd"))
        self.assertIn("ended with an error: the directory is in use", report.verdict)
        self.assertEqual(document["error"]["code"], "refused")
        self.assertEqual([row[1] for row in report.rows("Tablespaces")], ["big.ibd"])  # what came before

    def test_is_not_written_where_it_must_not_be(self):
        directory = self.directory()
        before = surgery.fingerprints(directory.site.data)
        table = os.path.join(directory.site.data, "d/big.ibd")
        elsewhere = _scratch.path("precious")
        with open(elsewhere, "w", encoding="ascii") as out:
            out.write("precious")
        for target in (os.path.join(directory.site.data, "r.html"), table, elsewhere, _scratch.folder):
            answer = redoubt.run(redoubt.command("verify", directory.site.data, "--html", target))
            self.assertEqual(answer.code, redoubt.REFUSED, target)
        answer = redoubt.run(redoubt.command("verify", table, "--html", table))
        self.assertEqual(answer.code, redoubt.REFUSED)
        self.assertEqual(surgery.fingerprints(directory.site.data), before)
        self.assertEqual(os.path.getsize(elsewhere), 8)
        device = redoubt.run(redoubt.command("verify", table, "--html", "/dev/null"))
        self.assertEqual(device.code, redoubt.REFUSED)

    def test_of_a_full_disk_nothing_is_left(self):
        directory = self.directory()
        small = _scratch.path("small")
        os.makedirs(small)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", small], capture_output=True, check=False).returncode != 0:
            self.skipTest("may not mount")
        try:
            answer = redoubt.run(redoubt.command("verify", directory.site.data, "--html", os.path.join(small, "r.html")))
            self.assertEqual(answer.code, redoubt.NO_SPACE, answer.text)
            self.assertEqual(answer.document["result"], "clean")
            self.assertEqual(os.listdir(small), [])
        finally:
            subprocess.run(["umount", small], check=True)

    def test_an_interrupted_one_leaves_the_earlier_report(self):
        directory = self.directory()
        target = _scratch.path("report.html")
        for delay in range(_INTERRUPT_TRIES):
            self.verify(directory)
            before = surgery.read(target, 0, os.path.getsize(target))
            line = redoubt.command("verify", directory.site.data, "--html", target)
            with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(0.005 * (delay + 1))
                process.send_signal(signal.SIGINT)
            if process.returncode == redoubt.INTERRUPTED:
                self.assertEqual(surgery.read(target, 0, os.path.getsize(target)), before)
                self.assertFalse(os.path.exists(target + ".tmp"))
                return
        self.fail("never interrupted in time")


def main():
    global _scratch, _templates  # pylint: disable=global-statement
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"skipped: not installed: {', '.join(missing)}")
        return matrix.CTEST_SKIP
    realserver.end_orderly_on_signals()
    with realserver.Scratch(keep=bool(os.environ.get("REDOUBT_KEEP"))) as _scratch:
        _templates = realserver.Templates(_scratch.path("templates"))
        program = unittest.main(exit=False, verbosity=2, warnings="ignore")
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
