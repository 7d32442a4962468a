"""The benchmark works and measures what it says. No figure is judged: that is for people."""

import json
import subprocess
import xml.etree.ElementTree

import harness


def bench(*arguments, **settings):
    return subprocess.run(
        [harness.ROOT / "scripts" / "bench", *map(str, arguments)], capture_output=True, text=True,
        timeout=300, env={**harness.clean_environment(), "PEERSOCK_BINARY": str(harness.BINARY),
                          **settings})


EVERYWHERE = {"mib_per_second", "eight_mib_per_second", "ping_p50_us", "ping_p99_us", "crowd_ms",
              "beside_p99_us", "beside_mib_per_second", "connections_per_second", "connection_us"}
TUNNELS = EVERYWHERE | {"cpu_seconds_per_gib", "cpu_sender", "cpu_receiver", "idle_a_mib",
                        "idle_b_mib", "peak_a_mib", "peak_b_mib", "first_octet_ms"}
OURS = {"ngtcp2_auto", "ngtcp2_nice", "openssl_auto", "openssl_nice"}
FILES = {"magic_wormhole", "william"}


def test_quick_run_measures_every_system_it_can(tmp_path):
    out, svg = tmp_path / "figures.json", tmp_path / "figures.svg"
    done = bench("--quick", "--out", out, "--svg", svg)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())

    assert result["version"] == 2
    assert {"cpu", "cores", "kernel", "peersock", "ssh", "socat", "william"} <= set(result["machine"])
    assert set(result["absent"]) <= {"engine"}
    assert result["failures"] == []
    # What came was compared with what was sent, both ways, for every system.
    assert set(result["checksums"]) == {"tcp", "socat", "ssh"} | OURS | FILES
    assert all(result["checksums"].values())

    (lan,) = result["figures"]["lan"]
    assert set(lan) == set(result["checksums"])
    assert EVERYWHERE <= set(lan["tcp"])
    for system in OURS | {"socat", "ssh"}:
        assert TUNNELS <= set(lan[system]), system
    for system in FILES:
        assert {"mib_per_second", "cpu_seconds_per_gib", "first_octet_ms"} <= set(lan[system])
    for figures in lan.values():
        assert all(value >= 0 for key, value in figures.items() if key != "beside_over_idle_ms")

    (far,) = result["figures"]["connect"]
    # The light itself needs more than two: there and back to the rendezvous, and to the peer.
    assert far["ngtcp2_auto"]["first_octet_round_trips"] > 2
    (lossy,) = result["figures"]["loss1"]
    assert lossy["ngtcp2_auto"]["mib_per_second"] > 0
    (deep,) = result["figures"]["deep"]
    assert deep["ngtcp2_auto"]["idle_p50_us"] >= 50_000
    assert 0 < deep["ngtcp2_auto"]["beside_mib_per_second"] <= 20e6 / 8 / 2**20 * 1.01
    for shares in result["fairness"]["fair_shallow"].values():
        assert 0 < shares["share"] < 1

    assert "reached" in done.stdout
    assert xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg")
    for name in result["names"].values():
        assert name in done.stdout

    document = tmp_path / "document.md"
    document.write_text("before\n<!-- tables of scripts/bench -->\nold\n"
                        "<!-- end of the tables -->\nafter\n")
    again = bench("--render", out, "--into", document)
    assert again.stdout == done.stdout
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert done.stdout in text and "old" not in text


def test_a_network_can_be_chosen(tmp_path):
    out = tmp_path / "figures.json"
    done = bench("--networks", "narrow", "--systems", "tcp", "--seconds", "3", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())
    assert set(result["figures"]) == {"narrow"}
    # The bottleneck is what it says, whatever the machine does besides.
    (found,) = result["figures"]["narrow"]
    assert 0 < found["tcp"]["mib_per_second"] <= 200e6 / 8 / 2**20
    assert bench("--networks", "nowhere").returncode == 2
    unmarked = tmp_path / "unmarked.md"
    unmarked.write_text("nothing to replace\n")
    assert bench("--render", out, "--into", unmarked).returncode == 2
    assert unmarked.read_text() == "nothing to replace\n"


def test_a_failing_run_says_why_and_leaves_nothing(tmp_path):
    done = bench("--quick", PEERSOCK_BINARY=str(tmp_path / "absent"), TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "absent is not there" in done.stderr
    assert list(tmp_path.iterdir()) == []
