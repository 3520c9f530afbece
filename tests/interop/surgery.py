"""Reads and damages the files of a crashed data directory, without decoding its pages.

Offsets and formats: docs/formats/redo-log.md (header, checkpoints), docs/formats/tablespace.md
(doublewrite buffer).
"""

import dataclasses
import hashlib
import os
import random

_CHECKPOINT_OFFSETS = (4096, 8192)
_LOG_HEADER_CRC = 508      # byte offset, covers what is before
_CHECKPOINT_CRC = 60
_LOG_SEARCHED = 64 << 20   # bytes behind the checkpoint
_TRX_SYS_PAGE = 5
_DOUBLEWRITE_HEADER = 200  # bytes before the end of the TRX_SYS page
_DOUBLEWRITE_MAGIC = 536853855
_EXTENT_PAGES = {4096: 256, 8192: 128, 16384: 64, 32768: 64, 65536: 64}


# --- bytes of files --------------------------------------------------------------------------


def read(path, offset, size):
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def write(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def integer(data, offset, size):
    return int.from_bytes(data[offset:offset + size], "big")


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def data_files(folder):
    """Paths of what a recovery may change: tablespaces and the log, relative to `folder`."""
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".ibd") or name.startswith(("ibdata", "undo0", "ib_logfile")):
                found.append(os.path.relpath(os.path.join(parent, name), folder))
    return sorted(found)


def fingerprints(folder):
    """Path to (size, SHA-256) of every data file."""
    result = {}
    for name in data_files(folder):
        digest = hashlib.sha256()
        with open(os.path.join(folder, name), "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
            result[name] = (file.tell(), digest.hexdigest())
    return result


# --- the redo log ----------------------------------------------------------------------------


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


@dataclasses.dataclass(frozen=True)
class LogHead:
    """Where a log's records begin."""

    path: str
    first_lsn: int
    checkpoint: int
    checkpoint_block: int  # byte offset of the newer checkpoint block
    end_lsn: int           # of the checkpoint's FILE_CHECKPOINT
    capacity: int

    def offset(self, lsn):
        return 12288 + (lsn - self.first_lsn) % self.capacity


def log_path(data):
    return os.path.join(data, "ib_logfile0")


def log_head(data):
    path = log_path(data)
    checkpoints = []
    for offset in _CHECKPOINT_OFFSETS:
        block = read(path, offset, 64)
        if crc32c(block[:_CHECKPOINT_CRC]) == integer(block, _CHECKPOINT_CRC, 4):
            checkpoints.append((integer(block, 0, 8), offset, integer(block, 8, 8)))
    checkpoint, offset, end = max(checkpoints)
    first_lsn = integer(read(path, 8, 8), 0, 8)
    return LogHead(path, first_lsn, checkpoint, offset, end, os.path.getsize(path) - 12288)


def forget_file_modify(data, name):
    """Turns the FILE_MODIFY records of `name` behind the checkpoint into padding of the same length
    (only those that are a mini-transaction of their own, as the server writes them before the first
    change of a tablespace). Returns how many."""
    head = log_head(data)
    begin, count = head.offset(head.checkpoint), 0
    log = read(head.path, begin, _LOG_SEARCHED)
    at = log.find(name)
    while at >= 0:
        start, end = at - 3, at + len(name)  # type and length, space id below 128, page 0
        record = log[start:end]
        crc = log[end + 1:end + 5]           # behind the terminator
        if record[0] == 0xB0 | (end - start - 1) and crc == crc32c(record).to_bytes(4, "big"):
            padding = bytes([0xF0 | (end - start - 1)]) + bytes(end - start - 1)
            write(head.path, begin + start, padding)
            write(head.path, begin + end + 1, crc32c(padding).to_bytes(4, "big"))
            count += 1
        at = log.find(name, end)
    return count


def mini_transactions(data):
    """The records of each mini-transaction behind the checkpoint of a plain log that has not
    wrapped: (byte offset in the file, bytes without terminator and checksum)."""
    head = log_head(data)
    begin = head.offset(head.checkpoint)
    log = read(head.path, begin, _LOG_SEARCHED)
    start = 0
    while True:
        at = start
        while log[at] > 1:  # 0 and 1 are terminators
            at += 1 + _record_rest(log, at)
        records = log[start:at]
        if not records or log[at + 1:at + 5] != crc32c(records).to_bytes(4, "big"):
            return
        yield begin + start, records
        start = at + 5


def changes_pages_of(records, spaces):
    """Whether a mini-transaction (as mini_transactions() gives it) changes pages of one of the tablespaces (ids below 128)."""
    at = 0
    while at < len(records):
        rest = _record_rest(records, at)
        length_bytes = 0 if records[at] & 15 else 1 if records[at + 1] < 0x80 else 2 if records[at + 1] < 0xC0 else 3
        if records[at] < 0x80 and records[at + 1 + length_bytes] in spaces:  # others: the same page again, or of files
            return True
        at += 1 + rest
    return False


def _record_rest(log, at):
    """Bytes of a redo record behind its first byte."""
    length = log[at] & 15
    if length:
        return length
    first = log[at + 1]
    if first < 0x80:
        return first + 15
    if first < 0xC0:
        return 0x80 + ((first & 0x3F) << 8 | log[at + 2]) + 15
    return 0x4080 + ((first & 0x1F) << 16 | log[at + 2] << 8 | log[at + 3]) + 15


def cut_log_behind(data, is_last):
    """Makes the log end with the first mini-transaction whose records satisfy `is_last`."""
    for offset, records in mini_transactions(data):
        if is_last(records):
            write(log_path(data), offset + len(records) + 5, bytes(_LOG_SEARCHED))
            return
    raise AssertionError("no such mini-transaction")


def set_log_format(data, number):
    """Another format number, in a header that is valid otherwise."""
    path = log_path(data)
    header = number.to_bytes(4, "big") + read(path, 4, _LOG_HEADER_CRC - 4)
    write(path, 0, header + crc32c(header).to_bytes(4, "big"))


# --- the doublewrite buffer ------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Home:
    """A page in a file whose bytes a doublewrite slot holds too."""

    path: str
    page: int
    lsn: int


def _system(data):
    return os.path.join(data, "ibdata1")


def doublewrite_ranges(data, page_size):
    """(byte offset, length) of both blocks in ibdata1."""
    page = read(_system(data), _TRX_SYS_PAGE * page_size, page_size)
    header = page[page_size - _DOUBLEWRITE_HEADER:]
    assert integer(header, 10, 4) == _DOUBLEWRITE_MAGIC, "no doublewrite buffer"
    length = _EXTENT_PAGES[page_size] * page_size
    return [(integer(header, at, 4) * page_size, length) for at in (14, 18)]


def doublewrite_homes(data, page_size, path):
    """Pages of one file that could be torn and healed: a slot holds the very same bytes, and is
    not older than the checkpoint."""
    checkpoint = log_head(data).checkpoint
    homes = set()
    for start, length in doublewrite_ranges(data, page_size):
        block = read(_system(data), start, length)
        for offset in range(0, length, page_size):
            slot = block[offset:offset + page_size]
            number, lsn = integer(slot, 4, 4), integer(slot, 16, 8)
            if lsn < checkpoint or (number + 1) * page_size > os.path.getsize(path):
                continue
            if read(path, number * page_size, page_size) == slot:
                homes.add(Home(path, number, lsn))
    return sorted(homes, key=lambda home: home.page)


def clear_doublewrite(data, page_size):
    for start, length in doublewrite_ranges(data, page_size):
        write(_system(data), start, bytes(length))


# --- pages -----------------------------------------------------------------------------------


def tear(path, page, page_size):
    """The first half of the page as it is, the second half of something else."""
    write(path, page * page_size + page_size // 2, noise(page_size // 2, page))


def flip_bit(path, page, page_size):
    at = page * page_size + page_size // 3
    write(path, at, bytes([read(path, at, 1)[0] ^ 0x10]))


def blank(path, page, page_size):
    write(path, page * page_size, bytes(page_size))
