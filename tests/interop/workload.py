"""A seeded random load of DML and DDL on a real server, with a ledger of what was acknowledged.

Each thread owns tables of every kind (so that DDL of one does not wait for others), and all share a
few. The seed decides what each thread asks for; how the threads interleave is up to the server.

    load = Workload(server, config, seed)
    load.run(seconds=5, then=server.kill)     # the kill comes while all threads are busy
    problems = ledger.violations(sql, load.clients)
"""

import collections
import random
import sys
import threading
import time

import ledger
import sqlclient

SHARED_DATABASE = "shared"
_THREADS = 4
_SHARED_TABLES = 3
_BLOB_PART = 2000  # bytes of one REPEATed random part

# What concurrent clients may be told: deadlock, lock wait, duplicate key, table changed meanwhile;
# 1467 is how the server reports a deadlock or a lock wait that ends an INSERT's wait for AUTO_INC.
_PAUSE_S = 0.05
_EXPECTED_ERRORS = {1213, 1205, 1062, 1412, 1020, 1467}


class WorkloadError(Exception):
    """A statement failed that should not have: the load is not what the test needs."""


class Workload:
    """Threads of random statements against one server, with their ledgers."""

    def __init__(self, server, config, seed, threads=_THREADS, statements_max=sys.maxsize):
        self._server = server
        self._statements_max = statements_max  # then the threads only wait
        self._stopping = threading.Event()
        self.errors = []
        self.statements = collections.Counter()
        with server.connect() as sql:
            ledger.create(sql)
            sql.query(f"CREATE DATABASE {SHARED_DATABASE}")
            for i in range(_SHARED_TABLES):
                _create_plain(sql, f"{SHARED_DATABASE}.s{i}", "ROW_FORMAT=DYNAMIC")
        self._sessions = [_Session(self, server, config, seed * 1000 + i, i)
                          for i in range(threads)]
        self.clients = [session.ledger for session in self._sessions]

    def run(self, seconds, then):
        """Runs all threads for that long, calls `then` (usually server.kill) while they still run,
        and waits for them. Errors: WorkloadError."""
        threads = [threading.Thread(target=self._work, args=(session,))
                   for session in self._sessions]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.errors and self._server.alive():
            time.sleep(0.02)
        died = not self._server.alive()
        then()
        self._stopping.set()
        for thread in threads:
            thread.join()
        if died:
            raise WorkloadError("the server died by itself")
        if self.errors:
            raise WorkloadError("; ".join(self.errors))

    def _work(self, session):
        try:
            while not self._stopping.is_set():
                if sum(self.statements.values()) >= self._statements_max:
                    self._stopping.wait(_PAUSE_S)
                else:
                    session.step()
        except sqlclient.ConnectionLost:
            pass
        except sqlclient.SqlError as error:
            if error.code not in (1053, 1927):  # shutting down, connection killed
                self.errors.append(str(error))


def databases(sql):
    """The databases that loads have made."""
    return [row[0] for row in sql.query(
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name IN "
        f"('{ledger.DATABASE}', '{SHARED_DATABASE}') OR schema_name REGEXP '^db(@0|[0-9]+)$'")]


def _create_plain(sql, name, options):
    sql.query(f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, u INT, "
              "v VARCHAR(400) CHARACTER SET latin1, b LONGBLOB, "
              f"KEY (k), UNIQUE KEY (u), KEY (v(40))) ENGINE=InnoDB {options}")


class _Session:
    """One connection, its random choices, its tables."""

    def __init__(self, load, server, config, seed, number):
        self._load = load
        self._external = server.site.external
        self._config = config
        self._random = random.Random(seed)
        self._sql = server.connect()
        self._database = f"db{number}" if number else "db@0"  # one name that files must encode
        self._serial = 0
        self._plain = []       # tables with the columns of _create_plain
        self._long_open = None
        self._sql.query(f"CREATE DATABASE `{self._database}`")
        self._sql.query(f"USE `{self._database}`")
        self._sql.query("SET SESSION innodb_strict_mode=OFF")
        self.ledger = ledger.Client(self._sql, number)
        for form in self._forms():
            self._create(form)
        self._make_special_tables()

    # --- what to do next -------------------------------------------------------------------

    def step(self):
        """One transaction or one DDL statement."""
        action = self._random.choices(*_ACTIONS)[0]
        self._load.statements[action.__name__.lstrip("_")] += 1
        try:
            action(self)
        except sqlclient.SqlError as error:
            if error.code not in _EXPECTED_ERRORS:
                raise
            self._sql.query("ROLLBACK")

    def _transaction(self, *work):
        """A few changes and the ledger, then mostly COMMIT."""
        self._sql.query("BEGIN")
        for change in work:
            change()
        if self._random.random() < 0.12:
            self._sql.query("ROLLBACK")
            return
        self.ledger.record()
        self.ledger.commit()

    # --- tables ----------------------------------------------------------------------------

    def _forms(self):
        """Table options for the plain tables, fitting the configuration."""
        config = self._config
        forms = ["ROW_FORMAT=DYNAMIC", "ROW_FORMAT=COMPACT", "ROW_FORMAT=REDUNDANT",
                 f"ROW_FORMAT=DYNAMIC DATA DIRECTORY='{self._external}'"]
        if config.page_size <= 16384:
            forms += [f"ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE={kib}"
                      for kib in (2, 4, 8) if kib * 1024 <= config.page_size]
        if config.page_compressed:
            forms += ["ROW_FORMAT=DYNAMIC PAGE_COMPRESSED=1"] * 3
        if config.encryption:
            forms += ["ENCRYPTED=YES ENCRYPTION_KEY_ID=2", "ENCRYPTED=NO"]
        return forms

    def _name(self, prefix):
        self._serial += 1
        return f"{prefix}{self._serial}"

    def _create(self, form=None):
        name = self._name(self._random.choice(["t", "T-x ", "tä"]))
        _create_plain(self._sql, f"`{name}`", form or self._random.choice(self._forms()))
        self._plain.append(name)
        self._sql.query(f"INSERT INTO `{name}` (k, u, v) SELECT seq, seq, MD5(seq) "
                        f"FROM seq_1_to_{self._random.choice([1, 50, 400])}")
        return name

    def _make_special_tables(self):
        self._sql.query("CREATE TABLE words (id INT AUTO_INCREMENT PRIMARY KEY, w TEXT, "
                        "FULLTEXT (w)) ENGINE=InnoDB")
        self._sql.query("CREATE TABLE places (id INT AUTO_INCREMENT PRIMARY KEY, p POINT NOT NULL, "
                        "SPATIAL (p)) ENGINE=InnoDB")
        self._sql.query("CREATE TABLE parts (id INT, k INT, v VARCHAR(100), PRIMARY KEY (id), "
                        "KEY (k)) ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3")

    def _table(self):
        """A table to change, quoted: mostly one's own."""
        if self._random.random() < 0.1:
            return f"{SHARED_DATABASE}.s{self._random.randrange(_SHARED_TABLES)}"
        return f"`{self._random.choice(self._plain)}`"

    # --- DML -------------------------------------------------------------------------------

    def _value(self):
        return f"'{self._random.randbytes(self._random.randrange(4, 180)).hex()}'"

    def _insert_rows(self, table, count):
        """Rows in one statement; every tenth or so with an externally stored BLOB."""
        rows = []
        for _ in range(count):
            blob = "NULL"
            if self._random.random() < 0.1:
                blob = (f"REPEAT('{self._random.randbytes(_BLOB_PART // 2).hex()}', "
                        f"{self._random.randrange(10, 100)})")
            unique = self._random.randrange(10**9) if self._random.random() < 0.7 else "NULL"
            rows.append(f"({self._random.randrange(1000)}, {unique}, {self._value()}, {blob})")
        self._sql.query(f"INSERT INTO {table} (k, u, v, b) VALUES {','.join(rows)}")

    def _insert(self):
        self._transaction(lambda: self._insert_rows(self._table(), self._random.randrange(1, 60)))

    def _update(self):
        table = self._table()
        column = self._random.choice([f"v={self._value()}", "k=k+1", "b=CONCAT(IFNULL(b,''),v)",
                                      "u=NULL"])
        self._transaction(lambda: self._sql.query(
            f"UPDATE {table} SET {column} WHERE k BETWEEN {self._random.randrange(900)} AND 1000 "
            f"LIMIT {self._random.randrange(1, 100)}"))

    def _delete(self):
        table = self._table()
        order = self._random.choice(["", "ORDER BY id DESC", "ORDER BY id", "ORDER BY k"])
        self._transaction(lambda: self._sql.query(
            f"DELETE FROM {table} {order} LIMIT {self._random.randrange(1, 150)}"))

    def _mixed(self):
        """Several tables in one transaction, with a savepoint rolled back in between."""
        first, second = self._table(), self._table()
        self._transaction(
            lambda: self._insert_rows(first, 5), lambda: self._sql.query("SAVEPOINT s"),
            lambda: self._insert_rows(second, 20),
            lambda: self._sql.query("ROLLBACK TO SAVEPOINT s"),
            lambda: self._sql.query(f"DELETE FROM {second} LIMIT 10"))

    def _bulk(self):
        """A big transaction: thousands of rows from a sequence, sometimes changed at once."""
        table = self._table()
        count = self._random.choice([500, 2000, 5000])
        self._transaction(
            lambda: self._sql.query(
                f"INSERT INTO {table} (k, v) SELECT seq MOD 1000, REPEAT(MD5(seq+RAND()), "
                f"{self._random.randrange(1, 9)}) FROM {SHARED_DATABASE}.seq_1_to_{count}"),
            lambda: self._random.random() < 0.5 and self._sql.query(
                f"UPDATE {table} SET k=k+7, v=REVERSE(v) ORDER BY id DESC LIMIT {count}"))

    def _special(self):
        """FULLTEXT, SPATIAL and partitioned tables."""
        words = " ".join(self._random.randbytes(3).hex() for _ in range(30))
        x, y = self._random.randrange(1000), self._random.randrange(1000)
        key = self._random.randrange(10**6)
        self._transaction(
            lambda: self._sql.query(f"INSERT INTO words (w) VALUES ('{words}')"),
            lambda: self._sql.query("DELETE FROM words ORDER BY id LIMIT 1"),
            lambda: self._sql.query(
                "INSERT INTO places (p) SELECT POINT(RAND()*1000, RAND()*1000) "
                f"FROM seq_1_to_{self._random.randrange(1, 60)}"),
            lambda: self._sql.query("DELETE FROM places WHERE ST_Intersects(p, ST_Buffer("
                                    f"POINT({x},{y}), 30)) LIMIT 20"),
            lambda: self._sql.query(
                f"REPLACE INTO parts SELECT {key}+seq, seq, MD5(seq) FROM seq_1_to_50"))

    # --- DDL -------------------------------------------------------------------------------

    def _create_or_drop(self):
        if len(self._plain) < 14 or self._random.random() < 0.4:
            self._create()
        else:
            # The name leaves the list only when the server has said yes.
            name = self._random.choice(self._plain)
            self._sql.query(f"DROP TABLE `{name}`")
            self._plain.remove(name)

    def _rename(self):
        old = self._random.choice(self._plain)
        new = self._name("r")
        self._sql.query(f"RENAME TABLE `{old}` TO `{new}`")
        self._plain[self._plain.index(old)] = new

    def _truncate(self):
        self._sql.query(f"TRUNCATE TABLE `{self._random.choice(self._plain)}`")

    def _rebuild(self):
        self._sql.query(f"ALTER TABLE `{self._random.choice(self._plain)}` FORCE, "
                        f"ALGORITHM={self._random.choice(['INPLACE', 'COPY'])}")

    def _instant(self):
        """ADD COLUMN, then DROP COLUMN, mostly instant; rows written in between keep both forms."""
        name = self._random.choice(self._plain)
        column = self._name("c")
        self._sql.query(f"ALTER TABLE `{name}` ADD COLUMN {column} INT DEFAULT 5")
        self._insert_rows(f"`{name}`", 5)
        if self._random.random() < 0.7:
            self._sql.query(f"ALTER TABLE `{name}` DROP COLUMN {column}")

    def _index(self):
        name = self._random.choice(self._plain)
        index = self._name("i")
        columns = self._random.choice(["k, u", "u, k"])
        self._sql.query(f"CREATE INDEX {index} ON `{name}` ({columns})")
        if self._random.random() < 0.7:
            self._sql.query(f"DROP INDEX {index} ON `{name}`")

    def _bulk_load(self):
        """An INSERT into an empty table with checks off is logged as one bulk load."""
        name = self._create("ROW_FORMAT=DYNAMIC")
        self._sql.query(f"TRUNCATE TABLE `{name}`")
        self._sql.query("SET unique_checks=0, foreign_key_checks=0")
        self._sql.query(f"INSERT INTO `{name}` (k, v) SELECT seq, MD5(seq) FROM seq_1_to_3000")
        self._sql.query("SET unique_checks=1, foreign_key_checks=1")


_ACTIONS = ([_Session._insert, _Session._update, _Session._delete, _Session._mixed, _Session._bulk,
             _Session._special, _Session._create_or_drop, _Session._rename, _Session._truncate,
             _Session._rebuild, _Session._instant, _Session._index, _Session._bulk_load],
            [30, 20, 14, 8, 6, 10, 4, 3, 1, 1, 2, 2, 1])
