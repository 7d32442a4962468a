import pytest

import harness


@pytest.fixture
def world():
    made = harness.World()
    yield made
    made.close()
