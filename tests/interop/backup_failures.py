#!/usr/bin/env python3
"""`redoubt backup` of a live server in bad circumstances: one test for each, staged on purpose. In docs/testing.md is the table.

    backup_failures.py                              all
    backup_failures.py Server Files.test_full_disk  a class, a test
    backup_failures.py --slow                       with ten thousand tables too
    backup_failures.py --list

REDOUBT_KEEP=1 keeps the directories.
"""

import faulthandler
import signal
import sys
import time
import unittest

import realserver
import redoubt

_MODULES = ("failures_server", "failures_ends", "failures_files", "failures_names", "failures_changes")
_CTEST_SKIP = 77


def _tests(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _tests(test)
        else:
            yield test


class _TimedResult(unittest.TextTestResult):

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.stream.writeln(f"    {err[1]}")  # all is told at the end again

    def stopTest(self, test):
        self.stream.writeln(f"    {time.monotonic() - self._began:.1f} s")
        super().stopTest(test)


def main(arguments):
    names = [name for name in arguments if not name.startswith("-")]
    suite = [test for test in _tests(unittest.defaultTestLoader.loadTestsFromNames(_MODULES))
             if not names or {test.id().split(".", 1)[1], type(test).__name__} & set(names)]
    if "--list" in arguments:
        print("\n".join(test.id().split(".", 1)[1] for test in suite))
        return 0
    if missing := realserver.missing_parts() + redoubt.missing_binary():
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    if not suite:
        print("no such test; see --list")
        return 2
    faulthandler.register(signal.SIGUSR1)
    realserver.end_orderly_on_signals()
    result = unittest.TextTestRunner(verbosity=2, resultclass=_TimedResult).run(unittest.TestSuite(suite))
    broken = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}  # a subtest counts as its test
    for test, reason in result.skipped:
        print(f"SKIPPED {test.id()}: {reason}")
    print(f"{result.testsRun - len(broken) - len(result.skipped) - len(result.expectedFailures)} passed, {len(broken)} failed, "
          f"{len(result.skipped)} skipped, {len(result.expectedFailures)} expected to fail")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
