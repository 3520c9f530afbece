"""A cleanly stopped data directory that damage is done to, and where its pages are.

Offsets and formats: docs/formats/page.md, docs/formats/tablespace.md.
"""

import os
import shutil

import realserver
import staging
import surgery

# Page types.
ALLOCATED, UNDO, INODE, BITMAP, XDES, BLOB, INDEX = 0, 2, 3, 5, 9, 10, 17855

TABLE, OTHER, BLOBS = "d/t.ibd", "d/other.ibd", "d/b.ibd"
TREES, REDUNDANT = "d/tr.ibd", "d/rd.ibd"  # with a number, a text, and an index on each
GONE = "d/gone.ibd"  # some of its rows are marked as deleted
SPATIAL = "d/sp.ibd"                       # with a point and an R-tree on it
SYSTEM, UNDO_FILE = "ibdata1", "undo001"

_DESCRIPTORS = 150       # byte offset on a descriptor page
_DESCRIPTOR_HEAD = 24    # bytes before the bitmap
_INODES = 50             # byte offset on an inode page
_INODE_HEAD = 64         # bytes before the fragment array
_ROWS_16K, _ROWS_4K = 12000, 85000  # the latter: beyond the second descriptor page


class Victim:
    """One configuration's directory; begin() gives every case a whole copy of it."""

    def __init__(self, config, name=""):
        self.config = config
        self.page_size = config.page_size
        self.full_crc32 = config.checksum == "full_crc32"
        self.site = realserver.Site(staging.scratch().path(name + config.label()))
        self._whole = None
        self._changed = None  # files that write() changed since all were copied; None: any may be

    def make(self):
        """Tables of every page type, some pages freed again, a clean shutdown."""
        realserver.Templates(staging.scratch().path("templates")).fill(self.site, self.config)
        options = "PAGE_COMPRESSED=1" if self.config.page_compressed else ""
        rows = _ROWS_16K if self.page_size == 16384 else _ROWS_4K
        with realserver.Server(self.site, self.config) as server:
            with server.connect() as sql:
                sql.query(f"CREATE DATABASE {staging.DATABASE}")
                sql.query(f"USE {staging.DATABASE}")
                staging.make_table(sql, "t", rows, options)
                staging.make_table(sql, "other", 3000, options)
                sql.query("ALTER TABLE other DROP INDEX k")
                sql.query("CREATE TABLE b (id INT PRIMARY KEY, v LONGBLOB) ENGINE=InnoDB "
                          f"{options}")
                sql.query("INSERT INTO b SELECT seq, REPEAT(MD5(seq), 4000) FROM seq_1_to_10")
                sql.query("CREATE TABLE e (id INT PRIMARY KEY) ENGINE=InnoDB "
                          f"DATA DIRECTORY='{self.site.external}' {options}")
                sql.query("INSERT INTO e VALUES (1), (2)")
                for name, form in (("tr", "DYNAMIC"), ("rd", "REDUNDANT")):
                    sql.query(f"CREATE TABLE {name} (id INT PRIMARY KEY, k INT NOT NULL, s VARCHAR(200) NOT NULL, KEY (k), KEY (s)) "
                              f"CHARACTER SET latin1 COLLATE latin1_bin ENGINE=InnoDB ROW_FORMAT={form} {options if name == 'tr' else ''}")
                    sql.query(f"INSERT INTO {name} SELECT seq, seq DIV 2, CONCAT(MD5(seq), SHA1(seq)) FROM seq_1_to_{rows // 2}")
                sql.query("CREATE TABLE sp (id INT PRIMARY KEY, g POINT NOT NULL, SPATIAL (g)) ENGINE=InnoDB")
                sql.query(f"INSERT INTO sp SELECT seq, POINT(seq * 7919 % 1009, seq * 104729 % 997) FROM seq_1_to_{rows // 4}")
                sql.query(f"CREATE TABLE gone (id INT PRIMARY KEY) ENGINE=InnoDB {options}")
                sql.query("INSERT INTO gone SELECT seq FROM seq_1_to_100")
            server.shut_down()
        # Nothing is purged then: marks and their undo stay. (A reader would not keep them, it may
        # be gone before the server has stopped purging.)
        with realserver.Server(self.site, self.config, ["--innodb-force-recovery=2"]) as server:
            with server.connect() as sql:
                sql.query(f"DELETE FROM {staging.DATABASE}.gone WHERE id % 10 = 0")
                sql.query(f"UPDATE {staging.DATABASE}.other SET v = MD5(id)")
            server.shut_down()
        keep = {os.path.join(self.site.data, name) for name in surgery.data_files(self.site.data)}
        for parent, _, names in os.walk(self.site.data):  # what no case looks at
            for name in names:
                path = os.path.join(parent, name)
                if path not in keep and not name.endswith((".isl", ".frm")):
                    os.unlink(path)
        self.put_aside()

    def put_aside(self):
        """The site as it is becomes what begin() copies."""
        self._whole = self.site.move_to(self.site.folder + "-whole")

    def begin(self, pages_only=False):
        """`pages_only`: the case uses nothing but write() and edit(). Then only what the last one changed is copied."""
        if not pages_only or self._changed is None:
            self.site.bring(self._whole.folder)
        else:
            for file in self._changed:
                shutil.copyfile(os.path.join(self._whole.data, file), self.path(file))
        self._changed = set() if pages_only else None

    def discard(self):
        self.site.remove()
        if self._whole is not None:
            self._whole.remove()

    # --- files -----------------------------------------------------------------------------

    @property
    def data(self):
        return self.site.data

    @property
    def external_table(self):
        return os.path.join(self.site.external, "d", "e.ibd")

    def path(self, file):
        return os.path.join(self.data, file)

    def copy(self, source, target):
        shutil.copyfile(self.path(source), self.path(target))

    def swap(self, one, two):
        os.rename(self.path(one), self.path("swap"))
        os.rename(self.path(two), self.path(one))
        os.rename(self.path("swap"), self.path(two))

    def space_id(self, file):
        return surgery.integer(surgery.read(self.path(file), 34, 4), 0, 4)

    # --- pages -----------------------------------------------------------------------------

    def page_count(self, file):
        return os.path.getsize(self.path(file)) // self.page_size

    def read(self, file, page):
        return bytearray(surgery.read(self.path(file), page * self.page_size, self.page_size))

    def write(self, file, page, content):
        if self._changed is not None:
            self._changed.add(file)
        surgery.write(self.path(file), page * self.page_size, content)

    def flip(self, file, page, offset, bit=3):
        """One bit; a negative offset counts from the page's end."""
        content = self.read(file, page)
        content[offset] ^= 1 << bit
        self.write(file, page, content)

    def edit(self, file, page, *changes):
        """Replaces (offset, bytes) and makes the checksum right again."""
        content = self.read(file, page)
        for offset, data in changes:
            content[offset:offset + len(data)] = data
        self.write(file, page, self._sealed(content))

    def _sealed(self, page):
        if self.full_crc32:
            return page[:-4] + surgery.crc32c(page[:-4]).to_bytes(4, "big")
        crc = (surgery.crc32c(page[4:26]) ^ surgery.crc32c(page[38:-8])).to_bytes(4, "big")
        return crc + page[4:-8] + crc + page[-4:]

    def number(self, file, page, offset, size=4):
        return surgery.integer(self.read(file, page), offset, size)

    def add(self, file, page, offset, amount, size=4):
        value = self.number(file, page, offset, size) + amount
        self.edit(file, page, (offset, value.to_bytes(size, "big")))

    def used_pages(self, file, kind=None):
        """Numbers of used pages (of one type), ascending. Page types are not to be seen where
        pages are stored compressed."""
        return [page for page in range(self.page_count(file)) if self.is_used(file, page) and
                kind in (None, surgery.integer(
                    surgery.read(self.path(file), page * self.page_size + 24, 2), 0, 2))]

    def used(self, file, kind):
        """A used page of that type (the last one); any page behind the fixed ones where types are
        not to be seen."""
        return self.used_pages(file, None if self.config.page_compressed else kind)[-1]

    def undo_page(self):
        """(file, page) of a used undo page; which tablespace has some is the server's choice.
        Errors: HarnessError."""
        for file in (UNDO_FILE, "undo002", SYSTEM):
            if os.path.exists(self.path(file)):
                for page in self.used_pages(file, UNDO):
                    return file, page
        raise realserver.HarnessError("no undo page in use")

    # --- extents and segments --------------------------------------------------------------

    @property
    def extent_pages(self):
        return max(64, (1 << 20) // self.page_size)

    def descriptor(self, page):
        """(descriptor page, byte offset) of the extent of a page."""
        home = page - page % self.page_size
        size = _DESCRIPTOR_HEAD + self.extent_pages // 4
        return home, _DESCRIPTORS + (page - home) // self.extent_pages * size

    def free_bit(self, page):
        """(descriptor page, byte offset, bit) that says that a page is free."""
        home, offset = self.descriptor(page)
        index = page % self.extent_pages
        return home, offset + _DESCRIPTOR_HEAD + index // 4, 2 * (index % 4)

    def is_used(self, file, page):
        home, offset, bit = self.free_bit(page)
        limit = surgery.integer(surgery.read(self.path(file), 50, 4), 0, 4)
        byte = surgery.read(self.path(file), home * self.page_size + offset, 1)[0]
        return page < limit and not byte >> bit & 1

    def mark(self, file, page):
        """Turns a page's free bit over, checksum made right."""
        home, offset, bit = self.free_bit(page)
        self.edit(file, home, (offset, bytes([self.read(file, home)[offset] ^ (1 << bit)])))
        return home

    def inode(self, index):
        """Byte offset of an inode on its page."""
        return _INODES + index * (_INODE_HEAD + 2 * self.extent_pages)
