"""JSON pointers (RFC 6901) and the part of a credential that they select (ECDSA §3.4)."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, Final

from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

MAX_POINTERS: Final = 256
MAX_POINTER_CHARACTERS: Final = 1024
_INDEX: Final = re.compile(r"(?:0|[1-9][0-9]{0,5})\Z")
_NAMES: Final = ("@id", "id", "@type", "type")


class PointerMalformed(MalformedError):
    """Not a JSON pointer, or one that points at nothing in the document."""

    code = "pointer_malformed"


def parse_pointer(pointer: object) -> tuple[str, ...]:
    """Return the reference tokens of a JSON pointer. Raises `PointerMalformed`."""
    if type(pointer) is not str or len(pointer) > MAX_POINTER_CHARACTERS:
        raise PointerMalformed("a pointer is a string of limited length")
    if pointer == "":
        return ()
    if not pointer.startswith("/") or re.search(r"~(?![01])", pointer):
        raise PointerMalformed("a pointer starts with / and escapes ~")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def select(document: JsonObject, pointers: Sequence[str]) -> JsonObject:
    """Return the part of `document` at `pointers`, with contexts, ids and types on the way.

    Positions in lists are closed up. Raises `PointerMalformed`.
    """
    if not 0 < len(pointers) <= MAX_POINTERS:
        raise PointerMalformed(f"select with 1 to {MAX_POINTERS} pointers")
    chosen: JsonObject = _outline(document)
    for pointer in pointers:
        _take(document, chosen, parse_pointer(pointer))
    if "@context" in document:
        chosen = {"@context": document["@context"], **chosen}
    closed: JsonObject = _close_up(chosen)
    return closed


class _Sparse(dict[int, Any]):
    """A list with only some of its positions."""


def _outline(value: Any) -> Any:
    if isinstance(value, list):
        return _Sparse()
    if isinstance(value, dict):
        return {name: copy.deepcopy(value[name]) for name in _NAMES if name in value}
    return value


def _take(value: Any, chosen: Any, tokens: tuple[str, ...]) -> None:
    if not tokens:
        _take_all(value, chosen)
        return
    key, item = _step(value, tokens[0])
    if len(tokens) == 1:
        chosen[key] = copy.deepcopy(item)
        return
    if key not in chosen or not isinstance(chosen[key], (dict, list)):
        chosen[key] = _outline(item)
    _take(item, chosen[key], tokens[1:])


def _take_all(value: Any, chosen: Any) -> None:
    chosen.update(copy.deepcopy(value) if isinstance(value, dict) else dict(enumerate(value)))


def _step(value: Any, token: str) -> tuple[str | int, Any]:
    if isinstance(value, list):
        if not _INDEX.match(token) or int(token) >= len(value):
            raise PointerMalformed("a pointer points behind the end of a list")
        return int(token), value[int(token)]
    if not isinstance(value, dict) or token not in value:
        raise PointerMalformed("a pointer points at nothing")
    return token, value[token]


def _close_up(value: Any) -> Any:
    if isinstance(value, _Sparse):
        return [_close_up(value[position]) for position in sorted(value)]
    if isinstance(value, dict):
        return {name: _close_up(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_close_up(item) for item in value]
    return value
