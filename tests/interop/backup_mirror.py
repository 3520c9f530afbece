#!/usr/bin/env python3
"""The prepare mirror: `redoubt prepare` and `redoubt restore` against mariadb-backup's own.

For each cell of the matrix and each seed: a random load with DDL, a hot backup by mariadb-backup in
the middle of it, and of the backup two copies, prepared by mariadb-backup and by Redoubt. They must
be the same page by page; mariadb-backup must accept ours; the server must start on what Redoubt
restores, keep each transaction that was acknowledged before the backup began, and find nothing
wrong with any table.

    backup_mirror.py --seeds 1-30 --rotate
"""

import dataclasses
import os
import random
import shutil
import sys
import types

import ledger
import matrix
import realserver
import redoubt
import workload

_BACKUP_TIMEOUT_S = 300
_PREPARE_TIMEOUT_S = 300


def backup_options(server, site):
    """Of mariadb-backup against a running private server."""
    return [f"--socket={server.socket}", "--user=root", f"--datadir={site.data}", "--parallel=2"]


def take_backup(server, site, folder, attempts=3):
    """A hot backup by mariadb-backup, which now and then gives up on DDL. Errors: HarnessError."""
    for _ in range(attempts):
        shutil.rmtree(folder, ignore_errors=True)
        result = realserver.run([realserver.MARIADB_BACKUP, "--no-defaults", "--backup",
                                 f"--target-dir={folder}", *backup_options(server, site)],
                                _BACKUP_TIMEOUT_S)
        if result.returncode == 0:
            return
    raise realserver.HarnessError(
        f"mariadb-backup --backup failed:\n{realserver.tail(result.stdout, 30)}")


def peer_prepare(folder, *options):
    """mariadb-backup --prepare. Errors: HarnessError."""
    result = realserver.run([realserver.MARIADB_BACKUP, "--prepare", f"--target-dir={folder}",
                             "--use-memory=512M", *options], _PREPARE_TIMEOUT_S)
    with open(folder + ".log", "w", encoding="utf-8") as out:
        out.write(result.stdout)
    if result.returncode != 0:
        raise realserver.HarnessError(
            f"mariadb-backup --prepare failed:\n{realserver.tail(result.stdout, 30)}")


def _run(case, scratch, templates, options, outcome):
    draw = random.Random(f"backup {case}")
    config = case.config()
    if config.log_size == "12M":  # the load would overwrite it before it is copied
        config = dataclasses.replace(config, log_size="256M")
    if draw.choice((True, False)):
        config = dataclasses.replace(config, options=config.options + ("--log-bin=mb",))
    site = realserver.Site(scratch.path("site"))
    realserver.Templates(templates).fill(site, config)
    backup = scratch.path("backup")
    clients, complaints = _back_up_under_load(site, config, case, options, backup)

    theirs, ours = scratch.path("theirs"), scratch.path("ours")
    realserver.copy_tree(backup, theirs)
    realserver.copy_tree(backup, ours)
    peer_prepare(theirs)
    memory = draw.choice(("16M", "128M"))
    answer = redoubt.run(redoubt.command("prepare", ours, "--memory", memory, site=site,
                                         config=config))
    if answer.code != redoubt.OK:
        outcome.problems.append(f"redoubt prepare: exit {answer.code}: {answer.text.strip()}")
        return
    if "lost a write" in answer.text:
        outcome.problems.append(f"a disk that lost nothing is blamed: {answer.text.strip()}")
    outcome.facts = (f"{answer.document['redo']['bytes'] / 1e6:.1f} MB of redo, "
                     f"{len(answer.document['markers'])} markers")
    outcome.problems += compare(ours, theirs, site, config)
    peer_prepare(ours)  # that it accepts ours: "already prepared"

    shutil.rmtree(site.data)
    shutil.rmtree(site.external, ignore_errors=True)
    os.makedirs(site.external)
    move = draw.choice((True, False))
    answer = redoubt.run(redoubt.command("restore", ours, site.data, *(["--move"] if move else []),
                                         site=site, config=config))
    if answer.code != redoubt.OK:
        outcome.problems.append(f"redoubt restore: exit {answer.code}: {answer.text.strip()}")
        return
    answer = redoubt.run(redoubt.command("verify", site.data, site=site, config=config))
    if answer.code != redoubt.OK:
        outcome.problems.append(f"redoubt verify of what was restored: exit {answer.code}: {answer.text}")
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            outcome.problems += ledger.violations(sql, clients)
            found, count = realserver.check_tables(sql)
            outcome.problems += realserver.not_from_before(found, complaints)
        server.shut_down()
        outcome.problems += server.complaints()
    outcome.facts += f", {sum(c.acknowledged for c in clients)} transactions, {count} tables"


def _back_up_under_load(site, config, case, options, folder):
    """Leaves the backup, and the server stopped. Returns each client's bounds (what was
    acknowledged when the backup began, and what had been begun when it ended) and what CHECK TABLE
    said when the load had stopped."""
    bounds = []
    with realserver.Server(site, config) as server:
        load = workload.Workload(server, config, case.seed)

        def back_up():
            before = [(client.number, client.acknowledged) for client in load.clients]
            take_backup(server, site, folder)
            bounds.extend(
                types.SimpleNamespace(number=number, acknowledged=acknowledged, begun=client.begun)
                for (number, acknowledged), client in zip(before, load.clients))

        load.run(options.seconds, then=back_up)
        with server.connect() as sql:
            complaints, _ = realserver.check_tables(sql)
        server.kill()
    return bounds, complaints


def compare(ours, theirs, site, config):
    """Sentences on how two prepared backups differ."""
    sites = [types.SimpleNamespace(data=folder, key_file=site.key_file, folder=folder)
             for folder in (ours, theirs)]
    problems = redoubt.differences(*sites, config)
    for name in ("xtrabackup_checkpoints", "xtrabackup_binlog_pos_innodb"):
        texts = []
        for folder in (ours, theirs):
            path = os.path.join(folder, name)
            text = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
            texts.append("" if text == "\t0\n" else text)  # no binary log: theirs says so, ours is absent
        if texts[0] != texts[1]:
            problems.append(f"{name}: ours {texts[0]!r}, mariadb-backup's {texts[1]!r}")
    return problems


if __name__ == "__main__":
    sys.exit(matrix.run_all(__doc__, _run)[0])
