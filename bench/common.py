"""What the benchmarks share: real directories, timed commands with their peak memory, ratios."""

import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tests/interop"))
import realserver  # noqa: E402,F401  pylint: disable=wrong-import-position
import redoubt  # noqa: E402,F401


def timed(command, **options):
    """Runs a command; (seconds, peak resident KiB with mapped files, stdout). Errors: RuntimeError if it fails."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{output[-2000:]}")
    return seconds, usage.ru_maxrss, output


def timed_anonymous(command):
    """Runs a command; (seconds, peak of its anonymous memory in KiB). Errors: RuntimeError if it fails."""
    begun = time.monotonic()
    code, peak = redoubt.peak_anonymous_memory(command)
    if code != 0:
        raise RuntimeError(f"{command} ended with {code}")
    return time.monotonic() - begun, peak


def line(name, values, unit="s"):
    """One row: median, all values."""
    print(f"{name:<44} {statistics.median(values):8.2f} {unit}   ({', '.join(f'{value:.2f}' for value in values)})", flush=True)
    return statistics.median(values)


def warm(folder):
    """Reads every file once, so that all contenders find it in the page cache."""
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                while file.read(1 << 20):
                    pass


def cool(folder):
    """Drops every file from the page cache: a server reads and writes past it, so that a killed one leaves nothing there."""
    os.sync()
    for root, _, names in os.walk(folder):
        for name in names:
            handle = os.open(os.path.join(root, name), os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def settle():
    """Everything written so far reaches the disk before the clock starts."""
    os.sync()
