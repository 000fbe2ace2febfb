"""Bytes to values and back: hashes, canonical JSON, deterministic CBOR. Section 2."""

import json
from fractions import Fraction
from hashlib import sha256, sha512
from typing import Any, NoReturn

import rfc8785

from mvote_verify.curve import ORDER
from mvote_verify.failures import Malformed
from mvote_verify.limits import MAX_FRACTION_BITS, MAX_INTEGER, MAX_JSON_BYTES, MAX_JSON_DEPTH

SUITE_NAME = b"SW-MVOTE-V1/"
UNSIGNED, BYTES, TEXT = 0, 2, 3
"""Major types of CBOR."""
_MAP = 5
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def i4(number: int) -> bytes:
    return number.to_bytes(4)


def i8(number: int) -> bytes:
    return number.to_bytes(8)


def frame(tag: str, *parts: bytes) -> bytes:
    """What is hashed and signed: a tag, then each part behind its length."""
    framed = [SUITE_NAME, tag.encode("ascii"), b"\0"]
    for part in parts:
        framed += (i8(len(part)), part)
    return b"".join(framed)


def digest(tag: str, *parts: bytes) -> bytes:
    """`D`: 32 bytes."""
    return sha256(frame(tag, *parts)).digest()


def hash_scalar(tag: str, *parts: bytes) -> int:
    """`S`: an integer below the order of secp256k1."""
    return int.from_bytes(sha512(frame(tag, *parts)).digest()) % ORDER


def parse_json(data: bytes, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """A canonical JSON document (RFC 8785) as plain values.

    Raises `Malformed` for anything that is not its own canonical form, for duplicate names,
    for numbers that are no integers of 53 bits.
    """
    if len(data) > max_bytes:
        raise Malformed("the document is too large")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_no_other_number,
            parse_constant=_no_other_number,
        )
        _refuse_depth(value, MAX_JSON_DEPTH)
        canonical = rfc8785.dumps(value)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        raise Malformed("not JSON") from None
    if canonical != data:
        raise Malformed("not in canonical form")
    return value


def canonical_json(value: Any) -> bytes:
    """RFC 8785 of a value that came from `parse_json`."""
    return rfc8785.dumps(value)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise ValueError("the integer has more than 53 bits")
    return int(digits)


def _no_other_number(text: str) -> NoReturn:
    raise ValueError("only integers occur")


def _refuse_depth(value: Any, left: int) -> None:
    if not left:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        for member in value.values():
            _refuse_depth(member, left - 1)
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, dict | list):
                _refuse_depth(member, left - 1)


def fraction_text(value: Fraction) -> str:
    """`"a/b"` in lowest terms, or `"a"`; raises `Malformed` if it is longer than any real one."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_FRACTION_BITS:
        raise Malformed("a fraction is too long")
    return str(value)


def read_cbor_map(data: bytes, types: tuple[int, ...]) -> list[Any]:
    """The values of a CBOR map with the keys 1, 2, …, each of the major type given.

    Raises `Malformed` unless `data` is exactly that map in deterministic encoding.
    """
    major, count, at = _head(data, 0)
    if major != _MAP or count != len(types):
        raise Malformed("not the expected CBOR map")
    values: list[Any] = []
    for key, expected in enumerate(types, 1):
        if at >= len(data) or data[at] != key:
            raise Malformed("a key of the CBOR map is missing")
        major, number, at = _head(data, at + 1)
        if major != expected:
            raise Malformed("a CBOR value is of another type")
        if expected == UNSIGNED:
            values.append(number)
            continue
        piece = data[at : at + number]
        if len(piece) != number:
            raise Malformed("the CBOR map is cut short")
        at += number
        values.append(piece if expected == BYTES else _utf8(piece))
    if at != len(data):
        raise Malformed("bytes follow the CBOR map")
    return values


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument and the place behind it, in the shortest form only."""
    if at >= len(data):
        raise Malformed("the CBOR map is cut short")
    major, short = data[at] >> 5, data[at] & 31
    if short < 24:
        return major, short, at + 1
    width = _WIDTHS.get(short)
    if width is None or at + 1 + width > len(data):
        raise Malformed("not a deterministic CBOR head")
    number = int.from_bytes(data[at + 1 : at + 1 + width])
    if number < (24 if width == 1 else 1 << (4 * width)):
        raise Malformed("a CBOR head is longer than needed")
    return major, number, at + 1 + width


def _utf8(piece: bytes) -> str:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-8") from None
