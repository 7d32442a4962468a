"""The service in A that every system under test leads to.

A connection begins with one octet and a number of octets (64 bits):
    S n   the service sends n octets of the pattern
    R n   it takes n octets and answers with their SHA-256
    E 0   it sends back what it gets, until the end
"""

import contextlib
import functools
import hashlib
import os
import random
import selectors
import socket
import struct
import threading

REQUEST = struct.Struct("!cQ")
BLOCK = 1 << 20
PATTERN_OCTETS = 16 << 20


def request(operation, octets=0):
    return REQUEST.pack(operation, octets)


@functools.cache
def pattern():
    """Octets that do not compress and are the same in every process."""
    return random.Random(1).randbytes(PATTERN_OCTETS)


def pattern_digest(octets):
    digest = hashlib.sha256()
    data = memoryview(pattern())
    while octets > 0:
        piece = data[:octets]
        digest.update(piece)
        octets -= len(piece)
    return digest.hexdigest()


class Service:
    """Echoes are served by one thread, each transfer by one of its own. `control` is the congestion
    control of its connections, if it is to be another than the route's.
    """

    def __init__(self, stack, host, control=None):
        self.stack, self.host, self.control = stack, host, control
        self.file = os.memfd_create("pattern")
        os.write(self.file, pattern())
        self.listener = host.namespace.socket(kind=socket.SOCK_STREAM)
        self.listener.bind(("0.0.0.0", 0))
        self.listener.listen(2048)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.ending = os.eventfd(0)
        self.selector.register(self.ending, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        stack.callback(self._stop)

    def with_control(self, control):
        """Another one like this."""
        return Service(self.stack, self.host, control)

    def _serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == self.ending:
                    return
                with contextlib.suppress(OSError):
                    key.data(key.fileobj)

    def _stop(self):
        os.eventfd_write(self.ending, 1)
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            if key.fileobj != self.ending:
                key.fileobj.close()
        self.selector.close()
        os.close(self.ending)
        os.close(self.file)

    def _accept(self, listener):
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.control:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self.control.encode())
        self.selector.register(connection, selectors.EVENT_READ, self._begin)

    def _drop(self, connection):
        self.selector.unregister(connection)
        connection.close()

    def _begin(self, connection):
        data = connection.recv(65536)
        if len(data) < REQUEST.size:
            # Requests are a single small write; a tunnel does not tear them apart.
            return self._drop(connection)
        operation, octets = REQUEST.unpack_from(data)
        if operation == b"E":
            self.selector.modify(connection, selectors.EVENT_READ, self._echo)
            if len(data) > REQUEST.size:
                connection.sendall(data[REQUEST.size:])
            return None
        self.selector.unregister(connection)
        work = self._send if operation == b"S" else self._take
        threading.Thread(target=work, args=(connection, octets, data[REQUEST.size:]),
                         daemon=True).start()
        return None

    def _echo(self, connection):
        try:
            data = connection.recv(65536)
            if data:
                return connection.sendall(data)
        except OSError:
            pass
        return self._drop(connection)

    def _send(self, connection, octets, _rest):
        with connection, contextlib.suppress(OSError):
            left = octets
            while left > 0:
                at = (octets - left) % PATTERN_OCTETS
                left -= os.sendfile(connection.fileno(), self.file, at,
                                    min(left, PATTERN_OCTETS - at))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the client ends it when it has measured

    def _take(self, connection, octets, rest):
        with connection, contextlib.suppress(OSError):
            digest = hashlib.sha256(rest)
            octets -= len(rest)
            buffer = bytearray(BLOCK)
            while octets > 0 and (got := connection.recv_into(buffer)):
                digest.update(memoryview(buffer)[:got])
                octets -= got
            connection.sendall(digest.hexdigest().encode())
