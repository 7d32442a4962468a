"""Several rendezvous servers: where a code is made, how it says so, and who follows it."""

import re

import pytest

from harness import clean_environment, echo, exchange
from scripted_mailbox import Close, Raw, Rule, Say, ScriptedMailbox, Silence

ICE = ("--stun", "", "--turn", "")
MADE = ["warning", "rendezvous_joined", "code_made"]
FAILED = ["error", "ended"]


def kinds(peer):
    return [event["event"] for event in peer.events]


def servers(*urls):
    return [part for url in urls for part in ("--rendezvous", url)]


def start(world, mode, where, urls, code=None, env=None, extra=()):
    environment = clean_environment(**(env or {}), **({"PEERSOCK_CODE": code} if code else {}))
    return world.start(mode, where, *servers(*urls), *ICE, *extra, env=environment)


def target(world):
    return f"127.0.0.1:{world.serve(echo)}"


def use(world, urls, code):
    """Joins as the other side and sends something through."""
    user = start(world, "listen", "127.0.0.1:0", urls, code)
    user.wait_for("authenticated")
    port = int(user.wait_for("listening")["address"].rsplit(":", 1)[1])
    assert exchange(port, b"hello") == b"hello"
    return user


def scripted(step, *actions):
    return lambda world: ScriptedMailbox(world, [Rule(step, list(actions))]).url


def without_tls(world):
    return world.mailbox.replace("ws://", "wss://")


# What is wrong with the first server, and the reason that is given.
DEAD = {
    "refused": (lambda world: f"ws://127.0.0.1:{world.reserved_port()}/v1", "refused the connection"),
    "name unknown": (lambda _: "ws://peersock.invalid:4000/v1", "peersock.invalid:4000"),
    "silent": (scripted("connect", Silence()), "did not answer the WebSocket handshake within 5 s"),
    "no TLS": (without_tls, "try ws://"),
    "HTTP 404": (scripted("upgrade", Raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")),
                 "answered HTTP 404 Not Found"),
    "HTTP 503": (scripted("upgrade", Raw(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")),
                 "answered HTTP 503"),
    "another service": (scripted("connect", Raw(b"220 mail.test ESMTP\r\n")), "127.0.0.1:"),
    "another protocol": (scripted("welcome", Say("220 mail.test ESMTP")),
                         "it sent something that is not JSON"),
    "unwelcoming": (scripted("welcome", Say({"type": "welcome",
                                             "welcome": {"error": "closed on sundays"}})),
                    "it turns its clients away (closed on sundays)"),
    "closing": (scripted("welcome", Close(1001)), "the server is going away"),
    "silent after connecting": (scripted("welcome", Silence()), "it does not answer"),
}


@pytest.mark.parametrize("name", DEAD)
def test_a_code_is_made_on_the_second_server_when_the_first_is_of_no_use(world, name):
    make, reason = DEAD[name]
    dead = make(world)
    urls = (dead, world.mailbox)
    maker = start(world, "connect", target(world), urls)
    code = maker.wait_for("code_made")["code"]
    assert re.fullmatch(r"2-[0-9]+(-[a-z]{3,8}){3}", code)
    assert kinds(maker) == MADE, maker.text()
    said = maker.wait_for("warning")["message"]
    assert said.startswith(f"Rendezvous server 1, {dead}, cannot be used (")
    assert reason in said
    assert said.endswith(f"; trying server 2, {world.mailbox}")
    assert maker.wait_for("rendezvous_joined")["url"] == world.mailbox
    user = use(world, urls, code)
    assert user.wait_for("rendezvous_joined")["url"] == world.mailbox
    assert not user.has("warning"), user.text()


def test_a_server_that_fails_after_its_welcome_is_left_too(world):
    first = ScriptedMailbox(world, [Rule("allocated", [Close()])])
    maker = start(world, "connect", target(world), (first.url, world.mailbox))
    maker.wait_for("code_made")
    assert kinds(maker) == ["rendezvous_joined", *MADE], maker.text()
    assert maker.wait_for("rendezvous_joined", 1)["url"] == first.url
    assert maker.wait_for("rendezvous_joined", 2)["url"] == world.mailbox


def test_a_first_server_that_works_leaves_the_code_as_it_was(world):
    other = ScriptedMailbox(world)
    urls = (world.mailbox, other.url)
    maker = start(world, "connect", target(world), urls)
    code = maker.wait_for("code_made")["code"]
    assert re.fullmatch(r"[0-9]+(-[a-z]{3,8}){3}", code)
    use(world, urls, "1-" + code)
    assert other.connections == 0


def test_the_user_of_a_code_tries_no_other_server(world):
    good = ScriptedMailbox(world)
    urls = (f"ws://127.0.0.1:{world.reserved_port()}/v1", good.url)
    user = start(world, "listen", "127.0.0.1:0", urls, "8-lab-name-blanket")
    assert user.exit_code(40) == 3, user.text()
    assert kinds(user) == ["warning", *FAILED]
    assert "refused the connection" in user.error()["message"]
    assert good.connections == 0


@pytest.mark.parametrize("given", ["2-8-lab-name-blanket", "9 8 LAB name blan"])
def test_a_code_of_a_server_that_is_not_configured_is_refused_before_any_network_use(world, given):
    server = ScriptedMailbox(world)
    user = start(world, "listen", "127.0.0.1:0", (server.url,), given)
    assert user.exit_code() == 2, user.text()
    assert kinds(user) == FAILED
    assert user.error()["message"].startswith(
        f"The code was made on rendezvous server {given[0]} and only 1 is configured here")
    assert server.connections == 0


def test_an_agreed_code_names_its_server_on_both_sides(world):
    other = ScriptedMailbox(world)
    urls = (other.url, world.mailbox)
    code = "2-4711-lab-name-blanket"
    maker = start(world, "connect", target(world), urls, code)
    maker.wait_for("rendezvous_joined")
    use(world, urls, code)
    maker.wait_for("authenticated")
    assert other.connections == 0


def test_the_same_password_holds_for_lists_that_differ(world):
    """Only the position that the code names has to lead to the same server."""
    maker = start(world, "connect", target(world),
                  (f"ws://127.0.0.1:{world.reserved_port()}/v1", world.mailbox))
    code = maker.wait_for("code_made")["code"]
    use(world, (world.mailbox,), code.removeprefix("2-"))


def test_all_servers_are_tried_again_and_named_in_the_end(world):
    urls = [f"ws://127.0.0.1:{world.reserved_port()}/v1" for _ in range(3)]
    maker = start(world, "connect", target(world), urls)
    assert maker.exit_code(40) == 3, maker.text()
    assert kinds(maker) == ["warning", "warning", "warning", *FAILED], maker.text()
    for url in urls:
        assert url in maker.error()["message"]
    assert "None of the 3 rendezvous servers can be used" in maker.error()["message"]
    assert "--rendezvous" in maker.error()["message"]


def test_servers_that_all_refuse_end_it_at_once(world):
    away = scripted("welcome", Say({"type": "welcome", "welcome": {"error": "closed"}}))
    maker = start(world, "connect", target(world), (away(world), away(world)))
    assert maker.exit_code() == 3, maker.text()
    assert kinds(maker) == ["warning", *FAILED], maker.text()


def test_a_server_that_comes_back_is_found_in_a_later_round(world):
    back = ScriptedMailbox(world, [Rule("connect", [Close()], times=1)])
    maker = start(world, "connect", target(world),
                  (f"ws://127.0.0.1:{world.reserved_port()}/v1", back.url))
    assert maker.wait_for("code_made")["code"].startswith("2-8-")
    assert kinds(maker) == ["warning", "warning", "rendezvous_joined", "code_made"], maker.text()


def test_the_list_may_stand_in_the_environment_and_in_the_file(world, tmp_path):
    dead = f"ws://127.0.0.1:{world.reserved_port()}/v1"
    (tmp_path / "peersock.conf").write_text(f"[rendezvous]\nurl = {dead};{world.mailbox}\n")
    for env in ({"PEERSOCK_RENDEZVOUS": f"{dead}, {world.mailbox}"},
                {"PEERSOCK_RENDEZVOUS": f"{dead} {world.mailbox}"},
                {"XDG_CONFIG_HOME": str(tmp_path)}):
        maker = start(world, "connect", target(world), (), env=env)
        assert maker.wait_for("code_made")["code"].startswith("2-"), maker.text()
