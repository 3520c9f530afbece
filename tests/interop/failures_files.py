"""Failing backups: full disks, unreadable, missing, stray and damaged files."""

import os
import shutil
import subprocess

import failures
import redoubt
import sqlproxy
import surgery

_D = failures.DATABASE
_PAGE = 16384
_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


class Target(failures.FailureTest):
    """The directory that the backup goes to."""

    def small_disk(self, megabytes):
        """A file system of that size; skips the test where it may not be mounted."""
        where = self.path("disk")
        os.makedirs(where, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", where], check=False, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("may not mount a tmpfs: " + mounted.stderr.decode(errors="replace").strip())
        self.addCleanup(subprocess.run, ["umount", where], check=False)
        return where

    def test_no_room_is_said_before_anything_is_copied(self):
        server = self.start()
        self.fill(server)
        self.small_disk(24)
        backup, answer = self.back_up(server, folder="disk/backup")
        self.assert_failed(backup, answer, redoubt.NO_SPACE, self.path("disk"), "hint: ")
        self.assertFalse(os.path.exists(backup.folder))
        self.assert_unlocked(server)

    def test_disk_that_fills_up_in_the_middle(self):
        server = self.start()
        self.fill(server)
        disk = self.small_disk(200)
        backup = self.stopped_in_copy(server, folder="disk/backup")
        room = os.statvfs(disk)
        with open(os.path.join(disk, "other"), "wb") as other:
            os.posix_fallocate(other.fileno(), 0, room.f_bavail * room.f_frsize - (1 << 20))
        backup.resume()
        answer = backup.finish()
        self.assert_failed(backup, answer, redoubt.NO_SPACE, f"{_D}/big.ibd", "hint: ")
        self.assert_unlocked(server)

    def test_directory_that_is_not_empty(self):
        server = self.start()
        os.makedirs(self.path("backup"))
        with open(self.path("backup", "mine"), "w", encoding="ascii") as mine:
            mine.write("keep")
        backup, answer = self.back_up(server)
        self.assertEqual(answer.code, redoubt.REFUSED, answer.text)
        self.assertIn(backup.folder, answer.text)
        self.assertEqual(os.listdir(backup.folder), ["mine"])

    def test_finished_backup_is_not_written_over(self):
        server = self.start()
        backup, answer = self.back_up(server)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        _, answer = self.back_up(server)
        self.assertEqual(answer.code, redoubt.REFUSED, answer.text)
        self.assert_good(backup.folder)

    def test_parent_that_is_missing_or_a_file(self):
        server = self.start()
        with open(self.path("file"), "w", encoding="ascii"):
            pass
        for folder in ("file/backup", "file"):
            with self.subTest(folder):
                _, answer = self.back_up(server, folder=folder)
                self.assertIn(answer.code, (redoubt.IO, redoubt.REFUSED), answer.text)
                self.assertIn(self.path("file"), answer.text)
                self.assertNotIn("internal", answer.text)
                self.assertTrue(os.path.isfile(self.path("file")))
        _, answer = self.back_up(server, folder="/proc/redoubt-backup")  # nobody may, and there is no room
        self.assertEqual(answer.code, redoubt.NO_SPACE, answer.text)
        self.assertIn("/proc", answer.text)
        self.assert_unlocked(server)


class Unprivileged(failures.FailureTest):
    """Run by a user who may read the server's files, or not all of them."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("needs root, and setpriv to become nobody")
        os.makedirs(self.path(), exist_ok=True)
        os.chmod(self.path(), 0o755)
        self._binary = shutil.copy(redoubt.REDOUBT, self.path("redoubt"))  # where nobody can get at it
        os.makedirs(self.path("out"))
        os.chown(self.path("out"), 65534, 65534)

    def readable_server(self):
        server = self.start()
        subprocess.run(["chmod", "-R", "a+rX", server.site.folder], check=True)
        with server.connect() as sql:
            sql.query("CREATE USER ba@localhost")
            sql.query("GRANT RELOAD, PROCESS, BINLOG MONITOR ON *.* TO ba@localhost")
        subprocess.run(["chmod", "-R", "a+rX", server.site.folder], check=True)
        return server

    def back_up_as_nobody(self, server, folder="out/backup"):
        line = [*_NOBODY, self._binary, "backup", self.path(folder), "--socket", server.socket, "--user=ba", "--json"]
        backup = failures.Backup(line, self.path(folder))
        self.addCleanup(backup.kill)
        return backup, backup.finish()

    def test_reading_is_enough(self):
        server = self.readable_server()
        backup, answer = self.back_up_as_nobody(server)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        self.assert_good(backup.folder)

    def test_file_that_may_not_be_read(self):
        server = self.readable_server()
        for name in ("small.ibd", "myisam.MYD", "aria.MAI", "small.frm"):
            with self.subTest(name):
                shutil.rmtree(self.path("out", "backup"), ignore_errors=True)
                os.chmod(os.path.join(server.site.data, _D, name), 0o600)
                backup, answer = self.back_up_as_nobody(server)
                os.chmod(os.path.join(server.site.data, _D, name), 0o644)
                self.assert_failed(backup, answer, redoubt.IO, f"{_D}/{name}", "denied", "hint: ")
                self.assert_unlocked(server)

    def test_directory_that_may_not_be_entered(self):
        server = self.readable_server()
        for folder in (_D, "."):
            with self.subTest(folder):
                shutil.rmtree(self.path("out", "backup"), ignore_errors=True)
                os.chmod(os.path.join(server.site.data, folder), 0o700)
                backup, answer = self.back_up_as_nobody(server)
                os.chmod(os.path.join(server.site.data, folder), 0o755)
                self.assertIn(answer.code, (redoubt.IO, redoubt.CONNECTION), answer.text)
                self.assert_failed(backup, answer, answer.code, server.site.data, "hint: ")
                self.assert_unlocked(server)

    def test_parent_that_may_not_be_written(self):
        server = self.readable_server()
        os.makedirs(self.path("shut"), mode=0o755)
        backup, answer = self.back_up_as_nobody(server, folder="shut/backup")
        self.assert_failed(backup, answer, redoubt.IO, self.path("shut", "backup"), "denied")
        self.assertFalse(os.path.exists(backup.folder))


class Files(failures.FailureTest):
    """The server's files: gone, stray, empty, damaged."""

    def test_table_dropped_while_it_is_copied(self):
        server = self.start()
        for what in (f"TABLE {_D}.big", f"DATABASE {_D}"):
            with self.subTest(what):
                self.clear()
                self.fill(server)
                backup = self.stopped_in_copy(server)
                with server.connect() as sql:
                    sql.query("SET SESSION lock_wait_timeout=1")
                    sql.query(f"DROP {what}")
                backup.resume()
                answer = backup.finish()
                self.assertEqual(answer.code, redoubt.OK, answer.text)
                self.assertFalse(os.path.exists(os.path.join(backup.folder, _D, "big.ibd")))
                self.assertEqual(os.path.exists(os.path.join(backup.folder, _D, "small.ibd")), what.startswith("TABLE"))
                self.assert_good(backup.folder, check=lambda sql: self.assertEqual(
                    sql.query("SELECT 1 FROM information_schema.tables WHERE table_name='big'"), []))

    def _lost(self, server, backup, answer, name):
        self.assert_failed(backup, answer, redoubt.DAMAGE, f"{_D}/{name}", "hint: ")
        self.assert_unlocked(server)

    def test_table_file_that_was_gone_before(self):
        """Of a table that no redo tells of, and of one that the server has made just now. The server has the file open."""
        server = self.start()
        with server.connect() as sql:
            sql.query(f"USE {_D}")
            sql.query("CREATE TABLE parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2")
        server.shut_down()
        server.start()
        with server.connect() as sql:
            sql.query(f"SELECT * FROM {_D}.small")
            sql.query(f"CREATE TABLE {_D}.fresh (id INT PRIMARY KEY)")
        for name in ("small", "parted#P#p1", "fresh"):
            with self.subTest(name):
                self.clear()
                path = os.path.join(server.site.data, _D, f"{name}.ibd")
                os.rename(path, self.path("away"))
                backup, answer = self.back_up(server)
                os.rename(self.path("away"), path)
                if name == "fresh":
                    self.assertIn(answer.code, (redoubt.DAMAGE, redoubt.IO), answer.text)
                    self.assert_failed(backup, answer, answer.code, f"{_D}/fresh.ibd")
                else:
                    self._lost(server, backup, answer, f"{name}.ibd")

    def test_lost_table_and_continue_on_damage(self):
        """The rest is backed up, and what is not is listed."""
        server = self.start()
        server.shut_down()
        server.start()
        os.unlink(os.path.join(server.site.data, _D, "small.ibd"))
        backup, answer = self.back_up(server, "--continue-on-damage")
        self.assertEqual(answer.code, redoubt.WARNINGS, answer.text)
        self.assertEqual([finding["file"] for finding in answer.document["findings"]], [f"{_D}/small.ibd"])
        self.assertEqual(redoubt.run(redoubt.command("verify", backup.folder)).code, redoubt.DAMAGE)
        self.assert_unlocked(server)

    def test_discarded_tablespace_is_noted(self):
        """Its file is gone because somebody said so."""
        server = self.start()
        with server.connect() as sql:
            sql.query(f"ALTER TABLE {_D}.small DISCARD TABLESPACE")
        for restarted in (False, True):
            with self.subTest(restarted=restarted):
                self.clear()
                if restarted:
                    server.shut_down()
                    server.start()
                backup, answer = self.back_up(server)
                self.assertEqual(answer.code, redoubt.OK, answer.text)
                self.assert_unlocked(server)
                if restarted:  # else the redo has its deletion
                    self.assertTrue(any(f"{_D}/small.ibd" in note for note in answer.document["notes"]), answer.text)

    def test_table_file_that_goes_in_the_middle(self):
        """Behind the server's back, after it was listed and before it was opened."""
        server = self.start()
        server.shut_down()
        server.start()
        self.fill(server)
        backup = self.stopped_in_copy(server)  # big comes before small
        os.unlink(os.path.join(server.site.data, _D, "small.ibd"))
        backup.resume()
        self._lost(server, backup, backup.finish(), "small.ibd")

    def test_half_of_a_table_without_redo_that_is_gone(self):
        """A note names it: the server has not got the table either."""
        server = self.start()
        for name in ("myisam.MYD", "myisam.MYI", "aria.MAD", "aria.MAI"):
            with self.subTest(name):
                self.clear()
                with server.connect() as sql:
                    sql.query("FLUSH TABLES")
                path = os.path.join(server.site.data, _D, name)
                os.rename(path, self.path("away"))
                backup, answer = self.back_up(server)
                os.rename(self.path("away"), path)
                self.assertEqual(answer.code, redoubt.OK, answer.text)
                self.assertTrue(any(f"{_D}/{name}" in note for note in answer.document["notes"]), answer.text)
                self.assert_unlocked(server)

    def test_stray_files_neither_crash_it_nor_are_lost(self):
        """Files that no table owns: in the backup, or told of."""
        server = self.start()
        folder = os.path.join(server.site.data, _D)
        with server.connect() as sql:
            sql.query(f"USE {_D}")
            sql.query("FLUSH TABLES small FOR EXPORT")
            sql.query("UNLOCK TABLES")
        with open(os.path.join(folder, "small.ibd"), "rb") as small:
            first_page = small.read(_PAGE)
        stray = {"empty.ibd": b"", "zeros.ibd": bytes(_PAGE), "noise.ibd": surgery.noise(_PAGE), "short.ibd": first_page[:1000],
                 "empty.frm": b"", "empty.MYD": b"", "empty.MYI": b"", "empty.MAD": b"", "empty.opt": b""}
        for name, content in stray.items():
            with self.subTest(name):
                self.clear()
                path = os.path.join(folder, name)
                with open(path, "wb") as file:
                    file.write(content)
                backup, answer = self.back_up(server)
                os.unlink(path)
                self.assertIn(answer.code, (redoubt.OK, redoubt.DAMAGE), answer.text)
                if answer.code == redoubt.DAMAGE:
                    self.assert_failed(backup, answer, redoubt.DAMAGE, f"{_D}/{name}")
                else:
                    self.assertTrue(os.path.exists(os.path.join(backup.folder, _D, name)) or f"{_D}/{name}" in answer.text, answer.text)
                    self.assertEqual(redoubt.run(redoubt.command("prepare", backup.folder)).code, redoubt.OK)
                self.assert_unlocked(server)

    def test_copy_of_a_table_file_beside_it(self):
        """Two files with one space id: the backup has the one that the server uses, and a note of the other."""
        server = self.start()
        folder = os.path.join(server.site.data, _D)
        server.shut_down()
        for name in ("a_twin.ibd", "z_twin.ibd"):
            shutil.copy(os.path.join(folder, "small.ibd"), os.path.join(folder, name))
        server.start()
        with server.connect() as sql:
            sql.query(f"UPDATE {_D}.small SET v = 'the right one'")
        backup, answer = self.back_up(server)
        self.assertEqual(answer.code, redoubt.OK, answer.text)
        for name in ("a_twin.ibd", "z_twin.ibd"):
            self.assertFalse(os.path.exists(os.path.join(backup.folder, _D, name)))
            self.assertEqual(len([note for note in answer.document["notes"] if note.startswith(f"{_D}/{name} is not in")]), 1, answer.text)
        self.assert_good(backup.folder, check=lambda sql: self.assertEqual(
            sql.query(f"SELECT DISTINCT v FROM {_D}.small"), [("the right one",)]))

    def test_tables_whose_files_are_empty(self):
        """A table's .frm, data or index file cut to nothing: what is there is copied, or it is told."""
        server = self.start()
        for name in ("myisam.MYD", "myisam.MYI", "aria.MAI", "aria.MAD", "small.frm"):
            with self.subTest(name):
                self.clear()
                path = os.path.join(server.site.data, _D, name)
                with server.connect() as sql:
                    sql.query("FLUSH TABLES")
                with open(path, "rb") as file:
                    content = file.read()
                os.truncate(path, 0)
                backup, answer = self.back_up(server)
                with open(path, "wb") as file:
                    file.write(content)
                self.assertIn(answer.code, (redoubt.OK, redoubt.DAMAGE), answer.text)
                if answer.code == redoubt.DAMAGE:
                    self.assert_failed(backup, answer, redoubt.DAMAGE, f"{_D}/{name}")
                else:
                    self.assertEqual(os.path.getsize(os.path.join(backup.folder, _D, name)), 0)
                self.assert_unlocked(server)

    def test_damaged_page(self):
        server = self.start()
        self.fill(server, "rotten", megabytes=8)
        server.shut_down()
        surgery.write(os.path.join(server.site.data, _D, "rotten.ibd"), 100 * _PAGE + 5000, surgery.noise(300))
        server.start()
        backup, answer = self.back_up(server)
        self.assert_failed(backup, answer, redoubt.DAMAGE, f"{_D}/rotten.ibd", f"table {_D}/rotten", "page 100", "--continue-on-damage")
        self.assert_unlocked(server)
        self.clear()
        backup, answer = self.back_up(server, "--continue-on-damage")
        self.assertEqual(answer.code, redoubt.WARNINGS, answer.text)
        self.assertEqual([(f["file"], f["page"]) for f in answer.document["findings"]], [(f"{_D}/rotten.ibd", 100)])
        with open(os.path.join(backup.folder, "innodb_corrupted_pages"), encoding="utf-8") as text:
            self.assertRegex(text.read(), rf"^{_D}/rotten \d+\n100 \n$")
        found = redoubt.run(redoubt.command("verify", backup.folder))
        self.assertIn(found.code, (redoubt.WARNINGS, redoubt.DAMAGE), found.text)
        self.assertIn("rotten", found.text)
        self.assert_unlocked(server)

    def test_damaged_first_page(self):
        server = self.start()
        self.fill(server, "rotten", megabytes=8)
        path = os.path.join(server.site.data, _D, "rotten.ibd")
        with self.proxy(server) as proxy, proxy.hold("BACKUP STAGE START", sqlproxy.AFTER) as hold:
            backup = self.begin(server, proxy=proxy)
            hold.wait()
            surgery.write(path, 0, surgery.noise(_PAGE))
            hold.release()
            answer = backup.finish()
        self.assert_failed(backup, answer, redoubt.DAMAGE, f"{_D}/rotten.ibd", "page 0")
        self.assert_unlocked(server)


