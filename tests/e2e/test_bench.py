"""The benchmark works and measures what it says. No figure is judged: that is for people."""

import json
import subprocess

import harness


def test_quick_run_measures_every_system_it_can(tmp_path):
    out = tmp_path / "figures.json"
    done = subprocess.run(
        [harness.ROOT / "scripts" / "bench", "--quick", "--out", out], capture_output=True,
        text=True, timeout=300, env={**harness.clean_environment(),
                                     "PEERSOCK_BINARY": str(harness.BINARY)})
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())

    assert result["version"] == 1
    assert {"cpu", "cores", "kernel", "peersock", "ssh", "socat"} <= set(result["machine"])
    assert set(result["absent"]) <= {"engine", "socat", "ssh", "ssh_gcm"}
    assert {"tcp", "peersock"} <= set(result["checksums"])
    assert all(result["checksums"].values())
    assert result["failures"] == []

    (found,) = result["rounds"]
    assert set(found) == set(result["names"]) == set(result["checksums"])
    everywhere = {"mib_per_second", "eight_mib_per_second", "ping_p50_us", "ping_p99_us",
                  "connections_per_second", "connection_us", "crowd_ms", "connection_round_trips"}
    for system, figures in found.items():
        assert everywhere <= set(figures), system
        assert all(value >= 0 for value in figures.values()), system
    assert {"first_octet_ms", "far_first_octet_ms", "cpu_seconds_per_gib", "idle_a_mib",
            "idle_b_mib", "peak_a_mib", "peak_b_mib"} <= set(found["peersock"])
    for name in result["names"].values():
        assert name in done.stdout


def test_a_failing_run_says_why_and_leaves_nothing(tmp_path):
    done = subprocess.run(
        [harness.ROOT / "scripts" / "bench", "--quick"], capture_output=True, text=True, timeout=60,
        env={**harness.clean_environment(), "PEERSOCK_BINARY": str(tmp_path / "absent"),
             "TMPDIR": str(tmp_path)})
    assert done.returncode == 1
    assert "absent is not there" in done.stderr
    assert list(tmp_path.iterdir()) == []
