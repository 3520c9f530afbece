#!/usr/bin/env python3
"""Tables read without a server against what the server says: all types, row formats, instant
changes, partitions; directories stopped cleanly, killed with transactions open, backups.

    tests/interop/read_tables.py [--seeds 1-3] [--only NAME] [--keep]

What is expected of a crashed directory is what the server shows after recovering a copy of it.
"""

import argparse
import json
import os
import random
import sys

import backup_mirror
import realserver
import redoubt
import sqlclient
import workload
from stored_rows import DUMP, Dump, compare, compare_indexes, quoted, try_query

CTEST_SKIP = 77
_FORMATS = ("REDUNDANT", "COMPACT", "DYNAMIC", "COMPRESSED")
_ONE_BYTE = ("armscii8 ascii cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 dec8 geostd8 greek hebrew"
             " hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman swe7 tis620").split()
_WIDE = "big5 gbk gb2312 sjis cp932 ujis eucjpms euckr ucs2 utf16 utf16le utf32 utf8mb3 utf8mb4".split()


# The tables.

_TYPES = """
 id INT NOT NULL, t1 TINYINT, t2 SMALLINT UNSIGNED, t3 MEDIUMINT, t4 INT UNSIGNED ZEROFILL, t5 BIGINT,
 t6 BIGINT UNSIGNED, f1 FLOAT, f2 DOUBLE, f3 FLOAT(7,2), d1 DECIMAL(1,1), d2 DECIMAL(10,3),
 d3 DECIMAL(65,30), d4 DECIMAL(18,9) UNSIGNED, d5 DECIMAL(20,0), b1 BIT(1), b2 BIT(17), b3 BIT(64),
 y YEAR, da DATE, ti TIME, ti1 TIME(1), ti3 TIME(3), ti6 TIME(6), dt DATETIME, dt2 DATETIME(2),
 dt5 DATETIME(5), ts TIMESTAMP NULL, ts4 TIMESTAMP(4) NULL, ch CHAR(7), vc VARCHAR(20),
 vl VARCHAR(400), bi BINARY(5), vb VARBINARY(300), tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, tb TINYBLOB,
 bl BLOB, lb LONGBLOB, en ENUM('a','b,c','d''e','ü'), se SET('x','y','zz','ä'), js JSON, ge GEOMETRY,
 po POINT, uu UUID, i4 INET4, i6 INET6, cv VARCHAR(500) COMPRESSED, cb BLOB COMPRESSED,
 la VARCHAR(30) CHARACTER SET latin1, lc CHAR(5) CHARACTER SET latin1, uc CHAR(6) CHARACTER SET ucs2,
 uv VARCHAR(9) CHARACTER SET utf16, u3 CHAR(10) CHARACTER SET utf8mb3, iv INT INVISIBLE DEFAULT 7,
 vi INT AS (t1 + 1) VIRTUAL, st INT AS (t1 + 2) STORED
"""


def text(draw, length):
    return "".join(draw.choice("abcXYZ 0189éßäöü€日本語ψ") for _ in range(length))


def long_text(draw):
    return draw.choice((0, 3, 127, 128, 200, 300))


def values(draw):
    """One row of _TYPES, as SQL literals by column."""
    pad = lambda size: f"X'{draw.getrandbits(8 * size):0{2 * size}x}'" if size else "''"  # noqa: E731
    big = draw.choice((0, 10, 500, 800, 9000, 40000) + (0,) * 10)
    day = f"{draw.randint(1000, 9999):04}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
    clock = f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}.{draw.randint(0, 999999):06}"
    span = f"{draw.choice(('', '-'))}{draw.randint(0, 837)}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}.{draw.randint(0, 999999):06}"
    stamp = f"{draw.randint(1971, 2037)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02} {clock}"
    number = lambda whole, rest: (f"{draw.choice(('', '-'))}{draw.randint(0, 10 ** draw.randint(0, whole) - 1)}"  # noqa: E731
                                  f".{draw.randint(0, 10 ** rest - 1):0{rest}}")
    return {
        "t1": draw.randint(-128, 100), "t2": draw.randint(0, 65535), "t3": draw.randint(-8388608, 8388607),
        "t4": draw.randint(0, 2 ** 32 - 1), "t5": draw.randint(-2 ** 63, 2 ** 63 - 1),
        "t6": draw.randint(0, 2 ** 64 - 1), "f1": draw.uniform(-1e6, 1e6), "f2": draw.uniform(-1e200, 1e200),
        "f3": draw.uniform(-9e4, 9e4), "d1": number(0, 1), "d2": number(7, 3), "d3": number(35, 30),
        "d4": number(9, 9).lstrip("-"), "d5": draw.randint(-10 ** 20 + 1, 10 ** 20 - 1), "b1": draw.randint(0, 1),
        "b2": draw.getrandbits(17), "b3": draw.getrandbits(64), "y": draw.choice((0, 1901, 2000, 2155)),
        "da": quoted(draw.choice((day, "0000-00-00", "2020-00-15"))), "ti": quoted(span), "ti1": quoted(span),
        "ti3": quoted(span), "ti6": quoted(span), "dt": quoted(f"{day} {clock}"), "dt2": quoted(f"{day} {clock}"),
        "dt5": quoted(draw.choice((f"{day} {clock}", "0000-00-00 00:00:00"))), "ts": quoted(stamp),
        "ts4": quoted(draw.choice((stamp, "0000-00-00 00:00:00"))), "ch": quoted(text(draw, draw.randint(0, 7)).strip()),
        "vc": quoted(text(draw, draw.randint(0, 20))), "vl": quoted(text(draw, long_text(draw))),
        "bi": pad(draw.randint(0, 5)), "vb": pad(long_text(draw)), "tt": quoted(text(draw, draw.randint(0, 60))),
        "tx": quoted(text(draw, big)), "mt": quoted(text(draw, draw.choice((0, 0, 0, big)))), "tb": pad(draw.randint(0, 255)),
        "bl": pad(big), "lb": f"REPEAT('qwertz', {draw.choice((0, 1, 200, 20000))})",
        "en": draw.randint(1, 4), "se": draw.randint(0, 15), "js": quoted(json.dumps({"a": [1, text(draw, 5)]})),
        "ge": f"ST_GeomFromText('LINESTRING(0 0,{draw.randint(1, 9)} 5)', {draw.choice((0, 4326))})",
        "po": f"Point({draw.random()},{draw.random()})",
        "uu": quoted(draw.choice(("123e4567-e89b-12d3-a456-426655440000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                                  f"{draw.getrandbits(32):08x}-{draw.getrandbits(16):04x}-{draw.getrandbits(16):04x}-"
                                  f"{draw.getrandbits(16):04x}-{draw.getrandbits(48):012x}"))),
        "i4": quoted(".".join(str(draw.randint(0, 255)) for _ in range(4))),
        "i6": quoted(draw.choice(("::", "::1", "1::", "2001:db8::ff00:42:8329", "::ffff:192.0.2.1", "::192.0.2.1", "1:0:2:0:0:3:0:4",
                                  "1:2:3:4:5:6:7:8", "1:0:2:3:4:5:6:7", "0:1:0:0:0:0:0:1", "1:0:0:2:0:0:3:4"))),
        "cv": quoted(text(draw, draw.choice((0, 5, 300)))), "cb": pad(draw.choice((0, 10, 99))) if draw.random() < .5 else
        "REPEAT('abc', 700)",
        "la": quoted("".join(draw.choice("abc éüß€") for _ in range(draw.randint(0, 9)))),
        "lc": quoted("".join(draw.choice("abcéü") for _ in range(draw.randint(0, 5)))),
        "uc": quoted(text(draw, draw.randint(0, 6)).strip()), "uv": quoted(text(draw, draw.randint(0, 8)) + "😀"[:draw.randint(0, 1)]),
        "u3": quoted(text(draw, draw.randint(0, 10)).strip()), "iv": draw.randint(0, 9)}


def insert_types(sql, table, draw, first, count):
    for number in range(first, first + count):
        row = values(draw)
        names = [name for name in row if draw.random() < 0.85]
        try_query(sql, f"INSERT INTO {table} (id, {', '.join(names)}) VALUES "
                       f"({number}, {', '.join(str(row[name]) for name in names)})")


def change_types(sql, table, draw, rows):
    """Updates and deletes all over the table."""
    for _ in range(rows):
        number, row = draw.randint(1, rows * 2), values(draw)
        action = draw.random()
        if action < 0.25:
            sql.query(f"DELETE FROM {table} WHERE id = {number}")
        elif action < 0.4:
            sql.query(f"UPDATE IGNORE {table} SET id = id + {draw.randint(1000, 2000)} WHERE id = {number}")
        else:
            names = draw.sample(sorted(row), draw.randint(1, 8))
            try_query(sql, f"UPDATE {table} SET {', '.join(f'{n} = {row[n]}' for n in names)} WHERE id = {number}")


def make_types(sql, config, draw):
    for row_format in _FORMATS:
        if row_format == "COMPRESSED" and config.page_size > 16384:
            continue
        key_block = f" KEY_BLOCK_SIZE={draw.choice((2, 4))}" if row_format == "COMPRESSED" and config.page_size == 16384 else ""
        sql.query(f"CREATE TABLE d.types_{row_format.lower()} ({_TYPES}, PRIMARY KEY (id), KEY (t5), KEY (vc(5), d2)) "
                  f"ENGINE=InnoDB ROW_FORMAT={row_format}{key_block} DEFAULT CHARSET=utf8mb4")
        insert_types(sql, f"d.types_{row_format.lower()}", draw, 1, 60)
        change_types(sql, f"d.types_{row_format.lower()}", draw, 40)


def make_old_temporal(sql, config, draw):
    sql.query("SET GLOBAL mysql56_temporal_format = OFF")
    kinds = [(kind, digits) for kind in ("TIME", "DATETIME", "TIMESTAMP") for digits in range(7)]
    sql.query("CREATE TABLE d.old_temporal (id INT PRIMARY KEY, " + ", ".join(
        f"{kind.lower()}{digits} {kind}({digits}) NULL" for kind, digits in kinds) + ")")
    sql.query("SET GLOBAL mysql56_temporal_format = ON")
    for number in range(30):
        row = values(draw)
        sql.query(f"INSERT INTO d.old_temporal VALUES ({number}, " + ", ".join(
            row["ti6"] if kind == "TIME" else row["dt" if kind == "DATETIME" else "ts"] for kind, _ in kinds) + ")")


def make_charsets(sql, config, draw):
    columns = [f"c_{name} CHAR(12) CHARACTER SET {name}, v_{name} VARCHAR(40) CHARACTER SET {name}"
               for name in _ONE_BYTE + _WIDE]
    sql.query(f"CREATE TABLE d.charsets (id INT PRIMARY KEY, {', '.join(columns)})")
    for number in range(16):
        assignments = []
        for name in _ONE_BYTE:
            raw = "".join(f"{byte:02x}" for byte in range(number * 16, number * 16 + 12))
            if name == "ascii" and number >= 8:
                raw = "41"
            assignments += [f"v_{name} = X'{raw}', c_{name} = X'{raw}'"]
        for name in _WIDE:
            sample = "".join(draw.choice("abc 日本語中文字가ひ" if name not in ("gb2312", "euckr", "big5") else "abc 中文字")
                             for _ in range(10))
            assignments += [f"v_{name} = CONVERT({quoted(sample)} USING {name})"]
        sql.query(f"INSERT INTO d.charsets SET id = {number}, {', '.join(assignments)}")
    # Halves of surrogate pairs are characters there.
    sql.query("INSERT INTO d.charsets SET id = 100, v_ucs2 = _ucs2 X'D84100410042DC42', v_utf32 = _utf32 X'0000D84100000041'")
    # The bytes of labels stay what they were, and are no characters of the new set, or other ones.
    for name in ("ucs2", "utf16", "utf16le", "utf32"):
        labels = ", ".join(f"X'{label}'" for label in ("71", "41D841", "D84142", "DC4141", "D8410042", "0041D841D8420042", "000000410011000000000042"))
        sql.query(f"CREATE TABLE d.labels_{name} (a ENUM({labels}) CHARACTER SET latin1)")
        sql.query(f"ALTER TABLE d.labels_{name} CONVERT TO CHARACTER SET {name}")


_NAMES = ("anna", "berta", "clara", "doris", "emma", "frieda", "grete")


def make_keys(sql, config, draw):
    """Tables without a key, with keys of prefixes and several columns, with many levels."""
    sql.query("CREATE TABLE d.no_key (a INT, b VARCHAR(10))")
    sql.query("CREATE TABLE d.unique_only (a INT, b INT NOT NULL, c CHAR(3), UNIQUE (b))")
    sql.query("CREATE TABLE d.prefix_key (a VARCHAR(100), b VARCHAR(100), c TEXT, PRIMARY KEY (a(3), b(4)), "
              "KEY (c(20)), KEY (a(5)), KEY (b, c(3)))")
    sql.query("CREATE TABLE d.descending (a INT, b VARCHAR(20), c INT, PRIMARY KEY (a DESC, b), KEY (c DESC))")
    sql.query("CREATE TABLE d.late_key (x VARCHAR(10), y INT, z BIGINT, w INT, PRIMARY KEY (z, x)) ROW_FORMAT=REDUNDANT")
    sql.query("CREATE TABLE d.empty_table (a INT PRIMARY KEY)")
    sql.query("CREATE TABLE d.hash (a VARCHAR(20) PRIMARY KEY, b TEXT, c INT, UNIQUE (b, c))")  # kept unique by a hidden hash
    sql.query("CREATE TABLE d.hash_only (a VARCHAR(20), b TEXT UNIQUE)")
    sql.query("CREATE TABLE d.equal_keys (a VARCHAR(20), t TEXT, n INT, PRIMARY KEY (a, t(4)), KEY (t(3)), KEY (n)) COLLATE utf8mb4_general_ci")
    for number, name in enumerate(_NAMES):
        sql.query(f"INSERT INTO d.equal_keys VALUES ('{name}', REPEAT('{name}', {1 + number * 700}), {number})")
    sql.query("CREATE TABLE d.many (a INT PRIMARY KEY, b VARCHAR(120), KEY (b))")
    for number in range(200):
        sql.query(f"INSERT INTO d.no_key VALUES ({draw.randint(0, 9)}, {quoted(text(draw, 5))})")
        sql.query(f"INSERT IGNORE INTO d.unique_only VALUES (NULL, {draw.randint(0, 999)}, 'abc')")
        sql.query(f"INSERT IGNORE INTO d.prefix_key VALUES ({quoted(text(draw, 9))}, {quoted(text(draw, 9))}, "
                  f"REPEAT('é', {draw.choice((3, 30, 5000))}))")
        sql.query(f"INSERT IGNORE INTO d.descending VALUES ({draw.randint(-9, 9)}, {quoted(text(draw, 6))}, {number})")
        sql.query(f"INSERT IGNORE INTO d.late_key VALUES ({quoted(text(draw, 6))}, {number}, {draw.randint(-99, 99)}, NULL)")
    sql.query("INSERT INTO d.hash SELECT seq, IF(seq MOD 5, MD5(seq), NULL), seq FROM seq_1_to_300")
    sql.query("INSERT INTO d.hash_only SELECT seq, IF(seq MOD 5, MD5(seq), NULL) FROM seq_1_to_300")
    sql.query("INSERT INTO d.many SELECT seq, CONCAT('value ', seq, REPEAT('x', seq MOD 90)) FROM seq_1_to_8000")
    sql.query("DELETE FROM d.many WHERE a MOD 7 = 3")
    sql.query("UPDATE d.many SET b = CONCAT(b, '!') WHERE a MOD 5 = 0")


def make_instant(sql, config, draw):
    for row_format in ("REDUNDANT", "COMPACT", "DYNAMIC"):
        table = f"d.instant_{row_format.lower()}"
        sql.query(f"CREATE TABLE {table} (id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(10), x CHAR(3) NOT NULL "
                  f"DEFAULT 'xyz', l TEXT) ROW_FORMAT={row_format} CHARSET=utf8mb4")
        number = [0]

        def fill(columns, table=table, number=number):
            for _ in range(15):
                number[0] += 1
                names = ", ".join(columns)
                sql.query(f"INSERT INTO {table} (id, {names}) VALUES ({number[0]}, "
                          + ", ".join(quoted(str(draw.randint(0, 99))) for _ in columns) + ")")
            sql.query(f"DELETE FROM {table} WHERE id = {draw.randint(1, number[0])}")
        fill(["a", "b"])
        for change, columns in (
                ("ADD c INT NOT NULL DEFAULT 77", ["a", "b", "c"]),
                ("ADD d VARCHAR(20) DEFAULT 'deflt', ADD e DATETIME DEFAULT '2020-01-01'", ["a", "d"]),
                ("ADD long_default TEXT DEFAULT REPEAT('q', 300)", ["a", "b"]),
                ("ADD f INT NOT NULL DEFAULT 5 FIRST", ["a", "f"]),
                ("DROP a", ["b", "f"]),
                ("ADD n VARCHAR(10) AFTER id, DROP b", ["n"]),
                ("MODIFY x CHAR(3) NULL", ["n"]),
                ("ADD v INT AS (f + 1) VIRTUAL", ["n"]),
                ("MODIFY e DATETIME FIRST", ["n", "f"]),
                ("DROP l", ["n"])):
            try:
                sql.query(f"ALTER TABLE {table} {change}, ALGORITHM=INSTANT")
            except sqlclient.SqlError as error:
                if error.code not in (1845, 1846):
                    raise
                continue
            fill(columns)
            sql.query(f"UPDATE {table} SET x = 'u' WHERE id MOD 3 = {draw.randint(0, 2)}")


def make_partitions(sql, config, draw):
    sql.query("CREATE TABLE d.ranges (a INT PRIMARY KEY, b VARCHAR(20)) PARTITION BY RANGE (a) "
              "(PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN (500), PARTITION pm VALUES LESS THAN MAXVALUE)")
    sql.query("CREATE TABLE d.hashed (a INT, b INT, KEY (b)) PARTITION BY HASH (a) PARTITIONS 3")
    sql.query("CREATE TABLE d.sub (a INT, b DATE) PARTITION BY RANGE (YEAR(b)) SUBPARTITION BY HASH (a) SUBPARTITIONS 2 "
              "(PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)")
    sql.query("INSERT INTO d.ranges SELECT seq, CONCAT('r', seq) FROM seq_1_to_900")
    sql.query("INSERT INTO d.hashed SELECT seq, seq MOD 17 FROM seq_1_to_300")
    sql.query("INSERT INTO d.sub SELECT seq, DATE_ADD('1990-01-01', INTERVAL seq * 30 DAY) FROM seq_1_to_300")
    sql.query("ALTER TABLE d.ranges ADD c INT DEFAULT 9, ALGORITHM=INSTANT")
    sql.query("INSERT INTO d.ranges SELECT seq, 'new', seq FROM seq_901_to_950")


def make_others(sql, config, draw):
    sql.query("SET GLOBAL innodb_file_per_table = OFF")
    sql.query("CREATE TABLE d.in_system (a INT PRIMARY KEY, b LONGTEXT)")
    sql.query("SET GLOBAL innodb_file_per_table = ON")
    sql.query("INSERT INTO d.in_system SELECT seq, REPEAT('s', seq * 100) FROM seq_1_to_200")
    sql.query("CREATE TABLE d.`weird-näme$.x 日` (`sp ace` INT PRIMARY KEY, `qu``ote` TEXT)")
    sql.query("INSERT INTO d.`weird-näme$.x 日` VALUES (1, 'ä'), (2, NULL)")
    sql.query("CREATE TABLE d.long_unique (a BLOB, b VARCHAR(20), c VARCHAR(5000), d TEXT, UNIQUE (b(4), a(900)) USING HASH, UNIQUE (c, b(3)), UNIQUE (d), UNIQUE (b))")
    sql.query("INSERT INTO d.long_unique VALUES ('a', 'b', 'c', 'd'), ('aa', 'bbbbb', 'cc', NULL)")
    for charset in ("utf8mb3", "utf8mb4"):  # the server leaves the labels' bytes as they were
        for name in ("enum", "set"):
            sql.query(f"CREATE TABLE d.labels_{name}_{charset} (a INT PRIMARY KEY, b {name}('é', 'b', '中日')) CHARACTER SET gbk")
            sql.query(f"ALTER TABLE d.labels_{name}_{charset} CONVERT TO CHARACTER SET {charset}")
            sql.query(f"INSERT INTO d.labels_{name}_{charset} VALUES (1, 1), (2, 2), (3, 3)")
    sql.query("CREATE TABLE d.full_text (a INT PRIMARY KEY, b TEXT, FULLTEXT (b))")
    sql.query("INSERT INTO d.full_text VALUES (1, 'quick brown fox'), (2, 'hello world')")
    sql.query("CREATE TABLE d.spatial (a INT PRIMARY KEY, g POINT NOT NULL, SPATIAL INDEX (g))")
    sql.query("INSERT INTO d.spatial SELECT seq, Point(seq, 2 * seq) FROM seq_1_to_100")
    sql.query("CREATE TABLE d.versioned (a INT PRIMARY KEY, b INT) WITH SYSTEM VERSIONING")
    sql.query("INSERT INTO d.versioned VALUES (1, 1), (2, 2)")
    sql.query("UPDATE d.versioned SET b = 3 WHERE a = 1")
    sql.query("CREATE TABLE IF NOT EXISTS d.parent (a INT PRIMARY KEY)")
    sql.query("CREATE TABLE d.child (a INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.parent (a) ON DELETE CASCADE)")
    sql.query("INSERT INTO d.parent VALUES (1), (2)")
    sql.query("INSERT INTO d.child VALUES (10, 1), (20, NULL)")
    sql.query("CREATE SEQUENCE d.numbers")
    sql.query("SELECT NEXTVAL(d.numbers)")
    sql.query("CREATE TABLE d.uuid_first (u UUID PRIMARY KEY, i INET6)")
    sql.query("INSERT INTO d.uuid_first VALUES (UUID(), '::1')")


def make_definitions(sql, config, draw):
    """For SHOW CREATE TABLE."""
    statements = [
        "a INT NOT NULL DEFAULT -5 COMMENT 'it''s \\\\ a\\n line', b TINYINT(1) DEFAULT 1, c SMALLINT UNSIGNED ZEROFILL DEFAULT 7, "
        "d BIGINT UNSIGNED DEFAULT 18446744073709551615, e MEDIUMINT DEFAULT -3, f FLOAT DEFAULT 1.5, g DOUBLE DEFAULT 2.25e10, "
        "h FLOAT(6,2) DEFAULT 3.1, i DECIMAL(8,3) DEFAULT -1.25, j DECIMAL(5) UNSIGNED ZEROFILL DEFAULT 12, k BIT(5) DEFAULT b'101', "
        "l YEAR DEFAULT 2001, m DATE DEFAULT '2001-02-03', n TIME DEFAULT '-01:02:03', o TIME(3) DEFAULT '10:11:12.345', "
        "p DATETIME DEFAULT '2001-02-03 04:05:06', q DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
        "r TIMESTAMP NULL DEFAULT NULL, s TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00', t CHAR(5) DEFAULT 'ab', "
        "u VARCHAR(300) DEFAULT 'long', v VARCHAR(20) CHARACTER SET latin1 DEFAULT 'é', w BINARY(3) DEFAULT 'x', "
        "x VARBINARY(10) DEFAULT 'yz', y ENUM('a','b') DEFAULT 'b', z SET('x','y','z') DEFAULT 'x,z'",
        "id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT (1 + 2), b TEXT DEFAULT (CONCAT('a', 'b')), c UUID DEFAULT UUID(), "
        "d INT CHECK (d > 0), e JSON, f INT INVISIBLE, CONSTRAINT named CHECK (a < 100), CHECK (d <> 5)",
        "a INT, b INT, c VARCHAR(50), d TEXT, UNIQUE KEY u (a), KEY k (b) USING BTREE COMMENT 'key''s', KEY p (c(10), d(5), a DESC), "
        "KEY x (a, c) IGNORED, UNIQUE KEY longer (d)",
        "a VARCHAR(10) COLLATE utf8mb4_bin, b CHAR(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, c TEXT COLLATE utf8mb4_uca1400_ai_ci, "
        "d ENUM('ä','ö') CHARACTER SET latin1, h ENUM('q',x'007A007A') CHARACTER SET utf8mb3, e SET('x') CHARACTER SET ucs2, f NATIONAL CHAR(4), g LONGTEXT CHARACTER SET binary",
        "a INT PRIMARY KEY, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, "
        "w INT WITHOUT SYSTEM VERSIONING, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING COMMENT='versioned' --",
        "a INT, s DATE, e DATE, PERIOD FOR p (s, e), UNIQUE (a, p WITHOUT OVERLAPS)",
        "a INT PRIMARY KEY) ROW_FORMAT=COMPACT STATS_PERSISTENT=1 STATS_AUTO_RECALC=0 STATS_SAMPLE_PAGES=7 MAX_ROWS=100 MIN_ROWS=5 "
        "AVG_ROW_LENGTH=50 CHECKSUM=1 PACK_KEYS=1 DELAY_KEY_WRITE=1 COLLATE utf8mb4_bin COMMENT='it''s' AUTO_INCREMENT=77 --",
        f"a INT PRIMARY KEY, b TEXT) PAGE_COMPRESSED=1 PAGE_COMPRESSION_LEVEL=3 COMMENT '{'y' * 500}' --",
        "a INT AUTO_INCREMENT PRIMARY KEY) CHARSET latin1 AUTO_INCREMENT=1000 --",
        "a INT, b INT AS (a + 1) VIRTUAL INVISIBLE, c INT AS (a * 2) PERSISTENT COMMENT 'c', KEY (b)",
        "a POINT NOT NULL, b POLYGON, c LINESTRING REF_SYSTEM_ID=4326, SPATIAL KEY (a)",
        "a INT, b VARCHAR(10)) PARTITION BY LIST COLUMNS (b) (PARTITION `p x` VALUES IN ('a','b') COMMENT = 'c', PARTITION p2 VALUES IN ('c')) --",
        "a INT, b INT, KEY (a), CONSTRAINT fk FOREIGN KEY (a) REFERENCES parent (a) ON DELETE SET NULL ON UPDATE CASCADE",
        "a INT PRIMARY KEY) ENCRYPTED=NO ENCRYPTION_KEY_ID=3 `PAGE_COMPRESSED`='0' --",
        "a TINYTEXT, b MEDIUMBLOB, c TINYBLOB, d VARCHAR(10) NOT NULL, e INT(3) UNSIGNED, FULLTEXT KEY ft (a, d) COMMENT 'f'",
    ]
    sql.query("CREATE TABLE IF NOT EXISTS d.parent (a INT PRIMARY KEY)")
    for number, definition in enumerate(statements):
        ending = definition[:-2] if definition.endswith("--") else definition + ")"
        sql.query(f"CREATE TABLE d.definition{number} ({ending}")
        try_query(sql, f"INSERT INTO d.definition{number} () VALUES ()", also=(4025, 1364, 1048, 1416, 1526))


MAKERS = {"types": make_types, "old_temporal": make_old_temporal, "charsets": make_charsets,
          "keys": make_keys, "instant": make_instant, "partitions": make_partitions,
          "others": make_others, "definitions": make_definitions}


def open_transactions(server, draw, tables):
    """Sessions that change rows and do not commit."""
    sessions = []
    for table in tables:
        sql = server.connect()
        sql.query("SET sql_mode = '', SESSION innodb_lock_wait_timeout = 1, NAMES utf8mb4")
        sql.query("BEGIN")
        sessions.append(sql)
        try:
            insert_types(sql, table, draw, 100000, 5)
            change_types(sql, table, draw, 40)
        except sqlclient.SqlError:
            pass
    return sessions


def open_special_transactions(server):
    """One that is prepared, one that fills an empty table without undo of each row, one of DDL."""
    prepared = server.connect()
    prepared.query("XA START 'x'")
    prepared.query("UPDATE d.many SET b = 'prepared' WHERE a < 500")
    prepared.query("DELETE FROM d.many WHERE a BETWEEN 600 AND 700")
    prepared.query("INSERT INTO d.many VALUES (-5, 'prepared')")
    prepared.query("XA END 'x'")
    prepared.query("XA PREPARE 'x'")
    bulk = server.connect()
    bulk.query("SET unique_checks = 0, foreign_key_checks = 0")
    bulk.query("USE d")
    bulk.query("BEGIN")
    bulk.query("INSERT INTO d.empty_table SELECT seq FROM seq_1_to_3000")
    equal = server.connect()  # rows whose keys are equal to those of deleted ones, but not the same bytes
    equal.query("BEGIN")
    for number, name in enumerate(_NAMES):
        if number % 3 == 0:
            equal.query(f"UPDATE d.equal_keys SET a = '{name.upper()}', n = n + 10 WHERE a = '{name}'")
            continue
        equal.query(f"DELETE FROM d.equal_keys WHERE a = '{name}'")
        equal.query(f"INSERT INTO d.equal_keys VALUES ('{name.title()}', REPEAT('{name.upper()}', 900), {number})")
        if number % 3 == 2:
            equal.query(f"DELETE FROM d.equal_keys WHERE a = '{name}'")
            equal.query(f"INSERT INTO d.equal_keys VALUES ('{name.upper()}', '{name.title()}', 7)")
    hashed = server.connect()  # two entries in a hidden hash's index, whose values cannot be held against it
    hashed.query("BEGIN")
    hashed.query("UPDATE d.hash SET b = CONCAT(b, '!') WHERE c < 100")
    hashed.query("UPDATE d.hash_only SET b = CONCAT(b, '!') WHERE a < '2'")
    return [prepared, bulk, equal, hashed]


class Case:
    """One directory: made, changed, left in some state, read."""

    def __init__(self, scratch, name, config, seed):
        self.name, self.config, self.draw = name, config, random.Random(f"{name} {seed}")
        self.site = realserver.Site(scratch.path(name.replace(" ", "-")))
        realserver.Templates(scratch.path("templates")).fill(self.site, config)

    def options(self, site=None):
        if not self.config.encrypts():
            return []
        return ["--key-file", (site or self.site).key_file, "--key-algorithm", self.config.encryption]

    def run(self, state, makers):
        found = []
        with realserver.Server(self.site, self.config) as server:
            with server.connect() as sql:
                sql.query("SET sql_mode = '', innodb_strict_mode = OFF, NAMES utf8mb4, time_zone = '+00:00'")
                sql.query("CREATE DATABASE d CHARACTER SET utf8mb4")
                sql.query("USE d")
                for name in makers:
                    MAKERS[name](sql, self.config, self.draw)
            tables = [f"d.types_{f.lower()}" for f in _FORMATS
                      if "types" in makers and not (f == "COMPRESSED" and self.config.page_size > 16384)]
            if state == "stopped":
                server.shut_down()
            else:
                sessions = open_transactions(server, self.draw, tables)
                if "keys" in makers:
                    sessions += open_special_transactions(server)
                with server.connect() as sql:
                    sql.query("CREATE TABLE d.last_words (a INT PRIMARY KEY)")
                    sql.query("INSERT INTO d.last_words VALUES (1), (2)")
                server.kill()
                del sessions
        found += self.verify()
        dump = Dump(self.site.data, *self.options())
        indexes = compare_indexes(dump, self.site.data, self.options())
        # (which would else bring its statistics up to date while it is asked)
        with realserver.Server(self.site, self.config, ["--innodb-stats-auto-recalc=OFF"]) as server:
            with server.connect() as sql:
                sql.query("SET NAMES utf8mb4")
                found += compare(dump, sql, ("d", "mysql"), create=state == "stopped")
            server.kill()
        found += indexes
        return [f"{self.name} {state}: {sentence}" for sentence in found]


    def verify(self):
        answer = redoubt.run(redoubt.command("verify", self.site.data, "--level", "files,pages,trees,rows", *self.options()))
        return [f"verify: {finding}" for finding in answer.document["findings"] if finding["severity"] != "note"][:5]


class LoadCase(Case):
    """A directory, or a backup of it, left in the midst of random statements and DDL."""

    def run(self, state, makers):
        found = []
        data = self.site.data
        with realserver.Server(self.site, self.config) as server:
            load = workload.Workload(server, self.config, self.draw.randint(1, 10 ** 6))
            if state == "backup":
                data = os.path.join(self.site.folder, "backup")
                load.run(2, then=lambda: backup_mirror.take_backup(server, self.site, data))
            else:
                load.run(2, then=server.kill)
            server.kill()
        dump = Dump(data, *self.options())
        print(f"  ({len(dump.tables)} tables, {sum(map(len, dump.rows.values()))} rows; "
              f"{'; '.join(dump.notes)})")
        found += compare_indexes(dump, data, self.options(), 2, ((),))
        if state == "backup":
            backup_mirror.peer_prepare(data, *self._prepare_options())
            prepared = Dump(data, *self.options())
            if prepared.rows != dump.rows:
                different = [name for name in {**prepared.rows, **dump.rows}
                             if prepared.rows.get(name) != dump.rows.get(name)]
                found.append(f"prepared and unprepared differ: {different[:5]}")
            os.rename(self.site.data, self.site.data + ".live")
            os.rename(data, self.site.data)
        altered = redoubt.cut_off_alters(redoubt.run(redoubt.command("verify", self.site.data, "--level", "files,pages,trees", *self.options())))
        try:
            with realserver.Server(self.site, self.config) as server:
                with server.connect() as sql:
                    sql.query("SET NAMES utf8mb4")
                    # (not `mysql`: the server, once started, tidies its statistics of what DDL left)
                    schemas = workload.databases(sql)
                    found += compare(dump, sql, schemas, ruined=altered)
                server.kill()
        except (realserver.HarnessError, sqlclient.ConnectionLost):
            if not altered:
                raise
            print(f"  (the server cannot recover it: an ALTER of {altered} was cut off)")
        return [f"{self.name} {state}: {sentence}" for sentence in found]

    def _prepare_options(self):
        if not self.config.encrypts():
            return []
        return ["--plugin-load-add=file_key_management",
                f"--file-key-management-filename={self.site.key_file}",
                f"--file-key-management-encryption-algorithm=aes_{self.config.encryption}"]


_LOADS = {
    "load": (realserver.Config(), "killed"),
    "load undo": (realserver.Config(undo_tablespaces=3, page_size=4096, buffer_pool="24M"), "killed"),
    "load encrypted": (realserver.Config(encryption="cbc"), "killed"),
    "load binlog": (realserver.Config(options=("--log-bin=mb", "--innodb-flush-log-at-trx-commit=1")), "killed"),
    "load backup": (realserver.Config(), "backup"),  # (dump_tables must be built with `backup`)
}
_CASES = {
    "plain stopped": (realserver.Config(), "stopped", sorted(MAKERS)),
    "plain killed": (realserver.Config(undo_tablespaces=3), "killed", sorted(MAKERS)),
    "small pages": (realserver.Config(page_size=4096, checksum="crc32"), "killed", ["keys", "instant", "partitions"]),
    "encrypted": (realserver.Config(encryption="ctr"), "killed", ["types", "instant", "others"]),
    "page compressed": (realserver.Config(page_compressed="lz4"), "killed", ["types", "keys"]),
    "big pages": (realserver.Config(page_size=65536), "stopped", ["types", "keys", "instant"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--only")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if realserver.missing_parts() or not os.access(DUMP, os.X_OK):
        print("skipped: no mariadbd, or dump_tables is not built")
        return CTEST_SKIP
    realserver.end_orderly_on_signals()
    first, _, last = options.seeds.partition("-")
    failures = 0
    if options.only and not any(options.only in name for name in (*_CASES, *_LOADS)):
        parser.error(f"no case is called {options.only}; there are {', '.join((*_CASES, *_LOADS))}")
    with realserver.Scratch(keep=options.keep) as scratch:
        for seed in range(int(first), int(last or first) + 1):
            for name, (config, state, makers) in _CASES.items():
                if options.only and options.only not in name:
                    continue
                found = Case(scratch, name, config, seed).run(state, makers)
                print(f"{name} seed {seed}: {len(found)} differences", flush=True)
                for sentence in found:
                    print("  " + sentence)
                failures += len(found)
            for name, (config, state) in _LOADS.items():
                if options.only and options.only != name:
                    continue
                found = LoadCase(scratch, name, config, seed).run(state, ())
                print(f"{name} seed {seed}: {len(found)} differences", flush=True)
                for sentence in found:
                    print("  " + sentence)
                failures += len(found)
        if options.keep:
            print(f"kept in {scratch.folder}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
