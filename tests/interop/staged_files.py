"""Staged: files that are absent, blank, foreign, too short, or under another name than the log
says when recovery begins."""

import os
import re

import realserver
import recovery_mirror
import redoubt
import staging
import surgery
import undo

_PLAIN = realserver.Config()
_CONFIGS = {"plain": _PLAIN, "old-format": realserver.Config(checksum="crc32"),
            "encrypted": realserver.Config(encryption="ctr"),
            "encrypted-old-format": realserver.Config(encryption="cbc", checksum="crc32"),
            "big-pages": realserver.Config(page_size=65536)}


def _nothing(_):
    pass


def _file_before(statement):
    """Runs the statement; the fact is what t's file was before it."""
    def second(sql, server):
        with open(staging.table_path(server.site, "t"), "rb") as file:
            before = file.read()
        sql.query(statement)
        return before

    return second


# --- ways a file can be left behind ------------------------------------------------------------


def _absent(path, _):
    os.unlink(path)


def _empty(path, _):
    os.truncate(path, 0)


def _one_blank_page(path, page_size):
    os.truncate(path, 0)
    os.truncate(path, page_size)


def _blank_first_page(path, page_size):
    surgery.blank(path, 0, page_size)


def _garbage_first_page(path, page_size):
    surgery.write(path, 0, surgery.noise(page_size))


_BLANKINGS = (_absent, _empty, _one_blank_page, _blank_first_page, _garbage_first_page)


class Deferred(staging.StagedTest):
    """Tablespaces that exist in the log only."""

    def test_new_table_is_rebuilt_whatever_its_file_looks_like(self):
        """With encryption, the crypt data too is in the log only."""
        def second(sql, _):
            staging.make_table(sql, "t", 2000)

        for name, config in _CONFIGS.items():
            for blanking in _BLANKINGS:
                with self.subTest(name, file=blanking.__name__):
                    crashed = staging.crash(f"new-{name}", config, _nothing, second)
                    site = crashed.copy()
                    blanking(staging.table_path(site, "t"), config.page_size)
                    self.assert_recovers(crashed, site)

    def test_new_table_elsewhere_whose_link_holds_no_path_yet(self):
        """The server makes the file, then the link, and writes the path into it after that."""
        def second(sql, server):
            staging.make_table(sql, "t", 2000, f"DATA DIRECTORY='{server.site.external}'")

        crashed = staging.crash("new-elsewhere", _PLAIN, _nothing, second)
        for blanking in (None, *_BLANKINGS):
            with self.subTest(file=blanking.__name__ if blanking else "as it is"):
                site = crashed.copy()
                os.truncate(os.path.join(site.data, staging.DATABASE, "t.isl"), 0)
                if blanking:
                    blanking(os.path.join(site.external, staging.DATABASE, "t.ibd"), _PLAIN.page_size)
                self.assert_recovers(crashed, site, server=False)  # which does not find the table after that

    def test_whole_first_page_of_another_table_in_a_new_file_is_refused(self):
        """The server would overwrite it. A swapped file is likelier than what would make that
        right, so nothing is touched (docs/architecture.md)."""
        def second(sql, _):
            staging.make_table(sql, "t", 500)
            staging.make_table(sql, "other", 500)

        crashed = staging.crash("new-foreign", _PLAIN, _nothing, second)
        site = crashed.copy()
        size = crashed.config.page_size
        # From the oracle, where page 0 is sure to be written.
        foreign = surgery.read(staging.table_path(crashed.reference(), "other"), 0, size)
        surgery.write(staging.table_path(site, "t"), 0, foreign)
        self.assert_refused(crashed, site, [redoubt.DAMAGE], ["d/t.ibd", "space id"])

    def test_two_new_tables_that_had_one_name(self):
        def second(sql, _):
            staging.make_table(sql, "t", 1500)
            sql.query("RENAME TABLE t TO old")
            staging.make_table(sql, "t", 700)

        crashed = staging.crash("one-name", _PLAIN, _nothing, second)
        for blanking in _BLANKINGS:
            with self.subTest(files=blanking.__name__):
                site = crashed.copy()
                for name in ("t", "old"):
                    blanking(staging.table_path(site, name), crashed.config.page_size)
                self.assert_recovers(crashed, site)

    def test_blank_file_belongs_to_the_table_that_had_its_name_last(self):
        """The first table's own file is lost: it must not take the second's, once its own name."""
        def second(sql, _):
            staging.make_table(sql, "t", 1500)
            sql.query("RENAME TABLE t TO old")
            staging.make_table(sql, "t", 700)

        crashed = staging.crash("one-name", _PLAIN, _nothing, second)
        site = crashed.copy()
        _blank_first_page(staging.table_path(site, "t"), crashed.config.page_size)
        _absent(staging.table_path(site, "old"), crashed.config.page_size)
        self.assert_recovers(crashed, site)

    def test_crash_in_the_middle_of_truncate(self):
        """The old file is renamed, the new one logged but not yet made: the server must be able to
        undo the whole, and finds the old rows."""
        crashed = staging.crash("truncate", _PLAIN, lambda sql: staging.make_table(sql, "t", 500),
                                _file_before("TRUNCATE TABLE t"))
        site = crashed.copy()
        name = b"./d/t.ibd"
        log = b"".join(records for _, records in surgery.mini_transactions(site.data))
        renamed = re.search(re.escape(name) + rb"\0\./d/(#sql-ib\d+)\.ibd", log).group(1).decode()
        surgery.cut_log_behind(site.data, lambda records: records[0] & 0xF0 == 0x80 and
                               name in records[:20])
        os.unlink(staging.table_path(site, "t"))
        with open(staging.table_path(site, renamed), "wb") as file:
            file.write(crashed.facts)
        self.assert_recovers(crashed, site, reference=crashed.oracle_of(site), server=False)
        with realserver.Server(site, crashed.config) as server:
            with server.connect() as sql:
                self.assertEqual(sql.value("SELECT COUNT(*) FROM d.t"), "500")
                self.assertEqual(realserver.check_tables(sql)[0], [])

    def test_new_table_whose_rename_was_logged_but_not_done_keeps_its_name(self):
        """An ALTER TABLE by copy that ends before its new file, never written, has the table's
        name. The oracle makes a second file of that name and leaves the first blank; the server
        does not, and its own log of the statement gives the file the name after that."""
        crashed = staging.crash("alter-copy", _PLAIN, lambda sql: staging.make_table(sql, "t", 500),
                                _file_before("ALTER TABLE t FORCE, ALGORITHM=COPY"))
        site = crashed.copy()
        log = b"".join(records for _, records in surgery.mini_transactions(site.data))
        copy, back = (re.search(rb"\./d/(#sql-%s-[0-9a-f-]+)\.ibd" % kind, log).group(1).decode()
                      for kind in (b"alter", b"backup"))
        name = f"./d/{copy}.ibd\0./d/t.ibd".encode()
        surgery.cut_log_behind(site.data, lambda records: name in records)
        os.rename(staging.table_path(site, "t"), staging.table_path(site, copy))
        _blank_first_page(staging.table_path(site, copy), crashed.config.page_size)
        with open(staging.table_path(site, back), "wb") as file:
            file.write(crashed.facts)
        oracle = crashed.oracle_of(site)
        server = realserver.Site(f"{site.folder}-server")
        server.bring(site.folder)
        answer = self.recover(crashed, site)
        self.assertEqual((answer.code, answer.document["renamed_files"]), (redoubt.OK, []))
        problems = redoubt.differences(site, oracle, crashed.config)
        self.assertEqual(len(problems), 2, problems)
        self.assertTrue(recovery_mirror.oracle_may_be_wrong(problems), problems)
        with realserver.Server(server, crashed.config) as running:
            running.shut_down()
        for ends in (site, server):
            self.assertFalse(os.path.exists(staging.table_path(ends, "t")))
            header = surgery.read(staging.table_path(ends, copy), 34, 4)
            self.assertNotEqual(header, bytes(4))

    def test_dropped_table_is_not_made_again(self):
        def second(sql, _):
            staging.make_table(sql, "t", 500)
            sql.query("DROP TABLE t")

        crashed = staging.crash("dropped", _PLAIN, _nothing, second)
        site = crashed.copy()
        self.assert_recovers(crashed, site)
        self.assertFalse(os.path.exists(staging.table_path(site, "t")))


class Names(staging.StagedTest):
    """What the log says of names, and what the files say."""

    def test_rename_logged_but_not_done_is_replayed(self):
        def second(sql, _):
            sql.query("UPDATE a SET k=k+1")
            sql.query("RENAME TABLE a TO b")

        crashed = staging.crash("rename", _PLAIN, lambda sql: staging.make_table(sql, "a", 500),
                                second)
        site = crashed.copy()
        os.rename(staging.table_path(site, "b"), staging.table_path(site, "a"))
        self.assert_recovers(crashed, site)
        self.assertTrue(os.path.exists(staging.table_path(site, "b")))
        self.assertFalse(os.path.exists(staging.table_path(site, "a")))

    def test_rename_onto_an_existing_file_is_refused(self):
        crashed = staging.crash(
            "rename-onto", _PLAIN, lambda sql: staging.make_table(sql, "a", 500),
            lambda sql, _: (sql.query("UPDATE a SET k=k+1"), sql.query("RENAME TABLE a TO b")))
        site = crashed.copy()
        os.rename(staging.table_path(site, "b"), staging.table_path(site, "a"))
        with open(staging.table_path(site, "b"), "wb") as foreign:
            foreign.write(b"not a tablespace")
        self.assert_refused(crashed, site, [redoubt.REFUSED, redoubt.DAMAGE], ["d/b.ibd"])

    def test_name_known_from_a_rename_alone(self):
        """No other record names the table, neither by its old nor by its new name."""
        def second(sql, _):
            sql.query("RENAME TABLE a TO b")
            sql.query("UPDATE b SET v=REVERSE(v), k=k+1")

        crashed = staging.crash("rename-alone", _PLAIN,
                                lambda sql: staging.make_table(sql, "a", 500), second)
        site = crashed.copy()
        self.assertEqual(surgery.forget_file_modify(site.data, b"./d/b.ibd"), 1)
        self.assertEqual(surgery.forget_file_modify(site.data, b"./d/a.ibd"), 0)
        self.assert_recovers(crashed, site, reference=crashed.oracle_of(site))

    def test_old_name_known_from_a_rename_alone_with_a_blank_first_page(self):
        """The rename was not done and page 0 is lost: an answer by name, not a crash of ours."""
        def second(sql, _):
            sql.query("RENAME TABLE a TO b")
            sql.query("UPDATE b SET v=REVERSE(v), k=k+1")

        crashed = staging.crash("rename-alone", _PLAIN,
                                lambda sql: staging.make_table(sql, "a", 500), second)
        site = crashed.copy()
        surgery.forget_file_modify(site.data, b"./d/b.ibd")
        os.rename(staging.table_path(site, "b"), staging.table_path(site, "a"))
        surgery.blank(staging.table_path(site, "a"), 0, crashed.config.page_size)
        self.assert_refused(crashed, site, [redoubt.DAMAGE], ["d/a.ibd", "page 0"])

    def _swapped(self, clean):
        def second(sql, server):
            sql.query("UPDATE a SET k=k+1")
            sql.query("UPDATE b SET k=k+1")
            if clean:
                server.shut_down()

        def first(sql):
            staging.make_table(sql, "a", 500)
            staging.make_table(sql, "b", 500)

        crashed = staging.crash(f"swapped-{clean}", _PLAIN, first, second)
        site = crashed.copy()
        a, b = staging.table_path(site, "a"), staging.table_path(site, "b")
        os.rename(a, a + ".moved")
        os.rename(b, a)
        os.rename(a + ".moved", b)
        return crashed, site

    def test_swapped_files_are_refused_by_name(self):
        crashed, site = self._swapped(clean=False)
        answer = self.assert_refused(crashed, site, [redoubt.DAMAGE, redoubt.REFUSED], [])
        self.assertRegex(answer.text, r"d/[ab]\.ibd")

    def test_swapped_files_are_denied_by_name_after_a_clean_shutdown(self):
        """There is nothing to recover; the dictionary tells whose each file is."""
        crashed, site = self._swapped(clean=True)
        self.assertEqual(self.recover(crashed, site).code, redoubt.OK)
        answer = redoubt.run(redoubt.command("verify", site.data, site=site, config=crashed.config))
        self.assertEqual(answer.code, redoubt.DAMAGE, answer.text)
        denied = {finding["file"] for finding in answer.document["findings"]
                  if finding["kind"] == "wrong-space-id"}
        self.assertEqual(denied, {"d/a.ibd", "d/b.ibd"}, answer.text)

    def test_wrong_space_id_is_refused_by_name(self):
        """A whole first page of another table over an old one: the log does not make it anew."""
        crashed, site = self._swapped(clean=False)
        size = crashed.config.page_size
        a, b = staging.table_path(site, "a"), staging.table_path(site, "b")
        os.rename(a, a + ".moved")  # swapped back: b's own file stands in its place again
        os.rename(b, a)
        os.rename(a + ".moved", b)
        surgery.write(a, 0, surgery.read(b, 0, size))
        self.assert_refused(crashed, site, [redoubt.DAMAGE], ["d/a.ibd", "carries space id"])

    def test_missing_file_is_named(self):
        crashed = staging.crash("missing", _PLAIN, lambda sql: staging.make_table(sql, "a", 500),
                                lambda sql, _: sql.query("UPDATE a SET k=k+1"))
        site = crashed.copy()
        os.unlink(staging.table_path(site, "a"))
        self.assert_refused(crashed, site, [redoubt.DAMAGE, redoubt.IO], ["d/a.ibd"])


class Sizes(staging.StagedTest):
    """Files shorter or longer than the log wants them."""

    def test_file_that_has_not_grown_yet_is_extended(self):
        def second(sql, server):
            size = os.path.getsize(staging.table_path(server.site, "t"))
            staging.add_rows(sql, "t", 20000)
            return size

        for name, config in _CONFIGS.items():
            with self.subTest(name):
                crashed = staging.crash(f"grown-{name}", config,
                                        lambda sql: staging.make_table(sql, "t", 300), second)
                site = crashed.copy()
                path = staging.table_path(site, "t")
                self.assertGreater(os.path.getsize(path), crashed.facts)
                os.truncate(path, crashed.facts)
                self.assert_recovers(crashed, site)

    def test_undo_truncation_in_the_log(self):
        """The file as the server left it, and as it was before the server could shorten it."""
        config = realserver.Config(undo_tablespaces=3, undo_truncate=True)
        crashed = staging.crash("undo", config, _nothing, lambda sql, _: undo.truncate_once(sql))
        summary = redoubt.log_summary(crashed.crashed, config)
        self.assertGreater(summary.document["record_counts"].get("TRIM_PAGES", 0), 0)
        for longer_by in (0, 8 << 20):
            with self.subTest(longer_by=longer_by):
                site = crashed.copy()
                for number in (1, 2, 3):
                    path = os.path.join(site.data, f"undo00{number}")
                    os.truncate(path, os.path.getsize(path) + longer_by)
                self.assert_recovers(crashed, site, reference=crashed.oracle_of(site))
