"""Page accounting broken with every checksum right: what only walking the lists can find."""

from damage_cases import OLD, READABLE, Place, case
from victim import INDEX, OTHER, TABLE

# Byte offsets on page 0, in a descriptor, in an inode, on an inode page.
_SIZE, _FREE_LIMIT, _FRAGMENTS_USED, _FREE, _FREE_FRAGMENT, _NEXT_SEGMENT = 46, 50, 58, 62, 78, 110
_INODES_FREE = 134
_SEGMENT, _NODE, _NODE_NEXT, _STATE = 0, 8, 14, 20
_NOT_FULL_USED, _NOT_FULL, _FULL, _MAGIC, _FRAGMENTS = 8, 28, 44, 60, 64
_NODE_OF_INODES = 38
_INODE_PAGE = 2


def _number(value, size=4):
    return value.to_bytes(size, "big")


def _at(v, page, file=TABLE):
    return Place(file, page, v.space_id(file))


def _segment_extent(v):
    """First page of an extent that a segment of the table owns whole."""
    for page in range(0, v.page_count(TABLE), v.extent_pages):
        home, offset = v.descriptor(page)
        if v.number(TABLE, home, offset + _STATE) == 4:
            return page
    raise AssertionError("no such extent")


def _edit_descriptor(v, page, at, value, size=4):
    home, offset = v.descriptor(page)
    v.edit(TABLE, home, (offset + at, _number(value, size)))
    return _at(v, home)


def _segment_with_extents(v):
    """Offset of the first inode that has extents on its FULL list."""
    for index in range(8):
        offset = v.inode(index)
        if v.number(TABLE, _INODE_PAGE, offset + _FULL) > 0:
            return offset
    raise AssertionError("no such segment")


for _state in (0, 1, 2, 3, 77):
    @case(f"state of a segment's extent becomes {_state}", "extents", configs=READABLE)
    def _(v, state=_state):
        return _edit_descriptor(v, _segment_extent(v), _STATE, state)


@case("segment id of an extent changed", "extents", configs=READABLE)
def _(v):
    return _edit_descriptor(v, _segment_extent(v), _SEGMENT, 4711, 8)


@case("list node of an extent leads to itself", "extents", configs=READABLE)
def _(v):
    page = _segment_extent(v)
    home, offset = v.descriptor(page)
    v.edit(TABLE, home, (offset + _NODE_NEXT, _number(home) + _number(offset + _NODE, 2)))
    return _at(v, None)


@case("list node of an extent leads out of the file", "extents", configs=READABLE)
def _(v):
    home, offset = v.descriptor(_segment_extent(v))
    v.edit(TABLE, home, (offset + _NODE_NEXT, _number(0xFFFF0000) + _number(158, 2)))
    return _at(v, None)


@case("back link of an extent changed", "extents", configs=READABLE)
def _(v):
    home, offset = v.descriptor(_segment_extent(v))
    v.edit(TABLE, home, (offset + _NODE, _number(0) + _number(200, 2)))
    return _at(v, home)


for _word, _list in {"FREE": _FREE, "FREE_FRAG": _FREE_FRAGMENT}.items():
    @case(f"length of list {_word} changed", "extents", configs=READABLE)
    def _(v, base=_list):
        v.add(TABLE, 0, base, 1)
        return _at(v, 0)


@case("FRAG_N_USED changed", "extents", configs=READABLE)
def _(v):
    v.add(TABLE, 0, _FRAGMENTS_USED, 1)
    return _at(v, 0)


@case("free limit beyond the file", "extents", configs=READABLE)
def _(v):
    v.add(TABLE, 0, _FREE_LIMIT, 1 << 20)
    return _at(v, 0)


@case("free limit within an extent", "extents", configs=READABLE)
def _(v):
    v.add(TABLE, 0, _FREE_LIMIT, -1)
    return _at(v, 0)


@case("free limit an extent too low", "extents", configs=READABLE)
def _(v):
    v.add(TABLE, 0, _FREE_LIMIT, -v.extent_pages)
    return _at(v, None)


@case("size of the space beyond the file", "file-short", configs=READABLE)
def _(v):
    v.add(TABLE, 0, _SIZE, 1000)
    return _at(v, None)


@case("size of the space far below the file", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, 0, (_SIZE, _number(v.extent_pages)))
    return _at(v, None)


@case("next segment id below the segments there are", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, 0, (_NEXT_SEGMENT, _number(1, 8)))
    return _at(v, _INODE_PAGE)


@case("page of a segment marked free", "extents", configs=READABLE)
def _(v):
    v.mark(TABLE, 3)
    return _at(v, None)


@case("page of a segment's extent marked free", "extents", configs=READABLE)
def _(v):
    return _at(v, v.mark(TABLE, _segment_extent(v) + 3))


@case("inode page marked free", "extents", configs=READABLE)
def _(v):
    v.mark(TABLE, _INODE_PAGE)
    return _at(v, None)


@case("bitmap page marked free", "extents", configs=READABLE)
def _(v):
    v.mark(TABLE, 1)
    return _at(v, None)


@case("free page marked used", "extents", configs=READABLE)
def _(v):
    page = next(page for page in range(v.page_count(OTHER)) if not v.is_used(OTHER, page))
    v.mark(OTHER, page)
    return _at(v, None, OTHER)


@case("bit of a page on the second descriptor page turned over", "extents", configs=(OLD,))
def _(v):
    v.mark(TABLE, v.page_size + 2)
    return _at(v, v.page_size + 2)


@case("magic number of an inode changed", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, _INODE_PAGE, (v.inode(0) + _MAGIC, _number(1)))
    return _at(v, _INODE_PAGE)


@case("segment id of an inode changed", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, _INODE_PAGE, (_segment_with_extents(v), _number(4711, 8)))
    return _at(v, None)


@case("segment id of an inode becomes 0", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, _INODE_PAGE, (_segment_with_extents(v), bytes(8)))
    return _at(v, None)


@case("two inodes with one segment id", "extents", configs=READABLE)
def _(v):
    first = v.number(TABLE, _INODE_PAGE, v.inode(0), 8)
    v.edit(TABLE, _INODE_PAGE, (v.inode(1), _number(first, 8)))
    return _at(v, _INODE_PAGE)


@case("NOT_FULL_N_USED of a segment changed", "extents", configs=READABLE)
def _(v):
    v.add(TABLE, _INODE_PAGE, _segment_with_extents(v) + _NOT_FULL_USED, 1)
    return _at(v, _INODE_PAGE)


@case("length of a segment's list changed", "extents", configs=READABLE)
def _(v):
    v.add(TABLE, _INODE_PAGE, _segment_with_extents(v) + _FULL, 1)
    return _at(v, _INODE_PAGE)


@case("fragment page of a segment beyond the file", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, _INODE_PAGE, (v.inode(0) + _FRAGMENTS + 8, _number(0x7FFFFFFF)))
    return _at(v, _INODE_PAGE)


@case("fragment page owned by two segments", "extents", configs=READABLE)
def _(v):
    page = v.number(TABLE, _INODE_PAGE, v.inode(0) + _FRAGMENTS)
    v.edit(TABLE, _INODE_PAGE, (v.inode(1) + _FRAGMENTS + 8, _number(page)))
    return _at(v, page)


@case("fragment page of a segment forgotten", "extents", configs=READABLE)
def _(v):
    page = v.number(TABLE, _INODE_PAGE, v.inode(0) + _FRAGMENTS)
    v.edit(TABLE, _INODE_PAGE, (v.inode(0) + _FRAGMENTS, b"\xff" * 4))
    return _at(v, page)


@case("list of inode pages leads to an index page", "extents", configs=READABLE)
def _(v):
    v.edit(TABLE, 0, (_INODES_FREE + 4, _number(v.used(TABLE, INDEX))))
    return _at(v, None)


@case("list of inode pages leads to itself", "extents", configs=READABLE)
def _(v):
    node = _number(_INODE_PAGE) + _number(_NODE_OF_INODES, 2)
    v.edit(TABLE, _INODE_PAGE, (_NODE_OF_INODES + 6, node))
    return _at(v, _INODE_PAGE)
