"""RDF Dataset Canonicalization, RDFC-1.0, under a work budget.

Why not the implementation of pyoxigraph: it has no work limit (ten blank nodes that all know each
other keep it busy for hours), and it does not tell which blank node got which canonical label,
which selective disclosure needs. The tests compare both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from wallet.credentials.jsonld.errors import GraphTooComplex, JsonLdMalformed
from wallet.crypto.hashing import HashFunction, sha256

MAX_STATEMENTS: Final = 4096
MAX_BLANK_NODES: Final = 1024
# One unit is one related blank node looked at; real credentials need none, or a few dozen.
MAX_WORK: Final = 20_000
MAX_WALK_DEPTH: Final = 100

_LITERAL: Final = re.compile(
    r'("(?:[^"\\]|\\.)*"(?:\^\^<[^>]*>|@[A-Za-z0-9-]+)?)(?: (<[^>]*>|_:[^ ]+))? \.\n'
)
_BLANK: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*")|<[^>]*>|(_:[A-Za-z0-9_.-]+)')


@dataclass(frozen=True, slots=True)
class CanonicalDataset:
    """The canonical N-Quads, sorted, each with its line end; and the labels that were given.

    `labels` maps the blank nodes of the input to those of the output, both starting with `_:`.
    """

    statements: tuple[str, ...]
    labels: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """Return the serialized canonical form."""
        return "".join(self.statements).encode("utf-8")


def canonicalize(nquads: str, hash_function: HashFunction = sha256) -> CanonicalDataset:
    """Return the canonical form of a dataset (RDFC-1.0 §4).

    `nquads` is canonically escaped N-Quads, one statement a line, any order, duplicates allowed.
    Raises `GraphTooComplex`.
    """
    # Not splitlines: a literal may hold U+0085 or U+2028 as they are.
    lines = {line + "\n" for line in nquads.split("\n") if line}
    if len(lines) > MAX_STATEMENTS:
        raise GraphTooComplex(f"more than {MAX_STATEMENTS} statements")
    if "_:" not in nquads:
        return CanonicalDataset(tuple(sorted(lines)), {})
    run = _Labelling(hash_function)
    plain = [line for line in lines if "_:" not in line or not run.add(line)]
    labels = run.label()
    return CanonicalDataset(tuple(sorted(plain + run.relabelled())), labels)


def relabel(line: str, labels: Mapping[str, str]) -> str:
    """Return an N-Quads line with its blank node labels replaced; labels not named stay."""
    if "_:" not in line:
        return line

    def replace(match: re.Match[str]) -> str:
        blank = match[1]
        return labels.get(blank, blank) if blank else match[0]

    return _BLANK.sub(replace, line)


_Quad = tuple[str, str, str, str]
# The positions in a quad where a blank node may stand, and their letters (§4.7).
_PLACES: Final = ((0, "s"), (2, "o"), (3, "g"))


def split_statement(line: str) -> _Quad:
    """Return subject, predicate, object, and graph name or nothing, of a line of N-Quads.

    Raises `JsonLdMalformed`.
    """
    try:
        subject, predicate, rest = line.split(" ", 2)
        if rest[0] == '"':
            match = _LITERAL.fullmatch(rest)
            if match is not None:
                return subject, predicate, match[1], match[2] or ""
        terms = rest.split(" ")
        if terms[-1] == ".\n" and len(terms) in (2, 3):
            return subject, predicate, terms[0], terms[1] if len(terms) == 3 else ""
    except ValueError:
        pass
    raise JsonLdMalformed("not a statement in N-Quads")


def _join(quad: _Quad, labels: Mapping[str, str], other: str | None = None) -> str:
    """Return the statement with its blank nodes relabelled, those not in `labels` as `other`."""
    subject, predicate, object_, graph = quad
    if subject[0] == "_":
        subject = labels.get(subject, other or subject)
    if object_[0] == "_":
        object_ = labels.get(object_, other or object_)
    if not graph:
        return f"{subject} {predicate} {object_} .\n"
    if graph[0] == "_":
        graph = labels.get(graph, other or graph)
    return f"{subject} {predicate} {object_} {graph} .\n"


class _Issuer:
    """Hands out labels in order (§4.5)."""

    __slots__ = ("issued", "prefix")

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued: dict[str, str] = {} if issued is None else issued

    def issue(self, node: str) -> str:
        label = self.issued.get(node)
        if label is None:
            label = self.issued[node] = f"{self.prefix}{len(self.issued)}"
        return label

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, dict(self.issued))


class _Labelling:
    """One run over one dataset; holds the canonical labels and the work left."""

    def __init__(self, hash_function: HashFunction) -> None:
        self._hash_function = hash_function
        self._work = MAX_WORK
        self._depth = 0
        self._canonical = _Issuer("_:c14n")
        self._all: list[_Quad] = []
        self._quads: dict[str, list[_Quad]] = {}
        self._first_degree: dict[str, str] = {}

    def add(self, line: str) -> bool:
        """Take a statement with blank nodes; False for one that has none after all."""
        quad = split_statement(line)
        blanks = {term for term in (quad[0], quad[2], quad[3]) if term[:2] == "_:"}
        for node in blanks:
            self._quads.setdefault(node, []).append(quad)
        if blanks:
            self._all.append(quad)
        return bool(blanks)

    def relabelled(self) -> list[str]:
        """Return the statements that were taken, under their canonical labels."""
        return [_join(quad, self._canonical.issued) for quad in self._all]

    def _hash(self, text: str) -> str:
        return self._hash_function(text.encode("utf-8")).hex()

    def label(self) -> dict[str, str]:
        """Give every blank node its canonical label (§4.4)."""
        if len(self._quads) > MAX_BLANK_NODES:
            raise GraphTooComplex(f"more than {MAX_BLANK_NODES} blank nodes")
        by_hash: dict[str, list[str]] = {}
        for node in self._quads:
            digest = self._first_degree[node] = self._hash_first_degree(node)
            by_hash.setdefault(digest, []).append(node)
        ordered = sorted(by_hash.items())
        for _, nodes in ordered:
            if len(nodes) == 1:
                self._canonical.issue(nodes[0])
        for _, nodes in ordered:
            if len(nodes) == 1:
                continue
            results = []
            for node in nodes:
                if node not in self._canonical.issued:
                    issuer = _Issuer("_:b")
                    issuer.issue(node)
                    results.append(self._hash_n_degree(node, issuer))
            for _, issuer in sorted(results, key=lambda result: result[0]):
                for node in issuer.issued:
                    self._canonical.issue(node)
        return self._canonical.issued

    def _hash_first_degree(self, node: str) -> str:
        """Hash the statements of a node, itself as `a`, every other blank node as `z` (§4.6)."""
        me = {node: "_:a"}
        return self._hash("".join(sorted(_join(quad, me, "_:z") for quad in self._quads[node])))

    def _hash_related(self, node: str, quad: _Quad, issuer: _Issuer, position: str) -> str:
        """Hash how a related blank node is reached (§4.7)."""
        known = self._canonical.issued.get(node) or issuer.issued.get(node)
        predicate = "" if position == "g" else quad[1]
        return self._hash(position + predicate + (known or self._first_degree[node]))

    def _spend(self, units: int) -> None:
        self._work -= units
        if self._work < 0:
            raise GraphTooComplex("the blank nodes are too alike to be told apart within bounds")

    def _hash_n_degree(self, node: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """Hash a node by its neighbourhood, trying every order of alike neighbours (§4.8)."""
        self._depth += 1
        if self._depth > MAX_WALK_DEPTH:
            raise GraphTooComplex("the chain of like blank nodes is too long")
        related: dict[str, list[str]] = {}
        for quad in self._quads[node]:
            for place, position in _PLACES:
                other = quad[place]
                if other[:2] == "_:" and other != node:
                    self._spend(1)
                    digest = self._hash_related(other, quad, issuer, position)
                    related.setdefault(digest, []).append(other)
        data = ""
        for digest, nodes in sorted(related.items()):
            chosen_path = ""
            chosen_issuer = issuer
            for order in permutations(nodes):
                self._spend(len(order))
                attempt = self._walk(order, issuer.copy(), chosen_path)
                if attempt is not None and (not chosen_path or attempt[0] < chosen_path):
                    chosen_path, chosen_issuer = attempt
            data += digest + chosen_path
            issuer = chosen_issuer
        self._depth -= 1
        return self._hash(data), issuer

    def _walk(
        self, order: tuple[str, ...], issuer: _Issuer, best: str
    ) -> tuple[str, _Issuer] | None:
        """Return the path through the nodes in this order, None once it cannot beat `best`."""
        path = ""
        unvisited = []
        for node in order:
            label = self._canonical.issued.get(node)
            if label is None:
                if node not in issuer.issued:
                    unvisited.append(node)
                label = issuer.issue(node)
            path += label
            if _is_worse(path, best):
                return None
        for node in unvisited:
            digest, found = self._hash_n_degree(node, issuer)
            path += f"{issuer.issue(node)}<{digest}>"
            issuer = found
            if _is_worse(path, best):
                return None
        return path, issuer


def _is_worse(path: str, best: str) -> bool:
    return bool(best) and len(path) >= len(best) and path > best
