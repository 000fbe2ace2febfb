"""One walk over a document before JSON-LD sees it: what is allowed, its shape, its statements.

JSON-LD drops what it cannot express without a word: undefined terms, invalid IRIs and language
tags, nulls, keyword look-alikes. So the statements that a document must give are counted here,
and compared with those that came out.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import pyoxigraph

from wallet.credentials.jsonld.context_set import ContextSet, ContextUrls
from wallet.credentials.jsonld.errors import GraphTooComplex, JsonLdMalformed, StatementsLost
from wallet.credentials.jsonld.rdfc import MAX_STATEMENTS
from wallet.crypto.hashing import sha256
from wallet.encoding import jcs
from wallet.encoding.json import MAX_JSON_DEPTH, JsonObject

MAX_EXACT_INTEGER: Final = 2**53 - 1
# From here on JSON-LD writes whole numbers as doubles too.
MIN_WHOLE_DOUBLE: Final = 1e21
_VALUE_MEMBERS: Final = frozenset(("@value", "@type", "@language"))

# A private use character: no published term starts with it, and it sorts behind every other.
JOINT: Final = "\U0010fffd"

Shape = tuple[Any, ...]


class DocumentReading:
    """What one walk over a document found.

    `shape` is the tree of its member names with the contexts in it; `used` the terms that occur
    anywhere, also in values; `statements` how many the document must give; `contexts` the
    context lists, the outermost first. `json_texts` is what stands there as JSON, canonical, and
    `json_places` which of them by the object's identity and the member.

    pyoxigraph 0.5 applies only the last of several type-scoped contexts. So a node with two such
    types has the last one spelled as a term of ours, which brings the contexts of all: `joint`
    has these terms by context list, `retyped` the types of such nodes by the object's identity.
    """

    __slots__ = (
        "_contexts", "_scope", "_seen",
        "contexts", "joint", "json_places", "json_texts", "retyped", "shape", "statements", "used",
    )  # fmt: skip

    def __init__(self, document: JsonObject, contexts: ContextSet) -> None:
        self._contexts = contexts
        self._seen: set[str] = set()
        self._scope: tuple[ContextUrls, ...] = ()
        self.contexts: list[ContextUrls] = []
        self.joint: dict[ContextUrls, JsonObject] = {}
        self.retyped: dict[int, list[str]] = {}
        self.statements = 0
        self.json_texts: list[str] = []
        self.json_places: dict[tuple[int, str], int] = {}
        self.shape: Shape = self._node(document, 0)
        if self.statements == 0:
            raise StatementsLost("the document says nothing")
        if self.statements > MAX_STATEMENTS:
            raise GraphTooComplex(f"more than {MAX_STATEMENTS} statements")
        prefixes = {text.partition(":")[0] for text in self._seen if ":" in text}
        if "_" in prefixes and any(text.startswith("_:") for text in self._seen):
            raise StatementsLost("blank node identifiers are not taken from a document")
        self.used: frozenset[str] = contexts.terms & (self._seen | prefixes) | {
            name for defined in self.joint.values() for name in defined
        }

    def _node(self, node: JsonObject, depth: int) -> Shape:
        if depth > MAX_JSON_DEPTH:
            raise JsonLdMalformed(f"the document is nested deeper than {MAX_JSON_DEPTH}")
        shape: list[Any] = []
        special = self._contexts
        outer = self._scope
        if "@context" in node:
            urls = special.urls(node["@context"])
            self.contexts.append(urls)
            self._scope = (*outer, urls)
            shape.append(urls)
        if ("id" in node and "@id" in node) or ("type" in node and "@type" in node):
            raise JsonLdMalformed("a node has its id and its type once")
        for name, value in node.items():
            if name == "id" or name == "@id":
                self._seen.add(_checked_id(value))
                shape.append(name)
            elif name == "type" or name == "@type":
                self._types(node, value)
                shape.append(name)
            elif name == "@context":
                continue
            elif name[:1] == "@":
                raise JsonLdMalformed("a keyword that is not supported")
            elif ":" in name:
                # Readers look for `validUntil`: spelled as its IRI it would be signed and unseen.
                raise StatementsLost("a member is named by an IRI instead of its term")
            elif type(value) is str and name not in special.special_terms:
                self._seen.add(name)
                self._seen.add(value)
                self.statements += 1
                shape.append(name)
            elif name in special.json_terms:
                if value is None:
                    raise StatementsLost("a null is not a statement")
                self._seen.add(name)
                self.statements += 1
                self.json_places[id(node), name] = len(self.json_texts)
                self.json_texts.append(jcs.canonicalize(value).decode("utf-8"))
                shape.append(name)
            else:
                self._seen.add(name)
                inner = self._values(name, value, depth)
                shape.append(name if inner is None else (name, inner))
        self._scope = outer
        return tuple(shape)

    def _types(self, node: JsonObject, value: Any) -> None:
        types: list[Any] = value if type(value) is list else [value]
        if not types or not all(type(item) is str for item in types):
            raise JsonLdMalformed("a type is a string, or a list of strings")
        _refuse_repeats(types)
        if any(item[:1] == "@" for item in types):
            raise StatementsLost("a type that looks like a keyword")
        self.statements += len(types)
        for item in self._join(node, types) if len(types) > 1 and self._scope else types:
            self._seen.add(item)

    def _join(self, node: JsonObject, types: list[str]) -> list[str]:
        """Return the types as they are spelled for pyoxigraph."""
        scoped = self._contexts.scoped_types(types, self._scope)
        if len(scoped) < 2:
            return types
        last, definition = scoped[-1]
        scope = repr((self._scope, sorted(types))).encode("utf-8", "surrogatepass")
        name = JOINT + sha256(scope).hex()
        contexts = [part for _, each in scoped for part in each["@context"]]
        defined = self.joint.setdefault(self._scope[-1], {})
        defined[name] = {**definition, "@context": contexts}
        # The others bring nothing any more, so their IRIs do, if they have one as it stands.
        spelled_as = {item: _iri(each, item) for item, each in scoped[:-1]} | {last: name}
        retyped = [spelled_as.get(item, item) for item in types]
        if self.retyped.setdefault(id(node), retyped) != retyped:
            raise JsonLdMalformed("one object stands in two places")
        return retyped

    def _values(self, name: str, value: Any, depth: int) -> Any:
        if name in self._contexts.list_terms:
            self.statements += 1
            return self._list(value if type(value) is list else [value], depth)
        in_graph = name in self._contexts.graph_terms
        items = value if type(value) is list else [value]
        if not items:
            raise StatementsLost("an empty list is not a statement")
        if not in_graph:
            _refuse_repeats(items)
        outer = self._scope
        if name in self._contexts.resetting_terms:
            self._scope = ()
        shapes = []
        for item in items:
            before = self.statements
            self.statements += 1
            shape = self._value(item, depth)
            if in_graph and self.statements == before + 1:
                raise StatementsLost("an embedded document says nothing")
            if shape is not None:
                shapes.append(shape)
        self._scope = outer
        return frozenset(shapes) if shapes else None

    def _list(self, items: list[Any], depth: int) -> Any:
        self.statements += 2 * len(items)
        return ("@list", *(self._value(item, depth + 1) for item in items))

    def _value(self, value: Any, depth: int) -> Any:
        """Check one value; return its shape if it has one."""
        kind = type(value)
        if kind is str:
            self._seen.add(value)
        elif kind is dict:
            if "@value" in value:
                return self._literal(value)
            return self._node(value, depth + 1)
        elif kind is int:
            if not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
                raise JsonLdMalformed("an integer is beyond 2^53")
        elif kind is float:
            _check_double(value)
        elif kind is not bool:
            raise StatementsLost("a null or a list in a list is not a statement")
        return None

    def _literal(self, value: JsonObject) -> Any:
        text, datatype = value["@value"], value.get("@type")
        if not value.keys() <= _VALUE_MEMBERS or datatype == "@json":
            raise JsonLdMalformed("a value object has @value, and @type or @language")
        if type(text) not in (str, bool, int, float):
            raise StatementsLost("a value object without a plain value")
        self._value(text, 0)
        if datatype is not None:
            if type(datatype) is not str or datatype[:1] == "@":
                raise JsonLdMalformed("the type of a value is an IRI")
            self._seen.add(datatype)
        return tuple(value)


def _checked_id(value: Any) -> str:
    """Return the id of a node. One that is no IRI would take all that is said of it away."""
    if type(value) is not str:
        raise JsonLdMalformed("an id is a string")
    try:
        pyoxigraph.NamedNode(value)
    except ValueError:
        raise StatementsLost("an id is not an absolute IRI") from None
    return value


def _iri(definition: JsonObject, name: str) -> str:
    iri = definition.get("@id")
    return iri if isinstance(iri, str) and iri.startswith(("https://", "http://")) else name


def _check_double(value: float) -> None:
    """Refuse a number that implementations write in different ways.

    JSON-LD has 16 digits for a double, and none of a whole number below 10^21 is left out;
    pyoxigraph writes as many digits as tell the number from others.
    """
    if not math.isfinite(value) or Decimal(f"{value:.15E}") != Decimal(repr(value)):
        raise JsonLdMalformed("a number is not finite, or has more than 16 digits")
    if value.is_integer() and MAX_EXACT_INTEGER < abs(value) < MIN_WHOLE_DOUBLE:
        raise JsonLdMalformed("an integer is beyond 2^53")


def _refuse_repeats(values: list[Any]) -> None:
    """Refuse a list that says one thing twice: in RDF, once and twice are the same."""
    if len(values) == 1:
        return
    if any(type(value) is list for value in values):
        raise StatementsLost("a list in a list is not a statement")
    if says_twice(values):
        raise StatementsLost("a list says the same thing twice")


def says_twice(values: list[Any]) -> bool:
    """Tell whether two values of a list are one in RDF, however each is spelled.

    Values that would differ in their type alone count as one. Nodes without an id never are.
    """
    said = [_said(value) for value in values]
    known = [each for each in said if each is not None]
    return len(set(known)) != len(known)


def _said(value: Any) -> tuple[str, str] | None:
    """Return the lexical form of a literal, or the id of a node; and the language."""
    language = ""
    if type(value) is dict:
        if "@value" in value:
            language = str(value.get("@language", "")).lower()
            value = value["@value"]
        else:
            value = value.get("id", value.get("@id"))
    if type(value) is str:
        return value, language
    if type(value) is bool:
        return str(value).lower(), language
    if type(value) is int or type(value) is float:
        number = _number(value)
        return None if number is None else (number, language)
    return None


def _number(value: float) -> str | None:
    """Return how a number is written in RDF, None for one that is refused for itself."""
    if -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER and value == int(value):
        return str(int(value))
    if type(value) is int or not math.isfinite(value):
        return None
    mantissa, exponent = f"{value:.15E}".split("E")
    digits = mantissa.rstrip("0")
    return f"{digits}{'0' if digits.endswith('.') else ''}E{int(exponent)}"
