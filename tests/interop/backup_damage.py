#!/usr/bin/env python3
"""Seeded damage of every kind on real backups: is it found by prepare, restore or verify, and named?

    backup_damage.py                all cases
    backup_damage.py --only REGEX   cases whose title matches

A case damages a copy of an unprepared backup (made by mariadb-backup while tables changed), or of a
prepared one, runs a command on it, and wants its exit code and words, which name the file. Where
the command refuses, the backup must be as it was (P1), and the target of a restore empty (T1).
"""

import argparse
import dataclasses
import os
import re
import shutil
import sys
import types
import typing

import backup_mirror
import damage_cases
import realserver
import redoubt
import staging
import surgery

_CTEST_SKIP = 77
_PAGE = 16384
_CASES = []

PREPARE, RESTORE, VERIFY = "prepare", "restore", "verify"


@dataclasses.dataclass(frozen=True)
class Case:
    title: str
    command: str
    code: int
    words: tuple
    prepared: bool
    encrypted: bool
    options: tuple
    changes: bool        # the command may change the backup although it does not end with 0
    do: typing.Callable  # given the backup's folder


def case(title, command, code, *words, prepared=False, encrypted=False, options=(), changes=False):
    def register(function):
        _CASES.append(Case(title, command, code, words, prepared, encrypted, options, changes,
                           function))
        return function
    return register


def nothing(_):
    """The command line is what is wrong."""


def flip(folder, file, offset):
    path = os.path.join(folder, file)
    byte = surgery.read(path, offset, 1)[0]
    surgery.write(path, offset, bytes([byte ^ 8]))


def replace(folder, file, old, new):
    path = os.path.join(folder, file)
    with open(path, encoding="utf-8") as source:
        text = source.read()
    assert re.search(old, text), f"{file} has no {old}"
    with open(path, "w", encoding="utf-8") as target:
        target.write(re.sub(old, new, text))


def table(folder, name):
    """d/NAME.ibd, or as the backup has it while its marker is not done."""
    for suffix in (".ibd", ".new"):
        if os.path.exists(os.path.join(folder, "d", name + suffix)):
            return f"d/{name}{suffix}"
    raise realserver.HarnessError(f"the backup has no table {name}")


# --- whole ------------------------------------------------------------------------------------

case("whole: verify", VERIFY, redoubt.OK)(nothing)
case("whole: prepare", PREPARE, redoubt.OK)(nothing)
case("whole: restore prepares first", RESTORE, redoubt.OK)(nothing)
case("whole and prepared: verify", VERIFY, redoubt.OK, prepared=True)(nothing)
case("whole and prepared: prepare again", PREPARE, redoubt.OK, prepared=True)(nothing)
case("whole and prepared: restore", RESTORE, redoubt.OK, prepared=True)(nothing)
case("encrypted and whole: verify", VERIFY, redoubt.OK, encrypted=True)(nothing)
case("encrypted and whole: restore", RESTORE, redoubt.OK, encrypted=True)(nothing)


# --- what says what the backup is ----------------------------------------------------------------

@case("killed before its end", PREPARE, redoubt.INCOMPLETE, "xtrabackup_checkpoints")
@case("killed before its end: verify", VERIFY, redoubt.INCOMPLETE, "xtrabackup_checkpoints")
@case("killed before its end: restore", RESTORE, redoubt.INCOMPLETE, "xtrabackup_checkpoints")
def _(folder):
    os.unlink(os.path.join(folder, "xtrabackup_checkpoints"))


@case("killed early: no metadata at all", VERIFY, redoubt.INCOMPLETE, "did not come to its end")
@case("killed early: no metadata at all: prepare", PREPARE, redoubt.INCOMPLETE, "incomplete")
def _(folder):
    for name in ("xtrabackup_checkpoints", "xtrabackup_info", "backup-my.cnf"):
        os.unlink(os.path.join(folder, name))


@case("no options file", PREPARE, redoubt.INCOMPLETE, "backup-my.cnf")
def _(folder):
    os.unlink(os.path.join(folder, "backup-my.cnf"))


@case("checkpoints file emptied", PREPARE, redoubt.INCOMPLETE, "backup_type")
def _(folder):
    os.truncate(os.path.join(folder, "xtrabackup_checkpoints"), 0)


@case("checkpoints file is noise", PREPARE, redoubt.INCOMPLETE, "backup_type")
def _(folder):
    with open(os.path.join(folder, "xtrabackup_checkpoints"), "wb") as file:
        file.write(surgery.noise(300))


@case("checkpoints file with an unknown type", PREPARE, redoubt.INCOMPLETE, "half-copied")
def _(folder):
    replace(folder, "xtrabackup_checkpoints", "full-backuped", "half-copied")


@case("last_lsn before to_lsn", PREPARE, redoubt.INCOMPLETE, "last_lsn")
def _(folder):
    replace(folder, "xtrabackup_checkpoints", r"last_lsn = \d+", "last_lsn = 7")


@case("an increment", PREPARE, redoubt.WRONG_CHAIN, "incremental")
def _(folder):
    replace(folder, "xtrabackup_checkpoints", "full-backuped", "incremental")


@case("checkpoints file of another backup", PREPARE, redoubt.INCOMPLETE, "contradict")
def _(folder):
    replace(folder, "xtrabackup_checkpoints", r"to_lsn = \d+\nlast_lsn = \d+",
            "to_lsn = 999999999\nlast_lsn = 999999999")


@case("redo ends before the backup", PREPARE, redoubt.INCOMPLETE, "redo ends at", "needs 99999999999",
      "ib_logfile0")
def _(folder):
    replace(folder, "xtrabackup_checkpoints", r"last_lsn = \d+", "last_lsn = 99999999999")


@case("calls itself prepared and is not", RESTORE, redoubt.INCOMPLETE, "not applied")
def _(folder):
    replace(folder, "xtrabackup_checkpoints", "full-backuped", "log-applied")


@case("options file with another page size", PREPARE, redoubt.USAGE, "16384", "ibdata1")
def _(folder):
    replace(folder, "backup-my.cnf", "innodb_page_size=16384", "innodb_page_size=4096")


@case("options file names other data files", PREPARE, redoubt.IO, "ibdata7")
def _(folder):
    replace(folder, "backup-my.cnf", "ibdata1:", "ibdata7:")


@case("options file with a bad value", PREPARE, redoubt.USAGE, "innodb_page_size")
def _(folder):
    replace(folder, "backup-my.cnf", "innodb_page_size=16384", "innodb_page_size=many")


# --- the redo log --------------------------------------------------------------------------------

@case("redo log missing", PREPARE, redoubt.INCOMPLETE, "no redo log", "ib_logfile0")
@case("redo log missing: restore", RESTORE, redoubt.INCOMPLETE, "no redo log", "ib_logfile0")
def _(folder):
    os.unlink(os.path.join(folder, "ib_logfile0"))


@case("redo log cut short", PREPARE, redoubt.INCOMPLETE, "redo ends at", "the backup needs")
@case("redo log cut short: verify", VERIFY, redoubt.DAMAGE, "redo ends at", "the backup needs")
def _(folder):
    path = os.path.join(folder, "ib_logfile0")
    os.truncate(path, os.path.getsize(path) - 200)


@case("redo log: bit flipped in the middle", PREPARE, redoubt.INCOMPLETE, "redo ends at")
def _(folder):
    size = os.path.getsize(os.path.join(folder, "ib_logfile0"))
    flip(folder, "ib_logfile0", 12288 + (size - 12288) // 2)


@case("redo log: checkpoint block damaged", PREPARE, redoubt.DAMAGE, "checkpoint", "ib_logfile0")
def _(folder):
    flip(folder, "ib_logfile0", 4096 + 3)


@case("redo log: header damaged", PREPARE, redoubt.DAMAGE, "ib_logfile0")
def _(folder):
    flip(folder, "ib_logfile0", 300)


@case("redo log of another format", PREPARE, redoubt.UNSUPPORTED, "ib_logfile0")
def _(folder):
    path = os.path.join(folder, "ib_logfile0")
    header = (0x50485953).to_bytes(4, "big") + bytes(surgery.read(path, 4, 504))
    surgery.write(path, 0, header + surgery.crc32c(header).to_bytes(4, "big"))


# --- files -----------------------------------------------------------------------------------------

@case("cold table missing", PREPARE, redoubt.DAMAGE, "d/cold.ibd", changes=True)
@case("cold table missing: verify", VERIFY, redoubt.DAMAGE, "d/cold.ibd")
@case("cold table missing: restore", RESTORE, redoubt.DAMAGE, "d/cold.ibd", changes=True)
def _(folder):
    os.unlink(os.path.join(folder, table(folder, "cold")))


@case("changed table missing", PREPARE, redoubt.DAMAGE, "d/t.ibd", "missing")
def _(folder):
    os.unlink(os.path.join(folder, table(folder, "t")))


@case("undo tablespace missing", PREPARE, redoubt.DAMAGE, "undo")
def _(folder):
    os.unlink(os.path.join(folder, "undo001"))


@case("ibdata1 missing", PREPARE, redoubt.IO, "ibdata1")
def _(folder):
    os.unlink(os.path.join(folder, "ibdata1"))


@case("two tables swapped", PREPARE, redoubt.DAMAGE, "carries space id")
def _(folder):
    one, two = (os.path.join(folder, table(folder, name)) for name in ("t", "cold"))
    os.rename(one, one + "x")
    os.rename(two, one)
    os.rename(one + "x", two)


@case("cold table of another server", PREPARE, redoubt.DAMAGE, "d/cold.ibd", "space id", changes=True)
def _(folder):
    path = os.path.join(folder, table(folder, "cold"))
    page = bytearray(surgery.read(path, 0, _PAGE))
    for offset in (34, 38):
        page[offset:offset + 4] = (7777).to_bytes(4, "big")
    surgery.write(path, 0, page[:-4] + surgery.crc32c(page[:-4]).to_bytes(4, "big"))


@case("rename marker without its file", PREPARE, redoubt.INCOMPLETE, "gone.ibd")
def _(folder):
    with open(os.path.join(folder, "d/gone.ren"), "w", encoding="ascii") as file:
        file.write("d/there")


@case("rename marker to a taken name", PREPARE, redoubt.INCOMPLETE, "taken", "cold.ibd")
def _(folder):
    shutil.copy(os.path.join(folder, table(folder, "other")), os.path.join(folder, "d/x.ibd"))
    with open(os.path.join(folder, "d/x.ren"), "w", encoding="ascii") as file:
        file.write(table(folder, "cold").removesuffix(".ibd"))


@case("rename marker out of the backup", PREPARE, redoubt.INCOMPLETE, "d/cold.ren")
def _(folder):
    with open(os.path.join(folder, "d/cold.ren"), "w", encoding="ascii") as file:
        file.write("../../etc/passwd")


# --- pages ------------------------------------------------------------------------------------------

@case("bit flipped in a cold page: verify", VERIFY, redoubt.DAMAGE, "page-corrupt", "d/cold.ibd")
@case("bit flipped in a cold page: restore", RESTORE, redoubt.DAMAGE, "d/cold.ibd", "page",
      changes=True)
@case("bit flipped in a cold page, prepared: restore", RESTORE, redoubt.DAMAGE, "d/cold.ibd",
      prepared=True)
@case("bit flipped in a cold page, prepared: restored all the same", RESTORE, redoubt.WARNINGS,
      "d/cold.ibd", prepared=True, options=("--continue-on-damage",), changes=True)
def _(folder):
    flip(folder, table(folder, "cold"), 3 * _PAGE + 500)


@case("cold page zeroed: restore", RESTORE, redoubt.DAMAGE, "d/cold.ibd", prepared=True)
def _(folder):
    surgery.write(os.path.join(folder, "d/cold.ibd"), 3 * _PAGE, bytes(_PAGE))


@case("cold table cut short: restore", RESTORE, redoubt.DAMAGE, "d/cold.ibd", prepared=True)
def _(folder):
    os.truncate(os.path.join(folder, "d/cold.ibd"), 5 * _PAGE)


@case("bit flipped in the dictionary: prepare", PREPARE, redoubt.DAMAGE, "ibdata1", changes=True)
@case("bit flipped in the dictionary: restore", RESTORE, redoubt.DAMAGE, "ibdata1", prepared=True)
def _(folder):
    flip(folder, "ibdata1", 8 * _PAGE + 300)


# --- keys ---------------------------------------------------------------------------------------------

@case("encrypted, no keys", PREPARE, redoubt.KEY, "--key-file", encrypted=True, options=("no keys",))
@case("encrypted, wrong keys", PREPARE, redoubt.KEY, "key", encrypted=True, options=("wrong keys",))
@case("encrypted, no keys: restore", RESTORE, redoubt.KEY, encrypted=True, options=("no keys",))
def _(_folder):
    pass


# --- the target of a restore -----------------------------------------------------------------------------

@case("target is not empty", RESTORE, redoubt.REFUSED, "not empty", "something", prepared=True,
      options=("target not empty",))
@case("target has lost+found only", RESTORE, redoubt.OK, prepared=True, options=("lost+found",))
@case("target is a file", RESTORE, redoubt.REFUSED, prepared=True, options=("target is a file",))
def _(_folder):
    pass


# --- running them ----------------------------------------------------------------------------------------

def _make_backup(config, name):
    """A backup with redo for d.t and none for d.cold. Returns (folder, prepared folder, site)."""
    scratch = staging.scratch()
    site = realserver.Site(scratch.path(name))
    realserver.Templates(scratch.path("templates")).fill(site, config)
    folder = scratch.path(name + "-backup")
    with realserver.Server(site, config) as server, server.connect() as sql:
        sql.query("CREATE DATABASE d")
        sql.query("USE d")
        for table_name in ("t", "other", "cold"):
            staging.make_table(sql, table_name, 3000)
        sql.query("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        sql.query("FLUSH TABLES d.cold FOR EXPORT")
        sql.query("UNLOCK TABLES")
        sql.query("SET GLOBAL innodb_log_checkpoint_now = ON")
        sql.query("SET GLOBAL innodb_max_dirty_pages_pct = 99")
        staging.add_rows(sql, "t", 2000)
        backup_mirror.take_backup(server, site, folder)
    prepared = folder + "-prepared"
    realserver.copy_tree(folder, prepared)
    answer = redoubt.run(redoubt.command("prepare", prepared, site=site, config=config))
    if answer.code != redoubt.OK:
        raise realserver.HarnessError(f"redoubt prepare: {answer.code}: {answer.text}")
    return types.SimpleNamespace(copied=folder, prepared=prepared, site=site, config=config)


def _content(folder):
    return {os.path.relpath(os.path.join(root, name), folder):
            open(os.path.join(root, name), "rb").read()
            for root, _, names in os.walk(folder) for name in names}


def _run(one, backups):
    scratch = staging.scratch()
    backup = backups[one.encrypted]
    folder, target = scratch.path("case"), scratch.path("target")
    for path in (folder, target):
        shutil.rmtree(path, ignore_errors=True)
        if os.path.isfile(path):
            os.unlink(path)
    realserver.copy_tree(backup.prepared if one.prepared else backup.copied, folder)
    one.do(folder)
    before = _content(folder)
    arguments = [one.command, folder]
    site = backup.site
    if one.command == RESTORE:
        arguments.append(target)
    if "target not empty" in one.options:
        os.mkdir(target)
        open(os.path.join(target, "something"), "w", encoding="ascii").close()
    elif "lost+found" in one.options:
        os.makedirs(os.path.join(target, "lost+found"))
    elif "target is a file" in one.options:
        open(target, "w", encoding="ascii").close()
    elif "wrong keys" in one.options:
        wrong = scratch.path("wrong.txt")
        with open(site.key_file, encoding="ascii") as right, open(wrong, "w", encoding="ascii") as out:
            out.write(right.read().replace("a", "b"))
        site = types.SimpleNamespace(key_file=wrong)
    config = None if "no keys" in one.options else backup.config
    arguments += [option for option in one.options if option.startswith("--")]
    answer = redoubt.run(redoubt.command(*arguments, site=site, config=config))

    found = []
    if answer.code != one.code:
        found.append(f"exit code {answer.code}, expected {one.code}")
    found += [f"'{word}' is not said" for word in one.words if word not in answer.text]
    if answer.code not in (redoubt.OK, redoubt.WARNINGS):
        if not one.changes and _content(folder) != before:
            found.append("the backup was changed")
        if one.command == RESTORE and os.path.isdir(target) and \
                set(os.listdir(target)) - {"something"}:
            found.append(f"the target holds {os.listdir(target)}")
    elif answer.code == redoubt.OK and answer.document.get("findings"):
        found += [f"unexpected: {finding}" for finding in answer.document["findings"]
                  if finding["severity"] != "note"]
    print(f"{'FAILED' if found else 'ok'}: {one.title}", flush=True)
    if found:
        print("    " + "\n    ".join(found + [realserver.tail(answer.text, 20)]), flush=True)
    return not found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX")
    arguments = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    backups = {False: _make_backup(damage_cases.PLAIN, "plain"),
               True: _make_backup(damage_cases.ENCRYPTED, "encrypted")}
    cases = [one for one in _CASES if re.search(arguments.only, one.title)]
    failed = sum(not _run(one, backups) for one in cases)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
