"""A peer on the Python wormhole library, the reference implementation of the client protocol.

    wormhole_peer.py URL CODE MODE

Completes the key exchange, introduces itself as a peersock of MODE, sends one ICE message and
prints what it got as one JSON line: {"versions": …, "message": …}.
"""

import json
import sys

import wormhole
from twisted.internet import defer, task

INTRODUCTION = {"version": 1, "fingerprint": "00" * 32, "capabilities": [], "smp": "01"}
ICE = {"ice": {"generation": 0, "ufrag": "abcd", "pwd": "a" * 22,
               "candidates": ["candidate:1 1 udp 2130706431 192.0.2.1 9999 typ host"]}}


@defer.inlineCallbacks
def run(reactor, url, code, mode):
    peer = wormhole.create("peersock/tunnel/v1", url, reactor,
                           versions={"peersock": {**INTRODUCTION, "mode": mode}})
    if code:
        peer.set_code(code)
    else:
        peer.allocate_code(2)
        print(json.dumps({"code": (yield peer.get_code())}), flush=True)
    versions = yield peer.get_versions()
    peer.send_message(json.dumps(ICE).encode())
    message = yield peer.get_message()
    print(json.dumps({"versions": versions, "message": json.loads(message)}), flush=True)
    yield peer.close()


if __name__ == "__main__":
    task.react(run, sys.argv[1:4])
