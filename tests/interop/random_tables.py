"""Random tables and random changes to them: every column type, key, row format and partitioning that InnoDB takes.

What to insert, to change or to alter is decided by the columns that the server says it has, so that any ALTER may come before. The
server may refuse a statement (a row too long for its page, a key that is taken): refusals are counted, never fatal.

    maker = Maker(sql, config, random.Random(7), "d")
    maker.create_table()
    maker.fill(table, 50); maker.change(table, 5); maker.alter(table)
"""

import collections
import json
import os
import re
import string

import sqlclient
from stored_rows import name_of, quoted

_NAMES = ("t", "T-x ", "tä", "日本", "a.b", "sel`ect", "select", "o'clock", 'dou"ble', "100%", "#sql", "@x@0020", "$d", "back\\slash",
          "x" * 40, "ÄÖ ß", "p#p", "a/b", "e\u0301", "mysql", "+", "tab#P#x")
_COLUMN_NAMES = ("c", "Col ", "ü", "名", "a.b", "q`t", "order", "o'x", 'd"q', "%", "\\", "x" * 50, "DB_X", "1")
_LABELS = ("a", "b", "it''s", "a b", "0", "1", "-", "%", "NULL", "c\"q", "zz", "back\\\\slash", "", " lead", "long " + "l" * 60)
_WIDE_LABELS = ("ü", "日本", "é́", "Ω")
_LETTERS = {
    "sjis": "abc 日本語かなカナ表ソ能ﾊﾝｶｸ", "cp932": "abc 日本語かなカナ表ソ①ﾊﾝｶｸ", "ujis": "abc 日本語かなカナ表ソﾊﾝｶｸ",
    "eucjpms": "abc 日本語かなカナ表①ﾊﾝｶｸ", "gbk": "abc 中文字國誠俓", "gb2312": "abc 中文字国", "big5": "abc 中文字國功許",
    "euckr": "abc 가나다한글", "koi8r": "abc абвЖШЯ", "koi8u": "abc абвїґЯ", "cp1251": "abc абвЖШЯ", "cp866": "abc абвЖШЯ",
    "greek": "abc αβγΩώ", "hebrew": "abc אבגת", "cp1256": "abc ابتث", "tis620": "abc กขฃเแ", "utf8mb3": "aBc éßœ€日本가Ωж",
    "ucs2": "aBc éßœ€日本가Ωж"}
_UNICODE = "aBc 0éßœ€日本語가Ωж\u0301😀𝒳\t\u00a0"
_WESTERN = "aBc 0éüñßÿ{|~\t"
_GEOMETRIES = ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "GEOMETRY")
_TEXTS = {"tinytext": 255, "text": 65535, "mediumtext": 10 ** 6, "longtext": 10 ** 6}
_BLOBS = {"tinyblob": 255, "blob": 65535, "mediumblob": 10 ** 6, "longblob": 10 ** 6}
_INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_BIG_COUNTS = (0, 0, 0, 1, 40, 255, 256, 700, 767, 768, 769, 1500, 4000, 8100, 17000, 40000, 70000, 130000)
VERBOSE = "RANDOM_TABLES_VERBOSE" in os.environ  # prints what the server refuses
_LITERAL_MAX = 3000  # characters of a random literal; longer values are repeated ones

Spec = collections.namedtuple("Spec", "name type default key size charset kind")
Spec.__doc__ = """A column to be made. default: a literal or expression, "" when it may have none; key: "whole", "prefix" or "";
size: characters of the longest value."""
Column = collections.namedtuple("Column", "name kind whole charset size nullable extra generated digits scale")
Column.__doc__ = "A column as information_schema has it."


def _temporal_digits(draw):
    return draw.choice(("", "(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(6)"))


class Maker:
    """Makes and changes the tables of one database through one connection."""

    def __init__(self, sql, config, draw, database, counts=None):
        self.sql, self.config, self.draw, self.database = sql, config, draw, database
        self.tables = []
        self.counts = collections.Counter() if counts is None else counts
        self._serial = 0
        self._collations = [tuple(row) for row in sql.query(
            "SELECT character_set_name, full_collation_name FROM information_schema.collation_character_set_applicability "
            "WHERE character_set_name <> 'binary' ORDER BY 1, 2")]
        self._charsets = sorted({charset for charset, _ in self._collations})

    # --- statements ------------------------------------------------------------------------

    def try_query(self, statement):
        """Whether the server took it; what it refused is counted by error number."""
        try:
            self.sql.query(statement)
            return True
        except sqlclient.SqlError as error:
            self.counts[f"error {error.code}"] += 1
            if VERBOSE:
                print(str(error)[:600].replace("\n", " "))
            return False

    def _chance(self, probability):
        return self.draw.random() < probability

    # --- columns ---------------------------------------------------------------------------

    def _fresh_name(self, names, used):
        self._serial += 1
        name = self.draw.choice(names) + ("" if self._chance(0.3) else str(self._serial))
        name = name.rstrip(" ")[:64]
        return name if name and name.lower() not in used else f"n{self._serial}"

    def _charset(self):
        """(character set, clause)"""
        if self._chance(0.25):
            return "utf8mb4", ""  # the table's: any that can be made of it
        charset = self.draw.choice(self._charsets) if self._chance(0.5) else self.draw.choice(
            ("utf8mb4", "utf8mb4", "utf8mb3", "latin1", "ucs2", "utf16", "utf32", "sjis", "ujis", "gbk"))
        collation = self.draw.choice([name for of, name in self._collations if of == charset])
        return charset, f" CHARACTER SET {charset} COLLATE {collation}"

    def column(self, used, small=False):
        """A random column."""
        draw = self.draw
        make = draw.choices(*_KINDS)[0] if not small else draw.choice((Maker._integer, Maker._temporal, Maker._decimal, Maker._bit))
        kind, default, key, size, charset = make(self)
        name = self._fresh_name(_COLUMN_NAMES, used)
        used.add(name.lower())
        return Spec(name, kind, default, key, size, charset, make.__name__)

    def _integer(self):
        kind = self.draw.choice(("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "BIGINT", "INT(3)", "BOOL"))
        sign = self.draw.choice(("", "", " UNSIGNED", " ZEROFILL")) if kind != "BOOL" else ""
        return kind + sign, self.draw.choice(("0", "1", "77", "-5" if sign == "" else "5")), "whole", 0, ""

    def _real(self):
        kind = self.draw.choice(("FLOAT", "DOUBLE", "FLOAT(7,2)", "DOUBLE(20,5)", "FLOAT(30)"))
        return kind + self.draw.choice(("", "", " UNSIGNED", " ZEROFILL")), "1.5", "whole", 0, ""

    def _decimal(self):
        precision = self.draw.choice((1, 2, 4, 5, 9, 10, 18, 19, 27, 28, 45, 64, 65, self.draw.randint(1, 65)))
        scale = self.draw.choice((0, self.draw.randint(0, min(38, precision)), min(38, precision)))
        return f"DECIMAL({precision},{scale})" + self.draw.choice(("", "", " UNSIGNED", " ZEROFILL")), "0", "whole", 0, ""

    def _bit(self):
        width = self.draw.choice((1, 7, 8, 9, 17, 31, 32, 33, 63, 64, self.draw.randint(1, 64)))
        return f"BIT({width})", "b'1'", "whole", 0, ""

    def _temporal(self):
        kind = self.draw.choice(("YEAR", "DATE", "TIME", "DATETIME", "TIMESTAMP", "TIME", "DATETIME", "TIMESTAMP"))
        default = {"YEAR": "2001", "DATE": "'2001-02-03'", "TIME": "'-11:22:33.5'"}.get(kind, "'2001-02-03 04:05:06.789012'")
        if kind in ("DATETIME", "TIMESTAMP") and self._chance(0.2):
            digits = _temporal_digits(self.draw)
            now = f"CURRENT_TIMESTAMP{digits}"
            return f"{kind}{digits}", now + self.draw.choice(("", f" ON UPDATE {now}")), "whole", 0, ""
        return kind + (_temporal_digits(self.draw) if kind.startswith(("TIME", "DATET")) else ""), default, "whole", 0, ""

    def _character(self):
        charset, clause = self._charset()
        if self._chance(0.35):
            size = self.draw.choice((0, 1, 3, 8, 20, 64, 255))
            return f"CHAR({size}){clause}", "'d'" if size else "''", "whole" if size else "", size, charset
        size = self.draw.choice((0, 1, 5, 10, 21, 63, 64, 85, 86, 127, 128, 255, 256, 300, 1000))
        return f"VARCHAR({size}){clause}", Maker._default_text(charset, clause, size), "whole" if size else "", size, charset

    @staticmethod
    def _default_text(charset, clause, size):
        if size > 20 and charset in ("utf8mb4", "utf16", "utf32") and clause:
            return "'dé€'"
        return "'d'" if size else "''"

    def _text(self):
        charset, clause = self._charset()
        kind = self.draw.choice(("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"))
        if kind == "TINYTEXT":
            return kind + clause, "('de')", "prefix", 60, charset
        return kind + clause, self.draw.choice(("", "('text')", "(REPEAT('de', 500))")), "prefix", 1000, charset

    def _binary(self):
        size = self.draw.choice((1, 2, 5, 16, 40, 255))
        if self._chance(0.4):
            return f"BINARY({size})", "'\\0b'" if size > 1 else "'b'", "whole", size, ""
        size = self.draw.choice((1, 9, 127, 128, 255, 256, 700))
        return f"VARBINARY({size})", "X'00FF80'" if size > 2 else "''", "whole", size, ""

    def _blob(self):
        return self.draw.choice(("TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")), "", "prefix", 200, ""

    def _compressed(self):
        charset, clause = self._charset()
        if self._chance(0.5):
            return self.draw.choice(("BLOB", "LONGBLOB", "VARBINARY(900)")) + " COMPRESSED", "", "", 0, ""
        return self.draw.choice(("TEXT", "VARCHAR(500)", "MEDIUMTEXT")) + f" COMPRESSED{clause}", "", "", 0, charset

    def _enumeration(self):
        charset, clause = self._charset()
        labels = list(_LABELS) + (list(_WIDE_LABELS) if charset.startswith("u") and charset != "ujis" else [])
        chosen = self.draw.sample(labels, self.draw.randint(1, len(labels)))
        if self._chance(0.5):
            if self._chance(0.2):
                chosen = [f"label{i}" for i in range(300)]
            elif self._chance(0.3):
                chosen.append("com,ma")
            return f"ENUM({','.join(quoted_label(label) for label in chosen)}){clause}", "", "whole", 0, charset
        if self._chance(0.2):
            chosen = [f"m{i}" for i in range(self.draw.randint(1, 64))]
        return f"SET({','.join(quoted_label(label) for label in chosen)}){clause}", "", "whole", 0, charset

    def _special(self):
        kind = self.draw.choice(("UUID", "INET4", "INET6", "JSON"))
        default = {"UUID": "'123e4567-e89b-12d3-a456-426655440000'", "INET4": "'1.2.3.4'", "INET6": "'::1'", "JSON": "'{\"a\": 1}'"}[kind]
        return kind, default, "prefix" if kind == "JSON" else "whole", 20 if kind == "JSON" else 0, ""

    def _geometry(self):
        return self.draw.choice(_GEOMETRIES) + self.draw.choice(("", "", " REF_SYSTEM_ID=4326")), "", "", 0, ""

    def definition(self, spec, not_null=None):
        """The column as CREATE or ADD COLUMN wants it."""
        draw, text = self.draw, f"{name_of(spec.name)} {spec.type}"
        if not_null or (not_null is None and self._chance(0.4)):
            text += " NOT NULL"
        elif "TIMESTAMP" in spec.type:
            text += " NULL"
        if spec.default and self._chance(0.5):
            text += f" DEFAULT {spec.default}"
            if self._chance(0.15):
                text += " INVISIBLE"
        if self._chance(0.1):
            text += f" COMMENT {quoted(draw.choice(('it is', 'ünï', 'a, b', 'x' * 200)))}"
        return text

    def _generated(self, specs, used):
        """A column computed from another one."""
        base = self.draw.choice(specs)
        of, kind = name_of(base.name), base.kind
        if kind in ("_integer", "_bit"):
            typed = self.draw.choice((f"BIGINT AS ({of} + 1)", f"VARCHAR(30) AS (CONCAT('n', {of}))", f"INT AS ({of} IS NULL)"))
        elif kind in ("_character", "_text"):
            typed = self.draw.choice((f"INT AS (CHAR_LENGTH({of}))", f"VARCHAR(40) CHARACTER SET utf8mb4 AS (CONCAT(LEFT({of}, 5), '-x'))",
                                      f"CHAR(32) CHARACTER SET latin1 AS (MD5({of}))"))
        else:
            typed = self.draw.choice((f"INT AS (LENGTH({of}))", f"CHAR(32) CHARACTER SET latin1 AS (MD5({of}))"))
        name = self._fresh_name(_COLUMN_NAMES, used)
        used.add(name.lower())
        size = 20 if "CHAR" in typed.split(" AS ")[0] else 0
        return Spec(name, typed, "", "whole", size, "utf8mb4", "_generated"), f"{name_of(name)} {typed} {self.draw.choice(('STORED', 'VIRTUAL'))}"

    # --- keys and options ------------------------------------------------------------------

    def _part(self, spec, descending=True):
        """A column as part of a key."""
        text, longest = name_of(spec.name), max(1, min(spec.size, 60))
        if spec.key == "prefix" or (spec.size > 1 and self._chance(0.4)) or spec.size > 190:
            text += f"({self.draw.randint(1, longest)})"
        return text + (" DESC" if descending and self._chance(0.2) else "")

    def _parts(self, specs, count, descending=True):
        usable = [spec for spec in specs if spec.key]
        return ", ".join(self._part(spec, descending) for spec in self.draw.sample(usable, min(count, len(usable))))

    def _keys(self, specs, generated, partitioned):
        """Clauses of the secondary indexes."""
        clauses = []
        for _ in range(self.draw.choice((0, 1, 1, 2, 3, 5))):
            parts = self._parts(specs + generated, self.draw.choice((1, 1, 2, 3)))
            unique = self._chance(0.25) and not partitioned
            if parts:
                clauses.append(f"{'UNIQUE ' if unique else ''}KEY ({parts})")
        texts = [spec for spec in specs if spec.kind in ("_text", "_character") and spec.charset not in ("ucs2", "utf16", "utf16le", "utf32")]
        if texts and self._chance(0.25) and not partitioned:
            clauses.append(f"FULLTEXT ({name_of(self.draw.choice(texts).name)})")
        shapes = [spec for spec in specs if spec.kind == "_geometry"]
        if shapes and self._chance(0.6) and not partitioned:
            clauses.append(f"SPATIAL ({name_of(self.draw.choice(shapes).name)})")
        return clauses

    def _options(self):
        """Row format and what goes with the configuration."""
        draw, config, page_kib = self.draw, self.config, self.config.page_size // 1024
        formats = ["REDUNDANT", "COMPACT", "DYNAMIC", ""] + (["COMPRESSED"] * 2 if page_kib <= 16 else [])
        row_format = draw.choice(formats)
        options = [f"ROW_FORMAT={row_format}"] if row_format else []
        if row_format == "COMPRESSED" and self._chance(0.8):
            options.append(f"KEY_BLOCK_SIZE={draw.choice([size for size in (1, 2, 4, 8, 16) if size <= page_kib])}")
        if config.page_compressed and row_format in ("DYNAMIC", "COMPACT", "") and self._chance(0.7):
            options.append(f"PAGE_COMPRESSED=1 PAGE_COMPRESSION_LEVEL={draw.randint(1, 9)}")
        if config.encryption:
            options.append(draw.choice(("", "ENCRYPTED=YES ENCRYPTION_KEY_ID=2", "ENCRYPTED=YES", "ENCRYPTED=NO")))
        if self._chance(0.8):
            charset, collation = draw.choice(self._collations)
            if self._chance(0.5):
                charset, collation = "utf8mb4", "utf8mb4_general_ci"
            options.append(f"DEFAULT CHARACTER SET {charset} COLLATE {collation}")
        if self._chance(0.1):
            options.append(f"STATS_PERSISTENT={draw.choice((0, 1))} COMMENT='it is'")
        self.counts[f"row format {row_format or 'default'}"] += 1
        return options

    def _partitioning(self, key):
        """PARTITION BY of a table whose column `key` is an INT, or the column's other type and its PARTITION BY."""
        draw, column = self.draw, name_of(key)
        sub = draw.choice(("", "", f" SUBPARTITION BY {draw.choice((f'HASH ({column})', f'KEY ({column})', f'LINEAR HASH ({column})'))} SUBPARTITIONS 2"))
        kind = draw.choice(("RANGE", "RANGE COLUMNS", "RANGE DATE", "LIST", "LIST COLUMNS", "HASH", "LINEAR HASH", "KEY", "LINEAR KEY"))
        self.counts[f"partition {kind}{' sub' if sub and kind in ('RANGE', 'LIST') else ''}"] += 1
        bounds = " VALUES LESS THAN "
        if kind == "RANGE":
            return "INT", f"RANGE ({column}){sub} (PARTITION p0{bounds}(-10), PARTITION `p 1`{bounds}(1000), PARTITION pm{bounds}MAXVALUE)"
        if kind == "RANGE COLUMNS":
            return ("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
                    f"RANGE COLUMNS ({column}) (PARTITION p0{bounds}('b'), PARTITION `pä`{bounds}('é'), PARTITION P_X{bounds}(MAXVALUE))")
        if kind == "RANGE DATE":
            return "DATE", f"RANGE (YEAR({column})) (PARTITION p0{bounds}(1990), PARTITION p1{bounds}(2020), PARTITION pm{bounds}MAXVALUE)"
        if kind == "LIST":
            return "INT", f"LIST (MOD({column}, 3)){sub} (PARTITION p0 VALUES IN (0, NULL), PARTITION p1 VALUES IN (1, -1), PARTITION p2 VALUES IN (2, -2))"
        if kind == "LIST COLUMNS":
            return "DATE", f"LIST COLUMNS ({column}) (PARTITION p0 VALUES IN ('2000-01-01', '1999-12-31'), PARTITION pd DEFAULT)"
        return "INT", f"{kind} ({column}) PARTITIONS {draw.randint(1, 4)}"

    # --- tables ----------------------------------------------------------------------------

    def create_table(self):
        """Makes one more table, with another try where the server refuses; returns its name or None."""
        for _ in range(6):
            table = self._fresh_name(_NAMES, {name.lower() for name in self.tables})
            old_temporal, in_system = self._chance(0.1), self._chance(0.07)
            self.sql.query(f"SET GLOBAL mysql56_temporal_format = {'OFF' if old_temporal else 'ON'}")
            self.sql.query(f"SET GLOBAL innodb_file_per_table = {'OFF' if in_system else 'ON'}")
            self.sql.query(f"SET SESSION innodb_strict_mode = {self.draw.choice(('ON', 'OFF'))}")
            statement, facts = self._create_statement(table)
            if self.try_query(statement):
                self.tables.append(table)
                self.counts["tables"] += 1
                self.counts["tables of old temporal format"] += old_temporal
                self.counts["tables in the system tablespace"] += in_system
                self.counts.update(facts)
                self.sql.query("SET GLOBAL mysql56_temporal_format = ON, GLOBAL innodb_file_per_table = ON, SESSION innodb_strict_mode = OFF")
                return table
        self.sql.query("SET GLOBAL mysql56_temporal_format = ON, GLOBAL innodb_file_per_table = ON, SESSION innodb_strict_mode = OFF")
        return None

    def _create_statement(self, table):
        draw, used = self.draw, set()
        many = self._chance(0.08)
        count = draw.randint(60, 200) if many else draw.randint(2, 18)
        specs = [self.column(used, small=many) for _ in range(count)]
        partitioned, versioned = self._chance(0.25), self._chance(0.1)
        if partitioned and not versioned:
            specs = [spec for spec in specs if spec.kind != "_geometry"] or [self.column(used, small=True)]
        primary, lines, facts = draw.choice(("none", "auto", "single", "composite", "composite")), [], []
        key_specs = []
        if primary == "auto":
            lines.append("id " + draw.choice(("INT", "BIGINT UNSIGNED", "MEDIUMINT")) + " NOT NULL AUTO_INCREMENT")
        elif primary != "none":
            usable = [spec for spec in specs if spec.key]
            key_specs = draw.sample(usable, min(len(usable), 1 if primary == "single" else draw.randint(2, 4)))
        by = ""
        if partitioned and not versioned:
            part = self._fresh_name(_COLUMN_NAMES, used)
            used.add(part.lower())
            kind, by = self._partitioning(part)
            lines.append(f"{name_of(part)} {kind}{' NOT NULL' if key_specs or primary == 'auto' else ''}")
        lines += [self.definition(spec, True if spec in key_specs or (spec.kind == "_geometry" and self._chance(0.7)) else None)
                  for spec in specs]
        generated = []
        for _ in range(draw.choice((0, 0, 1, 2))):
            spec, line = self._generated(specs, used)
            lines.append(line)
            generated.append(spec)
        draw.shuffle(lines)
        if primary == "auto" or key_specs:
            parts = ["id"] if primary == "auto" else [self._part(spec) for spec in key_specs]
            if by:
                parts.append(name_of(part))
            lines.append(f"PRIMARY KEY ({', '.join(parts)})")
        # The server's purge crashes on an index of VIRTUAL columns with constants of partitions (docs/testing.md).
        lines += self._keys(specs, [] if " COLUMNS " in by else generated, bool(by))
        ending = ""
        if versioned:
            exact = self._chance(0.25)
            if self._chance(0.5):
                kind = "BIGINT UNSIGNED" if exact else "TIMESTAMP(6)"
                lines.append(f"row_a {kind} GENERATED ALWAYS AS ROW START, row_b {kind} GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (row_a, row_b)")
            ending = " WITH SYSTEM VERSIONING"
            facts.append("versioned tables")
        facts += [f"column {spec.kind.strip('_')}" for spec in specs + generated] + [f"primary key {primary}"]
        text = f"CREATE TABLE {name_of(self.database, table)} ({', '.join(lines)}) ENGINE=InnoDB {' '.join(self._options())}{ending}"
        return text + (f" PARTITION BY {by}" if by else ""), facts

    def columns(self, table):
        """What the table has by now."""
        rows = self.sql.query(
            "SELECT column_name, data_type, column_type, character_set_name, character_maximum_length, is_nullable, extra, is_generated, "
            "COALESCE(datetime_precision, numeric_precision), numeric_scale FROM information_schema.columns "
            f"WHERE BINARY table_schema = {quoted(self.database)} AND BINARY table_name = {quoted(table)} ORDER BY ordinal_position")
        return [Column(name, kind, whole, charset or "", int(size or 0), nullable == "YES", extra, generated != "NEVER",
                       int(digits or 0), int(scale or 0))
                for name, kind, whole, charset, size, nullable, extra, generated, digits, scale in rows]

    # --- values ----------------------------------------------------------------------------

    def literal(self, column):
        """A value for a column, as SQL."""
        if column.nullable and self._chance(0.15):
            return "NULL"
        draw, kind = self.draw, column.kind
        if kind in _INTEGER_BITS:
            bits = _INTEGER_BITS[kind]
            low, high = (0, 2 ** bits - 1) if "unsigned" in column.whole else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
            return str(draw.choice((low, high, 0, 1, -1, low + 1, draw.randint(low, high), draw.randint(-100, 100), draw.randint(-100, 2000))))
        if kind in ("float", "double"):
            small = kind == "float"
            return draw.choice(("0", "-0e0", "1", "-1", "3.4028234e38" if small else "1.7976931348623157e308", "1.17549435e-38" if small else
                                "2.2250738585072014e-308", "1e-45" if small else "5e-324", repr(draw.uniform(-1e6, 1e6)), repr(draw.uniform(-1, 1))))
        if kind == "decimal":
            whole, rest = column.digits - column.scale, column.scale
            largest = "9" * whole + ("." + "9" * rest if rest else "")
            value = "".join(draw.choice(string.digits) for _ in range(draw.randint(0, whole))) or "0"
            value += "." + "".join(draw.choice(string.digits) for _ in range(rest)) if rest else ""
            return draw.choice((largest, "-" + largest, "0", "-" + value, value, value, "1"))
        if kind == "bit":
            return str(draw.choice((0, 1, 2 ** column.digits - 1, draw.getrandbits(column.digits))))
        if kind == "year":
            return str(draw.choice((0, 1901, 2155, 2000, draw.randint(1901, 2155))))
        if kind in ("date", "time", "datetime", "timestamp"):
            return quoted(self._moment(kind))
        if kind in ("char", "varchar"):
            return self._characters(column.charset, column.size)
        if kind == "longtext" and column.charset.startswith("utf8mb4") and column.whole == "longtext" and self._chance(0.3):
            return quoted(self._json())
        if kind in _TEXTS:
            return self._characters(column.charset, min(_TEXTS[kind], draw.choice(_BIG_COUNTS)))
        if kind in ("binary", "varbinary"):
            return self._bytes(draw.choice((0, 1, column.size, draw.randint(0, column.size))))
        if kind in _BLOBS:
            return self._bytes(min(_BLOBS[kind], draw.choice(_BIG_COUNTS)))
        if kind == "enum":
            return str(draw.randint(0, column.whole.count("','") + 1))
        if kind == "set":
            bits = column.whole.count("','") + 1
            return str(draw.choice((0, 2 ** bits - 1, draw.getrandbits(bits))))
        if kind == "uuid":
            return quoted(f"{draw.getrandbits(32):08x}-{draw.getrandbits(16):04x}-{draw.getrandbits(16):04x}-"
                          f"{draw.getrandbits(16):04x}-{draw.getrandbits(48):012x}")
        if kind == "inet4":
            return quoted(".".join(str(draw.choice((0, 255, draw.randint(0, 255)))) for _ in range(4)))
        if kind == "inet6":
            return quoted(draw.choice(("::", "::1", "1::", "::ffff:192.0.2.1", "::192.0.2.1", ":".join(
                f"{draw.choice((0, 0, draw.getrandbits(16))):x}" for _ in range(8)))))
        return self._shape(kind.upper())

    def _json(self):
        return json.dumps({"a": [1, None, self._random_text("utf8mb4", 8)], "long": "x" * self.draw.choice((0, 10, 900))}, ensure_ascii=False)

    def _moment(self, kind):
        draw = self.draw
        clock = f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:{draw.randint(0, 59):02}.{draw.randint(0, 999999):06}"
        day = f"{draw.choice((draw.randint(0, 9999), draw.randint(1970, 2040))):04}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        if kind == "time":
            sign, hours = draw.choice(("", "-")), draw.choice((0, draw.randint(0, 837)))
            return draw.choice(("838:59:59.999999", "-838:59:59.999999", "00:00:00", "-00:00:00.000001", "-00:00:00.99",
                                f"{sign}{hours}:{clock[3:]}", f"{sign}{hours}:{clock[3:]}"))
        if kind == "timestamp":
            day = f"{draw.randint(1971, 2037)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
            return draw.choice(("0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07.999999", f"{day} {clock}", f"{day} {clock}"))
        days = draw.choice(("0000-00-00", "1000-01-01", "9999-12-31", "2020-00-15", "2020-05-00", "2021-02-30", "0000-01-01", day, day, day))
        return days if kind == "date" else f"{days} {draw.choice((clock, '00:00:00', '23:59:59.999999'))}"

    def _random_text(self, charset, length):
        letters = _LETTERS.get(charset, _UNICODE if charset.startswith("utf") else _WESTERN)
        return "".join(self.draw.choice(letters) for _ in range(length))

    def _characters(self, charset, longest):
        draw = self.draw
        length = draw.choice((0, 1, longest, longest, draw.randint(0, longest), min(longest, draw.randint(0, 12))))
        if length > _LITERAL_MAX:
            part = self._random_text(charset, draw.randint(1, 50))
            return f"REPEAT({quoted(part)}, {max(1, length // len(part))})"
        if self._chance(0.12) and charset not in ("ucs2", "utf16", "utf16le", "utf32"):
            return f"X'{draw.randbytes(min(length, 300)).hex()}'"  # any bytes: kept, replaced or cut off by the server
        if self._chance(0.1):
            return quoted(draw.choice(("", " ", "  a", "a  ", "'", "\\", "%_", "NULL", "\n"))[:max(1, length)])
        return quoted(self._random_text(charset, length))

    def _bytes(self, length):
        if length > _LITERAL_MAX:
            part = self.draw.randbytes(self.draw.randint(1, 50)).hex()
            return f"REPEAT(X'{part}', {max(1, length * 2 // len(part))})"
        if length and self._chance(0.2):
            return f"REPEAT(X'{self.draw.choice(('00', 'FF', '20'))}', {length})"
        return f"X'{self.draw.randbytes(length).hex()}'"

    def _shape(self, kind):
        draw = self.draw
        # Where areas overflow, or are so large that what a row adds is lost, the server leaves boxes of SPATIAL indexes too small
        # (docs/testing.md).
        number = lambda: repr(draw.choice((0, 1, -1.5, draw.uniform(-180, 180), 1e6)))  # noqa: E731
        point = lambda: f"{number()} {number()}"  # noqa: E731
        many = draw.choice((2, 3, 10, 10, 200, 600))
        line = lambda: "(" + ",".join(point() for _ in range(many)) + ")"  # noqa: E731
        ring = lambda: (lambda a: f"(({a} 0,{a + 1} 0,{a + 1} 1,{a} 1,{a} 0))")(draw.randint(-50, 50))  # noqa: E731
        texts = {"POINT": lambda: f"POINT({point()})", "LINESTRING": lambda: f"LINESTRING{line()}", "POLYGON": lambda: f"POLYGON{ring()}",
                 "MULTIPOINT": lambda: f"MULTIPOINT{line()}", "MULTILINESTRING": lambda: f"MULTILINESTRING({line()},{line()})",
                 "MULTIPOLYGON": lambda: f"MULTIPOLYGON({ring()},{ring()})",
                 "GEOMETRYCOLLECTION": lambda: f"GEOMETRYCOLLECTION(POINT({point()}),LINESTRING{line()})"}
        make = texts.get(kind) or texts[draw.choice(sorted(texts))]
        return f"ST_GeomFromText('{make()}', {draw.choice((0, 0, 4326))})"

    # --- rows ------------------------------------------------------------------------------

    def fill(self, table, rows):
        """INSERTs of random rows. Errors: SqlError when the table is altered meanwhile."""
        columns = [c for c in self.columns(table) if not c.generated and "ROW START" not in c.extra.upper() and "ROW END" not in c.extra.upper()]
        if not columns:
            return
        done = 0
        while done < rows:
            count = min(rows - done, self.draw.choice((1, 3, 10)))
            chosen = [c for c in columns if self._chance(0.85) and not ("auto_increment" in c.extra and self._chance(0.8))] or columns[:1]
            values = ", ".join("(" + ", ".join(self.literal(c) for c in chosen) + ")" for _ in range(count))
            self.try_query(f"INSERT IGNORE INTO {name_of(self.database, table)} ({', '.join(name_of(c.name) for c in chosen)}) VALUES {values}")
            done += count
        self.counts["rows asked for"] += rows

    def grow(self, table, count):
        """Many short rows in one statement."""
        columns = [c for c in self.columns(table) if not c.generated and "ROW" not in c.extra.upper()]
        names, values = [], []
        for column in columns:
            if column.kind in _INTEGER_BITS and "auto_increment" not in column.extra:
                value = f"seq * {self.draw.choice((1, 1, 7, 131))} % {2 ** (_INTEGER_BITS[column.kind] - 1)}"
            elif (column.kind in ("char", "varchar", "varbinary") or column.kind in _TEXTS or column.kind in _BLOBS) and column.size > 12:
                value = f"CONCAT('g', seq, REPEAT('x', seq % {self.draw.choice((3, 20, 90))}))"
            elif column.nullable or "auto_increment" in column.extra:
                continue
            else:
                value = self.literal(column)
            names.append(name_of(column.name))
            values.append(value)
        if names:
            self.try_query(f"INSERT IGNORE INTO {name_of(self.database, table)} ({', '.join(names)}) SELECT {', '.join(values)} "
                           f"FROM {name_of(self.database, f'seq_1_to_{count}')}")

    def _some(self):
        """A WHERE that some rows meet."""
        return f"WHERE RAND({self.draw.randint(0, 10 ** 6)}) < {self.draw.choice((0.03, 0.1, 0.3))} LIMIT {self.draw.choice((1, 5, 60))}"

    def change(self, table, statements):
        """UPDATEs, DELETEs and REPLACEs of some rows. Errors: SqlError when the table is altered meanwhile."""
        columns = [c for c in self.columns(table) if not c.generated and "ROW" not in c.extra.upper()]
        for _ in range(statements if columns else 0):
            if self._chance(0.25):
                self.try_query(f"DELETE FROM {name_of(self.database, table)} {self._some()}")
                continue
            chosen = self.draw.sample(columns, min(len(columns), self.draw.choice((1, 1, 2, 5))))
            assignments = ", ".join(f"{name_of(c.name)} = {self.literal(c)}" for c in chosen)
            if self._chance(0.1):
                values = ", ".join(self.literal(c) for c in columns)
                self.try_query(f"REPLACE INTO {name_of(self.database, table)} ({', '.join(name_of(c.name) for c in columns)}) VALUES ({values})")
            else:
                self.try_query(f"UPDATE IGNORE {name_of(self.database, table)} SET {assignments} {self._some()}")

    # --- ALTER -----------------------------------------------------------------------------

    def alter(self, table):
        """One random ALTER, instant where the server can; returns whether any was done."""
        change = self.draw.choices(*_CHANGES)[0]
        try:
            text = change(self, table)
        except sqlclient.SqlError as error:
            self.counts[f"error {error.code}"] += 1
            return False
        if text is None:
            return False
        statement = f"ALTER TABLE {name_of(self.database, table)} {text}"
        label = change.__name__.strip("_")
        if change in _INSTANT and self._chance(0.85):
            if self.try_query(f"{statement}, ALGORITHM=INSTANT"):
                self.counts[f"instant {label}"] += 1
                return True
            if self._chance(0.5):
                return False
        elif change is Maker._rebuild:
            statement += f", ALGORITHM={self.draw.choice(('INPLACE', 'COPY', 'DEFAULT'))}"
        done = self.try_query(statement)
        self.counts[f"alter {label}"] += done
        return done

    def _lines(self, table):
        """The columns of SHOW CREATE TABLE: name and definition."""
        shown = self.sql.query(f"SHOW CREATE TABLE {name_of(self.database, table)}")[0][1]
        found = re.findall(r"^  (`(?:[^`]|``)+`) (.+?),?$", shown, re.MULTILINE)
        return [(name, text) for name, text in found if "GENERATED ALWAYS" not in text]

    def _place(self, table):
        if self._chance(0.4):
            return ""
        return self.draw.choice((" FIRST", f" AFTER {self.draw.choice(self._lines(table))[0]}"))

    def _used(self, table):
        return {column.name.lower() for column in self.columns(table)}

    def _add(self, table):
        used = self._used(table)
        return ", ".join(f"ADD COLUMN {self.definition(self.column(used))}{self._place(table)}" for _ in range(self.draw.choice((1, 1, 2, 3))))

    def _drop(self, table):
        names = [name for name, _ in self._lines(table)]
        chosen = self.draw.sample(names, min(len(names) - 1, self.draw.choice((1, 1, 2))))
        return ", ".join(f"DROP COLUMN {name}" for name in chosen) or None

    def _move(self, table):
        name, text = self.draw.choice(self._lines(table))
        return f"MODIFY COLUMN {name} {text}{self.draw.choice((' FIRST', f' AFTER {self.draw.choice(self._lines(table))[0]}'))}"

    def _mixed(self, table):
        parts = [self._add(table), self._drop(table), self._move(table)]
        return ", ".join(part for part in self.draw.sample(parts, 2) if part)

    def _nullable(self, table):
        candidates = [(name, text) for name, text in self._lines(table) if "NOT NULL" in text and "AUTO_INCREMENT" not in text]
        if not candidates:
            return None
        name, text = self.draw.choice(candidates)
        return f"MODIFY COLUMN {name} {text.replace('NOT NULL', 'NULL')}"

    def _not_nullable(self, table):
        candidates = [(name, text) for name, text in self._lines(table) if "NOT NULL" not in text and "NULL" in text]
        if not candidates:
            return None
        name, text = self.draw.choice(candidates)
        return f"MODIFY COLUMN {name} {text.replace('DEFAULT NULL', 'NOT NULL', 1)}"

    def _longer(self, table):
        candidates = [(name, text) for name, text in self._lines(table) if text.startswith("varchar(")]
        if not candidates:
            return None
        name, text = self.draw.choice(candidates)
        return f"MODIFY COLUMN {name} " + re.sub(r"^varchar\((\d+)\)", lambda m: f"varchar({int(m[1]) + self.draw.choice((1, 40, 200))})", text)

    def _other_charset(self, table):
        candidates = [(name, text) for name, text in self._lines(table) if text.startswith(("varchar(", "char(", "text"))]
        if not candidates:
            return None
        name, text = self.draw.choice(candidates)
        return f"MODIFY COLUMN {name} {text.split(' ')[0]}{self._charset()[1]}"

    def _rename(self, table):
        name, _ = self.draw.choice(self._lines(table))
        return f"RENAME COLUMN {name} TO {name_of(self._fresh_name(_COLUMN_NAMES, self._used(table)))}"

    def _default(self, table):
        name, _ = self.draw.choice(self._lines(table))
        return f"ALTER COLUMN {name} {self.draw.choice(('SET DEFAULT 1', 'SET DEFAULT (7)', 'DROP DEFAULT'))}"

    def _labels(self, table):
        candidates = [(name, text) for name, text in self._lines(table) if text.startswith(("enum(", "set("))]
        if not candidates:
            return None
        name, text = self.draw.choice(candidates)
        end = text.index("')") + 1
        self._serial += 1
        return f"MODIFY COLUMN {name} {text[:end]},'more{self._serial}'{text[end:]}"

    def _virtual(self, table):
        dropped = [column.name for column in self.columns(table) if column.generated and "VIRTUAL" in column.extra.upper()]
        if dropped and self._chance(0.4):
            return f"DROP COLUMN {name_of(self.draw.choice(dropped))}"
        base, _ = self.draw.choice(self._lines(table))
        return f"ADD COLUMN {name_of(self._fresh_name(_COLUMN_NAMES, self._used(table)))} INT AS (LENGTH({base})) VIRTUAL{self._place(table)}"

    def _index(self, table):
        indexes = [row[2] for row in self.sql.query(f"SHOW INDEX FROM {name_of(self.database, table)}") if row[2] != "PRIMARY"]
        if indexes and self._chance(0.4):
            return f"DROP INDEX {name_of(self.draw.choice(indexes))}"
        names = self.draw.sample(self._lines(table), min(2, len(self._lines(table))))
        parts = [name + ("(3)" if re.match(r"(tiny|medium|long)?(text|blob)|(var)?(char|binary)\((?!0|1\)|2\))", text) else "") for name, text in names]
        return f"ADD {self.draw.choice(('', '', 'UNIQUE '))}INDEX ({', '.join(parts)})"

    def _primary(self, table):
        """Another primary key, or none."""
        has = self.sql.query(f"SHOW INDEX FROM {name_of(self.database, table)} WHERE key_name = 'PRIMARY'")
        if has and self._chance(0.4):
            return "DROP PRIMARY KEY"
        if self.sql.query(f"SHOW INDEX FROM {name_of(self.database, table)} WHERE index_type = 'SPATIAL'"):
            return None  # the server writes wrong keys into the SPATIAL index (docs/testing.md)
        self._serial += 1
        return ("DROP PRIMARY KEY, " if has else "") + f"ADD COLUMN pk{self._serial} INT NOT NULL AUTO_INCREMENT, ADD PRIMARY KEY (pk{self._serial})"

    def _rebuild(self, table):
        return self.draw.choice(("FORCE", "ENGINE=InnoDB", f"ROW_FORMAT={self.draw.choice(('REDUNDANT', 'COMPACT', 'DYNAMIC', 'COMPRESSED'))}"))

    def _convert(self, table):
        charset, collation = self.draw.choice(self._collations)
        return f"{self.draw.choice(('CONVERT TO', 'DEFAULT'))} CHARACTER SET {charset} COLLATE {collation}"

    def _retype(self, table):
        name, _ = self.draw.choice(self._lines(table))
        return f"MODIFY COLUMN {name} {self.column(set()).type}"

    def _partitions(self, table):
        names = sorted({row[0] for row in self.sql.query("SELECT partition_name FROM information_schema.partitions WHERE partition_name IS NOT NULL AND "
                                                         f"BINARY table_schema = {quoted(self.database)} AND BINARY table_name = {quoted(table)}")})
        if not names:
            return None
        return self.draw.choice(("REBUILD PARTITION ALL", f"TRUNCATE PARTITION {name_of(names[0])}", "ADD PARTITION PARTITIONS 2", "COALESCE PARTITION 1",
                                 "REMOVE PARTITIONING", f"DROP PARTITION {name_of(names[0])}", f"REBUILD PARTITION {name_of(names[-1])}"))


def quoted_label(label):
    """A label of _LABELS is written as SQL has it."""
    return f"'{label}'"


_KINDS = ([Maker._integer, Maker._real, Maker._decimal, Maker._bit, Maker._temporal, Maker._character, Maker._text, Maker._binary, Maker._blob,
           Maker._compressed, Maker._enumeration, Maker._special, Maker._geometry], [12, 4, 8, 4, 12, 16, 8, 7, 6, 3, 8, 7, 4])
_INSTANT = (Maker._add, Maker._drop, Maker._move, Maker._mixed, Maker._nullable, Maker._longer, Maker._rename, Maker._default, Maker._labels,
            Maker._virtual, Maker._other_charset)
_CHANGES = ([Maker._add, Maker._drop, Maker._move, Maker._mixed, Maker._nullable, Maker._longer, Maker._rename, Maker._default, Maker._labels,
             Maker._virtual, Maker._other_charset, Maker._not_nullable, Maker._index, Maker._primary, Maker._rebuild, Maker._convert,
             Maker._retype, Maker._partitions],
            [18, 10, 8, 6, 6, 5, 4, 3, 5, 4, 2, 2, 5, 2, 4, 1, 3, 4])
