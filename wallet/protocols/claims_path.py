"""Claims path pointers: which claims of a credential a path selects (OpenID4VP 1.0 §7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import ClaimPattern
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

MAX_PATH_PARTS: Final = 32
MAX_PATH_CHARACTERS: Final = 256
MAX_INDEX: Final = 9999


class ClaimsPathMalformed(MalformedError):
    """Not a claims path pointer: a non-empty list of strings, whole numbers and nulls."""

    code = "claims_path_malformed"


def parse_claims_path(value: object) -> ClaimPattern:
    """Return the pointer of its JSON form. Raises `ClaimsPathMalformed`."""
    if type(value) is not list or not 0 < len(value) <= MAX_PATH_PARTS:
        raise ClaimsPathMalformed(f"a path is a list of 1 to {MAX_PATH_PARTS} parts")
    for part in value:
        if part is None or (type(part) is str and len(part) <= MAX_PATH_CHARACTERS):
            continue
        if type(part) is not int or not 0 <= part <= MAX_INDEX:
            raise ClaimsPathMalformed("a path part is a string, a list index or null")
    if type(value[0]) is not str:
        raise ClaimsPathMalformed("a path begins with the name of a claim")
    return tuple(value)


def select_claims(
    claims: JsonObject, pattern: ClaimPattern, *, withheld: bool = False
) -> tuple[tuple[ClaimPath, Any], ...]:
    """Return the place and value of every claim that `pattern` selects (§7.1); none, if it fails.

    With `withheld` the claims are what a holder disclosed: elements of a list may be missing, so
    an index also stands for every place before it.
    """
    found: list[tuple[ClaimPath, Any]] = [((), claims)]
    for part in pattern:
        step: list[tuple[ClaimPath, Any]] = []
        for path, value in found:
            if type(part) is str:
                if type(value) is not dict:
                    return ()
                if part in value:
                    step.append(((*path, part), value[part]))
                continue
            if type(value) is not list:
                return ()
            step.extend(((*path, at), value[at]) for at in _places(part, len(value), withheld))
        found = step
    return tuple(found)


def _places(part: object, size: int, withheld: bool) -> range:
    if type(part) is not int:
        return range(size)
    if withheld:
        return range(min(part + 1, size))
    return range(part, min(part + 1, size))


def pick_claims(claims: JsonObject, paths: Iterable[ClaimPath]) -> JsonObject:
    """Return a copy of `claims` with only what is at `paths` and below; lists close their gaps."""
    tree: dict[Any, Any] = {}
    for path in sorted(paths, key=len):
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
            if node is _ALL:
                break
        else:
            node[path[-1]] = _ALL
    picked: JsonObject = _pick(claims, tree)
    return picked


# Stands in the tree for a claim that is wanted with everything below it; never written to.
_ALL: Final[dict[Any, Any]] = {}


def _pick(value: Any, tree: dict[Any, Any]) -> Any:
    if tree is _ALL:
        return value
    if type(value) is list:
        return [_pick(value[at], tree[at]) for at in sorted(tree)]
    return {name: _pick(value[name], below) for name, below in tree.items()}
