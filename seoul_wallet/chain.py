"""The chain of a local stack: in this process, an anvil node, or a node that someone else runs.

Deploys the contracts with fresh keys for the root authority, an accreditor and an issuer. Keys of
a local stack are throw-away; production deploys with `seoul-wallet anchor` and keys of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from web3 import Web3

from seoul_wallet.anvil import AnvilNode
from wallet.adapters.evm import development
from wallet.adapters.evm.authority import (
    Accreditor,
    ContractDirectory,
    Registrar,
    RootAuthority,
)
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.node import ask, connect, deploy
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.quorum import NodeQuorum, open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.adapters.evm.writer import EvmLedgerWriter
from wallet.crypto.hashing import sha256
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA
from wallet.errors import UnavailableError
from wallet.ports.clock import Clock
from wallet.ports.outbox import TransactionJournal
from wallet.protocols.registration import Registration, claims_digest
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.verifiers import verifier_id

BLOCK_TIME_S: Final = 1
FUNDS_ETHER: Final = 10
# Root authority, accreditor, the issuer and the verifier.
SENDERS: Final = 4
ACCREDITED_FOR_S: Final = 365 * 86400
# How long before the present a chain in this process begins: its blocks are a second apart.
SET_UP_S: Final = 600


class FundingMissing(UnavailableError):
    """The node has no unlocked account and no funding key was given."""

    code = "funding_missing"


@dataclass
class LocalChain:
    """A running chain with deployed contracts and the people who act on them."""

    w3: Web3
    nodes: NodeQuorum
    deployment: Deployment
    finality: str
    root: RootAuthority
    accreditor: Accreditor
    accreditor_address: str
    registrar: Registrar
    controller: Sender
    agency: Sender
    directory: ContractDirectory
    node: development.DevelopmentChain | AnvilNode | None

    def reader(self) -> EvmLedgerReader:
        """Return a reader of the finalized facts."""
        return EvmLedgerReader(self.nodes, self.deployment, finality=self.finality)

    def writer(self, journal: TransactionJournal, clock: Clock) -> EvmLedgerWriter:
        """Return the writer of the issuer's facts, with the controller's key."""
        return self._writer(self.controller, journal, clock)

    def agency_writer(self, journal: TransactionJournal, clock: Clock) -> EvmLedgerWriter:
        """Return the writer of the verifier's receipts, with a key of its own."""
        return self._writer(self.agency, journal, clock)

    def _writer(
        self, sender: Sender, journal: TransactionJournal, clock: Clock
    ) -> EvmLedgerWriter:
        publisher = Publisher(
            self.w3,
            sender.account,
            chain_id=self.deployment.chain_id,
            journal=journal,
            clock=clock,
            finalized=self.reader().finalized_head,
        )
        return EvmLedgerWriter(self.w3, self.deployment, publisher)

    def accredit(self, did: str, credential_types: tuple[str, ...]) -> None:
        """Let the issuer with `did` issue `credential_types` for a year."""
        self._accredit(did, credential_types, self.controller)

    def accredit_agency(self, did: str) -> None:
        """Let the verifier with `did` anchor receipts of decisions for a year."""
        self._accredit(did, (RECEIPT_SCHEMA,), self.agency)

    def _accredit(self, did: str, credential_types: tuple[str, ...], by: Sender) -> None:
        until = self._in_a_year()
        for vct in credential_types:
            schema = schema_id(vct)
            self.root.accredit_accreditor(self.accreditor_address, schema, until)
            self.accreditor.accredit_issuer(issuer_id(did), by.address, schema, until)

    def register(self, did: str, registrations: Iterable[Registration]) -> None:
        """Let the verifier with `did` ask for what is registered, for a year."""
        until = self._in_a_year()
        self.root.appoint_registrar(self.accreditor_address)
        for words in registrations:
            self.registrar.register_verifier(
                verifier_id(did),
                schema_id(words.credential_type),
                sha256(words.purpose.encode()),
                claims_digest(words.claims),
                until,
            )

    def _in_a_year(self) -> int:
        newest = ask(lambda: self.w3.eth.get_block("latest"))
        return int(newest["timestamp"]) + ACCREDITED_FOR_S

    def run(self) -> None:
        """Let a chain inside this process go on by itself, once what is set up is there."""
        if isinstance(self.node, development.DevelopmentChain):
            self.node.start()

    def kill(self) -> bool:
        """End the node as an outage would; False when the node is not ours to end.

        A node whose chain is kept ends in order: a killed one leaves a state from before.
        """
        if self.node is None:
            return False
        if isinstance(self.node, AnvilNode) and not self.node.keeps_state:
            self.node.kill()
        else:
            self.node.stop()
        return True

    def stop(self) -> None:
        """Let go of the nodes, and end the one that is ours in order."""
        self.nodes.close()
        if self.node is not None:
            self.node.stop()


def in_process_chain() -> LocalChain:
    """Return a chain inside this process: nothing to install, nothing kept. See `run`."""
    node = development.DevelopmentChain(set_up_s=SET_UP_S)
    senders = [node.funded_sender() for _ in range(SENDERS)]
    nodes = NodeQuorum([node.endpoint()], 1)
    return _deployed(node.w3, nodes, senders, development.FINALITY, node)


def anvil_chain(*, state_file: Path | None = None, port: int | None = None) -> LocalChain:
    """Start an anvil node of its own process. Raises `AnvilMissing`, `AnvilFailed`."""
    node = AnvilNode(state_file=state_file, port=port)
    senders = [Sender.from_secret(node.w3, secrets.token_bytes(32)) for _ in range(SENDERS)]
    for sender in senders:
        node.fund(sender.address)
    nodes = open_quorum([node.url], required=1, development=True)
    deployed = _deployed(node.w3, nodes, senders, "tag", node)
    # Once everything is there, a block a second, as on a chain of others.
    node.request("evm_setAutomine", [False])
    node.request("evm_setIntervalMining", [BLOCK_TIME_S])
    return deployed


def remote_chain(urls: str, *, finality: str, funding_key: bytes | None) -> LocalChain:
    """Use the nodes at `urls` (separated by commas), with `funding_key` or the first unlocked
    account of the first node for the gas.

    All of the nodes must agree; one alone must be on loopback. Raises `ChainUnavailable`,
    `FundingMissing`, `QuorumTooSmall`.
    """
    addresses = split_urls(urls)
    nodes = open_quorum(addresses, required=len(addresses), development=True)
    w3 = connect(addresses[0])
    senders = [Sender.from_secret(w3, secrets.token_bytes(32)) for _ in range(SENDERS)]
    for sender in senders:
        _fund(w3, sender.address, funding_key)
    return _deployed(w3, nodes, senders, finality, None)


def _fund(w3: Web3, address: str, funding_key: bytes | None) -> None:
    value = w3.to_wei(FUNDS_ETHER, "ether")
    to = Web3.to_checksum_address(address)
    if funding_key is not None:
        Sender.from_secret(w3, funding_key).transfer(to, value)
        return
    accounts = ask(lambda: w3.eth.accounts)
    if not accounts:
        raise FundingMissing(
            "the node has no unlocked account: give a key with funds in SEOUL_WALLET_FUNDING_KEY"
        )
    digest = ask(lambda: w3.eth.send_transaction({"from": accounts[0], "to": to, "value": value}))
    ask(lambda: w3.eth.wait_for_transaction_receipt(digest, timeout=60, poll_latency=0.1))


def split_urls(text: str) -> list[str]:
    """Return the addresses in a text that separates them by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _deployed(
    w3: Web3,
    nodes: NodeQuorum,
    senders: list[Sender],
    finality: str,
    node: development.DevelopmentChain | AnvilNode | None,
) -> LocalChain:
    root, accreditor, controller, agency = senders
    deployment = deploy(w3, root.send, root.address, hand_over_delay_s=0)
    directory = ContractDirectory(w3, deployment, root)
    directory.list_all()
    return LocalChain(
        w3,
        nodes,
        deployment,
        finality,
        RootAuthority(w3, deployment, root),
        Accreditor(w3, deployment, accreditor),
        accreditor.address,
        # One person with two offices.
        Registrar(w3, deployment, accreditor),
        controller,
        agency,
        directory,
        node,
    )
