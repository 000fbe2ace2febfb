"""Steps 2 to 7: who signed, what was disclosed, and who holds it (RFC 9901 §7)."""

from __future__ import annotations

import hmac

from wallet.credentials.issuer_metadata import IssuerMetadata
from wallet.credentials.jose import (
    JwsMalformed,
    claim_string,
    claim_time,
    verify_jws,
    verify_jws_once,
)
from wallet.credentials.sd_jwt import SdJwtMalformed
from wallet.crypto.certificates import authority_key_ids
from wallet.crypto.keys import parse_jwk
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError, UnavailableError
from wallet.trust.receipt import RECEIPT_CLAIM
from wallet.verification.acting import ActingNotAccepted, is_held_by_guardian
from wallet.verification.evidence import Fact
from wallet.verification.issuer_key import IssuerMismatch, issuer_key, key_hint
from wallet.verification.progress import JwsProgress, Progress, SdJwtProgress
from wallet.verification.report import Outcome


class FactsTooOld(UnavailableError):
    """The newest facts at hand are older than the policy allows. `as_of` is their time."""

    code = "facts_too_old"

    def __init__(self, what: str, as_of: int, max_age_s: int) -> None:
        super().__init__(f"{what}: the facts at hand are older than {max_age_s} s")
        self.as_of = as_of


class TypeNotAccepted(RejectedError):
    """This verifier does not accept credentials of this type."""

    code = "type_not_accepted"


class CredentialExpired(RejectedError):
    """The credential's own dates end before now."""

    code = "credential_expired"


class CredentialNotYetValid(RejectedError):
    """The credential's own dates begin after now."""

    code = "credential_not_yet_valid"


class HolderBindingMissing(RejectedError):
    """Key binding was asked for and is not there."""

    code = "holder_binding_missing"


class HolderBindingInvalid(RejectedError):
    """The key binding is for another text, or outside its time."""

    code = "holder_binding_invalid"


class AudienceMismatch(RejectedError):
    """The key binding, or the credential itself, is for another verifier."""

    code = "audience_mismatch"


class NonceMismatch(RejectedError):
    """The key binding answers another request."""

    code = "nonce_mismatch"


def choose_issuer_key(progress: JwsProgress) -> int | None:
    """Step 2. A fetched fact's age is judged by the trust policy; a pinned key has no age limit,
    and a certificate is judged at `now`.

    Where a DID's history is known, the keys are those of the time when the batch of the receipt
    was anchored; step 8 confirms that it is this credential's.
    """
    fact = progress.evidence.issuer_keys
    if not isinstance(fact, Fact):
        raise fact
    keys, jws, policy = fact.value, progress.jws, progress.policy
    fetched = isinstance(keys, (DidDocument, EthrHistory, IssuerMetadata))
    if fetched:
        check_keys_are_fresh(progress, fact.as_of)
    if isinstance(keys, EthrHistory):
        progress.keys_at = named_anchor_time(progress)
    hint = key_hint(jws)
    # The name is read before the signature is verified: what is tied to it here, step 3 signs.
    by_name = hint.chain is not None or isinstance(keys, IssuerMetadata)
    if hint.chain is not None:
        progress.authority_keys = authority_key_ids(hint.chain)
    progress.key = issuer_key(
        hint,
        jws.peek_claims().get("iss") if by_name else None,
        keys,
        anchors=policy.trust_anchors,
        now=progress.now,
        accepted=policy.key_sources,
        signed_by=progress.keys_at,
    )
    return fact.as_of if fetched else None


def check_keys_are_fresh(progress: Progress, as_of: int) -> None:
    """Return if fetched keys are no older than the policy allows. Raises `FactsTooOld`."""
    trust = progress.policy.trust
    if trust is not None and progress.now - as_of > trust.max_issuer_keys_age_s:
        raise FactsTooOld("issuer keys", as_of, trust.max_issuer_keys_age_s)


def named_anchor_time(progress: Progress) -> int | None:
    """Return when the batch was anchored that the presentation's receipt names, if it is known."""
    fact, policy = progress.evidence.anchor, progress.policy
    if policy.trust is None or not policy.requires_key_binding:
        return None
    if not isinstance(fact, Fact) or fact.value.batch is None or progress.named_receipt() is None:
        return None
    return fact.value.batch.anchored_at


def verify_credential_signature(progress: SdJwtProgress) -> None:
    """Verify the signature on the credential, and every further one of a general JWS: all must
    be the issuer's (RFC 9901 §8.1)."""
    if progress.key is None:
        raise AssertionError("step 2 chose a key")
    verify_jws_once(progress.sd_jwt.jws, progress.key)
    for other in progress.sd_jwt.cosignatures:
        fact = progress.evidence.issuer_keys
        if isinstance(fact, Fact):
            key = issuer_key(
                key_hint(other),
                other.peek_claims().get("iss"),
                fact.value,
                anchors=progress.policy.trust_anchors,
                now=progress.now,
                accepted=progress.policy.key_sources,
                signed_by=progress.keys_at,
            )
            verify_jws(other, key)


def place_disclosures(progress: SdJwtProgress) -> None:
    """Step 4. Also ties the issuer that the claims name to the DID whose key signed."""
    signed_claims = progress.signed_claims = progress.sd_jwt.jws.peek_claims()
    progress.issuer = claim_string(signed_claims, "iss")
    fact = progress.evidence.issuer_keys
    if isinstance(fact, Fact):
        keys = fact.value
        if isinstance(keys, (DidDocument, EthrHistory)) and progress.issuer != str(keys.did):
            raise IssuerMismatch("iss is not the DID whose key signed")
    processed = progress.sd_jwt.process(signed_claims)
    progress.claims, progress.disclosed = processed.claims, processed.paths
    progress.status = progress.claims.get("status")


def check_type(progress: SdJwtProgress) -> None:
    """Step 5."""
    progress.vct = claim_string(progress.claims, "vct")
    progress.types = frozenset((progress.vct,))
    if progress.vct not in progress.policy.accepted_types:
        raise TypeNotAccepted("the credential type is not among those asked for")


def check_validity(progress: SdJwtProgress) -> None:
    """Step 6. `iat` is the issuer's word and decides nothing; `aud`, if there, names who may take
    the credential (RFC 7519 §4.1.3)."""
    claims, now, skew = progress.claims, progress.now, progress.policy.clock_skew_s
    claim_time(claims, "iat")
    not_before, expires = claim_time(claims, "nbf"), claim_time(claims, "exp")
    if not_before is not None and now + skew < not_before:
        raise CredentialNotYetValid("nbf is in the future")
    if expires is not None and now - skew >= expires:
        raise CredentialExpired("exp has passed")
    if "aud" in claims and (audience := progress.policy.audience) is not None:
        named = claims["aud"]
        if audience not in (named if type(named) is list else [named]):
            raise AudienceMismatch("the issuer meant the credential for others")


def verify_key_binding(progress: SdJwtProgress) -> Outcome | None:
    """Step 7 (RFC 9901 §7.3). A delegate signs in the holder's place, if the policy has one."""
    policy = progress.policy
    if is_held_by_guardian(progress.claims) and not policy.accepts_held_by_guardian:
        raise ActingNotAccepted("a guardian holds this credential, and only its own may be shown")
    if not policy.requires_key_binding:
        return Outcome.NOT_REQUIRED
    binding = progress.sd_jwt.key_binding
    claims = progress.claims
    confirmation = claims.get("cnf")
    if binding is None:
        raise HolderBindingMissing("the presentation carries no key binding")
    if not isinstance(confirmation, dict) or "jwk" not in confirmation:
        raise HolderBindingMissing("the credential names no holder key (cnf.jwk)")
    holder_key = parse_jwk(confirmation["jwk"])
    if policy.delegation is not None:
        holder_key = policy.delegation.key_for(
            holder_key, progress.vct, claims, progress.disclosed
        )
        progress.acted_for = policy.delegation.acted_for()
    verify_jws(binding, holder_key)
    bound = progress.binding_claims()
    check_bound_to_request(progress, bound)
    sd_hash = bound.get("sd_hash")
    if type(sd_hash) is not str:
        raise JwsMalformed("sd_hash is a string")
    algorithm = progress.signed_claims.get("_sd_alg", "sha-256")
    if sd_hash != progress.sd_jwt.digest(algorithm):
        raise HolderBindingInvalid("sd_hash is of another presentation")
    if RECEIPT_CLAIM in claims:
        raise SdJwtMalformed(f"{RECEIPT_CLAIM} is not a claim that an issuer signs")
    progress.holder_key, progress.binding = holder_key, bound
    progress.receipt_claim = bound.get(RECEIPT_CLAIM)
    return None


def check_bound_to_request(progress: Progress, bound: JsonObject) -> None:
    """Return if signed claims are for this audience and nonce, made just now and not over.

    Raises `AudienceMismatch`, `NonceMismatch`, `HolderBindingInvalid`, `JwsMalformed`.
    """
    policy = progress.policy
    if bound.get("aud") != policy.audience:
        raise AudienceMismatch("aud is not this verifier")
    nonce = claim_string(bound, "nonce")
    if not hmac.compare_digest(nonce.encode(), (policy.nonce or "").encode()):
        raise NonceMismatch("nonce is not the one of this request")
    check_made_just_now(progress, claim_time(bound, "iat", required=True) or 0)
    if "nbf" in bound and progress.now + policy.clock_skew_s < (claim_time(bound, "nbf") or 0):
        raise HolderBindingInvalid("nbf of the key binding is in the future")
    if "exp" in bound and progress.now - policy.clock_skew_s >= (claim_time(bound, "exp") or 0):
        raise HolderBindingInvalid("exp of the key binding has passed")


def check_made_just_now(progress: Progress, made_at: int) -> None:
    """Return if a binding was made within the policy's time. Raises `HolderBindingInvalid`."""
    policy, age = progress.policy, progress.now - made_at
    if not -policy.clock_skew_s <= age <= policy.max_binding_age_s + policy.clock_skew_s:
        raise HolderBindingInvalid("the key binding was not made just now")
