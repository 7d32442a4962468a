"""What a case is: a rule, where it comes from, how binding it is, and the steps that check it."""

import dataclasses
import enum
from typing import Callable, Mapping, Optional


class Level(enum.Enum):
    """How binding a rule is for a server that nothing is known about."""

    REQUIRED = "required"  # the documents say so, or clients cannot do without it
    EXPECTED = "expected"  # holds since some version of the reference server
    INFORMATIONAL = "informational"  # servers differ, and clients cope


@dataclasses.dataclass(frozen=True)
class Source:
    document: str
    section: str

    def __str__(self):
        return f"{self.document}, {self.section}"


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    title: str
    level: Level
    source: Source
    steps: Callable
    needs: Mapping[str, Optional[str]]  # facts about the server; None: whatever its value


SERVER = "server-protocol.md"
CLIENT = "client-protocol.md"
CONCEPTS = Source(SERVER, "Concepts")
APPS = Source(SERVER, "Application IDs")
TRANSPORT = Source(SERVER, "WebSocket Transport")
CONNECTION = Source(SERVER, "Connection-Specific (Client-to-Server) Messages")
PERMISSION = Source(SERVER, "Permission to Use the Server")
NAMEPLATES = Source(SERVER, "Nameplates")
MAILBOXES = Source(SERVER, "Mailboxes")
TYPES = Source(SERVER, "All Message Types")
OBSERVED = Source("observed", "reference server 0.4.1 and 0.8.0")


def observed(since):
    return Source("observed", f"reference server since {since}")


def rfc(section):
    return Source("RFC 6455", f"section {section}")


def ours(section):
    return Source("docs/spec/rendezvous-server.md", section)


REQUIRED, EXPECTED, INFORMATIONAL = Level

_cases = {}


def case(name, title, source, level=REQUIRED, **needs):
    """Makes a case of the function below it, which gets a client.Place."""

    def register(steps):
        if name in _cases:
            raise ValueError(f"two cases are called {name}")
        _cases[name] = Case(name, title, level, source, steps, needs)
        return steps

    return register


def all_cases():
    """In the order in which they were written."""
    # They register themselves.
    import testbed.conformance.cases  # noqa: F401, PLC0415

    return list(_cases.values())
