"""Judging what an issuer sent: of the type that was offered, signed by it, for our key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from wallet.credentials.sd_jwt import SdJwt, parse_sd_jwt
from wallet.crypto.keys import PublicKey, parse_jwk, thumbprint
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.errors import RejectedError
from wallet.holder.cards import HeldCredential, ReceiptState
from wallet.holder.issuers import IssuerPolicy, same_origin
from wallet.ports.facts import DidResolver
from wallet.protocols.oid4vci.configuration import CredentialConfiguration
from wallet.protocols.oid4vci.credential import CredentialAnchor, ReceivedCredential
from wallet.protocols.oid4vci.metadata import IssuerMetadata
from wallet.trust.receipt import batch_leaf
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import verify_proof
from wallet.verification.policy import VerificationPolicy

CARD_ID_BYTES: Final = 6


class CredentialNotAsOffered(RejectedError):
    """What arrived is not what was offered: another type, another key, or not verifiable."""

    code = "credential_not_as_offered"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a credential has to be, and the key that it has to be bound to."""

    metadata: IssuerMetadata
    configuration: CredentialConfiguration
    key: PublicKey
    handle: str


def verify_received(
    item: ReceivedCredential, expected: Expected, dids: DidResolver, policy: IssuerPolicy, now: int
) -> HeldCredential:
    """Return the credential if it is what was offered, signed by the issuer, for this key.

    Raises `CredentialNotAsOffered`, `OfferNotTrusted`, the errors of verification, and
    `DidUnresolvable` when the issuer's key could not be had.
    """
    configuration, issuer = expected.configuration, expected.metadata.credential_issuer
    sd_jwt = parse_sd_jwt(item.text)
    if sd_jwt.key_binding is not None:
        raise CredentialNotAsOffered("a credential is issued without key binding")
    did = parse_did(sd_jwt.jws.peek_claims().get("iss"))
    policy.check_signer(did, issuer)
    proof = verify_proof(
        item.text,
        Evidence(dids.resolve(did)),
        VerificationPolicy(
            accepted_types=frozenset((configuration.vct,)),
            trust=None,
            # A guardian may receive what only goes anywhere together with the guardianship.
            accepts_held_by_guardian=True,
        ),
        now=now,
    )
    confirmation = proof.claims.get("cnf")
    bound = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    if thumbprint(parse_jwk(bound)) != thumbprint(expected.key):
        raise CredentialNotAsOffered("the credential is bound to another key")
    if item.anchor is not None:
        check_anchor(item.anchor, sd_jwt, issuer)
    return HeldCredential(
        id=secrets.token_hex(CARD_ID_BYTES),
        credential_issuer=issuer,
        configuration_id=configuration.id,
        sd_jwt=item.text,
        key_handle=expected.handle,
        received_at=now,
        names=configuration.display,
        issuer_names=expected.metadata.display,
        claim_descriptions=configuration.claims,
        anchor=item.anchor,
        receipt_state=ReceiptState.NONE if item.anchor is None else ReceiptState.PENDING,
    )


def check_anchor(anchor: CredentialAnchor, sd_jwt: SdJwt, issuer: str) -> None:
    """Return if the receipt is to be had at the issuer, and is this credential's.

    Raises `CredentialNotAsOffered`.
    """
    leaf = batch_leaf(anchor.salt, sd_jwt.jws.signing_input)
    if not same_origin(anchor.receipt_uri, issuer):
        raise CredentialNotAsOffered("the receipt is at another host than the issuer")
    if anchor.receipt_uri.rpartition("/")[2] != base64url.encode(leaf):
        raise CredentialNotAsOffered("the receipt is for another credential or salt")


def check_same_content(copies: tuple[HeldCredential, ...]) -> None:
    """Return if all copies say the same, but for what makes them different to verifiers.

    Raises `CredentialNotAsOffered`.
    """
    said = [copy.card().claims for copy in copies]
    if any(claims != said[0] for claims in said):
        raise CredentialNotAsOffered("the copies of one credential do not say the same")
