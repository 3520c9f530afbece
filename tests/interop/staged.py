#!/usr/bin/env python3
"""Staged crashes: one test per promise of recovery, each made to happen on real directories.

    staged.py                               all
    staged.py Doublewrite Keys.test_wrong_keys
    staged.py --list

REDOUBT_KEEP=1 keeps the directories.
"""

import os
import sys
import unittest

import realserver
import redoubt
import staging

_MODULES = ("staged_doublewrite", "staged_files", "staged_log", "staged_runs")
_CTEST_SKIP = 77


def _tests(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _tests(test)
        else:
            yield test


def _selected(names):
    """All tests, or those of a class or Class.test."""
    found = list(_tests(unittest.defaultTestLoader.loadTestsFromNames(_MODULES)))
    if names:
        found = [test for test in found
                 if {test.id().split(".", 1)[1], type(test).__name__} & set(names)]
    return unittest.TestSuite(found)


def main(arguments):
    suite = _selected([name for name in arguments if not name.startswith("-")])
    if "--list" in arguments:
        print("\n".join(test.id().split(".", 1)[1] for test in suite))
        return 0
    missing = realserver.missing_parts() + redoubt.missing_parts()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    if not suite.countTestCases():
        print("no such test; see --list")
        return 2
    realserver.end_orderly_on_signals()
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if os.environ.get("REDOUBT_KEEP"):
        print(f"kept: {staging.scratch().folder}")
    broken = {getattr(test, "test_case", test).id()  # a subtest counts as its test
              for test, _ in result.failures + result.errors}
    print(f"{result.testsRun - len(broken) - len(result.skipped)} passed, {len(broken)} failed, "
          f"{len(result.skipped)} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
