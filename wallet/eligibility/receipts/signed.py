"""What an agency signs: one way to read all of it."""

from __future__ import annotations

from collections.abc import Collection

from wallet.credentials.jose import parse_compact_jws, verify_jws
from wallet.crypto.keys import PublicKey
from wallet.did.document import DidDocument
from wallet.eligibility.receipts.members import check_members
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError


class ReceiptIssuerMismatch(RejectedError):
    """The receipt, or what goes with it, is another agency's than the one that was expected."""

    code = "receipt_issuer_mismatch"


def agency_key(token: str, *, typ: str, issuer: str, keys: DidDocument | PublicKey) -> PublicKey:
    """Return the key that must have signed `token`: the one given, or the assertion key that it
    names in the agency's DID document.

    Raises `JwsMalformed`, `KeyNotAuthorized`, `ReceiptIssuerMismatch` and the errors of the
    encodings.
    """
    if not isinstance(keys, DidDocument):
        return keys
    if str(keys.did) != issuer:
        raise ReceiptIssuerMismatch("the keys are of another agency")
    return keys.key_for(parse_compact_jws(token, typ=typ).kid, "assertionMethod")


def agency_claims(
    token: str,
    *,
    typ: str,
    issuer: str,
    keys: DidDocument | PublicKey,
    names: Collection[str],
    optional: Collection[str] = (),
) -> JsonObject:
    """Return the claims that `issuer` signed: the members `names`, `iss` among them, and no other
    than perhaps `optional`.

    `keys` is its DID document, of which an assertion key must have signed, or the key itself.
    Raises `JwsMalformed`, `SignatureInvalid`, `KeyNotAuthorized`, `ReceiptIssuerMismatch`,
    `DecisionReceiptMalformed` and the errors of the encodings.
    """
    jws = parse_compact_jws(token, typ=typ)
    verify_jws(jws, agency_key(token, typ=typ, issuer=issuer, keys=keys))
    peeked = jws.peek_claims()
    claims = check_members(peeked, {*names, *(peeked.keys() & optional)})
    if claims["iss"] != issuer:
        raise ReceiptIssuerMismatch("another agency is named than the one that was expected")
    return claims
