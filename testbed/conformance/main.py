"""Checks a rendezvous server against the rules of the magic-wormhole protocol, one case for each.

Only the protocol is used, and an application id of each case's own: a server in use may be checked.
Nameplates are given back; what else a case leaves is pruned like anything that clients leave.
"""

import argparse
import fnmatch
import os
import pathlib
import ssl
import sys

from testbed.conformance import case, profiles, report, runner, websocket

EXIT_FAILED, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 1, 2, 3, 130
FACTS = {
    "listing": "on or off; found out when it is not given",
    "motd": "the message of the day",
    "error": "the operator's error in the welcome",
    "version": "the client version in the welcome",
    "bare": "yes: the welcome has none of these three",
    "prunes": "seconds after which an idle mailbox is gone for certain (the protocol's: 960)",
    "pings": "seconds between two pings (the protocol's: 60)",
    "silence": "seconds after which a silent client is cut (the protocol's: 600)",
}
SLOW = {"prunes": "960", "pings": "60", "silence": "600"}


class Usage(Exception):
    """Something is wrong with the command line; the text is a sentence."""


def parser():
    facts = "; ".join(f"{name}: {text}" for name, text in FACTS.items())
    made = argparse.ArgumentParser(
        prog="scripts/conformance", description=__doc__,
        epilog=f"Facts for --given: {facts}. "
        "Exit codes: 0 all is as it should be, 1 a case failed, 2 wrong usage, "
        "3 there is no rendezvous server to be reached.")
    made.add_argument("url", nargs="?", metavar="URL", help="ws:// or wss://, path /v1 if none")
    made.add_argument("--list", action="store_true", help="list the cases and end")
    made.add_argument("--differences", action="store_true",
                      help="list the known differences of known servers and end")
    made.add_argument("--only", action="append", metavar="PATTERN",
                      help="only cases that match, like 'claim.*'; may be repeated")
    made.add_argument("--as", dest="profile", metavar="SERVER", default="auto",
                      help="the server's make (see --differences), which it is then held to; "
                      "default: by its Server header, else unknown")
    made.add_argument("--given", action="append", default=[], metavar="NAME=VALUE",
                      help="a fact about the server; may be repeated")
    made.add_argument("--slow", action="store_true",
                      help="also what takes up to 17 minutes with the protocol's times")
    made.add_argument("--jobs", type=int, default=4, metavar="N", help="cases at once (default 4)")
    made.add_argument("--timeout", type=float, default=20, metavar="SECONDS",
                      help="the longest wait for a single answer (default 20)")
    made.add_argument("--ca", metavar="FILE", help="trust this authority instead of the system's")
    made.add_argument("--json", metavar="FILE", help="write the results as JSON; - is the output")
    made.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML; - likewise")
    made.add_argument("--quiet", action="store_true", help="only the total")
    return made


def select(cases, patterns):
    if not patterns:
        return cases
    for pattern in patterns:
        if not fnmatch.filter([c.id for c in cases], pattern):
            raise Usage(f"no case matches {pattern!r}; --list shows them")
    return [c for c in cases if any(fnmatch.fnmatchcase(c.id, p) for p in patterns)]


def parse_facts(given, slow):
    facts = dict(SLOW) if slow else {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in FACTS:
            raise Usage(f"--given wants NAME=VALUE with a name of {', '.join(FACTS)}, "
                        f"not {text!r}")
        if name in SLOW and not is_positive(value):
            raise Usage(f"--given {name} wants a number of seconds, not {value!r}")
        facts[name] = value
    return facts


def is_positive(text):
    try:
        return 0 < float(text) < 1e6
    except ValueError:
        return False


def trust(path):
    """The TLS settings, or None for the system's."""
    if path is None:
        return None
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise Usage(f"{path} is no file of certificates: {error}") from None


def reach(options, known):
    """The server, looked at for the first time."""
    if options.url is None:
        raise Usage("which server? Give its URL, like ws://127.0.0.1:4000/v1")
    if options.jobs < 1 or not 0 < options.timeout < 1e6:
        raise Usage("--jobs and --timeout want positive numbers")
    if options.profile not in ("auto", profiles.UNKNOWN, *known.names):
        raise Usage(f"--as wants one of {', '.join(known.names)} or {profiles.UNKNOWN}, "
                    f"not {options.profile!r}")
    target = runner.Target(websocket.parse_url(options.url), options.timeout, trust(options.ca))
    facts = parse_facts(options.given, options.slow)
    target.probe()
    target.facts.update(facts)
    target.profile = (known.recognise(target.header) if options.profile == "auto"
                      else options.profile)
    return target


class Progress:
    """One line on a terminal that says how far it is."""

    def __init__(self, count):
        self.count = count
        self.shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __call__(self, done, result):
        if self.shown:
            last = done == self.count
            text = "" if last else f"{done}/{self.count} {result.case.id}"
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def write(name, text):
    if name == "-":
        print(text)
        return
    try:
        pathlib.Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Usage(f"cannot write {name}: {error.strerror}") from None


def say(text):
    print(f"conformance: {report.printable(str(text))}", file=sys.stderr)


def check_server(options, cases, known):
    target = reach(options, known)
    results = runner.run_all(cases, target, known, options.jobs, Progress(len(cases)))
    if "-" not in (options.json, options.junit):
        print(report.total(results) if options.quiet else report.table(target, results))
    if options.json:
        write(options.json, report.as_json(target, results))
    if options.junit:
        write(options.junit, report.as_junit(target, results))
    return EXIT_FAILED if report.counts(results)["fail"] else 0


def main(argv):
    options = parser().parse_args(argv)
    try:
        everything = case.all_cases()
        known = profiles.load({c.id for c in everything})
        cases = select(everything, options.only)
        if options.list:
            print(report.case_list(cases))
            return 0
        if options.differences:
            print(report.difference_list(known))
            return 0
        return check_server(options, cases, known)
    except (Usage, websocket.BadUrl) as error:
        say(error)
        return EXIT_USAGE
    except websocket.Unreachable as error:
        say(error)
        return EXIT_UNREACHABLE
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
