"""A part of CBOR in its deterministic form (RFC 8949 §4.2): what proof values are made of.

Unsigned integers, byte and text strings, arrays and maps with unsigned keys; one spelling each.
General decoders take indefinite lengths, repeated keys, tags and long spellings, none of which
may occur in a value that is compared or signed.
"""

from typing import Any, Final

from wallet.errors import MalformedError

MAX_CBOR_BYTES: Final = 512 * 1024
MAX_CBOR_DEPTH: Final = 8
_UNSIGNED, _BYTES, _TEXT, _ARRAY, _MAP = 0, 2, 3, 4, 5
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}


class DeterministicCborMalformed(MalformedError):
    """Not deterministic CBOR of the kinds that are used here."""

    code = "deterministic_cbor_malformed"


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for info, width in _WIDTHS.items():
        if number < 1 << 8 * width:
            return bytes((major << 5 | info,)) + number.to_bytes(width, "big")
    raise DeterministicCborMalformed("a number is beyond 64 bits")


def to_cbor(value: Any) -> bytes:
    """Return the deterministic encoding. Raises `DeterministicCborMalformed` for other kinds."""
    if type(value) is int and value >= 0:
        return _head(_UNSIGNED, value)
    if type(value) is bytes:
        return _head(_BYTES, len(value)) + value
    if type(value) is str:
        data = value.encode("utf-8")
        return _head(_TEXT, len(data)) + data
    if type(value) in (list, tuple):
        return _head(_ARRAY, len(value)) + b"".join(to_cbor(item) for item in value)
    if type(value) is dict:
        pairs = sorted((to_cbor(key), to_cbor(item)) for key, item in value.items())
        return _head(_MAP, len(value)) + b"".join(key + item for key, item in pairs)
    raise DeterministicCborMalformed("a value of this kind has no encoding here")


def parse_cbor(data: bytes) -> Any:
    """Return the value of one encoding, alone. Raises `DeterministicCborMalformed`."""
    if len(data) > MAX_CBOR_BYTES:
        raise DeterministicCborMalformed(f"CBOR is longer than {MAX_CBOR_BYTES} bytes")
    reader = _Reader(data)
    value = reader.value(MAX_CBOR_DEPTH)
    if reader.position != len(data):
        raise DeterministicCborMalformed("bytes follow the value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise DeterministicCborMalformed("the value is cut off")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _read_head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info
        if info not in _WIDTHS:
            raise DeterministicCborMalformed("a length is indefinite or reserved")
        number = int.from_bytes(self._take(_WIDTHS[info]), "big")
        if _head(0, number)[0] & 31 != info:
            raise DeterministicCborMalformed("a number is not in its shortest form")
        return major, number

    def value(self, depth: int) -> Any:
        major, number = self._read_head()
        if major == _UNSIGNED:
            return number
        if major == _BYTES:
            return self._take(number)
        if major == _TEXT:
            try:
                return self._take(number).decode("utf-8")
            except UnicodeDecodeError:
                raise DeterministicCborMalformed("a text is not UTF-8") from None
        if depth == 0 or number > len(self._data):
            raise DeterministicCborMalformed("nested too deeply, or longer than the data")
        if major == _ARRAY:
            return [self.value(depth - 1) for _ in range(number)]
        if major == _MAP:
            return self._map(number, depth)
        raise DeterministicCborMalformed("expected an unsigned integer, string, array or map")

    def _map(self, number: int, depth: int) -> dict[int, Any]:
        result: dict[int, Any] = {}
        last = -1
        for _ in range(number):
            key_major, key = self._read_head()
            if key_major != _UNSIGNED or key <= last:
                raise DeterministicCborMalformed("map keys are unsigned integers that ascend")
            result[key] = self.value(depth - 1)
            last = key
        return result
