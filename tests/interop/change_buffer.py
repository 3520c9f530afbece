#!/usr/bin/env python3
"""Directories whose change buffer is in use, stopped and killed: `redoubt verify --level rows` finds nothing, `redoubt sql`
gives the server's answers by secondary indexes, and what is broken on purpose is found.

    tests/interop/change_buffer.py [--keep]

The server buffers changes of leaves that are not in its buffer pool: hence the small pool and tables beyond it.
"""

import argparse
import json
import os
import subprocess
import sys

import realserver
import redoubt
import staging
import surgery
import trees
from victim import SYSTEM, Victim

_CTEST_SKIP = 77
_TIMEOUT_S = 300
_ROWS, _NEW = 30000, 3000
_OPTIONS = ("--innodb-change-buffering=all", "--innodb-buffer-pool-chunk-size=1M")
_POOL = {"buffer_pool": "6M", "log_size": "64M", "options": _OPTIONS}
_CONFIGS = (realserver.Config(**_POOL), realserver.Config(page_size=4096, checksum="crc32", **_POOL),
            realserver.Config(encryption="ctr", **_POOL), realserver.Config(page_compressed="zlib", **_POOL))
_BUFFER_ROOT, _BITMAP, _BITS = 4, 1, 94  # page; page; byte offset on it


def _forms(config):
    dynamic = "ROW_FORMAT=DYNAMIC" + (" PAGE_COMPRESSED=1" if config.page_compressed else "")
    return {"dyn": dynamic, "red": "ROW_FORMAT=REDUNDANT",
            "com": f"ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE={config.page_size // 2048}"}


def _fill(sql, config):
    """Rows, then changes far from each other: all three kinds, on leaves that are out of the pool; purge buffers some, too."""
    for name, form in _forms(config).items():
        sql.query(f"CREATE TABLE {name} (id INT PRIMARY KEY, k INT NOT NULL, s VARCHAR(200) NULL, v CHAR(100), KEY (k), KEY (s), "
                  f"KEY (v, k)) CHARACTER SET latin1 ENGINE=InnoDB {form}")
        sql.query(f"INSERT INTO {name} SELECT seq, CRC32(seq) % 1000000, IF(seq % 7, MD5(seq), NULL), SHA1(seq) FROM seq_1_to_{_ROWS}")
    for name in _forms(config):
        sql.query(f"INSERT INTO {name} SELECT 100000 + seq, CRC32(seq * 31) % 1000000, "
                  f"IF(seq % 5, CONCAT(MD5(seq * 7), REPEAT('x', seq % 150)), NULL), SHA1(seq * 3) FROM seq_1_to_{_NEW}")
        sql.query(f"DELETE FROM {name} WHERE id % 97 = 3")
        sql.query(f"UPDATE {name} SET k = k + 1 WHERE id % 89 = 5")
        sql.query(f"UPDATE {name} SET s = UPPER(s) WHERE id % 83 = 5")


def _queries(config):
    for name in _forms(config):
        for begin in (0, 400000, 990000):
            yield f"SELECT k, id FROM {name} WHERE k BETWEEN {begin} AND {begin + 9999} ORDER BY k, id"
        yield f"SELECT k, id FROM {name} WHERE k > 995000 ORDER BY k DESC, id DESC"
        yield f"SELECT s, id FROM {name} WHERE s >= 'a' AND s < 'b' ORDER BY s, id"
        yield f"SELECT COUNT(*), MIN(id), MAX(id) FROM {name} WHERE s IS NULL"
        yield f"SELECT COUNT(*), MIN(id), MAX(id) FROM {name} WHERE v < '4'"


def _stage(config, how):
    """The site, its server gone."""
    site = realserver.Site(staging.scratch().path(f"{how}-{config.label()}"))
    realserver.Templates(staging.scratch().path("templates")).fill(site, config)
    with realserver.Server(site, config) as server:
        with server.connect() as sql:
            sql.query("CREATE DATABASE d")
            sql.query("USE d")
            _fill(sql, config)
            with server.connect() as other:  # not committed
                other.query("USE d")
                other.query("BEGIN")
                other.query("UPDATE dyn SET k = k + 7 WHERE id % 1009 = 1")
                other.query("INSERT INTO red SELECT 500000 + seq, CRC32(seq * 77) % 1000000, MD5(seq), SHA1(seq) FROM seq_1_to_200")
                if how == "killed":
                    server.kill()
        if how == "stopped":
            server.shut_down()
    return site


def _verify(site, config):
    return redoubt.run(redoubt.command("verify", site.data, "--level", "files,pages,trees,rows", site=site, config=config), _TIMEOUT_S)


def _entries(site, config):
    """How many pages the change buffer's root says that there are below it, or entries on it."""
    page = surgery.read(os.path.join(site.data, SYSTEM), _BUFFER_ROOT * config.page_size, config.page_size)
    return surgery.integer(page, trees.COUNT, 2)


def _ask(site, config, query):
    line = redoubt.command("sql", site.data, site=site, config=config)
    line.remove("--json")
    result = subprocess.run([*line, "--format", "json", "--quiet", "-e", query], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            timeout=_TIMEOUT_S, check=False)
    if result.returncode != 0:
        return f"exit {result.returncode}: {result.stderr.decode().strip()}"
    return [list(row.values()) for row in json.loads(result.stdout.decode(), parse_float=str, parse_int=str)]


def _check_whole(site, config, how):
    """Sentences on what is not as it should be."""
    found = []
    if not config.encryption and _entries(site, config) == 0:
        found.append("nothing was buffered: the test proves nothing")
    answer = _verify(site, config)
    findings = answer.document["findings"] if answer.document else []
    if answer.code != redoubt.OK or not findings and not answer.document:
        found.append(f"verify: exit code {answer.code}: {answer.text[:1500]}")
    found += [f"verify: {f}" for f in findings if f["severity"] != "note" or f["kind"] in ("rows-not-compared", "segment-unowned")]
    queries = list(_queries(config))
    ours = [_ask(site, config, query) for query in queries]
    server_site = site.copy_to(site.folder + "-server")
    with realserver.Server(server_site, config) as server:
        with server.connect() as sql:
            sql.query("USE d")
            for query, answer in zip(queries, ours):
                expected = [list(row) for row in sql.query(query)]
                if answer != expected:
                    found.append(f"{query}\n  ours      {str(answer)[:200]}\n  server's  {str(expected)[:200]}")
    server_site.remove()
    print(f"{'FAILED' if found else 'ok'}: {config.label()}: {how}: whole, {len(queries)} queries", flush=True)
    return found


# --- damage -------------------------------------------------------------------------------------


class _Buffer:
    """The change buffer's own tree of a victim."""

    def __init__(self, v):
        self.v = v
        page = _BUFFER_ROOT
        while v.number(SYSTEM, page, trees.LEVEL, 2) > 0:
            page = self._first_child(page)
        self.leaves = []  # (a page that was of the tree before looks like one)
        while page != trees.NO_PAGE:
            self.leaves.append(page)
            page = v.number(SYSTEM, page, trees.NEXT)
        self.leaves = [page for page in self.leaves if v.number(SYSTEM, page, trees.COUNT, 2) > 5]

    def _first_child(self, page):
        """What the first node pointer leads to: the last of its fields."""
        content = self.v.read(SYSTEM, page)
        origin = surgery.integer(content, 99, 2)
        fields = surgery.integer(content, origin - 4, 2) >> 1 & 0x3FF
        size = 1 if content[origin - 3] & 1 else 2
        end = surgery.integer(content, origin - 6 - size * fields, size) & (0x7F if size == 1 else 0x3FFF)
        return surgery.integer(content, origin + end - 4, 4)

    def record(self, number=3):
        """(page, offset of a record there)."""
        page = self.leaves[len(self.leaves) // 2]
        content = self.v.read(SYSTEM, page)
        origin = surgery.integer(content, 99, 2)
        for _ in range(number):
            origin = surgery.integer(content, origin - 2, 2)
        return page, origin


def _edit(page, offset, value, size):
    return lambda v, at: v.edit(SYSTEM, at[0] if page is None else page,
                                ((at[1] if page is None else 0) + offset, value.to_bytes(size, "big")))


def _forget_bits(v, _):
    """The bitmap of a table no longer says that changes wait."""
    content = v.read("d/dyn.ibd", _BITMAP)
    v.edit("d/dyn.ibd", _BITMAP, (_BITS, bytes(byte & 0xBB for byte in content[_BITS:-8])))


_DAMAGE = {  # title: kind, table, file, change
    "an entry of an unknown kind": ("change-buffer", "change buffer", SYSTEM, _edit(None, 11, 9, 1)),
    "an entry with another marker": ("index-order", "change buffer", SYSTEM, _edit(None, 4, 1, 1)),
    "an entry of an earlier page": ("index-order", "change buffer", SYSTEM, _edit(None, 0, 0, 4)),
    "a leaf that says it has another count": ("index-page", "change buffer", SYSTEM,
                                              lambda v, at: v.add(SYSTEM, at[0], trees.COUNT, 1, 2)),
    "a leaf that leads to itself": ("index-link", "change buffer", SYSTEM,
                                    lambda v, at: v.edit(SYSTEM, at[0], (trees.NEXT, at[0].to_bytes(4, "big")))),
    "a list of free pages that says it has one more": ("change-buffer", "change buffer", SYSTEM,
                                                       lambda v, at: v.add(SYSTEM, _BUFFER_ROOT, trees.LEAF_SEGMENT, 1)),
    "a list of free pages that leads to the root": ("page-shared", "change buffer", SYSTEM,
                                                    lambda v, at: v.edit(SYSTEM, _BUFFER_ROOT, (trees.LEAF_SEGMENT + 4, bytes([0, 0, 0, 4])))),
    "a segment that is another's": ("segment-header", None, SYSTEM, lambda v, at: v.edit(SYSTEM, 3, (94, bytes(v.read(SYSTEM, 7)[94:104])))),
    "a bitmap that forgot the changes": ("row-without-entry", "d.dyn", "d/dyn.ibd", _forget_bits),
}


def _check_damage(site, config):
    found = []
    v = Victim(config, "damage-")
    v.site = site
    v.put_aside()
    for title, (kind, table, file, change) in _DAMAGE.items():
        v.begin(pages_only=True)
        change(v, _Buffer(v).record())
        answer = _verify(v.site, config)
        findings = answer.document["findings"] if answer.document else []
        good = answer.code == redoubt.DAMAGE and any(f["kind"] == kind and f.get("table") in (table, "" if table is None else table) and
                                                     f.get("file") == file for f in findings)
        print(f"{'ok' if good else 'FAILED'}: {config.label()}: {title}", flush=True)
        if not good:
            found.append(f"{title}: exit code {answer.code}: {[f for f in findings if f['severity'] != 'note'][:5]}")
    v.discard()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of a configuration's label")
    options = parser.parse_args()
    missing = realserver.missing_parts() + redoubt.missing_binary()
    if missing:
        print(f"SKIPPED: not found: {', '.join(missing)}")
        return _CTEST_SKIP
    realserver.end_orderly_on_signals()
    found = []
    for config in _CONFIGS:
        if options.only not in config.label():
            continue
        for how in ("killed", "stopped"):
            site = _stage(config, how)
            found += _check_whole(site, config, how)
            if how == "stopped" and config == _CONFIGS[0]:
                found += _check_damage(site, config)
            else:
                site.remove()
    for sentence in found:
        print("WRONG", sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
