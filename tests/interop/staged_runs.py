"""Staged: what recovery promises of itself: same bytes whatever the memory and threads, again and
again, interrupted or not, and never on a directory in use."""

import os
import signal
import subprocess
import time
import unittest

import realserver
import redoubt
import staging
import surgery
import workload

_CONFIGS = {
    "long-log": realserver.Config(),
    "flushed-meanwhile": realserver.Config(buffer_pool="24M", undo_tablespaces=3),
    "encrypted": realserver.Config(encryption="cbc", buffer_pool="24M"),
    "page-compressed": realserver.Config(page_compressed="lz4"),
}
_LOAD_SECONDS = 2
_HOT_REDO = 130 << 20       # bytes: four million entries for a few hundred pages
_HOT_MEMORY = 64 << 20
_MEMORY_BESIDE = 64 << 20   # what recovery may take beside --memory
_LOG_START = 12288  # bytes of header and checkpoint blocks
_INTERRUPTIONS = (0.15, 0.4, 0.65, 0.9)  # fractions of an undisturbed recovery's time


def _crash(name):
    """A random load, killed."""
    config = _CONFIGS[name]

    def second(_, server):
        load = workload.Workload(server, config, seed=7)
        load.run(_LOAD_SECONDS, then=server.kill)

    return staging.crash(f"load-{name}", config, lambda sql: None, second)


class Runs(staging.StagedTest):

    def test_memory_and_threads_do_not_change_the_result(self):
        for name in _CONFIGS:
            with self.subTest(name):
                crashed = _crash(name)
                results = {}
                for memory in ("8M", "4G"):
                    for threads in ("1", "2"):
                        site = crashed.copy()
                        self.assert_recovers(crashed, site, "--memory", memory,
                                             "--threads", threads, server=False)
                        results[memory, threads] = surgery.fingerprints(site.data)
                first = results.popitem()
                for setting, files in results.items():
                    self.assertEqual(files, first[1], f"{setting} against {first[0]}")

    def test_memory_keeps_to_its_cap_where_few_pages_are_hot(self):
        def heat(sql, _):
            while int(sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_checkpoint_age'")[0][1]) < _HOT_REDO:
                sql.query("UPDATE t SET k=k+1")

        def first(sql):
            sql.query("CREATE TABLE t (id INT PRIMARY KEY, k INT) ENGINE=InnoDB")
            sql.query("INSERT INTO t SELECT seq, seq FROM seq_1_to_3000")

        crashed = staging.crash("hot", realserver.Config(), first, heat)
        site = crashed.copy()
        line = redoubt.command("recover", site.data, "--memory", f"{_HOT_MEMORY}")
        code, peak = redoubt.peak_anonymous_memory([*line, "--quiet"])
        self.assertEqual(code, redoubt.OK)
        self.assertGreater(peak, 0)
        self.assertLess(peak * 1024, _HOT_MEMORY + _MEMORY_BESIDE)
        self.assertEqual(redoubt.differences(site, crashed.reference(), crashed.config), [])

    def test_second_recovery_changes_nothing(self):
        crashed = _crash("flushed-meanwhile")
        site = crashed.copy()
        self.assert_recovers(crashed, site, server=False)
        before = surgery.fingerprints(site.data)
        self.assert_recovers(crashed, site, server=False)
        self.assertEqual(surgery.fingerprints(site.data), before)

    def test_recovery_killed_and_run_again_gives_the_same_bytes(self):
        for name in ("long-log", "flushed-meanwhile", "encrypted"):
            crashed = _crash(name)
            site = crashed.copy()
            begun = time.monotonic()
            self.assert_recovers(crashed, site, server=False)
            duration = time.monotonic() - begun
            expected = self._pages(site)
            for fraction in _INTERRUPTIONS:
                with self.subTest(name, fraction=fraction):
                    site = crashed.copy()
                    line = redoubt.command("recover", site.data, site=site, config=crashed.config)
                    with subprocess.Popen(line, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL) as recovery:
                        time.sleep(duration * fraction)
                        recovery.kill()
                    self.assert_recovers(crashed, site, server=False)
                    self.assertEqual(self._pages(site), expected)

    def test_killed_between_the_checkpoint_record_and_its_block(self):
        """Everything is done but the block that makes the new checkpoint count: both the server and
        another recovery go on from the old one."""
        crashed = _crash("long-log")
        site = crashed.copy()
        log = surgery.log_path(site.data)
        with open(log, "rb") as file:
            blocks = file.read(_LOG_START)
        self.assert_recovers(crashed, site, server=False)
        expected = self._pages(site)
        surgery.write(log, 0, blocks)
        kept = realserver.Site(site.folder + "-kept")
        kept.bring(site.folder)
        self.assert_recovers(crashed, site, server=False)
        self.assertEqual(self._pages(site), expected)
        site.bring(kept.folder)
        self.assert_server_accepts(crashed, site)
        kept.remove()

    @staticmethod
    def _pages(site):
        """Fingerprints without the log: one more FILE_CHECKPOINT is in it if the kill came between
        that and the checkpoint block."""
        files = surgery.fingerprints(site.data)
        del files["ib_logfile0"]
        return files

    def test_directory_in_use_is_refused(self):
        crashed = _crash("long-log")
        site = crashed.copy()
        with realserver.Server(site, crashed.config) as server:
            answer = self.recover(crashed, site)
            self.assertEqual(answer.code, redoubt.REFUSED, answer.text)
            self.assertIn("in use", answer.text)
            with server.connect() as sql:
                problems, _ = realserver.check_tables(sql)
            server.shut_down()
        self.assertEqual(problems, [])

    def test_directory_of_a_frozen_server_is_refused_and_left_alone(self):
        crashed = _crash("long-log")
        site = crashed.copy()
        with realserver.Server(site, crashed.config) as server:
            server.freeze()
            self.assert_refused(crashed, site, [redoubt.REFUSED], ["in use"])

    def test_interrupted_by_the_operator(self):
        """SIGINT ends recovery with its own code (18), unless it was faster; either way the next
        run completes it."""
        crashed = _crash("long-log")
        site = crashed.copy()
        line = redoubt.command("recover", site.data, site=site, config=crashed.config)
        with subprocess.Popen(line, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as recovery:
            time.sleep(0.1)
            recovery.send_signal(signal.SIGINT)
            self.assertIn(recovery.wait(redoubt.RECOVER_TIMEOUT_S),
                          (redoubt.OK, redoubt.INTERRUPTED))
        self.assert_recovers(crashed, site)

    def test_disk_full_is_said_and_the_next_run_completes(self):
        crashed = staging.crash("disk-full", realserver.Config(log_size="64M"),
                                lambda sql: staging.make_table(sql, "t", 100),
                                lambda sql, _: staging.add_rows(sql, "t", 60000))
        reference = crashed.reference()
        with SmallDisk(crashed.crashed.data, spare=2 << 20) as disk:
            line = redoubt.command("recover", disk.data)
            answer = redoubt.run(line)
            self.assertEqual(answer.code, redoubt.NO_SPACE, answer.text)
            for word in ("no-space", disk.data, "free space"):
                self.assertIn(word, answer.text)
            disk.leave(64 << 20)
            answer = redoubt.run(line)
            self.assertEqual(answer.code, redoubt.OK, answer.text)
            site = realserver.Site(disk.folder)
            self.assertEqual(redoubt.differences(site, reference, crashed.config), [])


class SmallDisk:
    """A file system of its own with a copy of a data directory and only `spare` bytes beside it.
    Skips the test where this process may not mount one."""

    def __init__(self, source, spare):
        self.folder = staging.scratch().path("small-disk")
        self.data = os.path.join(self.folder, "data")
        self._source, self._spare = source, spare

    def __enter__(self):
        os.makedirs(self.folder)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2G", "tmpfs", self.folder],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if mounted.returncode != 0:
            raise unittest.SkipTest(f"cannot mount a small disk: {mounted.stdout.strip()}")
        try:
            realserver.copy_tree(self._source, self.data)
            self.leave(self._spare)
        except BaseException:
            self.__exit__()
            raise
        return self

    def leave(self, spare):
        """Only so many bytes are free from now on."""
        state = os.statvfs(self.folder)
        size = (state.f_blocks - state.f_bfree) * state.f_frsize + spare
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder], check=True)
