"""A polling place that is open, and a wallet that may vote there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.polling import (
    AppTransport,
    PollingPlace,
    VotingWallet,
)
from tests.support.voting import voter


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> PollingPlace:
    """A polling place at its opening, to be copied."""
    made = PollingPlace(tmp_path_factory.mktemp("polling")).open()
    made.close()
    return made


@pytest.fixture
def place(opened: PollingPlace, tmp_path: Path) -> Iterator[PollingPlace]:
    running = opened.copy(tmp_path / "box")
    yield running
    running.close()


@pytest.fixture
def transport(place: PollingPlace) -> AppTransport:
    return AppTransport(place.application.flask_app)


@pytest.fixture
def wallet(place: PollingPlace, transport: AppTransport, tmp_path: Path) -> VotingWallet:
    return VotingWallet.at(tmp_path / "mine", transport, place.clock, voter(1))
