"""A deployment of every contract on which everything that the audit knows has happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak
from web3 import Web3

from seoul_wallet.anchor.acts import Acting
from tests.support.chains import LedgerStack, ledger_stack
from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.crypto.hashing import sha256
from wallet.trust.identifiers import issuer_id, schema_id

DID = "did:web:welfare.seoul.example"
CARD = "urn:example:card"
LETTER = "urn:example:letter"
ROOTS = tuple(sha256(b"root %d" % n) for n in range(4))
LIST_ID = sha256(b"list")
MANIFEST = sha256(b"manifest")
ELECTION = sha256(b"election")
IDENTITY_KEY = b"did/pub/Secp256k1/veriKey/hex".ljust(32, b"\0")
YEAR_S = 365 * 86400


@dataclass
class Town:
    """A chain, and the deployment of all contracts on it."""

    stack: LedgerStack
    deployment: Deployment
    finality: str

    @property
    def w3(self) -> Web3:
        """The node itself."""
        return self.stack.w3

    def reader(self) -> EvmLedgerReader:
        """Return a reader of all contracts."""
        return EvmLedgerReader(self.stack.nodes, self.deployment, finality=self.finality)

    def call(self, contract: str, function: str, *arguments: object) -> Any:
        """Return a call to send."""
        pin = self.deployment.contracts[contract]
        bound = self.w3.eth.contract(
            address=Web3.to_checksum_address(pin.address), abi=artifact(contract)["abi"]
        )
        return bound.get_function_by_name(function)(*arguments)


@contextmanager
def town(kind: str) -> Iterator[Town]:
    """Open a chain of a kind (`anvil`, `eth-tester`) and let everything happen there."""
    with ledger_stack(kind) as stack:
        made = Town(stack, stack.deployment, "tag" if kind == "anvil" else "instant")
        _trust(made)
        _batches(made)
        _boards_and_dids(made)
        for _ in range(2):
            stack.finalize()
        yield made


def _trust(made: Town) -> None:
    stack = made.stack
    until = stack.now() + YEAR_S
    issuer, card, letter = issuer_id(DID), schema_id(CARD), schema_id(LETTER)
    for schema in (card, letter):
        stack.root.accredit_accreditor(stack.accreditor_address, schema, until)
        stack.accreditor.accredit_issuer(issuer, stack.controller_address, schema, until)
    stack.accreditor.revoke_issuer(issuer, letter)
    stack.accreditor.accredit_issuer(issuer, stack.controller_address, letter, until)
    stack.root.appoint_suspender(stack.controller_address)
    stack.root.appoint_registrar(stack.controller_address)
    acting = Acting(stack.w3, made.deployment, stack.controller)
    purpose, claims = sha256(b"purpose"), sha256(b"claims")
    acting.registrar.register_verifier(issuer, card, purpose, claims, until)
    acting.registrar.revoke_verifier(issuer, sha256(card + purpose + claims))
    acting.suspender.suspend_issuer(issuer)
    stack.root.unsuspend_issuer(issuer)
    stack.root.dismiss_registrar(stack.controller_address)


def _batches(made: Town) -> None:
    issuer, card = issuer_id(DID), schema_id(CARD)
    for root in ROOTS:
        made.stack.controller.send(
            made.call("CredentialAnchor", "anchorBatch", issuer, card, root, 64, MANIFEST)
        )
    Acting(made.w3, made.deployment, made.stack.controller).controller.revoke_batch(
        issuer, ROOTS[0]
    )
    for version in (1, 2):
        digest, expires = sha256(b"bits %d" % version), made.stack.now() + YEAR_S
        made.stack.controller.send(
            made.call(
                "CredentialAnchor", "publishStatus", issuer, LIST_ID, digest, version, expires
            )
        )


def _boards_and_dids(made: Town) -> None:
    key: Sender = made.stack.controller
    me = Web3.to_checksum_address(key.address)
    empty, first = sha256(b""), sha256(b"ballots")
    opens = made.stack.now() + 3
    opening = made.call("BallotBoard", "openBoard", ELECTION, me, MANIFEST, opens, opens + 30, 10)
    key.send(opening)
    board = keccak(bytes(12) + bytes.fromhex(key.address[2:]) + ELECTION)
    other = made.stack.accreditor_address
    made.stack.travel_to(opens)
    key.send(made.call("BallotBoard", "checkpoint", board, 0, 8, empty, first))
    made.stack.travel_to(opens + 30)
    key.send(made.call("BallotBoard", "seal", board, 8, first, sha256(b"tally")))
    registry = "EthereumDIDRegistry"
    key.send(made.call(registry, "setAttribute", me, IDENTITY_KEY, b"\x02" + first, 1000))
    kind, delegate = b"veriKey".ljust(32, b"\0"), Web3.to_checksum_address(other)
    key.send(made.call(registry, "addDelegate", me, kind, delegate, YEAR_S))
    key.send(made.call(registry, "changeOwner", me, delegate))
