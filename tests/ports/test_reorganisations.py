"""Chains that change their mind: repaired below the finalized mark, an alarm across it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from seoul_wallet.anvil import AnvilNode
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from tests.support.databases import REPLICA, open_laid_out
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.sql.replica import SqlReplica
from wallet.ports.facts import ChainUnavailable, ReplicaDiverged, ReplicaEmpty
from wallet.trust.facts import BatchFact

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]
ISSUER, SCHEMA, MANIFEST = (bytes([n]) * 32 for n in (1, 2, 5))
DEPTH = 5
REPAIR_LIMIT_S = 1.0


@pytest.fixture
def stack() -> Iterator[LedgerStack]:
    with ledger_stack("anvil") as made:
        until = made.now() + 100_000
        made.root.accredit_accreditor(made.accreditor_address, SCHEMA, until)
        made.accreditor.accredit_issuer(ISSUER, made.controller_address, SCHEMA, until)
        mine(made, DEPTH + 1)
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_laid_out(tmp_path / "replica.db", REPLICA)
    yield engine
    engine.dispose()


def follower_of(stack: LedgerStack, database: Engine, depth: int = DEPTH) -> Follower:
    reader = EvmLedgerReader(stack.nodes, stack.deployment, finality=f"depth:{depth}")
    return Follower(reader, SqlReplica(database), SettableClock(stack.now() + 5))


def mine(stack: LedgerStack, blocks: int) -> None:
    assert isinstance(stack.chain, AnvilNode)
    stack.chain.request("anvil_mine", [hex(blocks)])


def reorganise(stack: LedgerStack, depth: int) -> None:
    """Replace the newest `depth` blocks by other, empty ones."""
    assert isinstance(stack.chain, AnvilNode)
    stack.chain.request("anvil_reorg", [depth, []])
    stack.chain.request("anvil_dropAllTransactions", [])


def anchor(stack: LedgerStack, name: str) -> bytes:
    """Anchor a root past the publisher, which would send again what a reorganisation dropped."""
    root = name.encode().ljust(32, b".")
    functions = stack.writer._anchor.functions
    stack.controller.send(functions.anchorBatch(ISSUER, SCHEMA, root, 64, MANIFEST))
    return root


def roots_on_chain(stack: LedgerStack, first: int) -> list[bytes]:
    """The batch roots in the logs from block `first` on, asked of the node directly."""
    logs = stack.w3.eth.get_logs({"fromBlock": first, "address": stack.writer._anchor.address})
    return [bytes(log["topics"][3]) for log in logs]


def provisional_roots(follower: Follower) -> list[bytes]:
    return [event.root for event in follower.provisional_events() if isinstance(event, BatchFact)]


def final_roots(database: Engine, roots: list[bytes]) -> list[bytes]:
    replica = SqlReplica(database)
    return [
        root
        for root in roots
        if replica.anchor_facts(ISSUER, SCHEMA, root, None).value.batch is not None
    ]


def test_a_three_block_reorganisation_is_repaired_and_facts_equal_the_chains(
    stack: LedgerStack, database: Engine
) -> None:
    follower = follower_of(stack, database)
    orphans = [anchor(stack, f"orphan {i}") for i in range(3)]
    final = follower.run_once()
    assert provisional_roots(follower) == orphans
    reorganise(stack, 3)
    kept = [anchor(stack, f"kept {i}") for i in range(2)]
    began = time.monotonic()
    follower.run_once()
    repaired_s = time.monotonic() - began
    print(f"3-deep reorganisation repaired in {1000 * repaired_s:.0f} ms")
    assert repaired_s < REPAIR_LIMIT_S
    assert provisional_roots(follower) == roots_on_chain(stack, final.number + 1) == kept
    assert final_roots(database, orphans + kept) == []
    mine(stack, DEPTH)
    follower.run_once()
    assert provisional_roots(follower) == []
    assert final_roots(database, orphans + kept) == kept == roots_on_chain(stack, 0)


def test_a_chain_that_became_shorter_takes_its_events_back(
    stack: LedgerStack, database: Engine
) -> None:
    follower = follower_of(stack, database)
    anchor(stack, "short-lived")
    follower.run_once()
    assert len(provisional_roots(follower)) == 1
    assert isinstance(stack.chain, AnvilNode)
    stack.chain.request("anvil_rollback", [1])
    with pytest.raises(ChainUnavailable, match="older than the replica's"):
        follower.run_once()
    stack.chain.request("evm_setNextBlockTimestamp", [stack.now() + 77])
    mine(stack, 2)
    follower.run_once()
    assert provisional_roots(follower) == []


@pytest.mark.parametrize("too_deep", [0, 1])
def test_a_reorganisation_up_to_the_mark_is_repaired_and_one_across_it_is_not(
    stack: LedgerStack, database: Engine, too_deep: int
) -> None:
    follower = follower_of(stack, database, depth=3)
    follower.run_once()
    reorganise(stack, 3 + too_deep)
    if too_deep:
        with pytest.raises(ReplicaDiverged):
            follower.run_once()
    else:
        follower.run_once()


def test_the_alarm_survives_a_restart_and_ends_with_an_operators_act(
    stack: LedgerStack, database: Engine
) -> None:
    follower = follower_of(stack, database, depth=1)
    root = anchor(stack, "final once")
    mine(stack, 1)
    follower.run_once()
    assert final_roots(database, [root]) == [root]
    reorganise(stack, 3)
    mine(stack, 4)
    for again in (follower, follower_of(stack, database, depth=1)):
        with pytest.raises(ReplicaDiverged):
            again.run_once()
        with pytest.raises(ReplicaDiverged):
            SqlReplica(database).anchor_facts(ISSUER, SCHEMA, root, None)
    SqlReplica(database).start_anew()
    with pytest.raises(ReplicaEmpty):
        SqlReplica(database).anchor_facts(ISSUER, SCHEMA, root, None)
    follower_of(stack, database, depth=1).run_once()
    assert final_roots(database, [root]) == []
    facts = SqlReplica(database).anchor_facts(ISSUER, SCHEMA, root, None).value
    assert facts.accredited(stack.now())
