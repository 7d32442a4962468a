"""Much data and many connections, with real processes."""

import contextlib
import filecmp
import hashlib
import socket
import subprocess
import threading
import time

from harness import (BOTH_ENGINES, EVERY_PAIR, LIMIT, connect, echo, exchange, noise, receive_all,
                     with_engines)

GIB = 1 << 30
CHUNK = 1 << 20


def pour(connection, total, digest):
    """Sends `total` octets of a pattern that does not repeat within the run."""
    block = bytearray(noise(CHUNK, 7))
    for index in range(total // CHUNK):
        block[:8] = index.to_bytes(8, "big")
        connection.sendall(block)
        digest.update(block)
    connection.shutdown(socket.SHUT_WR)


def drain(connection, digest):
    buffer = bytearray(CHUNK)
    total = 0
    while count := connection.recv_into(buffer):
        digest.update(memoryview(buffer)[:count])
        total += count
    return total


@with_engines(*BOTH_ENGINES)
def test_a_gibibyte_each_way_at_once(world):
    sums = {name: hashlib.sha256() for name in ("up_in", "up_out", "down_in", "down_out")}
    totals = {}
    done = threading.Event()

    def target(connection):
        sender = threading.Thread(target=pour, args=(connection, GIB, sums["down_in"]))
        sender.start()
        totals["up"] = drain(connection, sums["up_out"])
        sender.join()
        done.set()

    connecting, listening, port = world.tunnel(world.serve(target))
    with connect(port, 300) as connection:
        sender = threading.Thread(target=pour, args=(connection, GIB, sums["up_in"]))
        sender.start()
        totals["down"] = drain(connection, sums["down_out"])
        sender.join()
    assert done.wait(LIMIT)
    assert totals == {"up": GIB, "down": GIB}
    assert sums["up_in"].digest() == sums["up_out"].digest()
    assert sums["down_in"].digest() == sums["down_out"].digest()
    for side in (connecting, listening):
        assert side.resident_kib() < 100 * 1024, side.resident_kib()


@with_engines(*BOTH_ENGINES)
def test_five_hundred_connections_open_at_once(world):
    connecting, listening, port = world.tunnel(world.serve(echo))
    exchange(port, b"x")
    connections = [connect(port) for _ in range(500)]
    for index, connection in enumerate(connections):
        connection.sendall(b"%06d" % index)
    for index, connection in enumerate(connections):
        assert connection.recv(6, socket.MSG_WAITALL) == b"%06d" % index
    resident = [side.resident_kib() for side in (connecting, listening)]
    assert max(resident) < 40 * 1024, resident
    for connection in connections:
        connection.close()
    listening.wait_for("connection_closed", count=501, limit=60)
    assert exchange(port, b"still here") == b"still here"


def test_more_connections_than_the_usual_limit_of_open_files(world):
    usual = ("prlimit", "--nofile=128:1024")
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}", prefix=usual)
    b = world.peer("listen", "127.0.0.1:0", code=a.wait_for("code_made")["code"], prefix=usual)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(port)) for _ in range(300)]
        for connection in connections:
            connection.sendall(b"x")
        for connection in connections:
            assert connection.recv(1) == b"x"


@with_engines(*BOTH_ENGINES)
def test_five_thousand_connections_one_after_another_with_flat_memory(world):
    connecting, listening, port = world.tunnel(world.serve(echo))
    for _ in range(500):
        assert exchange_small(port)
    before = [side.resident_kib() for side in (connecting, listening)]
    for _ in range(4500):
        assert exchange_small(port)
    after = [side.resident_kib() for side in (connecting, listening)]
    for was, now in zip(before, after):
        assert now - was < 4 * 1024, (before, after)


def exchange_small(port):
    with connect(port) as connection:
        connection.sendall(b"ping")
        connection.shutdown(socket.SHUT_WR)
        return receive_all(connection) == b"ping"


@with_engines(*EVERY_PAIR)
def test_a_long_stream_through_standard_streams(world, tmp_path):
    source = tmp_path / "source"
    sink = tmp_path / "sink"
    source.write_bytes(noise(200_000_000, 3))
    with open(source, "rb") as reading, open(sink, "wb") as writing:
        b = world.peer("stdio-b", stdin=reading)
        a = world.peer("stdio-a", code=b.wait_for("code_made")["code"], stdout=writing,
                       stdin=subprocess.DEVNULL)
        assert a.exit_code(120) == 0, a.text()
        assert b.exit_code(20) == 0, b.text()
    assert filecmp.cmp(source, sink, shallow=False)


@with_engines(*BOTH_ENGINES)
def test_an_interactive_connection_goes_on_beside_a_bulk_one(world):
    def handler(connection):
        first = connection.recv(1)
        if first == b"b":
            drain(connection, hashlib.sha256())
        else:
            connection.sendall(first)
            echo(connection)

    port = world.tunnel(world.serve(handler))[2]
    stop = threading.Event()

    def bulk():
        with connect(port) as connection:
            connection.sendall(b"b")
            block = bytes(CHUNK)
            while not stop.is_set():
                connection.sendall(block)

    thread = threading.Thread(target=bulk)
    thread.start()
    try:
        with connect(port) as connection:
            end = time.monotonic() + 2
            rounds = 0
            while time.monotonic() < end:
                connection.sendall(b"i")
                assert connection.recv(1) == b"i"
                rounds += 1
            assert rounds > 10
    finally:
        stop.set()
        thread.join(LIMIT)
