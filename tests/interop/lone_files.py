#!/usr/bin/env python3
"""A table's file alone, with its .frm beside it: the rows must be those that are read with the whole directory (which read_tables.py holds
against the server), `verify` checks its tree, and what does not fit is said.

    tests/interop/lone_files.py [--only NAME] [--keep]
"""

import argparse
import os
import random
import shutil
import sys

import read_tables
import realserver
import redoubt
from stored_rows import DUMP, Dump

_CTEST_SKIP = 77
_CASES = {
    "plain": (realserver.Config(), sorted(read_tables.MAKERS)),
    "small pages": (realserver.Config(page_size=4096, checksum="crc32"), ["keys", "instant"]),
    "encrypted": (realserver.Config(encryption="cbc"), ["types", "keys"]),
    "page compressed": (realserver.Config(page_compressed="zlib"), ["types", "instant"]),
}


def make(site, config, makers, draw):
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("SET sql_mode = '', innodb_strict_mode = OFF, NAMES utf8mb4, time_zone = '+00:00'")
            sql.query("CREATE DATABASE d CHARACTER SET utf8mb4")
            sql.query("USE d")
            for name in makers:
                read_tables.MAKERS[name](sql, config, draw)
        server.shut_down()


def files_of(folder):
    return sorted(name for name in os.listdir(folder) if name.endswith(".ibd") and not name.startswith(("FTS_", "#sql")))


def compare(whole, folder, file, options):
    """Sentences on what differs between the file alone and in its directory."""
    lone = Dump(folder, "--file", file, *options)
    if lone.failure or lone.errors or len(lone.tables) != 1:
        return [f"{file}: {lone.failure}{lone.errors}{lone.refused}"]
    name, = lone.tables
    rows, expected = lone.rows[name], whole.rows[name]
    if "#P#" in file:
        expected = [row for row in expected if row in rows]  # of one partition
    found = [] if rows == expected else [f"{file}: {len(rows)} rows, {len(expected)} with its directory"]
    created, known = lone.tables[name]["create"], whole.tables[name]["create"]
    if created != known and "FOREIGN KEY" not in known:
        found.append(f"{file}: CREATE differs:\n{created}\n{known}")
    return found


def ask(command, file, site, config, *options):
    """Exit code and all that was printed."""
    line = redoubt.command(command, file, *options, site=site, config=config)
    answer = redoubt.run(line)
    return answer.code, answer.text, answer.document


def check_commands(site, config, scratch):
    """The commands as a user has them: sql and verify of a copy far from its directory, of one without its .frm, of one with another's."""
    found = []
    folder = scratch.path("away")
    os.mkdir(folder)

    def put(stem, as_name, frm=None):
        shutil.copyfile(os.path.join(site.data, "d", stem + ".ibd"), os.path.join(folder, as_name + ".ibd"))
        if frm:
            shutil.copyfile(os.path.join(site.data, "d", frm + ".frm"), os.path.join(folder, as_name + ".frm"))
        return os.path.join(folder, as_name + ".ibd")

    def expect(what, got, wanted):
        if got != wanted:
            found.append(f"{what}: {got!r}, expected {wanted!r}")

    path = put("many", "many", "many")
    code, text, document = ask("sql", path, site, config, "-e", "SELECT COUNT(*) AS n, MAX(a) AS m FROM many WHERE a > 10")
    expect("sql", (code, document and document["results"][0]["rows"]), (redoubt.OK, [{"n": 6849, "m": 8000}]))
    code, text, document = ask("verify", path, site, config)
    expect("verify", (code, document and document["checked"]["trees"], document and document["findings"]), (redoubt.OK, 1, []))
    path = put("many", "bare")
    code, text, document = ask("sql", path, site, config, "-e", "SELECT 1")
    expect("without .frm", (code, "bare.frm" in text), (redoubt.IO, True))
    code, text, document = ask("verify", path, site, config)
    expect("verify without .frm", (code, [f["kind"] for f in document["findings"]]), (redoubt.OK, ["trees-not-checked"]))
    path = put("many", "foreign", "prefix_key")
    code, text, document = ask("sql", path, site, config, "-e", "SELECT * FROM \"foreign\"")
    expect("another table's .frm", (code, "foreign.ibd" in text), (redoubt.DAMAGE, True))
    # A .frm that InnoDB's dictionary knows nothing of, as a crashed DDL may leave one; the others are served.
    shutil.copyfile(os.path.join(site.data, "d", "many.frm"), os.path.join(site.data, "d", "ghost.frm"))
    os.mkdir(os.path.join(site.data, "lost+found"))  # no database: what lies there is nobody's table
    shutil.copyfile(os.path.join(site.data, "d", "many.frm"), os.path.join(site.data, "lost+found", "many.frm"))
    code, text, _ = ask("sql", site.data, site, config, "-e", "SELECT * FROM d.ghost")
    expect("a .frm alone", (code != redoubt.OK, "only its .frm is there" in text), (True, True))
    code, _, document = ask("sql", site.data, site, config, "-e", "SELECT COUNT(*) AS n FROM d.many")
    expect("beside a .frm alone", (code, document and document["results"][0]["rows"]), (redoubt.OK, [{"n": 6857}]))
    code, _, document = ask("verify", site.data, site, config, "--level", "trees")
    expect("verify of a .frm alone", (code, [(f["kind"], f["severity"], f["table"]) for f in document["findings"]]),
           (redoubt.OK, [("table-unreadable", "note", "d.ghost")]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if realserver.missing_parts() or not os.access(DUMP, os.X_OK):
        print("skipped: no mariadbd, or dump_tables is not built")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    failures = 0
    with realserver.Scratch(keep=options.keep) as scratch:
        for name, (config, makers) in _CASES.items():
            if options.only not in name:
                continue
            site = realserver.Site(scratch.path(name.replace(" ", "-")))
            realserver.Templates(scratch.path("templates")).fill(site, config)
            make(site, config, makers, random.Random(name))
            keys = ["--key-file", site.key_file, "--key-algorithm", config.encryption] if config.encrypts() else []
            whole = Dump(site.data, *keys)
            folder = os.path.join(site.data, "d")
            found = [sentence for file in files_of(folder) for sentence in compare(whole, folder, file, keys)]
            if name == "plain":
                found += check_commands(site, config, scratch)
            print(f"{name}: {len(files_of(folder))} files, {len(found)} differences", flush=True)
            for sentence in found:
                print("  " + sentence)
            failures += len(found)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
