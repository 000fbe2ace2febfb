"""Chains to run port tests on: eth-tester in this process, and anvil on loopback."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from web3 import Web3

from seoul_wallet.anvil import AnvilMissing, AnvilNode
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.authority import Accreditor, ContractDirectory, RootAuthority
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.development import DevelopmentChain
from wallet.adapters.evm.node import deploy
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.quorum import NodeQuorum, open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.adapters.evm.writer import EvmLedgerWriter
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.trust.events import LedgerEvent


@dataclass
class LedgerStack:
    """Deployed contracts, their people, and how to make a block final."""

    w3: Web3
    nodes: NodeQuorum
    deployment: Deployment
    reader: EvmLedgerReader
    root: RootAuthority
    accreditor: Accreditor
    accreditor_address: str
    writer: EvmLedgerWriter
    controller: Sender
    chain: DevelopmentChain | AnvilNode
    root_key: Sender
    finality: str

    @property
    def controller_address(self) -> str:
        """The address that the issuer writes from."""
        return self.controller.address

    def finalize(self) -> None:
        """Mine until everything so far is final."""
        if isinstance(self.chain, AnvilNode):
            # Blocks of one second have one time; the next acts are to be later.
            self.chain.request("evm_increaseTime", ["0x5"])
            self.chain.request("anvil_mine", ["0x3"])
        self.writer.advance()

    def events(self) -> Sequence[LedgerEvent]:
        """Return what the chain says now, whether it is final or not."""
        reader = EvmLedgerReader(self.nodes, self.deployment, finality="instant")
        return reader.events(self.deployment.first_block, self.w3.eth.block_number)

    def travel_to(self, time: int) -> None:
        """Mine a block with this time, which must be later than the newest."""
        if isinstance(self.chain, AnvilNode):
            self.chain.request("evm_setNextBlockTimestamp", [time])
            self.chain.request("anvil_mine", ["0x1"])
        else:
            self.chain.travel_to(time)

    def now(self) -> int:
        """Return the time of the newest block."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def silence(self) -> None:
        """Make the node answer nothing any more."""
        if isinstance(self.chain, AnvilNode):
            self.chain.kill()
        else:
            self.chain.stop()


@contextmanager
def _stack(
    chain: DevelopmentChain | AnvilNode,
    nodes: NodeQuorum,
    senders: list[Sender],
    finality: str,
) -> Iterator[LedgerStack]:
    root, accreditor, controller = senders
    w3 = chain.w3
    deployment = deploy(w3, root.send, root.address, hand_over_delay_s=0)
    ContractDirectory(w3, deployment, root).list_all()
    reader = EvmLedgerReader(nodes, deployment, finality=finality)
    with sql_journal() as journal:
        publisher = Publisher(
            w3,
            controller.account,
            chain_id=deployment.chain_id,
            journal=journal,
            clock=SystemClock(),
            finalized=reader.finalized_head,
        )
        yield LedgerStack(
            w3,
            nodes,
            deployment,
            reader,
            RootAuthority(w3, deployment, root),
            Accreditor(w3, deployment, accreditor),
            accreditor.address,
            EvmLedgerWriter(w3, deployment, publisher),
            controller,
            chain,
            root,
            finality,
        )


@contextmanager
def sql_journal() -> Iterator[SqlTransactionJournal]:
    """Open an empty journal in a file of its own."""
    with TemporaryDirectory() as folder:
        engine = open_engine(sqlite_url(Path(folder) / "outbox.db"))
        migrate(engine, "outbox")
        yield SqlTransactionJournal(engine)
        engine.dispose()


@contextmanager
def ledger_stack(kind: str, *, state_file: Path | None = None) -> Iterator[LedgerStack]:
    """Start a chain of `kind` (`eth-tester` or `anvil`) with fresh contracts.

    An anvil node with a `state_file` can be started again over it.
    """
    if kind == "eth-tester":
        chain = DevelopmentChain()
        nodes = NodeQuorum([chain.endpoint()], 1)
        senders = [chain.funded_sender() for _ in range(3)]
        with _stack(chain, nodes, senders, "instant") as made:
            yield made
        chain.stop()
        return
    try:
        node = AnvilNode(state_file=state_file)
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    nodes = open_quorum([node.url], required=1, development=True)
    try:
        senders = [Sender.from_secret(node.w3, secrets.token_bytes(32)) for _ in range(3)]
        for sender in senders:
            node.fund(sender.address)
        with _stack(node, nodes, senders, "tag") as made:
            yield made
    finally:
        nodes.close()
        node.stop()
