#!/usr/bin/env python3
"""The recovery mirror: `redoubt recover` against the real server, over formats and seeds.

For each cell of the matrix and each seed: a random load, kill -9 in the middle of it, and of the
crashed directory two copies: mariadb-backup applies the redo log to one, Redoubt to the other. They
must be the same page by page; the server must start on Redoubt's, keep every acknowledged
transaction, and find nothing wrong with any table.

    recovery_mirror.py --seeds 1-30                     everything
    recovery_mirror.py --seeds 1-24 --rotate            one cell a seed
    recovery_mirror.py --seeds 7 --only 4k/crc32/plain --keep
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import random
import sys
import time
import traceback

import ledger
import realserver
import redoubt
import undo
import workload

_PAGE_SIZES = (4, 16, 64)  # KiB
_CHECKSUMS = ("crc32", "full_crc32")
_VARIANTS = ("plain", "encrypted", "compressed", "both")
_ALGORITHMS = ("zlib", "lz4", "lzo", "lzma", "bzip2", "snappy")
_CTEST_SKIP = 77

# How the log and the pages look at the crash.
_PROFILES = (
    {"log_size": "1G", "buffer_pool": "256M"},  # all in the log, next to nothing flushed
    {"log_size": "1G", "buffer_pool": "24M"},   # pages flushed at all times, doublewrite in use
    {"log_size": "12M", "buffer_pool": "96M"},  # the log wraps, checkpoints follow each other
)
# Redo record kinds of the 10.8+ log; a full run should meet all that a server writes.
_KINDS = ("FREE_PAGE", "INIT_PAGE", "WRITE", "MEMSET", "MEMMOVE", "INIT_ROW_FORMAT_REDUNDANT",
          "INIT_ROW_FORMAT_DYNAMIC", "UNDO_INIT", "UNDO_APPEND", "INSERT_HEAP_REDUNDANT",
          "INSERT_REUSE_REDUNDANT", "INSERT_HEAP_DYNAMIC", "INSERT_REUSE_DYNAMIC",
          "DELETE_ROW_FORMAT_REDUNDANT", "DELETE_ROW_FORMAT_DYNAMIC", "TRIM_PAGES", "FILE_CREATE",
          "FILE_DELETE", "FILE_RENAME", "FILE_MODIFY", "FILE_CHECKPOINT")


@dataclasses.dataclass(frozen=True)
class Case:
    """One run."""

    page_kib: int
    checksum: str
    variant: str
    seed: int

    def __str__(self):
        return f"{self.page_kib}k/{self.checksum}/{self.variant} seed {self.seed}"

    def config(self):
        """What the cell leaves open is drawn by the seed: log and buffer pool, cipher mode,
        compression method, undo tablespaces."""
        draw = random.Random(str(self))
        profile = dict(draw.choice(_PROFILES))
        if self.page_kib == 64 and profile["buffer_pool"] == "24M":
            profile["buffer_pool"] = "64M"
        encryption, algorithm = draw.choice(("cbc", "ctr")), draw.choice(_ALGORITHMS)
        undo_tablespaces = draw.choice((0, 3))
        return realserver.Config(
            page_size=self.page_kib * 1024, checksum=self.checksum,
            encryption=encryption if self.variant in ("encrypted", "both") else "",
            page_compressed=algorithm if self.variant in ("compressed", "both") else "",
            undo_tablespaces=undo_tablespaces,
            # (at 64k an undo tablespace begins with 40 MB: filling several takes too long)
            undo_truncate=undo_tablespaces > 0 and self.page_kib < 64,
            options=(f"--innodb-flush-log-at-trx-commit={draw.choice((1, 2))}",), **profile)


@dataclasses.dataclass
class Outcome:
    case: Case
    problems: list = dataclasses.field(default_factory=list)
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    facts: str = ""
    kept: str = ""


def run_case(case, templates, options):
    """One case from start to finish. Never raises: what goes wrong is in the outcome."""
    outcome = Outcome(case)
    begun = time.monotonic()
    scratch = realserver.Scratch()
    with scratch:
        try:
            _run(case, scratch, templates, options, outcome)
        except (realserver.HarnessError, workload.WorkloadError) as error:
            outcome.problems.append(str(error))
        except Exception:  # pylint: disable=broad-except; a mistake of the test itself
            outcome.problems.append(traceback.format_exc())
        if outcome.problems and options.keep:
            scratch.keep = True
            outcome.kept = scratch.folder
    outcome.facts += f", {time.monotonic() - begun:.0f} s"
    return outcome


def _run(case, scratch, templates, options, outcome):
    config = case.config()
    site = realserver.Site(scratch.path("site"))
    realserver.Templates(templates).fill(site, config)
    clients, redo_bytes = _crash_under_load(site, config, case, options)
    outcome.facts = f"{redo_bytes / 1e6:.0f} MB of redo"
    crashed = site.move_to(scratch.path("crashed"))
    oracle = crashed.copy_to(scratch.path("oracle"))
    realserver.prepare_oracle(oracle, config)
    site.bring(crashed.folder)

    if not options.server_only:
        summary = redoubt.log_summary(site, config)
        if summary.code != redoubt.OK or summary.document is None:
            outcome.problems.append(f"redoubt log: exit {summary.code}: {summary.text.strip()}")
        else:
            outcome.counts.update(summary.document["record_counts"])
        answer = redoubt.recover(site, config)
        if answer.code != redoubt.OK:
            outcome.problems.append(f"redoubt recover: exit {answer.code}: {answer.text.strip()}")
            return
        outcome.problems += redoubt.differences(site, oracle, config,
                                                redoubt.left_out_by_oracle(answer, oracle))

    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            outcome.problems += ledger.violations(sql, clients)
            found, count = realserver.check_tables(sql)
            outcome.problems += found
        server.shut_down()
        outcome.problems += server.complaints()
    outcome.facts += (f", {sum(client.acknowledged for client in clients)} transactions, "
                      f"{count} tables")


def _crash_under_load(site, config, case, options):
    """Leaves the crashed site. Returns the ledgers and the bytes of redo behind the checkpoint."""
    with realserver.Server(site, config) as server:
        if config.undo_truncate:
            with server.connect() as sql:
                undo.truncate_once(sql)
        load = workload.Workload(server, config, case.seed)
        age = []

        def crash():
            with server.connect() as sql:
                age.append(int(sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_checkpoint_age'")[0][1]))
            server.kill()

        load.run(options.seconds, then=crash)
    return load.clients, age[0]


# --- the command line ------------------------------------------------------------------------


def _cases(options):
    cells = [cell for cell in itertools.product(_PAGE_SIZES, _CHECKSUMS, _VARIANTS)
             if _wanted(cell, options.only)]
    if not cells:
        raise SystemExit(f"--only {options.only}: no such cell")
    if options.rotate:
        return [Case(*cells[(seed - 1) % len(cells)], seed) for seed in options.seeds]
    return [Case(*cell, seed) for seed in options.seeds for cell in cells]


def _wanted(cell, only):
    """--only 4k/crc32/plain; parts may be left empty: //encrypted."""
    parts = (only.split("/") + ["", "", ""])[:3]
    names = (f"{cell[0]}k", cell[1], cell[2])
    return all(part in ("", name) for part, name in zip(parts, names))


def _seeds(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1"), help="7 or 1-30")
    parser.add_argument("--only", default="", metavar="PAGE/CHECKSUM/VARIANT",
                        help="e.g. 4k/crc32/plain or //encrypted")
    parser.add_argument("--rotate", action="store_true",
                        help="one cell of the matrix for each seed, in turn")
    parser.add_argument("--seconds", type=float, default=5, help="length of each load")
    parser.add_argument("--keep", action="store_true", help="keep the folders of failed runs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--server-only", action="store_true",
                        help="without Redoubt: proves the harness itself")
    return parser.parse_args()


def _report(outcome):
    word = "FAIL" if outcome.problems else "ok"
    print(f"{word:4} {outcome.case}: {outcome.facts.lstrip(', ')}", flush=True)
    for problem in outcome.problems:
        print("     " + problem.replace("\n", "\n     "), flush=True)
    if outcome.kept:
        print(f"     kept: {outcome.kept}", flush=True)


def main():
    options = _arguments()
    missing = realserver.missing_parts()
    if not options.server_only:
        missing += redoubt.missing_parts()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    failed, counts, cases = 0, collections.Counter(), _cases(options)
    with realserver.Scratch() as scratch, \
            concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        templates = scratch.path("templates")
        runs = [pool.submit(run_case, case, templates, options) for case in cases]
        for finished in concurrent.futures.as_completed(runs):
            outcome = finished.result()
            failed += bool(outcome.problems)
            counts.update(outcome.counts)
            _report(outcome)
    if not options.server_only:
        met = {kind: counts[kind] for kind in sorted({*_KINDS, *counts}) if counts[kind]}
        print("record kinds met:", ", ".join(f"{kind} {n}" for kind, n in met.items()) or "none")
        print("never met:", ", ".join(kind for kind in _KINDS if kind not in met) or "none")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
