#!/usr/bin/env python3
"""`redoubt verify` of many tables, interrupted by ^C while it checks their trees: it says what it found until then, and which table to go on
with; runs that go on there check every table, and find what is damaged, once.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time

import realserver
import redoubt
import surgery

_CTEST_SKIP = 77
_TABLES = 60
_DAMAGED = ("d.t01", "d.t58")
_RUNS_MAX = 40
_STOPS = 3
_INDEX_COUNT = 54  # byte offset of the number of records in an index page


def make(site, config):
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("CREATE DATABASE d")
            sql.query("USE d")
            for i in range(_TABLES):
                sql.query(f"CREATE TABLE d.t{i:02} (a INT PRIMARY KEY, b CHAR(60), KEY (b)) ENGINE=InnoDB")
                sql.query(f"INSERT INTO d.t{i:02} SELECT seq, MD5(seq) FROM seq_1_to_3000")
        server.shut_down()
    for table in _DAMAGED:  # one record fewer than there are, the checksum made right
        path = os.path.join(site.data, table.replace(".", "/") + ".ibd")
        page = bytearray(surgery.read(path, 3 * config.page_size, config.page_size))
        page[_INDEX_COUNT:_INDEX_COUNT + 2] = (surgery.integer(page, _INDEX_COUNT, 2) - 1).to_bytes(2, "big")
        page[-4:] = surgery.crc32c(page[:-4]).to_bytes(4, "big")
        surgery.write(path, 3 * config.page_size, page)


def verify(site, after_s, *options):
    """Runs it and interrupts it after `after_s` seconds (None: not)."""
    process = subprocess.Popen([*redoubt.command("verify", site.data), "--threads", "1", "--level", "trees", *options],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if after_s is not None:
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=redoubt.RECOVER_TIMEOUT_S)
    return process.returncode, output, errors


def run(site):
    """Sentences on what is wrong."""
    verify(site, None)  # so that the next one is as quick as those after it
    begun = time.monotonic()
    code, output, errors = verify(site, None)
    whole_s = time.monotonic() - begun
    whole = json.loads(output)
    found = [] if code == redoubt.DAMAGE else [f"whole: exit {code}: {errors}"]
    damaged = lambda document: sorted(f["table"] for f in document["findings"] if f["severity"] == "damage")  # noqa: E731
    if set(damaged(whole)) != set(_DAMAGED):
        found.append(f"whole: damage in {damaged(whole)}")

    tables, seen, options, stops = 0, [], (), 0
    early, late = 0, whole_s
    for number in range(_RUNS_MAX):
        after_s = (early + late) / 2
        code, output, errors = verify(site, after_s if stops < _STOPS else None, *options)
        document = json.loads(output)
        tables = max(tables, document["checked"]["tables"])
        seen += damaged(document)
        again = re.search(r"--from-table '([^']*)'", output + errors)
        if code == redoubt.INTERRUPTED and again:
            options, stops = ("--from-table", again.group(1)), stops + 1
        elif code == redoubt.INTERRUPTED:  # before the tables
            early = after_s
        elif stops:
            break
        else:  # at its end before it was interrupted
            late, seen = after_s, []
    if code != redoubt.DAMAGE and "d.t58" not in seen:
        found.append(f"the last run: exit {code}: {errors}")
    if set(seen) != set(_DAMAGED):
        found.append(f"damage in {seen}")
    print(f"{whole['checked']['tables']} tables, interrupted {stops} times in their trees, {number + 1} runs")
    return found + ([] if stops else ["never interrupted in the trees"])


def main():
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    config = realserver.Config()
    with realserver.Scratch() as scratch:
        site = realserver.Site(scratch.path("site"))
        realserver.Templates(scratch.path("templates")).fill(site, config)
        make(site, config)
        found = run(site)
    for sentence in found:
        print("FAILED:", sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
