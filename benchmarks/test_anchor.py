"""What the anchor costs: gas, receipts, a million leaves, reorganisations, a node that hangs."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import coincurve
import pytest
from sqlalchemy import Engine

from benchmarks.conftest import Figure, Paired, is_measuring
from seoul_wallet.anchor.gas import ACCREDIT, ANCHOR_BATCH, CHECKPOINT, PUBLISH_STATUS, gas_of
from seoul_wallet.anvil import AnvilNode
from tests.support import lying_node as lies
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from tests.support.lying_node import LyingNode
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.quorum import open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.ports.facts import ChainUnavailable
from wallet.trust.receipt import AnchorReceipt

GAS = {
    "gas: anchor a batch of any size, not the first": (ANCHOR_BATCH, 75_000),
    "gas: a new version of a status list": (PUBLISH_STATUS, 60_000),
    "gas: accredit an issuer": (ACCREDIT, 85_000),
    "gas: checkpoint of a ballot board": (CHECKPOINT, 46_000),
}
PATH_NODES = 20
SIGNED_BYTES = 900
REORGANISED_BLOCKS = 3
FINALITY_DEPTH = 5
TIMEOUT_S = 0.5
SCHEMA, ISSUER = b"\2" * 32, b"\1" * 32
ROOT = Path(__file__).resolve().parents[1]


def test_gas_of_the_frequent_operations(figure: Figure) -> None:
    for row, (operation, limit) in GAS.items():
        figure(row, gas_of(operation), limit=limit, unit="gas")


def test_verifying_a_receipt(paired: Paired) -> None:
    key = coincurve.PrivateKey()

    def fresh() -> tuple[AnchorReceipt, bytes, bytes]:
        path = tuple(secrets.token_bytes(32) for _ in range(PATH_NODES))
        index = secrets.randbelow(2**PATH_NODES)
        receipt = AnchorReceipt(index, 2**PATH_NODES, path, secrets.token_bytes(32))
        signed = secrets.token_bytes(SIGNED_BYTES)
        return receipt, signed, key.sign(signed)

    def floor(case: tuple[AnchorReceipt, bytes, bytes]) -> None:
        assert key.public_key.verify(case[2], case[1])

    def subject(case: tuple[AnchorReceipt, bytes, bytes]) -> None:
        case[0].root_for(case[1])

    row = f"anchor receipt, {PATH_NODES}-node path"
    paired(row=row, fresh=fresh, floor=floor, subject=subject, at_most=1)


@pytest.mark.loopback
@pytest.mark.timeout(300)
def test_a_million_leaves(figure: Figure, pytestconfig: pytest.Config) -> None:
    leaves = 1_000_000 if is_measuring(pytestconfig) else 1000
    # In a process of its own, because its largest memory is what is claimed.
    command = [sys.executable, "-m", "seoul_wallet", "anchor", "rehearse", "--chain", "in-process"]
    command += ["--leaves", str(leaves)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True
    )
    found = re.search(r"([0-9.]+) s of one processor\), peak memory ([0-9]+) MiB", done.stdout)
    assert found is not None
    figure(
        "a million leaves: tree and all receipts, one processor",
        float(found[1]),
        limit=60,
        unit="s",
    )
    figure("a million leaves: largest memory", float(found[2]), limit=1024, unit="MiB")


@pytest.fixture
def chain() -> Iterator[LedgerStack]:
    with ledger_stack("anvil") as stack:
        until = stack.now() + 100_000
        stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, until)
        stack.accreditor.accredit_issuer(ISSUER, stack.controller_address, SCHEMA, until)
        yield stack


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(sqlite_url(tmp_path / "replica.db"))
    migrate(engine, "replica")
    yield engine
    engine.dispose()


@pytest.mark.anvil
@pytest.mark.loopback
def test_a_reorganisation_is_repaired(figure: Figure, chain: LedgerStack, replica: Engine) -> None:
    assert isinstance(chain.chain, AnvilNode)
    finality = f"depth:{FINALITY_DEPTH}"
    chain.chain.request("anvil_mine", [hex(FINALITY_DEPTH + 1)])
    reader = EvmLedgerReader(chain.nodes, chain.deployment, finality=finality)
    follower = Follower(reader, SqlReplica(replica), SettableClock(chain.now() + 60))
    chain.writer.anchor_batch(ISSUER, SCHEMA, b"\3" * 32, 64, b"\4" * 32)
    chain.chain.request("anvil_mine", [hex(REORGANISED_BLOCKS - 1)])
    follower.run_once()
    assert follower.provisional_events()
    chain.chain.request("anvil_reorg", [REORGANISED_BLOCKS, []])
    chain.chain.request("anvil_dropAllTransactions", [])
    started = time.perf_counter()
    follower.run_once()
    took = time.perf_counter() - started
    assert not follower.provisional_events()
    figure("3-deep reorganisation repaired", took, limit=1, unit="s")


@pytest.mark.anvil
@pytest.mark.loopback
def test_a_node_that_hangs(figure: Figure, chain: LedgerStack, replica: Engine) -> None:
    assert isinstance(chain.chain, AnvilNode)
    with LyingNode(chain.chain.url, lies.hang) as liar:
        nodes = open_quorum([chain.chain.url, liar.url], timeout_s=TIMEOUT_S)
        reader = EvmLedgerReader(nodes, chain.deployment, finality="tag")
        follower = Follower(reader, SqlReplica(replica), SettableClock(chain.now() + 60))
        started = time.perf_counter()
        with pytest.raises(ChainUnavailable):
            follower.run_once()
        took = time.perf_counter() - started
        nodes.close()
    row = f"one of two nodes hangs: unavailable after (time-out {TIMEOUT_S} s)"
    figure(row, took, limit=1, unit="s")
