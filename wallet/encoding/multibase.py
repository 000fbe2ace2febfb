"""Multibase: base58btc and base64url without padding (Controlled Identifiers §2.4)."""

from typing import Final

from wallet.encoding import base64url
from wallet.errors import MalformedError

MAX_BASE58_CHARACTERS: Final = 512
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}


class MultibaseMalformed(MalformedError):
    """Not a multibase value in the base that is expected."""

    code = "multibase_malformed"


def encode_base58btc(data: bytes) -> str:
    """Return `data` as multibase base58btc, starting with `z`."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, remainder = divmod(number, 58)
        digits = _ALPHABET[remainder] + digits
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + "1" * zeros + digits


def decode_base58btc(text: str) -> bytes:
    """Return the bytes of a multibase base58btc value. Raises `MultibaseMalformed`."""
    if not text.startswith("z") or len(text) > MAX_BASE58_CHARACTERS:
        raise MultibaseMalformed("expected base58btc, which starts with z")
    body = text[1:]
    number = 0
    for character in body:
        value = _VALUES.get(character)
        if value is None:
            raise MultibaseMalformed("a character is not in the base58btc alphabet")
        number = number * 58 + value
    zeros = len(body) - len(body.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_base64url(data: bytes) -> str:
    """Return `data` as multibase base64url without padding, starting with `u`."""
    return "u" + base64url.encode(data)


def decode_base64url(text: str, *, max_characters: int) -> bytes:
    """Return the bytes of a multibase base64url value.

    Raises `MultibaseMalformed`, `Base64urlMalformed`.
    """
    if not text.startswith("u") or len(text) > max_characters:
        raise MultibaseMalformed("expected base64url of limited length, which starts with u")
    return base64url.decode(text[1:])
