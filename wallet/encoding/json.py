"""Strict JSON (RFC 8259, I-JSON of RFC 7493): UTF-8, unique member names, finite numbers."""

import json as _json
import re
from typing import Any, Final, NoReturn, TypeAlias

import orjson

from wallet.errors import MalformedError

MAX_JSON_BYTES: Final = 1024 * 1024
MAX_JSON_DEPTH: Final = 100

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1
_MAX_DIGITS: Final = 20
_LONG_NUMBER: Final = re.compile(rb"[0-9]{19}")

JsonObject: TypeAlias = dict[str, Any]


class JsonMalformed(MalformedError):
    """Not JSON as RFC 7493 wants it, too large or nested too deeply."""

    code = "json_malformed"


class _DuplicateName(ValueError):
    pass


def _bounded(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or not _MIN_INTEGER <= int(digits) <= _MAX_INTEGER:
        raise ValueError(digits[:_MAX_DIGITS])
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateName
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _is_deeper(value: Any, levels: int) -> bool:
    if type(value) is dict:
        return levels == 0 or any(_is_deeper(item, levels - 1) for item in value.values())
    if type(value) is list:
        return levels == 0 or any(_is_deeper(item, levels - 1) for item in value)
    return False


def parse_json(data: bytes, *, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Return the JSON value in `data` (UTF-8 without a byte order mark).

    Refuses duplicate member names, NaN and Infinity, integers beyond 64 bits, lone surrogates and
    nesting beyond `MAX_JSON_DEPTH`. Raises `JsonMalformed`.
    """
    if len(data) > max_bytes:
        raise JsonMalformed(f"JSON is longer than {max_bytes} bytes")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise JsonMalformed("not valid JSON in UTF-8") from None
    if (
        len(data) > MAX_JSON_DEPTH
        and data.count(b"{") + data.count(b"[") > MAX_JSON_DEPTH
        and _is_deeper(value, MAX_JSON_DEPTH)
    ):
        raise JsonMalformed(f"JSON is nested deeper than {MAX_JSON_DEPTH}")
    # orjson keeps the last of two equal names and rounds integers beyond 64 bits. What it writes
    # back byte for byte lost nothing; otherwise a parser looks that watches for both.
    if orjson.dumps(value) == data:
        return value
    # Without escapes every quotation mark delimits a string: a dropped member shows as missing
    # marks.
    if (
        b"\\" in data
        or data.count(b'"') != orjson.dumps(value).count(b'"')
        or _LONG_NUMBER.search(data)
    ):
        _watch(data)
    return value


def _watch(data: bytes) -> None:
    try:
        _json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_bounded,
        )
    except _DuplicateName:
        raise JsonMalformed("a member name occurs twice") from None
    except (ValueError, RecursionError):
        raise JsonMalformed("not valid JSON, or an integer beyond 64 bits") from None


def parse_json_object(data: bytes, *, max_bytes: int = MAX_JSON_BYTES) -> JsonObject:
    """Return the JSON object in `data`. Raises `JsonMalformed`, also for any other JSON value."""
    value = parse_json(data, max_bytes=max_bytes)
    if type(value) is not dict:
        raise JsonMalformed("expected a JSON object")
    return value


def to_json(value: Any) -> bytes:
    """Return `value` as compact UTF-8 JSON, member order kept."""
    return orjson.dumps(value)
