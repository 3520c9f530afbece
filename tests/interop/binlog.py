"""Replaying a binary log from a backup's position, and comparing what two servers hold."""

import os
import shutil
import subprocess
import tempfile

import realserver

MARIADB_BINLOG = shutil.which("mariadb-binlog")
MARIADB = shutil.which("mariadb")
SERVER_OPTIONS = ("--log-bin=mb", "--binlog-format=ROW")

_REPLAY_TIMEOUT_S = 1200
_OWN_SCHEMAS = ("mysql", "sys", "performance_schema", "information_schema")


def missing_parts():
    return [name for name, path in (("mariadb-binlog", MARIADB_BINLOG), ("mariadb", MARIADB))
            if path is None]


def position(backup):
    """(file, offset) up to which a backup has everything."""
    with open(os.path.join(backup, "xtrabackup_binlog_info"), encoding="utf-8") as info:
        file, offset = info.read().split()[:2]
    return file, int(offset)


def replay(file, offset, folder, server):
    """Runs what the logs in `folder` have from there on. Errors: HarnessError."""
    logs = sorted(name for name in os.listdir(folder)
                  if name.startswith(file.rsplit(".", 1)[0] + ".0") and name >= file)
    if logs[:1] != [file]:
        raise realserver.HarnessError(f"binary log {file} is not in {folder}")
    with server.connect() as sql:
        sql.query("SET GLOBAL innodb_flush_log_at_trx_commit=0")  # nothing crashes here
    with tempfile.TemporaryFile() as reader_errors:
        reader = subprocess.Popen([MARIADB_BINLOG, f"--start-position={offset}",
                                   *(os.path.join(folder, name) for name in logs)],
                                  stdout=subprocess.PIPE, stderr=reader_errors)
        with reader:
            client = subprocess.Popen([MARIADB, "--no-defaults", f"--socket={server.socket}", "--user=root",
                                       "--binary-mode"], stdin=reader.stdout,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            reader.stdout.close()  # a client that ends early ends the reader too
            try:
                said, _ = client.communicate(timeout=_REPLAY_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                client.kill()
                said, _ = client.communicate()
                said += b" (killed: it took too long)"
        reader_errors.seek(0)
        errors = reader_errors.read()
    if reader.returncode != 0 or client.returncode != 0:
        raise realserver.HarnessError(
            f"replaying the binary log failed: {errors.decode(errors='replace')} "
            f"{said.decode(errors='replace')}")


def checksums(sql):
    """{table: checksum} of all tables but the server's own."""
    tables = sql.query("SELECT table_schema, table_name FROM information_schema.tables "
                       "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN "
                       f"({', '.join(repr(name) for name in _OWN_SCHEMAS)})")
    return {f"{schema}.{name}": sql.query(f"CHECKSUM TABLE `{schema}`.`{name}`")[0][1]
            for schema, name in tables}


def differences(one, other):
    """Sentences on which tables differ."""
    return [f"{name}: checksum {one.get(name, 'no such table')} and {other.get(name, 'no such table')}"
            for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
