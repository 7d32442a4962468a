"""The words that cases are written in: a place of one's own on the server, and clients in it.

Replies are never waited for. A request is followed by a ping of the rendezvous protocol, whose pong
tells that the server has done everything before it (server-protocol.md, "Connection-Specific
(Client-to-Server) Messages"); so what has not come until then does not come, and a case can say so
without waiting.
"""

import contextlib
import itertools
import json
import secrets
import time

from testbed.conformance import websocket as ws


class Failure(Exception):
    """The server did something else than the case says; the text is what it did."""


class OtherWords(Failure):
    """It did refuse, but with another text than the reference server's."""


def shown(value, size=160):
    text = repr(value) if isinstance(value, bytes) else json.dumps(
        value, ensure_ascii=False, default=repr)
    return text if len(text) <= size else text[:size] + "…"


def check(condition, what):
    """`what` says what the server did wrong."""
    if not condition:
        raise Failure(what)


def check_equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what} {shown(got)} instead of {shown(wanted)}")


class Client:
    """One connection to the server: welcomed, and bound when `side` is given."""

    def __init__(self, place, headers=()):
        self.place = place
        self.side = None
        self.app = None
        self._claims = self._releases = None  # the nameplates of the last requests
        self._fences = itertools.count(1)
        self._kept = []
        self.socket = ws.WebSocket(place.url, place.limit, place.tls, headers)
        place.stack.callback(self._tidy)
        self.welcome = self.next()
        check_equal(self.welcome.get("type"), "welcome", "the first message was of the type")

    def _tidy(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    # ---------------------------------------------------------------- messages

    def next(self, limit=None):
        """The next message of the server, whatever it is."""
        try:
            _, payload = self.socket.next_message(limit)
            message = json.loads(payload)
        except (ws.Ended, ws.Silent, ws.Violation) as error:
            raise Failure(str(error)) from None
        except ValueError:
            raise Failure(f"what came is not JSON: {shown(repr(payload))}") from None
        check(isinstance(message, dict), f"what came is no JSON object: {shown(message)}")
        self._note(message)
        return message

    def _note(self, message):
        """Keeps in mind which nameplates have to be given back."""
        held = self.place.held
        match message.get("type"):
            case "claimed":
                held.add((self.app, self.side, self._claims))
            case "allocated":
                held.add((self.app, self.side, message.get("nameplate")))
            case "released":
                held.discard((self.app, self.side, self._releases))

    def send(self, type=None, **fields):
        """Sends a request, and looks at nothing."""
        if type == "bind":
            self.app, self.side = fields.get("appid"), fields.get("side")
        elif type == "claim":
            self._claims = fields.get("nameplate")
        elif type == "release":
            self._releases = fields.get("nameplate", self._claims)
        self.send_json({"type": type, **fields} if type is not None else fields)

    def send_json(self, value):
        self.send_text(json.dumps(value))

    def send_text(self, text):
        try:
            self.socket.send_text(text)
        except ws.Silent as error:
            raise Failure(str(error)) from None

    def heard(self):
        """Everything that the server sent until it had done all that it was asked before."""
        mark = f"fence-{next(self._fences)}"
        self.send("ping", ping=mark, id=mark)
        messages = []
        end = time.monotonic() + self.place.limit
        while True:
            message = self.next(end - time.monotonic())
            if message.get("type") == "pong" and message.get("pong") == mark:
                return messages
            if message.get("type") != "ack" or message.get("id") != mark:
                messages.append(message)

    def ask(self, type=None, **fields):
        """Sends a request; what came of it, without acks."""
        self.send(type, **fields)
        return [m for m in self.heard() if m.get("type") != "ack"]

    def answer(self, wanted, type, **fields):
        """Sends a request that is to be answered by one message of the type `wanted`."""
        return self._only(wanted, type, self.ask(type, **fields))

    def _only(self, wanted, asked, messages):
        errors = [m.get("error") for m in messages if m.get("type") == "error"]
        check(not errors or wanted == "error", f"{asked} was answered by the error {errors[:1]}")
        found = [m for m in messages if m.get("type") == wanted]
        check(len(found) == 1, f"{asked} was answered by {len(found)} messages of the type "
              f"{wanted}" + ("" if found else f", but by {shown(messages)}"))
        return found[0]

    # ------------------------------------------------------------- vocabulary

    def bind(self, side, app=None):
        check_equal(self.ask("bind", appid=app or self.place.app, side=side), [],
                    "bind was answered by")
        return self

    def allocate(self):
        nameplate = self.answer("allocated", "allocate").get("nameplate")
        check(isinstance(nameplate, str), f"allocated says the nameplate {shown(nameplate)}")
        return nameplate

    def list(self):
        nameplates = self.answer("nameplates", "list").get("nameplates")
        check(isinstance(nameplates, list) and all(
            isinstance(n, dict) and isinstance(n.get("id"), str) for n in nameplates),
            f"nameplates says {shown(nameplates)}")
        return [n["id"] for n in nameplates]

    def claim(self, nameplate):
        """The id of the mailbox."""
        mailbox = self.answer("claimed", "claim", nameplate=nameplate).get("mailbox")
        check(isinstance(mailbox, str) and mailbox, f"claimed says the mailbox {shown(mailbox)}")
        return mailbox

    def release(self, nameplate=None):
        fields = {} if nameplate is None else {"nameplate": nameplate}
        self.answer("released", "release", **fields)

    def open(self, mailbox):
        """What was replayed, as (side, phase, body)."""
        return self._talk("open", self.ask("open", mailbox=mailbox))

    def says(self, phase, body):
        """add, with exactly one echo; what others said meanwhile is kept for `hears`."""
        came = self._talk("add", self.ask("add", phase=phase, body=body))
        check_equal([m for m in came if m[0] == self.side], [(self.side, phase, body)],
                    "add was echoed as")
        self._kept += [m for m in came if m[0] != self.side]

    def close(self, mailbox=None, mood=None):
        fields = {"mailbox": mailbox, "mood": mood}
        self.answer("closed", "close", **{k: v for k, v in fields.items() if v is not None})

    def hears(self):
        """The messages of the mailbox that have come, as (side, phase, body)."""
        kept, self._kept = self._kept, []
        return kept + self._talk("ping", self.heard())

    @staticmethod
    def _talk(asked, messages):
        errors = [m.get("error") for m in messages if m.get("type") == "error"]
        check(not errors, f"{asked} was answered by the error {errors[:1]}")
        return [(m.get("side"), m.get("phase"), m.get("body")) for m in messages
                if m.get("type") == "message"]

    def refused(self, words, type=None, **fields):
        """Sends a request that is to be answered by one error with these words; gives it."""
        error = self._only("error", type or "the request", self.ask(type, **fields))
        if error.get("error") != words:
            raise OtherWords(f"the error says {shown(error.get('error'))} instead of {shown(words)}")
        return error

    def refused_octets(self, octets, opcode=ws.TEXT):
        """The same for octets that are no request; any words will do."""
        self.socket.send_frame(opcode, octets)
        return self._only("error", "bad input", self.heard())

    def usable(self):
        """The connection is still good."""
        check_equal(self.heard(), [], "afterwards the server said")

    def leave(self):
        self.socket.close()

    def vanish(self):
        """Goes without a close frame, as when a network breaks."""
        self.socket.reset()

    def is_cut(self, limit=None):
        """The server ends this connection: by a close frame or without."""
        end = time.monotonic() + (self.place.limit if limit is None else limit)
        try:
            while True:
                self.socket.next_message(end - time.monotonic())
        except ws.Ended:
            return
        except ws.Violation as error:
            raise Failure(str(error)) from None
        except ws.Silent:
            raise Failure("the server kept the connection") from None


class Place:
    """What one case has to itself: an application id nobody else has, and clients."""

    def __init__(self, url, limit, tls=None, facts=None):
        self.url = url
        self.limit = limit
        self.tls = tls
        self.facts = facts or {}
        self.stack = contextlib.ExitStack()
        self.held = set()  # (appid, side, nameplate) of what is claimed
        self.app = self.another_app()

    @staticmethod
    def another_app():
        return f"peersock/conformance/{secrets.token_hex(8)}"

    @staticmethod
    def mailbox():
        """The id of a mailbox that nobody has."""
        return f"conformance-{secrets.token_hex(16)}"

    def connect(self, **options):
        """A client that has not said who it is."""
        try:
            return Client(self, **options)
        except ws.Unreachable as error:
            raise Failure(str(error)) from None

    def join(self, side, app=None):
        return self.connect().bind(side, app)

    def met(self, *sides):
        """Clients of these sides that have claimed one nameplate and opened its mailbox."""
        clients = [self.join(side) for side in sides]
        for client in clients:
            client.box = client.claim("4")
            client.open(client.box)
        return clients

    def raw(self, **headers):
        """A WebSocket for cases about the transport; its welcome is not read."""
        try:
            socket = ws.WebSocket(self.url, self.limit, self.tls, headers)
        except ws.Unreachable as error:
            raise Failure(str(error)) from None
        self.stack.callback(socket.stream.close)
        return socket

    def http(self, path, headers=(), method="GET"):
        try:
            return ws.http(self.url, path, self.limit, self.tls, headers, method)
        except (ws.Ended, ws.Silent, ws.Violation, ws.Unreachable) as error:
            raise Failure(str(error)) from None

    def leave(self):
        """Ends all connections, and gives the nameplates back: a server may allow only so many of
        them, and other people want short ones."""
        self.stack.close()
        with contextlib.suppress(Failure):  # that it failed is known by now
            for app, side, nameplate in list(self.held):
                self.join(side, app).ask("release", nameplate=nameplate)
                self.stack.close()
        self.stack.close()
