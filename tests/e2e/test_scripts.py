"""What the scripts say when something is wrong with the machine that they run on."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def library(command: str) -> subprocess.CompletedProcess:
    """A command with the functions of scripts/lib, as the scripts have them."""
    script = f"set -euo pipefail; . '{ROOT}/scripts/lib/load.sh'; {command}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False,
                          timeout=60)


def test_a_failure_is_explained_before_there_is_a_log(tmp_path):
    done = library(f"show_and_die '{tmp_path}/build.log' 'cannot fetch it'")
    assert done.returncode == 1
    assert "cannot fetch it" in done.stderr and "No such file" not in done.stderr


def test_a_failure_is_explained_with_the_end_of_its_log(tmp_path):
    log = tmp_path / "build.log"
    log.write_text("".join(f"line {i}\n" for i in range(100)))
    done = library(f"show_and_die '{log}' 'it does not build'")
    assert done.returncode == 1
    assert "line 99" in done.stderr and "line 9\n" not in done.stderr
    assert done.stderr.rstrip().endswith("it does not build (the end of the log is above)")
