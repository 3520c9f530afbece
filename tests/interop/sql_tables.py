#!/usr/bin/env python3
"""`redoubt sql` against the server: the same queries, of a directory stopped cleanly and of one killed
with a transaction open; and of one with a damaged page.

    tests/interop/sql_tables.py [--keep]
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys

import realserver
import redoubt
import surgery

CTEST_SKIP = 77
_PAGE_SIZE = 16384

_SETUP = """
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE `od.d "db`;
USE shop;
CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(40) COLLATE utf8mb4_bin NOT NULL,
  city VARCHAR(20), KEY (name), KEY (city));
CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, customer INT, price DECIMAL(20,2), placed DATETIME,
  changed TIMESTAMP NULL, note TEXT, weight DOUBLE, share FLOAT, flag TINYINT UNSIGNED, big BIGINT UNSIGNED,
  code BINARY(4), state ENUM('new','paid','sent'), KEY (customer, placed), KEY (price), KEY (placed DESC),
  KEY (note(10)), KEY (customer, note(5)), KEY (changed), KEY (big), KEY (code), KEY (state));
CREATE TABLE shop.keyless (a INT, b INT, KEY (a), KEY (b));
CREATE TABLE shop.texts (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT, KEY (n));
CREATE TABLE shop.names (id INT PRIMARY KEY, g VARCHAR(20) COLLATE utf8mb4_general_ci, u VARCHAR(20) COLLATE utf8mb4_uca1400_as_ci,
  l CHAR(10) CHARACTER SET latin1, w VARCHAR(20) CHARACTER SET utf16 COLLATE utf16_unicode_ci, f VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci,
  n CHAR(10) COLLATE utf8mb4_unicode_nopad_ci, KEY (g), KEY (u), KEY (l, g), KEY (w), KEY (f), KEY (n));
CREATE TABLE shop.parts (id INT, n INT, PRIMARY KEY (id, n), KEY (n)) PARTITION BY HASH (n) PARTITIONS 3;
CREATE TABLE `od.d "db`.`t ``x` (`sel"ect` INT PRIMARY KEY, `ünï` VARCHAR(10));
INSERT INTO `od.d "db`.`t ``x` VALUES (1, 'ä'), (2, NULL);
INSERT INTO shop.customers VALUES (1, 'Änne', 'Köln'), (2, 'bob', 'Bonn'), (3, 'Bob', NULL), (4, '名前', 'bonn'), (5, '', '');
INSERT INTO shop.orders (customer, price, placed, changed, note, weight, share, flag, big, code, state)
  SELECT IF(seq % 7 = 0, NULL, seq % 7), (seq * 37 % 10007) / 100 - 20, '2024-01-01' + INTERVAL seq * 7 HOUR,
    '2024-03-01 00:30:00' + INTERVAL seq * 3 HOUR, IF(seq % 5 = 0, NULL, CONCAT('nöte ', seq % 13, REPEAT('x', seq % 3 * 4500))),
    seq / 3, seq / 7, seq % 256, IF(seq % 10 = 0, 18446744073709551615 - seq, seq),
    UNHEX(LPAD(HEX(seq * 16), 6, '0')), ELT(seq % 3 + 1, 'new', 'paid', 'sent') FROM seq_1_to_3000;
INSERT INTO shop.keyless SELECT seq % 10, seq % 7 FROM seq_1_to_500;
INSERT INTO shop.texts VALUES ('a', 1), ('B', 2), ('ä1', 3), ('z', 4);
INSERT INTO shop.names SELECT seq, n, n, n, n, n, n FROM (SELECT seq, CONCAT(ELT(seq % 7 + 1, 'a', 'A', 'ä', 'ß', 'ss', 'É', 'z'),
  ELT(seq % 5 + 1, '', ' ', 'b', 'B', 'é'), IF(seq % 11 = 0, '€', '')) n FROM seq_1_to_300) s;
INSERT INTO shop.names VALUES (301, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO shop.parts SELECT seq, seq % 11 FROM seq_1_to_200;
CREATE TABLE shop.shrunk (id INT PRIMARY KEY, v CHAR(200));
INSERT INTO shop.shrunk SELECT seq, seq FROM seq_1_to_9000;
FLUSH TABLES shop.shrunk FOR EXPORT;
UNLOCK TABLES;
DELETE FROM shop.shrunk WHERE id % 100 > 20;
CREATE TABLE shop.grown (k VARCHAR(700) CHARACTER SET latin1 COLLATE latin1_bin PRIMARY KEY, id INT);
INSERT INTO shop.grown SELECT LPAD(seq, 700, '0'), seq FROM seq_1_to_2000;
ALTER TABLE shop.grown ADD COLUMN w INT DEFAULT 7, ALGORITHM=INSTANT;
SET GLOBAL innodb_fast_shutdown = 0;
"""

# The same text for both. Order matters where there is an ORDER BY; NULLs come first in both.
_BOTH = """
SELECT COUNT(*) FROM shop.orders
SELECT * FROM shop.customers ORDER BY id
SELECT id, price, placed, changed, weight, share, flag, big, state FROM shop.orders ORDER BY id
SELECT id, HEX(code) FROM shop.orders WHERE code = x'00001000'
SELECT id FROM shop.orders WHERE code > x'0000A0' AND code < x'0000B0' ORDER BY id
SELECT id FROM shop.orders WHERE id = 17
SELECT id FROM shop.orders WHERE id = '17'
SELECT id FROM shop.orders WHERE id BETWEEN 100 AND 120 ORDER BY id
SELECT id FROM shop.orders WHERE id > 2990 ORDER BY id DESC
SELECT id FROM shop.orders WHERE id IN (5, 7, 2999, 4000) ORDER BY id
SELECT id FROM shop.orders WHERE id < -5
SELECT id, placed FROM shop.orders WHERE customer = 3 ORDER BY placed LIMIT 20
SELECT id, placed FROM shop.orders WHERE customer = 3 AND placed >= '2024-06-01' ORDER BY placed DESC LIMIT 20
SELECT COUNT(*), MIN(id) FROM shop.orders WHERE customer IS NULL
SELECT COUNT(*) FROM shop.orders WHERE customer IS NOT NULL
SELECT id FROM shop.orders WHERE price = 19.99
SELECT id, price FROM shop.orders WHERE price > 79.5 ORDER BY price, id
SELECT id, price FROM shop.orders WHERE price <= -19 ORDER BY price DESC, id
SELECT MIN(price), MAX(price), COUNT(DISTINCT price) FROM shop.orders
SELECT id FROM shop.orders WHERE placed = '2024-01-08 00:00:00'
SELECT id FROM shop.orders WHERE placed = '2024-01-08'
SELECT id, placed FROM shop.orders WHERE placed > '2025-01-01' AND placed <= '2025-01-10 12:00' ORDER BY placed
SELECT id, placed FROM shop.orders ORDER BY placed DESC LIMIT 5
SELECT COUNT(*), MIN(changed) FROM shop.orders WHERE changed >= '2024-04-01'
SELECT id, changed FROM shop.orders WHERE changed = '2024-03-31 00:30:00'
SELECT id, changed FROM shop.orders WHERE changed BETWEEN '2024-03-30' AND '2024-04-01' ORDER BY changed
SELECT customer, COUNT(*), MIN(placed), MAX(big) FROM shop.orders GROUP BY customer ORDER BY customer
SELECT c.name, o.id FROM shop.customers c JOIN shop.orders o ON o.customer = c.id WHERE o.id < 30 ORDER BY o.id
SELECT c.id, COUNT(o.id) FROM shop.customers c LEFT JOIN shop.orders o ON o.customer = c.id AND o.price > 70 GROUP BY c.id ORDER BY c.id
SELECT id FROM shop.orders WHERE customer = 2 AND price > 70 OR customer = 3 AND price < -15 OR id = 9 ORDER BY id
SELECT customer, note, id FROM shop.orders WHERE id < 200 ORDER BY customer, id
SELECT big FROM shop.orders WHERE big > 2990 ORDER BY big, id
SELECT id FROM shop.orders WHERE big = 77
SELECT id, state FROM shop.orders WHERE state = 'paid' AND id < 40 ORDER BY id
SELECT id FROM shop.customers WHERE name = 'bob'
SELECT id, name FROM shop.customers WHERE name > 'B' ORDER BY name
SELECT id FROM shop.customers WHERE name = 'Änne'
SELECT id FROM shop.customers WHERE name = 'Änne  '
SELECT id FROM shop.customers WHERE city IS NULL
SELECT a, COUNT(*) FROM shop.keyless WHERE a = 3 OR b = 2 GROUP BY a ORDER BY a
SELECT COUNT(*) FROM shop.keyless x JOIN shop.keyless y ON x.a = y.b WHERE x.b = 3
SELECT n, k FROM shop.texts WHERE n >= 2 ORDER BY n
SELECT n FROM shop.texts WHERE k = 'B'
SELECT n FROM shop.texts WHERE k = 'b '
SELECT n, k FROM shop.texts WHERE k > 'A' AND k < 'Z' ORDER BY k
SELECT id FROM shop.names WHERE g = 'AB' ORDER BY id
SELECT id FROM shop.names WHERE u = 'äB' ORDER BY id
SELECT id FROM shop.names WHERE l = 'SS' ORDER BY id
SELECT id FROM shop.names WHERE l = 'ß' AND g = 'S' ORDER BY id
SELECT id FROM shop.names WHERE w = 'ss' ORDER BY id
SELECT id FROM shop.names WHERE w = 'a€' ORDER BY id
SELECT id FROM shop.names WHERE n = 'ab' ORDER BY id
SELECT id FROM shop.names WHERE n > 'ab' ORDER BY id
SELECT id FROM shop.names WHERE g > 'ab' ORDER BY g, id
SELECT id FROM shop.names WHERE u BETWEEN 'a' AND 'e' ORDER BY u, id
SELECT id FROM shop.names WHERE l < 'e' OR l >= 'z€' ORDER BY l, id
SELECT id FROM shop.names WHERE w IN ('AB', 'ze', 'nothing') ORDER BY w DESC, id
SELECT COUNT(*), MIN(id) FROM shop.names GROUP BY g ORDER BY g
SELECT COUNT(*), MIN(id) FROM shop.names GROUP BY u ORDER BY u DESC
SELECT COUNT(*), MIN(id) FROM shop.names GROUP BY l ORDER BY l
SELECT COUNT(*), MIN(id) FROM shop.names GROUP BY w ORDER BY w
SELECT COUNT(DISTINCT g), COUNT(DISTINCT u), COUNT(DISTINCT l), COUNT(DISTINCT w) FROM shop.names
SELECT COUNT(*) FROM (SELECT DISTINCT g, u FROM shop.names) s
SELECT COUNT(*) FROM shop.names a JOIN shop.names b ON b.g = a.g
SELECT COUNT(*) FROM shop.names a JOIN shop.names b ON b.w = a.w WHERE a.id < 20
SELECT id, n FROM shop.parts WHERE n = 4 ORDER BY id
SELECT id, n FROM shop.parts ORDER BY id, n
SELECT id, n FROM shop.parts WHERE id > 190 ORDER BY id
SELECT COUNT(*) FROM mysql.innodb_table_stats
""".strip().splitlines()

# Where the dialects differ: ours, the server's.
_PAIRS = [
    ('SELECT "sel""ect", "ünï" FROM "od.d ""db"."t `x" ORDER BY 1',
     'SELECT `sel"ect`, `ünï` FROM `od.d "db`.`t ``x` ORDER BY 1'),
    ("SELECT id, LENGTH(CAST(note AS BLOB)), SUBSTR(note, 1, 8) FROM shop.orders ORDER BY id",
     "SELECT id, LENGTH(note), SUBSTR(note, 1, 8) FROM shop.orders ORDER BY id"),
    ("SELECT id FROM shop.orders WHERE note = 'nöte 3' ORDER BY id",
     "SELECT id FROM shop.orders WHERE note = BINARY 'nöte 3' ORDER BY id"),
    ("SELECT id FROM shop.names WHERE f = 'a' ORDER BY id",
     "SELECT id FROM shop.names WHERE BINARY f = 'a' ORDER BY id"),
    ("SELECT id FROM shop.names WHERE g = 'ab' COLLATE BINARY ORDER BY id",
     "SELECT id FROM shop.names WHERE BINARY g = 'ab' ORDER BY id"),
    ("SELECT id FROM shop.orders WHERE customer = 4 AND note = 'nöte 4' ORDER BY id",
     "SELECT id FROM shop.orders WHERE customer = 4 AND note = 'nöte 4' ORDER BY id"),
]


def ask(site, statements, *options):
    """Answers of `redoubt sql`, each a list of rows of texts; None for NULL."""
    line = redoubt.command("sql", site.data, *options)
    line.remove("--json")
    answers = []
    result = subprocess.run([*line, "--format", "csv", "--quiet"], input=";\n.mode csv\n".join(statements) + ";\n",
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
                            env={**os.environ, "TZ": "UTC"})
    for statement in statements:
        one = subprocess.run([*line, "--format", "json", "--quiet", "-e", statement], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=300, check=False, env={**os.environ, "TZ": "UTC"})
        if one.returncode != 0:
            answers.append(f"exit {one.returncode}: {one.stderr.decode().strip()}")
            continue
        rows = json.loads(one.stdout.decode(), parse_float=str, parse_int=str)
        answers.append([list(row.values()) for row in rows])
    found = [] if result.returncode == 0 else [f"all on standard input: exit {result.returncode}: {result.stderr}"]
    lines = sum(len(answer) + 1 for answer in answers if isinstance(answer, list))
    if result.returncode == 0 and len(list(csv.reader(io.StringIO(result.stdout)))) != lines:
        found.append("standard input gives other answers than -e")
    return answers, found


def compare(site, sql, where):
    sql.query("SET time_zone = '+00:00'")
    pairs = [(query, query) for query in _BOTH] + _PAIRS
    answers, found = ask(site, [ours for ours, _ in pairs])
    for (query, theirs), answer in zip(pairs, answers):
        expected = [list(row) for row in sql.query(theirs)]
        if answer != expected:
            found.append(f"{query}\n  ours      {str(answer)[:300]}\n  server's  {str(expected)[:300]}")
    print(f"{where}: {len(pairs)} queries, {len(found)} differ")
    return found


def run(scratch):
    config = realserver.Config()
    site = realserver.Site(scratch.path("site"))
    realserver.Templates(scratch.path("templates")).fill(site, config)
    found = []
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            for statement in filter(str.strip, _SETUP.split(";\n")):
                sql.query(statement)
        server.shut_down()
    stopped = realserver.Site(scratch.path("stopped"))
    realserver.copy_tree(site.folder, stopped.folder)
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            found += compare(stopped, sql, "stopped")
            sql.query("DELETE FROM shop.orders WHERE id % 11 = 0")
            with server.connect() as other:
                other.query("BEGIN")
                other.query("UPDATE shop.orders SET price = price + 1, customer = 6, placed = placed + INTERVAL 1 DAY WHERE id < 700")
                other.query("DELETE FROM shop.orders WHERE id > 2900")
                other.query("UPDATE shop.names SET g = UPPER(g), u = UPPER(u), l = UPPER(l), w = LOWER(w) WHERE id % 3 = 0")
                other.query("UPDATE shop.customers SET name = CONCAT(name, '!')")
                sql.query("INSERT INTO shop.keyless VALUES (3, 3)")
                server.kill()
    crashed = realserver.Site(scratch.path("crashed"))
    realserver.copy_tree(site.folder, crashed.folder)
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            found += compare(crashed, sql, "crashed")
    return found + check_uncommitted(crashed) + check_damaged(stopped) + check_lost_root(stopped)


def check_uncommitted(site):
    """What the open transaction did is shown and marked, and nothing else is."""
    changed = [[str(i), "6"] for i in range(1, 700) if i % 11 != 0]
    wanted = {
        "SELECT id, customer FROM shop.orders WHERE _uncommitted = 1 ORDER BY id": changed,
        "SELECT COUNT(*), MAX(id) FROM shop.orders": [[str(sum(i % 11 != 0 for i in range(1, 2901))), "2900"]],
        "SELECT id, name, _uncommitted FROM shop.customers WHERE id = 2": [["2", "bob!", "1"]],
        "SELECT id, _uncommitted FROM shop.customers WHERE name = 'bob!'": [["2", "1"]],
        "SELECT SUM(_uncommitted), COUNT(*) FROM shop.keyless": [["0", "501"]],
    }
    answers, found = ask(site, list(wanted), "--read-uncommitted")
    found += [f"--read-uncommitted: {query}\n  {str(answer)[:300]}\n  wanted {str(expected)[:300]}"
              for (query, expected), answer in zip(wanted.items(), answers) if answer != expected]
    print(f"--read-uncommitted: {len(wanted)} queries, {len(found)} differ")
    return found


def ids(site, *options, query="SELECT id FROM shop.orders ORDER BY id"):
    """Exit code, the ids (first column) that were printed, messages."""
    line = redoubt.command("sql", site.data, *options, "--format", "csv", "-e", query)
    line.remove("--json")
    result = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    return result.returncode, [int(text.split(",")[0]) for text in result.stdout.split("\n")[1:] if text], result.stderr


def pages_of_index(path):
    """Leaves of the clustered index that the file has: those in use, and those that were freed."""
    index_id = surgery.read(path, 3 * _PAGE_SIZE + 66, 8)
    used, freed = [], []
    for number in range(4, os.path.getsize(path) // _PAGE_SIZE):
        if surgery.read(path, number * _PAGE_SIZE + 64, 10) == b"\0\0" + index_id:
            bits = surgery.read(path, 150 + number // 64 * 40 + 24 + number % 64 // 4, 1)[0]
            (freed if bits >> number % 4 * 2 & 1 else used).append(number)
    return used, freed


def check_lost_root(site):
    """A root that cannot be read: the rows come from the leaves, none twice and none that was deleted. What a
    column that was added instantly holds only the root tells."""
    path = os.path.join(site.data, "shop/shrunk.ibd")
    used, freed = pages_of_index(path)
    found = [] if freed else ["no leaf of shop.shrunk was freed: the case is none"]
    whole = [number for number in range(1, 9001) if number % 100 <= 20]
    root, bad = surgery.read(path, 3 * _PAGE_SIZE, _PAGE_SIZE), used[len(used) // 2]
    lost = int.from_bytes(surgery.read(path, bad * _PAGE_SIZE + 54, 2), "big")

    def ask_for(rows, what, word, said_too="page 3"):
        query = f"SELECT id FROM shop.shrunk {what}"
        code, got, said = ids(site, "--skip-damaged", query=query)
        if code != redoubt.DAMAGE or got != rows or said_too not in said:
            found.append(f"root lost: {word}: {query}: exit {code}, {len(got)} rows of {len(rows)}, {said}")

    for word, content in (("a flipped bit", root[:200] + bytes([root[200] ^ 1]) + root[201:]), ("zeros", bytes(_PAGE_SIZE))):
        surgery.write(path, 3 * _PAGE_SIZE, content)
        ask_for(whole, "ORDER BY id", word, "no rows, but page 3")
        ask_for(whole[::-1], "ORDER BY id DESC", word)
        ask_for([row for row in whole if 4510 <= row <= 5003], "WHERE id BETWEEN 4510 AND 5003", word)
        ask_for([7020], "WHERE id = 7020", word)
    code, _, said = ids(site, query="SELECT id FROM shop.shrunk")
    if code != redoubt.DAMAGE or "page 3" not in said or "--skip-damaged" not in said:
        found.append(f"root lost, not skipped: exit {code}, {said}")
    surgery.flip_bit(path, bad, _PAGE_SIZE)
    code, rows, said = ids(site, "--skip-damaged", query="SELECT id FROM shop.shrunk")
    at = next((i for i, row in enumerate(rows) if row != whole[i]), 0)
    if code != redoubt.DAMAGE or rows != whole[:at] + whole[at + lost:] or "rows that only page 3" not in said:
        found.append(f"root and page {bad} with {lost} rows lost: exit {code}, {len(rows)} rows of {len(whole)}, {said}")
    surgery.flip_bit(path, bad, _PAGE_SIZE)
    surgery.write(path, 3 * _PAGE_SIZE, root)
    path = os.path.join(site.data, "shop/grown.ibd")
    surgery.flip_bit(path, 3, _PAGE_SIZE)
    code, rows, said = ids(site, "--skip-damaged", query="SELECT id, w FROM shop.grown")
    if code != redoubt.DAMAGE or rows or "page 3" not in said:
        found.append(f"root lost of a table with a column added instantly: exit {code}, {len(rows)} rows, {said}")
    surgery.flip_bit(path, 3, _PAGE_SIZE)
    inner = next(number for number in range(4, os.path.getsize(path) // _PAGE_SIZE)
                 if surgery.read(path, number * _PAGE_SIZE + 64, 10) == b"\0\1" + surgery.read(path, 3 * _PAGE_SIZE + 66, 8) and
                 surgery.read(path, number * _PAGE_SIZE + 8, 4) == b"\xff" * 4)
    surgery.flip_bit(path, inner, _PAGE_SIZE)
    code, rows, said = ids(site, "--skip-damaged", query="SELECT id FROM shop.grown WHERE w = 7 ORDER BY k")
    if code != redoubt.DAMAGE or rows != list(range(1, 2001)) or f"no rows, but page {inner}" not in said:
        found.append(f"page {inner} lost of a table with a column added instantly: exit {code}, {len(rows)} rows, {said}")
    surgery.flip_bit(path, inner, _PAGE_SIZE)
    print(f"root lost: {len(used)} leaves in use, {len(freed)} freed; {len(found)} differ")
    return found


def check_damaged(site):
    """A damaged leaf: without --skip-damaged all rows before it and an error, with it all rows but its own, and what was lost; exit 4 both times."""
    _, whole, _ = ids(site)
    path = os.path.join(site.data, "shop/orders.ibd")
    index_id = surgery.read(path, 3 * _PAGE_SIZE + 66, 8)
    leaves = [number for number in range(4, os.path.getsize(path) // _PAGE_SIZE)
              if surgery.read(path, number * _PAGE_SIZE + 64, 10) == b"\0\0" + index_id]
    bad = leaves[len(leaves) // 2]
    lost = int.from_bytes(surgery.read(path, bad * _PAGE_SIZE + 54, 2), "big")
    surgery.flip_bit(path, bad, _PAGE_SIZE)
    found = []
    code, rows, said = ids(site)
    before = len(rows)
    if code != redoubt.DAMAGE or rows != whole[:before] or f"page {bad}" not in said:
        found.append(f"damaged page {bad}: exit {code}, {before} rows, {said}")
    code, rows, said = ids(site, "--skip-damaged")
    if code != redoubt.DAMAGE or rows != whole[:before] + whole[before + lost:] or f"page {bad}" not in said or "shop.orders" not in said:
        found.append(f"--skip-damaged: page {bad} with {lost} rows of {len(whole)}: exit {code}, {len(rows)} rows, {said}")
    surgery.flip_bit(path, bad, _PAGE_SIZE)
    first = next(page for page in leaves if surgery.read(path, page * _PAGE_SIZE + 8, 4) == b"\xff" * 4)
    lost_first = int.from_bytes(surgery.read(path, first * _PAGE_SIZE + 54, 2), "big")
    good = surgery.read(path, bad * _PAGE_SIZE, _PAGE_SIZE)
    astray = good[:12] + first.to_bytes(4, "big") + good[16:-4]
    for word, page, content, wanted in (
            ("a first leaf of zeros", first, bytes(_PAGE_SIZE), whole[lost_first:]),
            ("a leaf whose link leads to the first", bad, astray + surgery.crc32c(astray).to_bytes(4, "big"), whole)):
        before = surgery.read(path, page * _PAGE_SIZE, _PAGE_SIZE)
        surgery.write(path, page * _PAGE_SIZE, content)
        code, rows, said = ids(site, "--skip-damaged")
        if code != redoubt.DAMAGE or rows != wanted or f"page {page}" not in said:
            found.append(f"--skip-damaged: {word}: exit {code}, {len(rows)} rows of {len(wanted)}, {said}")
        surgery.write(path, page * _PAGE_SIZE, before)
    blob = next(number for number in range(4, os.path.getsize(path) // _PAGE_SIZE)
                if surgery.read(path, number * _PAGE_SIZE + 24, 2) == b"\0\x0a")
    surgery.flip_bit(path, blob, _PAGE_SIZE)
    for columns, wanted, least in (("id", redoubt.OK, len(whole)), ("id, LENGTH(note)", redoubt.DAMAGE, len(whole) - 1)):
        code, rows, said = ids(site, "--skip-damaged", query=f"SELECT {columns} FROM shop.orders ORDER BY id")
        if code != wanted or len(rows) != least or rows != [row for row in whole if row in set(rows)] or (f"page {blob}" in said) != bool(wanted):
            found.append(f"--skip-damaged: off-page column, {columns}: exit {code}, {len(rows)} rows of {least}, {said}")
    surgery.flip_bit(path, blob, _PAGE_SIZE)
    print(f"damaged: a leaf with {lost} of {len(whole)} rows, two others, an off-page column; {len(found)} differ")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder")
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print("skipped; not installed or built:", *missing)
        return CTEST_SKIP
    with realserver.Scratch(keep=options.keep) as scratch:
        found = run(scratch)
    for sentence in found:
        print("DIFFERS", sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
