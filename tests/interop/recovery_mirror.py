#!/usr/bin/env python3
"""The recovery mirror: `redoubt recover` against the real server, over formats and seeds.

For each cell of the matrix and each seed: a random load, kill -9 in the middle of it, and of the
crashed directory two copies: mariadb-backup applies the redo log to one, Redoubt to the other. They
must be the same page by page; `redoubt verify` must find nothing wrong with Redoubt's; the server
must start on it, keep every acknowledged transaction, and find nothing wrong with any table.

    recovery_mirror.py --seeds 1-30                     everything
    recovery_mirror.py --seeds 1-24 --rotate            one cell a seed
    recovery_mirror.py --seeds 7 --only 4k/crc32/plain --keep
"""

import re
import sys

import binlog
import ledger
import matrix
import realserver
import redoubt
import sqlclient
import undo
import workload

# Redo record kinds of the 10.8+ log; a full run should meet all that a server writes.
_KINDS = ("FREE_PAGE", "INIT_PAGE", "WRITE", "MEMSET", "MEMMOVE", "INIT_ROW_FORMAT_REDUNDANT",
          "INIT_ROW_FORMAT_DYNAMIC", "UNDO_INIT", "UNDO_APPEND", "INSERT_HEAP_REDUNDANT",
          "INSERT_REUSE_REDUNDANT", "INSERT_HEAP_DYNAMIC", "INSERT_REUSE_DYNAMIC",
          "DELETE_ROW_FORMAT_REDUNDANT", "DELETE_ROW_FORMAT_DYNAMIC", "TRIM_PAGES", "FILE_CREATE",
          "FILE_DELETE", "FILE_RENAME", "FILE_MODIFY", "FILE_CHECKPOINT")


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
        if "lost a write" in answer.text:
            outcome.problems.append(f"a disk that lost nothing is blamed: {answer.text.strip()}")
        if answer.code != redoubt.OK:
            outcome.problems.append(f"redoubt recover: exit {answer.code}: {answer.text.strip()}")
            return
        with realserver.links_filled(site):
            outcome.problems += redoubt.differences(site, oracle, config,
                                                    redoubt.left_out_by_oracle(answer, oracle))
        marked, altered, problems = _verify(site, config)
        outcome.problems += problems
    else:
        marked, altered = set(), []

    doubted = list(outcome.problems) if oracle_may_be_wrong(outcome.problems) else []
    try:
        with realserver.Server(site, config) as server:
            with server.connect() as sql:
                outcome.problems += ledger.violations(sql, clients)
                found, count = realserver.check_tables(sql)
                ours = binlog.checksums(sql) if doubted else {}
            server.shut_down()
            found = _not_of(altered, found)
            outcome.problems += _not_of(altered, server.complaints())
    except (realserver.HarnessError, sqlclient.ConnectionLost) as error:
        if altered or _ends_the_server(site, config, crashed):
            outcome.facts += f", an ALTER of {altered} cut off" if altered else ", which end the server in its own recovery"
        else:
            outcome.problems.append(f"the server, on what Redoubt recovered: {error}")
        return
    named = _with_lost_marks(found)
    # (CHECK TABLE says nothing of FULLTEXT's own tables; every transaction changes the ledger, too.)
    if not options.server_only and not (named <= marked and bool(named) == bool(marked)):
        outcome.problems.append(f"verify said of {marked} that purge will never take rows away, CHECK TABLE then: {found}")
    if found or doubted and outcome.problems == doubted:
        theirs, its_checksums = _ask_the_server(site, config, crashed)
        shared = [complaint for complaint in found if complaint in theirs]
        if shared:
            outcome.facts += f", {len(shared)} complaints of CHECK TABLE as after the server's own recovery"
        outcome.problems += realserver.not_from_before(found, theirs)
        if doubted and outcome.problems == doubted:
            found = binlog.differences(its_checksums, ours)
            outcome.problems = doubted + [f"server's own recovery and ours: {text}" for text in found] if found else []
            outcome.facts += ", oracle in doubt"
    outcome.facts += (f", {sum(client.acknowledged for client in clients)} transactions, "
                      f"{count} tables")


def oracle_may_be_wrong(problems):
    """mariadb-backup, at a crash in the middle of creating a file (TRUNCATE, ALTER), can leave the new one unreadable: without page 0, or cut after it.
    And of a rename that is in the log but not on the disk it does not do what the server does: where the log changes no page of the file, it does
    not make it; where page 0 was never written, it makes a second file, with the new name, and leaves the first blank (staged_files.py)."""
    ours, theirs, blank = ([problem for problem in problems if problem.startswith(f"{kind}: ")] for kind in ("only_in_a", "only_in_b", "unreadable"))
    blank = [problem for problem in blank if "A: readable; B: " in problem]
    moved = len(ours) == len(theirs)
    made_twice = not ours and len(theirs) <= len(blank)
    renames = ours + theirs if moved or made_twice else []
    return problems and all(problem.startswith("only_in_b: ") and "/#sql-ib" in problem or problem in blank + renames
                            for problem in problems)


def _verify(site, config):
    """Tables with records marked as deleted that no undo log speaks of (CHECK TABLE EXTENDED finds these, too); those that the server may
    fail on; sentences on what else was found."""
    answer = redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site, config=config))
    if answer.code not in (redoubt.OK, redoubt.WARNINGS):
        return set(), [], [f"redoubt verify: exit {answer.code}: {answer.text.strip()}"]
    warnings = [finding for finding in answer.document["findings"] if finding["severity"] == "warning"]
    marks = [finding for finding in warnings if finding["kind"] == "mark-without-undo"]
    return {finding["table"] for finding in marks}, redoubt.cut_off_alters(answer), [f"redoubt verify: {finding}" for finding in warnings if finding not in marks]


def _not_of(tables, complaints):
    """Those that name none of the tables ("db.t")."""
    names = [form for table in tables for schema, name in [table.split(".", 1)] for form in (table, f"`{schema}`.`{name}`", f"{schema}/{name}")]
    return [complaint for complaint in complaints if not any(name in complaint for name in names)]


def _with_lost_marks(complaints):
    """Tables of which CHECK TABLE says that records marked as deleted stay for ever."""
    found = [re.match("CHECK TABLE (.*?): Warning: InnoDB: (Clustered index record not found|Unpurged clustered index record)", complaint)
             for complaint in complaints]
    return {match[1] for match in found if match}


def _ask_the_server(site, config, crashed):
    """What CHECK TABLE says, and the tables' checksums, after the server's own recovery."""
    site.bring(crashed.folder)
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            complaints, _ = realserver.check_tables(sql)  # waits until rollback is through
            sums = binlog.checksums(sql)
        server.shut_down()
    return complaints, sums


def _ends_the_server(site, config, crashed):
    """Whether the server does not get through its own recovery (10.11.19: an instant ALTER TABLE cut off, see statement_crash.py)."""
    try:
        _ask_the_server(site, config, crashed)
    except (realserver.HarnessError, sqlclient.ConnectionLost):
        return True
    return False


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


def main():
    code, counts = matrix.run_all(__doc__, _run)
    if counts:
        met = {kind: counts[kind] for kind in sorted({*_KINDS, *counts}) if counts[kind]}
        print("record kinds met:", ", ".join(f"{kind} {n}" for kind, n in met.items()))
        print("never met:", ", ".join(kind for kind in _KINDS if kind not in met) or "none")
    return code


if __name__ == "__main__":
    sys.exit(main())
