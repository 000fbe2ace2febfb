"""Contexts that stand in the document itself, beside the pinned ones (VC Data Model 2.0 §4.3).

A signature covers what terms mean, not how they are spelled: whoever reads members by name must
know the contexts (Data Integrity §4.6). So what decides takes pinned contexts only, and this
canonicalizer is for those who ask whether a proof is good, and nothing more.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final

from wallet.credentials.jsonld.context_set import ContextSet
from wallet.credentials.jsonld.errors import JsonLdMalformed, UnsupportedContext
from wallet.credentials.jsonld.processor import JsonLd
from wallet.credentials.jsonld.rdfc import CanonicalDataset
from wallet.crypto.hashing import HashFunction, sha256
from wallet.encoding import jcs
from wallet.encoding.json import MAX_JSON_DEPTH, JsonObject

MAX_INLINE_CONTEXTS: Final = 16
MAX_INLINE_CONTEXT_BYTES: Final = 16 * 1024
MAX_KEPT_SETS: Final = 64
# What an inline context is called by, with the digest of its canonical JSON.
INLINE: Final = "urn:seoul-wallet:inline-context:"
_ANY: Final = "urn:seoul-wallet:any"
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20<>\"{}|\\^`\x7f]*\Z")
_KEYWORDS: Final = frozenset(("@protected", "@version", "@vocab"))
_TERM_MEMBERS: Final = frozenset(("@id", "@protected", "@type"))


class InlineJsonLd:
    """A canonicalizer (`Canonicalizer`) that takes simple contexts given inline as well.

    Such a context says what terms mean, and nothing else: no aliases, containers, JSON literals,
    imports or scoped contexts. Each document is read under the pinned contexts and its own, so
    none has an effect on another. Opens no file and no socket; thread-safe.
    """

    def __init__(self, contexts: ContextSet) -> None:
        self._pinned = JsonLd(contexts)
        self._lock = threading.Lock()
        self._by_inline: dict[frozenset[str], JsonLd] = {}

    @property
    def contexts(self) -> ContextSet:
        """The pinned contexts."""
        return self._pinned.contexts

    def check_contexts(self, value: object) -> None:
        """See `Canonicalizer.check_contexts`; what is inline redefines no protected term."""
        found: dict[str, bytes] = {}
        named = self._named(value, found)
        known = self._canonicalizer(found)
        known.check_contexts(named)
        if found:
            known.to_nquads({"@context": named, "@id": _ANY, "@type": _ANY})

    def to_nquads(self, document: JsonObject) -> str:
        """See `JsonLd.to_nquads`."""
        named, found = self._with_names(document)
        return self._canonicalizer(found).to_nquads(named)

    def canonicalize(
        self, document: JsonObject, hash_function: HashFunction = sha256
    ) -> CanonicalDataset:
        """See `JsonLd.canonicalize`."""
        named, found = self._with_names(document)
        return self._canonicalizer(found).canonicalize(named, hash_function)

    def _with_names(self, document: JsonObject) -> tuple[JsonObject, dict[str, bytes]]:
        """Return the document with its inline contexts named, and these by name."""
        found: dict[str, bytes] = {}
        named = self._walk(document, found, 0)
        return (named, found) if found else (document, found)

    def _walk(self, value: Any, found: dict[str, bytes], depth: int) -> Any:
        if depth > MAX_JSON_DEPTH:
            raise JsonLdMalformed(f"the document is nested deeper than {MAX_JSON_DEPTH}")
        if type(value) is list:
            return [self._walk(item, found, depth + 1) for item in value]
        if type(value) is not dict:
            return value
        named = {}
        for name, item in value.items():
            if name == "@context":
                named[name] = self._named(item, found)
            elif name in self.contexts.json_terms:
                named[name] = item
            else:
                named[name] = self._walk(item, found, depth + 1)
        return named

    def _named(self, value: object, found: dict[str, bytes]) -> object:
        """Return a `@context` with URLs for what is inline. Raises `UnsupportedContext`."""
        if type(value) is not list:
            return self._named([value], found) if type(value) is dict else value
        named = []
        for item in value:
            if type(item) is str and item.startswith(INLINE):
                raise UnsupportedContext("a context is not among those pinned here")
            named.append(self._name(item, found) if type(item) is dict else item)
        if len(found) > MAX_INLINE_CONTEXTS:
            raise UnsupportedContext(f"more than {MAX_INLINE_CONTEXTS} inline contexts")
        return named

    def _name(self, context: JsonObject, found: dict[str, bytes]) -> str:
        for name, value in context.items():
            if not (_is_setting(name, value) if name.startswith("@") else _is_definition(value)):
                raise UnsupportedContext(
                    "an inline context says what terms mean, and nothing else"
                )
        if self.contexts.gives_second_name(context):
            raise UnsupportedContext("an inline context names anew what has a name already")
        data = jcs.canonicalize({"@context": context})
        if len(data) > MAX_INLINE_CONTEXT_BYTES:
            raise UnsupportedContext(f"a context of more than {MAX_INLINE_CONTEXT_BYTES} bytes")
        url = INLINE + sha256(data).hex()
        found[url] = data
        return url

    def _canonicalizer(self, found: dict[str, bytes]) -> JsonLd:
        if not found:
            return self._pinned
        key = frozenset(found)
        known = self._by_inline.get(key)
        if known is not None:
            return known
        try:
            made = JsonLd(self.contexts.extended(found))
        except ValueError:
            raise UnsupportedContext("an inline context defines what it cannot") from None
        with self._lock:
            if len(self._by_inline) >= MAX_KEPT_SETS:
                self._by_inline.pop(next(iter(self._by_inline)))
            self._by_inline[key] = made
        return made


def _is_setting(name: str, value: object) -> bool:
    return name in _KEYWORDS and (name != "@vocab" or _is_iri(value))


def _is_definition(value: object) -> bool:
    if type(value) is not dict:
        return _is_iri(value)
    if not value.keys() <= _TERM_MEMBERS or not _is_iri(value.get("@id")):
        return False
    return "@type" not in value or value["@type"] == "@id" or _is_iri(value["@type"])


def _is_iri(value: object) -> bool:
    """Return whether a value is an absolute or compact IRI, and no keyword or relative one."""
    return type(value) is str and _IRI.match(value) is not None
