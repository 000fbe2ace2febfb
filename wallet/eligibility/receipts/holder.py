"""What a holder signs about a decision, with the key that was made for it alone.

One type (typ `receipt-holder+jwt`) with four acts: to countersign a receipt, to withdraw what was
not decided yet, to ask for deletion, to collect a receipt that did not come. The header carries
the public key; its thumbprint is what the presentation named and the receipt is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wallet.credentials.jose import parse_compact_jws, sign_jws, verify_jws
from wallet.crypto.keys import SigningKey, parse_jwk, thumbprint
from wallet.eligibility.receipts import members
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError

HOLDER_TYPE: Final = "receipt-holder+jwt"
MAX_REQUEST_AGE_S: Final = 300
_CLAIMS: Final = frozenset(("act", "aud", "iat", "about", "state"))


class HolderStatementInvalid(RejectedError):
    """The holder's key signed something else, for somebody else, or at another time."""

    code = "holder_statement_invalid"


class Act(StrEnum):
    """What the holder does. `about` is the digest of the receipt, base64url, the nonce of the
    request, or the id of the receipt; to collect, again the nonce."""

    COUNTERSIGN = "countersign"
    WITHDRAW = "withdraw"
    DELETE = "delete"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class HolderStatement:
    """A statement whose signature was verified; `holder` is the thumbprint of its key."""

    token: str
    act: Act
    audience: str
    issued_at: int
    about: str
    state: str | None
    holder: str


def sign_holder_statement(
    key: SigningKey, act: Act, *, audience: str, about: str, now: int, state: str | None = None
) -> str:
    """Return the signed statement for the agency with the DID `audience`.

    `state` is that of a request that is withdrawn, None if it had none.
    """
    claims = {"act": act.value, "aud": audience, "iat": now, "about": about, "state": state}
    return sign_jws(key, {"typ": HOLDER_TYPE, "jwk": key.public_key.jwk}, claims)


def verify_holder_statement(
    token: str,
    act: Act,
    *,
    audience: str,
    about: str | None = None,
    holder: str | None = None,
    now: int | None = None,
) -> HolderStatement:
    """Return the statement if its key signed this act for `audience`.

    `about` and `holder` must be those, if given; with `now` it must be at most
    `MAX_REQUEST_AGE_S` old. Raises `JwsMalformed`, `KeyMalformed`, `UnsupportedKey`,
    `SignatureInvalid`, `HolderStatementInvalid`, `DecisionReceiptMalformed` and the errors of the
    encodings. Anybody can make a key: without `holder` the caller must find out whose it is.
    """
    jws = parse_compact_jws(token, typ=HOLDER_TYPE)
    key = parse_jwk(jws.header.get("jwk"))
    verify_jws(jws, key)
    found = _read(token, jws.peek_claims(), thumbprint(key))
    if found.act is not act or found.audience != audience:
        raise HolderStatementInvalid("another act, or for another agency")
    if about is not None and found.about != about:
        raise HolderStatementInvalid("the statement is about something else")
    if holder is not None and found.holder != holder:
        raise HolderStatementInvalid("another key signed")
    if now is not None and abs(now - found.issued_at) > MAX_REQUEST_AGE_S:
        raise HolderStatementInvalid("the statement is not of now")
    return found


def _read(token: str, value: JsonObject, holder: str) -> HolderStatement:
    claims = members.check_members(value, _CLAIMS)
    try:
        act = Act(claims["act"])
    except ValueError:
        raise members.DecisionReceiptMalformed("there is no such act") from None
    return HolderStatement(
        token,
        act,
        members.text(claims["aud"], "aud"),
        members.moment(claims["iat"], "iat"),
        members.text(claims["about"], "about"),
        members.optional_text(claims["state"], "state"),
        holder,
    )


def countersigned(receipt_digest: bytes) -> str:
    """Return what a countersignature is about."""
    return base64url.encode(receipt_digest)
