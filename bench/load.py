"""The load that the benchmarks of recovery and prepare put on a server: updates, inserts and deletes on four tables."""

import contextlib
import threading
import time

_TABLES = 4


@contextlib.contextmanager
def running(server, redo_bytes):
    """Inside the context the load runs, and at least that much redo lies behind the checkpoint."""
    with server.connect() as sql:
        sql.query("CREATE DATABASE b")
        for i in range(_TABLES):
            sql.query(f"CREATE TABLE b.t{i} (id INT AUTO_INCREMENT PRIMARY KEY, k INT, c CHAR(120) CHARACTER SET latin1, "
                      "pad CHAR(60) CHARACTER SET latin1, KEY (k)) ENGINE=InnoDB")
            sql.query(f"INSERT INTO b.t{i} (k, c, pad) SELECT seq*7919 MOD 100000, REPEAT(MD5(seq), 3), MD5(seq+1) FROM b.seq_1_to_100000")
    stop = threading.Event()
    threads = [threading.Thread(target=_work, args=(server, i, stop)) for i in range(_TABLES)]
    for thread in threads:
        thread.start()
    try:
        with server.connect() as sql:
            while int(dict(sql.query("SHOW GLOBAL STATUS LIKE 'Innodb_%'"))["Innodb_checkpoint_age"]) < redo_bytes:
                time.sleep(0.2)
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _work(server, number, stop):
    with server.connect() as sql:
        round_number = 0
        while not stop.is_set():
            round_number += 1
            first = (round_number * 7013 + number * 31) % 90000
            sql.query(f"UPDATE b.t{number} SET k=k+{round_number}, c=REVERSE(c) WHERE id BETWEEN {first} AND {first + 1500}")
            sql.query(f"INSERT INTO b.t{number} (k, c, pad) SELECT seq, MD5(seq), MD5(seq) FROM b.seq_1_to_500")
            sql.query(f"DELETE FROM b.t{number} WHERE id BETWEEN {first + 2000} AND {first + 2100}")
