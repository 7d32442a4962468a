"""`peersock mailbox` as a process, and what it answers over HTTP."""

import subprocess
import urllib.error
import urllib.request

from harness import LIMIT


def start(world, *options, **more):
    """A server on a free port of 127.0.0.1; gives it and its address."""
    server = world.start("mailbox", "--listen", "127.0.0.1:0", *options, **more)
    return server, address_of(server.wait_for("mailbox_listening")["url"])


def address_of(url):
    host, port = url.split("/")[2].rsplit(":", 1)
    return host, int(port)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=LIMIT) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def refusal(world, *options, code, env=None, prefix=()):
    """The one sentence of a server that does not start."""
    server = world.start("mailbox", "--listen", "127.0.0.1:0", *options, env=env, prefix=prefix)
    assert server.exit_code() == code, server.text()
    assert len(server.lines) == 2, server.text()  # the error, and the end
    return server.error()["message"]


def make_certificate(folder, name, names="DNS:localhost"):
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    return certificate, key
