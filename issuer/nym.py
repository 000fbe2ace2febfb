"""Blind issuing with a pseudonym secret: one nym key and one entropy per resident and epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

from issuer.catalogue import CredentialContent
from issuer.identity import IssuerIdentity
from issuer.ports import NymKeyRegistered, NymRegistration, NymRegistrations
from wallet.credentials.bbs_nym import nym_header, nym_layout, nym_messages
from wallet.crypto.bbs.nym_issuance import blind_sign_with_nym, new_signer_nym_entropy
from wallet.crypto.bbs.registered_nym import (
    NymKey,
    NymKeyMismatch,
    VerifiedRegisteredCommitment,
    verify_registered_commitment,
)
from wallet.crypto.bbs.types import BbsCommitmentInvalid, BbsSecretKey
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError
from wallet.protocols.oid4vci.nym_proof import (
    NymCredentialMessage,
    NymProof,
)
from wallet.protocols.oid4vci.proof import KeyProofInvalid


@dataclass(frozen=True, slots=True)
class NymSettings:
    """The BBS key that signs, and the epoch in which a resident has one pseudonym secret.

    `census_salt` is for `issuer.voting`.
    """

    key: BbsSecretKey = field(repr=False)
    epoch: str
    census_salt: bytes = field(repr=False)


class NymIssuing:
    """Checks commitments and signs over them."""

    def __init__(self, settings: NymSettings, registrations: NymRegistrations) -> None:
        self._settings = settings
        self._registrations = registrations

    def verify(
        self, proof: NymProof, content: CredentialContent, resident_id: str
    ) -> VerifiedRegisteredCommitment:
        """Return the commitment if it answers its c_nonce, by the resident's key of this epoch.

        Raises `KeyProofInvalid`, `NymKeyRegistered`. Whether the nonce is unused is yet to be
        seen.
        """
        known = self._registrations.registration(resident_id, self._epoch(content))
        try:
            return verify_registered_commitment(
                proof.commitment,
                nym_layout(content.claims),
                public_key=self._settings.key.public_key,
                nonce=proof.c_nonce.encode(),
                registered=None if known is None else NymKey(known.nym_key),
            )
        except NymKeyMismatch as error:
            raise NymKeyRegistered("another nym key is registered until the next epoch") from error
        except (BbsCommitmentInvalid, MalformedError) as error:
            raise KeyProofInvalid(f"the commitment does not hold: {error}") from error

    def sign(
        self,
        verified: VerifiedRegisteredCommitment,
        content: CredentialContent,
        *,
        vct: str,
        identity: IssuerIdentity,
        resident_id: str,
        now: int,
    ) -> JsonObject:
        """Register the resident's nym key, once per epoch, and return the credential.

        Raises `NymKeyTaken`, and `NymKeyRegistered` when another key was registered meanwhile.
        """
        epoch, key = self._epoch(content), self._settings.key
        mine = NymRegistration(verified.nym_key.octets, new_signer_nym_entropy())
        kept = self._registrations.register(resident_id, epoch, mine, now=now)
        if kept.nym_key != mine.nym_key:
            raise NymKeyRegistered("another nym key is registered until the next epoch")
        messages, header = nym_messages(vct, epoch, content.claims), nym_header(vct)
        signature = blind_sign_with_nym(
            key, verified.commitment, kept.entropy, messages, header=header
        )
        claims = dict(content.claims)
        return NymCredentialMessage(
            vct,
            epoch,
            identity.did,
            identity.bbs_verification_method,
            claims,
            key.public_key,
            signature,
            kept.entropy,
            header,
        ).to_json()

    def _epoch(self, content: CredentialContent) -> str:
        return content.nym_epoch or self._settings.epoch
