#!/usr/bin/env python3
"""How fast are answers without a server?

  sum        SUM over a column without an index, one sysbench-like table: mariadbd with the table in its buffer pool, and
             `redoubt sql` of the stopped directory with its files in the page cache (process start included)
  lookup     one row by its key in a directory of many tables, from process start
  first_row  the first row of a table of an unprepared backup with much redo, against `mariadb-backup --prepare` of it

    bench/sql.py [--only sum,lookup,first_row] [--gb 1] [--lookup-gb 10] [--redo-mb 900] [--rounds 5]
"""

import argparse
import os
import shutil
import time

import common
import prepare
import realserver
import redoubt

_ROW_BYTES = 218   # on disk, without an index
_TABLE_BYTES = 500 << 20  # of a table of the directory that `lookup` looks into
_COLUMNS = "id INT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL"
_QUERY = "SELECT SUM(k) FROM b.t0"
_QUIET = ("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF")


def make_table(sql, name, size):
    """Returns the number of rows."""
    rows = size // _ROW_BYTES
    sql.query(f"CREATE TABLE b.{name} ({_COLUMNS}) CHARACTER SET latin1 ENGINE=InnoDB")
    for first in range(0, rows, 100000):
        sql.query(f"INSERT INTO b.{name} (k, c, pad) SELECT FLOOR(RAND(seq)*{rows}), REPEAT(MD5(seq), 3), MD5(seq+1) "
                  f"FROM b.seq_{first + 1}_to_{min(first + 100000, rows)}")
    return rows


def ours(folder, statement, *options):
    """Seconds, and what was printed."""
    seconds, _, output = common.timed([redoubt.REDOUBT, "sql", folder, "-e", statement, "--format", "csv", "--quiet", *options])
    return seconds, output.split("\n")[1]


def measure_sum(scratch, options):
    config = realserver.Config(buffer_pool=f"{int(options.gb * 1536) + 256}M", log_size="256M", options=_QUIET)
    site = realserver.Site(scratch.path("sum"))
    realserver.Templates(scratch.path("templates")).fill(site, config)
    peers, mine = [], []
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("CREATE DATABASE b")
            rows = make_table(sql, "t0", int(options.gb * (1 << 30)))
            expected = sql.query(_QUERY)[0][0]  # fills the pool
            for _ in range(options.rounds):
                begun = time.monotonic()
                sql.query(_QUERY)
                peers.append(time.monotonic() - begun)
        server.shut_down()
    common.warm(site.data)
    for _ in range(options.rounds):
        seconds, answer = ours(site.data, _QUERY)
        mine.append(seconds)
        if answer != str(expected):
            raise RuntimeError(f"{answer}, the server says {expected}")
    size = os.path.getsize(os.path.join(site.data, "b/t0.ibd"))
    print(f"sum: {size / 1e9:.2f} GB, {rows} rows")
    peer_s = common.line("  mariadbd, table in its pool", peers)
    our_s = common.line("  redoubt sql, files in the page cache", mine)
    print(f"  time: redoubt / mariadbd {our_s / peer_s:.2f} (to reach: 1 or less)", flush=True)
    site.remove()


def measure_lookup(scratch, options):
    config = realserver.Config(buffer_pool="1G", log_size="256M", options=_QUIET)
    site = realserver.Site(scratch.path("lookup"))
    realserver.Templates(scratch.path("templates")).fill(site, config)
    tables = max(1, int(options.lookup_gb * (1 << 30)) // _TABLE_BYTES)
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("CREATE DATABASE b")
            rows = make_table(sql, "t0", _TABLE_BYTES)
            data = os.path.join(site.data, "b")
            for i in range(1, tables):
                sql.query(f"CREATE TABLE b.t{i} LIKE b.t0")
                sql.query(f"ALTER TABLE b.t{i} DISCARD TABLESPACE")
            sql.query("FLUSH TABLES b.t0 FOR EXPORT")
            for i in range(1, tables):
                for suffix in ("ibd", "cfg"):
                    shutil.copyfile(os.path.join(data, f"t0.{suffix}"), os.path.join(data, f"t{i}.{suffix}"))
            sql.query("UNLOCK TABLES")
            for i in range(1, tables):
                sql.query(f"ALTER TABLE b.t{i} IMPORT TABLESPACE")
        server.shut_down()
    common.warm(site.data)
    times = []
    for i in range(options.rounds):
        table, key = f"t{(i * 7 + tables - 1) % tables}", (i + 1) * rows // (options.rounds + 1)
        seconds, answer = ours(site.data, f"SELECT id FROM b.{table} WHERE id = {key}")
        times.append(seconds * 1000)
        if answer != str(key):
            raise RuntimeError(f"{table} {key}: {answer}")
    size = sum(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data))
    print(f"lookup: {size / 1e9:.1f} GB in {tables} tables")
    common.line("  redoubt sql, one row by key, whole process", times, "ms")
    print("  (to reach: 100 ms to the first row)", flush=True)
    site.remove()


def measure_first_row(scratch, options):
    config = realserver.Config(buffer_pool="2G", log_size="3G")
    site = realserver.Site(scratch.path("first"))
    backup, folder = scratch.path("backup"), scratch.path("copy")
    prepare.take(site, config, options.redo_mb << 20, backup)
    site.remove()
    mine = []
    for i in range(options.rounds):
        common.warm(backup)
        seconds, _ = ours(backup, f"SELECT * FROM b.t{i % 4} LIMIT 1")
        mine.append(seconds)
    peers = []
    for _ in range(2):
        prepare.fresh(backup, folder)
        peers.append(common.timed([realserver.MARIADB_BACKUP, "--prepare", f"--target-dir={folder}"])[0])
    redo = os.path.getsize(os.path.join(backup, "ib_logfile0")) / 1e6
    print(f"first row: backup with {redo:.0f} MB of redo")
    peer_s = common.line("  mariadb-backup --prepare", peers)
    our_s = common.line("  redoubt sql, first row, unprepared", mine)
    print(f"  time: redoubt / mariadb-backup {our_s / peer_s:.3f} (to reach: 0.2 or less)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="sum,lookup,first_row")
    parser.add_argument("--gb", type=float, default=1)
    parser.add_argument("--lookup-gb", type=float, default=10)
    parser.add_argument("--redo-mb", type=int, default=900)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    questions = {"sum": measure_sum, "lookup": measure_lookup, "first_row": measure_first_row}
    for name in options.only.split(","):
        with realserver.Scratch() as scratch:
            questions[name](scratch, options)


if __name__ == "__main__":
    main()
