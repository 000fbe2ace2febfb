"""Pinned JSON-LD contexts: which there are, what they define, and how they are cut to size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wallet.credentials.jsonld.errors import JsonLdMalformed, UnsupportedContext
from wallet.encoding.json import JsonObject, parse_json_object

MAX_CONTEXTS: Final = 16
# A prefix may itself be written with one.
_MAX_PREFIXES: Final = 8
# What an undefined term becomes. It is looked for in every result, and refused.
UNDEFINED: Final = "urn:seoul-wallet:undefined#"
_SENTINEL: Final = {"@vocab": UNDEFINED}
_ALIASES: Final = frozenset(("@id", "@type"))
_CONTAINERS: Final = frozenset(("@set", "@list", "@graph"))
_NOT_SUPPORTED: Final = frozenset(
    ("@base", "@direction", "@index", "@language", "@nest", "@reverse")
)

Context = list[Any]
ContextUrls = tuple[str, ...]


class ContextSet:
    """The only contexts that documents may name, by URL, with their bytes.

    Whoever adds a context vouches for it: a context with `@vocab` defines every word there is.
    Raises `ValueError` for a context that uses what is not supported here (language and index
    maps, reverse properties, nesting), or one that names a context outside the set.
    """

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = dict(documents)
        self._definitions: dict[str, Context] = {}
        self.json_terms: set[str] = set()
        self.list_terms: set[str] = set()
        self.graph_terms: set[str] = set()
        self.plain_terms: set[str] = set()
        # Terms with a context of their own: which a document's contexts define at their top,
        # and which are only met inside another scoped context.
        self.resetting_terms: set[str] = set()
        self._scoped_below: dict[str, set[str]] = {url: set() for url in documents}
        self._prefixes: dict[str, str] = {}
        self._identifiers: set[tuple[str, str]] = set()
        raw = {url: parse_json_object(data).get("@context") for url, data in documents.items()}
        for url, context in raw.items():
            self._definitions[url] = self._load(context, raw, (url,))
        special = self.json_terms | self.list_terms | self.graph_terms
        if special & self.plain_terms or self.json_terms & self.list_terms:
            raise ValueError("a term has several forms, so its statements cannot be counted")
        self.special_terms: frozenset[str] = frozenset(special)
        self.terms: frozenset[str] = frozenset(_names(list(self._definitions.values())))
        self._names_by_iri: dict[str, set[str]] = {}
        for name, iri in self._identifiers:
            self._names_by_iri.setdefault(self._expanded(iri, {}), set()).add(name)

    def extended(self, documents: Mapping[str, bytes]) -> ContextSet:
        """Return a set with more contexts. Raises `ValueError`, also for a URL pinned already."""
        if self._documents.keys() & documents.keys():
            raise ValueError("a pinned context is not replaced")
        return ContextSet({**self._documents, **documents})

    @property
    def documents(self) -> Mapping[str, bytes]:
        """The context documents by URL."""
        return self._documents

    def _load(self, context: object, raw: Mapping[str, object], path: ContextUrls) -> Context:
        if isinstance(context, str):
            if context not in raw or context in path:
                raise ValueError(f"{path[0]} names a context outside the set")
            return self._load(raw[context], raw, (*path, context))
        if isinstance(context, list):
            return [part for item in context for part in self._load(item, raw, path)]
        if not isinstance(context, dict):
            raise ValueError(f"{path[0]} is not a context")
        return [self._definition(context, path)]

    def _definition(
        self, context: JsonObject, path: ContextUrls, *, below: bool = False
    ) -> JsonObject:
        if _NOT_SUPPORTED & context.keys():
            raise ValueError(f"{path[0]} uses what is not supported")
        return {
            name: value if name.startswith("@") else self._term(name, value, path, below)
            for name, value in context.items()
        }

    def _term(self, name: str, value: object, path: ContextUrls, below: bool) -> object:
        if isinstance(value, str):
            if value.startswith("@") and value not in _ALIASES:
                raise ValueError(f"{path[0]} renames {value}")
            self._note(name, {"@id": value})
            return value
        if not isinstance(value, dict) or _NOT_SUPPORTED & value.keys():
            raise ValueError(f"{path[0]} defines {name} in a way that is not supported")
        self._note(name, value)
        if "@context" not in value:
            return value
        scoped = value["@context"]
        if scoped is None:
            # A null context forgets everything, so the sentinel has to come again behind it.
            self.resetting_terms.add(name)
            return {**value, "@context": [None, _SENTINEL]}
        if not isinstance(scoped, dict):
            raise ValueError(f"{path[0]} scopes {name} in a way that is not supported")
        if below:
            self._scoped_below[path[0]].add(name)
        return {**value, "@context": [self._definition(scoped, path, below=True)]}

    def _note(self, name: str, definition: Mapping[str, Any]) -> None:
        container = definition.get("@container", "@set")
        containers = set(container) if isinstance(container, list) else {container}
        if not containers <= _CONTAINERS:
            raise ValueError(f"{name} is a map, which is not supported")
        if definition.get("@id") in _ALIASES:
            return
        identifier = definition.get("@id", name)
        if isinstance(identifier, str):
            self._identifiers.add((name, identifier))
            self._prefixes[name] = identifier
        if definition.get("@type") == "@json":
            self.json_terms.add(name)
        elif "@list" in containers:
            self.list_terms.add(name)
        elif "@graph" in containers:
            self.graph_terms.add(name)
        else:
            self.plain_terms.add(name)

    def gives_second_name(self, context: Mapping[str, Any]) -> bool:
        """Tell whether a simple context would let a document spell a term here in another way.

        A reader who looks for `validUntil` would not find it under any other name.
        """
        ids = {
            name: value if isinstance(value, str) else value["@id"]
            for name, value in context.items()
            if not name.startswith("@")
        }
        for name, iri in ids.items():
            known = self._names_by_iri.get(self._expanded(iri, ids))
            if known is not None and name not in known:
                return True
        if "@vocab" not in context:
            return False
        vocabulary = self._expanded(context["@vocab"], ids)
        return any(
            iri.startswith(vocabulary) and iri.removeprefix(vocabulary) not in names
            for iri, names in self._names_by_iri.items()
        )

    def _expanded(self, iri: str, more: Mapping[str, str]) -> str:
        """Return a compact IRI in full, any other as it is."""
        for _ in range(_MAX_PREFIXES):
            prefix, colon, rest = iri.partition(":")
            base = more.get(prefix, self._prefixes.get(prefix))
            if not colon or rest.startswith("//") or base is None or base == prefix:
                break
            iri = base + rest
        return iri

    def urls(self, value: object) -> ContextUrls:
        """Return the URLs of a document's `@context`. Raises `UnsupportedContext`, and kin."""
        urls = value if isinstance(value, list) else [value]
        if not urls or len(urls) > MAX_CONTEXTS:
            raise JsonLdMalformed(f"@context names 1 to {MAX_CONTEXTS} contexts")
        for url in urls:
            if not isinstance(url, str):
                raise UnsupportedContext("contexts are named by URL, not given inline")
            if url not in self._definitions:
                raise UnsupportedContext("a context is not among those pinned here")
        return tuple(urls)

    def scoped_types(
        self, types: Iterable[str], scope: Sequence[ContextUrls]
    ) -> tuple[tuple[str, JsonObject], ...]:
        """Return those of `types` that bring a context of their own, with their definitions.

        `scope` is the context lists in force, the outermost first. Sorted, as JSON-LD applies
        them. Raises `UnsupportedContext` for two of them when one is not defined at the top.
        """
        found = []
        below = False
        for name in sorted(types):
            urls = [url for urls in scope for url in urls]
            below = below or any(name in self._scoped_below[url] for url in urls)
            definition = self._top(name, urls)
            if isinstance(definition, dict) and "@context" in definition:
                found.append((name, definition))
        if below and len(found) > 0:
            raise UnsupportedContext("a type is defined inside the context of another")
        return tuple(found)

    def _top(self, name: str, urls: list[str]) -> object:
        for url in reversed(urls):
            for part in reversed(self._definitions[url]):
                if name in part:
                    return part[name]
        return None

    def full(self, urls: ContextUrls, joint: JsonObject | None = None) -> Context:
        """Return the contexts of `urls`, inlined, and the definitions in `joint` behind them."""
        parts = [part for url in urls for part in self._definitions[url]]
        return [_SENTINEL, *parts, joint] if joint else [_SENTINEL, *parts]

    def pruned(
        self, contexts: Mapping[ContextUrls, Context], used: frozenset[str]
    ) -> dict[ContextUrls, Context]:
        """Return `contexts` with only the definitions that `used` terms can reach.

        Reachable is what occurs as a name or a prefix in a definition that is kept.
        """
        kept = used
        while True:
            cut = {urls: _prune(context, kept, frozenset()) for urls, context in contexts.items()}
            reached = kept | (_strings(list(cut.values())) & self.terms)
            if reached == kept:
                return cut
            kept = reached


def _names(value: object) -> set[str]:
    """Return every term that a context defines, at any depth."""
    if isinstance(value, list):
        return {name for item in value for name in _names(item)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, item in value.items():
        if not name.startswith("@"):
            found.add(name)
        if isinstance(item, dict) and "@context" in item:
            found |= _names(item["@context"])
    return found


def _strings(value: object) -> set[str]:
    """Return every string in a context, and what is before its first colon."""
    if isinstance(value, str):
        return {value, value.partition(":")[0]}
    if isinstance(value, list):
        return {text for item in value for text in _strings(item)}
    if isinstance(value, dict):
        return {text for name, item in value.items() for text in _strings(name) | _strings(item)}
    return set()


def _prune(context: Context, kept: frozenset[str], aliases: frozenset[str]) -> Context:
    """Return a context with the definitions in `kept`, and without what has no effect on them.

    That is protection, which only forbids; set containers, which only matter for compaction; and
    aliases of keywords that are in force already.
    """
    result: Context = []
    for part in context:
        if not isinstance(part, dict):
            result.append(part)
            continue
        cut = {}
        for name, value in part.items():
            if isinstance(value, str) and value in _ALIASES:
                if name not in aliases:
                    cut[name] = value
            elif name in kept or (name.startswith("@") and name != "@protected"):
                cut[name] = _prune_term(value, kept, aliases | _aliases_of(part))
        aliases |= _aliases_of(part)
        if cut:
            result.append(cut)
    return result


def _aliases_of(part: JsonObject) -> frozenset[str]:
    return frozenset(
        name for name, value in part.items() if isinstance(value, str) and value in _ALIASES
    )


def _prune_term(value: Any, kept: frozenset[str], aliases: frozenset[str]) -> Any:
    if not isinstance(value, dict):
        return value
    cut = {name: item for name, item in value.items() if (name, item) != ("@container", "@set")}
    if "@context" in cut:
        cut["@context"] = _prune(cut["@context"], kept, aliases)
        if not cut["@context"]:
            del cut["@context"]
    return cut
