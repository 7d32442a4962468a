import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for testbed


@pytest.fixture(scope="session")
def program():
    """peersock-sim; without it nothing here can be tested."""
    path = pathlib.Path(os.environ.get("PEERSOCK_SIM", ROOT / "build" / "sim" / "peersock-sim"))
    assert path.exists(), f"{path} is not there (docs/simulation.md)"
    return path
