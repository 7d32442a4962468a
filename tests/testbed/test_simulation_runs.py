"""scripts/simulate with a program that only looks like a simulation: what it makes of crashes, of
results that differ, and of another world that does not agree.
"""

import json
import os
import stat

import pytest

import simulated
from testbed.simulation import agreement, main
from testbed.simulation.pool import Pool, Run

HANGS = 40  # seconds; a quarter of it is enough for a result
PROGRAM = f"""#!/usr/bin/python3
import json, os, sys, time
sys.path[:0] = {[os.path.dirname(os.path.abspath(simulated.__file__))]!r}
sys.path.append({str(main.ROOT)!r})
import simulated
NAMES = ["crash-2", "fine", "hang-2", "other-3", "silent"]
if "--file" in sys.argv:
    scenarios = json.load(open(sys.argv[sys.argv.index("--file") + 1]))
    NAMES = [one["name"] for one in scenarios]
if "--list" in sys.argv:
    print("\\n".join(name for name in NAMES if name in sys.argv))
    sys.exit()
ran = 0
for line in sys.stdin:
    name, seed = line.split()
    ran += 1
    if name == "crash-2" and seed == "2":
        sys.stderr.write("something is wrong\\n")
        os.abort()
    if name == "hang-2" and seed == "2":
        time.sleep({HANGS})
    result = simulated.result(name, int(seed), where=None)
    if name == "other-3" and seed == "3":
        result["digest"] = str(ran)
    result["process"] = os.getpid()
    print("not a result\\n" + json.dumps(result), flush=True)
"""


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "program"
    file.write_text(PROGRAM)
    file.chmod(stat.S_IRWXU)
    return file


def runs(name, seeds):
    return [Run(name, seed) for seed in range(1, seeds + 1)]


def test_each_process_runs_many(program):
    results = list(Pool(program, 2).run(runs("fine", 40)))
    assert sorted(one["seed"] for one in results) == list(range(1, 41))
    assert all(one["passed"] for one in results)
    assert len({one["process"] for one in results}) <= 2


def test_after_a_crash_another_process_goes_on(program):
    results = {one["seed"]: one for one in Pool(program, 1).run(runs("crash-2", 4))}
    assert [results[seed]["passed"] for seed in (1, 2, 3, 4)] == [True, False, True, True]
    assert results[2]["outcome"] == "crashed"
    assert results[2]["violations"] == ["status -6: something is wrong"]
    assert results[1]["process"] != results[3]["process"] == results[4]["process"]


def test_one_that_hangs_is_ended(program):
    results = {one["seed"]: one for one in Pool(program, 1, longest=HANGS / 4).run(runs("hang-2", 3))}
    assert results[2]["violations"] == ["it did not end"]
    assert results[3]["passed"]


def test_a_program_that_does_not_start_is_a_failure_of_each_run(tmp_path):
    results = list(Pool(tmp_path / "missing", 2).run(runs("fine", 3)))
    assert len(results) == 3 and not any(one["passed"] for one in results)


def test_no_process_outlives_a_run_that_is_given_up(program):
    some = Pool(program, 2).run(runs("fine", 1000))
    first = next(some)
    some.close()
    with pytest.raises(ProcessLookupError):
        os.kill(first["process"], 0)


def simulate(program, *arguments):
    return main.main(["--program", str(program), *map(str, arguments)])


def test_the_result_file_has_every_run(program, tmp_path, capsys):
    assert simulate(program, "--scenario", "fine", "--seeds", 5, "--twice", "--json",
                    tmp_path / "result.json", "--html", tmp_path / "page.html") == 0
    document = json.loads((tmp_path / "result.json").read_text())
    assert [one["seed"] for one in document["results"]] == [1, 2, 3, 4, 5]
    assert "peersock in simulated networks" in (tmp_path / "page.html").read_text()
    assert capsys.readouterr().out.splitlines()[-1].endswith("0 failed")


def test_the_speed_is_told_in_real_and_in_processor_time(program, capsys):
    assert simulate(program, "--scenario", "fine", "--seeds", 2) == 0
    assert "sessions a second of real time, 2 at once; 50.0 ms of processor time each" in (
        capsys.readouterr().out)


def test_a_crash_is_a_failure_with_the_command_that_repeats_it(program, capsys):
    assert simulate(program, "--scenario", "crash-2", "--seeds", 2) == 1
    said = capsys.readouterr().out
    assert "crash-2 with seed 2: crashed (status -6: something is wrong)" in said
    assert f"again: {program} --scenario crash-2 --seed 2" in said


def test_another_digest_in_another_order_is_a_failure(program, capsys):
    wanted = "--scenario", "other-3", "--seeds", 4, "--jobs", 1
    assert simulate(program, *wanted, "--twice") == 1
    assert "other-3 with seed 3: the digest is 3, and 2 in another run" in capsys.readouterr().out
    assert simulate(program, *wanted) == 0


@pytest.mark.parametrize("arguments", [
    ["--render", "x"], ["--agree", "x", "--html", "y"], ["--agree", "x", "--twice"],
    ["--jobs", "0"], ["--seeds", "0"]])
def test_wrong_usage_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


# ---- agreement ----

def cell(connecting="eim-apdf", listening="eim-eif", outcome="direct", first=650.0, **more):
    return {"connecting": connecting, "listening": listening, "outcome": outcome,
            "first_octet_ms": first, "first_path": outcome, "direct_after_ms": None, **more}


@pytest.fixture
def agree(program, tmp_path, capsys):
    """Simulated sessions are all direct, and their first octet comes after 600 ms."""
    def run(*cells, delay=10):
        matrix = tmp_path / "matrix.json"
        matrix.write_text(json.dumps({"delay_ms": delay, "cells": list(cells)}))
        code = simulate(program, "--agree", matrix, "--json", tmp_path / "agreement.json")
        return code, capsys.readouterr()
    return run


def test_the_same_in_both_worlds_agrees(agree, tmp_path):
    code, said = agree(cell(), cell("public", "linux"), cell(first=5000), cell("tcp-443", "public"))
    assert code == 0, said.out
    assert said.out.splitlines()[-1] == (
        "agreement: 2 of 2 cells are the same in both worlds, 1 cannot be compared")
    assert "left out, because the relay can only be reached over TLS" in said.out
    written = json.loads((tmp_path / "agreement.json").read_text())
    assert [len(one["simulated_ms"]) for one in written["cells"]] == [3, 3]
    assert written["cells"][0]["real_ms"] == 650


@pytest.mark.parametrize("other, difference", [
    ({"outcome": "relayed"}, "relayed in namespaces, direct in the simulation"),
    ({"outcome": "failed", "first": None}, "no_path in namespaces, direct in the simulation"),
    ({"first": 600 * (1 + agreement.LATER_SHARE) + agreement.LATER + 1}, "should be between"),
    ({"first": 600 - agreement.EARLIER - 1}, "should be between")])
def test_a_difference_is_found(agree, other, difference):
    code, said = agree(cell(), cell("public", "public", **other))
    assert code == 1
    assert "NOT THE SAME" in said.out and difference in said.out
    assert "agreement: 1 of 2 cells" in said.out


@pytest.mark.parametrize("after, code", [(2000.0, 0), (0.0, 0), (None, 1)])
def test_a_session_that_changed_its_path_was_on_both(agree, program, after, code):
    program.write_text(PROGRAM.replace("where=None", "outcome='relayed', where=None"))
    ended, said = agree(cell(first_path="relayed", direct_after_ms=after))
    assert ended == code, said.out


@pytest.mark.parametrize("cells, delay", [([], 10), ([cell()], 0)])
def test_a_matrix_without_delays_is_refused(agree, cells, delay):
    code, said = agree(*cells, delay=delay)
    assert code == 2 and "run scripts/nat-matrix --delay 10" in said.err


def test_a_matrix_of_nothing_that_is_simulated_is_no_agreement(agree):
    assert agree(cell("tcp-443", "proxy-only"))[0] == 1
