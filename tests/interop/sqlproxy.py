"""A go-between for one server: tests see every statement a program sends, and act between two of them.

    with Proxy(path, server.socket) as proxy, proxy.hold("BACKUP STAGE BLOCK_DDL", AFTER) as hold:
        ... the program is begun, and connects to `path` ...
        hold.wait()
        server.kill()

What a test does "in the middle of a backup" is so done at a known statement, not at a lucky moment.
It relays bytes as they are: no TLS. A side that closes its connection closes the other side's.
"""

import os
import re
import socket
import threading

BEFORE = "before"  # the server has not seen the statement
AFTER = "after"    # the server has done it, the program has not heard of it

_COM_QUERY = 3


class Hold:
    """A statement at which the program is held: a test waits for it, acts, and lets go.

        with proxy.hold("BACKUP STAGE FLUSH") as hold:
            ... begin the program ...
            hold.wait()
            ... act ...
    """

    _WAIT_S = 60

    def __init__(self, pattern, when):
        self.pattern = re.compile(pattern)
        self.when = when
        self._reached = threading.Event()
        self._released = threading.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def wait(self):
        """Until the program stands there. Errors: TimeoutError when it does not come."""
        if not self._reached.wait(self._WAIT_S):
            raise TimeoutError(f"no statement {self.pattern.pattern} came")

    def release(self):
        self._released.set()

    def stand(self):
        """On the relaying thread."""
        self._reached.set()
        self._released.wait()


class Proxy:
    """Listens on a unix socket and relays each connection to the server's."""

    def __init__(self, path, server_socket):
        self.path = path
        self._server_socket = server_socket
        self._holds = []
        self._mutex = threading.Lock()
        self._statements = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def hold(self, pattern, when=BEFORE):
        """Of the first statement that begins with `pattern` (a regular expression)."""
        hold = Hold(pattern, when)
        with self._mutex:
            self._holds.append(hold)
        return hold

    def statements(self):
        with self._mutex:
            return list(self._statements)

    def _accept(self):
        while True:
            try:
                program, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(self._server_socket)
            except OSError:  # then the program sees an end of file, as from a server that has died
                program.close()
                server.close()
                continue
            pending = []  # holds that wait for the server's answer
            for work in ((self._to_server, program, server, pending), (self._to_program, server, program, pending)):
                threading.Thread(target=work[0], args=work[1:], daemon=True).start()

    def _take(self, statement, when):
        with self._mutex:
            for hold in self._holds:
                if hold.when == when and hold.pattern.match(statement):
                    self._holds.remove(hold)
                    return hold
        return None

    def _to_server(self, program, server, pending):
        reader = program.makefile("rb")
        try:
            while True:
                header = reader.read(4)
                if len(header) < 4:
                    break
                payload = reader.read(int.from_bytes(header[:3], "little"))
                if header[3] == 0 and payload[:1] == bytes([_COM_QUERY]):
                    self._see(payload[1:].decode("utf-8", "replace"), pending)
                server.sendall(header + payload)
        except OSError:
            pass
        _shut(program, server)

    def _see(self, statement, pending):
        with self._mutex:
            self._statements.append(statement)
        if hold := self._take(statement, BEFORE):
            hold.stand()
        if hold := self._take(statement, AFTER):
            pending.append(hold)

    @staticmethod
    def _to_program(server, program, pending):
        try:
            while data := server.recv(65536):
                while pending:
                    pending.pop(0).stand()
                program.sendall(data)
        except OSError:
            pass
        _shut(program, server)


def _shut(*sockets):
    for end in sockets:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
