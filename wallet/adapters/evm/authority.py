"""What people may do on the contracts, by office: one class for each, over one key.

Methods return where the transaction was included, and raise `ChainUnavailable` and
`LedgerRefused`, whose message names the contract's custom error. Before anything is sent the node
estimates the call, so that a refused one costs nothing.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from web3 import Web3
from web3.contract import Contract

from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.deployment import ANCHOR, DIRECTORY, REGISTRY, Deployment
from wallet.adapters.evm.node import ask
from wallet.ports.outbox import Inclusion

FROM_NOW: Final = 0
AT_ONCE: Final = 0
_NAME_BYTES: Final = 32


class CallSender(Protocol):
    """Sends a contract call and returns the node's receipt of it, as `sender.Sender` does."""

    def send(self, call: Any) -> Any:
        """Raises `ChainUnavailable`, `LedgerRefused`."""


class _Office:
    def __init__(self, w3: Web3, deployment: Deployment, key: CallSender) -> None:
        self._w3 = w3
        self._deployment = deployment
        self._key = key

    def _contract(self, name: str) -> Contract:
        return self._w3.eth.contract(
            address=Web3.to_checksum_address(self._deployment.contracts[name].address),
            abi=artifact(name)["abi"],
        )

    def _act(self, contract: str, function: str, *arguments: object) -> Inclusion:
        call = self._contract(contract).get_function_by_name(function)(*arguments)
        return inclusion_of(self._key.send(call))

    def _role(self, name: str) -> bytes:
        role = self._contract(REGISTRY).get_function_by_name(name)
        return bytes(ask(lambda: role().call()))


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


def _directory_name(name: str) -> bytes:
    return name.encode("ascii").ljust(_NAME_BYTES, b"\0")


class RootAuthority(_Office):
    """The default admin of TrustRegistry and Directory."""

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

    def appoint(self, role: str, account: str) -> Inclusion:
        """Give an account a role of TrustRegistry: `SUSPENDER_ROLE` or `REGISTRAR_ROLE`."""
        at = Web3.to_checksum_address(account)
        return self._act(REGISTRY, "grantRole", self._role(role), at)

    def dismiss(self, role: str, account: str) -> Inclusion:
        """Take a role of TrustRegistry away."""
        at = Web3.to_checksum_address(account)
        return self._act(REGISTRY, "revokeRole", self._role(role), at)

    def list_contract(self, name: str) -> Inclusion:
        """Put a contract of the deployment into the directory as its next version in force."""
        pin = self._deployment.contracts[name]
        location = Web3.to_checksum_address(pin.address)
        return self._act(DIRECTORY, "list", _directory_name(name), location, pin.code_hash)

    def is_listed(self, name: str) -> bool:
        """Tell whether the newest listing of a name is the deployment's contract."""
        views = self._contract(DIRECTORY).functions
        listed_name = _directory_name(name)
        newest = ask(lambda: views.versionsOf(listed_name).call())
        if newest == 0:
            return False
        location = ask(lambda: views.entryOf(listed_name, newest).call())[0]
        return str(location).lower() == self._deployment.contracts[name].address


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
