"""The client in B, the same for every system: one JSON command a line in, one JSON answer out.

It stays for the whole run, so that no figure holds the start of an interpreter.
"""

import contextlib
import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

from bench.service import BLOCK, PATTERN_OCTETS, pattern, request

LIMIT = 120.0


def connect(target):
    connection = socket.create_connection(tuple(target), timeout=LIMIT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ping(target, count):
    """Round trips of 64 octets over one connection, in seconds."""
    message = bytes(64)
    buffer = bytearray(64)
    samples = []
    with connect(target) as connection:
        connection.sendall(request(b"E"))
        for _ in range(count):
            start = time.perf_counter()
            connection.sendall(message)
            got = 0
            while got < 64:
                more = connection.recv_into(buffer, 64 - got)
                if more == 0:
                    raise OSError("the connection ended")
                got += more
            samples.append(time.perf_counter() - start)
    return {"samples": samples[count // 20:]}  # the first ones warm up


def sequence(target, count):
    """New connections one after the other, each used for one octet there and back."""
    samples = []
    start = time.perf_counter()
    for _ in range(count):
        begin = time.perf_counter()
        with connect(target) as connection:
            connection.sendall(request(b"E") + b"x")
            if connection.recv(1) != b"x":
                raise OSError("the connection ended")
            samples.append(time.perf_counter() - begin)
    return {"seconds": time.perf_counter() - start, "samples": samples}


class Crowd:
    """Many connections opened at once, answered, and kept."""

    def __init__(self):
        self.held = []

    def open(self, target, count):
        selector = selectors.DefaultSelector()
        start = time.perf_counter()
        for _ in range(count):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(tuple(target))
            selector.register(connection, selectors.EVENT_WRITE)
            self.held.append(connection)
        left = count
        while left:
            ready = selector.select(LIMIT)
            if not ready:
                raise OSError(f"{left} of {count} connections had no answer")
            for key, events in ready:
                if events & selectors.EVENT_WRITE:
                    key.fileobj.send(request(b"E") + b"x")
                    selector.modify(key.fileobj, selectors.EVENT_READ)
                elif key.fileobj.recv(1) == b"x":
                    selector.unregister(key.fileobj)
                    left -= 1
                else:
                    raise OSError("a connection ended without an answer")
        return {"seconds": time.perf_counter() - start}

    def close(self):
        for connection in self.held:
            connection.close()
        self.held.clear()
        return {}


class Transfer:
    """Streams received side by side; the connections stay until `close`."""

    def __init__(self):
        self.held = []
        self.missing = 0

    def _receive(self, connection, octets, barrier):
        buffer = bytearray(BLOCK)
        barrier.wait()
        with contextlib.suppress(OSError):
            connection.sendall(request(b"S", octets))
            while octets > 0 and (got := connection.recv_into(buffer)):
                octets -= got
        self.missing += octets

    def run(self, target, streams, octets):
        self.missing = 0
        barrier = threading.Barrier(streams + 1)
        self.held = [connect(target) for _ in range(streams)]
        threads = [threading.Thread(target=self._receive, args=(c, octets, barrier))
                   for c in self.held]
        for thread in threads:
            thread.start()
        barrier.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
        if self.missing:
            self.close()
            raise OSError(f"{self.missing} octets did not come")
        return {"seconds": seconds, "octets": streams * octets}

    def close(self):
        for connection in self.held:
            connection.close()
        self.held.clear()
        return {}


def verify(target, octets):
    """Digests of what came from the service, and of what the service got."""
    digest = hashlib.sha256()
    with connect(target) as connection:
        connection.sendall(request(b"S", octets))
        left = octets
        while left > 0 and (data := connection.recv(BLOCK)):
            digest.update(data)
            left -= len(data)
    data = memoryview(pattern())
    with connect(target) as connection:
        connection.sendall(request(b"R", octets))
        left = octets
        while left > 0:
            connection.sendall(data[:min(left, PATTERN_OCTETS)])
            left -= min(left, PATTERN_OCTETS)
        answer = b""
        while more := connection.recv(BLOCK):
            answer += more
    return {"received": digest.hexdigest(), "sent": answer.decode()}


def stamp_lines(stream, start, into):
    for line in stream:
        into.append([time.perf_counter() - start, line.decode("utf-8", "replace").rstrip()])


def first_octet(command, environment, data):
    """Time from the start of a program to its first octet of output."""
    lines = []
    start = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = threading.Thread(target=stamp_lines, args=(process.stderr, start, lines))
    reader.start()
    guard = threading.Timer(30, process.kill)
    guard.start()
    try:
        with contextlib.suppress(OSError):
            process.stdin.write(data.encode("latin-1"))
            process.stdin.flush()
        octet = os.read(process.stdout.fileno(), 1)
        seconds = time.perf_counter() - start
    finally:
        guard.cancel()
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        if process.poll() is None:
            process.terminate()
            process.wait()
        reader.join()
    if not octet:
        raise OSError("no octet came: " + " ".join(text for _, text in lines[-5:]))
    return {"seconds": seconds, "began": start, "lines": lines}


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run ends us, in its order
    crowd, transfer = Crowd(), Transfer()
    operations = {"ping": ping, "sequence": sequence, "crowd": crowd.open,
                  "crowd_close": crowd.close, "transfer": transfer.run,
                  "transfer_close": transfer.close, "verify": verify, "first_octet": first_octet}
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = operations[command.pop("operation")](**command)
        except OSError as error:
            crowd.close()
            transfer.close()
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
