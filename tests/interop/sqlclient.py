"""A minimal MariaDB client: text protocol over a unix socket, standard library only.

Enough for tests: native-password accounts without a password, one statement a call, results as
lists of tuples of str (None for NULL).
"""

import socket
import struct

_CLIENT_LONG_FLAG = 0x4
_CLIENT_PROTOCOL_41 = 0x200
_CLIENT_TRANSACTIONS = 0x2000
_CLIENT_SECURE_CONNECTION = 0x8000
_CLIENT_PLUGIN_AUTH = 0x80000
_CAPABILITIES = (_CLIENT_LONG_FLAG | _CLIENT_PROTOCOL_41 | _CLIENT_TRANSACTIONS |
                 _CLIENT_SECURE_CONNECTION | _CLIENT_PLUGIN_AUTH)
_UTF8MB4 = 45
_PACKET_MAX = 0xFFFFFF
_COM_QUIT = b"\x01"
_COM_QUERY = b"\x03"


class SqlError(Exception):
    """An error answer of the server."""

    def __init__(self, code, message, statement):
        super().__init__(f"error {code}: {message} [{statement[:200]}]")
        self.code = code


class ConnectionLost(Exception):
    """The server went away: expected whenever a test kills it."""


class Connection:
    """One session. Not thread-safe: one per thread."""

    def __init__(self, socket_path, user="root", timeout_s=120.0):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(socket_path)
            self._reader = self._socket.makefile("rb")
            self._log_in(user)
        except OSError as error:
            self._socket.close()
            raise ConnectionLost(str(error)) from error
        except Exception:
            self._socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Says good-bye where the server still listens."""
        try:
            self._send(0, _COM_QUIT)
        except ConnectionLost:
            pass
        self._socket.close()

    def query(self, statement):
        """Runs one statement. Returns its rows, [] when it has none."""
        self._send(0, _COM_QUERY + statement.encode("utf-8", "surrogateescape"))
        first = self._receive()
        if first[0] == 0xFF:
            raise self._error(first, statement)
        if first[0] == 0x00:
            return []
        column_count, _ = _length(first, 0)
        for _ in range(column_count + 1):  # column definitions and their end mark
            self._receive()
        rows = []
        while True:
            packet = self._receive()
            if packet[0] == 0xFE and len(packet) < 9:
                return rows
            if packet[0] == 0xFF:
                raise self._error(packet, statement)
            rows.append(_row(packet, column_count))

    def value(self, statement):
        """First column of the first row."""
        return self.query(statement)[0][0]

    def _log_in(self, user):
        greeting = self._receive()
        if greeting[0] == 0xFF:
            raise self._error(greeting, "(connecting)")
        answer = struct.pack("<IIB23x", _CAPABILITIES, _PACKET_MAX, _UTF8MB4)
        answer += user.encode() + b"\0" + b"\0" + b"mysql_native_password\0"
        self._send(1, answer)
        answer = self._receive()
        if answer[0] == 0xFE:  # asked to switch the method: an empty password answers with nothing
            self._send(3, b"")
            answer = self._receive()
        if answer[0] != 0x00:
            raise self._error(answer, "(logging in)")

    def _send(self, sequence, payload):
        assert len(payload) < _PACKET_MAX
        try:
            self._socket.sendall(struct.pack("<I", len(payload) | sequence << 24) + payload)
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def _receive(self):
        payload = b""
        while True:
            header = self._read(4)
            size = int.from_bytes(header[:3], "little")
            payload += self._read(size)
            if size < _PACKET_MAX:
                return payload

    def _read(self, size):
        try:
            data = self._reader.read(size)
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        if len(data) < size:
            raise ConnectionLost("end of stream")
        return data

    @staticmethod
    def _error(packet, statement):
        code = int.from_bytes(packet[1:3], "little")
        text = packet[3:].decode("utf-8", "replace")
        return SqlError(code, text[6:] if text.startswith("#") else text, statement)


def _length(packet, offset):
    """A length-encoded integer and the offset behind it; None for NULL."""
    first = packet[offset]
    if first < 0xFB:
        return first, offset + 1
    if first == 0xFB:
        return None, offset + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(packet[offset + 1:offset + 1 + size], "little"), offset + 1 + size


def _row(packet, column_count):
    offset, row = 0, []
    for _ in range(column_count):
        size, offset = _length(packet, offset)
        if size is None:
            row.append(None)
        else:
            row.append(packet[offset:offset + size].decode("utf-8", "surrogateescape"))
            offset += size
    return tuple(row)
