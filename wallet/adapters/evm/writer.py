"""`ports.ledger.LedgerWriter` over the CredentialAnchor contract."""

from __future__ import annotations

from web3 import Web3

from wallet.adapters.evm.node import Deployment, ask, contracts
from wallet.adapters.evm.sender import Sender


class EvmLedgerWriter:
    """Writes an issuer's anchors with the key of its controller."""

    def __init__(self, w3: Web3, deployment: Deployment, controller: Sender) -> None:
        _, self._anchor = contracts(w3, deployment)
        self._controller = controller

    def anchor_batch(
        self, issuer_id: bytes, schema_id: bytes, root: bytes, size: int, manifest_digest: bytes
    ) -> None:
        functions = self._anchor.functions
        if ask(lambda: functions.batchOf(issuer_id, root).call())[0] != 0:
            return
        self._controller.send(
            functions.anchorBatch(issuer_id, schema_id, root, size, manifest_digest)
        )

    def revoke_batch(self, issuer_id: bytes, root: bytes) -> None:
        self._controller.send(self._anchor.functions.revokeBatch(issuer_id, root))

    def publish_status(
        self, issuer_id: bytes, list_id: bytes, digest: bytes, version: int, expires_at: int
    ) -> None:
        functions = self._anchor.functions
        known = ask(lambda: functions.statusListOf(issuer_id, list_id).call())
        if known[0] == version and known[3] == digest:
            return
        self._controller.send(
            functions.publishStatus(issuer_id, list_id, digest, version, expires_at)
        )
