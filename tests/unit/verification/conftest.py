"""A world of one issuer and one holder."""

import pytest

from tests.support.credentials import World


@pytest.fixture
def world() -> World:
    return World()
