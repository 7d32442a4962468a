"""Which server is asked, and where it is known to differ (differences.json).

A server of a known profile has to behave exactly as written there: a difference that is not listed
is a failure, and so is one that is listed and does not show.
"""

import dataclasses
import json
import pathlib
import re

DATA = pathlib.Path(__file__).with_name("differences.json")
UNKNOWN = "unknown"
REFERENCE = re.compile(r"Magic Wormhole Mailbox (\d+(?:\.\d+)*)")
REFERENCE_PREFIX = "reference-"


@dataclasses.dataclass(frozen=True)
class Difference:
    shows: str  # part of what the case says when it does not hold
    why: str


class Profiles:
    def __init__(self, data, case_ids):
        self.names = tuple(data["servers"])
        self.notes = dict(data["servers"])
        self.entries = data["differences"]
        self._known = {}
        for entry in data["differences"]:
            for case_id in entry["cases"]:
                if case_id not in case_ids:
                    raise ValueError(f"differences.json: there is no case {case_id}")
                self._add(case_id, entry)

    def _add(self, case_id, entry):
        for server, shows in entry["servers"].items():
            if server not in self.names:
                raise ValueError(f"differences.json: there is no server {server}")
            if (server, case_id) in self._known:
                raise ValueError(f"differences.json: {case_id} is there twice for {server}")
            self._known[server, case_id] = Difference(shows, entry["why"])

    def difference(self, profile, case_id):
        return self._known.get((profile, case_id))

    def elsewhere(self, case_id, text):
        """Known servers that do the same as `text` tells."""
        return [name for name in self.names
                if (known := self.difference(name, case_id)) and known.shows in text]

    def recognise(self, server_header):
        """The profile that fits the Server header of the handshake, or UNKNOWN."""
        found = REFERENCE.search(server_header or "")
        if not found:
            return UNKNOWN
        # The newest known one that is not newer: that is how a version behaves until it changes.
        version = numbers(found[1])
        older = [n for n in self.names if n.startswith(REFERENCE_PREFIX)
                 and numbers(n[len(REFERENCE_PREFIX):]) <= version]
        return max(older, key=lambda n: numbers(n[len(REFERENCE_PREFIX):]), default=UNKNOWN)


def numbers(version):
    return [int(part) for part in version.split(".")]


def load(case_ids, path=DATA):
    return Profiles(json.loads(path.read_text()), case_ids)
