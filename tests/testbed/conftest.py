import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))  # for testbed

from testbed import network  # noqa: E402


@pytest.fixture(scope="session")
def isolated():
    """This process in namespaces of its own; a machine that forbids them fails the tests."""
    network.enter_isolation()


@pytest.fixture
def internet(isolated):
    with network.Internet() as made:
        yield made
