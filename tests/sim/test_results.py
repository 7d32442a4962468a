"""What the tests of pages and figures take for results is what the program writes."""

import json
import subprocess
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "testbed"))

import simulated  # noqa: E402


@pytest.fixture(scope="module")
def real(program):
    done = subprocess.run([program, "--scenario", "quick"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_results_have_the_same_members(real):
    # The pages do not look at what else there is of each side.
    assert set(real) - {"listener", "connector"} == set(simulated.result("quick"))


@pytest.mark.parametrize("path", [(), ("listener",), ("listener", "up"), ("listener", "up", "bursts"),
                                  ("listener", "nats", 0)])
def test_networks_have_the_same_members_and_the_usual_values(real, path):
    found, made_up = real["network"], simulated.network()
    for step in path:
        found, made_up = found[step], made_up[step]
    assert list(found) == list(made_up)
    different = {name for name in found if found[name] != made_up[name]}
    assert different <= {"name", "octets"}


def test_a_result_can_be_run_again(real, program, tmp_path):
    file = tmp_path / "again.json"
    file.write_text(json.dumps([real["network"]]))
    done = subprocess.run([program, "--file", file, "--seed", str(real["seed"])], capture_output=True,
                          text=True, check=True)
    assert json.loads(done.stdout)["digest"] == real["digest"]
