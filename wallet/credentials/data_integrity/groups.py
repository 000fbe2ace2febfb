"""The statements of a credential, relabelled and grouped by pointers (ECDSA §3.4.11 f.)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.data_integrity.selection import select
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import UnsupportedError

_NODE: Final = "urn:seoul-wallet:node:"
_NODE_IRI: Final = re.compile(rf'"(?:[^"\\]|\\.)*"|<{_NODE}(\d+)>')

# Canonical labels (`_:c14n0`) -> the labels that are shown instead, all starting with `_:`.
Relabel = Callable[[Sequence[str]], Mapping[str, str]]


class UnsupportedForDisclosure(UnsupportedError):
    """The document has parts that cannot be disclosed one by one: ordered lists, documents."""

    code = "unsupported_for_disclosure"


@dataclass(frozen=True, slots=True)
class Group:
    """The statements that pointers select: their positions among all, and with inner labels."""

    matching: tuple[int, ...]
    inner: str


@dataclass(frozen=True, slots=True)
class Grouped:
    """All statements under shown labels, sorted; the groups; and inner labels -> shown labels."""

    statements: tuple[str, ...]
    labels: Mapping[str, str]
    groups: Mapping[str, Group]


def hmac_labels(key: bytes) -> Relabel:
    """Return the relabelling by HMAC-SHA-256, which hides the canonical order (§3.4.4)."""

    def relabel(canonical: Sequence[str]) -> Mapping[str, str]:
        return {
            label: "_:u" + base64url.encode(hmac.digest(key, label[2:].encode("ascii"), "sha256"))
            for label in canonical
        }

    return relabel


def shuffled_labels(key: bytes) -> Relabel:
    """Return the relabelling by place in the order of HMACs: short, as hiding (BBS §3.3)."""

    def relabel(canonical: Sequence[str]) -> Mapping[str, str]:
        hidden = hmac_labels(key)(canonical)
        ordered = sorted(canonical, key=lambda label: hidden[label])
        return {label: f"_:b{place}" for place, label in enumerate(ordered)}

    return relabel


def group_statements(
    document: JsonObject,
    pointers: Mapping[str, Sequence[str]],
    relabel: Relabel,
    json_ld: Canonicalizer,
) -> Grouped:
    """Return the statements of `document` and which of them each list of pointers selects.

    An empty list selects nothing. Raises `PointerMalformed`, `UnsupportedForDisclosure` and what
    canonicalization raises.
    """
    named = _Namer(json_ld).name(document)
    inner = _inner_statements(named, json_ld)
    canonical = rdfc.canonicalize(inner).labels
    shown = relabel(sorted(canonical.values()))
    labels = {node: shown[label] for node, label in canonical.items()}
    statements = _relabelled(inner, labels)
    position = {statement: index for index, statement in enumerate(statements)}
    groups = {}
    for name, chosen in pointers.items():
        part = _inner_statements(select(named, chosen), json_ld) if chosen else ""
        matching = sorted(position[statement] for statement in _relabelled(part, labels))
        groups[name] = Group(tuple(matching), part)
    return Grouped(statements, labels, groups)


def _relabelled(nquads: str, labels: Mapping[str, str]) -> tuple[str, ...]:
    lines = {line + "\n" for line in nquads.split("\n") if line}
    return tuple(sorted(rdfc.relabel(line, labels) for line in lines))


def _inner_statements(named: JsonObject, json_ld: Canonicalizer) -> str:
    nquads = json_ld.to_nquads(named)
    if "_:" in nquads and rdfc.canonicalize(nquads).labels:
        raise UnsupportedForDisclosure("ordered lists and embedded documents are signed whole")
    return _NODE_IRI.sub(lambda match: f"_:b{match[1]}" if match[1] else match[0], nquads)


class _Namer:
    """Gives every node without an id one of ours, so that parts can be told apart again."""

    def __init__(self, json_ld: Canonicalizer) -> None:
        self._json_terms = json_ld.contexts.json_terms
        self._count = 0

    def name(self, document: JsonObject) -> JsonObject:
        named: JsonObject = self._name(document)
        return named

    def _name(self, value: Any) -> Any:
        if type(value) is list:
            return [self._name(item) for item in value]
        if type(value) is not dict or "@value" in value:
            return value
        result = {
            name: item if name in self._json_terms or name == "@context" else self._name(item)
            for name, item in value.items()
        }
        identifier = result.get("id", result.get("@id"))
        if identifier is None:
            result["@id"] = f"{_NODE}{self._count}"
            self._count += 1
        elif type(identifier) is str and identifier.startswith(_NODE):
            raise UnsupportedForDisclosure("an id is of the kind that is given here")
        return result
