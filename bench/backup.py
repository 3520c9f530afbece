#!/usr/bin/env python3
"""How does a hot backup compare with mariadb-backup's? One server, the same load, backups by both in turns.

  idle     the whole backup of an idle server, wall clock and peak memory (`mariadb-backup --parallel=2` against `redoubt backup`,
           which checks every page, hashes every file, syncs what it wrote and reads the copied log back); also with a sync after
           mariadb-backup, which syncs nothing: until then its backup is in the page cache
  stall    one writer makes 300 transactions a second; the longest commit it saw while a backup ran, against what the tool said
  load     sysbench oltp_read_write: transactions a second without a backup, and while backups follow each other

    bench/backup.py [--mb 2000] [--rounds 3] [--seconds 20]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import threading
import time

import common
import realserver
import redoubt

_ROW_BYTES = 230  # of a sysbench table, roughly, index included
_TABLES = 4


def sysbench(server, rows, *arguments):
    return ["sysbench", "oltp_read_write", f"--mysql-socket={server.socket}", "--mysql-user=root", "--mysql-db=sb", f"--tables={_TABLES}",
            f"--table-size={rows}", *arguments]


def peer(server, site, folder):
    return [realserver.MARIADB_BACKUP, "--no-defaults", "--backup", f"--target-dir={folder}", f"--datadir={site.data}", f"--socket={server.socket}",
            "--user=root", "--parallel=2"]


def ours(server, _site, folder):
    return [redoubt.REDOUBT, "backup", folder, "--socket", server.socket, "--user", "root", "--json", "--quiet"]


TOOLS = (("mariadb-backup", peer), ("redoubt", ours))


def make_room(folder):
    """Without the last backup. The disk is told of its free blocks after the call, which commits feel for seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    common.settle()
    time.sleep(4)
    common.settle()


def take(command, server, site, folder):
    make_room(folder)
    return common.timed(command(server, site, folder))


class Writer:
    """300 transactions a second, each one row, timed from outside."""

    def __init__(self, server):
        self._sql = server.connect()
        self._sql.query("CREATE TABLE IF NOT EXISTS sb.writer (id INT AUTO_INCREMENT PRIMARY KEY, v CHAR(100)) ENGINE=InnoDB")
        self._stop = threading.Event()
        self.longest_ms = 0
        self._thread = threading.Thread(target=self._work)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _work(self):
        due = time.monotonic()
        while not self._stop.is_set():
            due += 1 / 300
            time.sleep(max(0, due - time.monotonic()))
            begun = time.monotonic()
            self._sql.query("INSERT INTO sb.writer (v) VALUES (REPEAT('x', 90))")
            self.longest_ms = max(self.longest_ms, (time.monotonic() - begun) * 1000)
            due = max(due, time.monotonic() - 0.1)


def idle(server, site, folder, rounds):
    times = {name: [] for name, _ in TOOLS}
    durable = []
    peaks = {name: 0 for name, _ in TOOLS}
    for _ in range(rounds):
        for name, command in TOOLS:
            seconds, peak, _ = take(command, server, site, folder)
            times[name].append(seconds)
            if name == "mariadb-backup":
                begun = time.monotonic()
                common.settle()
                durable.append(seconds + time.monotonic() - begun)
            peaks[name] = max(peaks[name], peak)
    medians = [common.line(f"idle: {name}", times[name]) for name, _ in TOOLS]
    durable_s = common.line("idle: mariadb-backup, then sync", durable)
    make_room(folder)
    _, anonymous = common.timed_anonymous(ours(server, site, folder))
    print(f"speed against mariadb-backup {medians[0] / medians[1]:.2f}, with its sync {durable_s / medians[1]:.2f} (to reach: 1 or more); peak resident {peaks['redoubt'] / 1024:.0f} MiB, "
          f"anonymous {anonymous / 1024:.0f} MiB (at most 64); mariadb-backup {peaks['mariadb-backup'] / 1024:.0f} MiB")


def stall(server, site, folder, rounds):
    with Writer(server) as writer:
        time.sleep(3)
        print(f"stall: longest commit without a backup {writer.longest_ms:.1f} ms")
    longest = {name: [] for name, _ in TOOLS}
    for _ in range(rounds):
        for name, command in TOOLS:
            make_room(folder)
            with Writer(server) as writer:
                time.sleep(1)
                writer.longest_ms = 0
                _, _, output = common.timed(command(server, site, folder))
            longest[name].append(writer.longest_ms)
            if name == "redoubt":
                said = json.loads(output)
                print(f"  redoubt says longest commit {said['longest_commit_ms']:.1f} ms (lock {said['commits_blocked_ms']:.1f} ms), the writer saw "
                      f"{writer.longest_ms:.1f} ms: {said['longest_commit_ms'] / writer.longest_ms:.2f}")
    medians = [common.line(f"stall: {name}", longest[name], "ms") for name, _ in TOOLS]
    print(f"stall against mariadb-backup's {medians[1] / medians[0]:.3f} (to reach: 0.1 or less)")


def load(server, site, folder, rows, rounds, seconds):
    def rate(command):
        stop = threading.Event()

        def back_up():
            while not stop.is_set():
                take(command, server, site, folder)

        backups = threading.Thread(target=back_up)
        if command:
            backups.start()
        out = subprocess.run(sysbench(server, rows, "--threads=2", f"--time={seconds}", "run"), capture_output=True, text=True, check=True).stdout
        stop.set()
        if command:
            backups.join()
        return float(out.split("transactions:")[1].split("(")[1].split(" per sec")[0])

    rates = {"no backup": [], "mariadb-backup": [], "redoubt": []}
    for _ in range(rounds):
        rates["no backup"].append(rate(None))
        for name, command in TOOLS:
            rates[name].append(rate(command))
    for name, values in rates.items():
        common.line(f"load: transactions a second, {name}", values, "tps")
    base = statistics.median(rates["no backup"])
    lost = [1 - statistics.median(rates[name]) / base for name, _ in TOOLS]
    print(f"throughput lost: mariadb-backup {lost[0]:.0%}, redoubt {lost[1]:.0%} (to reach: not more)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=2000, help="size of the tables")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="of each sysbench run")
    parser.add_argument("--target", help="directory to back up into, on tmpfs say; else beside the server's")
    parser.add_argument("--only", choices=("idle", "stall", "load"))
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    config = realserver.Config(buffer_pool="512M", log_size="1G")
    rows = options.mb * 1_000_000 // _ROW_BYTES // _TABLES
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        folder = f"{options.target}/redoubt-bench-{os.getpid()}" if options.target else scratch.path("backup")
        realserver.Templates(scratch.path("templates")).fill(site, config)
        with realserver.Server(site, config) as server:
            with server.connect() as sql:
                sql.query("CREATE DATABASE sb")
            subprocess.run(sysbench(server, rows, "--threads=2", "prepare"), check=True, capture_output=True)
            with server.connect() as sql:
                sql.query("SET GLOBAL innodb_log_checkpoint_now=ON")
            common.warm(site.data)
            if options.only in (None, "idle"):
                idle(server, site, folder, options.rounds)
            if options.only in (None, "stall"):
                stall(server, site, folder, options.rounds)
            if options.only in (None, "load"):
                load(server, site, folder, rows, options.rounds, options.seconds)
            server.shut_down()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
