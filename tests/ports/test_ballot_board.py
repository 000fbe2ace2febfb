"""The board of a ballot box on every chain: opened, checkpointed once each, sealed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ballot_chain import ElectionOnChain, election_on_chain

CHAINS = ["eth-tester", pytest.param("anvil", marks=[pytest.mark.anvil, pytest.mark.loopback])]


@pytest.fixture(params=CHAINS)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ElectionOnChain]:
    with election_on_chain(request.param, tmp_path) as started:
        yield started


def test_puts_a_whole_election_on_the_chain(running: ElectionOnChain) -> None:
    running.run()
    assert running.on_chain() == running.signed()
    assert running.application.publication.state().sealed is not None
