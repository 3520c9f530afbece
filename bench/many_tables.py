#!/usr/bin/env python3
"""Does recovery open only what the redo names? The same crash, recovered with ten table files in the directory
and with ten thousand more beside them.

    bench/many_tables.py [--tables 10000] [--rounds 3]
"""

import argparse
import os

import common
import realserver
import redoubt


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    realserver.end_orderly_on_signals()
    config = realserver.Config()
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        realserver.Templates(scratch.path("templates")).fill(site, config)
        with realserver.Server(site, config) as server:
            with server.connect() as sql:
                sql.query("CREATE DATABASE b")
                for i in range(10):
                    sql.query(f"CREATE TABLE b.t{i} (id INT PRIMARY KEY, v CHAR(100)) ENGINE=InnoDB")
                    sql.query(f"INSERT INTO b.t{i} SELECT seq, MD5(seq) FROM b.seq_1_to_1000")
            server.kill()
        crashed = site.move_to(scratch.path("crashed"))
        times = {10: [], options.tables: []}
        for _ in range(options.rounds):
            for count, values in times.items():
                site.bring(crashed.folder)
                with open(os.path.join(site.data, "mysql/gtid_slave_pos.ibd"), "rb") as file:
                    content = file.read()
                for i in range(count - 10):
                    with open(os.path.join(site.data, f"b/other{i}.ibd"), "wb") as file:
                        file.write(content)
                common.settle()
                seconds, _, _ = common.timed([redoubt.REDOUBT, "recover", site.data, "--quiet", "--json"])
                values.append(seconds)
    few = common.line("10 table files", times[10])
    many = common.line(f"{options.tables} table files, 10 in the redo", times[options.tables])
    print(f"ratio {many / few:.2f} (to reach: about 1)")


if __name__ == "__main__":
    main()
