"""What a scenario is, how one is run, and what is expected of it. The drawings are in scenarios.py."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator

from testbed.nat import cell
from testbed.nat.profiles import PROFILES
from testbed.nat.traffic import Traffic
from testbed.network import Host, Internet, Link
from testbed.network.internet import end

TIMES = 3  # each of two networks that are compared is measured so often, in turns
MOVE = 20.0  # seconds within which a session has to leave its relay when a direct path opens


@dataclasses.dataclass
class Pair:
    """Who connects to whom, and what each gives on the command line (None: the usual servers).

    `opens`: in mid-session, and the session has to move from its relay to a direct path then.
    """

    connecting: Host
    listening: Host
    connecting_options: list[object] | None = None
    listening_options: list[object] | None = None
    opens: Callable[[], None] | None = None


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
                    found.reason_given, found.why)
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
            if scenario.servers:
                addresses = [cell.RENDEZVOUS, cell.RELAY, cell.RENDEZVOUS6, cell.RELAY6]
                server = internet.host("server", addresses, scenario.servers_link)
                cell.start_servers(internet, server, folder)
            _session(internet, scenario, draw(internet), result)
        except cell.Failed as failed:
            result.outcome, result.why = "failed", str(failed)
    return result


def usual() -> list[object]:
    return cell.settings(PROFILES["public"])


def _session(internet: Internet, scenario: Scenario, pair: Pair, result: cell.Result) -> None:
    patience = cell.HOPELESS if scenario.outcomes == ("failed",) else cell.LIMIT
    with _service(pair, scenario) as service:
        a = _start(internet, pair.connecting, "connect", f"127.0.0.1:{service.port}",
                   pair.connecting_options, scenario)
        code = a.wait_for("code_made", patience)["code"]
        began = time.monotonic()
        b = _start(internet, pair.listening, "listen", "127.0.0.1:0", pair.listening_options,
                   scenario, code)
        port = int(b.wait_for("listening", patience)["address"].rsplit(":", 1)[1])
        if pair.opens is None:
            moment = cell.exchange(pair.listening, port, service)
        else:
            moment = _move(pair, b, port, service)
        result.first_octet_ms = round((moment - began) * 1000, 1)
        result.take_path(b, cell.BETTER_PATH if "direct" in scenario.outcomes else 0)


def _start(internet: Internet, host: Host, mode: str, target: str, options: list[object] | None,
           scenario: Scenario, code: str = "") -> cell.Program:
    secrets = {"PEERSOCK_TURN_PASSWORD": "word"} | ({"PEERSOCK_CODE": code} if code else {})
    options = usual() if options is None else options
    program = cell.Program(host.namespace, mode, target, *options, *scenario.options, **secrets)
    internet.network.callback(end, program.process)
    return program


@contextlib.contextmanager
def _service(pair: Pair, scenario: Scenario) -> Iterator[cell.Service | Traffic]:
    if pair.opens is None:
        yield cell.Service(pair.connecting, scenario.size)
        return
    with Traffic(pair.connecting) as traffic:
        yield traffic


def _move(pair: Pair, b: cell.Program, port: int, traffic: cell.Service | Traffic) -> float:
    """Data flows all the time, while the path moves from a relay to a direct one."""
    assert isinstance(traffic, Traffic) and pair.opens is not None
    moment = traffic.begin(pair.listening, port)
    if b.find("path_chosen")[-1]["kind"] != "relayed":
        raise cell.Failed("the session did not begin on a relay")
    traffic.flow_for(0.5)
    pair.opens()
    if not b.wait_until(lambda: b.find("path_chosen")[-1]["kind"] == "direct", MOVE):
        raise cell.Failed(f"no direct path within {MOVE:.0f} s after one had opened")
    traffic.flow_for(1.0)
    if trouble := traffic.finish():
        raise cell.Failed(trouble)
    return moment
