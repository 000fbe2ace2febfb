"""Strict base64url without padding (RFC 7515 §2, RFC 4648 §5)."""

from collections.abc import Sequence
from typing import Final

from pybase64 import b64decode as _b64decode
from pybase64 import b64encode_as_string as _b64encode

from wallet.errors import MalformedError

_ALPHABET: Final = b"-_"
# A search for a number is a search for one byte, much faster than one for a string of one byte.
_PLUS, _SLASH, _EQUALS = b"+/="
_PADDING: Final = (b"", b"", b"==", b"=")
# The bits of the last character that carry no data must be zero, or one value has two spellings.
# No text is one character longer than a multiple of four.
_CANONICAL_LAST: Final = (
    frozenset[int](),
    frozenset[int](),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)


class Base64urlMalformed(MalformedError):
    """Not base64url: padding, white space, a foreign character or stray trailing bits."""

    code = "base64url_malformed"


def encode(data: bytes) -> str:
    """Return `data` in base64url without padding."""
    return _b64encode(data, _ALPHABET).rstrip("=")


def decode(text: str | bytes) -> bytes:
    """Return the bytes that `text` spells; the only accepted spelling is the one `encode` gives.

    Raises `Base64urlMalformed`.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        # The decoder would take the standard alphabet as well, and padding.
        if _PLUS in raw or _SLASH in raw or _EQUALS in raw:
            raise Base64urlMalformed("expected base64url without padding")
        remainder = len(raw) & 3
        if remainder:
            if raw[-1] not in _CANONICAL_LAST[remainder]:
                raise Base64urlMalformed("expected base64url without padding and stray bits")
            raw += _PADDING[remainder]
        return _b64decode(raw, _ALPHABET, True)
    except ValueError:
        raise Base64urlMalformed("base64url has a foreign character") from None


def encoded_length(size: int) -> int:
    """Return the number of characters that spell `size` bytes."""
    return (size * 4 + 2) // 3


def decode_each(texts: Sequence[str], size: int) -> list[bytes]:
    """Return the `size` bytes of each text, as `decode` would, in one pass over all of them.

    Raises `Base64urlMalformed`, also when a text spells more or fewer bytes.
    """
    characters = encoded_length(size)
    if not {characters}.issuperset(map(len, texts)):
        raise Base64urlMalformed(f"expected {characters} characters")
    # Filled up with `A`, six zero bits, every text ends on a byte; its stray bits are then part
    # of the bytes behind it, which must be zero.
    fill = "A" * (-characters % 4)
    data = decode(fill.join([*texts, ""]))
    step = size + len(fill)
    for extra in range(size, step):
        if any(data[extra::step]):
            raise Base64urlMalformed("expected base64url without stray bits")
    return [data[start : start + size] for start in range(0, len(data), step)]
