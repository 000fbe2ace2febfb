"""Publishers that are killed, race, or lose their node: one effective anchor each, none lost."""

from __future__ import annotations

import os
import random
import secrets
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.publisher_process import PublisherProcesses
from tests.support.publishing import CARD, IDENTITY, AnchoringIssuer, Place
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.publisher import PublisherStep
from wallet.adapters.evm.sender import Sender
from wallet.trust.facts import BatchFact
from wallet.trust.identifiers import schema_id

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]

STEPS = tuple(PublisherStep)
KILLS = int(os.environ.get("SOAK_PUBLISHER_KILLS", str(len(STEPS))))
RACED = 6


@dataclass
class World:
    """An issuer accredited on a fresh chain that mines only when it is told to."""

    stack: LedgerStack
    place: Place

    def issuer(self) -> AnchoringIssuer:
        return AnchoringIssuer(self.place, SystemClock())

    def anchored(self) -> Counter[bytes]:
        """How many times each root was anchored."""
        return Counter(event.root for event in self.stack.events() if isinstance(event, BatchFact))

    def mine(self) -> None:
        self.node.request("anvil_mine", ["0x1"])

    @property
    def node(self) -> AnvilNode:
        assert isinstance(self.stack.chain, AnvilNode)
        return self.stack.chain

    def check(self, issuer: AnchoringIssuer, issued: int) -> None:
        """Everything that was issued has one anchor, and the nonces have no gap."""
        assert issuer.is_done
        assert list(self.anchored().values()) == [1] * issued
        assert issuer.nonces() == [(nonce, "final") for nonce in range(issued)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ledger_stack("anvil", state_file=tmp_path / "chain.json") as stack:
        assert isinstance(stack.chain, AnvilNode)
        secret = secrets.token_bytes(32)
        controller = Sender.from_secret(stack.w3, secret).address
        stack.chain.fund(controller)
        until = stack.now() + 100_000
        schema = schema_id(CARD)
        stack.root.accredit_accreditor(stack.accreditor_address, schema, until)
        stack.accreditor.accredit_issuer(IDENTITY.chain_id, controller, schema, until)
        stack.chain.request("evm_setAutomine", [False])
        yield World(stack, Place(tmp_path, stack.chain.url, stack.deployment, secret))


@pytest.fixture(scope="module")
def processes() -> Iterator[PublisherProcesses]:
    with PublisherProcesses() as started:
        yield started


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_publisher_killed_at_any_step_anchors_exactly_once_after_its_restart(
    world: World, processes: PublisherProcesses
) -> None:
    issuer = world.issuer()
    draw = random.Random(1)
    for kill in range(KILLS):
        step = STEPS[kill % len(STEPS)]
        issuer.issue(kill.to_bytes(32, "big"))
        dear = step is PublisherStep.REPRICED
        # A look happens many times on the way; the other steps once for each transaction.
        time = draw.randint(1, 2) if step is PublisherStep.LOOKED else 1
        killed = processes.start(world.place, step=step, time=time, gets_dear=dear)
        assert processes.wait(killed) == -signal.SIGKILL, step
        assert not issuer.is_done
        assert processes.wait(processes.start(world.place)) == 0, step
        world.check(issuer, kill + 1)
    issuer.close()


def test_two_publishers_with_one_key_anchor_each_batch_once(
    world: World, processes: PublisherProcesses
) -> None:
    issuer = world.issuer()
    for number in range(RACED):
        issuer.issue(number.to_bytes(32, "big"))
    racers = [processes.start(world.place) for _ in range(2)]
    assert [processes.wait(racer) for racer in racers] == [0, 0]
    world.check(issuer, RACED)
    issuer.close()


@pytest.mark.parametrize("step", [PublisherStep.JOURNALLED, PublisherStep.SENT])
def test_a_node_that_dies_around_the_sending_gets_the_same_transaction_when_it_is_back(
    world: World, step: PublisherStep
) -> None:
    def end_node(reached: PublisherStep) -> None:
        if reached is step:
            world.node.stop()

    doomed = AnchoringIssuer(world.place, SystemClock(), after_step=end_node)
    doomed.issue(bytes(32))
    assert doomed.anchoring.anchor_due(SystemClock().now()).sent == 1
    (before,) = doomed.journal.unsettled(doomed.key, limit=9)
    doomed.close()
    revived = AnvilNode(state_file=world.place.folder / "chain.json", port=world.node.port)
    world.stack.chain = revived
    revived.request("evm_setAutomine", [False])
    issuer = world.issuer()
    try:
        issuer.work_once()
        found = connect(world.place.url).eth.get_raw_transaction(before.newest.signed.hash)
        assert bytes(found) == before.newest.signed.raw
        for _ in range(4):
            world.mine()
            issuer.work_once()
        world.check(issuer, 1)
    finally:
        issuer.close()
        revived.stop()


def test_without_funds_the_queue_grows_and_is_sent_once_there_are_some(world: World) -> None:
    issuer = world.issuer()
    address = Sender.from_secret(world.stack.w3, world.place.secret).address
    checksum = world.stack.w3.to_checksum_address(address)
    world.node.request("anvil_setBalance", [checksum, "0x0"])
    # The block whose state this altered has no fitting proofs: let it lie below the final one.
    world.node.request("anvil_mine", ["0x3"])
    for number in range(3):
        issuer.issue(number.to_bytes(32, "big"))
        done = issuer.work_once()
        assert (done.sealed, done.failures) == (1, ("writer_unfunded",) * (number + 1))
    assert issuer.nonces() == []
    assert issuer.anchoring.waiting() == (0, 3)
    world.node.fund(address)
    for _ in range(4):
        issuer.work_once()
        world.mine()
    issuer.work_once()
    world.check(issuer, 3)
    issuer.close()
