"""The credential endpoint's work: from an access token and key proofs to signed credentials."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from issuer.calendar import end_of, seoul_day, start_of
from issuer.catalogue import Catalogue, CredentialContent
from issuer.identity import IssuerIdentity
from issuer.ports import Issuance, IssuanceRecords
from issuer.sessions import Grants, LiveGrant
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.keys import PublicKey, thumbprint
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.ports.clock import Clock
from wallet.protocols.oid4vci.credential import (
    CredentialAnchor,
    CredentialRequest,
    CredentialResponse,
    ReceivedCredential,
)
from wallet.protocols.oid4vci.proof import VerifiedKeyProof, verify_key_proof
from wallet.trust.receipt import SALT_BYTES, batch_leaf

DEFAULT_BATCH_SIZE: Final = 4
DEFAULT_RENEWAL_YEARS: Final = 3


class TooManyProofs(MalformedError):
    """More key proofs than credentials are issued at once."""

    code = "too_many_proofs"


class ProofKeyRepeated(RejectedError):
    """Two key proofs are for the same key."""

    code = "proof_key_repeated"


class ConfigurationNotGranted(RejectedError):
    """The access token is for another credential."""

    code = "configuration_not_granted"


class IssuanceStep(StrEnum):
    """What is durable so far in one issuance. A test may stop the process after each."""

    INTENT_RECORDED = "intent_recorded"
    SIGNED = "signed"
    COMPLETED = "completed"


def _no_step(_: IssuanceStep) -> None:
    return None


class Issuing:
    """Issues the credentials of a grant, once.

    The order is what makes a crash harmless: the status index is on record before anything is
    signed, and the leaf is in the outbox before the credential leaves. A retry after a crash
    reuses the index; once the leaf is on record, no other credential comes of the grant.
    """

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        catalogue: Catalogue,
        grants: Grants,
        records: IssuanceRecords,
        clock: Clock,
        batch_size: int = DEFAULT_BATCH_SIZE,
        renewal_years: int = DEFAULT_RENEWAL_YEARS,
        after_step: Callable[[IssuanceStep], None] = _no_step,
    ) -> None:
        self._identity = identity
        self._catalogue = catalogue
        self._grants = grants
        self._records = records
        self._clock = clock
        self._batch_size = batch_size
        self._renewal_years = renewal_years
        self._after_step = after_step

    def authorize(self, access_token: str) -> LiveGrant:
        """Return the grant of an access token. Raises `AccessTokenInvalid`."""
        return self._grants.by_token(access_token, now=self._clock.now())

    def issue(self, grant: LiveGrant, request: CredentialRequest) -> CredentialResponse:
        """Issue one credential per key proof (§8).

        Raises `ConfigurationUnknown`, `ConfigurationNotGranted`, `TooManyProofs`,
        `KeyProofMalformed`, `KeyProofInvalid`, `KeyProofWithoutNonce`, `ProofKeyRepeated`,
        `NonceInvalid`, `NotEntitled`, `RegisterIncomplete`, `NotACardHolder`, `SubjectUnknown`,
        `IssuanceAlreadyCompleted`, and when it could not be tried `RegisterUnavailable`,
        `StorageUnavailable`.
        """
        now = self._clock.now()
        entitlement = grant.state.entitlement
        kind = self._catalogue.type_of(request.credential_configuration_id)
        if request.credential_configuration_id != entitlement.configuration_id:
            raise ConfigurationNotGranted("the access token is for another credential")
        keys = self._proven_keys(request.proofs, now)
        day = seoul_day(now)
        content = kind.content(entitlement, day)
        issuances = self._records.record_intents(
            grant.grant_id,
            len(keys),
            credential_type=kind.configuration.vct,
            subject_id=entitlement.subject_id,
            holder_id=entitlement.holder_id,
            now=now,
        )
        self._after_step(IssuanceStep.INTENT_RECORDED)
        signed = [
            self._sign(issuance, content, day, key)
            for issuance, key in zip(issuances, keys, strict=True)
        ]
        self._after_step(IssuanceStep.SIGNED)
        self._records.complete(
            {
                issuance.issuance_id: leaf
                for issuance, (_, leaf) in zip(issuances, signed, strict=True)
            },
            now=now,
        )
        self._after_step(IssuanceStep.COMPLETED)
        self._grants.finish(grant)
        return CredentialResponse(tuple(credential for credential, _ in signed))

    def _proven_keys(self, proofs: Sequence[str], now: int) -> list[PublicKey]:
        if len(proofs) > self._batch_size:
            raise TooManyProofs(f"at most {self._batch_size} key proofs")
        audience = self._identity.base_url
        verified: list[VerifiedKeyProof] = [
            verify_key_proof(proof, audience=audience, now=now) for proof in proofs
        ]
        if len({thumbprint(item.key) for item in verified}) != len(verified):
            raise ProofKeyRepeated("every key proof is for another key")
        for nonce in {item.nonce for item in verified}:
            self._grants.use_nonce(nonce, now=now)
        return [item.key for item in verified]

    def _sign(
        self, issuance: Issuance, content: CredentialContent, day: date, holder: PublicKey
    ) -> tuple[ReceivedCredential, bytes]:
        claims: JsonObject = {
            "iss": self._identity.did,
            "vct": issuance.credential_type,
            "exp": self._expiry(content.valid_until, day),
            "status": {
                "status_list": {
                    "idx": issuance.status_index,
                    "uri": self._identity.status_list_uri(issuance.list_number),
                }
            },
            # The second of issuing would join the holder's presentations across verifiers, so it
            # is the day, and even that is the holder's to show.
            "iat": start_of(day),
            **content.claims,
        }
        issued = issue_sd_jwt_vc(
            claims,
            [("iat",), *((name,) for name in content.claims), *content.members],
            self._identity.key,
            verification_method=self._identity.verification_method,
            holder=holder,
        )
        salt = secrets.token_bytes(SALT_BYTES)
        leaf = batch_leaf(salt, issued.signing_input)
        receipt_uri = f"{self._identity.base_url}/receipts/{base64url.encode(leaf)}"
        return ReceivedCredential(issued.compact, CredentialAnchor(salt, receipt_uri)), leaf

    def _expiry(self, valid_until: date, day: date) -> int:
        # `exp` is always visible, and the last day of a family's right tells a child's birthday:
        # a common renewal date shared by most holders says less, until the right really ends.
        renewal = date(day.year + self._renewal_years, 12, 31)
        return end_of(min(valid_until, renewal))
