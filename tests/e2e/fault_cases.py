"""What a rendezvous server does wrong, and what a user then sees: the table behind
test_client_faults.py. `events` are the kinds of all events in their order."""

import dataclasses
import json

import websocket
from scripted_mailbox import (HONEST, Close, Delay, Drop, Flood, Honest, Later, Pings, Raw, Rule, Say,
                              Silence)

JOINED = ["rendezvous_joined"]
MADE = ["rendezvous_joined", "code_made"]
FAILED = ["error", "ended"]
RETRIED = ["warning", "error", "ended"]
KINDS = {3: "rendezvous", 4: "code_in_use", 5: "authentication", 8: "connection_lost"}


@dataclasses.dataclass
class Case:
    name: str
    rules: list
    events: list
    exit_code: int = 0
    says: str = ""  # part of the error's sentence
    history: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return self.name


def message(side, phase, body):
    return {"type": "message", "side": side, "phase": phase, "body": body}


def error(text, request):
    return {"type": "error", "error": text, "orig": {"type": request}}


def welcome(**members):
    return {"type": "welcome", "welcome": members}


def at(step, *actions, **options):
    return [Rule(step, list(actions), **options)]


def pake(element):
    return json.dumps({"pake_v1": element}).encode().hex()


# The messages of docs/spec/rendezvous.md: of a session long gone.
OLD_ELEMENTS = ("5391fa5ba8fd3a96516c40e5708e3f063ff1e0700dc80852e18ce0d6d8b871daf1",
                "538edb15c7ac32446d30c82e379587ed78cafb31cd9f7bc8854574204fc6f0a5e6")
REFUSED = "refused \"{}\" (out of tea)"
NOT_JSON = "sent something that is not JSON"
STRANGER = "c0ffee0000"

# A maker of a code, alone with the server. It ends by itself, at once.
ENDS = [
    # Refusals.
    Case("welcome with an error", at("welcome", Say(welcome(error="closed on sundays"))),
         FAILED, 3, "turns its clients away (closed on sundays)"),
    Case("error with control characters", at("welcome", Say(welcome(error="a\x1b[2Jb\nc"))),
         FAILED, 3, "(a[2Jb c)"),
    Case("permission required",
         at("welcome", Say(welcome(**{"permission-required": {"hashcash": {"bits": 20}}}))),
         FAILED, 3, "asks for a permission"),
    Case("error instead of a welcome", at("welcome", Say(error("out of tea", "bind"))),
         FAILED, 3, REFUSED.format("bind")),
    Case("error to allocate", at("allocated", Say(error("out of tea", "allocate"))),
         JOINED + FAILED, 3, REFUSED.format("allocate")),
    Case("crowded before there is a code", at("allocated", Say(error("crowded", "allocate"))),
         JOINED + FAILED, 3, "refused \"allocate\" (crowded)"),
    Case("error to claim", at("claimed", Say(error("out of tea", "claim"))),
         MADE + FAILED, 3, REFUSED.format("claim")),
    Case("crowded at claim", at("claimed", Say(error("crowded", "claim"))),
         MADE + FAILED, 4, "Someone else used this code; make a new code"),
    Case("reclaimed", at("claimed", Say(error("reclaimed", "claim"))),
         MADE + FAILED, 4, "This code has been used before"),
    Case("error to open", at("echo pake", Say(error("out of tea", "open"))),
         MADE + FAILED, 3, REFUSED.format("open")),
    Case("crowded at open", at("echo pake", Say(error("crowded", "open"))),
         MADE + FAILED, 4, "Someone else used this code"),
    Case("error to add", at("echo pake", Say(error("out of tea", "add"))),
         MADE + FAILED, 3, REFUSED.format("add")),
    Case("error to nothing", at("echo pake", Say({"type": "error", "error": "out of tea"})),
         MADE + FAILED, 3, "reported an error (out of tea)"),
    # Frames that are none of the protocol.
    Case("not JSON", at("welcome", Say("hello?")), FAILED, 3, NOT_JSON),
    Case("half a message", at("claimed", Say('{"type":"claimed","mail')), MADE + FAILED, 3,
         NOT_JSON),
    Case("an empty frame", at("allocated", Say("")), JOINED + FAILED, 3, NOT_JSON),
    Case("a binary frame of noise", at("claimed", Say(bytes(range(256)), websocket.BINARY)),
         MADE + FAILED, 3, NOT_JSON),
    Case("an array", at("claimed", Say([1, 2])), MADE + FAILED, 3, "JSON that is not an object"),
    Case("a number", at("welcome", Say("7")), FAILED, 3, "JSON that is not an object"),
    Case("no type", at("claimed", Say({"mailbox": "x"})), MADE + FAILED, 3,
         "a message without a type"),
    Case("a type that is a number", at("claimed", Say({"type": 7})), MADE + FAILED, 3,
         "a message without a type"),
    Case("nested without end", at("claimed", Say("[" * 100000)), MADE + FAILED, 3, NOT_JSON),
    Case("a million members", at("claimed", Say('{"type":"x","x":[' + "0," * 1000000 + "0]}")),
         MADE + FAILED, 3, NOT_JSON),
    # Members that are missing or of another type.
    *[Case(f"welcome that is {what!r}", at("welcome", Say({"type": "welcome", "welcome": what})),
           FAILED, 3, "\"welcome\" without a usable \"welcome\"") for what in ([], "x", 7, None)],
    Case("motd that is a number", at("welcome", Say(welcome(motd=7))), FAILED, 3, "usable \"motd\""),
    Case("error that is an object", at("claimed", Say({"type": "error", "error": {}})),
         MADE + FAILED, 3, "usable \"error\""),
    *[Case(f"allocated {what!r}", at("allocated", Honest({"nameplate": what})), JOINED + FAILED, 3,
           "\"allocated\" without a usable \"nameplate\"")
      for what in (8, None, "", "eight", "-8", "8 ", "٨", "9" * 41)],
    Case("allocated without a nameplate", at("allocated", Honest(without=("nameplate",))),
         JOINED + FAILED, 3, "usable \"nameplate\""),
    *[Case(f"claimed {what!r}", at("claimed", Honest({"mailbox": what})), MADE + FAILED, 3,
           "usable \"mailbox\"") for what in (7, None, [])],
    *[Case(f"claimed a mailbox of {len(what)} octets", at("claimed", Honest({"mailbox": what})),
           MADE + FAILED, 3, "an unusable mailbox name") for what in ("", "m" * 257)],
    *[Case(f"message without {member}", at("echo pake", Honest(without=(member,))), MADE + FAILED,
           3, f"usable \"{member}\"") for member in ("side", "phase", "body")],
    Case("body that is an object", at("echo pake", Honest({"body": {}})), MADE + FAILED, 3,
         "usable \"body\""),
    # What an evil peer, or a server in its place, puts into the mailbox.
    Case("a pake that is not hexadecimal",
         at("echo pake", HONEST, Say(message(STRANGER, "pake", "xyz"))), MADE + FAILED, 8,
         "not hexadecimal"),
    Case("a pake that is none", at("echo pake", HONEST, Say(message(STRANGER, "pake", "7b7d"))),
         MADE + FAILED, 8, "a key exchange message that cannot be read"),
    Case("our pake under another name", at("echo pake", HONEST, Honest({"side": STRANGER})),
         MADE + FAILED, 8, "copy of ours"),
    Case("a message under an empty name",
         at("echo pake", HONEST, Say(message("", "pake", "00"))), MADE + FAILED, 8,
         "unusable name"),
    Case("two strangers", at("echo pake", Say(message(STRANGER, "x", "00")),
                             Say(message("bad0000000", "x", "00"))), MADE + FAILED, 4,
         "Someone else used this code"),
    Case("a message far ahead", at("echo pake", Say(message(STRANGER, "9" * 30, "00"))),
         MADE + FAILED, 8, "more messages than can be kept"),
    Case("the history of an older session", [], MADE + FAILED, 4, "Someone else used this code",
         history=[message("a1d0000000", "pake", pake(OLD_ELEMENTS[0])),
                  message("b2d0000000", "pake", pake(OLD_ELEMENTS[1]))]),
]

# A maker of a code whose server never gets further: it tries again, and gives up after 20 s.
SENTENCE = "did not answer within 20 s"
UNREACHED = "could not be reached within 20 s"
GIVES_UP = [
    Case("drops at connect", at("connect", Drop()), RETRIED, 3, UNREACHED),
    Case("silent at connect", at("connect", Silence()), RETRIED, 3,
         "did not answer the WebSocket handshake within 5 s"),
    Case("an SSH server", at("connect", Raw(b"SSH-2.0-OpenSSH_9.2\r\n")), RETRIED, 3, UNREACHED),
    *[Case(f"HTTP {status}", at("upgrade", Raw(
        f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())), RETRIED, 3,
        f"answered HTTP {status}") for status in ("404 Not Found", "503 Service Unavailable")],
    Case("HTTP 200", at("upgrade", Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")),
         RETRIED, 3, "answered HTTP 200"),
    Case("a redirect", at("upgrade", Raw(
        b"HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/v1\r\nContent-Length: 0\r\n\r\n")),
        RETRIED, 3, "answered HTTP 301"),
    Case("a wrong answer to the handshake", at("upgrade", Raw(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n")), RETRIED, 3, UNREACHED),
    Case("silent at upgrade", at("upgrade", Silence()), RETRIED, 3,
         "did not answer the WebSocket handshake within 5 s"),
    Case("silent at welcome", at("welcome", Silence()), FAILED, 3, UNREACHED),
    Case("closes at welcome", at("welcome", Close()), RETRIED, 3, "closed the connection"),
    Case("drops at welcome", at("welcome", Drop()), RETRIED, 3, UNREACHED),
    Case("silent at allocate", at("allocated", Silence()), JOINED + FAILED, 3, SENTENCE),
    Case("closes at allocate", at("allocated", Close()), JOINED + RETRIED, 3, SENTENCE),
    Case("drops at allocate", at("allocated", Drop()), JOINED + RETRIED, 3, SENTENCE),
    Case("silent at claim", at("claimed", Silence()), MADE + FAILED, 3, SENTENCE),
    Case("closes at claim", at("claimed", Close(1000)), MADE + RETRIED, 3, SENTENCE),
    Case("silent at open", at("echo pake", Silence()), MADE + FAILED, 3, SENTENCE),
    Case("drops at open", at("echo pake", Drop()), MADE + RETRIED, 3, SENTENCE),
    Case("echoes another body", at("echo pake", Honest({"body": "00"})), MADE + FAILED, 3, SENTENCE),
    Case("a message of 5 MiB", at("claimed", Say("x" * (5 << 20))), MADE + RETRIED, 3, "too long"),
    Case("a message without end", at("claimed", Flood()), MADE + RETRIED, 3, "too long"),
    Case("masked frames", at("claimed", Raw(b"\x81\x82\x00\x00\x00\x00{}")), MADE + RETRIED, 3,
         "broke the WebSocket protocol"),
    Case("octets that are not UTF-8", at("claimed", Say(b'{"type":"\xff\xfe"}')), MADE + RETRIED, 3,
         SENTENCE),
    Case("noise instead of frames", at("claimed", Raw(b"\xf7" * 4096)), MADE + RETRIED, 3,
         SENTENCE),
]

# What a server says to a maker, and how many events that have come by then.
STEPS = {"welcome": 0, "allocated": 1, "claimed": 2, "echo pake": 2, "peer pake": 2,
         "peer version": 2, "peer 0": 3}
ARRIVED = ["peer_arrived", "path_chosen", "authenticated"]
CHATTER = [{"type": "pong"}, {"type": "ack"}, {"type": "nameplates", "nameplates": [{"id": "8"}]},
           {"type": "released"}, {"type": "closed"}, {"type": "tea", "for": 2},
           {"type": "claimed", "mailbox": "another"}, {"type": "allocated", "nameplate": "9"}]

# Two sides on a server that errs towards the maker of the code. They meet all the same.
MEETS = [
    Case("honest", [], MADE + ARRIVED),
    Case("says everything twice", at("*", HONEST, HONEST), MADE + ARRIVED),
    Case("welcomes twice", at("welcome", HONEST, HONEST), MADE + ARRIVED),
    Case("speaks in binary frames", at("*", Honest(kind=websocket.BINARY)), MADE + ARRIVED),
    Case("adds unknown members", at("*", Honest({"x": [1, {"y": None}], "server_tx": "soon"})),
         MADE + ARRIVED),
    Case("chats", at("*", *[Say(what) for what in CHATTER[-3::-1]], HONEST), MADE + ARRIVED),
    Case("answers what was not asked", at("peer pake", *[Say(what) for what in CHATTER], HONEST),
         MADE + ARRIVED),
    Case("has a permission to give away",
         at("welcome", Say(welcome(**{"permission-required": {"none": {}}}))), MADE + ARRIVED),
    Case("has a long message of the day", at("welcome", Say(welcome(motd="tea \x1b[2J" * 100000))),
         ["rendezvous_joined", "motd", "code_made"] + ARRIVED),
    Case("floods with pings", at("claimed", Pings(20000), HONEST), MADE + ARRIVED),
    Case("is slow", at("*", Delay(0.05)), MADE + ARRIVED),
    *[Case(f"swaps the {step} and what follows", at(step, Later()), MADE + ARRIVED)
      for step in list(STEPS)[1:]],
    Case("welcomes last", at("welcome", Later()), ["code_made", "rendezvous_joined"] + ARRIVED),
    *[Case(f"{verb} once at {step}", at(step, action, times=1),
           (MADE + ARRIVED)[:done] + ["warning"] + (MADE + ARRIVED)[done:])
      for verb, action in (("drops", Drop()), ("closes", Close())) for step, done in STEPS.items()],
    Case("refuses to release", at("released", Say(error("out of tea", "release"))),
         MADE + ARRIVED),
    Case("repeats an answer of the peer", at("peer version", HONEST, HONEST, HONEST),
         MADE + ARRIVED),
    Case("sends phases that nobody knows",
         at("peer pake", HONEST, Honest({"phase": "tea", "body": "not hexadecimal"})),
         MADE + ARRIVED),
]

# The same, but they do not.
PARTS = [
    Case("changes the peer's version", at("peer version", Honest({"body": "00" * 60})),
         MADE + FAILED, 5, "used another code"),
    Case("changes the peer's first message", at("peer 0", Honest({"body": "00" * 60})),
         MADE + ["peer_arrived"] + FAILED, 5, "was changed on its way"),
    Case("swaps the peer's pake", at("peer pake", HONEST, Honest({"body": "7b7d"})),
         MADE + FAILED, 8, "two different key exchange messages"),
    Case("lets a third side in", at("peer pake", HONEST, Honest({"side": STRANGER})),
         MADE + FAILED, 4, "Someone else used this code"),
    Case("refuses in the middle", at("peer version", Say(error("out of tea", "add"))),
         MADE + FAILED, 3, REFUSED.format("add")),
    Case("is crowded in the middle", at("peer version", Say(error("crowded", "add"))),
         MADE + FAILED, 4, "Someone else used this code"),
]
