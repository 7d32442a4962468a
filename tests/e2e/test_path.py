"""What carries the datagrams of a direct path: a socket beside libnice's, or libnice alone."""

import pytest

from harness import BOTH_ENGINES, echo, exchange, noise, with_engines


def carriers(world, first, second, *, first_environment=None):
    """The paths that the sides of a tunnel report, and whether it carries data whole."""
    a = world.peer("connect", f"127.0.0.1:{world.serve(echo)}", *first, env=first_environment)
    b = world.peer("listen", "127.0.0.1:0", *second, code=a.wait_for("code_made")["code"])
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    data = noise(3_000_000)
    assert exchange(port, data) == data
    return [side.wait_for("path_chosen")["datagram_path"] for side in (a, b)]


@with_engines(*BOTH_ENGINES)
def test_a_direct_path_has_a_socket_of_its_own(world):
    assert carriers(world, (), ()) == ["split", "split"]


@with_engines(*BOTH_ENGINES)
def test_each_side_chooses_for_itself(world):
    assert carriers(world, ("--path", "nice"), ("--path", "auto")) == ["nice", "split"]


@with_engines(*BOTH_ENGINES)
@pytest.mark.parametrize("value, carrier", [("nice", "nice"), ("auto", "split")])
def test_the_environment_chooses(world, value, carrier):
    assert carriers(world, (), ("--path", "nice"),
                    first_environment={"PEERSOCK_PATH": value}) == [carrier, "nice"]
