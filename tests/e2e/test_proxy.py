"""Through an HTTP proxy: the rendezvous, and TURN over TCP and TLS."""

import threading

import pytest

from harness import clean_environment, exchange, noise
from test_relay import ADDRESS, start_pair, tls, turn  # noqa: F401 (fixtures)
from testbed.http_proxy import Proxy

USER, PASSWORD = "anna", "correct%20horse"


@pytest.fixture
def proxy():
    """Starts proxies; each keeps what was asked of it in `seen`."""
    started = []

    def start(*arguments, **options):
        made = Proxy(("127.0.0.1", 0), *arguments, **options)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        started.append(made)
        return made

    yield start
    for made in started:
        made.shutdown()
        made.server_close()


def url_of(proxy, credentials=""):
    return f"http://{credentials}{'@' if credentials else ''}127.0.0.1:{proxy.server_address[1]}"


def authority(url):
    return url.split("/")[2]


def stdio(world, *arguments, rendezvous=None, **environment):
    return world.start("stdio-a", "--rendezvous", rendezvous or world.mailbox, "--stun", "",
                       "--turn", "", "--timeout", "60", *arguments,
                       env=clean_environment(**environment))


def carry(b):
    port = int(b.wait_for("listening")["address"].rsplit(":", 1)[1])
    data = noise(300_000)
    assert exchange(port, data) == data


def test_rendezvous_and_relay_go_through_it(world, turn, proxy):  # noqa: F811
    house = proxy(f"{USER}:correct horse")
    a, b = start_pair(world, turn, "word", "--relay", "only", "--turn-transport", "tcp",
                      PEERSOCK_PROXY=url_of(house, f"{USER}:{PASSWORD}"))
    b.wait_for("authenticated")
    carry(b)
    assert (200, authority(world.mailbox)) in house.seen
    assert (200, f"{ADDRESS}:{turn}") in house.seen
    assert {status for status, _ in house.seen} == {200}
    for side in (a, b):
        assert "horse" not in side.text()
        with open(f"/proc/{side.process.pid}/environ", "rb") as file:
            assert b"horse" not in file.read()


@pytest.mark.netns
def test_a_relay_in_tls_goes_through_it(world, tls, proxy):  # noqa: F811
    turn_port, prefix = tls
    house = proxy()
    _, b = start_pair(world, turn_port, "word", "--relay", "only", "--turn-transport", "tls",
                      "--proxy", url_of(house), prefix=prefix)
    b.wait_for("authenticated")
    carry(b)
    assert (200, f"{ADDRESS}:{turn_port}") in house.seen


def test_udp_does_not_go_through_it(world, turn, proxy):  # noqa: F811
    house = proxy()
    _, b = start_pair(world, turn, "word", "--relay", "only", "--turn-transport", "udp",
                      "--proxy", url_of(house))
    b.wait_for("authenticated")
    assert {target for _, target in house.seen} == {authority(world.mailbox)}


def test_the_proxy_in_the_arguments_is_hidden(world, proxy):
    house = proxy(f"{USER}:correct horse")
    side = stdio(world, "--proxy", url_of(house, f"{USER}:{PASSWORD}"))
    side.wait_for("code_made")
    with open(f"/proc/{side.process.pid}/cmdline", "rb") as file:
        assert b"horse" not in file.read()


@pytest.mark.parametrize("user, given, said", [
    ("a:b", "", "wants a user name and a password"),
    ("a:b", "a:c", "refuses the user name or password"),
])
def test_a_proxy_that_does_not_know_us_is_exit_code_3(world, proxy, user, given, said):
    house = proxy(user)
    side = stdio(world, "--proxy", url_of(house, given))
    assert side.exit_code(40) == 3, side.text()
    assert said in side.error()["message"]
    assert f"the proxy 127.0.0.1:{house.server_address[1]}" in side.error()["message"]
    assert "a:c" not in side.text()


def test_a_proxy_that_allows_other_ports_only_is_exit_code_3(world, proxy):
    side = stdio(world, "--proxy", url_of(proxy(ports=(443,))))
    assert side.exit_code(40) == 3, side.text()
    assert "does not allow connections to 127.0.0.1:" in side.error()["message"]


def test_a_proxy_that_is_not_there_is_exit_code_3(world):
    side = stdio(world, "--proxy", f"http://127.0.0.1:{world.reserved_port()}")
    assert side.exit_code(40) == 3, side.text()
    assert "the proxy 127.0.0.1:" in side.error()["message"]
    assert "refused the connection" in side.error()["message"]


def stalls(connection):
    while connection.recv(4096):
        pass


def talks_rubbish(connection):
    connection.recv(4096)
    connection.sendall(b"220 mail.test ESMTP\r\n\r\n")


@pytest.mark.parametrize("behaviour, said", [
    (stalls, "did not answer within 5 s"),
    (talks_rubbish, "does not answer as an HTTP proxy does"),
])
def test_a_proxy_that_is_none_is_exit_code_3(world, behaviour, said):
    port = world.serve(behaviour)
    side = stdio(world, "--proxy", f"http://127.0.0.1:{port}")
    assert side.exit_code(60) == 3, side.text()
    assert f"the proxy 127.0.0.1:{port} {said}" in side.error()["message"]


@pytest.mark.parametrize("environment, through", [
    ({"http_proxy": "{}"}, True),
    ({"all_proxy": "{}"}, True),
    ({"ALL_PROXY": "{}"}, True),
    ({"HTTP_PROXY": "{}"}, False),   # curl does not read it either
    ({"https_proxy": "{}"}, False),  # the server is a ws:// one
    ({"http_proxy": "{}", "no_proxy": "127.0.0.0/8"}, False),
    ({"http_proxy": "{}", "NO_PROXY": "*"}, False),
    ({"http_proxy": "http://127.0.0.1:1", "PEERSOCK_PROXY": "{}"}, True),
])
def test_the_usual_variables_count(world, proxy, environment, through):
    house = proxy()
    values = {name: value.replace("{}", url_of(house)) for name, value in environment.items()}
    stdio(world, **values).wait_for("code_made")
    assert bool(house.seen) is through


def test_none_is_used_when_none_is_wanted(world, proxy):
    house = proxy()
    stdio(world, "--proxy", "", http_proxy=url_of(house)).wait_for("code_made")
    assert not house.seen


def test_a_proxy_of_another_kind_in_a_usual_variable_is_a_warning(world):
    side = stdio(world, all_proxy="socks5://127.0.0.1:1080")
    assert "all_proxy" in side.wait_for("warning")["message"]
    side.wait_for("code_made")


def test_a_wrong_proxy_is_exit_code_2(world):
    side = stdio(world, "--proxy", "socks5://me:horse@127.0.0.1")
    assert side.exit_code() == 2
    assert "--proxy is not valid" in side.error()["message"]
    assert "horse" not in side.text()


def test_doctor_looks_at_it(world, turn, proxy):  # noqa: F811
    house = proxy()
    process = world.start("doctor", "--rendezvous", world.mailbox, "--stun", "", "--turn", ADDRESS,
                          "--turn-port", turn, "--turn-user", "user", "--turn-transport", "tcp",
                          "--proxy", url_of(house),
                          env=clean_environment(PEERSOCK_TURN_PASSWORD="word"))
    assert process.exit_code() == 0, process.text()
    servers = [e for e in process.events if e["event"] == "doctor_server"]
    assert [e["kind"] for e in servers] == ["proxy", "rendezvous", "turn"]
    assert servers[0]["name"] == f"127.0.0.1:{house.server_address[1]}"
    assert all(e["works"] for e in servers)
    assert servers[2]["transport"] == "tcp"
