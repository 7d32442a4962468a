import pytest

import harness


def pytest_configure(config):
    config.addinivalue_line("markers", "netns: needs network namespaces of its own")


@pytest.fixture
def world():
    made = harness.World()
    yield made
    made.close()
