"""Reading strict JSON documents member by member: exact names, bounded values, no surprises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, TypeVar

from wallet.crypto.secp256k1 import CurvePointMalformed, Point, parse_point
from wallet.encoding import jcs
from wallet.encoding.json import JsonMalformed, JsonObject, parse_json
from wallet.errors import MalformedError

MAX_DOCUMENT_BYTES: Final = 8 * 1024 * 1024
MAX_INTEGER: Final = 2**53 - 1
MAX_TEXT_CHARACTERS: Final = 500
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")
_FRACTION: Final = re.compile(r"(?:0|[1-9][0-9]{0,29})(?:/[1-9][0-9]{0,29})?")

Item = TypeVar("Item")


class Shape:
    """Readers that raise the error class of the document they are used for."""

    def __init__(self, error: type[MalformedError]) -> None:
        self._error = error

    def refuse(self, message: str) -> MalformedError:
        """Return the error, to be raised."""
        return self._error(message)

    def canonical(self, data: bytes) -> Any:
        """The value of a document that is its own canonical form (RFC 8785)."""
        try:
            value = parse_json(data, max_bytes=MAX_DOCUMENT_BYTES)
            is_canonical = jcs.canonicalize(value) == data
        except (JsonMalformed, jcs.NotCanonicalizable) as error:
            raise self._error("not strict JSON") from error
        if not is_canonical:
            raise self._error("not in canonical form")
        return value

    def members(self, value: object, *names: str) -> JsonObject:
        """An object with exactly these members."""
        if type(value) is not dict or value.keys() != set(names):
            raise self._error("expected an object with exactly " + ", ".join(names))
        return value

    def items(
        self, value: object, read: Callable[[Any], Item], *, low: int, high: int
    ) -> tuple[Item, ...]:
        """A list of `low` to `high` entries, each read by `read`."""
        if type(value) is not list or not low <= len(value) <= high:
            raise self._error(f"expected a list of {low} to {high} entries")
        return tuple(map(read, value))

    def integer(self, value: object, *, low: int = 0, high: int = MAX_INTEGER) -> int:
        """An integer between the bounds, both included; never a boolean or a float."""
        if type(value) is not int or not low <= value <= high:
            raise self._error(f"expected an integer from {low} to {high}")
        return value

    def identifier(self, value: object) -> str:
        """1 to 64 characters out of letters, digits and `._:-`."""
        if type(value) is not str or not _IDENTIFIER.fullmatch(value):
            raise self._error("expected an identifier")
        return value

    def text(self, value: object) -> str:
        """1 to 500 characters."""
        if type(value) is not str or not 1 <= len(value) <= MAX_TEXT_CHARACTERS:
            raise self._error(f"expected a text of 1 to {MAX_TEXT_CHARACTERS} characters")
        return value

    def choice(self, value: object, *choices: str) -> str:
        """One of the given texts."""
        if type(value) is not str or value not in choices:
            raise self._error("expected one of " + ", ".join(choices))
        return value

    def octets(self, value: object, size: int) -> bytes:
        """`size` bytes in lower-case hex."""
        found = self.any_octets(value)
        if len(found) != size:
            raise self._error(f"expected {size} bytes in hex")
        return found

    def any_octets(self, value: object) -> bytes:
        """Bytes in lower-case hex."""
        if type(value) is not str or not _HEX.fullmatch(value):
            raise self._error("expected bytes in lower-case hex")
        return bytes.fromhex(value)

    def point(self, value: object) -> Point:
        """A point of secp256k1."""
        try:
            return parse_point(self.any_octets(value))
        except CurvePointMalformed as error:
            raise self._error("expected a point of secp256k1") from error

    def fraction(self, value: object) -> Fraction:
        """A fraction in lowest terms, not negative."""
        if type(value) is not str or not _FRACTION.fullmatch(value):
            raise self._error('expected a fraction "a/b" or "a"')
        fraction = Fraction(value)
        if str(fraction) != value:
            raise self._error("expected a fraction in lowest terms")
        return fraction

    def optional(self, value: object, read: Callable[[Any], Item]) -> Item | None:
        """None for null, else what `read` makes of the value."""
        return None if value is None else read(value)


def repeated(values: Sequence[object]) -> bool:
    """Whether a value occurs twice."""
    return len(set(values)) != len(values)


def without_none(values: Mapping[int, Item | None]) -> dict[int, Item]:
    """The entries that are there."""
    return {name: value for name, value in values.items() if value is not None}
