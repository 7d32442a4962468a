"""The suite bites: each deliberate break of our server turns it red."""

import os
import pathlib
import subprocess

import pytest

from testbed.conformance import mutants
from testbed.conformance.servers import ROOT

BUILD = pathlib.Path(os.environ.get("PEERSOCK_BINARY", ROOT / "build" / "peersock")).parent


@pytest.mark.timeout(2500)
def test_every_mutant_of_our_server_is_caught():
    done = subprocess.run([ROOT / "scripts" / "conformance-mutants", "--build", BUILD],
                          capture_output=True, text=True, timeout=2400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("mutants caught")


def test_every_mutant_names_its_place():
    found = mutants.load()
    assert len(found) >= 24
    for mutant in found:
        mutants.mutate((ROOT / mutant.file).read_text(), mutant)


def test_a_change_that_fits_nowhere_or_twice_is_an_error():
    mutant = mutants.Mutant("m", "file.cpp", (("abc", "x"),), ("add.echo",), {})
    assert mutants.mutate("1 abc 2", mutant) == "1 x 2"
    for text in ("nothing", "abc abc"):
        with pytest.raises(mutants.Problem, match="instead of once"):
            mutants.mutate(text, mutant)
