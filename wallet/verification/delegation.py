"""Verifying a delegation as it was presented, beside the credential that it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wallet.credentials.delegation import DELEGATION_TYPE, parse_delegation_claims
from wallet.credentials.jose import claim_string
from wallet.credentials.sd_jwt import SdJwt, parse_sd_jwt
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.keys import PublicKey, parse_jwk, thumbprint
from wallet.did.did_jwk import public_key_from_did_jwk
from wallet.did.syntax import parse_did
from wallet.errors import SeoulWalletError
from wallet.verification.acting import DelegationNotByHolder, VerifiedDelegation
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.issuer_key import KeySource
from wallet.verification.pipeline import VerifiedProof, check_presentation, verify_proof
from wallet.verification.policy import VerificationPolicy
from wallet.verification.report import VerificationReport


@dataclass(frozen=True, slots=True)
class PresentedDelegation:
    """A delegation after its steps ran: what it gives, or None and the report that says why."""

    report: VerificationReport
    proof: VerifiedProof | None
    delegation: VerifiedDelegation | None


def verify_delegation(
    presentation: str | bytes, *, audience: str, nonce: str, now: int, programme: str | None = None
) -> PresentedDelegation:
    """Run the steps of a proof on a delegation; raises nothing for bad input.

    Its signer is the did:jwk that it names as issuer: whose key that is, only the credential that
    is bound to it tells. `programme` is the name of what the verifier asks for. Revocation is
    that of the credential: each delegation has a copy of its own.
    """
    try:
        key = _signer(parse_presented_sd_jwt(presentation))
    except SeoulWalletError as error:
        return PresentedDelegation(VerificationReport((error,), now), None, None)
    policy = _policy(audience, nonce)
    evidence = Evidence(Fact(key, now))
    report = check_presentation(presentation, evidence, policy, now=now)
    if report.failure is not None:
        return PresentedDelegation(report, None, None)
    proof = verify_proof(presentation, evidence, policy, now=now)
    try:
        delegation = _delegation(proof, key, audience, programme)
    except SeoulWalletError as error:
        failed = VerificationReport((*report.results[:6], error), now)
        return PresentedDelegation(failed, None, None)
    return PresentedDelegation(report, proof, delegation)


def verify_received_delegation(
    text: str, credential: VerifiedProof, delegate: PublicKey, *, now: int
) -> VerifiedDelegation:
    """Return what a delegation gives to the holder of `delegate`, when its wallet takes it.

    `credential` is the one that it is for, verified up to its dates. Raises what the steps of a
    proof raise, `DelegationMalformed`, `NotDelegable`, `DelegationNotByHolder`,
    `DelegationOutOfScope`, `DelegationChained`. No audience or programme is checked.
    """
    key = _signer(parse_sd_jwt(text))
    proof = verify_proof(text, Evidence(Fact(key, now)), _policy(None, None), now=now)
    confirmation = proof.claims.get("cnf")
    bound = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if thumbprint(parse_jwk(bound)) != thumbprint(delegate):
        raise DelegationNotByHolder("the delegation is to another key")
    found = parse_delegation_claims(proof.claims)
    delegation = VerifiedDelegation(
        found.delegation_id, key, delegate, found.scope, found.relation, ""
    )
    holder = credential.claims.get("cnf")
    jwk = holder.get("jwk") if isinstance(holder, dict) else None
    # Which verifier asks, and for what, is not known yet.
    anywhere = replace(delegation, scope=replace(found.scope, audiences=None, programmes=None))
    anywhere.key_for(parse_jwk(jwk), credential.vct, credential.claims, credential.disclosed)
    return delegation


def _policy(audience: str | None, nonce: str | None) -> VerificationPolicy:
    return VerificationPolicy(
        accepted_types=frozenset((DELEGATION_TYPE,)),
        audience=audience,
        nonce=nonce,
        trust=None,
        key_sources=frozenset((KeySource.PINNED,)),
    )


def _signer(sd_jwt: SdJwt) -> PublicKey:
    did = parse_did(claim_string(sd_jwt.jws.peek_claims(), "iss"))
    if did.method != "jwk":
        raise DelegationNotByHolder("a delegation is signed by the holder's key, a did:jwk")
    return public_key_from_did_jwk(did.identifier)


def _delegation(
    proof: VerifiedProof, key: PublicKey, audience: str, programme: str | None
) -> VerifiedDelegation:
    if proof.holder_key is None:
        raise AssertionError("step 7 found the delegate's key")
    found = parse_delegation_claims(proof.claims)
    return VerifiedDelegation(
        found.delegation_id,
        key,
        proof.holder_key,
        found.scope,
        found.relation,
        audience,
        programme,
    )
