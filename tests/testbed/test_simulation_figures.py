"""Which results are points of the curves of throughput: those that differ in loss alone."""

import pytest

import simulated
from testbed.simulation.figures import throughput

LOSSES = (0.0, 1.0)
JUMP = {"what": "listener-clock-jumps", "when": "half-way", "delay_ms": 0.0, "lasts_ms": 1000.0}


def results(name="one", rate=1e6, outcome="direct", line=None, **more):
    for loss in LOSSES:
        where = simulated.network(simulated.site({}, loss=loss, **(line or {})),
                                  simulated.site({}, loss=loss, **(line or {})), **more)
        yield simulated.result(f"{name}-{loss}", rate=rate, outcome=outcome, where=where)


def test_runs_over_lines_with_different_loss_are_a_curve():
    (way, points), = throughput(list(results())).items()
    assert (way.engine, way.octets, way.round_trip, way.rate) == ("ngtcp2", 1 << 20, 40.0, 0)
    assert [(round(point.loss, 2), point.values) for point in points] == [(0, [1e6]), (1.99, [1e6])]


@pytest.mark.parametrize("other", [
    {"line": {"jitter_ms": 1.0}}, {"line": {"reorder": 1.0}}, {"line": {"duplicate": 1.0}},
    {"line": {"black_hole": 1280}}, {"line": {"bursts": {"begin": 1.0, "end": 50.0, "loss": 100.0}}},
    {"happenings": [JUMP]}, {"idle_ms": 1000.0}, {"pairs": 2}, {"sessions": 2},
    {"outcome": "relayed", "relay": True}, {"rate": None}])
def test_what_something_else_happens_to_is_no_point(other):
    assert throughput(list(results(**other))) == {}
    (points,) = throughput([*results(), *results("other", **{"rate": 5.0, **other})]).values()
    assert [point.values for point in points] == [[1e6], [1e6]]


def test_each_engine_has_a_curve_of_its_own():
    assert len(throughput([*results(), *results("other", engine="openssl")])) == 2
