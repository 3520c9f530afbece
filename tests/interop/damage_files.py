"""Damage to whole files and to what belongs together."""

import os

import redoubt
import surgery
from damage_cases import PLAIN, READABLE, Place, case
from victim import OTHER, SYSTEM, TABLE, UNDO_FILE


def _cut(v, file, size):
    os.truncate(v.path(file), size)
    return Place(file, space=v.space_id(file) if size else None)


@case("file cut short at a page boundary", "file-short")
def _(v):
    return _cut(v, TABLE, (v.page_count(TABLE) - 5) * v.page_size)


@case("file cut short within a page", "file-short")
def _(v):
    return _cut(v, TABLE, (v.page_count(TABLE) - 5) * v.page_size - 1000)


@case("file cut to three pages", "file-unusable")
def _(v):
    return _cut(v, TABLE, 3 * v.page_size)


@case("file cut to half a page", "first-page")
def _(v):
    return _cut(v, TABLE, v.page_size // 2)


@case("file emptied", "first-page")
def _(v):
    return _cut(v, TABLE, 0)


@case("undo tablespace cut short", "file-short", configs=(PLAIN,))
def _(v):
    return _cut(v, UNDO_FILE, 40 * v.page_size)


@case("ibdata1 cut short", "file-short")
def _(v):
    return _cut(v, SYSTEM, os.path.getsize(v.path(SYSTEM)) - (2 << 20))


@case("ibdata1 cut to two pages", "unrecoverable")
def _(v):
    os.truncate(v.path(SYSTEM), 2 * v.page_size)
    return Place(SYSTEM)


@case("file zeroed", "first-page")
def _(v):
    size = os.path.getsize(v.path(TABLE))
    os.truncate(v.path(TABLE), 0)
    os.truncate(v.path(TABLE), size)
    return Place(TABLE, 0)


@case("file extended by half a page of noise", "file-tail", severity="note", code=redoubt.OK)
def _(v):
    with open(v.path(TABLE), "ab") as file:
        file.write(surgery.noise(v.page_size // 2))
    return Place(TABLE, space=v.space_id(TABLE))


@case("file extended by pages of noise", "free-page", severity="note", code=redoubt.OK)
def _(v):
    page = v.page_count(TABLE)
    with open(v.path(TABLE), "ab") as file:
        file.write(surgery.noise(4 * v.page_size))
    return Place(TABLE, page, v.space_id(TABLE))


@case("file missing", "file-missing")
def _(v):
    space = v.space_id(TABLE)
    os.unlink(v.path(TABLE))
    return Place(TABLE, space=space)


@case("directory in place of a file", "file-unusable")
def _(v):
    os.unlink(v.path(TABLE))
    os.mkdir(v.path(TABLE))
    return Place(TABLE)


@case("link to nowhere in place of a file", "file-missing")
def _(v):
    os.unlink(v.path(TABLE))
    os.symlink("/nowhere", v.path(TABLE))
    return Place(TABLE)


@case("undo tablespace missing", "file-missing", configs=(PLAIN,))
def _(v):
    space = v.space_id(UNDO_FILE)
    os.unlink(v.path(UNDO_FILE))
    return Place(UNDO_FILE, space=space)


@case("ibdata1 missing", None, code=redoubt.IO)
def _(v):
    os.unlink(v.path(SYSTEM))
    return Place(words=("no system tablespace",))


@case("two table files swapped", "wrong-space-id")
def _(v):
    v.swap(TABLE, OTHER)
    return Place(TABLE, 0, also=(OTHER,))


@case("table file replaced by a copy of another", "duplicate-space-id")
def _(v):
    v.copy(OTHER, TABLE)
    return Place(TABLE, space=v.space_id(OTHER))


@case("copy of a table file under another name", "duplicate-space-id")
def _(v):
    v.copy(TABLE, "d/zz.ibd")
    return Place("d/zz.ibd", space=v.space_id(TABLE))


@case("copy of a table file under an earlier name", "foreign-file")
def _(v):
    v.copy(TABLE, "d/aa.ibd")
    return Place("d/aa.ibd", space=v.space_id(TABLE), also=(TABLE,))


@case("foreign table file added", "foreign-file", configs=READABLE)
def _(v):
    v.copy(OTHER, "d/zz.ibd")
    foreign = (7777).to_bytes(4, "big")
    v.edit("d/zz.ibd", 0, (34, foreign), (38, foreign))
    return Place("d/zz.ibd", space=7777)


@case("damaged file of an ALTER TABLE that did not come to its end", "leftover-file", redoubt.OK, "note", READABLE)
def _(v):
    name = "d/#sql-alter-1a2b-3.ibd"
    v.copy(OTHER, name)  # its other pages say that they are of another file
    unknown = (7777).to_bytes(4, "big")
    v.edit(name, 0, (34, unknown), (38, unknown))
    return Place(name, space=7777)


@case("noise under the name of a file of an ALTER TABLE that did not come to its end", "leftover-file", redoubt.OK, "note")
def _(v):
    with open(v.path("d/#sql-ib12.ibd"), "wb") as file:
        file.write(surgery.noise(8 * v.page_size))
    return Place("d/#sql-ib12.ibd")


@case("noise under the name of a table file", "first-page")
def _(v):
    with open(v.path("d/zz.ibd"), "wb") as file:
        file.write(surgery.noise(8 * v.page_size))
    return Place("d/zz.ibd")


@case("link file leads nowhere", "file-missing")
def _(v):
    os.unlink(v.external_table)
    return Place(v.external_table)


@case("link file is not a path", "file-missing")
def _(v):
    with open(v.path("d/e.isl"), "w", encoding="ascii") as link:
        link.write("noise")
    return Place("d/e.ibd")


@case("link file missing", "file-missing")
def _(v):
    os.unlink(v.path("d/e.isl"))
    return Place("d/e.ibd")


@case("another page size asked for", None, code=redoubt.USAGE, configs=(PLAIN,))
def _(_):
    return Place(options=("--innodb-page-size=4k",), words=("16384", "4096"))


# --- the redo log ------------------------------------------------------------------------------

_LOG = "ib_logfile0"


@case("redo log missing", "unrecoverable")
def _(v):
    os.unlink(v.path(_LOG))
    return Place(_LOG)


@case("redo log emptied", "unrecoverable")
def _(v):
    os.truncate(v.path(_LOG), 0)
    return Place(_LOG)


@case("redo log cut within its header", "unrecoverable")
def _(v):
    os.truncate(v.path(_LOG), 6000)
    return Place(_LOG)


@case("redo log cut short", "unrecoverable")
def _(v):
    os.truncate(v.path(_LOG), 1 << 20)
    return Place(_LOG)


@case("redo log zeroed", "unrecoverable")
def _(v):
    surgery.write(v.path(_LOG), 0, bytes(16 << 20))
    return Place(_LOG)


@case("redo log of an unknown format", None, code=redoubt.UNSUPPORTED)
def _(v):
    surgery.set_log_format(v.data, 0x12345678)
    return Place(words=(_LOG,))


@case("bit flipped in the header of the redo log", "unrecoverable")
def _(v):
    surgery.write(v.path(_LOG), 14, bytes([surgery.read(v.path(_LOG), 14, 1)[0] ^ 1]))
    return Place(_LOG)


@case("both checkpoint blocks of the redo log damaged", "unrecoverable")
def _(v):
    for offset in (4096, 8192):
        surgery.write(v.path(_LOG), offset + 60, b"noise")
    return Place(_LOG)


@case("records behind the checkpoint damaged", "unrecoverable")
def _(v):
    head = surgery.log_head(v.data)
    surgery.write(v.path(_LOG), head.offset(head.checkpoint), surgery.noise(64))
    return Place(_LOG)
