#!/usr/bin/env python3
"""Hot backups by Redoubt under a storm of DML and DDL, in all engines.

For each cell of the matrix and each seed: a random load, in the middle of it `redoubt backup`, then
  - `redoubt verify` finds nothing in the backup;
  - two copies of it, prepared by mariadb-backup and by Redoubt, are the same page by page;
  - on each a server starts, keeps every transaction acknowledged before the backup began and none
    begun after it ended, and finds nothing wrong with any table;
  - with the first server's binary log replayed from the recorded position, every table, of whatever
    engine, is as on the first server.

    hot_backup.py --seeds 1-100 --rotate
"""

import dataclasses
import os
import random
import shutil
import sys
import threading
import types

import backup_mirror
import binlog
import ledger
import matrix
import realserver
import redoubt
import sqlclient
import workload

ENGINE_DATABASE = "engines"
_LOCK_WAIT_TIMEOUT = 1205
# Where the backup takes long, the load must not grow with it: it is replayed twice.
_STATEMENTS_MAX = 1200  # of each of the two loads
_PAUSE_S = 0.05
_ENGINES = {
    "myisam": "ENGINE=MyISAM", "aria": "ENGINE=Aria TRANSACTIONAL=1",
    "aria_plain": "ENGINE=Aria TRANSACTIONAL=0", "aria_dynamic": "ENGINE=Aria ROW_FORMAT=DYNAMIC TRANSACTIONAL=0",
    "csv": "ENGINE=CSV",
}


class EngineLoad:
    """One connection that changes, and changes the definition of, tables of all other engines."""

    def __init__(self, server, seed):
        self._sql = server.connect()
        self._random = random.Random(f"engines {seed}")
        self._stopping = threading.Event()
        self.error = None
        self.statements = 0
        self._sql.query(f"CREATE DATABASE {ENGINE_DATABASE}")
        self._sql.query(f"USE {ENGINE_DATABASE}")
        self._names = []
        self._serial = 0
        for engine in _ENGINES:
            self._create(engine)
            self._create(engine)
        for part in ("m1", "m2"):
            self._sql.query(f"CREATE TABLE {part} (id INT NOT NULL, v VARCHAR(200) NOT NULL) ENGINE=MyISAM")
        self._sql.query("CREATE TABLE merged (id INT NOT NULL, v VARCHAR(200) NOT NULL) ENGINE=MERGE UNION=(m1, m2) "
                        "INSERT_METHOD=LAST")
        self._sql.query("CREATE TABLE parted (id INT NOT NULL, v VARCHAR(200) NOT NULL, KEY (id)) ENGINE=MyISAM "
                        "PARTITION BY HASH (id) PARTITIONS 3")
        self._sql.query("CREATE VIEW looked AS SELECT id FROM m1")
        self._sql.query("CREATE TRIGGER counted BEFORE INSERT ON m1 FOR EACH ROW SET NEW.v = CONCAT(NEW.v, '!')")
        self._thread = threading.Thread(target=self._work)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self._thread.join()

    def _work(self):
        try:
            while not self._stopping.wait(_PAUSE_S if self.statements >= _STATEMENTS_MAX else 0):
                if self.statements >= _STATEMENTS_MAX:
                    continue
                try:
                    self._step()
                except sqlclient.SqlError as error:
                    if error.code != _LOCK_WAIT_TIMEOUT:  # on a busy machine it may wait long for the backup's lock
                        raise
                self.statements += 1
        except sqlclient.ConnectionLost:
            pass
        except sqlclient.SqlError as error:
            self.error = str(error)

    def _create(self, engine=None):
        engine = engine or self._random.choice(list(_ENGINES))
        self._serial += 1
        name = self._random.choice((f"{engine}{self._serial}", f"Od-d {engine}{self._serial}", f"ü{engine}{self._serial}"))
        key = "" if engine == "csv" else ", KEY (id)"
        self._sql.query(f"CREATE TABLE `{name}` (id INT NOT NULL, v VARCHAR(200) NOT NULL{key}) {_ENGINES[engine]}")
        self._insert(name)
        self._names.append((name, engine))

    def _insert(self, name):
        self._sql.query(f"INSERT INTO `{name}` SELECT seq, REPEAT(MD5(seq + {self._random.randrange(10**6)}), "
                        f"{self._random.randrange(1, 6)}) FROM seq_1_to_{self._random.choice((1, 20, 500))}")

    def _step(self):
        at = self._random.randrange(len(self._names))
        name, engine = self._names[at]
        draw = self._random.random()
        if draw < 0.5:
            self._insert(self._random.choice((name, "m1", "merged", "parted")))
        elif draw < 0.6:
            self._sql.query(f"UPDATE `{name}` SET v = CONCAT(id, '{self._random.randrange(1000)}') WHERE id < 10")
        elif draw < 0.7:
            self._sql.query(f"DELETE FROM `{name}`")  # without WHERE: the file is made anew
        elif draw < 0.75:
            self._sql.query(f"TRUNCATE TABLE `{name}`")
        elif draw < 0.8 and engine != "csv":
            self._sql.query(f"{self._random.choice(('OPTIMIZE', 'REPAIR'))} TABLE `{name}`")
        elif draw < 0.85:
            self._serial += 1
            new = f"renamed{self._serial}"
            self._sql.query(f"RENAME TABLE `{name}` TO `{new}`")
            self._names[at] = (new, engine)
        elif draw < 0.9:
            self._create()
        elif draw < 0.94 and len(self._names) > 6:
            self._sql.query(f"DROP TABLE `{name}`")
            del self._names[at]
        elif draw < 0.97 and engine != "csv":
            self._sql.query(f"ALTER TABLE `{name}` ADD COLUMN c{self._serial} INT NOT NULL DEFAULT 3")
            self._sql.query(f"ALTER TABLE `{name}` DROP COLUMN c{self._serial}")
        elif engine != "csv":
            other = self._random.choice([e for e in _ENGINES if e != "csv"])
            self._sql.query(f"ALTER TABLE `{name}` {_ENGINES[other].replace('ROW_FORMAT=DYNAMIC', '')}")
            self._names[at] = (name, other)


def back_up(server, folder, site, config, *options):
    """`redoubt backup` of a running private server."""
    return redoubt.run(redoubt.command("backup", folder, "--socket", server.socket, "--user", "root", *options,
                                       site=site, config=config))


def _run(case, scratch, templates, options, outcome):
    draw = random.Random(f"hot {case}")
    config = case.config()
    log_size = "256M" if config.log_size == "12M" else config.log_size
    config = dataclasses.replace(config, log_size=log_size, options=config.options + binlog.SERVER_OPTIONS)
    site = realserver.Site(scratch.path("site"))
    realserver.Templates(templates).fill(site, config)
    backup = scratch.path("backup")
    bounds, wanted, complaints = _back_up_under_load(site, config, case, options, backup, outcome)
    if outcome.problems:
        return
    original = site.move_to(scratch.path("original"))
    _fresh_site(site, original)

    answer = redoubt.run(redoubt.command("verify", backup, site=site, config=config))
    if answer.code != redoubt.OK:
        outcome.problems.append(f"redoubt verify of the backup: exit {answer.code}: {answer.text}")
    position = binlog.position(backup)
    theirs, ours = scratch.path("theirs"), backup
    realserver.copy_tree(backup, theirs)
    backup_mirror.peer_prepare(theirs)
    answer = redoubt.run(redoubt.command("prepare", ours, "--memory", draw.choice(("16M", "128M")), site=site,
                                         config=config))
    if answer.code != redoubt.OK:
        outcome.problems.append(f"redoubt prepare: exit {answer.code}: {answer.text.strip()}")
        return
    outcome.problems += backup_mirror.compare(ours, theirs, site, config)
    backup_mirror.peer_prepare(ours)  # that it accepts ours: "already prepared"
    for name, folder in (("ours", ours), ("theirs", theirs)):
        _start_on(folder, site, config, original, position, bounds, wanted, complaints, outcome, name)


def _fresh_site(site, original):
    """An empty site in the first one's place, so that links and key files are where they were."""
    site.create()
    shutil.copy(original.key_file, site.key_file)


def _start_on(folder, site, config, original, position, bounds, wanted, complaints, outcome, name):
    """Restores a prepared backup, starts the server on it, checks, replays the binary log."""
    _fresh_site(site, original)
    answer = redoubt.run(redoubt.command("restore", folder, site.data, "--move", site=site, config=config))
    if answer.code != redoubt.OK:
        outcome.problems.append(f"restore of {name}: exit {answer.code}: {answer.text.strip()}")
        return
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            problems = ledger.violations(sql, bounds)
            found, count = realserver.check_tables(sql)
            problems += realserver.not_from_before(found, complaints)
        outcome.problems += [f"prepared by {name}: {problem}" for problem in problems]
        if not problems:
            binlog.replay(*position, original.data, server)
            with server.connect() as sql:
                outcome.problems += [f"prepared by {name}, binary log replayed: {problem}"
                                     for problem in binlog.differences(wanted, binlog.checksums(sql))]
        server.shut_down()
        outcome.problems += server.complaints()
    outcome.facts += f", {count} tables"


def _back_up_under_load(site, config, case, options, folder, outcome):
    """Returns each client's bounds (what was acknowledged when the backup began, what had been begun
    when it ended), and the checksums of all tables and what CHECK TABLE said when the load had stopped."""
    bounds = []
    with realserver.Server(site, config) as server:
        load = workload.Workload(server, config, case.seed, statements_max=_STATEMENTS_MAX)
        engines = EngineLoad(server, case.seed)

        def take():
            before = [(client.number, client.acknowledged) for client in load.clients]
            answer = back_up(server, folder, site, config)
            if answer.code != redoubt.OK:
                outcome.problems.append(f"redoubt backup: exit {answer.code}: {answer.text.strip()}")
                return
            report = answer.document
            outcome.facts = (f"{report['bytes'] / 1e6:.0f} MB, {report['redo_bytes'] / 1e6:.1f} of them redo, "
                             f"{report['pages_read_again']} pages read again, DDL blocked "
                             f"{report['ddl_blocked_ms']:.0f} ms, commits {report['commits_blocked_ms']:.0f} ms")
            bounds.extend(
                types.SimpleNamespace(number=number, acknowledged=acknowledged, begun=client.begun)
                for (number, acknowledged), client in zip(before, load.clients))

        engines.start()
        try:
            load.run(options.seconds, then=take)
        finally:
            engines.stop()
        if engines.error:
            raise workload.WorkloadError(engines.error)
        with server.connect() as sql:
            wanted = binlog.checksums(sql)
            complaints, _ = realserver.check_tables(sql)
        server.shut_down()
    outcome.facts += f", {sum(load.statements.values())} + {engines.statements} operations"
    return bounds, wanted, complaints


if __name__ == "__main__":
    sys.exit(matrix.run_all(__doc__.replace(" --storm", ""), _run)[0])
