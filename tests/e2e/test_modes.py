"""The main job: every pair of modes that makes sense, with real bytes."""

import os
import pathlib
import socket
import stat
import struct
import subprocess
import threading

import pytest

from harness import (EVERY_PAIR, LIMIT, connect, echo, exchange, noise, receive_all,
                     with_engines)


pytestmark = with_engines(*EVERY_PAIR)


def test_listen_and_connect_carry_a_connection(world):
    port = world.tunnel(world.serve(echo))[2]
    data = noise(300_000)
    assert exchange(port, data) == data


def test_the_listening_side_may_make_the_code(world):
    target = world.serve(echo)
    listening = world.peer("listen", "127.0.0.1:0")
    code = listening.wait_for("code_made")["code"]
    world.peer("connect", f"127.0.0.1:{target}", code=code).wait_for("authenticated")
    port = int(listening.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"


def test_both_sides_may_type_a_code_they_agreed_on(world):
    target = world.serve(echo)
    code = "4242-abandon-zoo-zebra"
    a = world.peer("connect", f"127.0.0.1:{target}", code=code)
    b = world.peer("listen", "127.0.0.1:0", code=code)
    a.wait_for("authenticated")
    b.wait_for("authenticated")
    assert not a.has("code_made")


def test_many_connections_at_once_and_one_after_another(world):
    port = world.tunnel(world.serve(echo))[2]
    data = noise(20_000)
    results = []

    def one():
        results.append(exchange(port, data) == data)

    for _ in range(3):
        threads = [threading.Thread(target=one) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
    assert results == [True] * 90


def test_half_close_keeps_the_other_direction_open(world):
    def after_end(connection):
        data = receive_all(connection)
        connection.sendall(b"got %d" % len(data))

    port = world.tunnel(world.serve(after_end))[2]
    assert exchange(port, b"x" * 1000) == b"got 1000"


def test_a_reset_of_the_target_is_a_reset_of_the_client(world):
    def reset(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    port = world.tunnel(world.serve(reset))[2]
    with connect(port) as connection:
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            receive_all(connection)


def test_a_reset_of_the_client_is_a_reset_of_the_target(world):
    seen = threading.Event()

    def target(connection):
        connection.sendall(connection.recv(1))
        try:
            receive_all(connection)
        except ConnectionResetError:
            seen.set()

    port = world.tunnel(world.serve(target))[2]
    connection = connect(port)
    connection.sendall(b"x")
    # The target must be there before it can be reset.
    assert connection.recv(1) == b"x"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert seen.wait(LIMIT)


def test_a_refused_target_is_a_reset_and_the_session_lives_on(world):
    target = world.reserved_port()
    connecting, listening, port = world.tunnel(target)
    with pytest.raises(ConnectionResetError), connect(port) as connection:
        receive_all(connection)
    assert connecting.wait_for("connection_closed")["reason"] == "refused"
    assert listening.wait_for("connection_closed")["reason"] == "refused"
    with socket.create_server(("127.0.0.1", target)) as server:
        with connect(port) as connection:
            server.settimeout(LIMIT)
            accepted, _ = server.accept()
            with accepted:
                accepted.settimeout(LIMIT)
                accepted.sendall(b"now it is there")
                accepted.shutdown(socket.SHUT_WR)
                assert receive_all(connection) == b"now it is there"


def test_once_ends_both_sides(world):
    connecting, listening, port = world.tunnel(world.serve(echo), "--once")
    assert exchange(port, b"one") == b"one"
    assert listening.exit_code() == 0, listening.text()
    assert connecting.exit_code() == 0, connecting.text()


def stdio_pair(world, first, second, to_first, to_second):
    """Runs two stdio sides to their ends; returns what each wrote to its stdout."""
    a = world.peer(first, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    code = a.wait_for("code_made")["code"]
    b = world.peer(second, code=code, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    results = {}

    def run(name, peer, data):
        results[name] = peer.process.communicate(data, timeout=60)[0]

    # communicate() would read stderr too; it is being read already.
    a_err, a.process.stderr = a.process.stderr, None
    b_err, b.process.stderr = b.process.stderr, None
    threads = [threading.Thread(target=run, args=x)
               for x in (("a", a, to_first), ("b", b, to_second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(70)
    a.process.stderr, b.process.stderr = a_err, b_err
    assert a.exit_code() == 0, a.text()
    assert b.exit_code() == 0, b.text()
    return results["a"], results["b"]


@pytest.mark.parametrize("size_a,size_b", [(0, 0), (1, 0), (0, 1), (5_000_000, 3_000_000)])
def test_stdio_carries_both_directions_to_the_last_octet(world, size_a, size_b):
    a, b = noise(size_a, 1), noise(size_b, 2)
    assert stdio_pair(world, "stdio-a", "stdio-b", a, b) == (b, a)


def test_stdio_works_with_either_side_making_the_code(world):
    assert stdio_pair(world, "stdio-b", "stdio-a", b"from b", b"from a") == (b"from a", b"from b")


def test_listen_with_stdio(world):
    a = world.peer("stdio-a", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    code = a.wait_for("code_made")["code"]
    listening = world.peer("listen", "127.0.0.1:0", code=code)
    port = int(listening.wait_for("listening")["address"].rsplit(":", 1)[1])
    with connect(port) as connection:
        connection.sendall(b"to stdio")
        connection.shutdown(socket.SHUT_WR)
        assert a.process.stdout.read() == b"to stdio"
        a.process.stdin.write(b"from stdio")
        a.process.stdin.close()
        assert receive_all(connection) == b"from stdio"
    assert a.exit_code() == 0, a.text()
    assert listening.exit_code() == 0, listening.text()


def test_stdio_with_connect(world):
    b = world.peer("stdio-b", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    code = b.wait_for("code_made")["code"]
    connecting = world.peer("connect", f"127.0.0.1:{world.serve(echo)}", code=code)
    b.process.stdin.write(b"through stdio")
    b.process.stdin.close()
    assert b.process.stdout.read() == b"through stdio"
    assert b.exit_code() == 0, b.text()
    assert connecting.exit_code() == 0, connecting.text()


@pytest.mark.parametrize("first,second", [
    (("listen", "127.0.0.1:0"), ("listen", "127.0.0.1:0")),
    (("connect", "127.0.0.1:9"), ("connect", "127.0.0.1:9")),
    (("stdio-a",), ("stdio-a",)),
    (("stdio-b",), ("stdio-b",)),
    (("listen", "127.0.0.1:0"), ("stdio-b",)),
    (("connect", "127.0.0.1:9"), ("stdio-a",)),
])
def test_two_of_the_same_kind_are_refused_on_both_sides(world, first, second):
    a = world.peer(*first)
    b = world.peer(*second, code=a.wait_for("code_made")["code"])
    for side in (a, b):
        assert side.exit_code() == 2, side.text()
        assert side.error()["kind"] == "incompatible"


def test_unix_sockets_on_both_sides(world, tmp_path):
    target = tmp_path / "target.sock"
    entry = tmp_path / "entry.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(target))
        server.listen()
        _, listening = world.pair(("connect", f"unix:{target}"), ("listen", f"unix:{entry}"))
        listening.wait_for("listening")
        assert stat.S_IMODE(os.stat(entry).st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LIMIT)
            client.connect(str(entry))
            client.sendall(b"hello")
            server.settimeout(LIMIT)
            accepted, _ = server.accept()
            with accepted:
                accepted.settimeout(LIMIT)
                assert accepted.recv(100) == b"hello"
                accepted.sendall(b"bye")
            assert receive_all(client) == b"bye"
        listening.interrupt()
        assert listening.exit_code() == 130
        assert not entry.exists()


def test_a_stale_unix_socket_is_replaced(world, tmp_path):
    entry = tmp_path / "entry.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(entry))
    _, listening = world.pair(("connect", f"127.0.0.1:{world.serve(echo)}"),
                              ("listen", f"unix:{entry}"))
    listening.wait_for("listening")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect(str(entry))
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == b"hello"


def test_a_file_that_is_no_socket_is_never_replaced(world, tmp_path):
    entry = tmp_path / "precious"
    entry.write_text("keep me")
    listening = world.peer("listen", f"unix:{entry}")
    assert listening.exit_code() == 9, listening.text()
    assert entry.read_text() == "keep me"


def test_the_default_listener_takes_both_families(world):
    target = world.serve(echo)
    _, listening = world.pair(("connect", f"127.0.0.1:{target}"), ("listen", "0"))
    addresses = [listening.wait_for("listening", count=n)["address"] for n in (1, 2)] \
        if pathlib.Path("/proc/net/if_inet6").read_text().strip() else \
        [listening.wait_for("listening")["address"]]
    for address in addresses:
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host.strip("[]"), int(port)), timeout=LIMIT) as connection:
            connection.sendall(b"hello")
            connection.shutdown(socket.SHUT_WR)
            assert receive_all(connection) == b"hello"


def test_text_mode_prints_what_people_are_promised(world):
    target = world.serve(echo)
    a = world.peer("connect", f"127.0.0.1:{target}", json_events=False)
    line = a.wait_for_line("Connection Code is: ")
    code = line.split("Connection Code is: ")[1].strip()
    b = world.peer("listen", "127.0.0.1:0", code=code, json_events=False)
    for side in (a, b):
        side.wait_for_line("Auth success")
