#!/usr/bin/env python3
"""Stale pages: an older image of a page, whole in itself, is put back. Does `redoubt verify` find it?

On a stopped and on a crashed directory the redo log knows of the page's last change, on a backup the
manifest has the file's hash. For some of the pages of a table whose rows were all changed.
REDOUBT_KEEP=1 keeps the directories.
"""

import os
import shutil
import sys
import unittest

import damage_cases
import hot_backup
import realserver
import redoubt
import staging
import surgery

_CTEST_SKIP = 77
_FILE = f"{staging.DATABASE}/t.ibd"
_ROWS = 3000
_PAGES_MAX = 6


class _Site:
    """A table whose file is kept as it was before its rows were changed once more."""

    def __init__(self, config):
        self.config = config
        self.site = realserver.Site(staging.scratch().path(config.label()))
        self.older = self.site.folder + "-older.ibd"
        self.backup = self.site.folder + "-backup"
        realserver.Templates(staging.scratch().path("templates")).fill(self.site, config)
        with self.server() as server:
            with server.connect() as sql:
                sql.query(f"CREATE DATABASE {staging.DATABASE}")
                sql.query(f"USE {staging.DATABASE}")
                staging.make_table(sql, "t", _ROWS, "PAGE_COMPRESSED=1" if config.page_compressed else "")
            server.shut_down()
        shutil.copyfile(self.path(_FILE), self.older)

    def path(self, file):
        return os.path.join(self.site.data, file)

    def server(self, *options):
        return realserver.Server(self.site, self.config, options)

    def change(self, sql):
        sql.query(f"UPDATE {staging.DATABASE}.t SET v = REVERSE(v)")

    def put_back(self, file):
        """One page of `file` after the other, of those that have an older image, is replaced by it; yields its number."""
        size = self.config.page_size

        def both(page):
            return [surgery.read(path, page * size, size) for path in (self.older, file)]

        older = [page for page in range(os.path.getsize(self.older) // size)
                 if len({image[16:24] for image in both(page)} | {bytes(8)}) == 3]  # their LSNs, none of them 0
        for page in older[::len(older) // _PAGES_MAX + 1]:
            old, new = both(page)
            surgery.write(file, page * size, old)
            try:
                yield page
            finally:
                surgery.write(file, page * size, new)

    def verify(self, folder):
        return redoubt.run(redoubt.command("verify", folder, site=self.site, config=self.config))


class StalePages(unittest.TestCase):
    """Each in every kind of file: plain, old checksums, encrypted, page_compressed."""

    def _each(self, check):
        for config in damage_cases.CONFIGS:
            with self.subTest(config.label()):
                check(_Site(config))

    def _assert_whole(self, one, folder):
        answer = one.verify(folder)
        self.assertEqual(answer.code, redoubt.OK, answer.text)

    def _assert_found(self, one, folder, file, kind, page=None):
        answer = one.verify(folder)
        self.assertEqual(answer.code, redoubt.DAMAGE, answer.text)
        found = [finding for finding in answer.document["findings"] if finding["kind"] == kind]
        self.assertEqual([(finding["file"], finding.get("page")) for finding in found], [(file, page)], answer.text)

    def _assert_each_found(self, one):
        self._assert_whole(one, one.site.data)
        pages = 0
        for page in one.put_back(one.path(_FILE)):
            self._assert_found(one, one.site.data, _FILE, "page-stale", page)
            pages += 1
        self.assertGreater(pages, 3)
        self._assert_whole(one, one.site.data)

    def test_stopped(self):
        def check(one):
            with one.server() as server:
                with server.connect() as sql:
                    one.change(sql)
                server.shut_down()
            self._assert_each_found(one)
        self._each(check)

    def _crash(self, one, *options):
        """The changes that the older images lack lie before the checkpoint; redo behind it changes the same pages again."""
        with one.server(*options) as server:
            with server.connect() as sql:
                one.change(sql)
            server.shut_down()
        with one.server(*options) as server:
            with server.connect() as sql:
                one.change(sql)
            server.kill()

    def test_crashed(self):
        def check(one):
            self._crash(one, "--innodb-doublewrite=OFF")  # else it still has images of some of the pages
            self._assert_each_found(one)
        self._each(check)

    def test_crashed_with_a_copy(self):
        """The doublewrite buffer still has the pages' last images: recovery takes them, and verify says so."""
        def check(one):
            self._crash(one)
            crashed = one.site.copy_to(one.site.folder + "-crashed")
            stale = one.put_back(one.path(_FILE))
            page = next(stale)
            answer = one.verify(one.site.data)
            self.assertEqual(answer.code, redoubt.OK, answer.text)
            self.assertIn(("torn-page", _FILE, page), [(finding["kind"], finding.get("file"), finding.get("page"))
                                                      for finding in answer.document["findings"]])
            recovered = self._recover(one)
            stale.close()
            one.site.bring(crashed.folder)
            self.assertEqual(recovered, self._recover(one))
        self._each(check)

    def _recover(self, one):
        """The table's bytes as recovery leaves them."""
        answer = redoubt.recover(one.site, one.config)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        with open(one.path(_FILE), "rb") as file:
            return file.read()

    def _assert_found_in_backup(self, one):
        self._assert_whole(one, one.backup)
        stale = one.put_back(os.path.join(one.backup, _FILE))
        self.assertIsNotNone(next(stale, None))
        self._assert_found(one, one.backup, _FILE, "file-changed")
        stale.close()
        self._assert_whole(one, one.backup)

    def test_backup_with_manifest(self):
        def check(one):
            with one.server() as server:
                with server.connect() as sql:
                    one.change(sql)
                    staging.flush_table(sql, f"{staging.DATABASE}.t")
                result = hot_backup.back_up(server, one.backup, one.site, one.config)
                self.assertEqual(result.code, redoubt.OK, result.text)
                server.shut_down()
            self._assert_found_in_backup(one)
        self._each(check)

    def test_prepared_backup_with_manifest(self):
        """A file that prepare had no reason to change keeps its hash, also when prepare is interrupted and run again."""
        def check(one):
            one.backup += "-to-be-prepared"
            with one.server() as server:
                with server.connect() as sql:
                    one.change(sql)
                server.shut_down()
            with one.server() as server:
                with server.connect() as sql:
                    sql.query(f"USE {staging.DATABASE}")
                    staging.make_table(sql, "other", 10)
                result = hot_backup.back_up(server, one.backup, one.site, one.config)
                self.assertEqual(result.code, redoubt.OK, result.text)
                server.shut_down()
            last_step = os.path.join(one.backup, "xtrabackup_checkpoints.tmp")
            os.makedirs(os.path.join(last_step, "in the way"))
            prepare = redoubt.command("prepare", one.backup, site=one.site, config=one.config)
            self.assertNotEqual(redoubt.run(prepare).code, redoubt.OK)
            shutil.rmtree(last_step)
            self._assert_whole(one, one.backup)
            answer = redoubt.run(prepare)
            self.assertEqual(answer.code, redoubt.OK, answer.text)
            self._assert_found_in_backup(one)
        self._each(check)


def main(arguments):
    missing = realserver.missing_parts() + redoubt.missing_parts()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(arguments, StalePages) if arguments else loader.loadTestsFromTestCase(StalePages)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
