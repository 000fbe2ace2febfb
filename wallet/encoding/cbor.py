"""Strict CBOR (RFC 8949): definite lengths, unique keys, no tags, one item alone."""

from __future__ import annotations

import io
from typing import Any, Final

import cbor2

from wallet.errors import MalformedError

MAX_CBOR_BYTES: Final = 12 * 1024 * 1024
MAX_CBOR_DEPTH: Final = 16
# Every tag for which the library would build a value of its own; others stay visible as tags.
_BUILT_IN_TAGS: Final = (
    0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000,
    55799,
)  # fmt: skip
_PLAIN: Final = (int, bytes, str, bool, float, type(None))


class CborMalformed(MalformedError):
    """Not one CBOR item of plain types, or too large or nested too deeply."""

    code = "cbor_malformed"


def _refuse_tag(value: Any, immutable: bool) -> Any:
    raise ValueError("a tag")


_SEMANTIC_DECODERS: Final = dict.fromkeys(_BUILT_IN_TAGS, _refuse_tag)


def parse_cbor(data: bytes, *, max_bytes: int = MAX_CBOR_BYTES) -> Any:
    """Return the one CBOR item in `data`: dict, list, int, bytes, str, bool, float or None.

    Refuses indefinite lengths, duplicate keys, tags, keys that are not int, str or bytes, nesting
    beyond `MAX_CBOR_DEPTH` and bytes behind the item. Does not ask for the shortest form of
    numbers. Raises `CborMalformed`.
    """
    if len(data) > max_bytes:
        raise CborMalformed(f"CBOR is longer than {max_bytes} bytes")
    stream = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(
        stream,
        semantic_decoders=_SEMANTIC_DECODERS,
        max_depth=MAX_CBOR_DEPTH,
        allow_indefinite=False,
        allow_duplicate_keys=False,
        read_size=1,
    )
    try:
        value = decoder.decode()
    except (cbor2.CBORError, ValueError, OverflowError, MemoryError):
        raise CborMalformed("not one CBOR item of plain types") from None
    if stream.tell() != len(data):
        raise CborMalformed("bytes follow the CBOR item")
    _require_plain(value)
    return value


def _require_plain(value: Any) -> None:
    if type(value) is dict:
        for name, item in value.items():
            if type(name) not in (int, str, bytes):
                raise CborMalformed("a key of a CBOR map is a number or a string")
            _require_plain(item)
    elif type(value) is list:
        for item in value:
            _require_plain(item)
    elif type(value) not in _PLAIN:
        raise CborMalformed("tags and simple values are not accepted here")


def to_cbor(value: Any) -> bytes:
    """Return `value` in the deterministic encoding of RFC 8949 §4.2.1."""
    return cbor2.dumps(value, canonical=True)
