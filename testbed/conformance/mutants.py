"""Deliberate breaks of our server (mutants.json), each of which has to turn the suite red.

For each break the one file concerned is copied, changed, compiled with the build's own command
(without optimisation), and linked with the rest of build/tests/conformance/conformance-server. Then
the cases that the list names for it run, and every one of them has to fail, while all of them pass
on the server as it is. A change that does not fit its file any more is an error.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading

from testbed.conformance import case, profiles, runner, servers, websocket
from testbed.conformance.verdict import Verdict

DATA = pathlib.Path(__file__).with_name("mutants.json")
SERVER = "tests/conformance/conformance-server"
PROFILE = "peersock"
INCLUDE = re.compile(r"^#include .*\n", re.MULTILINE)
LIMIT = 20.0  # seconds for an answer; a mutant that does not answer gets less
MUTANT_LIMIT = 4.0


class Problem(Exception):
    """Not what was to be found out, but in the way of it; the text is a sentence."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    edits: tuple  # of (find, replace)
    red: tuple  # the cases that must fail
    facts: dict


def load(path=DATA):
    known = {c.id for c in case.all_cases()}
    mutants = []
    for entry in json.loads(path.read_text()):
        mutant = Mutant(entry["name"], entry["file"], tuple(map(tuple, entry["edits"])),
                        tuple(entry["red"]), entry.get("facts", {}))
        if not mutant.red or not known.issuperset(mutant.red):
            raise Problem(f"{mutant.name} must name cases that there are")
        mutants.append(mutant)
    if len({m.name for m in mutants}) != len(mutants):
        raise Problem("two mutants have one name")
    return mutants


def mutate(text, mutant):
    for find, replace in mutant.edits:
        if text.count(find) != 1:
            raise Problem(f"{mutant.file} has {text.count(find)} times, instead of once: {find}")
        text = text.replace(find, replace)
    return text


class Toolchain:
    """How the build folder compiles and links, for files that are none of its own."""

    def __init__(self, build):
        self.build = build
        self.scratch = build / "mutants"
        commands = json.loads((build / "compile_commands.json").read_text())
        self._compile = {(build / c["file"]).resolve(): c["command"] for c in commands}
        listed = subprocess.run(["ninja", "-C", build, "-t", "commands", SERVER], check=True,
                                capture_output=True, text=True).stdout
        self._preludes, self._lock = set(), threading.Lock()
        self._link = shlex.split(listed.splitlines()[-1])

    def make(self, mutant):
        """The path of the server with this break."""
        source = servers.ROOT / mutant.file
        folder = self.scratch / mutant.name
        folder.mkdir(parents=True, exist_ok=True)
        changed = folder / source.name
        changed.write_text(mutate(source.read_text(), mutant))
        command = self._compile.get(source.resolve())
        if command is None:
            raise Problem(f"{mutant.file} is not compiled in {self.build}")
        flags, target = self._flags(shlex.split(command)), folder / "mutant.o"
        self._run([*flags, "-include", self._prelude(flags, source), "-o", target, "-c", changed],
                  mutant.name)
        self._run(self._link_command(target, folder / "server"), mutant.name)
        return folder / "server"

    def _prelude(self, flags, source):
        """What the source includes, compiled once for all mutants: it takes most of the time."""
        folder = self.scratch / f"prelude-{source.stem}"
        header = folder / "prelude.hpp"
        with self._lock:
            if source not in self._preludes:
                folder.mkdir(parents=True, exist_ok=True)
                header.write_text("".join(INCLUDE.findall(source.read_text())))
                self._run([*flags, "-x", "c++-header", "-o", f"{header}.gch", header],
                          f"the headers of {source.name}")
                self._preludes.add(source)
        return header

    @staticmethod
    def _flags(command):
        """The compiler and its options, without files. A break need be neither tidy nor fast."""
        kept, skip = [], False
        for word in command[:-1]:  # the last word is the source
            if skip or word in ("ccache", "-MD", "-c"):
                skip = False
            elif word in ("-MQ", "-MF", "-o"):
                skip = True
            else:
                kept.append(word)
        return [*kept, "-w", "-O0"]

    def _link_command(self, extra, target):
        at = self._link.index("-o")
        # In front of the libraries, whose own object of this file is then not taken.
        return [*self._link[:at], "-o", str(target), *self._link[at + 2:at + 3], str(extra),
                *self._link[at + 3:]]

    def _run(self, command, what):
        done = subprocess.run(command, cwd=self.build, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Problem(f"{what} cannot be built:\n{done.stderr[-2000:]}")


def failures(binary, wanted, facts, limit):
    """The cases among `wanted` that fail on this server."""
    with servers.adjustable(binary, **facts) as url:
        target = runner.Target(websocket.parse_url(url), limit)
        target.facts = {"listing": "on", **facts}
        target.profile = PROFILE
        cases = [c for c in case.all_cases() if c.id in wanted]
        known = profiles.load({c.id for c in case.all_cases()})
        results = runner.run_all(cases, target, known, 4, lambda done, result: None)
    unchecked = [r.case.id for r in results if r.verdict is Verdict.NOT_CHECKED]
    if unchecked:
        raise Problem(f"not checked with the facts {facts}: {', '.join(unchecked)}")
    return {r.case.id for r in results if r.verdict is Verdict.FAIL}


def check_unbroken(build, mutants):
    """The server as it is passes every case that is to catch a mutant."""
    by_facts = {}
    for mutant in mutants:
        by_facts.setdefault(json.dumps(mutant.facts, sort_keys=True), set()).update(mutant.red)
    for facts, wanted in by_facts.items():
        failed = failures(build / SERVER, wanted, json.loads(facts), LIMIT)
        if failed:
            raise Problem(f"these fail without any break: {', '.join(sorted(failed))}")


def survey(mutant, toolchain):
    """(whether it was caught, a sentence)."""
    try:
        failed = failures(toolchain.make(mutant), mutant.red, mutant.facts, MUTANT_LIMIT)
    except (Problem, servers.Unstartable) as problem:
        return False, f"{mutant.name}: {problem}"
    survived = [name for name in mutant.red if name not in failed]
    if survived:
        return False, f"{mutant.name}: not caught by {', '.join(survived)}"
    return True, f"{mutant.name}: caught by {', '.join(mutant.red)}"


def parser():
    made = argparse.ArgumentParser(prog="scripts/conformance-mutants", description=__doc__)
    made.add_argument("--build", type=pathlib.Path, default=servers.ROOT / "build", metavar="DIR")
    made.add_argument("--only", metavar="PATTERN", default="*", help="only mutants that match")
    made.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    made.add_argument("--list", action="store_true", help="list the mutants and end")
    return made


def run(options, mutants):
    subprocess.run(["ninja", "-C", options.build, SERVER], check=True, stdout=subprocess.DEVNULL)
    check_unbroken(options.build, mutants)
    toolchain = Toolchain(options.build.resolve())
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(max(options.jobs, 1)) as pool:
        for good, sentence in pool.map(lambda m: survey(m, toolchain), mutants):
            caught += good
            print(("caught   " if good else "SURVIVED ") + sentence, flush=True)
    print(f"{caught} of {len(mutants)} mutants caught")
    return 0 if caught == len(mutants) else 1


def main(argv):
    options = parser().parse_args(argv)
    try:
        mutants = [m for m in load() if fnmatch.fnmatchcase(m.name, options.only)]
        if not mutants:
            raise Problem(f"no mutant matches {options.only!r}")
        if options.list:
            for mutant in mutants:
                print(f"{mutant.name:<28} {mutant.file:<44} {', '.join(mutant.red)}")
            return 0
        if not (options.build / "build.ninja").exists():
            raise Problem(f"{options.build} is no build folder; scripts/build makes one")
        with contextlib.suppress(KeyboardInterrupt):
            return run(options, mutants)
        return 130
    except (Problem, subprocess.CalledProcessError, servers.Unstartable) as problem:
        print(f"conformance-mutants: {problem}", file=sys.stderr)
        return 2
