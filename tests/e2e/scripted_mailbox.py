"""A rendezvous server that goes wrong on purpose.

It is honest until one of its rules says otherwise. A rule names what the server is about to say to
a client (a *step*) and what it does instead, as a list of actions:

    Rule("allocated", [HONEST, HONEST])            says it twice
    Rule("welcome", [Say({"type": "welcome", "welcome": {"error": "closed"}})])
    Rule("peer pake", [Drop()], times=1)           the first time only

Steps: "connect" (the TCP connection is there), "upgrade" (the HTTP request was read), "welcome",
"allocated", "claimed", "released", "closed", "echo PHASE" (a client's own message) and "peer PHASE"
(a message of somebody else).
"""

import contextlib
import dataclasses
import json
import threading
import time

import websocket
from harness import LIMIT


@dataclasses.dataclass(frozen=True)
class Honest:
    """What an honest server would say here, perhaps with some members changed or without them."""
    changes: dict = dataclasses.field(default_factory=dict)
    without: tuple = ()
    kind: int = websocket.TEXT

    def act(self, client, message):
        told = {**message, **self.changes}
        text = json.dumps({k: v for k, v in told.items() if k not in self.without})
        client.socket.frame(self.kind, text.encode())


@dataclasses.dataclass(frozen=True)
class Say:
    """A message of its own: an object, or a text as it is."""
    what: object
    kind: int = websocket.TEXT

    def act(self, client, _):
        what = self.what if isinstance(self.what, (str, bytes)) else json.dumps(self.what)
        client.socket.frame(self.kind, what if isinstance(what, bytes) else what.encode())


@dataclasses.dataclass(frozen=True)
class Raw:
    """Octets outside any frame."""
    octets: bytes

    def act(self, client, _):
        client.socket.raw(self.octets)


@dataclasses.dataclass(frozen=True)
class Pings:
    count: int

    def act(self, client, _):
        for _ in range(self.count):
            client.socket.frame(websocket.PING, b"still there?")


@dataclasses.dataclass(frozen=True)
class Flood:
    """One message of fragments that do not end, as fast as they are taken."""

    def act(self, client, _):
        octets = b"x" * 65535
        client.socket.frame(websocket.TEXT, octets, first=0)
        while True:
            client.socket.frame(0, octets, first=0)


@dataclasses.dataclass(frozen=True)
class Close:
    """A proper WebSocket close."""
    code: int = 1011

    def act(self, client, _):
        client.socket.frame(websocket.CLOSE, self.code.to_bytes(2, "big"))
        client.silent = True  # the client's answer ends it


@dataclasses.dataclass(frozen=True)
class Drop:
    """A TCP reset."""

    def act(self, client, _):
        client.socket.abort()


@dataclasses.dataclass(frozen=True)
class Silence:
    """Not a word from here on; what the client says is read and forgotten."""

    def act(self, client, _):
        client.silent = True


@dataclasses.dataclass(frozen=True)
class Later:
    """Holds the message back until the next one has been said, or for half a second."""

    def act(self, client, message):
        client.held.append(message)
        timer = threading.Timer(0.5, client.release_held)
        timer.daemon = True
        timer.start()


@dataclasses.dataclass(frozen=True)
class Delay:
    seconds: float

    def act(self, client, message):
        time.sleep(self.seconds)
        HONEST.act(client, message)


HONEST = Honest()


@dataclasses.dataclass
class Rule:
    step: str  # "*": any after the welcome
    actions: list
    times: int = 1 << 30
    to: int = 0  # which side it is played on, in the order of their first `bind`

    def fits(self, client, step):
        wanted = step == self.step or (self.step == "*" and client.side is not None)
        return wanted and self.times > 0 and client.rank() == self.to


class Client:
    """One connection."""

    def __init__(self, server, connection):
        self.server = server
        self.socket = websocket.WebSocket(connection)
        self.side = None
        self.mailbox = None
        self.silent = False
        self.held = []
        self.lock = threading.RLock()

    def rank(self):
        """Whose turn in the script this is. Who has not said its name is the next to come."""
        sides = self.server.sides
        return sides.index(self.side) if self.side in sides else min(len(sides), self.server.last)

    def say(self, step, message=None):
        with self.lock:
            rule = next((r for r in self.server.rules if r.fits(self, step)), None)
            actions = [HONEST] if rule is None else rule.actions
            if rule is not None:
                rule.times -= 1
            for action in actions:
                if not self.silent and (message is not None or action is not HONEST):
                    action.act(self, message)
            if not any(isinstance(action, Later) for action in actions):
                self.release_held()

    def release_held(self):
        with self.lock, contextlib.suppress(websocket.Gone):
            while self.held and not self.silent:
                HONEST.act(self, self.held.pop(0))

    def run(self):
        self.say("connect")
        request = self.socket.read_request()
        self.say("upgrade")
        if self.silent:
            self.socket.receive()
        self.socket.accept(request)
        self.say("welcome", {"type": "welcome", "welcome": {}})
        while True:
            self.handle(json.loads(self.socket.receive()))

    def handle(self, request):
        kind = request["type"]
        with self.server.asked:
            self.server.requests.append(kind)
            self.server.asked.notify_all()
        if kind == "bind":
            self.side = request["side"]
            if self.side not in self.server.sides:
                self.server.sides.append(self.side)
        elif kind == "allocate":
            self.say("allocated", {"type": "allocated", "nameplate": "8"})
        elif kind == "claim":
            self.say("claimed", {"type": "claimed", "mailbox": "mailbox-of-" + request["nameplate"]})
        elif kind == "open":
            self.mailbox = request["mailbox"]
            for message in self.server.listen(self):
                self.tell(message)
        elif kind == "add":
            for client in self.server.add(self, request):
                with contextlib.suppress(websocket.Gone):
                    client.tell({"type": "message", "side": self.side, "phase": request["phase"],
                                 "body": request["body"]})
        elif kind in ("release", "close"):
            self.say(kind + ("d" if kind.endswith("e") else "ed"),
                     {"type": kind + ("d" if kind.endswith("e") else "ed")})

    def tell(self, message):
        whose = "echo " if message["side"] == self.side else "peer "
        self.say(whose + message["phase"], message)


class ScriptedMailbox:
    """`history` is what the mailbox held before anybody came. `last` is the highest rank that a
    client without a name is taken for."""

    def __init__(self, world, rules=(), history=(), last=0):
        self.rules = [dataclasses.replace(rule) for rule in rules]
        self.messages = list(history)
        self.last = last
        self.sides = []
        self.connections = 0
        self.requests = []  # types, in their order
        self.asked = threading.Condition()
        self.listeners = []
        self.lock = threading.Lock()
        self.url = f"ws://127.0.0.1:{world.serve(self.carry)}/v1"

    def wait_for(self, kind, limit=LIMIT):
        """Until some client has sent such a request."""
        with self.asked:
            assert self.asked.wait_for(lambda: kind in self.requests, limit), self.requests

    def carry(self, connection):
        self.connections += 1
        client = Client(self, connection)
        try:
            with contextlib.suppress(websocket.Gone):
                client.run()
        finally:
            with self.lock:
                self.listeners = [c for c in self.listeners if c is not client]

    def listen(self, client):
        with self.lock:
            self.listeners.append(client)
            return list(self.messages)

    def add(self, client, request):
        with self.lock:
            self.messages.append({"type": "message", "side": client.side,
                                  "phase": request["phase"], "body": request["body"]})
            return list(self.listeners)
