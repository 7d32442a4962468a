"""Servers by name: of one address or several, of which not every one answers."""

import os

import pytest

from harness import LIMIT, clean_environment, exchange
from test_relay import ADDRESS, start_pair, turn  # noqa: F401 (a fixture)

pytestmark = pytest.mark.netns

NAMES = f"""127.0.0.1 one.test
127.0.0.9 several.test
127.0.0.1 several.test
{ADDRESS} turn.test
127.0.0.9 turns.test
{ADDRESS} turns.test
"""


@pytest.fixture
def names(tmp_path):
    """What makes a program know these names."""
    hosts = tmp_path / "hosts"
    hosts.write_text(NAMES)
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *user, "--mount", "sh", "-c",
            'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts))


@pytest.mark.parametrize("name", ["one.test", "several.test"])
def test_a_rendezvous_server(world, names, name):
    url = world.mailbox.replace("127.0.0.1", name)
    side = world.start("stdio-a", "--rendezvous", url, "--stun", "", "--turn", "", prefix=names)
    side.wait_for("code_made")


@pytest.mark.parametrize("name, transport", [
    ("turn.test", "udp"), ("turn.test", "tcp"), ("turn.test", "auto"),
    ("turns.test", "tcp"), ("turns.test", "auto"),
])
def test_a_turn_server(world, turn, names, name, transport):  # noqa: F811
    _, b = start_pair(world, turn, "word", "--relay", "only", "--turn", name, "--turn-transport",
                      transport, prefix=names)
    b.wait_for("authenticated", limit=2 * LIMIT)
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"


def test_a_name_that_is_not_known(world, turn, names):  # noqa: F811
    side = world.start("doctor", "--rendezvous", world.mailbox, "--stun", "", "--turn",
                       "nobody.test", "--turn-transport", "tcp", prefix=names,
                       env=clean_environment(PEERSOCK_TURN_PASSWORD="word"))
    side.exit_code()
    found = [e for e in side.events if e["event"] == "doctor_server" and e["kind"] == "turn"]
    assert not found[0]["works"] and "nobody.test" in found[0]["problem"]
