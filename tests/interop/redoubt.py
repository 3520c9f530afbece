"""Redoubt's own programs as tests call them.

REDOUBT names the binary, COMPARE_DATADIRS the comparison tool; by default both are looked for in
this checkout's build/release/bin.
"""

import dataclasses
import json
import os
import subprocess
import time

import realserver

_BIN = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                     "../../build/release/bin"))
REDOUBT = os.path.abspath(os.environ.get("REDOUBT", os.path.join(_BIN, "redoubt")))
COMPARE = os.path.abspath(os.environ.get(
    "COMPARE_DATADIRS", os.path.join(os.path.dirname(REDOUBT), "compare_datadirs")))

RECOVER_TIMEOUT_S = 300

# Exit codes (src/base/error.h).
OK = 0
USAGE = 2
WARNINGS = 3
DAMAGE = 4
INCOMPLETE = 5
WRONG_CHAIN = 6
IO = 7
CONNECTION = 8
REFUSED = 9
KEY = 12
PRIVILEGE = 13
NO_SPACE = 14
UNSUPPORTED = 15
REDO_LOST = 16
INTERRUPTED = 18


def missing_binary():
    return [] if os.access(REDOUBT, os.X_OK) else [REDOUBT]


def missing_parts():
    return [path for path in (REDOUBT, COMPARE) if not os.access(path, os.X_OK)]


@dataclasses.dataclass
class Answer:
    """What a command said: exit code, the JSON document (None without one), all its text."""

    code: int
    document: dict
    text: str


def command(*arguments, site=None, config=None):
    """The command line for one call with --json, with the keys of an encrypted site."""
    return [REDOUBT, *arguments, "--json", *_key_options(site, config)]


def run(line, timeout_s=RECOVER_TIMEOUT_S):
    """Runs a command line made by command(). Errors: HarnessError on a time-out."""
    return _answer(realserver.run(line, timeout_s, separate_errors=True))


def anonymous_memory(pid):
    """KiB of a process's anonymous memory (mapped files are not counted); 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            for entry in status:
                if entry.startswith("RssAnon:"):
                    return int(entry.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def peak_anonymous_memory(line):
    """(exit code, KiB): runs a command line and looks at its memory every few milliseconds."""
    peak = 0
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, anonymous_memory(process.pid))
            time.sleep(0.004)
    return process.returncode, peak


def recover(site, config, *options):
    return run(command("recover", site.data, *options, site=site, config=config))


def cut_off_alters(answer):
    """Tables of which `verify` says that an instant ALTER TABLE of them had not ended: the server's own recovery may refuse them, give
    other rows, or end in a crash (statement_crash.py)."""
    return [finding["table"] for finding in answer.document["findings"] if finding["kind"] == "alter-cut-off"] if answer.document else []


def log_summary(site, config):
    """`redoubt log --summary`: record_counts and the range of the log."""
    return run(command("log", site.data, "--summary", site=site, config=config))


def compare(site, reference, config):
    """Both directories page by page; code 0 when they are the same."""
    return run([COMPARE, site.data, reference.data, "--json", *_key_options(site, config)])


def left_out_by_oracle(answer, reference):
    """Tables that the log creates and recovery, like the server, makes; mariadb-backup takes them
    for tables that its (partial) backup left out, says so in its log, and does not make them."""
    with open(os.path.join(reference.folder, "prepare.log"), encoding="utf-8") as log:
        text = log.read()
    return [path.removesuffix(".ibd") for path in answer.document["created_files"]
            if f"was not found at ./{path} when restoring" in text or
            f"unable to open file ./{path} for tablespace" in text]


def differences(site, reference, config, created=()):
    """Sentences on how two directories differ; empty when they don't. `created`: tables that only
    the first may have."""
    answer = compare(site, reference, config)
    if answer.document is None:
        return [f"compare_datadirs ended with {answer.code}: {answer.text.strip()}"]
    found = [f"{key}: {value}" for key in ("only_in_a", "only_in_b", "sizes", "unreadable",
                                           "extent_problems")
             for value in answer.document[key][:5]
             if not (key == "only_in_a" and value in created)]
    if answer.document["different"]:
        found.append(f"{answer.document['different']} of {answer.document['pages']} pages differ")
        found += [str(entry) for entry in answer.document["differences"][:5]]
    if not answer.document["pages"]:
        found.append("no page was compared")
    return found


def _key_options(site, config):
    if config is not None and config.encryption:
        return ["--key-file", site.key_file, "--key-algorithm", config.encryption]
    if config is not None and config.debug_key_version:
        return ["--debug-key-version", str(config.debug_key_version)]
    return []


def _answer(result):
    try:
        document = json.loads(result.stdout)
    except ValueError:
        document = None
    return Answer(result.returncode, document, result.stderr + result.stdout)
