"""The B-trees of one table's file as a test must know them to damage them: COMPACT (DYNAMIC) and REDUNDANT pages that are
stored as they are. Offsets: docs/formats/index-page.md, docs/formats/records.md.
"""

import surgery

# In the page header; each is big-endian.
PREVIOUS, NEXT, TYPE = 8, 12, 24                      # 4, 4 and 2 bytes
SLOTS, HEAP_TOP, HEAP_COUNT, FREED, FREED_BYTES = 38, 40, 42, 44, 46
LAST_INSERT, DIRECTION, COUNT, LEVEL, INDEX_ID = 48, 50, 54, 64, 66  # 2 bytes; 8 the last one
LEAF_SEGMENT, INNER_SEGMENT = 74, 84                  # space 4, page 4, offset 2
NO_PAGE = 0xFFFFFFFF
_TRAILER = 8


class Tree:
    """The index of `file` whose id is the `which`th of those there, in ascending order; 0 is the clustered one. `kind`: type of its pages."""

    def __init__(self, v, file, which=0, kind=17855):
        self._v, self._file = v, file
        found = {}
        for page in v.used_pages(file, kind):
            found.setdefault(v.number(file, page, INDEX_ID, 8), []).append(page)
        self.pages = found[sorted(found)[which]]
        self.root = max(self.pages, key=lambda page: self.number(page, LEVEL))
        self.compact = self.number(self.root, HEAP_COUNT) & 0x8000 != 0

    def number(self, page, offset, size=2):
        return self._v.number(self._file, page, offset, size)

    def level(self, level):
        """Pages of a level from left to right."""
        pages = [page for page in self.pages if self.number(page, LEVEL) == level]
        page = next(p for p in pages if self.number(p, PREVIOUS, 4) == NO_PAGE)
        ordered = []
        while page != NO_PAGE:
            ordered.append(page)
            page = self.number(page, NEXT, 4)
        return ordered

    def leaf(self, at=3):
        return self.level(0)[at]

    def records(self, page):
        """Offsets of a page's records in order."""
        content = self._v.read(self._file, page)
        found, origin = [], 99 if self.compact else 101
        while True:
            link = surgery.integer(content, origin - 2, 2)
            origin = (origin + link) & 0xFFFF & (self._v.page_size - 1) if self.compact else link
            if origin == (112 if self.compact else 116):
                return found
            found.append(origin)

    def slot(self, number):
        """Offset of a directory slot."""
        return self._v.page_size - _TRAILER - 2 * (number + 1)

    def edit(self, page, *changes):
        """(offset, value, size) each."""
        self._v.edit(self._file, page, *((offset, (value % (1 << 8 * size)).to_bytes(size, "big")) for offset, value, size in changes))

    def add(self, page, offset, amount, size=2):
        self.edit(page, (offset, self.number(page, offset, size) + amount, size))

    def child_at(self, page, record):
        """Offset of the page number in a node pointer whose key is one INT."""
        return record + 4
