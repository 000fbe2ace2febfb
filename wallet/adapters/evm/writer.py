"""`ports.ledger.LedgerWriter` over the CredentialAnchor contract."""

from __future__ import annotations

from web3 import Web3

from wallet.adapters.evm.node import Deployment, ask, contracts
from wallet.adapters.evm.publisher import Publisher
from wallet.ports.ledger import LedgerRefused, LedgerRound
from wallet.ports.outbox import TransactionState


class EvmLedgerWriter:
    """Writes an issuer's anchors with the key of its controller, the one that `publisher` has."""

    def __init__(self, w3: Web3, deployment: Deployment, publisher: Publisher) -> None:
        _, self._anchor = contracts(w3, deployment)
        self._address = deployment.anchor
        self._publisher = publisher

    def advance(self) -> LedgerRound:
        return self._publisher.advance()

    def anchor_batch(
        self, issuer_id: bytes, schema_id: bytes, root: bytes, size: int, manifest_digest: bytes
    ) -> TransactionState:
        purpose = f"anchor:{issuer_id.hex()}:{root.hex()}"
        known = self._publisher.live(purpose)
        if known is not None:
            return known.state
        anchored = ask(lambda: self._anchor.functions.batchOf(issuer_id, root).call())
        if anchored[0] != 0:
            return TransactionState.INCLUDED
        return self._submit(
            purpose, "anchorBatch", issuer_id, schema_id, root, size, manifest_digest
        )

    def revoke_batch(self, issuer_id: bytes, root: bytes) -> TransactionState:
        purpose = f"revoke:{issuer_id.hex()}:{root.hex()}"
        known = self._publisher.live(purpose)
        if known is not None and known.state is TransactionState.SUBMITTED:
            return known.state
        if known is not None:
            raise LedgerRefused("the contract refused: BatchAlreadyRevoked")
        return self._submit(purpose, "revokeBatch", issuer_id, root)

    def publish_status(
        self, issuer_id: bytes, list_id: bytes, digest: bytes, version: int, expires_at: int
    ) -> TransactionState:
        # A version that ran out on its way may be published anew, so its content is named too.
        purpose = f"status:{issuer_id.hex()}:{list_id.hex()}:{version}:{digest.hex()}:{expires_at}"
        known = self._publisher.live(purpose)
        if known is not None:
            return known.state
        there = ask(lambda: self._anchor.functions.statusListOf(issuer_id, list_id).call())
        if there[0] == version and there[3] == digest:
            return TransactionState.INCLUDED
        return self._submit(
            purpose, "publishStatus", issuer_id, list_id, digest, version, expires_at
        )

    def _submit(self, purpose: str, function: str, *arguments: object) -> TransactionState:
        data = bytes.fromhex(
            self._anchor.encode_abi(function, args=list(arguments)).removeprefix("0x")
        )
        return self._publisher.submit(purpose, self._address, data).state
