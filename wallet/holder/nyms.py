"""The holder's side of pseudonym secrets: commitments to issuers, and what is kept of them.

A holder has one `prover_nym` for each issuer, made at the first commitment and kept for good: with
another one the issuer would refuse, and the pseudonyms would change. The blinding of a commitment
is stored before the commitment leaves, so that no crash makes a signature useless.
"""

from __future__ import annotations

import secrets
from typing import Final

from wallet.credentials.bbs_nym import nym_messages
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    ProverSecrets,
    new_prover_nym,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.registered_nym import commit_with_registered_nym
from wallet.crypto.bbs.types import BbsPublicKey
from wallet.crypto.hashing import sha256
from wallet.did.document import DidDocument
from wallet.encoding import base64url
from wallet.errors import UnsupportedError
from wallet.ports.holder import Put, RecordStore, RecordUnknown, StoreDamaged
from wallet.protocols.oid4vci.nym_proof import NymCredentialMessage, NymProof

NYM_KIND: Final = "prover_nym"
BLIND_KIND: Final = "nym_blind"
SCALAR_BYTES: Final = 32
_HANDLE: Final = "nym-"
_HANDLE_BYTES: Final = 12


class NoBbsKey(UnsupportedError):
    """The issuer's DID document does not say which BBS key signs."""

    code = "no_bbs_key"


def new_nym_handle() -> str:
    """Return a name for the blinding of one commitment."""
    return _HANDLE + secrets.token_hex(_HANDLE_BYTES)


def is_nym_handle(handle: str) -> bool:
    """Whether a handle names the blinding of a commitment, and no key."""
    return handle.startswith(_HANDLE)


def bbs_key_of(document: DidDocument) -> tuple[str, BbsPublicKey]:
    """Return the one BBS key in the assertions of a DID, and its id. Raises `NoBbsKey`."""
    assertions = document.relationships.get("assertionMethod", frozenset())
    found = [
        (method.id, method.key.key)
        for method in document.methods.values()
        if method.id in assertions and isinstance(method.key, BbsVerificationKey)
    ]
    if len(found) != 1:
        raise NoBbsKey("the issuer publishes no BBS key, or several")
    return found[0]


class Nyms:
    """The pseudonym secrets in a record store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def commit(
        self, handle: str, credential_issuer: str, public_key: BbsPublicKey, nonce: str
    ) -> str:
        """Return a key proof (`proofs.bbs_nym`) in answer to a c_nonce.

        The blinding is kept under `handle`, in the place of that of an earlier try.
        """
        nym = self._prover_nym(credential_issuer)
        commitment, kept = commit_with_registered_nym(
            nym, public_key=public_key, nonce=nonce.encode()
        )
        self._records.write(Put(BLIND_KIND, handle, _octets(kept.prover_blind)))
        return NymProof(nonce, commitment).to_text()

    def finalize(
        self, handle: str, credential_issuer: str, message: NymCredentialMessage
    ) -> NymCredential:
        """Return the credential that proofs are made from, if the issuer's signature holds.

        Raises `SignatureInvalid`, `StoreDamaged`.
        """
        own = ProverSecrets(
            (), (self._prover_nym(credential_issuer),), self._scalar(BLIND_KIND, handle)
        )
        return verify_finalize_with_nym(
            message.public_key,
            message.signature,
            own,
            message.signer_nym_entropy,
            nym_messages(message.vct, message.epoch, message.claims),
            header=message.header,
        )

    def _prover_nym(self, credential_issuer: str) -> int:
        name = base64url.encode(sha256(credential_issuer.encode("utf-8", "surrogatepass")))
        try:
            return self._scalar(NYM_KIND, name)
        except RecordUnknown:
            nym = new_prover_nym()
            self._records.write(Put(NYM_KIND, name, _octets(nym), expected_version=0))
            return nym

    def _scalar(self, kind: str, name: str) -> int:
        payload = self._records.get(kind, name).payload
        if len(payload) != SCALAR_BYTES:
            raise StoreDamaged("a stored pseudonym secret is none")
        return int.from_bytes(payload, "big")


def _octets(scalar: int) -> bytes:
    return scalar.to_bytes(SCALAR_BYTES, "big")
