#!/usr/bin/env python3
"""How fast is verify? A warm full_crc32 directory, checked in turns by `redoubt verify` (files and pages) and by innochecksum
over the same files, split over two processes.

    bench/verify.py [--gb 2] [--rounds 3]
"""

import argparse
import os
import subprocess
import time

import common
import realserver
import redoubt


def fill(site, config, size):
    realserver.Templates(site.folder + ".templates").fill(site, config)
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("CREATE DATABASE b")
            for i in range(4):
                sql.query(f"CREATE TABLE b.t{i} (id INT AUTO_INCREMENT PRIMARY KEY, c VARCHAR(3000) CHARACTER SET latin1) ENGINE=InnoDB")
                rows = size // 4 // 3200
                for first in range(0, rows, 20000):
                    sql.query(f"INSERT INTO b.t{i} (c) SELECT REPEAT(MD5(seq+{first}), 90) FROM b.seq_1_to_{min(20000, rows - first)}")
        server.shut_down()


def innochecksum(groups):
    """Seconds for all groups, one process at a time in each."""
    begun = time.monotonic()
    processes = [subprocess.Popen(["sh", "-c", 'for file in "$@"; do innochecksum "$file" || exit 1; done', "_", *group],
                                  stdout=subprocess.DEVNULL) for group in groups]
    if any(process.wait() != 0 for process in processes):
        raise RuntimeError("innochecksum found something")
    return time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    config = realserver.Config(buffer_pool="1G", log_size="256M", options=("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF"))
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        fill(site, config, int(options.gb * (1 << 30)))
        common.warm(site.data)
        files = sorted((os.path.getsize(path), path) for path in
                       (os.path.join(root, name) for root, _, names in os.walk(site.data) for name in names)
                       if path.endswith(".ibd") or os.path.basename(path).startswith("ibdata"))
        groups = [[], []]
        for size, path in reversed(files):   # the biggest first, to the smaller half
            min(groups, key=lambda group: sum(os.path.getsize(p) for p in group)).append(path)
        total = sum(size for size, _ in files)
        ours, peers, memory = [], [], []
        for _ in range(options.rounds):
            peers.append(innochecksum(groups))
            seconds, peak, _ = common.timed([redoubt.REDOUBT, "verify", site.data, "--quiet", "--json", "--level", "files,pages"])
            ours.append(seconds)
            memory.append(peak / 1024)
    print(f"{total / 1e9:.2f} GB in {len(files)} files")
    peer_s = common.line("innochecksum, two processes", peers)
    our_s = common.line("redoubt verify --level files,pages", ours)
    common.line("redoubt verify, peak resident memory", memory, "MiB")
    print(f"throughput: redoubt {total / 1e9 / our_s:.2f} GB/s, innochecksum {total / 1e9 / peer_s:.2f} GB/s, ratio {peer_s / our_s:.2f} (to reach: 0.67 or more)")


if __name__ == "__main__":
    main()
