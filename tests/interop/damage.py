#!/usr/bin/env python3
"""Seeded damage of every kind on real directories: does `redoubt verify` find it and name it?

    damage.py                       all cases on all their configurations
    damage.py --only REGEX          cases whose title matches
    damage.py --verbose             names the cases that pass, too
    damage.py --markdown            the table of docs/testing-damage.md, without running

A case passes when the exit code is the expected one, a finding of the expected kind names the file
(and page and space where the case knows them), no other file has damage, and it took bounded time.
REDOUBT_KEEP=1 keeps the directories.
"""

import argparse
import os
import re
import sys

import damage_extents  # pylint: disable=unused-import
import damage_files  # pylint: disable=unused-import
import damage_pages  # pylint: disable=unused-import
import damage_trees  # pylint: disable=unused-import
import realserver
import redoubt
import staging
import victim
import workload
from damage_cases import CASES, CONFIGS

_CTEST_SKIP = 77
_TIMEOUT_S = 60


def _verify(v, place):
    """Runs verify as the place wants it."""
    line = [redoubt.REDOUBT, "verify", os.path.join(v.data, place.target or ""), "--json",
            *place.options]
    if v.config.encryption and place.keys != "none":
        key_file, mode = v.site.key_file, v.config.encryption
        if place.keys == "wrong":
            key_file += ".wrong"
            with open(v.site.key_file, encoding="ascii") as right:
                keys = right.read()
            with open(key_file, "w", encoding="ascii") as wrong:
                wrong.write(keys.replace("a", "b"))
        elif place.keys != "right":
            mode = place.keys
        line += ["--key-file", key_file, "--key-algorithm", mode]
    return redoubt.run(line, _TIMEOUT_S)


def _matches(finding, case, place):
    return (finding["kind"] == case.kind and finding["severity"] == case.severity and
            finding.get("file") == place.file and
            (place.page is None or finding.get("page") == place.page) and
            (place.space is None or finding.get("space") in (place.space, None)) and
            finding["message"])


def _problems(case, place, answer):
    """Sentences on what the answer lacks."""
    found = []
    if answer.code != case.code:
        found.append(f"exit code {answer.code}, expected {case.code}")
    if answer.document is None:
        return found + ["no JSON document"]
    findings = answer.document.get("findings", [])
    if case.kind is not None and not any(_matches(f, case, place) for f in findings):
        found.append(f"no {case.kind} at {place}")
    files = {place.file, *place.also}
    found += [f"unexpected: {f}" for f in findings
              if f["severity"] == "damage" and (case.kind is None or f.get("file") not in files)]
    found += [f"'{word}' is not said" for word in place.words if word not in answer.text]
    return found


class _Tally:
    """Counts what passed; tells what did not. (Hundreds of lines of the one would hide the other from who reads a part.)"""

    def __init__(self, verbose):
        self._verbose = verbose
        self.ran, self.failed = 0, 0

    def add(self, config, title, problems, text):
        """`text`: what the command printed."""
        self.ran += 1
        if problems:
            self.failed += 1
            print(f"FAILED: {config.label()}: {title}", *problems, realserver.tail(text, 60), sep="\n    ", flush=True)
        elif self._verbose:
            print(f"ok: {config.label()}: {title}", flush=True)


def _run_cases(config, cases, tally):
    v = victim.Victim(config)
    v.make()
    for case in cases:
        v.begin(case.pages_only)
        place = case.do(v)
        answer = _verify(v, place)
        tally.add(config, case.title, _problems(case, place, answer), answer.text)
    if not staging.scratch().keep:
        v.discard()


def _check_whole(config, word, tally, code, severities, line):
    answer = redoubt.run(line, _TIMEOUT_S)
    findings = answer.document["findings"] if answer.document else []
    problems = [finding for finding in findings if finding["severity"] not in severities]
    if answer.code != code:
        problems.insert(0, f"exit code {answer.code}, expected {code}")
    tally.add(config, f"{word}: nothing damaged", problems, answer.text)


def _run_whole(config, word, tally):
    """No damage finding on a busy server's directory, whether it was stopped or killed."""
    site = realserver.Site(staging.scratch().path(f"{word}-{config.label()}"))
    realserver.Templates(staging.scratch().path("templates")).fill(site, config)
    with realserver.Server(site, config) as server:
        load = workload.Workload(server, config, seed=1)
        load.run(seconds=2, then=server.kill if word == "killed" else lambda: None)
        if word == "stopped":
            server.shut_down()
    _check_whole(config, word, tally, redoubt.OK, ("note",),
                 redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site, config=config))
    if config.encryption:  # what redo would make is then unknown, which is no damage
        _check_whole(config, word + ", no keys", tally, redoubt.WARNINGS, ("note", "warning"),
                     redoubt.command("verify", site.data))
    if not staging.scratch().keep:
        site.remove()


def _markdown():
    """One line per case: damage, finding, severity, exit code, configurations."""
    print("| damage | finding | severity | exit code | directories |")
    print("| --- | --- | --- | --- | --- |")
    for case in CASES:
        where = "all" if case.configs == CONFIGS else ", ".join(c.label() for c in case.configs)
        finding, severity = (case.kind, case.severity) if case.kind else ("-", "-")
        print(f"| {case.title} | {finding} | {severity} | {case.code} | {where} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    if arguments.markdown:
        _markdown()
        return 0
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    tally = _Tally(arguments.verbose)
    for config in CONFIGS:
        cases = [case for case in CASES
                 if config in case.configs and re.search(arguments.only, case.title)]
        _run_cases(config, cases, tally)
        if not arguments.only:
            for word in ("stopped", "killed"):
                _run_whole(config, word, tally)
    print(f"{tally.ran - tally.failed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.ran else 0


if __name__ == "__main__":
    sys.exit(main())
