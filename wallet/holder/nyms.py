"""The holder's side of pseudonym secrets: commitments to issuers, and what is kept of them.

A holder has one `prover_nym` for each issuer (`voting_secrets`). The blinding of a commitment
is stored before the commitment leaves, so that no crash makes a signature useless.
"""

from __future__ import annotations

from typing import Final

from wallet.credentials.bbs_nym import nym_messages
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    ProverSecrets,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.registered_nym import commit_with_registered_nym
from wallet.crypto.bbs.types import BbsPublicKey
from wallet.did.document import DidDocument
from wallet.errors import UnsupportedError
from wallet.holder.handles import NYM_BLIND_KIND
from wallet.holder.voting_secrets import VotingSecrets
from wallet.ports.holder import Put, RecordStore, StoreDamaged
from wallet.protocols.oid4vci.nym_proof import NymCredentialMessage, NymProof

SCALAR_BYTES: Final = 32


class NoBbsKey(UnsupportedError):
    """The issuer's DID document does not say which BBS key signs."""

    code = "no_bbs_key"


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

    def __init__(self, records: RecordStore, secrets: VotingSecrets) -> None:
        self._records = records
        self._secrets = secrets

    def commit(
        self, handle: str, credential_issuer: str, public_key: BbsPublicKey, nonce: str
    ) -> str:
        """Return a key proof (`proofs.bbs_nym`) in answer to a c_nonce.

        The blinding is kept under `handle`, in the place of that of an earlier try.
        """
        nym = self._secrets.prover_nym(credential_issuer)
        commitment, kept = commit_with_registered_nym(
            nym, public_key=public_key, nonce=nonce.encode()
        )
        self._records.write(Put(NYM_BLIND_KIND, handle, _octets(kept.prover_blind)))
        return NymProof(nonce, commitment).to_text()

    def finalize(
        self, handle: str, credential_issuer: str, message: NymCredentialMessage
    ) -> NymCredential:
        """Return the credential that proofs are made from, if the issuer's signature holds.

        Raises `SignatureInvalid`, `StoreDamaged`.
        """
        nym = self._secrets.prover_nym(credential_issuer)
        own = ProverSecrets((), (nym,), self._blind(handle))
        return verify_finalize_with_nym(
            message.public_key,
            message.signature,
            own,
            message.signer_nym_entropy,
            nym_messages(message.vct, message.epoch, message.claims),
            header=message.header,
        )

    def _blind(self, handle: str) -> int:
        payload = self._records.get(NYM_BLIND_KIND, handle).payload
        if len(payload) != SCALAR_BYTES:
            raise StoreDamaged("a stored pseudonym secret is none")
        return int.from_bytes(payload, "big")


def _octets(scalar: int) -> bytes:
    return scalar.to_bytes(SCALAR_BYTES, "big")
