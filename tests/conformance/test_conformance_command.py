"""scripts/conformance as people call it: what it says when something is wrong, and what it writes."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import pytest
from test_conformance_websocket import upgraded

from testbed.conformance import servers
from testbed.conformance.servers import ROOT

BINARY = os.environ.get("PEERSOCK_BINARY", str(ROOT / "build" / "peersock"))
UNREACHABLE = 3


def conformance(*arguments):
    return subprocess.run([ROOT / "scripts" / "conformance", *map(str, arguments)],
                          capture_output=True, text=True, timeout=120, check=False)


def hears_interrupts():
    """A shell starts what it puts in the background with SIGINT ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def complains(done, code, part):
    """One sentence on standard error, nothing else."""
    assert done.returncode == code, done.stderr
    assert part in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments,part", [
    ((), "Give its URL"),
    (("http://127.0.0.1/v1",), "must begin with ws:// or wss://"),
    (("ws://127.0.0.1:99999",), "is no URL"),
    (("ws://127.0.0.1", "--only", "nothing.*"), "no case matches"),
    (("ws://127.0.0.1", "--as", "nobody"), "--as wants one of"),
    (("ws://127.0.0.1", "--given", "colour=blue"), "--given wants NAME=VALUE"),
    (("ws://127.0.0.1", "--given", "prunes=soon"), "wants a number of seconds"),
    (("ws://127.0.0.1", "--jobs", "0"), "positive numbers"),
    (("ws://127.0.0.1", "--timeout", "nan"), "positive numbers"),
    (("wss://127.0.0.1", "--ca", "/nonexistent"), "no file of certificates"),
])
def test_wrong_usage_is_told_in_one_sentence(arguments, part):
    complains(conformance(*arguments), 2, part)


def test_nobody_listens(serve):
    with socket.socket() as held:  # bound, but not listening: nobody else gets the port
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        complains(conformance(f"ws://127.0.0.1:{port}"), UNREACHABLE, "Connection refused")


def test_a_name_that_does_not_exist():
    complains(conformance("ws://nobody.invalid"), UNREACHABLE, "nobody.invalid")


def test_a_web_server_is_no_rendezvous_server(serve):
    def handler(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1)

    complains(conformance(f"ws://127.0.0.1:{serve(handler)}"), UNREACHABLE, "HTTP status 404")


def test_a_server_of_another_protocol(serve):
    def handler(connection):
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.recv(4096)

    complains(conformance(f"ws://127.0.0.1:{serve(handler)}"), UNREACHABLE, "does not speak HTTP")


def test_a_server_that_says_nothing(serve):
    stop = threading.Event()
    port = serve(lambda connection: stop.wait(60))
    complains(conformance(f"ws://127.0.0.1:{port}", "--timeout", "0.5"), UNREACHABLE, "no answer")
    stop.set()


def test_a_websocket_without_a_rendezvous_server(serve):
    def handler(connection):
        upgraded(connection, b"\x81\x02hi")
        connection.recv(1)

    complains(conformance(f"ws://127.0.0.1:{serve(handler)}"), UNREACHABLE,
              "no rendezvous server that works")


def test_no_tls_where_it_is_asked_for(serve):
    def handler(connection):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    complains(conformance(f"wss://127.0.0.1:{serve(handler)}"), UNREACHABLE, "no TLS on that port")


@pytest.fixture(scope="module")
def url():
    with servers.peersock(BINARY) as made:
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    return folder


def tls_front(certificate, url):
    """A handler that takes TLS off and passes the rest on to the server."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    port = int(url.rsplit(":", 1)[1].split("/")[0])

    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)

    def handler(connection):
        with contextlib.suppress(OSError), context.wrap_socket(
                connection, server_side=True) as near, socket.create_connection(
                    ("127.0.0.1", port)) as far:
            threading.Thread(target=copy, args=(far, near), daemon=True).start()
            copy(near, far)

    return handler


def test_a_certificate_that_is_not_trusted(serve, certificate, url):
    port = serve(tls_front(certificate, url))
    complains(conformance(f"wss://localhost:{port}"), UNREACHABLE, "not trusted")


def test_the_suite_speaks_tls(serve, certificate, url):
    port = serve(tls_front(certificate, url))
    done = conformance(f"wss://localhost:{port}", "--ca", certificate / "cert.pem",
                       "--only", "ping.*", "--only", "http.greeting", "--only", "frames.long",
                       "--quiet")
    assert (done.returncode, done.stdout) == (0, "5 passed, 0 failed\n"), done.stderr


def test_reports_go_where_they_are_asked_for(url, tmp_path):
    done = conformance(url, "--only", "ping.*", "--only", "slow.ping", "--json", tmp_path / "r.json",
                       "--junit", tmp_path / "r.xml")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "3 passed, 0 failed, 1 not checked"
    assert json.loads((tmp_path / "r.json").read_text())["totals"]["pass"] == 3
    assert ElementTree.parse(tmp_path / "r.xml").getroot().get("tests") == "4"
    assert done.stderr == ""  # no progress where there is no terminal


def test_json_on_standard_output_is_alone_there(url):
    done = conformance(url, "--only", "ping.*", "--json", "-")
    assert json.loads(done.stdout)["totals"]["pass"] == 3


def test_a_report_that_cannot_be_written(url, tmp_path):
    done = conformance(url, "--only", "ping.echo", "--json", tmp_path / "no" / "r.json")
    assert done.returncode == 2 and "cannot write" in done.stderr


def test_a_server_that_fails_a_required_case(url):
    # It is held to be a server that cuts where ours answers.
    done = conformance(url, "--only", "bad.empty", "--as", "reference-0.8.0")
    assert done.returncode == 1
    assert "it holds, though reference-0.8.0 is known to differ" in " ".join(done.stdout.split())


def test_the_list_names_every_case():
    done = conformance("--list")
    assert done.returncode == 0
    assert "| `crowded.claim` | required |" in done.stdout
    assert conformance("--list", "--only", "ping.*").stdout.count("| `") == 3


def test_an_interrupt_ends_it_at_once(serve):
    stop, reached = threading.Event(), threading.Event()

    def handler(connection):
        reached.set()
        stop.wait(60)

    command = subprocess.Popen(
        [ROOT / "scripts" / "conformance", f"ws://127.0.0.1:{serve(handler)}"],
        stderr=subprocess.PIPE, text=True, preexec_fn=hears_interrupts)
    assert reached.wait(30)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=30)
    stop.set()
    assert command.returncode == 130
    assert "Traceback" not in errors
