import pathlib
import sys

import pytest

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))  # for testbed


def pytest_configure(config):
    config.addinivalue_line("markers", "netns: needs network namespaces of its own")


@pytest.fixture
def world(request):
    made = harness.World(engines=getattr(request, "param", None))
    yield made
    made.close()
