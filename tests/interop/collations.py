#!/usr/bin/env python3
"""The order of texts against the server's, in every collation whose order Redoubt knows (of those of languages,
in some, by the seed).

Random texts with what is difficult in them (spaces, control characters, accents, combining marks,
contractions, characters without weight, characters beyond 16 bits; of single-byte sets all bytes) go into
VARCHAR and CHAR columns with indexes. The server ranks them; held against that are compare_texts (pairs of
stored bytes), and `redoubt sql` on the stopped directory: ranks, the index's own order, searches.

    tests/interop/collations.py [--seed N] [--rows N] [--only PATTERN] [--keep]
"""

import argparse
import itertools
import os
import random
import re
import subprocess
import sys

import realserver
import redoubt

CTEST_SKIP = 77
_COMPARE = os.path.join(os.path.dirname(redoubt.REDOUBT), "compare_texts")
_SIZE = 5              # characters of the CHAR column
_LONGEST = 7           # characters of a random text
_KNOWN_LEAST = 1210    # collations whose order must be known
_LANGUAGES = 25        # collations of languages that one run looks at
_REPORTED_MAX = 3      # of one collation
_SHORT = ("\x0e", " ", "a", "A", "\u0301", "\u00ad")  # some weigh nothing, some take two bytes
_SHORT_PAIRS = 100     # of one collation and size
_STORED_SPACE = {"utf32": ("00000020", 4), "ucs2": ("0020", 2), "utf16": ("0020", 4), "utf16le": ("2000", 4)}

# What weighs otherwise together than alone, in some collation or other; the rest is for company.
_CONTRACTIONS = ["l\u00b7", "L\u0387", "\u0418\u0306", "\u0438\u0306", "\u0627\u0653", "\u0648\u0654", "\u09c7\u09be",
                 "\u0bc6\u0bbe", "\u0e40\u0e01", "\u0e44\u0e2e", "\u0ec0\u0e81", "\u0cc6\u0cc2\u0cd5", "\u0cc6\u0cc2",
                 "\u0dd9\u0dcf\u0dca", "\u0dd9\u0dcf", "\u0fb2\u0f71\u0f80", "\u0fb2\u0f71", "\u0fb3\u0f80", "\u19b5\u1980",
                 "\uaab5\uaa80", "\u1025\u102e", "\u0b92\u0bd7", "\U00011131\U00011127", "\U000114b9\U000114bd"]
_PIECES = ([*"aAbBzZsSlL019 \t!'-_~\x00\x01\x1f\x7f"] + [*"äÄàÀåÅßẞéÉñÑøØœŒæÆðÞıİſ"] + [*"\u0301\u0308\u0327\u0345\u20dd"] +
           [*"αΑςσΣжЖёЁאבابي"] + [*"\u00ad\u200b\u200d\u2060\ufeff\ufffd\uffff\u00a0\u3000"] + [*"ｱアあがカﾞ가각힣一丁龥㐀豈"] +
           [*"\u0e40\u0e01\u0f71\u0f80ﬁ㎏½②Ⅳ\ufdfa"] + [*"😀𝒜𐐀𐐨𠀀𗀀𛅰𘬀\U000e0001\U0010ffff"] + _CONTRACTIONS +
           ["ch", "cH", "aa", "Aa", "aA", "ll", "Lj", "lj", "nj", "NJ", "dž", "dŽ", *"cCčČhHjJnNuUöÖüÜőŐłŁñşğĞżŽģķűåÅạậơƯđĐ",
            *"ĉŝŭțâăîûõāē", *"\u0d82\u0d85\u0daf\u0dca\u0dd4", *"ءآأكکیىهة\ufefc\u0654"])


class Column:
    """One collation, its texts and what the server says of them."""

    def __init__(self, number, name, charset, size):
        self.number, self.name, self.charset, self.single = int(number), name, charset, size == "1"
        self.table = f"t{number}"
        self.ranks = {}    # of column "v" and "w": by id, from 1
        self.bytes = {}    # by id, as hex
        self.in_index = []  # w as stored, in hex
        self.pieces = []    # of single-byte sets: bytes that stand for a character, each for another
        # Of other sets SQLite sees no more than the bytes of UTF-8.
        self.in_sql = self.single or charset.startswith(("utf", "ucs"))

    def of_language(self):
        """One of many that differ from another in a few characters."""
        return self.in_sql and not self.single and not re.search(
            r"^[^_]+_(nopad_bin|bin|general|unicode|uca1400_(nopad_)?a[is]_c[is])", self.name)

    def literal(self, text):
        """As SQL; texts of single-byte sets are bytes."""
        if self.single:
            return f"_{self.charset} X'{text.hex()}'"
        return f"_utf8mb4 X'{text.encode('utf-8', 'surrogatepass').hex()}'"


def texts_for(column, dice, count):
    """Random ones, half of them made from others by a small change."""
    if column.single:
        pieces = column.pieces + [b" ", b"a", b"A"] * 20
        empty, extra = b"", [b" ", b"\t", b"a"]
    else:
        narrow = column.charset in ("utf8mb3", "ucs2")
        pieces = [p for p in _PIECES if not narrow or max(p) < "\U00010000"]
        empty, extra = "", [" ", "\t", "\u00ad", "\u0301", "a"]
    alone = [empty, *dict.fromkeys(pieces)]
    found = list(dict.fromkeys(alone + ([] if column.single else [piece.swapcase() for piece in alone])))
    count += len(found)
    while len(found) < count:
        if dice.random() < 0.5:
            text = empty.join(dice.choice(pieces) for _ in range(dice.randrange(1, 4)))
        else:
            text = dice.choice(found)
            at = dice.randrange(len(text) + 1)
            what = dice.randrange(4)
            text = (text[:at] + dice.choice(pieces if what == 0 else extra) + text[at:] if what < 2 else
                    text[:at] + text[at + 1:] if what == 2 else text.swapcase())
        found.append(text[:_LONGEST])
    return found


def known_collations(sql, pattern):
    rows = sql.query(
        "SELECT id, full_collation_name, a.character_set_name, maxlen FROM "
        "information_schema.collation_character_set_applicability a JOIN information_schema.character_sets c "
        "ON a.character_set_name = c.character_set_name WHERE full_collation_name <> 'binary' ORDER BY id")
    rows = [row for row in rows if re.search(pattern, row[1])]
    answers = compare_texts([f"{row[1]} varchar - -" for row in rows])
    known = [Column(*row) for row, answer in zip(rows, answers) if answer == "0"]
    print(f"{len(known)} collations known of {len(rows)}")
    return known


def compare_texts(lines):
    result = subprocess.run([_COMPARE], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, timeout=120,
                            check=True)
    return result.stdout.split()


def characters_of(sql, charset):
    """The bytes of a single-byte set that are characters, the first of each."""
    parts = [f"HEX(CONVERT(_{charset} X'{b:02X}' USING ucs2))" for b in range(256)]
    found = {}
    for byte, code in enumerate(sql.query("SELECT " + ", ".join(parts))[0]):
        if code != "003F" or byte == ord("?"):
            found.setdefault(code, bytes([byte]))
    return list(found.values())


def fill(sql, column, texts):
    sql.query(f"CREATE TABLE {column.table} (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET {column.charset} "
              f"COLLATE {column.name}, w CHAR({_SIZE}) CHARACTER SET {column.charset} COLLATE {column.name}, "
              "KEY (v), KEY (w))")
    rows = ", ".join(f"({i}, {column.literal(t)}, {column.literal(t)})" for i, t in enumerate(texts))
    sql.query(f"INSERT INTO {column.table} VALUES {rows}")


def ask_server(sql, column):
    # An index of CHARs where spaces count is ordered otherwise than their values: seen as stored only.
    for name in ("v",) if "_nopad_" in column.name else ("v", "w"):
        # Not RANK(): the server sorts by keys in which "" and "\\0" are the same where spaces count.
        sql.query("CREATE OR REPLACE TABLE placed (place INT AUTO_INCREMENT PRIMARY KEY, id INT) ENGINE = MEMORY SELECT id "
                  f"FROM {column.table} FORCE INDEX ({name}) ORDER BY {name}")
        rows = sql.query(f"SELECT x.id, STRCMP(x.{name}, y.{name}), HEX(x.{name}) FROM placed p JOIN {column.table} x ON "
                         "x.id = p.id LEFT JOIN placed q ON q.place = p.place - 1 LEFT JOIN "
                         f"{column.table} y ON y.id = q.id ORDER BY p.place")
        if any(order == "-1" for _, order, _ in rows):
            raise realserver.HarnessError(f"{column.name}: the server's index is not in its order")
        rank = 0
        for place, (number, order, text) in enumerate(rows):
            rank = place + 1 if order != "0" else rank
            column.ranks.setdefault(name, {})[int(number)] = rank
            column.bytes.setdefault(name, {})[int(number)] = text or "-"
    rows = sql.query(f"SELECT HEX(w) FROM {column.table} FORCE INDEX (w) ORDER BY w")
    column.in_index = [stored_char(column, row[0], _SIZE) for row in rows]


def stored_char(column, text, characters):
    """Hex of a CHAR as it is stored: as many bytes as its characters need at least, or, in sets without ASCII, at most."""
    space, size = _STORED_SPACE.get(column.charset, ("20", 1))
    least = characters * 2 * size
    return text + space * ((least - len(text) + len(space) - 1) // len(space))


def ask_short_chars(sql, columns, dice):
    """Pairs of CHARs of one to three characters in indexes of collations where spaces count, as (column, line, order): how many characters are
    compared depends on both, and with characters of no weight the order is none, so that an index of more than two need not be in it."""
    answers = []
    for column in columns:
        if "_nopad_" not in column.name or column.single or not column.in_sql:
            continue
        for size in (1, 2, 3):
            texts = ["".join(text) for length in range(size + 1) for text in itertools.product(_SHORT, repeat=length)]
            texts = [text for text in texts if not text.endswith(" ")]
            pairs = [dice.sample(texts, 2) for _ in range(_SHORT_PAIRS)]
            sql.query(f"CREATE OR REPLACE TABLE short (pair INT, w CHAR({size}) CHARACTER SET {column.charset} COLLATE {column.name}, id INT, "
                      "PRIMARY KEY (pair, w, id))")
            # Each pair twice, so that ids, which decide between equal ones, stand once in each order.
            rows = (f"({2 * number + turn}, {column.literal(text)}, {place ^ turn})" for number, pair in enumerate(pairs) for turn in (0, 1)
                    for place, text in enumerate(pair))
            sql.query(f"INSERT INTO short VALUES {', '.join(rows)}")
            rows = sql.query("SELECT id, HEX(w) FROM short FORCE INDEX (PRIMARY) ORDER BY pair")
            for number, pair in enumerate(pairs):
                (_, first), (_, second), (_, third), _ = rows[4 * number:4 * number + 4]
                order = 0 if first != third else -1 if first == hex_of(column, pair[0]) else 1
                line = " ".join(stored_char(column, hex_of(column, text), size) for text in pair)
                answers.append((column, f"{column.name} char {line}", order))
    return answers


def hex_of(column, text):
    """As the column holds it."""
    return text.encode({"ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le", "utf32": "utf-32-be"}.get(column.charset, "utf-8")).hex().upper()


def sign(number):
    return (number > 0) - (number < 0)


def check_pairs(columns, dice, short):
    """compare_texts of what stands side by side, of some others, and of CHARs as the index has them."""
    lines, expected = [], []
    for column in columns:
        ranks, texts = column.ranks["v"], column.bytes["v"]
        order = sorted(ranks, key=lambda number: (ranks[number], texts[number]))
        for a, b in list(zip(order, order[1:])) + [dice.sample(order, 2) for _ in order]:
            lines.append(f"{column.name} varchar {texts[a]} {texts[b]}")
            expected.append((column, {sign(ranks[a] - ranks[b])}))
        for a, b in zip(column.in_index, column.in_index[1:]):
            lines.append(f"{column.name} char {a} {b}")
            expected.append((column, {-1, 0}))
    for column, line, order in short:
        lines.append(line)
        expected.append((column, {order}))
    found = {}
    for line, answer, (column, allowed) in zip(lines, compare_texts(lines), expected):
        if int(answer) not in allowed:
            found.setdefault(column.name, []).append(f"{line}: {answer}, the server says {sorted(allowed)}")
    print(f"{len(lines)} pairs of stored texts")
    return [sentence for list_ in found.values() for sentence in list_[:_REPORTED_MAX]]


def ask_ours(site, statements):
    """For each statement its rows, all as numbers."""
    line = redoubt.command("sql", site.data)
    line.remove("--json")
    script = "".join(f"SELECT 'answer';\n{statement};\n" for statement in statements)
    result = subprocess.run([*line, "--format", "csv", "--quiet"], input=script, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=240, check=False)
    if result.returncode != 0:
        raise realserver.HarnessError(f"redoubt sql: exit {result.returncode}: {result.stderr}")
    answers = []
    for line in result.stdout.splitlines():
        if line == "answer":
            continue
        if line == "'answer'":
            answers.append([])
        elif re.fullmatch(r"[\d,]+", line):
            answers[-1].append(tuple(int(part) for part in line.split(",")))
    return answers


def check_sql(site, columns, dice):
    questions = []   # statement, and a function of its rows that says what is wrong
    for column in filter(lambda column: column.in_sql, columns):
        for name, ranks in column.ranks.items():
            table = f"c.{column.table}"
            questions.append((f"SELECT id, RANK() OVER (ORDER BY {name}) FROM {table} ORDER BY id",
                              lambda rows, r=ranks: dict(rows) == r))
            questions.append((f"SELECT id FROM {table} ORDER BY {name}",
                              lambda rows, r=ranks: len(rows) == len(r) and all(
                                  r[a[0]] <= r[b[0]] for a, b in zip(rows, rows[1:]))))
            counts = {}
            for rank in ranks.values():
                counts[rank] = counts.get(rank, 0) + 1
            questions.append((f"SELECT COUNT(*) FROM {table} a JOIN {table} b ON b.{name} = a.{name}",
                              lambda rows, c=counts: rows == [(sum(n * n for n in c.values()),)]))
            questions.append((f"SELECT COUNT(DISTINCT {name}) FROM {table}", lambda rows, c=counts: rows == [(len(c),)]))
            for number in dice.sample(sorted(ranks), 3):
                middle = ranks[number]
                above = sum(rank > middle for rank in ranks.values())
                questions.append((f"SELECT COUNT(*) FROM {table} WHERE {name} > (SELECT {name} FROM {table} WHERE "
                                  f"id = {number})", lambda rows, n=above: rows == [(n,)]))
    answers = ask_ours(site, [statement for statement, _ in questions])
    if len(answers) != len(questions):
        raise realserver.HarnessError(f"{len(answers)} answers to {len(questions)} statements")
    print(f"{len(questions)} statements")
    by_number = {f"c.{column.table}": column.name for column in columns}
    return [f"{by_number[re.search(r'c[.]t[0-9]+', statement).group()]}: {statement}: {str(rows)[:200]}"
            for (statement, right), rows in zip(questions, answers) if not right(rows)]


def run(scratch, options):
    config = realserver.Config()
    site = realserver.Site(scratch.path("site"))
    realserver.Templates(scratch.path("templates")).fill(site, config)
    dice = random.Random(options.seed)
    with realserver.Server(site, config, ["--innodb-flush-log-at-trx-commit=0"]) as server:
        with server.connect() as sql:
            columns = known_collations(sql, options.only)
            if len(columns) < _KNOWN_LEAST and options.only == "":
                return [f"only {len(columns)} collations are known"]
            if options.only == "":
                languages = [column for column in columns if column.of_language()]
                left_out = set(dice.sample(languages, len(languages) - _LANGUAGES))
                columns = [column for column in columns if column not in left_out]
            sql.query("CREATE DATABASE c")
            sql.query("USE c")
            sql.query("SET sql_mode = ''")  # what a character set lacks becomes '?'
            pieces = {}
            for column in columns:
                if column.single and column.charset not in pieces:
                    pieces[column.charset] = characters_of(sql, column.charset)
                column.pieces = pieces.get(column.charset, [])
                fill(sql, column, texts_for(column, dice, options.rows))
                ask_server(sql, column)
            short = ask_short_chars(sql, columns, dice)
        server.shut_down()
    return check_pairs(columns, dice, short) + check_sql(site, columns, dice)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=60, help="of each collation, beside each character by itself")
    parser.add_argument("--only", default="", help="collations whose names match")
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder")
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary() + [p for p in [_COMPARE] if not os.access(p, os.X_OK)]
    if missing:
        print("skipped; not installed or built:", *missing)
        return CTEST_SKIP
    realserver.end_orderly_on_signals()
    with realserver.Scratch(keep=options.keep) as scratch:
        found = run(scratch, options)
    for sentence in found:
        print("DIFFERS", sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
