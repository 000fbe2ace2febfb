"""Disclosures of SD-JWT (RFC 9901 §4.2): made by issuers, put back in place by everyone else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from wallet.crypto.hashing import HashFunction, hash_named
from wallet.encoding import base64url
from wallet.encoding.json import MAX_JSON_DEPTH, JsonObject, parse_json, to_json
from wallet.errors import MalformedError

MAX_DISCLOSURES: Final = 500
SALT_BYTES: Final = 16
_RESERVED_NAMES: Final = frozenset(("_sd", "..."))
_ONLY_STRINGS: Final = frozenset((str,))
ClaimPath = tuple[str | int, ...]


class DisclosureMalformed(MalformedError):
    """A disclosure, or a digest that should refer to one, breaks the rules of RFC 9901 §7.1."""

    code = "disclosure_malformed"


class Disclosure(NamedTuple):
    """One disclosure: as it travels, ASCII, which is what its digest covers, and what it says.

    `name` is None for an array element (§4.2.2).
    """

    encoded: bytes
    name: str | None
    value: Any


def parse_disclosure(encoded: bytes) -> Disclosure:
    """Return the disclosure of its base64url text. Raises `DisclosureMalformed` and kin."""
    content = parse_json(base64url.decode(encoded))
    if type(content) is not list or not 2 <= len(content) <= 3 or type(content[0]) is not str:
        raise DisclosureMalformed("a disclosure is [salt, name, value] or [salt, value]")
    if len(content) == 2:
        return Disclosure(encoded, None, content[1])
    _, name, value = content
    if type(name) is not str or name in _RESERVED_NAMES:
        raise DisclosureMalformed("a disclosed claim has a name that is not reserved")
    return Disclosure(encoded, name, value)


class ProcessedClaims(NamedTuple):
    """Claims with the disclosures put in place, and where each disclosure went.

    `paths[i]` is the place of `disclosures[i]`; `parents[i]` the index of the disclosure that
    contains its digest, or None when the digest is in the signed claims.
    """

    claims: JsonObject
    paths: tuple[ClaimPath, ...]
    parents: tuple[int | None, ...]


def process_disclosures(
    signed_claims: JsonObject, disclosures: Sequence[Disclosure]
) -> ProcessedClaims:
    """Put `disclosures` into `signed_claims` (RFC 9901 §7.1 steps 3 to 5).

    Every disclosure must be referred to exactly once, recursively; digests without a disclosure
    (withheld or decoy) vanish. Raises `DisclosureMalformed`, `UnsupportedHash`.
    """
    if len(disclosures) > MAX_DISCLOSURES:
        raise DisclosureMalformed(f"more than {MAX_DISCLOSURES} disclosures")
    hash_function = hash_named(signed_claims.get("_sd_alg", "sha-256"))
    by_digest = {
        base64url.encode(hash_function(item.encoded)): index
        for index, item in enumerate(disclosures)
    }
    if len(by_digest) != len(disclosures):
        raise DisclosureMalformed("a disclosure occurs twice")
    placer = _Placer(disclosures, by_digest)
    claims = placer.place_object(signed_claims, (), None)
    if len(set(placer.met)) != len(placer.met):
        raise DisclosureMalformed("a digest occurs twice")
    if () in placer.paths:
        raise DisclosureMalformed("a disclosure is not referred to by any digest")
    return ProcessedClaims(claims, tuple(placer.paths), tuple(placer.parents))


class _Placer:
    """One walk over the claims; holds which digests were met and where disclosures went.

    What holds no digest is handed on as it is, without a copy. The empty path is the top level,
    where no disclosure goes: in `paths` it stands for one that was not met.
    """

    __slots__ = ("_by_digest", "_disclosures", "met", "parents", "paths")

    def __init__(self, disclosures: Sequence[Disclosure], by_digest: Mapping[str, int]) -> None:
        self._disclosures = disclosures
        self._by_digest = by_digest
        self.met: list[str] = []
        self.paths: list[ClaimPath] = [()] * len(disclosures)
        self.parents: list[int | None] = [None] * len(disclosures)

    def place_object(self, value: JsonObject, path: ClaimPath, parent: int | None) -> JsonObject:
        if len(path) > MAX_JSON_DEPTH:
            raise DisclosureMalformed("the claims are nested too deeply")
        result = value
        if "_sd" in value or "_sd_alg" in value:
            if path and "_sd_alg" in value:
                raise DisclosureMalformed("_sd_alg belongs to the top level")
            result = value.copy()
            result.pop("_sd", None)
            result.pop("_sd_alg", None)
        # Deeper down, looking ahead would look at everything again on every level.
        if path or _may_hold_digests(result):
            result = self._place_members(value, result, path, parent)
        if "_sd" in value:
            self._disclose(value["_sd"], result, path, parent)
        return result

    def _place_members(
        self, value: JsonObject, result: JsonObject, path: ClaimPath, parent: int | None
    ) -> JsonObject:
        if "..." in value:
            raise DisclosureMalformed("the name ... is reserved for array elements")
        for name, item in value.items():
            kind = type(item)
            if (kind is dict or kind is list) and name != "_sd":
                placed = self._place(item, (*path, name), parent)
                if placed is not item:
                    result = value.copy() if result is value else result
                    result[name] = placed
        return result

    def _disclose(
        self, digests: object, into: JsonObject, path: ClaimPath, parent: int | None
    ) -> None:
        by_digest = self._by_digest
        for digest in self._checked(digests):
            index = by_digest.get(digest)
            if index is None:
                continue
            _, name, value = self._disclosures[index]
            if name is None or name in into or (name == "_sd_alg" and not path):
                raise DisclosureMalformed("a disclosed claim takes the place of another")
            here = (*path, name)
            self.paths[index] = here
            self.parents[index] = parent
            kind = type(value)
            nested = kind is dict or kind is list
            into[name] = self._place(value, here, index) if nested else value

    def _checked(self, digests: object) -> list[str]:
        if type(digests) is not list:
            raise DisclosureMalformed("_sd is a list")
        if not _ONLY_STRINGS.issuperset(map(type, digests)):
            raise DisclosureMalformed("a digest is a string")
        self.met += digests
        return digests

    def _place(self, value: Any, path: ClaimPath, parent: int | None) -> Any:
        if type(value) is dict:
            return self.place_object(value, path, parent)
        if type(value) is list:
            return self._place_list(value, path, parent)
        return value

    def _place_list(self, value: list[Any], path: ClaimPath, parent: int | None) -> list[Any]:
        if len(path) > MAX_JSON_DEPTH:
            raise DisclosureMalformed("the claims are nested too deeply")
        result: list[Any] = []
        for item in value:
            if type(item) is not dict or "..." not in item:
                result.append(self._place(item, (*path, len(result)), parent))
                continue
            if len(item) != 1:
                raise DisclosureMalformed("an array digest stands alone in its object")
            (digest,) = self._checked([item["..."]])
            index = self._by_digest.get(digest)
            if index is None:
                continue
            disclosure = self._disclosures[index]
            if disclosure.name is not None:
                raise DisclosureMalformed("an array element has no claim name")
            here = (*path, len(result))
            self.paths[index] = here
            self.parents[index] = parent
            result.append(self._place(disclosure.value, here, index))
        return result


def _may_hold_digests(claims: JsonObject) -> bool:
    """Tell whether a member `_sd`, `_sd_alg` or `...` may be anywhere in `claims`.

    Most claims hold none below the top level, and JSON is written and searched much faster than
    it is walked. Written by us, these names have no escapes.
    """
    text = to_json(claims)
    # `in` takes three times as long: it tries the name as a number first, and fails.
    return text.find(b'"_sd') >= 0 or text.find(b'"..."') >= 0


@dataclass(frozen=True, slots=True)
class DisclosableClaims:
    """What an issuer signs, and the disclosures that go with it."""

    signed_claims: JsonObject
    disclosures: tuple[str, ...]


def make_disclosable(
    claims: Mapping[str, Any],
    paths: Iterable[ClaimPath],
    *,
    decoys: int = 0,
    hash_name: str = "sha-256",
) -> DisclosableClaims:
    """Make the claims at `paths` selectively disclosable (RFC 9901 §4.2).

    A path ends at an object member or an array element; a path below another one makes nested
    disclosures (§4.2.6). `decoys` digests without a disclosure are added at the top level.
    Raises `KeyError` when a path does not exist: that is the caller's mistake.
    """
    return _make_disclosable(
        claims, paths, decoys, hash_name, lambda: secrets.token_bytes(SALT_BYTES)
    )


def _make_disclosable(
    claims: Mapping[str, Any],
    paths: Iterable[ClaimPath],
    decoys: int,
    hash_name: str,
    salt: Callable[[], bytes],
) -> DisclosableClaims:
    hash_function = hash_named(hash_name)
    disclosures: list[str] = []
    wanted = frozenset(paths)

    def digest(content: list[Any]) -> str:
        encoded = base64url.encode(to_json(content))
        disclosures.append(encoded)
        return _digest(hash_function, encoded)

    def build(value: Any, path: ClaimPath) -> Any:
        if isinstance(value, Mapping):
            kept: JsonObject = {}
            hidden: list[str] = []
            for name, item in value.items():
                here = (*path, name)
                built = build(item, here)
                found.add(here)
                if here in wanted:
                    hidden.append(digest([base64url.encode(salt()), name, built]))
                else:
                    kept[name] = built
            if not path:
                hidden += [_digest(hash_function, base64url.encode(salt())) for _ in range(decoys)]
            # Sorted digests do not tell the order of the claims (§4.2.4.1).
            return {**kept, "_sd": sorted(hidden)} if hidden else kept
        if isinstance(value, list):
            built_list = []
            for position, item in enumerate(value):
                here = (*path, position)
                built = build(item, here)
                found.add(here)
                built_list.append(
                    {"...": digest([base64url.encode(salt()), built])} if here in wanted else built
                )
            return built_list
        return value

    found: set[ClaimPath] = set()
    signed = build(claims, ())
    if missing := wanted - found:
        raise KeyError(f"no claim at {sorted(map(str, missing))}")
    return DisclosableClaims({**signed, "_sd_alg": hash_name}, tuple(disclosures))


def _digest(hash_function: HashFunction, encoded: str) -> str:
    return base64url.encode(hash_function(encoded.encode("ascii")))
