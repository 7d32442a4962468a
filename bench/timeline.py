"""Where the time from the code to the first octet goes: the steps of both sides on one clock."""

import contextlib
import json


def _describe(event):
    if event["event"] != "trace":
        return event["event"]
    outputs = ", ".join(event["outputs"])
    return f"{event['machine']} [{event['state']}] {event['input']} -> [{event['next']}] {outputs}"


def print_timeline(peersock, client, title):
    with contextlib.ExitStack() as stack:
        command, a = peersock.first_octet(stack, trace=True)
        answer = client.ask("first_octet", **command)
        a.process.wait(timeout=10)
    steps = [(at, "B", json.loads(line)) for at, line in answer["lines"]]
    steps += [(at - answer["began"], "A", event) for at, event in list(a.stamped)
              if at > answer["began"]]
    steps.append((answer["seconds"], "B", {"event": "FIRST OCTET"}))
    print(f"== {title}: ms since the start of the second side")
    last = 0.0
    for at, side, event in sorted(steps, key=lambda step: step[0]):
        print(f"{at * 1e3:9.1f} {(at - last) * 1e3:+7.1f}  {side}  {_describe(event)}")
        last = at
