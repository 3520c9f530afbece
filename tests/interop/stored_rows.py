"""The rows that Redoubt reads from a directory without a server (dump_tables), and their comparison with what the server selects.

    dump = Dump(site.data, *key_options)      # of the directory as it was left
    with Server(site, config) as server, server.connect() as sql:
        problems = compare(dump, sql, ["d"])

Values are compared exactly: bytes as hex, text after conversion to UTF-8, FLOAT and DOUBLE as the double they are (with a fixed number
of digits, FLOAT(7,2): as it is shown). VIRTUAL columns are left out: they are not stored.
"""

import collections
import json
import os
import re
import subprocess

import redoubt
import sqlclient

DUMP = os.environ.get("DUMP_TABLES", os.path.join(os.path.dirname(redoubt.REDOUBT), "dump_tables"))
_BINARY = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "point", "geometry",
           "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
           "geometrycollection")
_SHOWN_MAX = 300  # characters of a value in a message
_TIMEOUT_S = 600
_TABLE_CORRUPT = 1877
_INDEX_CORRUPT = 1034
_NO_PAR_FILE = 1696  # a crash within ALTER TABLE of a partitioned table may leave its .frm alone


def quoted(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def name_of(*parts):
    """A quoted identifier: name_of(schema, table)."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)


def try_query(sql, statement, also=()):
    """Runs a statement that may make a row too long for its page, or fail as said."""
    try:
        sql.query(statement)
    except sqlclient.SqlError as error:
        if error.code not in (1118, 1205, *also):
            raise


class Dump:
    """What dump_tables prints."""

    def __init__(self, path, *options):
        result = subprocess.run([DUMP, path, *options], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=_TIMEOUT_S, check=False,
                                env={**os.environ, "TZ": "UTC"})
        self.tables, self.rows, self.notes, self.refused, self.errors, self.lost = {}, {}, [], {}, [], []
        self.failure = ""
        if result.returncode not in (0, 2):
            self.failure = f"dump_tables ended with {result.returncode}: {result.stderr.decode('utf-8', 'replace')}"
        name = None
        for line in result.stdout.decode("utf-8", "surrogateescape").split("\n"):
            if not line:
                continue
            document = json.loads(line)
            if isinstance(document, list):
                self.rows[name].append([_plain(value) for value in document])
            elif "table" in document:
                name = document["table"]
                self.tables[name] = document
                self.rows[name] = []
            elif "note" in document:
                self.notes.append(document["note"])
            elif "refused" in document:
                self.refused[document["refused"]] = document["reason"]
            elif "error" in document:
                self.errors.append(f"{name}: {document['error']}")
            elif "lost" in document:
                self.lost.append(document["lost"])


def _plain(ours):
    if isinstance(ours, dict) and "raw" in ours:  # text that is not UTF-8, as the server sends it too
        return bytes.fromhex(ours["raw"]).decode("utf-8", "surrogateescape")
    return next(iter(ours.values())) if isinstance(ours, dict) else ours


# --- what is asked of the server, so that its text can be compared ---------------------------


def column_types(sql, schema, table, names):
    """(name, data type, column type, extra) of columns; those that information_schema hides are a versioned table's timestamps."""
    known = {name: (kind, whole, extra) for name, kind, whole, extra in sql.query(
        "SELECT column_name, data_type, column_type, extra FROM information_schema.columns "
        f"WHERE BINARY table_schema = {quoted(schema)} AND BINARY table_name = {quoted(table)}")}
    return [(name, *known.get(name, ("timestamp", "timestamp(6)", ""))) for name in names]


def expression(name, kind, whole):
    column = name_of(name)
    if kind in _BINARY:
        return f"HEX({column})"
    if kind == "bit":
        size = (int(whole[4:-1]) + 7) // 8
        return f"LPAD(HEX({column}), {2 * size}, '0')"
    if kind in ("float", "double") and "(" not in whole:
        return f"CAST({column} AS DOUBLE)"  # all digits, whatever the column shows
    return column


def _canonical(value, kind, whole):
    """A value such that equal ones compare equal; the same for both sides."""
    if value is None:
        return None
    if kind in ("float", "double"):
        return float(value).hex()
    if "zerofill" in whole and kind != "decimal":
        return str(int(value))
    if "zerofill" in whole:
        return value.lstrip("0") if value.lstrip("0")[:1].isdigit() else "0" + value.lstrip("0")
    if kind == "year":
        return f"{int(value):04}"
    return value


def _stored(columns, rows):
    """Rows without the virtual columns, in comparable form."""
    kept = [(i, kind, whole) for i, (_, kind, whole, extra) in enumerate(columns) if "VIRTUAL" not in extra]
    return [[_canonical(row[i], kind, whole) for i, kind, whole in kept] for row in rows]


def _order(row):
    return [(value is not None, value or "") for value in row]


def difference(table, columns, ours, theirs, in_order):
    """A sentence on the first difference of two tables' rows, None when there is none. Duplicates count; `in_order`: the order too."""
    ours, theirs = _stored(columns, ours), _stored(columns, theirs)
    names = [(name, whole) for name, _, whole, extra in columns if "VIRTUAL" not in extra]
    if len(ours) != len(theirs):
        return (f"{table}: {len(ours)} rows read, the server has {len(theirs)}\n"
                f"  only ours         {_only(ours, theirs)}\n  only the server's {_only(theirs, ours)}")
    if not in_order:
        ours, theirs = sorted(ours, key=_order), sorted(theirs, key=_order)
    for number, (our_row, their_row) in enumerate(zip(ours, theirs)):
        for (name, whole), our, their in zip(names, our_row, their_row):
            if our != their:
                return (f"{table} row {number} ({'as stored' if in_order else 'sorted'}) column {name} ({whole}):\n"
                        f"  ours         {_shown(our, their)}\n  the server's {_shown(their, our)}\n"
                        f"  our row      {str(our_row)[:_SHOWN_MAX]}\n  the server's {str(their_row)[:_SHOWN_MAX]}")
    return None


def _only(rows, others):
    """The first rows that are not among the others, counting duplicates."""
    left = collections.Counter(map(tuple, rows))
    left.subtract(map(tuple, others))
    return ascii([row for row, count in left.items() if count > 0][:5])[:2 * _SHOWN_MAX]


def _shown(value, other):
    """A value's part around its first difference from another."""
    if value is None or other is None or len(value) <= _SHOWN_MAX:
        return ascii(value)[:2 * _SHOWN_MAX]
    at = next((i for i, (a, b) in enumerate(zip(value, other)) if a != b), min(len(value), len(other)))
    begin = max(0, at - _SHOWN_MAX // 2)
    return f"{len(value)} characters, from {begin}: {ascii(value[begin:begin + _SHOWN_MAX])}"


def innodb_tables(sql, schemas):
    """(schema, table, whether versioned, whether partitioned) of every InnoDB table there."""
    listed = ", ".join(quoted(schema) for schema in schemas)
    return [(schema, table, kind == "SYSTEM VERSIONED", "partitioned" in (options or "")) for schema, table, kind, options in sql.query(
        "SELECT table_schema, table_name, table_type, create_options FROM information_schema.tables "
        f"WHERE (engine = 'InnoDB' OR engine IS NULL) AND table_type <> 'VIEW' AND BINARY table_schema IN ({listed})")]


def server_rows(sql, schema, table, columns, versioned):
    """Every row, of all times, in the order in which the table stores them."""
    listed = ", ".join(expression(*column[:3]) for column in columns)
    history = " FOR SYSTEM_TIME ALL" if versioned else ""
    return sql.query(f"SELECT {listed} FROM {name_of(schema, table)}{history} USE INDEX ()")


def ruined_tables(sql, schemas, server):
    """Names of tables that the server itself cannot read any more, or whose indexes it finds in InnoDB on other columns than in the .frm
    (seen after ALTERs under load; it crashes on some)."""
    ruined = []
    for schema, table, _, _ in innodb_tables(sql, schemas):
        try:
            sql.query(f"SELECT COUNT(*) FROM {name_of(schema, table)} USE INDEX ()")
        except sqlclient.SqlError as error:
            if error.code not in (_TABLE_CORRUPT, _INDEX_CORRUPT, _NO_PAR_FILE) and str(_TABLE_CORRUPT) not in str(error):
                raise
            ruined.append(f"{schema}.{table}")
    for path in re.findall(r"InnoDB indexes are inconsistent with what defined in \.frm for table \./(\S+)", server.log_text()):
        ruined.append(re.sub("@([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), path.split("#P#")[0]).replace("/", ".", 1))
    return ruined


def compare(dump, sql, schemas, create=False, ruined=(), simplify=str):
    """Sentences on what differs in the tables that the server has, each with the table's SHOW CREATE TABLE. `create`: that too,
    as `simplify` leaves it; `ruined`: tables that cannot be compared."""
    found = [error for error in dump.errors if not error.startswith(tuple(f"{name}: " for name in ruined))]
    found += [f"lost: {lost}" for lost in dump.lost] + ([dump.failure] if dump.failure else [])
    sql.query("SET NAMES utf8mb4, time_zone = '+00:00'")
    for schema, table, versioned, partitioned in innodb_tables(sql, schemas):
        name = f"{schema}.{table}"
        if name in ruined:
            continue
        shown = sql.query(f"SHOW CREATE TABLE {name_of(schema, table)}")[0][1]
        if name not in dump.tables:
            found.append(f"{name}: not read: {dump.refused.get(name, 'not listed')}\n{shown}")
            continue
        columns = column_types(sql, schema, table, [c["name"] for c in dump.tables[name]["columns"]])
        theirs = server_rows(sql, schema, table, columns, versioned)
        problem = (difference(name, columns, dump.rows[name], theirs, in_order=False) or
                   (None if partitioned else difference(name, columns, dump.rows[name], theirs, in_order=True)))
        if problem:
            found.append(f"{problem}\n{shown}")
        shown = shown.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # bytes of a default: as dump_tables shows them
        if create and simplify(shown) != simplify(dump.tables[name]["create"]):
            found.append(f"{name}: CREATE differs:\n--- ours\n{dump.tables[name]['create']}\n--- the server's\n{shown}")
    return found


def compare_indexes(dump, path, options, indexes=5, orders=((), ("--descending",))):
    """Each table through each of its indexes, from both ends, against the scan of the table."""
    found = []
    for number in range(indexes):
        for order in orders:
            through = Dump(path, *options, "--index", str(number), *order)
            for name, document in through.tables.items():
                if number >= len(document["indexes"]):
                    continue
                problems = [e for e in through.errors if e.startswith(name + ":")]
                if problems and ("collation is not known" in problems[0] or "has a virtual column" in problems[0]):
                    continue
                expected = dump.rows[name][::-1] if order else dump.rows[name]
                ours = through.rows[name]
                if number > 0 or " PARTITION BY " in document["create"]:
                    key = lambda row: [str(value) for value in row]  # noqa: E731
                    expected, ours = sorted(expected, key=key), sorted(ours, key=key)
                if expected != ours or problems:
                    found.append(f"{name} through index {number} {order}: {len(ours)} rows, "
                                 f"{len(expected)} expected {problems}")
    return found
