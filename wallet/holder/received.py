"""Judging what an issuer sent: of the type that was offered, signed by it, for our key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from wallet.credentials.formats import LDP_VC_FORMAT, SD_JWT_VC_FORMAT
from wallet.credentials.sd_jwt import SdJwt, parse_sd_jwt
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.keys import PublicKey, parse_jwk, thumbprint
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import MalformedError, RejectedError, UnsupportedError
from wallet.holder.cards import HeldCredential, ReceiptState
from wallet.holder.contents import (
    DISCLOSURE_SUITES,
    all_pointers,
    contents_of,
    derive_shown,
    suite_of,
)
from wallet.holder.issuers import IssuerPolicy, same_origin
from wallet.holder.nyms import Nyms
from wallet.ports.facts import DidResolver
from wallet.protocols.oid4vci.configuration import CredentialConfiguration
from wallet.protocols.oid4vci.credential import CredentialAnchor, ReceivedCredential
from wallet.protocols.oid4vci.metadata import IssuerMetadata
from wallet.protocols.oid4vci.nym_proof import parse_nym_credential
from wallet.trust.receipt import batch_leaf
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import verify_proof
from wallet.verification.policy import VerificationPolicy
from wallet.verification.presented import (
    Presentable,
    PresentedJwtVc,
    PresentedLdpVc,
    parse_presented,
)

CARD_ID_BYTES: Final = 6


class CredentialNotAsOffered(RejectedError):
    """What arrived is not what was offered: another type, another key, or not verifiable."""

    code = "credential_not_as_offered"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a credential has to be, and the key that it has to be bound to.

    A BBS credential is bound to no key, but to the blinding under `handle`.
    """

    metadata: IssuerMetadata
    configuration: CredentialConfiguration
    key: PublicKey | None
    handle: str


def verify_received(
    item: ReceivedCredential, expected: Expected, dids: DidResolver, policy: IssuerPolicy, now: int
) -> HeldCredential:
    """Return the credential if it is what was offered, signed by the issuer, for this key.

    Raises `CredentialNotAsOffered`, `OfferNotTrusted`, the errors of verification, and
    `DidUnresolvable` when the issuer's key could not be had.
    """
    configuration = expected.configuration
    shown = _shown_whole(item, configuration.format)
    did = parse_did(_peek_issuer(shown, configuration.format))
    policy.check_signer(did, expected.metadata.credential_issuer)
    verify_proof(
        shown,
        Evidence(dids.resolve(did)),
        VerificationPolicy(
            accepted_types=frozenset((configuration.vct,)),
            format=configuration.format,
            type_values=(configuration.types,) if configuration.types else (),
            trust=None,
            # A guardian may receive what only goes anywhere together with the guardianship.
            accepts_held_by_guardian=True,
        ),
        now=now,
    )
    bound = bound_key(item, configuration.format)
    if expected.key is None or thumbprint(bound) != thumbprint(expected.key):
        raise CredentialNotAsOffered("the credential is bound to another key")
    _check_anchor(item, expected)
    return _held(item, expected, now)


def verify_received_nym(
    item: ReceivedCredential,
    expected: Expected,
    dids: DidResolver,
    nyms: Nyms,
    policy: IssuerPolicy,
    now: int,
) -> HeldCredential:
    """Return a BBS credential if its signature holds over our commitment, by the issuer's key.

    Raises as `verify_received` does.
    """
    message = parse_nym_credential(item.credential)
    did, issuer = parse_did(message.issuer), expected.metadata.credential_issuer
    policy.check_signer(did, issuer)
    key = dids.resolve(did).value.key_for(message.verification_method, "assertionMethod")
    if not isinstance(key, BbsVerificationKey) or key.key != message.public_key:
        raise CredentialNotAsOffered("the signature is by a key that the issuer does not publish")
    if message.vct != expected.configuration.vct or item.anchor is not None:
        raise CredentialNotAsOffered("the credential is of another type, or has a receipt")
    nyms.finalize(expected.handle, issuer, message)
    return _held(item, expected, now)


def bound_key(item: ReceivedCredential, format_: str) -> PublicKey:
    """Return the key that a received credential says that it is bound to, unverified.

    Raises `CredentialNotAsOffered` when it names none.
    """
    try:
        if format_ == SD_JWT_VC_FORMAT:
            return _confirmed(parse_sd_jwt(item.text).jws.peek_claims())
        presented = parse_presented(item.credential, format_)
        if isinstance(presented, PresentedJwtVc):
            return _subject_key(presented.credential.credential.subject_ids)
        if isinstance(presented, PresentedLdpVc):
            return _subject_key(presented.credential.subject_ids)
    except (MalformedError, UnsupportedError, RejectedError) as error:
        raise CredentialNotAsOffered("the credential names no key of ours") from error
    raise CredentialNotAsOffered("a credential of this format is bound to no key")


def _confirmed(claims: JsonObject) -> PublicKey:
    confirmation = claims.get("cnf")
    return parse_jwk(confirmation.get("jwk") if isinstance(confirmation, dict) else None)


def _subject_key(subject_ids: frozenset[str]) -> PublicKey:
    if len(subject_ids) != 1:
        raise CredentialNotAsOffered("the credential is about nobody, or several")
    (subject,) = subject_ids
    (method,) = resolve_self_contained(parse_did(subject)).methods.values()
    return method.key


def _shown_whole(item: ReceivedCredential, format_: str) -> Presentable:
    """Return a credential as its pipeline verifies it: what is for the holder alone, all shown.

    Raises `CredentialNotAsOffered` when there would be more in it than can be shown.
    """
    credential = item.credential
    if format_ != LDP_VC_FORMAT or not isinstance(credential, dict):
        return credential
    if suite_of(credential) not in DISCLOSURE_SUITES:
        return credential
    shown = derive_shown(credential, all_pointers(credential))
    if _without_proof(shown) != _without_proof(credential):
        raise CredentialNotAsOffered("the credential has parts that its proof does not cover")
    return shown


def _without_proof(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name != "proof"}


def _peek_issuer(shown: Presentable, format_: str) -> object:
    presented = parse_presented(shown, format_)
    if isinstance(presented, SdJwt):
        if presented.key_binding is not None:
            raise CredentialNotAsOffered("a credential is issued without key binding")
        return presented.jws.peek_claims().get("iss")
    if isinstance(presented, PresentedJwtVc | PresentedLdpVc):
        if presented.presentation is not None:
            raise CredentialNotAsOffered("a presentation is no credential")
        if isinstance(presented, PresentedJwtVc):
            return presented.credential.credential.issuer
        return presented.credential.issuer
    raise CredentialNotAsOffered("a presentation is no credential")


def _check_anchor(item: ReceivedCredential, expected: Expected) -> None:
    if item.anchor is None:
        return
    signed_input = contents_of(expected.configuration.format, text_of(item)).signed_input
    if signed_input is None:
        raise CredentialNotAsOffered("a credential of this format is not anchored")
    check_anchor(item.anchor, signed_input(), expected.metadata.credential_issuer)


def check_anchor(anchor: CredentialAnchor, signed_input: bytes, issuer: str) -> None:
    """Return if the receipt is to be had at the issuer, and is of what the issuer signed.

    Raises `CredentialNotAsOffered`.
    """
    if not same_origin(anchor.receipt_uri, issuer):
        raise CredentialNotAsOffered("the receipt is at another host than the issuer")
    leaf = batch_leaf(anchor.salt, signed_input)
    if anchor.receipt_uri.rpartition("/")[2] != base64url.encode(leaf):
        raise CredentialNotAsOffered("the receipt is for another credential or salt")


def text_of(item: ReceivedCredential) -> str:
    """Return a received credential as the text that is kept."""
    credential = item.credential
    return credential if isinstance(credential, str) else to_json(credential).decode()


def _held(item: ReceivedCredential, expected: Expected, now: int) -> HeldCredential:
    configuration = expected.configuration
    return HeldCredential(
        id=secrets.token_hex(CARD_ID_BYTES),
        credential_issuer=expected.metadata.credential_issuer,
        configuration_id=configuration.id,
        format=configuration.format,
        credential=text_of(item),
        key_handle=expected.handle,
        received_at=now,
        names=configuration.display,
        issuer_names=expected.metadata.display,
        claim_descriptions=configuration.claims,
        anchor=item.anchor,
        receipt_state=ReceiptState.NONE if item.anchor is None else ReceiptState.PENDING,
    )


def check_same_content(copies: tuple[HeldCredential, ...]) -> None:
    """Return if all copies say the same, but for what makes them different to verifiers.

    Raises `CredentialNotAsOffered`.
    """
    said = [copy.card().claims for copy in copies]
    if any(claims != said[0] for claims in said):
        raise CredentialNotAsOffered("the copies of one credential do not say the same")
