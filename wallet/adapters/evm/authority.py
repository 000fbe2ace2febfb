"""What people may do on the contracts, by office: one class for each, over one key.

Methods return where the transaction was included, and raise `ChainUnavailable` and
`LedgerRefused`, whose message names the contract's custom error. Before anything is sent the node
estimates the call, so that a refused one costs nothing.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from web3 import Web3

from wallet.adapters.evm.deployment import ANCHOR, DIRECTORY, REGISTRY, Deployment
from wallet.adapters.evm.node import contract
from wallet.ports.outbox import Inclusion
from wallet.trust.directory import directory_name

FROM_NOW: Final = 0
AT_ONCE: Final = 0
SUSPENDER_ROLE: Final = bytes(Web3.keccak(text="SUSPENDER"))
REGISTRAR_ROLE: Final = bytes(Web3.keccak(text="REGISTRAR"))


class CallSender(Protocol):
    """Sends a contract call and returns the node's receipt of it, as `sender.Sender` does."""

    def send(self, call: Any) -> Any:
        """Raises `ChainUnavailable`, `LedgerRefused`."""


class _Office:
    def __init__(self, w3: Web3, deployment: Deployment, key: CallSender) -> None:
        self._w3 = w3
        self._deployment = deployment
        self._key = key

    def _act(self, name: str, function: str, *arguments: object) -> Inclusion:
        bound = contract(self._w3, self._deployment, name)
        call = bound.get_function_by_name(function)(*arguments)
        return inclusion_of(self._key.send(call))


def inclusion_of(receipt: Any) -> Inclusion:
    """Return where a transaction was included, from a node's receipt."""
    gas_used = int(receipt["gasUsed"])
    return Inclusion(
        bytes(receipt["transactionHash"]),
        int(receipt["blockNumber"]),
        bytes(receipt["blockHash"]),
        gas_used,
        gas_used * int(receipt["effectiveGasPrice"]),
    )


class RootAuthority(_Office):
    """The default admin of TrustRegistry."""

    def accredit_accreditor(
        self, accreditor: str, schema_id: bytes, valid_until: int, valid_from: int = FROM_NOW
    ) -> Inclusion:
        """Let `accreditor` accredit issuers for the schema in [valid_from, valid_until)."""
        at = Web3.to_checksum_address(accreditor)
        return self._act(REGISTRY, "accreditAccreditor", at, schema_id, valid_from, valid_until)

    def revoke_accreditor(
        self, accreditor: str, schema_id: bytes, effective_at: int = AT_ONCE
    ) -> Inclusion:
        """End the accreditor's newest scope; 0 means now, an earlier time reaches back."""
        at = Web3.to_checksum_address(accreditor)
        return self._act(REGISTRY, "revokeAccreditor", at, schema_id, effective_at)

    def unsuspend_issuer(self, issuer_id: bytes) -> Inclusion:
        """Lift the suspension of an issuer; the suspended time stays suspended."""
        return self._act(REGISTRY, "unsuspendIssuer", issuer_id)

    def appoint_suspender(self, address: str) -> Inclusion:
        """Let an address suspend issuers."""
        return self._change_role("grantRole", SUSPENDER_ROLE, address)

    def appoint_registrar(self, address: str) -> Inclusion:
        """Let an address register verifiers."""
        return self._change_role("grantRole", REGISTRAR_ROLE, address)

    def dismiss_suspender(self, address: str) -> Inclusion:
        """Let an address suspend no more."""
        return self._change_role("revokeRole", SUSPENDER_ROLE, address)

    def dismiss_registrar(self, address: str) -> Inclusion:
        """Let an address register no more."""
        return self._change_role("revokeRole", REGISTRAR_ROLE, address)

    def _change_role(self, function: str, role: bytes, address: str) -> Inclusion:
        return self._act(REGISTRY, function, role, Web3.to_checksum_address(address))


class Accreditor(_Office):
    """Has a mandate for a schema, from root."""

    def accredit_issuer(
        self,
        issuer_id: bytes,
        controller: str,
        schema_id: bytes,
        valid_until: int,
        valid_from: int = FROM_NOW,
    ) -> Inclusion:
        """Let an issuer, acting through `controller`, issue in [valid_from, valid_until)."""
        at = Web3.to_checksum_address(controller)
        return self._act(
            REGISTRY, "accreditIssuer", issuer_id, at, schema_id, valid_from, valid_until
        )

    def revoke_issuer(
        self, issuer_id: bytes, schema_id: bytes, effective_at: int = AT_ONCE
    ) -> Inclusion:
        """End the issuer's newest scope; 0 means now, an earlier time reaches back.

        Root may do it too.
        """
        return self._act(REGISTRY, "revokeIssuer", issuer_id, schema_id, effective_at)


class Suspender(_Office):
    """Stops issuers at once, and cannot lift it."""

    def suspend_issuer(self, issuer_id: bytes) -> Inclusion:
        """Let an issuer anchor nothing until root lifts it."""
        return self._act(REGISTRY, "suspendIssuer", issuer_id)


class Registrar(_Office):
    """Registers what verifiers may ask for. Root may revoke it too."""

    def register_verifier(
        self,
        verifier_id: bytes,
        schema_id: bytes,
        purpose_digest: bytes,
        claims_digest: bytes,
        valid_until: int,
        valid_from: int = FROM_NOW,
    ) -> Inclusion:
        """Let a verifier ask for these claims for this purpose in [valid_from, valid_until)."""
        return self._act(
            REGISTRY,
            "registerVerifier",
            verifier_id,
            schema_id,
            purpose_digest,
            claims_digest,
            valid_from,
            valid_until,
        )

    def revoke_verifier(
        self, verifier_id: bytes, service_id: bytes, effective_at: int = AT_ONCE
    ) -> Inclusion:
        """End a service's newest scope; 0 means now, an earlier time reaches back."""
        return self._act(REGISTRY, "revokeVerifier", verifier_id, service_id, effective_at)


class Controller(_Office):
    """Acts for an issuer. A running issuer writes with the same key through `publisher`."""

    def anchor_batch(
        self, issuer_id: bytes, schema_id: bytes, root: bytes, size: int, manifest_digest: bytes
    ) -> Inclusion:
        """Anchor the root of a batch; once only."""
        return self._act(ANCHOR, "anchorBatch", issuer_id, schema_id, root, size, manifest_digest)

    def revoke_batch(self, issuer_id: bytes, root: bytes) -> Inclusion:
        """Revoke every credential of a batch, for good.

        The accreditor that the batch was anchored under and root may do it too.
        """
        return self._act(ANCHOR, "revokeBatch", issuer_id, root)

    def change_controller(self, issuer_id: bytes, controller: str) -> Inclusion:
        """Let another address act for the issuer. Root may do it too."""
        at = Web3.to_checksum_address(controller)
        return self._act(REGISTRY, "changeController", issuer_id, at)


class ContractDirectory(_Office):
    """Root's acts on the directory of the contracts in force."""

    def list_all(self) -> None:
        """List every other contract of the deployment, with the code hash that it pins."""
        for name in self._deployment.contracts:
            if name != DIRECTORY:
                self.list_contract(name)

    def list_contract(self, name: str) -> Inclusion:
        """List a contract of the deployment as the next version of its name."""
        pin = self._deployment.contracts[name]
        location = Web3.to_checksum_address(pin.address)
        return self._act(DIRECTORY, "list", directory_name(name), location, pin.code_hash)

    def deprecate(self, name: str, version: int) -> Inclusion:
        """Mark a version as no longer to be used for new records."""
        return self._act(DIRECTORY, "deprecate", directory_name(name), version)
