"""What a scenario is, how one is run, and what is expected of it. The drawings are in scenarios.py."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from testbed.nat import cell
from testbed.nat.profiles import PROFILES
from testbed.nat.traffic import Traffic
from testbed.network import Host, Internet, Link
from testbed.network.internet import end

TIMES = 3  # each of two networks that are compared is measured so often, in turns
MOVE = 20.0  # seconds within which a session has to leave its relay when a direct path opens
BEFORE, AFTER = 1.0, 1.0  # seconds in which data flows before and after something happens


@dataclasses.dataclass
class Pair:
    """Who connects to whom, and what each gives on the command line (None: the usual servers)."""

    connecting: Host
    listening: Host
    connecting_options: list[object] | None = None
    listening_options: list[object] | None = None
    happens: "Happening | None" = None


MOVES, RESTARTS, HOLDS = "moves", "restarts", "holds"


@dataclasses.dataclass(frozen=True)
class Happening:
    """What happens in mid-session while data flows, and what comes of it: the session `MOVES` from
    its relay to a direct path; both sides look for another path and find one (`RESTARTS`); or
    nothing (`HOLDS`). No octet is lost in any case. With `rest`, nobody says anything for so many
    seconds then.
    """

    act: Callable[[cell.Servers], None]
    then: str
    rest: float = 0.0


Drawing = Callable[[Internet], Pair]


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    text: str
    draw: Drawing
    outcomes: tuple[str, ...] = ("direct",)
    candidates: tuple[str, ...] = ()   # types of the pair, the listening side's first; none: any
    family: int = 0                    # 4 or 6: of the addresses in use; 0: any
    first_path: str = ""               # direct or relayed; none: any
    reasons: tuple[str, ...] = ()      # why it is relayed (docs/spec/events.md); none: any
    within_ms: float = 10_000          # first octet
    size: int = cell.SIZE              # octets each way
    servers: bool = True               # rendezvous, STUN and TURN on the Internet
    servers_link: Link | None = None
    # The first octet comes at most so many ms later than in this other network; the best of TIMES
    # each.
    like: Drawing | None = None
    later_ms: float = 0
    options: tuple[object, ...] = ()   # of both sides
    names: tuple[tuple[str, str], ...] = ()  # that both sides know, each with one of its addresses
    still_ms: float = 10_000           # so long data may stand still when something happens
    long: bool = False                 # takes its time, so it comes first
    restarts: tuple[str, ...] = ()     # why the listening side looks for another path; none: any

    @property
    def runs(self) -> int:
        return 1 if self.like is None else TIMES


@dataclasses.dataclass
class Measured:
    """`deviations`: sentences; none when everything is as expected."""

    outcome: str = "failed"
    first_octet_ms: float | None = None
    like_ms: float | None = None
    first_path: str = ""
    path: str = ""
    reason_given: str = ""             # why it is relayed
    stood_still_ms: float | None = None
    why: str = ""
    seconds: float = 0.0
    deviations: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Task:
    """One scenario in the hands of the runner."""

    scenario: Scenario
    result: Measured = dataclasses.field(default_factory=Measured)

    def perform(self) -> Measured:
        return measure(self.scenario)

    @property
    def deviates(self) -> bool:
        return bool(self.result.deviations)

    def broken(self, why: str) -> Measured:
        return Measured(why=why, deviations=[why])

    def from_json(self, given: dict[str, object]) -> Measured:
        return Measured(**given)  # type: ignore[arg-type]


def measure(scenario: Scenario) -> Measured:
    began = time.monotonic()
    results, others = [], []
    for _ in range(scenario.runs):
        results.append(run(scenario, scenario.draw))
        if scenario.like is not None:
            others.append(run(scenario, scenario.like))
    found = next((r for r in results if judge_one(scenario, r)), results[0])
    made = Measured(found.outcome, _least(results), _least(others), found.first_path, found.path,
                    found.reason_given, found.stood_still_ms, found.why)
    made.deviations = [sentence for r in results for sentence in judge_one(scenario, r)]
    made.deviations += [f"the network to compare with: {r.why}" for r in others if r.why]
    made.deviations += judge_times(scenario, made)
    made.seconds = round(time.monotonic() - began, 3)
    return made


def _least(results: list[cell.Result]) -> float | None:
    """What else the machine has to do only adds to a time."""
    return min((r.first_octet_ms for r in results if r.first_octet_ms is not None), default=None)


def judge_one(scenario: Scenario, result: cell.Result) -> list[str]:
    """What is not as expected of one session, in sentences."""
    if result.outcome not in scenario.outcomes:
        return [f"{result.outcome}, expected {' or '.join(scenario.outcomes)} {result.why}".strip()]
    wrong = []
    if result.why:
        wrong.append(result.why)
    if scenario.candidates and result.path not in scenario.candidates:
        wrong.append(f"candidates {result.path}, expected {' or '.join(scenario.candidates)}")
    if scenario.family and result.family != scenario.family:
        wrong.append(f"the path is over IPv{result.family}")
    if result.outcome == "relayed" and result.reason_given in ("", "still_checking"):
        wrong.append("it was not said why the path is relayed")
    if scenario.reasons and result.reason_given not in scenario.reasons:
        wrong.append(f"the reason given was {result.reason_given}, not {' or '.join(scenario.reasons)}")
    if scenario.first_path and result.first_path != scenario.first_path:
        wrong.append(f"the first path was {result.first_path}")
    if result.stood_still_ms is not None and result.stood_still_ms > scenario.still_ms:
        wrong.append(f"data stood still for {result.stood_still_ms:.0f} ms, at most "
                     f"{scenario.still_ms:.0f} expected")
    return wrong


def judge_times(scenario: Scenario, measured: Measured) -> list[str]:
    if measured.first_octet_ms is None:
        return []
    wrong = []
    if measured.first_octet_ms > scenario.within_ms:
        wrong.append(f"the first octet took {measured.first_octet_ms:.0f} ms, at most "
                     f"{scenario.within_ms:.0f} expected")
    if measured.like_ms is not None and (
            measured.first_octet_ms > measured.like_ms + scenario.later_ms):
        wrong.append(f"the first octet took {measured.first_octet_ms:.0f} ms, without it "
                     f"{measured.like_ms:.0f}; at most {scenario.later_ms:.0f} more expected")
    return wrong


def run(scenario: Scenario, draw: Drawing) -> cell.Result:
    """One session in a network of its own."""
    result = cell.Result()
    with Internet() as internet, cell.folder() as folder:
        try:
            servers = None
            if scenario.servers:
                addresses = [cell.RENDEZVOUS, cell.RELAY, cell.RENDEZVOUS6, cell.RELAY6]
                server = internet.host("server", addresses, scenario.servers_link)
                servers = cell.Servers(internet, server, folder)
            _Session(internet, scenario, draw(internet), servers, folder).run(result)
        except cell.Failed as failed:
            result.outcome, result.why = "failed", str(failed)
    return result


def usual() -> list[object]:
    return cell.settings(PROFILES["public"])


class _Session:
    def __init__(self, internet: Internet, scenario: Scenario, pair: Pair,
                 servers: cell.Servers | None, folder: str) -> None:
        self._internet, self._scenario, self._pair = internet, scenario, pair
        self._servers, self._folder = servers, folder

    def run(self, result: cell.Result) -> None:
        pair, happens = self._pair, self._pair.happens
        patience = cell.HOPELESS if self._scenario.outcomes == ("failed",) else cell.LIMIT
        with self._service() as service:
            a = self._start(pair.connecting, "connect", f"127.0.0.1:{service.port}",
                            pair.connecting_options)
            code = a.wait_for("code_made", patience)["code"]
            began = time.monotonic()
            b = self._start(pair.listening, "listen", "127.0.0.1:0", pair.listening_options, code)
            port = int(b.wait_for("listening", patience)["address"].rsplit(":", 1)[1])
            if happens is None:
                assert isinstance(service, cell.Service)
                moment = cell.exchange(pair.listening, port, service)
            else:
                assert isinstance(service, Traffic)
                moment = service.begin(pair.listening, port)
                self._live_through(happens, a, b, service, result)
            result.first_octet_ms = round((moment - began) * 1000, 1)
            result.take_path(b, cell.BETTER_PATH if "direct" in self._scenario.outcomes else 0)

    def _start(self, host: Host, mode: str, target: str, options: list[object] | None,
               code: str = "") -> cell.Program:
        secrets = {"PEERSOCK_TURN_PASSWORD": "word"} | ({"PEERSOCK_CODE": code} if code else {})
        options = usual() if options is None else options
        prefix = (cell.trusting(self._folder, self._scenario.names) if self._scenario.names else [])
        program = cell.Program(host.namespace, mode, target, *options, *self._scenario.options,
                               prefix=prefix, **secrets)
        self._internet.network.callback(end, program.process)
        return program

    @contextlib.contextmanager
    def _service(self) -> Iterator[cell.Service | Traffic]:
        if self._pair.happens is None:
            yield cell.Service(self._pair.connecting, self._scenario.size)
            return
        with Traffic(self._pair.connecting) as traffic:
            yield traffic

    def _live_through(self, happens: Happening, a: cell.Program, b: cell.Program, traffic: Traffic,
                      result: cell.Result) -> None:
        """Data flows all the time, and all of it arrives."""
        assert self._servers is not None
        if happens.then == MOVES and b.find("path_chosen")[-1]["kind"] != "relayed":
            raise cell.Failed("the session did not begin on a relay")
        traffic.flow_for(BEFORE)
        happens.act(self._servers)
        if happens.then == MOVES:
            if not b.wait_until(lambda: b.find("path_chosen")[-1]["kind"] == "direct", MOVE):
                raise cell.Failed(f"no direct path within {MOVE:.0f} s after one had opened")
        elif happens.then == RESTARTS:
            self._expect_another_path(a, b)
        if happens.rest:
            traffic.rest_for(happens.rest)
        traffic.flow_for(AFTER)
        if trouble := traffic.finish():
            raise cell.Failed(trouble)
        if not happens.rest:
            result.stood_still_ms = round(traffic.longest_pause * 1000, 1)
        self._expect_no_more(happens, a, b)

    def _expect_another_path(self, a: cell.Program, b: cell.Program) -> None:
        for side in (a, b):
            if not side.wait_until(lambda: has_another_path(side.events), MOVE):
                raise cell.Failed(f"no other path within {MOVE:.0f} s after the first had broken")
        reason = b.find("path_restarted")[0]["reason"]
        if self._scenario.restarts and reason not in self._scenario.restarts:
            raise cell.Failed(f"the path was left because of {reason}, expected was "
                              f"{' or '.join(self._scenario.restarts)}")

    @staticmethod
    def _expect_no_more(happens: Happening, a: cell.Program, b: cell.Program) -> None:
        for side in (a, b):
            side.wait_until(lambda: False, 0.05)  # reads what has been said
            if side.find("error"):
                raise cell.Failed(side.find("error")[0]["message"])
            if happens.then == HOLDS and side.find("path_restarted"):
                raise cell.Failed("a path that held was left for another one")


def has_another_path(events: list[dict[str, Any]]) -> bool:
    """Whether a path was chosen after one had been given up."""
    names = [event.get("event") for event in events]
    return "path_restarted" in names and "path_chosen" in names[names.index("path_restarted"):]
