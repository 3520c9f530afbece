"""The matrix of formats that the mirrors run over, and what is common to running them."""

import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import random
import time
import traceback

import realserver
import redoubt
import workload

_PAGE_SIZES = (4, 16, 64)  # KiB
_CHECKSUMS = ("crc32", "full_crc32")
_VARIANTS = ("plain", "encrypted", "compressed", "both")
_ALGORITHMS = ("zlib", "lz4", "lzo", "lzma", "bzip2", "snappy")
CTEST_SKIP = 77

# How the log and the pages look at the crash.
_PROFILES = (
    {"log_size": "1G", "buffer_pool": "256M"},  # all in the log, next to nothing flushed
    {"log_size": "1G", "buffer_pool": "24M"},   # pages flushed at all times, doublewrite in use
    {"log_size": "12M", "buffer_pool": "96M"},  # the log wraps, checkpoints follow each other
)


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


def run_case(run, case, templates, options):
    """One case from start to finish: run(case, scratch, templates, options, outcome). Never raises: what goes wrong is in the outcome."""
    outcome = Outcome(case)
    begun = time.monotonic()
    scratch = realserver.Scratch()
    with scratch:
        try:
            run(case, scratch, templates, options, outcome)
        except (realserver.HarnessError, workload.WorkloadError) as error:
            outcome.problems.append(str(error))
        except Exception:  # pylint: disable=broad-except; a mistake of the test itself
            outcome.problems.append(traceback.format_exc())
        if outcome.problems and options.keep:
            scratch.keep = True
            outcome.kept = scratch.folder
    outcome.facts += f", {time.monotonic() - begun:.0f} s"
    return outcome


# --- the command line ------------------------------------------------------------------------


def cases(options, page_sizes=_PAGE_SIZES):
    cells = [cell for cell in itertools.product(page_sizes, _CHECKSUMS, _VARIANTS)
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
    seeds = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def arguments(text):
    parser = argparse.ArgumentParser(description=text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=_seeds, default=_seeds("1"), help="7 or 1-30 or 7,9,20-22")
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


def report(outcome):
    word = "FAIL" if outcome.problems else "ok"
    print(f"{word:4} {outcome.case}: {outcome.facts.lstrip(', ')}", flush=True)
    for problem in outcome.problems:
        print("     " + problem.replace("\n", "\n     "), flush=True)
    if outcome.kept:
        print(f"     kept: {outcome.kept}", flush=True)


def run_all(text, run, page_sizes=_PAGE_SIZES):
    """The main program of a mirror. Returns the exit code and the counts of all outcomes."""
    options = arguments(text)
    missing = realserver.missing_parts()
    if not options.server_only:
        missing += redoubt.missing_parts()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return CTEST_SKIP, collections.Counter()
    realserver.end_orderly_on_signals()
    failed, counts, chosen = 0, collections.Counter(), cases(options, page_sizes)
    with realserver.Scratch() as scratch, \
            concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        templates = scratch.path("templates")
        runs = [pool.submit(run_case, run, case, templates, options) for case in chosen]
        for finished in concurrent.futures.as_completed(runs):
            outcome = finished.result()
            failed += bool(outcome.problems)
            counts.update(outcome.counts)
            report(outcome)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return (1 if failed else 0), counts
