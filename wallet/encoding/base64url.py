"""Strict base64url without padding (RFC 7515 §2, RFC 4648 §5)."""

from base64 import urlsafe_b64encode
from binascii import Error as BinasciiError
from binascii import a2b_base64
from typing import Final

from wallet.errors import MalformedError

# What is not base64url becomes `!`, which the strict decoder refuses.
_STANDARD_ALPHABET: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
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
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


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
    try:
        return a2b_base64(
            raw.translate(_STANDARD_ALPHABET) + _PADDING[remainder], strict_mode=True
        )
    except BinasciiError:
        raise Base64urlMalformed("base64url has a foreign character") from None
