"""B-trees broken with every checksum right: what only reading the trees, or comparing them, can find."""

import os
import struct

import realserver
import redoubt
import trees
from damage_cases import READABLE, Place, case
from trees import NO_PAGE, Tree
from victim import BLOB, BLOBS, GONE, REDUNDANT, SPATIAL, SYSTEM, TREES, UNDO, UNDO_FILE

_ROWS = ("--level", "files,pages,trees,rows")
_HEADER = 5  # bytes before a COMPACT record's origin


def _place(v, page, file=TREES):
    return Place(file, page, v.space_id(file), options=_ROWS)


def _tree_case(title, kind="index-page", configs=READABLE):
    return case(title, kind, configs=configs, pages_only=True)


# --- the page's header -------------------------------------------------------------------------

_LEAF_FIELDS = {
    "one directory slot more": (trees.SLOTS, 1), "one directory slot less": (trees.SLOTS, -1),
    "a heap that ends 8 bytes later": (trees.HEAP_TOP, 8), "a heap that ends 8 bytes earlier": (trees.HEAP_TOP, -8),
    "one record more in the heap": (trees.HEAP_COUNT, 1), "one record less in the heap": (trees.HEAP_COUNT, -1),
    "10 freed bytes that are not there": (trees.FREED_BYTES, 10),
    "one record more": (trees.COUNT, 1), "one record less": (trees.COUNT, -1),
}
for _word, (_at, _amount) in _LEAF_FIELDS.items():
    @_tree_case(f"an index page says that it has {_word}")
    def _(v, at=_at, amount=_amount):
        tree = Tree(v, TREES)
        tree.add(tree.leaf(), at, amount)
        return _place(v, tree.leaf())

_LEAF_VALUES = {
    "no directory": (trees.SLOTS, 0, 2), "a directory longer than the page": (trees.SLOTS, 40000, 2),
    "a heap beyond the page's end": (trees.HEAP_TOP, 0xFFF0, 2), "freed records beyond the heap": (trees.FREED, 0xFFE0, 2),
    "freed records within its own header": (trees.FREED, 60, 2), "a last insert beyond the heap": (trees.LAST_INSERT, 0xFFE0, 2),
    "an unknown direction of inserts": (trees.DIRECTION, 7, 2), "another level": (trees.LEVEL, 1, 2),
    "another index": (trees.INDEX_ID, 4711, 8), "the type of an off-page column": (trees.TYPE, BLOB, 2),
    "the type of an R-tree": (trees.TYPE, 17854, 2),
}
for _word, _change in _LEAF_VALUES.items():
    @_tree_case(f"an index page says that it has {_word}")
    def _(v, change=_change):
        tree = Tree(v, TREES)
        tree.edit(tree.leaf(), change)
        return _place(v, tree.leaf())


@_tree_case("an index page says that it has records of another format")
def _(v):
    tree = Tree(v, TREES)
    tree.add(tree.leaf(), trees.HEAP_COUNT, -0x8000)
    return _place(v, tree.leaf())


@_tree_case("the list of freed records leads to a record in use")
def _(v):
    tree = Tree(v, TREES)
    tree.edit(tree.leaf(), (trees.FREED, tree.records(tree.leaf())[3], 2))
    return _place(v, tree.leaf())


# --- directory and records ----------------------------------------------------------------------


@_tree_case("a directory slot leads to the record behind its own")
def _(v):
    tree = Tree(v, TREES)
    page = tree.leaf()
    records = tree.records(page)
    at = records.index(tree.number(page, tree.slot(2)))
    tree.edit(page, (tree.slot(2), records[at + 1], 2))
    return _place(v, page)


@_tree_case("two directory slots are swapped")
def _(v):
    tree = Tree(v, TREES)
    page = tree.leaf()
    one, two = tree.number(page, tree.slot(1)), tree.number(page, tree.slot(2))
    tree.edit(page, (tree.slot(1), two, 2), (tree.slot(2), one, 2))
    return _place(v, page)


@_tree_case("a directory slot owns one record more than it has")
def _(v):
    tree = Tree(v, TREES)
    page = tree.leaf()
    tree.add(page, tree.number(page, tree.slot(2)) - _HEADER, 1, 1)
    return _place(v, page)


@_tree_case("a record that no directory slot leads to owns one")
def _(v):
    tree = Tree(v, TREES)
    page = tree.leaf()
    slots = {tree.number(page, tree.slot(n)) for n in range(tree.number(page, trees.SLOTS))}
    record = next(r for r in tree.records(page) if r not in slots)
    tree.add(page, record - _HEADER, 1, 1)
    return _place(v, page)


def _linked(v, to, which=0):
    """Record 4's link to the next one leads to the offset that `to` gives."""
    tree = Tree(v, TREES, which)
    page = tree.leaf()
    records = tree.records(page)
    tree.edit(page, (records[4] - 2, to(records, v) - records[4], 2))
    return _place(v, page)


_LINKS = {"skips a record": lambda r, v: r[6], "leads back": lambda r, v: r[1], "leads to itself": lambda r, v: r[4],
          "leads into the page's header": lambda r, v: 50, "leads beyond the heap": lambda r, v: v.page_size - 20,
          "leads into the middle of a record": lambda r, v: r[7] + 3}
for _word, _to in _LINKS.items():
    @_tree_case(f"a record's link {_word}")
    def _(v, to=_to):
        return _linked(v, to)


def _record_case(title, offset, amount, size=1, kind="index-page", which=0, file=TREES):
    @_tree_case(title, kind)
    def _(v):
        tree = Tree(v, file, which)
        page = tree.leaf()
        tree.add(page, tree.records(page)[4] + offset, amount, size)
        return _place(v, page, file)


_record_case("two records have one heap number", -4, 8, 2)
_record_case("a record has a heap number that the page has not", -4, 0x7000, 2)
_record_case("a row says that it is a node pointer", -3, 1)
_record_case("a row says that it is the first of its level", -5, 0x10)
_record_case("a row's VARCHAR is longer than its room", -6, 100)
_record_case("a row's VARCHAR is shorter than it was", -6, -5)
_record_case("a row's key is greater than the next one's", 0, 1, 4, "index-order")
_record_case("a row's key is that of the row before", 0, -1, 4, "index-order")
_record_case("a row's key is less than all before", 0, -0x10000000, 4, "index-order")
_record_case("an entry's key is greater than the next one's", 0, 5000, 4, "index-order", 1)
_record_case("a text in an index is greater than the next one", 0, 0x7F000000, 4, "index-order", 2)


@_tree_case("the last key of a page is greater than the next page's first", "index-order")
def _(v):
    tree = Tree(v, TREES)
    page, following = tree.level(0)[3:5]
    tree.edit(page, (tree.records(page)[-1], tree.number(following, tree.records(following)[0], 4) + 1, 4))
    return _place(v, following)


@_tree_case("the first record of a level is not marked")
def _(v):
    tree = Tree(v, TREES)
    tree.add(tree.root, tree.records(tree.root)[0] - _HEADER, -0x10, 1)
    return _place(v, tree.root)


@_tree_case("a node pointer in the middle is marked as the first of its level")
def _(v):
    tree = Tree(v, TREES)
    tree.add(tree.root, tree.records(tree.root)[2] - _HEADER, 0x10, 1)
    return _place(v, tree.root)


@_tree_case("a node pointer says that it is a row")
def _(v):
    tree = Tree(v, TREES)
    tree.add(tree.root, tree.records(tree.root)[1] - 3, -1, 1)
    return _place(v, tree.root)


# --- links between pages ------------------------------------------------------------------------

_PAGE_LINKS = {
    "the page before it is another": (trees.PREVIOUS, lambda level: level[6]), "no page is before it": (trees.PREVIOUS, lambda level: NO_PAGE),
    "the page behind it is another": (trees.NEXT, lambda level: level[6]), "it is the last of its level": (trees.NEXT, lambda level: NO_PAGE),
    "it is behind itself": (trees.NEXT, lambda level: level[3]), "the page behind it is beyond the file": (trees.NEXT, lambda level: 0x7FFFFFF0),
}
for _word, (_at, _to) in _PAGE_LINKS.items():
    @_tree_case(f"a leaf says that {_word}", "index-link")
    def _(v, at=_at, to=_to):
        tree = Tree(v, TREES)
        level = tree.level(0)
        tree.edit(level[3], (at, to(level), 4))
        return _place(v, level[3])


@_tree_case("the last leaf leads to the first", "index-link")
def _(v):
    tree = Tree(v, TREES)
    level = tree.level(0)
    tree.edit(level[-1], (trees.NEXT, level[0], 4))
    return _place(v, level[-1])


@_tree_case("a root has a page behind it", "index-link")
def _(v):
    tree = Tree(v, TREES)
    tree.edit(tree.root, (trees.NEXT, tree.leaf(), 4))
    return _place(v, tree.root)


def _pointer(v, number=2):
    """The tree, its lowest inner page, the offset of that page's node pointer, the leaf it leads to."""
    tree = Tree(v, TREES)
    page = tree.level(1)[0]
    record = tree.records(page)[number]
    return tree, page, record, tree.number(page, tree.child_at(page, record), 4)


@_tree_case("two pointers lead to one page", "page-shared")
def _(v):
    tree, page, record, _ = _pointer(v)
    other = _pointer(v, 5)[3]
    tree.edit(page, (tree.child_at(page, record), other, 4))
    return _place(v, other)


@_tree_case("no pointer leads to a page", "page-unreachable")
def _(v):
    tree, page, record, child = _pointer(v)
    tree.edit(page, (tree.child_at(page, record), _pointer(v, 5)[3], 4))
    return _place(v, child)


@_tree_case("a node pointer leads beyond the file", "tree-unreadable")
def _(v):
    tree, page, record, _ = _pointer(v)
    tree.edit(page, (tree.child_at(page, record), 0x7FFFFFF0, 4))
    return _place(v, 0x7FFFFFF0)


@_tree_case("a node pointer leads to its own page", "page-shared")
def _(v):
    tree, page, record, _ = _pointer(v)
    tree.edit(page, (tree.child_at(page, record), page, 4))
    return _place(v, page)


@_tree_case("a node pointer leads to page 0")
def _(v):
    tree, page, record, _ = _pointer(v)
    tree.edit(page, (tree.child_at(page, record), 0, 4))
    return _place(v, 0)


@_tree_case("a node pointer leads to a page of another index")
def _(v):
    tree, page, record, _ = _pointer(v)
    other = Tree(v, TREES, 1).leaf()
    tree.edit(page, (tree.child_at(page, record), other, 4))
    return _place(v, other)


@_tree_case("a node pointer's key is greater than its page's first", "node-pointer")
def _(v):
    tree, page, record, child = _pointer(v)
    tree.add(page, record, 1, 4)
    return _place(v, child)


@_tree_case("two node pointers' pages are swapped", "index-order")
def _(v):
    tree, page, record, child = _pointer(v)
    _, _, other, other_child = _pointer(v, 3)
    tree.edit(page, (tree.child_at(page, record), other_child, 4), (tree.child_at(page, other), child, 4))
    return _place(v, child)


# --- the root's segments, and who owns a page ---------------------------------------------------

_SEGMENTS = {"in another space": (0, 4711, 4), "on a page that holds none": (4, 3, 4), "beyond the file": (4, 0x7FFFFFF0, 4),
             "where none begins": (8, 51, 2)}
for _name, _at in (("leaf", trees.LEAF_SEGMENT), ("inner", trees.INNER_SEGMENT)):
    for _word, (_offset, _value, _size) in _SEGMENTS.items():
        @_tree_case(f"a root says that its {_name} segment is {_word}", "index-root")
        def _(v, at=_at + _offset, value=_value, size=_size):
            tree = Tree(v, TREES)
            tree.edit(tree.root, (at, value, size))
            return _place(v, tree.root)


@_tree_case("a root's two segments are swapped", "page-owner")
def _(v):
    tree = Tree(v, TREES)
    leaf, inner = (tree.number(tree.root, at, 10) for at in (trees.LEAF_SEGMENT, trees.INNER_SEGMENT))
    tree.edit(tree.root, (trees.LEAF_SEGMENT, inner, 10), (trees.INNER_SEGMENT, leaf, 10))
    return _place(v, tree.leaf())


@_tree_case("two indexes' leaf segments are one", "page-owner")
def _(v):
    tree, other = Tree(v, TREES), Tree(v, TREES, 1)
    tree.edit(tree.root, (trees.LEAF_SEGMENT, other.number(other.root, trees.LEAF_SEGMENT, 10), 10))
    return _place(v, tree.leaf())


@_tree_case("a root has another index's number", "table-unreadable")
def _(v):
    tree = Tree(v, TREES)
    tree.edit(tree.root, (trees.INDEX_ID, 4711, 8))
    return _place(v, tree.root)


@_tree_case("a secondary index's root has another index's number", "index-root")
def _(v):
    tree = Tree(v, TREES, 1)
    tree.edit(tree.root, (trees.INDEX_ID, 4711, 8))
    return _place(v, tree.root)


# --- off-page columns ---------------------------------------------------------------------------

_DATA_SIZE, _NEXT_PART = 38, 42     # bytes; on each page of a chain
_REFERENCE = 4 + 6 + 7              # offset of the 20 bytes in a row of BLOBS: behind its key and system columns


def _chain(v, number=1):
    """Tree, leaf, offset of the reference, the chain's pages."""
    tree = Tree(v, BLOBS)
    leaf = tree.level(0)[0]
    at = tree.records(leaf)[number] + _REFERENCE
    pages, page = [], tree.number(leaf, at + 4, 4)
    while page != NO_PAGE:
        pages.append(page)
        page = tree.number(page, _NEXT_PART, 4)
    return tree, leaf, at, pages


def _part_case(title, kind, change, page_of=lambda leaf, pages: leaf):
    @_tree_case(title, kind)
    def _(v):
        tree, leaf, _, pages = _chain(v)
        number, offset, value, size = change(v, pages)
        tree.edit(number, (offset, value, size))
        return _place(v, page_of(leaf, pages), BLOBS)


_part_case("an off-page column ends early", "blob-chain", lambda v, p: (p[1], _NEXT_PART, NO_PAGE, 4))
_part_case("an off-page column goes on behind its end", "blob-chain", lambda v, p: (p[-1], _NEXT_PART, p[0], 4))
_part_case("an off-page column leads to itself", "page-shared", lambda v, p: (p[1], _NEXT_PART, p[0], 4), lambda leaf, p: p[0])
_part_case("an off-page column leads into another", "page-shared", lambda v, p: (p[1], _NEXT_PART, _chain(v, 2)[3][2], 4),
           lambda leaf, p: None)
_part_case("an off-page column leads beyond the file", "blob-chain", lambda v, p: (p[1], _NEXT_PART, 0x7FFFFFF0, 4))
_part_case("an off-page column leads to an index page", "blob-chain", lambda v, p: (p[1], _NEXT_PART, 3, 4))
_part_case("a page of an off-page column holds more than a page", "blob-chain", lambda v, p: (p[1], _DATA_SIZE, 70000, 4))
_part_case("a page of an off-page column holds nothing", "blob-chain", lambda v, p: (p[1], _DATA_SIZE, 0, 4))
_part_case("a page of an off-page column holds 9 bytes less", "blob-chain", lambda v, p: (p[1], _DATA_SIZE, v.number(BLOBS, p[1], _DATA_SIZE) - 9, 4))
_part_case("a page of an off-page column is of another type", "blob-chain", lambda v, p: (p[1], trees.TYPE, 2, 2))

_REFERENCES = {"to another space": (0, 4711, 4), "to a page beyond the file": (4, 0x7FFFFFF0, 4), "to page 0": (4, 0, 4),
               "to another place on the page": (8, 50, 4), "with 5 bytes more": (16, 5, None), "with 5 bytes less": (16, -5, None)}
for _word, (_offset, _value, _size) in _REFERENCES.items():
    @_tree_case(f"a row's reference to an off-page column leads {_word}", "blob-chain")
    def _(v, offset=_offset, value=_value, size=_size):
        tree, leaf, at, _ = _chain(v)
        if size is None:
            tree.add(leaf, at + offset, value, 4)
        else:
            tree.edit(leaf, (at + offset, value, size))
        return _place(v, leaf, BLOBS)


@_tree_case("two rows lead to one off-page column", "page-shared")
def _(v):
    tree, leaf, at, pages = _chain(v)
    tree.edit(leaf, (_chain(v, 2)[2] + 4, pages[0], 4))
    return _place(v, None, BLOBS)


# --- ROW_FORMAT=REDUNDANT -----------------------------------------------------------------------

_record_case("a REDUNDANT row has one field more", -4, 2, 2, file=REDUNDANT)
_record_case("a REDUNDANT row has other lengths' size", -3, 1, 1, file=REDUNDANT)
_record_case("a REDUNDANT row's field ends before it begins", -8, -3, 1, file=REDUNDANT)
_record_case("a REDUNDANT row's last field reaches into the next row", -11, 60, 1, file=REDUNDANT)
_record_case("two REDUNDANT rows have one heap number", -5, 8, 2, file=REDUNDANT)
_record_case("a REDUNDANT row's link skips a row", -2, 200, 2, file=REDUNDANT)
_record_case("a REDUNDANT row's key is greater than the next one's", 0, 1, 4, "index-order", file=REDUNDANT)


# --- undo logs and the history --------------------------------------------------------------------

_SLOT, _SEGMENTS_PAGE, _HISTORY, _UNDO_SLOTS = 56, 6, 46, 72  # on the page of the transaction system; of rollback segment 0
_UNDO_FREE, _UNDO_NODE, _UNDO_STATE, _UNDO_LAST, _UNDO_PAGES = 42, 44, 56, 58, 70


def _undo_case(title, kind, do):
    @_tree_case(title, kind)
    def _(v):
        file, page, changes = do(v)
        v.edit(file, page, *((at, value.to_bytes(size, "big")) for at, value, size in changes))
        return Place(file, page, options=_ROWS)


@case("all histories are empty, and rows are still marked as deleted", "mark-without-undo", redoubt.WARNINGS, "warning", READABLE, True)
def _(v):
    files = {v.space_id(file): file for file in (SYSTEM, UNDO_FILE, "undo002") if os.path.exists(v.path(file))}
    for slot in range(128):
        space, page = (v.number(SYSTEM, 5, _SLOT + 8 * slot + at, 4) for at in (0, 4))
        if page != NO_PAGE:
            v.edit(files[space], page, (_HISTORY - 4, bytes(8)), *((_HISTORY + 4 + at, b"\xFF" * 4 + bytes(2)) for at in (0, 6)))
    return _place(v, Tree(v, GONE).root, GONE)


def _first_undo_page(v):
    for file in (UNDO_FILE, "undo002", SYSTEM):
        if os.path.exists(v.path(file)):
            for page in v.used_pages(file, UNDO):
                if v.number(file, page, _UNDO_STATE, 2) in (1, 2, 4, 5) and v.number(file, page, _UNDO_PAGES + 4) == page:
                    return file, page
    raise realserver.HarnessError("no undo log in use")


def _undo(*changes):
    """Of the first page of an undo log in use."""
    def do(v):
        file, page = _first_undo_page(v)
        return file, page, [(at, value(v, file, page) if callable(value) else value, size) for at, value, size in changes]
    return do


_undo_case("undo records that end beyond the page", "undo-log", _undo((_UNDO_FREE, 0xFFF0, 2)))
_undo_case("undo records that end before they begin", "undo-log", _undo((_UNDO_FREE, 40, 2)))
_undo_case("an undo log of an unknown state", "undo-log", _undo((_UNDO_STATE, 9, 2)))
_undo_case("an undo log whose last header is beyond the page", "undo-log", _undo((_UNDO_LAST, 0xFFF0, 2)))
_undo_case("an undo log that says it has one page more", "undo-log",
           _undo((_UNDO_PAGES, lambda v, f, p: v.number(f, p, _UNDO_PAGES) + 1, 4)))
_undo_case("the first page of an undo log has one before it", "undo-log", _undo((_UNDO_NODE, 3, 4)))
_undo_case("a slot of a rollback segment leads to its own page", "undo-log",
           lambda v: (SYSTEM, _SEGMENTS_PAGE, [(_UNDO_SLOTS, _SEGMENTS_PAGE, 4)]))
_undo_case("a history that says it has a log more", "history",
           lambda v: (SYSTEM, _SEGMENTS_PAGE, [(_HISTORY, v.number(SYSTEM, _SEGMENTS_PAGE, _HISTORY) + 1, 4)]))
_undo_case("two rollback segments on one page", "rollback-segment",
           lambda v: (SYSTEM, 5, [(_SLOT + 8, v.number(SYSTEM, 5, _SLOT, 8), 8)]))
_undo_case("a rollback segment that is a page of another type", "rollback-segment",
           lambda v: (SYSTEM, _SEGMENTS_PAGE, [(trees.TYPE, 2, 2)]))


# --- rows and entries ---------------------------------------------------------------------------


def _row_case(title, kind, offset, amount, size, which, tells_page=True):
    """`tells_page`: the finding is about the page that is changed, not about what no longer fits it."""
    @_tree_case(title, kind)
    def _(v):
        tree = Tree(v, TREES, which)
        page = tree.leaf()
        records = tree.records(page)
        # The second of two entries with one k, so that the order stays.
        at = 4 if tree.number(page, records[4], 4) != tree.number(page, records[5], 4) else 5
        tree.add(page, records[at] + offset, amount, size)
        return _place(v, page if tells_page else None)


_row_case("a row's indexed column has another value", "row-without-entry", 4 + 13, 1, 4, 0)
_row_case("a row is marked as deleted, its entries are not", "entry-without-row", -5, 0x20, 1, 0, False)
_row_case("an entry is marked as deleted, its row is not", "row-without-entry", -5, 0x20, 1, 1, False)
@case("a row of a table without other indexes is marked as deleted", "mark-without-undo", redoubt.WARNINGS, "warning", READABLE, True)
def _(v):
    tree = Tree(v, GONE)
    tree.add(tree.root, tree.records(tree.root)[3] - 5, 0x20, 1)
    return _place(v, tree.root, GONE)


_row_case("an entry has another row's key", "entry-without-row", 4, 1, 4, 1)
_row_case("an indexed text of a row has another value", "row-without-entry", 4 + 13 + 4 + 10, 1, 1, 0)


# --- the system tablespace: the dictionary's own trees, the change buffer, fixed pages --------------
# (A change buffer that is in use: change_buffer.py.)

_OWN = {"SYS_TABLES": 1, "SYS_COLUMNS": 2, "SYS_INDEXES": 3, "SYS_FIELDS": 4, "ID_IND": 5, "change buffer": 0xFFFFFFFF00000000}
_DICTIONARY, _ROOTS = 7, {"SYS_TABLES": 70, "ID_IND": 74, "SYS_COLUMNS": 78, "SYS_INDEXES": 82, "SYS_FIELDS": 86}


def _own_tree(v, name):
    ids = sorted({v.number(SYSTEM, page, trees.INDEX_ID, 8) for page in v.used_pages(SYSTEM, 17855)})
    return Tree(v, SYSTEM, ids.index(_OWN[name]))


def _own_place(page, name):
    return Place(SYSTEM, page, 0, options=_ROWS, words=("SYS_TABLES" if name == "ID_IND" else name,))


def _own_case(name, title, kind, change, page_of=None):
    """`change`: given the tree and the offset of a record on one of its leaves."""
    @_tree_case(f"{name}: {title}", kind)
    def _(v):
        tree = _own_tree(v, name)
        page = tree.leaf(0)
        records = tree.records(page)
        change(tree, page, records[len(records) // 2] if records else None)
        return _own_place(page_of(tree) if page_of else page, name)


for _name in _OWN:
    _own_case(_name, "a page says that it has one record more", "index-page", lambda t, p, r: t.add(p, trees.COUNT, 1))
    _own_case(_name, "a page's heap ends 8 bytes later", "index-page", lambda t, p, r: t.add(p, trees.HEAP_TOP, 8))
    if _name != "change buffer":
        _own_case(_name, "two records have one heap number", "index-page", lambda t, p, r: t.add(p, r - 5, 8))
        _own_case(_name, "a leaf leads to itself", "index-link", lambda t, p, r: t.edit(p, (trees.NEXT, p, 4)))
        _own_case(_name, "its leaf segment is on a page that holds none", "index-root",
                  lambda t, p, r: t.edit(t.root, (trees.LEAF_SEGMENT + 4, 3, 4)), lambda t: t.root)
for _name in ("SYS_FIELDS", "ID_IND"):
    _own_case(_name, "a key is greater than all behind it", "index-order", lambda t, p, r: t.edit(p, (r, 0x7FFFFFFF, 4)))
_own_case("SYS_COLUMNS", "a key is that of the row before", "index-order", lambda t, p, r: t.add(p, r + 8, -1, 4))
_own_case("ID_IND", "an entry has another name", "entry-without-row", lambda t, p, r: t.add(p, r + 8, 1, 1))
_own_case("change buffer", "its list of free pages has one that is not there", "change-buffer",
          lambda t, p, r: t.add(p, trees.LEAF_SEGMENT, 1, 4))
_own_case("change buffer", "its list of free pages leads to its root", "page-shared",
          lambda t, p, r: t.edit(p, (trees.LEAF_SEGMENT + 4, p, 4), (trees.LEAF_SEGMENT + 8, trees.LEAF_SEGMENT, 2)))
_own_case("change buffer", "its root has another index's number", "index-root", lambda t, p, r: t.edit(p, (trees.INDEX_ID, 4711, 8)))


@_tree_case("the dictionary says that two tables have one root", "index-root")
def _(v):
    root = v.number(SYSTEM, _DICTIONARY, _ROOTS["SYS_COLUMNS"])
    v.edit(SYSTEM, _DICTIONARY, (_ROOTS["SYS_FIELDS"], root.to_bytes(4, "big")))
    return _own_place(root, "SYS_FIELDS")


_SEGMENT_HEADERS = {3: 94, 5: 46, 6: 62, 7: 94}  # page of the system tablespace: byte offset
for _page, _at in _SEGMENT_HEADERS.items():
    @_tree_case(f"page {_page} of the system tablespace says that its segment is where none is", "segment-header")
    def _(v, page=_page, at=_at):
        v.edit(SYSTEM, page, (at + 4, (3).to_bytes(4, "big")))
        return Place(SYSTEM, page, 0, options=_ROWS)


# --- R-trees ----------------------------------------------------------------------------------------

_RTREE, _BOX = 17854, 32  # page type; bytes of a box: least and greatest x, least and greatest y, little-endian


def _spatial_case(title, kind, do):
    """`do`: given the tree, its root and a leaf, changes it and returns the page that is to be named."""
    @_tree_case(f"R-tree: {title}", kind)
    def _(v):
        tree = Tree(v, SPATIAL, 0, _RTREE)
        return _place(v, do(tree, tree.root, tree.leaf(1)), SPATIAL)


def _set_end(tree, page, record, end, value):
    tree.edit(page, (record + 8 * end, int.from_bytes(struct.pack("<d", value), "big"), 8))


def _changed(change):
    def do(tree, _, leaf):
        change(tree, leaf, tree.records(leaf)[2])
        return leaf
    return do


def _led(change):
    """`change` gets a page above the leaves, two of its node pointers, the leaves they lead to; returns which page is named."""
    def do(tree, _, __):
        page = tree.level(1)[0]
        one, two = tree.records(page)[:2]
        return change(tree, page, one, two, tree.number(page, one + _BOX, 4), tree.number(page, two + _BOX, 4))
    return do


def _lead(tree, page, record, to, named):
    tree.edit(page, (record + _BOX, to, 4))
    return named


def _shrink(tree, page, one, _, child, __):
    _set_end(tree, page, one, 1, struct.unpack("<d", tree.number(page, one, 8).to_bytes(8, "big"))[0])
    return child


_spatial_case("a page says that it has one record more", "index-page", _changed(lambda t, p, r: t.add(p, trees.COUNT, 1)))
_spatial_case("a page's heap ends 8 bytes later", "index-page", _changed(lambda t, p, r: t.add(p, trees.HEAP_TOP, 8)))
_spatial_case("two records have one heap number", "index-page", _changed(lambda t, p, r: t.add(p, r - 4, 8)))
_spatial_case("a page is of a B-tree's type", "index-page", _changed(lambda t, p, r: t.edit(p, (trees.TYPE, 17855, 2))))
_spatial_case("a directory slot is gone", "index-page", _changed(lambda t, p, r: t.add(p, trees.SLOTS, -1)))
_spatial_case("a row's box reaches beyond its page's", "spatial-box", _changed(lambda t, p, r: _set_end(t, p, r, 1, 1e9)))
_spatial_case("a row's box is below its page's", "spatial-box", _changed(lambda t, p, r: _set_end(t, p, r, 2, -1e9)))
_spatial_case("a box ends before it begins", "spatial-box", _changed(lambda t, p, r: _set_end(t, p, r, 0, 1e9)))
_spatial_case("a node pointer's box is narrower than its page's", "spatial-box", _led(_shrink))
_spatial_case("a leaf leads to itself", "index-link", _changed(lambda t, p, r: t.edit(p, (trees.NEXT, p, 4))))
_spatial_case("a leaf has no page before it", "index-link",
              lambda t, root, leaf: (t.edit(leaf, (trees.PREVIOUS, NO_PAGE, 4)), leaf)[1])
_spatial_case("two pointers lead to one page", "page-shared", _led(lambda t, p, a, b, ca, cb: _lead(t, p, a, cb, cb)))
_spatial_case("no pointer leads to a page", "page-unreachable", _led(lambda t, p, a, b, ca, cb: _lead(t, p, a, cb, ca)))
_spatial_case("a node pointer leads beyond the file", "tree-unreadable", _led(lambda t, p, a, b, ca, cb: _lead(t, p, a, 0x7FFFFFF0, 0x7FFFFFF0)))
_spatial_case("its leaf segment is beyond the file", "index-root",
              lambda t, root, leaf: (t.edit(root, (trees.LEAF_SEGMENT + 4, 0x7FFFFFF0, 4)), root)[1])
_spatial_case("its root has another index's number", "index-root", lambda t, root, leaf: (t.edit(root, (trees.INDEX_ID, 4711, 8)), root)[1])
_spatial_case("its root's two segments are swapped", "page-owner", lambda t, root, leaf: (
    (lambda one, two: t.edit(root, (trees.LEAF_SEGMENT, two, 10), (trees.INNER_SEGMENT, one, 10)))(
        t.number(root, trees.LEAF_SEGMENT, 10), t.number(root, trees.INNER_SEGMENT, 10)), leaf)[1])


@_tree_case("R-tree: a row's point is elsewhere", "row-without-entry")
def _(v):
    tree = Tree(v, SPATIAL)
    page = tree.leaf(1)
    tree.edit(page, (tree.records(page)[3] + 4 + 13 + 9, int.from_bytes(struct.pack("<d", 0.5), "big"), 8))
    return _place(v, page, SPATIAL)


_spatial_case("an entry is marked as deleted, its row is not", "row-without-entry",
              lambda t, root, leaf: t.add(leaf, t.records(leaf)[2] - _HEADER, 0x20, 1))
_spatial_case("an entry has another row's key", "entry-without-row", _changed(lambda t, p, r: t.add(p, r + _BOX, 1, 4)))
