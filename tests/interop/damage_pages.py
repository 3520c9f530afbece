"""Damage to single pages, which their checksum or their own number gives away."""

import os

import redoubt
import surgery
import victim
from damage_cases import ENCRYPTED, OLD, PLAIN, READABLE, Place, case
from victim import BLOB, BLOBS, INDEX, OTHER, SYSTEM, TABLE, UNDO_FILE

_HEADER = {"the page number": 7, "the LSN": 19, "the page type": 25, "the space id": 37}
_TRX_SYSTEM_PAGE, _ROLLBACK_SEGMENT_PAGE, _DICTIONARY_PAGE = 5, 6, 7


def _flipped(v, file, page, offset):
    v.flip(file, page, offset)
    return Place(file, page, v.space_id(file))


for _word, _at in _HEADER.items():
    @case(f"bit flipped in {_word} of an index page", "page-corrupt")
    def _(v, at=_at):
        return _flipped(v, TABLE, v.used(TABLE, INDEX), at)

_KINDS = {"an index page": (TABLE, INDEX), "a BLOB page": (BLOBS, BLOB),
          "an inode page": (TABLE, victim.INODE)}
for _word, _what in _KINDS.items():
    @case(f"bit flipped in the body of {_word}", "page-corrupt")
    def _(v, file=_what[0], kind=_what[1]):
        page = 2 if kind == victim.INODE else v.used(file, kind)
        return _flipped(v, file, page, 60)

    @case(f"bit flipped in the trailer of {_word}", "page-corrupt", configs=(PLAIN, OLD, ENCRYPTED))
    def _(v, file=_what[0], kind=_what[1]):
        page = 2 if kind == victim.INODE else v.used(file, kind)
        return _flipped(v, file, page, -2)


@case("bit flipped in the body of a change buffer bitmap page", "page-corrupt")
def _(v):
    return _flipped(v, TABLE, 1, 60)


@case("bit flipped in a second descriptor page", "page-corrupt", configs=(OLD,))
def _(v):
    return _flipped(v, TABLE, v.page_size, 170)


@case("bit flipped in a rollback segment header", "page-corrupt")
def _(v):
    return _flipped(v, SYSTEM, _ROLLBACK_SEGMENT_PAGE, 100)


@case("bit flipped in an undo page", "page-corrupt", configs=(PLAIN,))
def _(v):
    file, page = v.undo_page()
    return _flipped(v, file, page, 100)


for _at in (7, 37, 41, 49, 57, 200, -2):
    @case(f"bit flipped at byte {_at} of page 0", "first-page")
    def _(v, at=_at):
        return _flipped(v, TABLE, 0, at)


@case("page 0 zeroed", "first-page")
def _(v):
    v.write(TABLE, 0, bytes(v.page_size))
    return Place(TABLE, 0)


@case("bit flipped in page 0 of an undo tablespace", "first-page", configs=(PLAIN,))
def _(v):
    return _flipped(v, UNDO_FILE, 0, 60)


@case("used page zeroed", "page-zero")
def _(v):
    page = v.used(TABLE, INDEX)
    v.write(TABLE, page, bytes(v.page_size))
    return Place(TABLE, page, v.space_id(TABLE))


@case("used page zeroed in the system tablespace", "page-zero", configs=READABLE)
def _(v):
    v.write(SYSTEM, 9, bytes(v.page_size))
    return Place(SYSTEM, 9, 0)


@case("inode page zeroed", "extents")
def _(v):
    v.write(TABLE, 2, bytes(v.page_size))
    return Place(TABLE, 2, v.space_id(TABLE))


@case("half of a page replaced by zeros", "page-corrupt", configs=(PLAIN, OLD, ENCRYPTED))
def _(v):
    page = v.used(TABLE, INDEX)
    v.write(TABLE, page, v.read(TABLE, page)[:v.page_size // 2] + bytes(v.page_size // 2))
    return Place(TABLE, page, v.space_id(TABLE))


@case("two neighbouring pages swapped", "page-corrupt")
def _(v):
    page = v.used(TABLE, INDEX)
    one, two = v.read(TABLE, page - 1), v.read(TABLE, page)
    v.write(TABLE, page - 1, two)
    v.write(TABLE, page, one)
    return Place(TABLE, page, v.space_id(TABLE))


@case("page of another table in its place", "page-corrupt")
def _(v):
    root = 3  # which every table has
    v.write(TABLE, root, v.read(OTHER, root))
    return Place(TABLE, root, v.space_id(TABLE))


@case("page LSN beyond the log, checksum right", "page-in-the-future", configs=READABLE)
def _(v):
    page = v.used(TABLE, INDEX)
    v.edit(TABLE, page, (16, b"\x00\x00\x70\x00"))
    return Place(TABLE, page, v.space_id(TABLE))


@case("page replaced by noise", "page-corrupt")
def _(v):
    page = v.used(TABLE, INDEX)
    v.write(TABLE, page, surgery.noise(v.page_size))
    return Place(TABLE, page, v.space_id(TABLE))


@case("free page replaced by noise", "free-page", code=redoubt.OK, severity="note",
      configs=READABLE)
def _(v):
    page = next(page for page in range(4, v.page_count(OTHER)) if not v.is_used(OTHER, page))
    v.write(OTHER, page, surgery.noise(v.page_size))
    return Place(OTHER, page, v.space_id(OTHER))


# --- the system tablespace ---------------------------------------------------------------------


@case("page 0 of ibdata1 damaged", "unrecoverable")
def _(v):
    return _flipped(v, SYSTEM, 0, 60)


@case("page 0 of ibdata1 zeroed", "unrecoverable")
def _(v):
    v.write(SYSTEM, 0, bytes(v.page_size))
    return Place(SYSTEM, 0)


@case("TRX_SYS page damaged", "page-corrupt")
def _(v):
    return _flipped(v, SYSTEM, _TRX_SYSTEM_PAGE, 60)


@case("TRX_SYS page replaced by noise", "page-corrupt")
def _(v):
    v.write(SYSTEM, _TRX_SYSTEM_PAGE, surgery.noise(v.page_size))
    return Place(SYSTEM, _TRX_SYSTEM_PAGE, 0)


@case("dictionary header damaged", "dictionary")
def _(v):
    return _flipped(v, SYSTEM, _DICTIONARY_PAGE, 60)


@case("root of SYS_TABLES damaged", "dictionary")
def _(v):
    return _flipped(v, SYSTEM, 8, 200)


@case("root of SYS_TABLES of another index, checksum right", "dictionary", configs=READABLE)
def _(v):
    v.edit(SYSTEM, 8, (66, (99).to_bytes(8, "big")))
    return Place(SYSTEM, 8, 0)


@case("record link of SYS_TABLES into itself, checksum right", "dictionary", configs=READABLE)
def _(v):
    first = v.number(SYSTEM, 8, 101 - 2, 2)
    v.edit(SYSTEM, 8, (first - 2, first.to_bytes(2, "big")))
    return Place(SYSTEM, 8, 0)


# --- one file ----------------------------------------------------------------------------------


@case("one file: whole", None, code=redoubt.OK)
def _(v):
    return Place(target=TABLE)


@case("one file: bit flipped in an index page", "page-corrupt")
def _(v):
    page = v.used(TABLE, INDEX)
    v.flip(TABLE, page, 60)
    return Place(os.path.basename(TABLE), page, v.space_id(TABLE), target=TABLE)


@case("one file: bit flipped in page 0", "first-page")
def _(v):
    v.flip(TABLE, 0, 60)
    return Place(os.path.basename(TABLE), 0, target=TABLE)


@case("one file: ibdata1, bit flipped", "page-corrupt")
def _(v):
    v.flip(SYSTEM, _TRX_SYSTEM_PAGE, 60)
    return Place(SYSTEM, _TRX_SYSTEM_PAGE, 0, target=SYSTEM)


@case("one file: emptied", "first-page")
def _(v):
    os.truncate(v.path(TABLE), 0)
    return Place(os.path.basename(TABLE), target=TABLE)


@case("one file: cut short", "file-short")
def _(v):
    os.truncate(v.path(TABLE), v.page_size * (v.page_count(TABLE) - 3))
    return Place(os.path.basename(TABLE), space=v.space_id(TABLE), target=TABLE)


@case("one file: missing", None, code=redoubt.IO)
def _(v):
    os.unlink(v.path(TABLE))
    return Place(target=TABLE)


# --- keys --------------------------------------------------------------------------------------


@case("bit flipped in an encrypted page, no keys given", "page-corrupt", configs=(ENCRYPTED,))
def _(v):
    page = v.used(TABLE, INDEX)
    v.flip(TABLE, page, 60)
    return Place(TABLE, page, v.space_id(TABLE), keys="none")


for _keys, _words in {"none": "is encrypted with key 1",
                      "wrong": "make no sense with the given key",
                      "ctr": "does not decrypt with key 1"}.items():
    @case(f"nothing damaged; keys given: {_keys}", None, code=redoubt.WARNINGS,
          configs=(ENCRYPTED,))
    def _(_, keys=_keys, words=_words):
        return Place(keys=keys, words=(words,))


@case("one file: nothing damaged, no keys", None, code=redoubt.WARNINGS, configs=(ENCRYPTED,))
def _(_):
    return Place(target=TABLE, keys="none", words=("key 1",))
