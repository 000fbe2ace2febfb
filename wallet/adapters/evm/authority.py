"""The acts of root, accreditors, suspenders and registrars, and of organisers of boards.

Methods send one transaction, wait until it is included, and raise `ChainUnavailable` and
`LedgerRefused`, which names the contract's rule.
"""

from __future__ import annotations

from web3 import Web3

from wallet.adapters.evm.deployment import DIRECTORY, REGISTRY, Deployment
from wallet.adapters.evm.node import contract, contracts
from wallet.adapters.evm.sender import Sender
from wallet.trust.directory import directory_name

FROM_NOW = 0
SUSPENDER_ROLE = bytes(Web3.keccak(text="SUSPENDER"))
REGISTRAR_ROLE = bytes(Web3.keccak(text="REGISTRAR"))


class RootAuthority:
    """Accredits accreditors per schema, lifts suspensions, appoints suspenders and registrars."""

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

    def unsuspend_issuer(self, issuer_id: bytes) -> None:
        """Lift the suspension of an issuer; the suspended time stays suspended."""
        self._key.send(self._registry.functions.unsuspendIssuer(issuer_id))

    def appoint_suspender(self, address: str) -> None:
        """Let an address suspend issuers."""
        self._grant(SUSPENDER_ROLE, address)

    def appoint_registrar(self, address: str) -> None:
        """Let an address register verifiers."""
        self._grant(REGISTRAR_ROLE, address)

    def _grant(self, role: bytes, address: str) -> None:
        account = Web3.to_checksum_address(address)
        self._key.send(self._registry.functions.grantRole(role, account))


class Accreditor:
    """Accredits issuers."""

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


class Suspender:
    """Stops issuers at once; only root can lift it."""

    def __init__(self, w3: Web3, deployment: Deployment, key: Sender) -> None:
        self._registry = contract(w3, deployment, REGISTRY)
        self._key = key

    def suspend_issuer(self, issuer_id: bytes) -> None:
        """Suspend an issuer for every schema, from this block on."""
        self._key.send(self._registry.functions.suspendIssuer(issuer_id))


class Registrar:
    """Registers what verifiers may ask for."""

    def __init__(self, w3: Web3, deployment: Deployment, key: Sender) -> None:
        self._registry = contract(w3, deployment, REGISTRY)
        self._key = key

    def register_verifier(
        self,
        verifier_id: bytes,
        schema_id: bytes,
        purpose_digest: bytes,
        claims_digest: bytes,
        valid_until: int,
    ) -> None:
        """Let a verifier ask for claims of a schema for a purpose until `valid_until`."""
        self._key.send(
            self._registry.functions.registerVerifier(
                verifier_id, schema_id, purpose_digest, claims_digest, FROM_NOW, valid_until
            )
        )

    def revoke_verifier(
        self, verifier_id: bytes, service_id: bytes, effective_at: int = 0
    ) -> None:
        """End a service's newest scope; 0 means now, an earlier time reaches back."""
        self._key.send(
            self._registry.functions.revokeVerifier(verifier_id, service_id, effective_at)
        )


class ContractDirectory:
    """Root's acts on the directory of the contracts in force."""

    def __init__(self, w3: Web3, deployment: Deployment, key: Sender) -> None:
        self._directory = contract(w3, deployment, DIRECTORY)
        self._deployment = deployment
        self._key = key

    def list_all(self) -> None:
        """List every other contract of the deployment, with the code hash that it pins."""
        for name in self._deployment.contracts:
            if name != DIRECTORY:
                self.list_contract(name)

    def list_contract(self, name: str) -> None:
        """List a contract of the deployment as the next version of its name."""
        pin = self._deployment.contracts[name]
        self._key.send(
            self._directory.functions.list(
                directory_name(name), Web3.to_checksum_address(pin.address), pin.code_hash
            )
        )

    def deprecate(self, name: str, version: int) -> None:
        """Mark a version as no longer to be used for new records."""
        self._key.send(self._directory.functions.deprecate(directory_name(name), version))
