"""The acts of the root authority and of accreditors on the TrustRegistry contract."""

from __future__ import annotations

from web3 import Web3

from wallet.adapters.evm.node import Deployment, contracts
from wallet.adapters.evm.sender import Sender

FROM_NOW = 0


class RootAuthority:
    """Accredits accreditors per schema. Methods raise `ChainUnavailable`, `LedgerRefused`."""

    def __init__(self, w3: Web3, deployment: Deployment, key: Sender) -> None:
        self._registry, _ = contracts(w3, deployment)
        self._key = key

    def accredit_accreditor(self, accreditor: str, schema_id: bytes, valid_until: int) -> None:
        """Let `accreditor` accredit issuers for the schema from now until `valid_until`."""
        self._key.send(
            self._registry.functions.accreditAccreditor(
                Web3.to_checksum_address(accreditor), schema_id, FROM_NOW, valid_until
            )
        )

    def revoke_accreditor(self, accreditor: str, schema_id: bytes, effective_at: int = 0) -> None:
        """End the accreditor's newest scope; 0 means now, an earlier time reaches back."""
        self._key.send(
            self._registry.functions.revokeAccreditor(
                Web3.to_checksum_address(accreditor), schema_id, effective_at
            )
        )


class Accreditor:
    """Accredits issuers. Methods raise `ChainUnavailable`, `LedgerRefused`."""

    def __init__(self, w3: Web3, deployment: Deployment, key: Sender) -> None:
        self._registry, _ = contracts(w3, deployment)
        self._key = key

    def accredit_issuer(
        self, issuer_id: bytes, controller: str, schema_id: bytes, valid_until: int
    ) -> None:
        """Let an issuer, acting through `controller`, issue the schema until `valid_until`."""
        self._key.send(
            self._registry.functions.accreditIssuer(
                issuer_id, Web3.to_checksum_address(controller), schema_id, FROM_NOW, valid_until
            )
        )

    def revoke_issuer(self, issuer_id: bytes, schema_id: bytes, effective_at: int = 0) -> None:
        """End the issuer's newest scope; 0 means now, an earlier time reaches back."""
        self._key.send(self._registry.functions.revokeIssuer(issuer_id, schema_id, effective_at))
