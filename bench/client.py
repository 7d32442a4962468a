"""The client in B, the same for every system: one JSON command a line in, one JSON answer out.

It stays for the whole run, so that no figure holds the start of an interpreter.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import resource
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

from bench.service import BLOCK, PATTERN_OCTETS, pattern, request

LIMIT = 120.0
ENDLESS = 1 << 62


def connect(target):
    connection = socket.create_connection(tuple(target), timeout=LIMIT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ping(target, count=None, seconds=None, gap=0.0):
    """Round trips of 64 octets over one connection, in seconds: so many, or for so long."""
    end = time.perf_counter() + seconds if seconds else None
    message = bytes(64)
    buffer = bytearray(64)
    samples = []
    with connect(target) as connection:
        connection.sendall(request(b"E"))
        while len(samples) < count if count else time.perf_counter() < end:
            time.sleep(gap)
            start = time.perf_counter()
            connection.sendall(message)
            got = 0
            while got < 64:
                more = connection.recv_into(buffer, 64 - got)
                if more == 0:
                    raise OSError("the connection ended")
                got += more
            samples.append(time.perf_counter() - start)
    return {"samples": samples[len(samples) // 20:]}  # the first ones warm up


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


class Flow:
    """Octets received side by side for a time: how many in each second; each is compared with what
    was sent unless `compare` is false."""

    def __init__(self, target, seconds, streams, compare):
        self.seconds, self.compare = seconds, compare
        self.connections = [connect(target) for _ in range(streams)]
        self.barrier = threading.Barrier(streams)
        self.bins = [[0] * (int(seconds) + 1) for _ in self.connections]
        self.failures = []

    def run(self):
        threads = [threading.Thread(target=self._receive, args=each)
                   for each in zip(self.connections, self.bins)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for connection in self.connections:
            connection.close()
        if self.failures:
            raise OSError(self.failures[0])
        bins = [sum(each) for each in zip(*self.bins)]
        return {"octets": sum(bins), "bins": bins[:int(self.seconds)]}

    def _receive(self, connection, bins):
        try:
            self._receive_until_the_end(connection, bins)
        except TimeoutError:
            pass  # nothing comes any more: the figures show it
        except OSError as error:
            self.failures.append(str(error))

    def _receive_until_the_end(self, connection, bins):
        buffer, expected, at = bytearray(BLOCK), pattern(), 0
        self.barrier.wait()
        start = now = time.perf_counter()
        connection.sendall(request(b"S", ENDLESS))
        while now < start + self.seconds:
            connection.settimeout(max(0.001, start + self.seconds - now))
            got = connection.recv_into(buffer, min(BLOCK, PATTERN_OCTETS - at))
            now = time.perf_counter()
            if got == 0:
                raise OSError(f"the connection ended after {sum(bins)} octets")
            if self.compare and buffer[:got] != expected[at:at + got]:
                raise OSError(f"a wrong octet came, of those after {sum(bins)}")
            at = (at + got) % PATTERN_OCTETS
            bins[min(int(now - start), len(bins) - 1)] += got


def flow(target, seconds, streams=1, compare=True):
    return Flow(target, seconds, streams, compare).run()


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


class Fetch:
    """A program that receives a file into an empty directory."""

    def __init__(self, command, environment, directory):
        self.folder = pathlib.Path(directory)
        self.said = []
        self.start = time.perf_counter()
        self.process = subprocess.Popen(command, env={**os.environ, **environment},
                                        cwd=self.folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=stamp_lines,
                                       args=(self.process.stdout, self.start, self.said))
        self.reader.start()
        with contextlib.suppress(OSError):
            self.process.stdin.write(b"y\n")
            self.process.stdin.flush()

    def follow(self, octets, seconds):
        """Until the octets are there, the time after the first of them is over, or it has ended."""
        first, size, now = None, 0, self.start
        while size < octets and now < (first + seconds if first else self.start + LIMIT):
            time.sleep(0.001)
            ended = self.process.poll() is not None
            size, now = folder_size(self.folder), time.perf_counter()
            first = first or (now if size else None)
            if ended:
                break
        if first is None:
            raise OSError("no octet came: " + " ".join(text for _, text in self.said[-5:]))
        return {"first": first - self.start, "octets": size, "seconds": now - first}

    def end(self, patience):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()


def fetch(command, environment, directory, octets, seconds):
    """How a file came, and the CPU time of the program."""
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    program = Fetch(command, environment, directory)
    found = {"octets": 0}
    try:
        found = program.follow(octets, seconds)
    finally:
        program.end(10 if found["octets"] >= octets else 0)
    cpu = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
    return {**found, "cpu": cpu}


def folder_size(folder):
    """Of files that may be renamed meanwhile."""
    size = 0
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            size += entry.stat().st_size
    return size


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run ends us, in its order
    crowd = Crowd()
    operations = {"ping": ping, "sequence": sequence, "crowd": crowd.open,
                  "crowd_close": crowd.close, "flow": flow, "fetch": fetch, "verify": verify,
                  "first_octet": first_octet}
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = operations[command.pop("operation")](**command)
        except OSError as error:
            crowd.close()
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
