"""Who was promised what: acknowledged transactions, to be found again after a crash.

Each client's transactions are numbered. Transaction n of client c sets c's counter to n in three
tables of different formats and adds (c, n) to a log table, beside whatever else the caller does in
it. The client remembers the last number whose COMMIT was acknowledged. Afterwards every client must
show, in all tables alike, a number n with acknowledged <= n <= begun, and the log must hold 1..n.
"""

DATABASE = "ledger"
_COUNTERS = {"counter_dynamic": "ROW_FORMAT=DYNAMIC", "counter_redundant": "ROW_FORMAT=REDUNDANT",
             "counter_compact": "ROW_FORMAT=COMPACT"}


def create(sql):
    """Makes the tables, in a database of their own."""
    sql.query(f"CREATE DATABASE {DATABASE}")
    for table, form in _COUNTERS.items():
        sql.query(f"CREATE TABLE {DATABASE}.{table} (client INT PRIMARY KEY, n INT NOT NULL, "
                  f"KEY (n)) ENGINE=InnoDB {form}")
    sql.query(f"CREATE TABLE {DATABASE}.log (client INT, n INT, PRIMARY KEY (client, n)) "
              "ENGINE=InnoDB")


class Client:
    """The ledger of one connection. Not thread-safe: one per thread."""

    def __init__(self, sql, number):
        self._sql = sql
        self.number = number
        self.begun = 0
        self.acknowledged = 0
        for table in _COUNTERS:
            sql.query(f"INSERT INTO {DATABASE}.{table} VALUES ({number}, 0)")

    def record(self):
        """Writes the next number; the caller's transaction is open."""
        self.begun = self.acknowledged + 1
        for table in _COUNTERS:
            self._sql.query(f"UPDATE {DATABASE}.{table} SET n={self.begun} "
                            f"WHERE client={self.number}")
        self._sql.query(f"INSERT INTO {DATABASE}.log VALUES ({self.number}, {self.begun})")

    def commit(self):
        self._sql.query("COMMIT")
        self.acknowledged = self.begun


def violations(sql, clients):
    """Sentences on what does not hold on this server; empty when every promise was kept."""
    counters = {table: dict(sql.query(f"SELECT client, n FROM {DATABASE}.{table}"))
                for table in _COUNTERS}
    logged = {client: (int(count), int(last)) for client, count, last in sql.query(
        f"SELECT client, COUNT(*), MAX(n) FROM {DATABASE}.log GROUP BY client")}
    found = []
    for client in clients:
        numbers = {table: int(rows.get(str(client.number), -1))
                   for table, rows in counters.items()}
        numbers["log"] = logged.get(str(client.number), (0, 0))[1]
        name = f"client {client.number}"
        if len(set(numbers.values())) != 1:
            found.append(f"{name}: tables disagree: {numbers}")
        if not client.acknowledged <= numbers["log"] <= client.begun:
            found.append(f"{name}: {numbers['log']} transactions, acknowledged "
                         f"{client.acknowledged}, begun {client.begun}")
        count, last = logged.get(str(client.number), (0, 0))
        if count != last:
            found.append(f"{name}: log holds {count} rows up to number {last}")
    return found
