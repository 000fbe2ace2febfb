"""Ballot boxes that are killed at the steps of a cast, of a checkpoint and of its transaction."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from seoul_wallet.anvil import AnvilNode
from tests.support.ballot_box import CHOICES, MANIFEST, Box
from tests.support.ballot_box_process import BallotBoxProcesses
from tests.support.ballot_chain import EVERY_S, ElectionOnChain
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.voting import OPENS, cast, voter
from wallet.adapters.evm.publisher import PublisherStep
from wallet.voting.board import BALLOT

KILLS = int(os.environ.get("SOAK_BALLOT_KILLS", "4"))
# More steps than a cast or a checkpoint has: the last runs end by themselves.
MAX_STEPS = 32


@pytest.fixture(scope="module")
def processes() -> Iterator[BallotBoxProcesses]:
    with BallotBoxProcesses() as started:
        yield started


@pytest.fixture
def box(empty_sqlite_url: str) -> Iterator[Box]:
    running = Box(empty_sqlite_url)
    running.open()
    yield running
    running.application.close()


@pytest.mark.soak
def test_a_box_that_is_killed_at_any_step_counts_each_ballot_once(
    box: Box, processes: BallotBoxProcesses, tmp_path: Path
) -> None:
    election = box.box.election()
    path = tmp_path / "ballot"
    codes = []
    now = OPENS
    for number in range(KILLS):
        step = number * max(1, MAX_STEPS // KILLS) % MAX_STEPS
        octets = cast(election, voter(1), CHOICES, number + 1).octets
        path.write_bytes(octets)
        codes.append(processes.cast(box.url, MANIFEST.octets, now, step, path))
        # The wallet got no answer and sends again.
        first = box.box.accept(octets)
        assert box.box.accept(octets) == first
        if now + MANIFEST.checkpoint_every_s < MANIFEST.closes:
            now += MANIFEST.checkpoint_every_s
        codes.append(processes.checkpoint(box.url, MANIFEST.octets, now, step))
        box.clock.set(now)
        box.box.work()
    assert set(codes) <= {0, -signal.SIGKILL}
    assert -signal.SIGKILL in codes
    box.clock.set(MANIFEST.closes)
    box.box.work()
    payloads = [entry.payload for entry in box.entries() if entry.kind == BALLOT]
    assert len(payloads) == len(set(payloads)) == KILLS


@pytest.fixture
def anvil() -> Iterator[LedgerStack]:
    with ledger_stack("anvil") as started:
        yield started


@pytest.mark.anvil
@pytest.mark.loopback
def test_a_box_killed_in_the_middle_of_a_transaction_checkpoints_once(
    anvil: LedgerStack, processes: BallotBoxProcesses, tmp_path: Path
) -> None:
    on_anvil = ElectionOnChain(anvil, tmp_path)
    on_anvil.open()
    node = on_anvil.stack.chain
    assert isinstance(node, AnvilNode)
    place = {
        "node": node.url,
        "deployment": on_anvil.stack.deployment.to_json(),
        "secret": bytes(on_anvil.stack.controller.account.key).hex(),
    }
    octets = on_anvil.manifest.octets
    node.request("evm_setAutomine", [False])
    on_anvil.travel_to(on_anvil.clock.now() + EVERY_S)
    now, url = on_anvil.clock.now(), on_anvil.database_url
    # Sent, stuck, and its offer raised: two forms of one checkpoint are under way.
    step = PublisherStep.REPRICED
    killed = processes.anchor(url, octets, now, step, is_stuck=True, **place)
    assert killed == -signal.SIGKILL
    assert processes.anchor(url, octets, now, None, is_stuck=False, **place) == 0
    node.request("evm_setAutomine", [True])
    assert on_anvil.is_anchored
    assert on_anvil.on_chain() == on_anvil.signed()
    assert len(on_anvil.signed()) == 2
    on_anvil.application.close()
