"""Signed status lists: verify a Status List Token, as JWT or CWT.

draft-ietf-oauth-status-list §5.1, §5.2, §8.3. The first byte tells the two apart: a CWT is a
tagged COSE_Sign1, a JWT is ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.credentials.cose import (
    SIGN1_TAG,
    parse_cose_sign1,
    sign_cose_sign1,
    verify_cose_sign1,
)
from wallet.credentials.jose import (
    JwsMalformed,
    claim_string,
    claim_time,
    parse_compact_jws,
    verify_jws,
)
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.did.did_ethr import EthrHistory
from wallet.did.document import DidDocument
from wallet.encoding.cbor import CborMalformed, parse_cbor, to_cbor
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.status.token_status_list import (
    TokenStatusList,
    parse_status_list_cbor,
    parse_status_list_claim,
)
from wallet.verification.issuer_key import (
    NO_ANCHORS,
    IssuerKeys,
    KeyHint,
    issuer_key,
    key_hint,
)

STATUS_LIST_TYPE: Final = "statuslist+jwt"
STATUS_LIST_CWT_TYPE: Final = "application/statuslist+cwt"
# Claim keys of a CWT (RFC 8392 §3.1, draft §14.3) by the names of their JWT twins.
_CWT_CLAIMS: Final = {
    "iss": 1,
    "sub": 2,
    "exp": 4,
    "nbf": 5,
    "iat": 6,
    "status_list": 65533,
    "ttl": 65534,
}


class StatusListInvalid(RejectedError):
    """The token is signed, but for another list, or by an issuer that may not say."""

    code = "status_list_invalid"


@dataclass(frozen=True, slots=True)
class VerifiedStatusList:
    """A status list whose signature was verified under the issuer's key at hand.

    Times are unix seconds. Whether it is fresh enough is decided on every use.
    """

    uri: str
    issuer: str
    issued_at: int
    expires_at: int | None
    ttl_s: int | None
    entries: TokenStatusList
    digest: bytes


def verify_status_list_token(
    token: bytes,
    *,
    uri: str,
    issuer: str,
    issuer_keys: IssuerKeys,
    anchors: TrustAnchors = NO_ANCHORS,
    now: int | None = None,
) -> VerifiedStatusList:
    """Return the list of a Status List Token that `issuer` signed for `uri`.

    A token that carries certificates is judged by `anchors` at `now`, and one of a DID with a
    history by the keys of that moment; `now` must then be given.
    Raises `SignatureInvalid`, `KeyNotAuthorized`, `StatusListInvalid`, `JwsMalformed`,
    `CoseMalformed`, `StatusListMalformed`, the errors of `issuer_key` and of the encodings. Does
    not check age or expiry.
    """
    hint = status_list_key_hint(token)
    key = status_list_key(hint, issuer, issuer_keys, anchors=anchors, now=now)
    return verify_status_list_under(token, key, uri=uri, issuer=issuer)


def status_list_key_hint(token: bytes) -> KeyHint:
    """Return how a token names its key, nothing verified. Raises `JwsMalformed`,
    `CoseMalformed`, the errors of the encodings."""
    if token.startswith(SIGN1_TAG):
        message = parse_cose_sign1(token, typ=STATUS_LIST_CWT_TYPE)
        return KeyHint(message.kid, message.x5chain)
    return key_hint(parse_compact_jws(token, typ=STATUS_LIST_TYPE))


def status_list_key(
    hint: KeyHint,
    issuer: str,
    issuer_keys: IssuerKeys,
    *,
    anchors: TrustAnchors = NO_ANCHORS,
    now: int | None = None,
) -> PublicKey:
    """Return the key that a token of `issuer` must be signed with; see
    `verify_status_list_token` for what is raised."""
    if isinstance(issuer_keys, DidDocument | EthrHistory) and issuer != str(issuer_keys.did):
        raise StatusListInvalid("the keys are of another issuer")
    if hint.chain is not None and now is None:
        raise StatusListInvalid("certificates are not accepted here")
    if isinstance(issuer_keys, EthrHistory) and now is None:
        raise StatusListInvalid("keys that change are not accepted here")
    return issuer_key(hint, issuer, issuer_keys, anchors=anchors, now=now or 0)


def verify_status_list_under(
    token: bytes, key: PublicKey, *, uri: str, issuer: str
) -> VerifiedStatusList:
    """Return the list of a token that `key` signed; that the key is the issuer's is not checked.

    Raises as `verify_status_list_token`.
    """
    if token.startswith(SIGN1_TAG):
        message = parse_cose_sign1(token, typ=STATUS_LIST_CWT_TYPE)
        verify_cose_sign1(message, key)
        claims = _cwt_claims(message.payload)
        entries = parse_status_list_cbor(claims.get("status_list"))
    else:
        jws = parse_compact_jws(token, typ=STATUS_LIST_TYPE)
        verify_jws(jws, key)
        claims = jws.peek_claims()
        entries = parse_status_list_claim(claims.get("status_list"))
    return _verified(claims, entries, uri, issuer)


def _cwt_claims(payload: bytes) -> JsonObject:
    value = parse_cbor(payload)
    if not isinstance(value, dict):
        raise CborMalformed("the claims of a CWT are a map")
    return {name: value[key] for name, key in _CWT_CLAIMS.items() if key in value}


def _verified(
    claims: JsonObject, entries: TokenStatusList, uri: str, issuer: str
) -> VerifiedStatusList:
    if claim_string(claims, "sub") != uri:
        raise StatusListInvalid("the token is for another list")
    if claims.get("iss", issuer) != issuer:
        raise StatusListInvalid("the token is from another issuer")
    ttl = claims.get("ttl")
    if ttl is not None and (type(ttl) is not int or ttl <= 0):
        raise JwsMalformed("ttl is a positive whole number of seconds")
    issued_at = claim_time(claims, "iat", required=True) or 0
    # A list that is not yet to be used counts as one that is yet to be issued.
    issued_at = max(issued_at, claim_time(claims, "nbf") or 0)
    return VerifiedStatusList(
        uri, issuer, issued_at, claim_time(claims, "exp"), ttl, entries, entries.digest
    )


def sign_status_list_cwt(
    key: SigningKey,
    entries: TokenStatusList,
    *,
    uri: str,
    issuer: str,
    verification_method: str,
    issued_at: int,
    expires_at: int,
    ttl_s: int,
) -> bytes:
    """Return a Status List Token as CWT (draft §5.2); times are unix seconds."""
    claims = {
        _CWT_CLAIMS["sub"]: uri,
        _CWT_CLAIMS["iss"]: issuer,
        _CWT_CLAIMS["iat"]: issued_at,
        _CWT_CLAIMS["exp"]: expires_at,
        _CWT_CLAIMS["ttl"]: ttl_s,
        _CWT_CLAIMS["status_list"]: entries.to_cbor_claim(),
    }
    return sign_cose_sign1(key, to_cbor(claims), typ=STATUS_LIST_CWT_TYPE, kid=verification_method)
