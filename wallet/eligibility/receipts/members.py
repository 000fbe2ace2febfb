"""Reading the claims of receipts and of what goes with them: exactly these members, typed."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

MAX_TEXT: Final = 512
HASH_BYTES: Final = 32
THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_MAX_TIME: Final = 253402300799


class DecisionReceiptMalformed(MalformedError):
    """Not a decision receipt, or not what goes with one: a member is missing, new or of another
    form."""

    code = "decision_receipt_malformed"


def check_members(value: object, names: Collection[str]) -> JsonObject:
    """Return the object if it has exactly these members. Raises `DecisionReceiptMalformed`."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise DecisionReceiptMalformed("expected exactly the members " + ", ".join(sorted(names)))
    return value


def text(value: Any, name: str) -> str:
    """Return a text of 1 to `MAX_TEXT` characters. Raises `DecisionReceiptMalformed`."""
    if type(value) is not str or not 0 < len(value) <= MAX_TEXT:
        raise DecisionReceiptMalformed(f"{name} is a text of limited length")
    return value


def texts(value: Any, name: str, limit: int) -> tuple[str, ...]:
    """Return up to `limit` texts. Raises `DecisionReceiptMalformed`."""
    if type(value) is not list or len(value) > limit:
        raise DecisionReceiptMalformed(f"{name} is a list of at most {limit} texts")
    return tuple(text(item, name) for item in value)


def optional_text(value: Any, name: str) -> str | None:
    """Return a text or None. Raises `DecisionReceiptMalformed`."""
    return None if value is None else text(value, name)


def moment(value: Any, name: str) -> int:
    """Return whole unix seconds. Raises `DecisionReceiptMalformed`."""
    if type(value) is not int or not 0 <= value <= _MAX_TIME:
        raise DecisionReceiptMalformed(f"{name} is in unix seconds")
    return value


def optional_moment(value: Any, name: str) -> int | None:
    """Return whole unix seconds or None. Raises `DecisionReceiptMalformed`."""
    return None if value is None else moment(value, name)


def number(value: Any, name: str, limit: int) -> int:
    """Return a whole number below `limit`. Raises `DecisionReceiptMalformed`."""
    if type(value) is not int or not 0 <= value < limit:
        raise DecisionReceiptMalformed(f"{name} is a number from 0 to {limit - 1}")
    return value


def octets(value: Any, name: str, size: int = HASH_BYTES) -> bytes:
    """Return so many bytes of base64url. Raises `DecisionReceiptMalformed`,
    `Base64urlMalformed`."""
    found = base64url.decode(text(value, name))
    if len(found) != size:
        raise DecisionReceiptMalformed(f"{name} has {size} bytes")
    return found


def thumbprint_of(value: Any, name: str) -> str:
    """Return a JWK thumbprint (RFC 7638, SHA-256). Raises `DecisionReceiptMalformed`."""
    if type(value) is not str or THUMBPRINT.match(value) is None:
        raise DecisionReceiptMalformed(f"{name} is the SHA-256 thumbprint of a key")
    return value
