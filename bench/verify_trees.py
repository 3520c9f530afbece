#!/usr/bin/env python3
"""How fast is verify with all its levels? A warm directory of four sysbench-like tables, in turns: `mariadb-check --extended` on a
server whose pool holds all of it, and `redoubt verify --level files,pages,trees,rows` of the stopped directory.

    bench/verify_trees.py [--gb 1] [--rounds 3]
"""

import argparse
import os
import shutil
import subprocess
import time

import common
import realserver
import redoubt

_TABLES = 4
_ROW_BYTES = 230  # on disk, its entry in the index included
_MEMORY_MIB = 256  # to reach; the command runs at its default cap


def fill(site, config, size):
    realserver.Templates(site.folder + ".templates").fill(site, config)
    rows = size // _TABLES // _ROW_BYTES
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("CREATE DATABASE b")
            for i in range(_TABLES):
                sql.query(f"CREATE TABLE b.t{i} (id INT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, "
                          "KEY (k)) CHARACTER SET latin1 ENGINE=InnoDB")
                for first in range(0, rows, 100000):
                    sql.query(f"INSERT INTO b.t{i} (k, c, pad) SELECT FLOOR(RAND(seq)*{rows}), REPEAT(MD5(seq), 3), MD5(seq+1) "
                              f"FROM b.seq_{first + 1}_to_{min(first + 100000, rows)}")
        server.shut_down()
    return rows * _TABLES


def check(server):
    """Seconds of mariadb-check."""
    begun = time.monotonic()
    subprocess.run([shutil.which("mariadb-check"), "--no-defaults", f"--socket={server.socket}", "--user=root", "--extended", "b"], check=True,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    pool = f"{int(options.gb * 1536) + 256}M"
    config = realserver.Config(buffer_pool=pool, log_size="256M", options=("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF"))
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        rows = fill(site, config, int(options.gb * (1 << 30)))
        ours, peers, memory = [], [], []
        for _ in range(options.rounds):
            with realserver.Server(site, config) as server:
                check(server)  # fills the pool
                peers.append(check(server))
                server.shut_down()
            common.warm(site.data)
            command = [redoubt.REDOUBT, "verify", site.data, "--quiet", "--json", "--level", "files,pages,trees,rows"]
            ours.append(common.timed(command)[0])
            memory.append(common.timed_anonymous(command)[1] / 1024)
        total = sum(os.path.getsize(os.path.join(site.data, "b", name)) for name in os.listdir(os.path.join(site.data, "b")))
    print(f"{total / 1e9:.2f} GB, {rows} rows in {_TABLES} tables")
    peer_s = common.line("mariadb-check --extended, all in its pool", peers)
    our_s = common.line("redoubt verify, all levels", ours)
    common.line("redoubt verify, peak anonymous memory", memory, "MiB")
    print(f"time: redoubt / mariadb-check {our_s / peer_s:.2f} (to reach: below 1, in at most {_MEMORY_MIB} MiB)")


if __name__ == "__main__":
    main()
