"""The credential endpoint's work: from an access token and key proofs to signed credentials."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from issuer.calendar import seoul_day
from issuer.catalogue import Catalogue, CredentialContent, FormattedType
from issuer.deferral import Deferrals, TransactionUnknown
from issuer.formats import Draft, ProvenHolder, SignedCredential, sign_credential
from issuer.identity import IssuerIdentity
from issuer.key_attestations import KeyAttestations
from issuer.nonces import Nonces
from issuer.notifications import Notifications
from issuer.nym import NymIssuing
from issuer.ports import Issuance, IssuanceAlreadyCompleted, IssuanceRecords
from issuer.recovery.ports import Enrolment, Registration
from issuer.recovery.service import Recoveries
from issuer.sessions import AccessTokenInvalid, Exchanged, Waiting
from issuer.status import Statuses
from issuer.tokens import LiveGrant, Tokens
from wallet.crypto.bbs.registered_nym import VerifiedRegisteredCommitment
from wallet.crypto.keys import parse_jwk, thumbprint
from wallet.encoding import base64url, jcs
from wallet.errors import MalformedError, RejectedError
from wallet.ports.clock import Clock
from wallet.protocols.oid4vci.configuration import BBS_NYM_PROOF
from wallet.protocols.oid4vci.credential import (
    CredentialAnchor,
    CredentialRequest,
    CredentialResponse,
    DeferredResponse,
    ReceivedCredential,
    UnknownCredentialIdentifier,
    UnsupportedProofType,
)
from wallet.protocols.oid4vci.nym_proof import parse_nym_proof
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
    """What was done so far in one issuance. A test may stop the process after each."""

    INTENT_RECORDED = "intent_recorded"
    SIGNED = "signed"
    COMPLETED = "completed"


def _no_step(_: IssuanceStep) -> None:
    return None


# What a proof of each type shows: keys, or one commitment to a pseudonym secret.
_Proven = Sequence[ProvenHolder] | VerifiedRegisteredCommitment


class Issuing:
    """Issues the credentials of a grant, once in each round.

    What makes a crash harmless: status index, leaf and used-up nonce are on record before the
    credential leaves, together when the caller makes one transaction of the request, else in
    this order. A retry reuses an index that is on record; once the leaf is, no other credential
    comes of the round.
    """

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        catalogue: Catalogue,
        nonces: Nonces,
        tokens: Tokens,
        records: IssuanceRecords,
        deferrals: Deferrals,
        notifications: Notifications,
        nyms: NymIssuing | None,
        recoveries: Recoveries,
        statuses: Statuses,
        attestations: KeyAttestations,
        clock: Clock,
        batch_size: int = DEFAULT_BATCH_SIZE,
        renewal_years: int = DEFAULT_RENEWAL_YEARS,
        after_step: Callable[[IssuanceStep], None] = _no_step,
    ) -> None:
        self._identity = identity
        self._catalogue = catalogue
        self._nonces = nonces
        self._tokens = tokens
        self._records = records
        self._deferrals = deferrals
        self._notifications = notifications
        self._nyms = nyms
        self._recoveries = recoveries
        self._statuses = statuses
        self._attestations = attestations
        self._clock = clock
        self._batch_size = batch_size
        self._renewal_years = renewal_years
        self._after_step = after_step

    def authorize(self, access_token: str, *, jkt: str | None = None) -> LiveGrant:
        """Return the grant of an access token, shown with DPoP by the key `jkt` or as Bearer.

        Raises `AccessTokenInvalid`.
        """
        return self._tokens.by_token(access_token, now=self._clock.now(), jkt=jkt)

    def issue(
        self, grant: LiveGrant, request: CredentialRequest
    ) -> CredentialResponse | DeferredResponse:
        """Issue one credential per key proof (§8), or hold them for approval (§9).

        Raises `AccessTokenInvalid`, `ConfigurationUnknown`, `ConfigurationNotGranted`,
        `UnknownCredentialIdentifier`, `TooManyProofs`, `UnsupportedProofType`,
        `KeyProofMalformed`, `KeyProofInvalid`, `KeyProofWithoutNonce`, `ProofKeyRepeated`,
        `KeyAttestationInvalid`,
        `NonceInvalid`, `NymKeyTaken`, `NymKeyRegistered`, `NotEntitled`, `RegisterIncomplete`,
        `NotACardHolder`, `SubjectUnknown`, `IssuanceAlreadyCompleted`; `RecoveryProofMalformed`,
        `RecoveryProofInvalid`, `HoldingTaken`, `HoldingReplaced`, `HoldingWithdrawn`,
        `DeviceLost`; and when it could not be tried `RegisterUnavailable`, `StorageUnavailable`.
        """
        if not isinstance(grant.state, Exchanged):
            raise AccessTokenInvalid("the access token is used up")
        now = self._clock.now()
        kind = self._asked_for(grant, request)
        if request.proof_type != kind.configuration.proof_type:
            raise UnsupportedProofType(f"this credential needs {kind.configuration.proof_type}")
        content = kind.content(grant.state.entitlement, seoul_day(now))
        if request.proof_type == BBS_NYM_PROOF:
            commitment = self._proven_commitment(grant, request.proofs, content, now)
            return self._finish(grant, kind, content, commitment)
        holders, nonces = self._proven_keys(grant, request.proofs, now)
        registration = None
        if request.recovery_proof is not None:
            registration = self._recoveries.registration(request.recovery_proof, nonces)
        entitlement = grant.state.entitlement
        self._recoveries.origin(entitlement, registration)
        if entitlement.held_by is not None:
            held = self._tokens.hold(grant)
            known = [(holder.key.jwk, holder.did) for holder in holders]
            return self._deferrals.hold(
                held,
                kind.configuration.id,
                known,
                registration=registration,
                free_after_s=self._recoveries.cooling_off_s(entitlement),
            )
        return self._finish(grant, kind, content, holders, registration)

    def issue_deferred(
        self, grant: LiveGrant, transaction_id: str
    ) -> CredentialResponse | DeferredResponse:
        """Issue what was held, once it is approved (§9).

        The register is asked again: the right may have ended meanwhile. Raises
        `TransactionUnknown`, `IssuanceRefused`, and of what `issue` raises the rest.
        """
        found = self._deferrals.approved(grant, transaction_id)
        if isinstance(found, DeferredResponse):
            return found
        if not isinstance(grant.state, Waiting):
            raise TransactionUnknown("there is no such transaction")
        kind = self._catalogue.type_of(found.configuration_id)
        content = kind.content(grant.state.entitlement, seoul_day(self._clock.now()))
        holders = [ProvenHolder(parse_jwk(jwk), did) for jwk, did in found.holders]
        try:
            response = self._finish(grant, kind, content, holders, found.registration)
        except IssuanceAlreadyCompleted:
            raise TransactionUnknown("there is no such transaction") from None
        self._deferrals.finish(transaction_id)
        return response

    def _asked_for(self, grant: LiveGrant, request: CredentialRequest) -> FormattedType:
        granted = grant.state.entitlement.configuration_id
        if request.credential_identifier is not None or grant.state.terms.identified:
            known = grant.credential_identifier if grant.state.terms.identified else None
            if request.credential_identifier != known:
                raise UnknownCredentialIdentifier("the token has no such credential identifier")
            return self._catalogue.type_of(granted)
        kind = self._catalogue.type_of(request.credential_configuration_id or "")
        if request.credential_configuration_id != granted:
            raise ConfigurationNotGranted("the access token is for another credential")
        return kind

    def _proven_keys(
        self, grant: LiveGrant, proofs: Sequence[str], now: int
    ) -> tuple[list[ProvenHolder], frozenset[str]]:
        """Return the keys, and the nonces that were used up with them."""
        if len(proofs) > self._batch_size:
            raise TooManyProofs(f"at most {self._batch_size} key proofs")
        audience, client_id = self._identity.base_url, grant.state.terms.client_id
        verified: list[VerifiedKeyProof] = [
            verify_key_proof(proof, audience=audience, now=now, client_id=client_id)
            for proof in proofs
        ]
        for item in verified:
            self._attestations.check(item, now=now)
        if len({thumbprint(item.key) for item in verified}) != len(verified):
            raise ProofKeyRepeated("every key proof is for another key")
        nonces = frozenset(item.nonce for item in verified)
        for nonce in nonces:
            self._nonces.use(nonce, now=now)
        return [ProvenHolder(item.key, item.did) for item in verified], nonces

    def _proven_commitment(
        self, grant: LiveGrant, proofs: Sequence[str], content: CredentialContent, now: int
    ) -> VerifiedRegisteredCommitment:
        if len(proofs) > 1 or self._nyms is None:
            raise TooManyProofs("one commitment, for one credential")
        proof = parse_nym_proof(proofs[0])
        verified = self._nyms.verify(proof, content, grant.state.entitlement.holder_id)
        self._nonces.use(proof.c_nonce, now=now)
        return verified

    def _finish(
        self,
        grant: LiveGrant,
        kind: FormattedType,
        content: CredentialContent,
        proven: _Proven,
        registration: Registration | None = None,
    ) -> CredentialResponse:
        now, entitlement = self._clock.now(), grant.state.entitlement
        issuances = self._records.record_intents(
            grant.issuance_id,
            1 if isinstance(proven, VerifiedRegisteredCommitment) else len(proven),
            credential_type=kind.vct,
            subject_id=entitlement.subject_id,
            holder_id=entitlement.holder_id,
            now=now,
        )
        self._after_step(IssuanceStep.INTENT_RECORDED)
        signed = self._sign(kind, content, issuances, proven, now)
        self._after_step(IssuanceStep.SIGNED)
        anchored = [_leaf(item, self._identity) for item in signed]
        changed = self._records.complete(
            {
                issuance.issuance_id: leaf
                for issuance, (leaf, _) in zip(issuances, anchored, strict=True)
            },
            now=now,
            enrolment=Enrolment(
                grant_id=grant.grant_id,
                round_id=grant.issuance_id,
                configuration_id=kind.configuration.id,
                subject_id=entitlement.subject_id,
                holder_id=entitlement.holder_id,
                registration=registration,
                origin=self._recoveries.origin(entitlement, registration),
                ward_id=entitlement.ward_id,
                guardian=entitlement.guardian,
            ),
        )
        self._statuses.changed(changed)
        self._after_step(IssuanceStep.COMPLETED)
        self._tokens.finish(grant)
        notification_id = self._notifications.new_id(grant)
        return CredentialResponse(
            tuple(
                # A receipt would join the presentations that a BBS proof keeps apart.
                ReceivedCredential(
                    item.credential,
                    None if isinstance(proven, VerifiedRegisteredCommitment) else anchor,
                )
                for item, (_, anchor) in zip(signed, anchored, strict=True)
            ),
            notification_id,
        )

    def _sign(
        self,
        kind: FormattedType,
        content: CredentialContent,
        issuances: Sequence[Issuance],
        proven: _Proven,
        now: int,
    ) -> list[SignedCredential]:
        if isinstance(proven, VerifiedRegisteredCommitment):
            if self._nyms is None:
                raise UnsupportedProofType("this issuer has no BBS key")
            resident_id = issuances[0].holder_id
            credential = self._nyms.sign(
                proven,
                content,
                vct=kind.vct,
                identity=self._identity,
                resident_id=resident_id,
                now=now,
            )
            return [SignedCredential(credential, jcs.canonicalize(credential))]
        day = seoul_day(now)
        return [
            sign_credential(
                Draft(kind.configuration, issuance, content, day, self._renewal_years),
                holder,
                self._identity,
            )
            for issuance, holder in zip(issuances, proven, strict=True)
        ]


def _leaf(signed: SignedCredential, identity: IssuerIdentity) -> tuple[bytes, CredentialAnchor]:
    salt = secrets.token_bytes(SALT_BYTES)
    leaf = batch_leaf(salt, signed.signed_input)
    receipt_uri = f"{identity.base_url}/receipts/{base64url.encode(leaf)}"
    return leaf, CredentialAnchor(salt, receipt_uri)
