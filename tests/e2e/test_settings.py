"""Command line, environment, configuration file: precedence and errors."""

import os

import pytest

from harness import clean_environment


def run(world, *arguments, env=None):
    return world.start(*arguments, env=env, json_events=False)


@pytest.mark.parametrize("arguments,part", [
    ((), "connect"),
    (("dance",), "connect"),
    (("connect",), None),
    (("connect", "localhost"), "port"),
    (("connect", "localhost:0"), "port"),
    (("connect", "localhost:99999"), "port"),
    (("connect", "localhost:http"), "port"),
    (("connect", "unix:"), "path"),
    (("connect", "unix:" + "x" * 200), "107"),
    (("listen", "70000"), "port"),
    (("listen", "example.org:80"), "address"),
    (("listen", "5900", "--relay", "sometimes"), "auto"),
    (("listen", "5900", "--timeout", "soon"), "seconds"),
    (("listen", "5900", "--timeout", "-1"), None),
    (("listen", "5900", "--rendezvous", "http://x/v1"), "ws or wss"),
    (("listen", "5900", "--rendezvous", "ws://"), None),
    (("listen", "5900", "--stun-port", "0"), "port"),
    (("listen", "5900", "--turn-transport", "pigeon"), "udp"),
    (("listen", "5900", "--code-fd", "77"), "descriptor"),
    (("listen", "5900", "--code-fd", "x"), None),
    (("listen", "5900", "--config", "/nonexistent/file"), "/nonexistent/file"),
    (("listen", "5900", "--frobnicate"), "frobnicate"),
    (("mailbox", "--listen", "x"), None),
])
def test_bad_arguments_get_one_clear_sentence(world, arguments, part):
    peer = run(world, *arguments)
    assert peer.exit_code() == 2, peer.text()
    assert len(peer.lines) == 1, peer.text()
    if part:
        assert part.lower() in peer.text().lower()


@pytest.mark.parametrize("content,parts", [
    ("[ice\n", ["peersock.conf"]),
    ("nonsense\n", ["peersock.conf"]),
    ("[ice]\nstun-port = many\n", ["peersock.conf", "ice", "stun-port"]),
    ("[ice]\nturn-port = 70000\n", ["peersock.conf", "ice", "turn-port"]),
    ("[ice]\nturn-transport = pigeon\n", ["peersock.conf", "ice", "turn-transport", "udp"]),
    ("[ice]\nstum = x\n", ["peersock.conf", "ice", "stum"]),
    ("[rendezvouz]\nurl = ws://x/v1\n", ["peersock.conf", "rendezvouz"]),
    ("[rendezvous]\nurl = gopher://x\n", ["peersock.conf", "rendezvous", "url", "ws or wss"]),
    ("[ice]\nturn = \xff\xfe\n", ["peersock.conf"]),
])
def test_a_malformed_file_names_file_group_key_and_expectation(world, tmp_path, content, parts):
    path = tmp_path / "peersock.conf"
    path.write_bytes(content.encode("latin-1"))
    peer = run(world, "listen", "127.0.0.1:0", env=clean_environment(XDG_CONFIG_HOME=str(tmp_path)))
    assert peer.exit_code() == 2, peer.text()
    for part in parts:
        assert part in peer.text()


def test_precedence_is_command_line_environment_file_default(world, tmp_path):
    (tmp_path / "peersock.conf").write_text(
        f"[rendezvous]\nurl = ws://127.0.0.1:{world.reserved_port()}/v1\n"
        "[ice]\nstun =\nturn =\n")
    home = str(tmp_path)
    mailbox = world.mailbox

    from_file = tmp_path / "other.conf"
    from_file.write_text(f"[rendezvous]\nurl = {mailbox}\n[ice]\nstun =\nturn =\n")
    for arguments, environment in [
        (("--rendezvous", mailbox), {"PEERSOCK_RENDEZVOUS": "ws://127.0.0.1:1/v1"}),
        ((), {"PEERSOCK_RENDEZVOUS": mailbox}),
        (("--config", str(from_file)), {}),
    ]:
        peer = world.start("listen", "127.0.0.1:0", *arguments,
                           env=clean_environment(XDG_CONFIG_HOME=home, **environment))
        assert peer.wait_for("rendezvous_joined")["url"] == mailbox


def test_the_engine_follows_the_same_order_and_is_reported(world, tmp_path):
    (tmp_path / "peersock.conf").write_text("[quic]\nengine = openssl\ncongestion = cubic\n")
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    for arguments, environment, engine in [
        ((), {}, "ngtcp2"),
        ((), home, "openssl"),
        ((), {**home, "PEERSOCK_ENGINE": "ngtcp2"}, "ngtcp2"),
        (("--engine", "ngtcp2", "--congestion", "reno"), {"PEERSOCK_ENGINE": "openssl"}, "ngtcp2"),
    ]:
        a, b = world.pair(("stdio-a",), ("stdio-b", *arguments), second_options={"env": environment})
        assert a.wait_for("authenticated")["engine"] == "ngtcp2"
        assert b.wait_for("authenticated")["engine"] == engine
        assert a.exit_code() == b.exit_code() == 0


def test_a_password_that_others_can_read_is_warned_of(world, tmp_path):
    path = tmp_path / "peersock.conf"
    path.write_text(f"[rendezvous]\nurl = {world.mailbox}\n"
                    "[ice]\nstun =\nturn =\nturn-password = h1dd3n\n")
    os.chmod(path, 0o644)
    peer = world.start("listen", "127.0.0.1:0",
                       env=clean_environment(XDG_CONFIG_HOME=str(tmp_path)))
    peer.wait_for("code_made")
    assert peer.has("warning")
    assert "h1dd3n" not in peer.text()  # no word that a code could have


def test_help_and_version_go_to_standard_output(world):
    import subprocess

    from harness import BINARY
    for option in ("--help", "--version"):
        done = subprocess.run([BINARY, option], capture_output=True, timeout=10, check=False)
        assert done.returncode == 0
        assert b"peersock" in done.stdout
        assert done.stderr == b""
