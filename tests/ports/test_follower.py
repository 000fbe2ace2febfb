"""The follower on every chain: the replica says what the chain's final blocks say, no more."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from tests.support.databases import REPLICA, open_laid_out
from wallet.adapters.evm.deployment import ANCHOR
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.sql.replica import SqlReplica
from wallet.ports.facts import ChainUnavailable, ReplicaDiverged, ReplicaEmpty
from wallet.ports.ledger import ReplicaMismatch

ISSUER, SCHEMA, ROOT, LIST = (bytes([n]) * 32 for n in (1, 2, 3, 4))
MANIFEST, DIGEST = b"\x05" * 32, b"\x06" * 32


@pytest.fixture(
    params=[
        "eth-tester",
        pytest.param("anvil", marks=[pytest.mark.anvil, pytest.mark.loopback]),
    ]
)
def stack(request: pytest.FixtureRequest) -> Iterator[LedgerStack]:
    with ledger_stack(request.param) as made:
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_laid_out(tmp_path / "replica.db", REPLICA)
    yield engine
    engine.dispose()


def accredit(stack: LedgerStack) -> int:
    until = stack.now() + 100_000
    stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, until)
    stack.accreditor.accredit_issuer(ISSUER, stack.controller_address, SCHEMA, until)
    stack.finalize()
    return until


def test_the_replica_follows_the_chain_step_by_step(stack: LedgerStack, database: Engine) -> None:
    replica, clock = SqlReplica(database), SettableClock(stack.now() + 5)
    follower = Follower(stack.reader, replica, clock)
    with pytest.raises(ReplicaEmpty):
        replica.anchor_facts(ISSUER, SCHEMA, None, None)
    until = accredit(stack)
    follower.run_once()
    before = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST)
    assert before.value.accredited(stack.now())
    assert before.value.batch is None
    assert before.value.status is None
    stack.writer.anchor_batch(ISSUER, SCHEMA, ROOT, 64, MANIFEST)
    stack.writer.publish_status(ISSUER, LIST, DIGEST, 1, until)
    stack.finalize()
    follower.run_once()
    follower.run_once()
    after = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST).value
    assert after.batch is not None
    assert after.batch.size == 64
    assert after.status is not None
    assert after.status.digest == DIGEST
    stack.writer.revoke_batch(ISSUER, ROOT)
    stack.accreditor.revoke_issuer(ISSUER, SCHEMA)
    stack.finalize()
    follower.run_once()
    last = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST).value
    assert last.batch is not None
    assert last.batch.revoked_at is not None
    assert not last.accredited(stack.now())
    assert last.accredited(after.batch.anchored_at)


def test_the_time_of_the_facts_is_never_later_than_block_or_reading(
    stack: LedgerStack, database: Engine
) -> None:
    replica, clock = SqlReplica(database), SettableClock(stack.now() - 50)
    follower = Follower(stack.reader, replica, clock)
    accredit(stack)
    head = follower.run_once()
    assert replica.anchor_facts(ISSUER, SCHEMA, None, None).as_of == clock.now()
    clock.set(head.time + 1_000)
    follower.run_once()
    assert replica.anchor_facts(ISSUER, SCHEMA, None, None).as_of == head.time


def test_a_dead_chain_leaves_the_facts_with_their_own_time(
    stack: LedgerStack, database: Engine
) -> None:
    replica, clock = SqlReplica(database), SettableClock(stack.now() + 5)
    follower = Follower(stack.reader, replica, clock)
    accredit(stack)
    follower.run_once()
    known = replica.anchor_facts(ISSUER, SCHEMA, None, None)
    stack.silence()
    clock.set(clock.now() + 3_600)
    with pytest.raises(ChainUnavailable):
        follower.run_once()
    assert replica.anchor_facts(ISSUER, SCHEMA, None, None) == known


def test_a_replica_of_another_deployment_is_refused(stack: LedgerStack, database: Engine) -> None:
    replica, clock = SqlReplica(database), SettableClock(stack.now())
    Follower(stack.reader, replica, clock)
    pins = stack.deployment.contracts
    elsewhere = {**pins, ANCHOR: replace(pins[ANCHOR], address="0x" + "11" * 20)}
    other = EvmLedgerReader(stack.nodes, replace(stack.deployment, contracts=elsewhere))
    with pytest.raises(ReplicaMismatch):
        Follower(other, replica, clock)


@pytest.mark.anvil
@pytest.mark.loopback
def test_a_final_block_that_changes_stops_the_follower(database: Engine) -> None:
    with ledger_stack("anvil") as stack:
        assert isinstance(stack.chain, AnvilNode)
        replica, clock = SqlReplica(database), SettableClock(stack.now())
        follower = Follower(stack.reader, replica, clock)
        accredit(stack)
        head = follower.run_once()
        depth = stack.w3.eth.block_number - head.number + 2
        stack.chain.request("anvil_rollback", [depth])
        stack.chain.request("evm_setNextBlockTimestamp", [stack.now() + 777])
        stack.chain.request("anvil_mine", [hex(depth + 6)])
        with pytest.raises(ReplicaDiverged):
            follower.run_once()
        assert replica.head() == head
