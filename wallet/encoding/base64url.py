"""Strict base64url without padding (RFC 7515 §2, RFC 4648 §5)."""

from binascii import Error as BinasciiError
from typing import Final

import pybase64

from wallet.errors import MalformedError

_ALPHABET: Final = b"-_"
_PADDING: Final = (b"", b"", b"==", b"=")
# The bits of the last character that carry no data must be zero, or one value has two spellings.
_CANONICAL_LAST: Final = {
    2: frozenset(b"AQgw"),
    3: frozenset(b"AEIMQUYcgkosw048"),
}


class Base64urlMalformed(MalformedError):
    """Not base64url: padding, white space, a foreign character or stray trailing bits."""

    code = "base64url_malformed"


def encode(data: bytes) -> str:
    """Return `data` in base64url without padding."""
    return pybase64.b64encode(data, _ALPHABET).rstrip(b"=").decode("ascii")


def decode(text: str | bytes) -> bytes:
    """Return the bytes that `text` spells; the only accepted spelling is the one `encode` gives.

    Raises `Base64urlMalformed`.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise Base64urlMalformed("base64url is ASCII") from None
    remainder = len(raw) % 4
    if remainder and (remainder == 1 or raw[-1] not in _CANONICAL_LAST[remainder]):
        raise Base64urlMalformed("expected base64url without padding and stray bits")
    if b"=" in raw or b"+" in raw or b"/" in raw:
        raise Base64urlMalformed("expected base64url without padding")
    try:
        return pybase64.b64decode(raw + _PADDING[remainder], _ALPHABET, validate=True)
    except BinasciiError:
        raise Base64urlMalformed("base64url has a foreign character") from None
