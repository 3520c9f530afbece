"""Staged: pages torn by the crash, with and without a good copy in the doublewrite buffer."""

import realserver
import redoubt
import staging
import surgery

_CONFIGS = {
    "plain": realserver.Config(),
    "old-format": realserver.Config(checksum="crc32"),
    "small-pages": realserver.Config(page_size=4096),
    "big-pages": realserver.Config(page_size=65536),
    "encrypted": realserver.Config(encryption="ctr"),
    "encrypted-old-format": realserver.Config(encryption="cbc", checksum="crc32"),
}
_TORN_MAX = 5  # pages torn in one test


def _first_run(sql):
    staging.make_table(sql, "t", 3000)


def _second_run(sql, _):
    """Every page of t changes, page 0 too (the table grows), and is written home."""
    sql.query("CREATE TABLE holds_the_checkpoint (a INT) ENGINE=InnoDB")
    sql.query("UPDATE t SET v=REVERSE(v)")
    staging.add_rows(sql, "t", 20000)
    staging.flush_table(sql, "t")
    sql.query("UPDATE t SET k=k+1 WHERE id <= 3000")
    staging.flush_table(sql, "t")


class Doublewrite(staging.StagedTest):

    def _stage(self, name):
        crashed = staging.crash(f"dw-{name}", _CONFIGS[name], _first_run, _second_run)
        site = crashed.copy()
        path = staging.table_path(site, "t")
        homes = surgery.doublewrite_homes(site.data, crashed.config.page_size, path)
        self.assertTrue(homes, "the crash left no usable doublewrite slot of t")
        return crashed, site, path, [home.page for home in homes]

    def test_torn_pages_are_healed(self):
        for name in _CONFIGS:
            with self.subTest(name):
                crashed, site, path, pages = self._stage(name)
                torn = [page for page in pages if page != 0][:_TORN_MAX]
                for page in torn:
                    surgery.tear(path, page, crashed.config.page_size)
                answer = self.assert_recovers(crashed, site)
                healed = answer.document["pages"]["restored_from_doublewrite"]
                self.assertGreaterEqual(healed, len(torn))

    def test_pages_written_as_zeros_are_healed(self):
        for name in ("plain", "encrypted"):
            with self.subTest(name):
                crashed, site, path, pages = self._stage(name)
                for page in [page for page in pages if page != 0][:_TORN_MAX]:
                    surgery.blank(path, page, crashed.config.page_size)
                self.assert_recovers(crashed, site)

    def test_torn_first_page_is_healed(self):
        """10.11 itself gives up here unless the page is all zeros."""
        for name in _CONFIGS:
            for damage in (surgery.tear, surgery.blank):
                with self.subTest(name, damage=damage.__name__):
                    crashed, site, path, pages = self._stage(name)
                    self.assertIn(0, pages, "page 0 of t is in no doublewrite slot")
                    damage(path, 0, crashed.config.page_size)
                    self.assert_recovers(crashed, site)

    def test_damage_without_a_copy_is_named_and_nothing_is_lost(self):
        for name in ("plain", "old-format", "encrypted"):
            for damage in (surgery.tear, surgery.flip_bit):
                with self.subTest(name, damage=damage.__name__):
                    crashed, site, path, pages = self._stage(name)
                    size = crashed.config.page_size
                    page = next(page for page in pages if page != 0)
                    good = surgery.read(path, page * size, size)
                    surgery.clear_doublewrite(site.data, size)
                    damage(path, page, size)
                    self.assert_fails(crashed, site, [redoubt.DAMAGE],
                                      ["d/t.ibd", f"page {page}"])
                    surgery.write(path, page * size, good)
                    self.assert_recovers(crashed, site)
