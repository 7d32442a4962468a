"""The same cells in both worlds: real programs in namespaces, and the simulation."""

import json
import subprocess
import sys

import pytest

from conftest import ROOT
from testbed.nat.profiles import PROFILES
from testbed.simulation import agreement
from testbed.simulation.pool import Pool, Run
from testbed.simulation.sites import NotSimulated, site_json

# Each kind of way: without a NAT, the kernel's NAT, two boxes, IPv6 for one side and for both, a relay
# over UDP and over TCP with either side in need of it, TCP between the two; and no way.
CELLS = ("public/public", "cgn-eim/linux", "linux/cgn-eim", "apdm-apdf/public", "apdm-apdf/apdm-apdf",
         "dual-stack/dual-stack", "dual-stack/ipv6-only", "ipv6-only/ipv6-only", "ipv6-only/linux",
         "linux/ipv6-only", "udp-blocked/public", "public/udp-blocked", "udp-blocked/cgn-eim",
         "cgn-eim/udp-blocked", "udp-blocked/udp-blocked")
WITHOUT_RELAY = ("linux/linux", "apdm-apdf/apdm-apdf", "udp-blocked/cgn-eim", "ipv6-only/linux")
DELAY = 10
REPEAT = 2  # the quicker one counts
JOBS = 6     # most of them wait for something
LIMIT = 600  # seconds


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    """Of real programs."""
    folder = tmp_path_factory.mktemp("matrix")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "nat-matrix", "--cells", ",".join(CELLS),
         "--without-relay", ",".join(WITHOUT_RELAY), "--delay", str(DELAY), "--repeat", str(REPEAT),
         "--jobs", str(JOBS), "--out", folder],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "matrix.json"


def compare(matrix, program, *arguments):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "simulate", "--program", program, "--agree", matrix,
         *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
        check=False)
    return done.returncode, done.stdout + done.stderr


def test_both_worlds_agree(matrix, program, tmp_path):
    code, said = compare(matrix, program, "--json", tmp_path / "agreement.json")
    print(said)
    assert code == 0, said
    found = json.loads((tmp_path / "agreement.json").read_text())
    assert len(found["cells"]) == len(CELLS) + len(WITHOUT_RELAY) and not found["left_out"]
    without = [cell["simulated"] for cell in found["cells"] if not cell["relay"]]
    assert without == [["no_path"], ["no_path"], ["no_path"], ["direct"]]
    assert {"direct", "relayed"} == {
        kind for cell in found["cells"] for kind in cell["simulated"] if cell["relay"]}


def test_a_relay_that_one_world_lacks_is_noticed(matrix, program, tmp_path):
    changed = json.loads(matrix.read_text())
    changed["cells"] = [{**cell, "relay": False} for cell in changed["cells"]
                        if (cell["connecting"], cell["listening"]) == ("udp-blocked", "udp-blocked")]
    lacking = tmp_path / "lacking.json"
    lacking.write_text(json.dumps(changed))
    code, said = compare(lacking, program)
    assert code == 1 and "NOT THE SAME: relayed in namespaces, no_path in the simulation" in said


def test_a_world_that_is_different_is_noticed(matrix, program, tmp_path):
    """The real results, with slower lines in the simulation than those that they were got with."""
    changed = json.loads(matrix.read_text())
    changed["delay_ms"] = 10 * DELAY
    changed["cells"] = [cell for cell in changed["cells"] if cell["connecting"] == "linux"]
    slow = tmp_path / "slow.json"
    slow.write_text(json.dumps(changed))
    code, said = compare(slow, program)
    assert code == 1 and "NOT THE SAME: first octet after" in said


def simulated_profiles():
    for name, profile in PROFILES.items():
        try:
            yield name, site_json(profile, DELAY)
        except NotSimulated:
            continue


def test_the_simulation_takes_a_profile_as_it_is_described(program, tmp_path):
    """Each one against a public host; what was simulated is in the result."""
    sites = dict(simulated_profiles())
    file = tmp_path / "scenarios.json"
    file.write_text(json.dumps([
        {"name": name, "listener": site, "connector": {}, "octets": 1000, "relay": True,
         "relay_tcp": True, "expected": ["direct", "relayed"]}
        for name, site in sites.items()]))
    results = list(Pool(program, 2, file).run([Run(name, 1) for name in sites]))
    assert len(results) == len(sites) >= 20
    for result in results:
        assert result["passed"], result
        found, wanted = result["network"]["listener"], sites[result["scenario"]]
        assert found["nats"] == wanted["nats"]
        assert (found["ipv4"], found["ipv6"]) == (wanted["ipv4"], wanted["ipv6"])
        assert [found[way]["delay_ms"] for way in ("up", "down")] == [DELAY, DELAY]


def test_a_scenario_file_that_is_wrong_is_refused_in_a_sentence(program, tmp_path):
    file = tmp_path / "scenarios.json"
    file.write_text('[{"name": "x", "listener": {"nats": [{"mapping": "symmetric"}]}}]')
    done = subprocess.run([program, "--file", file], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == ("peersock-sim: mapping of nats of listener of a scenario cannot be "
                           '"symmetric"\n')


def test_the_band_is_stated():
    documentation = (ROOT / "docs" / "simulation.md").read_text()
    assert f"{agreement.EARLIER:g} ms" in documentation
    assert f"{agreement.LATER:g} ms" in documentation
    assert f"{agreement.LATER_SHARE * 100:g} %" in documentation
