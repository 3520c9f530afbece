"""Staged: redo logs that are cut short, damaged, foreign, or cannot be decrypted."""

import dataclasses
import os
import time

import realserver
import redoubt
import staging
import surgery

_PLAIN = realserver.Config()
_ENCRYPTED = realserver.Config(encryption="ctr")
_FOREIGN_FORMATS = {  # number in the header: what the message must name
    0x50485953: "10.5",
    103: "10.3",
    104: "10.4",
    6: "MySQL",
}
_OLD_VERSION, _NEW_VERSION = 2, 3  # of debug_key_management
_ROTATION_TIMEOUT_S = 60
_UNREADABLE = [redoubt.DAMAGE, redoubt.UNSUPPORTED, redoubt.REDO_LOST]


def _first_run(sql):
    staging.make_table(sql, "t", 2000)


def _second_run(sql, _):
    """Changes in the log, and pages written home whose LSN is near the log's end."""
    sql.query("CREATE TABLE holds_the_checkpoint (a INT) ENGINE=InnoDB")
    staging.add_rows(sql, "t", 5000)
    end = int(sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'")[0][1])
    sql.query("UPDATE t SET v=REVERSE(v)")
    staging.flush_table(sql, "t")
    return end


class Log(staging.StagedTest):

    def _stage(self, config=_PLAIN):
        crashed = staging.crash(f"log-{config.encryption or 'plain'}", config, _first_run,
                                _second_run)
        return crashed, crashed.copy()

    def test_file_cut_short(self):
        crashed, site = self._stage()
        head = surgery.log_head(site.data)
        middle = head.offset((head.checkpoint + crashed.facts) // 2)
        os.truncate(head.path, middle & ~4095)
        self.assert_refused(crashed, site, _UNREADABLE, ["redo log"])

    def test_file_cut_to_its_header(self):
        for size in (0, 512, 4096, 12288):
            with self.subTest(size=size):
                crashed, site = self._stage()
                os.truncate(surgery.log_path(site.data), size)
                self.assert_refused(crashed, site, _UNREADABLE, ["ib_logfile0"])

    def test_missing_file(self):
        crashed, site = self._stage()
        os.unlink(surgery.log_path(site.data))
        self.assert_refused(crashed, site, [redoubt.IO, *_UNREADABLE], ["ib_logfile0"])

    def test_pages_newer_than_the_end_of_the_log(self):
        """The end of the log is lost: what was written home after it contradicts what is left."""
        crashed, site = self._stage()
        head = surgery.log_head(site.data)
        surgery.write(head.path, head.offset(crashed.facts), bytes(64 << 20))
        self.assert_fails(crashed, site, [redoubt.DAMAGE, redoubt.REDO_LOST], ["d/t.ibd", "page"])

    def test_one_bad_checkpoint_block_is_no_harm(self):
        """The older block begins earlier in the same log. The oracle sees the same damage."""
        crashed, site = self._stage()
        head = surgery.log_head(site.data)
        surgery.write(head.path, head.checkpoint_block, surgery.noise(512))
        self.assert_recovers(crashed, site, reference=crashed.oracle_of(site))

    def test_no_good_checkpoint_block(self):
        crashed, site = self._stage()
        for offset in (4096, 8192):
            surgery.write(surgery.log_path(site.data), offset, surgery.noise(512))
        self.assert_refused(crashed, site, _UNREADABLE, ["checkpoint"])

    def test_bad_header(self):
        crashed, site = self._stage()
        surgery.write(surgery.log_path(site.data), 100, b"\x55")
        self.assert_refused(crashed, site, _UNREADABLE, ["ib_logfile0"])

    def test_foreign_formats_are_named(self):
        for number, name in _FOREIGN_FORMATS.items():
            with self.subTest(format=hex(number)):
                crashed, site = self._stage()
                surgery.set_log_format(site.data, number)
                self.assert_refused(crashed, site, [redoubt.UNSUPPORTED], [name])


class Keys(staging.StagedTest):

    def _stage(self):
        crashed = staging.crash(
            "keys", _ENCRYPTED,
            lambda sql: staging.make_table(sql, "t", 500, "ENCRYPTED=YES ENCRYPTION_KEY_ID=2"),
            lambda sql, _: sql.query("UPDATE t SET k=k+1"))
        return crashed, crashed.copy()

    def _refused(self, site, line, words):
        before = surgery.fingerprints(site.data)
        answer = redoubt.run(line)
        self.assertEqual(answer.code, redoubt.KEY, answer.text)
        for word in words:
            self.assertIn(word, answer.text)
        self.assertEqual(surgery.fingerprints(site.data), before)
        with open(site.key_file, encoding="ascii") as keys:
            for entry in keys.read().split():
                self.assertNotIn(entry.partition(";")[2], answer.text, "a key was printed")

    def test_no_keys_given(self):
        _, site = self._stage()
        self._refused(site, redoubt.command("recover", site.data), ["key"])

    def test_key_of_a_table_missing(self):
        crashed, site = self._stage()
        with open(site.key_file, encoding="ascii") as keys:
            first = keys.readline()
        with open(site.key_file, "w", encoding="ascii") as keys:
            keys.write(first)
        self._refused(site, redoubt.command("recover", site.data, site=site,
                                            config=crashed.config), ["key", "2"])

    def test_wrong_keys(self):
        crashed, site = self._stage()
        with open(site.key_file, "w", encoding="ascii") as keys:
            keys.write(f"1;{'5a' * 32}\n2;{'a5' * 32}\n")
        self._refused(site, redoubt.command("recover", site.data, site=site,
                                            config=crashed.config), ["key"])

    def test_wrong_key_of_one_table(self):
        crashed, site = self._stage()
        with open(site.key_file, encoding="ascii") as keys:
            first = keys.readline()
        with open(site.key_file, "w", encoding="ascii") as keys:
            keys.write(f"{first}2;{'a5' * 32}\n")
        self._refused(site, redoubt.command("recover", site.data, site=site,
                                            config=crashed.config), ["key", "d/t.ibd"])

    def test_wrong_cipher_mode(self):
        _, site = self._stage()
        other = realserver.Config(encryption="cbc")
        self._refused(site, redoubt.command("recover", site.data, site=site, config=other),
                      ["key"])


class Rotation(staging.StagedTest):
    """Key rotation that the crash interrupts: pages of two key versions in one file."""

    def _stage(self, checksum):
        config = realserver.Config(checksum=checksum, debug_key_version=_NEW_VERSION, options=(
            f"--debug-key-management-version={_OLD_VERSION}", "--innodb-encryption-rotate-key-age=1",
            "--innodb-encryption-rotation-iops=50", "--innodb-max-dirty-pages-pct=0"))

        def rotate(sql, server):
            sql.query(f"SET GLOBAL debug_key_management_version={_NEW_VERSION}")
            deadline = time.monotonic() + _ROTATION_TIMEOUT_S
            while not {_OLD_VERSION, _NEW_VERSION} <= self._versions(server.site, checksum):
                self.assertLess(time.monotonic(), deadline, "no rotation was seen")
                sql.query("UPDATE t SET k=k+1 LIMIT 50")
            sql.query("SET GLOBAL innodb_max_dirty_pages_pct=99")
            sql.query("UPDATE t SET v=REVERSE(v)")

        crashed = staging.crash(f"rotation-{checksum}", config,
                                lambda sql: staging.make_table(sql, "t", 60000), rotate)
        return crashed, crashed.copy()

    @staticmethod
    def _versions(site, checksum):
        """Key versions that the table's pages on disk carry."""
        at = 0 if checksum == "full_crc32" else 26
        with open(staging.table_path(site, "t"), "rb") as file:
            pages = iter(lambda: file.read(16384), b"")
            return {int.from_bytes(page[at:at + 4], "big") for page in pages if any(page[:38])}

    def test_pages_of_two_key_versions(self):
        for checksum in ("full_crc32", "crc32"):
            with self.subTest(checksum=checksum):
                crashed, site = self._stage(checksum)
                self.assertLessEqual({_OLD_VERSION, _NEW_VERSION}, self._versions(site, checksum))
                self.assert_recovers(crashed, site, server=False)
                verified = redoubt.run(redoubt.command("verify", site.data, site=site,
                                                       config=crashed.config))
                self.assertEqual(verified.code, redoubt.OK, verified.text)
                self.assert_server_accepts(crashed, site)

    def test_the_new_version_is_missing(self):
        crashed, site = self._stage("full_crc32")
        old = dataclasses.replace(crashed.config, debug_key_version=_OLD_VERSION)
        before = surgery.fingerprints(site.data)
        answer = redoubt.recover(site, old)
        self.assertEqual(answer.code, redoubt.KEY, answer.text)
        for word in (f"version {_NEW_VERSION}", "ibdata1", "page"):
            self.assertIn(word, answer.text)
        self.assertEqual(surgery.fingerprints(site.data), before, answer.text)
