"""The form of JSON values: small readers that give the value or raise `Malformed`."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import gcd
from typing import Any

from mvote_verify import curve
from mvote_verify.failures import Malformed
from mvote_verify.limits import MAX_FRACTION_CHARACTERS, MAX_INTEGER

Form = Callable[[Any], Any]

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_FRACTION = re.compile(r"(0|[1-9][0-9]*)(?:/([1-9][0-9]*))?\Z")


def members(value: Any, forms: Mapping[str, Form]) -> dict[str, Any]:
    """An object with exactly these members, each read by its form."""
    if not isinstance(value, dict) or value.keys() != forms.keys():
        raise Malformed(f"an object has exactly the members {', '.join(forms)}")
    read = {}
    for name, form in forms.items():
        try:
            read[name] = form(value[name])
        except Malformed as error:
            raise Malformed(f"{name}: {error}") from None
    return read


def record(**forms: Form) -> Form:
    return lambda value: members(value, forms)


def integer(low: int = -MAX_INTEGER, high: int = MAX_INTEGER) -> Form:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Malformed(f"not an integer of {low} … {high}")
        return value

    return read


def text(low: int = 0, high: int = 1 << 20) -> Form:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not low <= len(value) <= high:
            raise Malformed(f"not a string of {low} … {high} characters")
        return value

    return read


def one_of(*choices: str) -> Form:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Malformed(f"not one of {', '.join(choices)}")
        return value

    return read


def maybe(form: Form) -> Form:
    """Null, or the form."""
    return lambda value: None if value is None else form(value)


def listing(form: Form, low: int = 1, high: int = 1 << 24) -> Form:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise Malformed(f"not a list of {low} … {high} entries")
        return [form(entry) for entry in value]

    return read


def identifier(value: Any) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        raise Malformed("not an id")
    return value


def hexadecimal(length: int) -> Form:
    """Lower-case hex of so many bytes."""

    def read(value: Any) -> bytes:
        if not isinstance(value, str) or len(value) != 2 * length or not _HEX.match(value):
            raise Malformed(f"not {length} bytes in hex")
        return bytes.fromhex(value)

    return read


def any_hex(value: Any) -> bytes:
    """Lower-case hex of any length."""
    if not isinstance(value, str) or not _HEX.match(value):
        raise Malformed("not hex")
    return bytes.fromhex(value)


def point(value: Any) -> curve.Point:
    return curve.decode(hexadecimal(curve.POINT_BYTES)(value))


def scalar(value: Any) -> int:
    return curve.decode_scalar(hexadecimal(curve.SCALAR_BYTES)(value))


proof = record(e=scalar, z=scalar)
"""A proof of a logarithm: challenge and response."""


def fraction(value: Any, max_characters: int = MAX_FRACTION_CHARACTERS) -> Fraction:
    if not isinstance(value, str) or len(value) > max_characters:
        raise Malformed("not a fraction")
    parts = _FRACTION.match(value)
    if not parts:
        raise Malformed("not a fraction")
    top, bottom = int(parts[1]), int(parts[2] or "1")
    if parts[2] and (bottom == 1 or gcd(top, bottom) != 1):
        raise Malformed("the fraction is not in lowest terms")
    return Fraction(top, bottom)


_TEXTS = record(ko=text(1, 500), en=text(1, 500))


def texts(value: Any) -> dict[str, str]:
    read: dict[str, str] = _TEXTS(value)
    return read
