"""Undo truncation on purpose: needs Config(undo_tablespaces=3, undo_truncate=True)."""

import time

import realserver

_ROUNDS_MAX = 12
_PURGE_TIMEOUT_S = 30


def _truncations(sql):
    return int(sql.query("SHOW GLOBAL STATUS LIKE 'innodb_undo_truncations'")[0][1])


def truncate_once(sql):
    """Fills the undo logs with big transactions until the server has truncated an undo tablespace.
    Errors: HarnessError when it never does."""
    sql.query("CREATE DATABASE churn")
    sql.query("CREATE TABLE churn.filler (id INT PRIMARY KEY, v CHAR(250) CHARACTER SET latin1) "
              "ENGINE=InnoDB")
    sql.query("INSERT INTO churn.filler SELECT seq, MD5(seq) FROM churn.seq_1_to_20000")
    for _ in range(_ROUNDS_MAX):
        sql.query("UPDATE churn.filler SET v=CONCAT(LEFT(v,30), RAND())")
        if _truncations(sql):
            break
    deadline = time.monotonic() + _PURGE_TIMEOUT_S
    while not _truncations(sql):
        if time.monotonic() > deadline:
            raise realserver.HarnessError("the server truncated no undo tablespace")
        sql.query("UPDATE churn.filler SET v=REVERSE(v) WHERE id < 1000")
        time.sleep(0.2)
    sql.query("DROP DATABASE churn")
