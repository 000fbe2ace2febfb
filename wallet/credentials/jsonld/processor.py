"""JSON-LD documents to canonical N-Quads, by pyoxigraph, with the contexts pruned by shape.

Parsing a whole context costs several times what the document costs. The definitions that a
document can reach follow from its shape, so the cut contexts are kept by shape. The first document
of each shape is also processed with the whole contexts, and the shape is kept only if both agree.
Documents that differ only in plain values are not even parsed again (`templates`).
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final, Protocol

import orjson
import pyoxigraph

from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.context_set import UNDEFINED, ContextSet, ContextUrls
from wallet.credentials.jsonld.errors import GraphTooComplex, JsonLdMalformed, StatementsLost
from wallet.credentials.jsonld.rdfc import CanonicalDataset
from wallet.credentials.jsonld.reading import DocumentReading, Shape
from wallet.credentials.jsonld.templates import Templates
from wallet.crypto.hashing import HashFunction, sha256
from wallet.encoding.json import JsonObject

# The document with its contexts in place.
MAX_INLINED_BYTES: Final = 1024 * 1024
MAX_SHAPES: Final = 512
# Larger documents are processed every time, so that what is kept stays small.
MAX_KEPT_STATEMENTS: Final = 256
# What a relative reference is resolved against. It is looked for in every result, and refused.
RELATIVE: Final = "https://relative.invalid/"
# What stands in the place of JSON, which the parser must not look into: where a term for JSON is
# met out of its scope it would read it as linked data, unseen by `reading`.
_JSON: Final = "urn:seoul-wallet:json:"
_JSON_PLACE: Final = re.compile(
    rf'"\\"{_JSON}([0-9]+)\\""(?=\^\^<http://www\.w3\.org/1999/02/22-rdf-syntax-ns#JSON>)'
)

_Fragments = dict[ContextUrls, orjson.Fragment]
_Key = tuple[Shape, frozenset[str]]


class Canonicalizer(Protocol):
    """Turns JSON-LD documents into canonical N-Quads."""

    @property
    def contexts(self) -> ContextSet:
        """The contexts that documents may name."""

    def check_contexts(self, value: object) -> None:
        """Refuse a `@context` that documents may not have. Raises `UnsupportedContext`."""

    def to_nquads(self, document: JsonObject) -> str:
        """Return the statements of a document as N-Quads, refusing what would be lost."""

    def canonicalize(
        self, document: JsonObject, hash_function: HashFunction = sha256
    ) -> CanonicalDataset:
        """Return the canonical form of a document."""


class JsonLd:
    """A canonicalizer over a set of pinned contexts. Opens no file and no socket; thread-safe.

    Arrays are sets: their order is not signed, and one that repeats itself is refused.
    """

    def __init__(self, contexts: ContextSet) -> None:
        self._contexts = contexts
        self._lock = threading.Lock()
        self._by_shape: dict[_Key, _Fragments] = {}
        self._templates = Templates(contexts.terms)

    @property
    def contexts(self) -> ContextSet:
        return self._contexts

    def check_contexts(self, value: object) -> None:
        """See `Canonicalizer.check_contexts`: contexts are pinned ones, by URL."""
        self._contexts.urls(value)

    def to_nquads(self, document: JsonObject) -> str:
        """Return the statements of `document` as N-Quads, in no particular order.

        Raises `JsonLdMalformed`, `UnsupportedContext`, `StatementsLost`, `GraphTooComplex`.
        """
        known = self._templates.render(document)
        # Where a value is like one of the marks, the whole way tells.
        if known is not None and UNDEFINED not in known and RELATIVE not in known:
            return known
        nquads = self._whole(document)
        self._templates.learn(document, nquads, self._whole)
        return nquads

    def _whole(self, document: JsonObject) -> str:
        """Return the statements without templates."""
        reading = DocumentReading(document, self._contexts)
        key = (reading.shape, reading.used)
        fragments = self._by_shape.get(key)
        if fragments is not None:
            return self._parse(document, reading, fragments)
        contexts = self._contexts
        whole = {urls: contexts.full(urls, reading.joint.get(urls)) for urls in reading.contexts}
        nquads = self._parse(document, reading, _to_fragments(whole))
        pruned = _to_fragments(contexts.pruned(whole, reading.used))
        small = reading.statements <= MAX_KEPT_STATEMENTS
        if small and self._agrees(nquads, document, reading, pruned):
            self._keep(key, pruned)
        return nquads

    def canonicalize(
        self, document: JsonObject, hash_function: HashFunction = sha256
    ) -> CanonicalDataset:
        """Return the canonical form of `document`. Raises what `to_nquads` raises."""
        return rdfc.canonicalize(self.to_nquads(document), hash_function)

    def _parse(self, document: JsonObject, reading: DocumentReading, fragments: _Fragments) -> str:
        """Return the statements, if they are as many as were counted and all are defined."""
        data = self._inline(document, reading, fragments)
        texts = [_escaped(text) for text in reading.json_texts]
        try:
            quads = pyoxigraph.parse(
                input=data, format=pyoxigraph.RdfFormat.JSON_LD, base_iri=RELATIVE
            )
            serialized = pyoxigraph.serialize(quads, format=pyoxigraph.RdfFormat.N_QUADS) or b""
        except (SyntaxError, ValueError):
            raise JsonLdMalformed("the document is not valid JSON-LD") from None
        nquads, found = _JSON_PLACE.subn(
            lambda place: f'"{texts[int(place[1])]}"', serialized.decode("utf-8")
        )
        if UNDEFINED in nquads:
            raise StatementsLost("a term or type is not defined by the contexts")
        if RELATIVE in nquads:
            raise StatementsLost("a reference is relative")
        if nquads.count("\n") != reading.statements or found != len(texts):
            raise StatementsLost("a member has no RDF form")
        return nquads

    def _agrees(
        self,
        nquads: str,
        document: JsonObject,
        reading: DocumentReading,
        pruned: _Fragments,
    ) -> bool:
        try:
            other = self._parse(document, reading, pruned)
        except (JsonLdMalformed, StatementsLost):
            return False
        return rdfc.canonicalize(nquads).statements == rdfc.canonicalize(other).statements

    def _inline(
        self, document: JsonObject, reading: DocumentReading, fragments: _Fragments
    ) -> bytes:
        """Return the document as JSON with its contexts in the place of their URLs."""
        plain = not reading.joint and not reading.json_texts
        if plain and len(reading.contexts) == 1 and "@context" in document:
            (fragment,) = fragments.values()
            inlined: Any = {**document, "@context": fragment}
        else:
            inlined = self._rewritten(document, reading, fragments)
        try:
            data = orjson.dumps(inlined)
        except TypeError:
            raise JsonLdMalformed("the document is not JSON") from None
        if len(data) > MAX_INLINED_BYTES:
            raise GraphTooComplex(f"with its contexts longer than {MAX_INLINED_BYTES} bytes")
        return data

    def _rewritten(self, value: Any, reading: DocumentReading, fragments: _Fragments) -> Any:
        if type(value) is list:
            return [self._rewritten(item, reading, fragments) for item in value]
        if type(value) is not dict:
            return value
        result: JsonObject = {}
        types = reading.retyped.get(id(value))
        for name, item in value.items():
            if name == "@context":
                result[name] = fragments[self._contexts.urls(item)]
            elif name in self._contexts.json_terms:
                result[name] = f"{_JSON}{reading.json_places[id(value), name]}"
            elif types is not None and name in ("type", "@type"):
                result[name] = types
            else:
                result[name] = self._rewritten(item, reading, fragments)
        return result

    def _keep(self, key: _Key, fragments: _Fragments) -> None:
        with self._lock:
            if len(self._by_shape) >= MAX_SHAPES:
                self._by_shape.pop(next(iter(self._by_shape)))
            self._by_shape[key] = fragments


def _escaped(json_text: str) -> str:
    """Return canonical JSON as it stands in N-Quads; it has no other control character."""
    escaped = json_text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\x7f", "\\u007F")


def _to_fragments(contexts: dict[ContextUrls, list[Any]]) -> _Fragments:
    return {urls: orjson.Fragment(orjson.dumps(context)) for urls, context in contexts.items()}
