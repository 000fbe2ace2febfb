"""The statements of documents that differ from one seen before only in their plain values.

Which statements a document gives follows from its tree, its contexts and types, and from those
values that are terms. Every other value only appears in them, in an IRI or in a literal, as it is.
So for each tree the places of the values are learnt once, from a copy of the document that has a
mark in each; for the next documents of that tree the values are put into these places.

Whatever is not plain (a text that needs escapes, an IRI beyond the simple ones, a number with a
fraction, a list that repeats itself) takes the whole way, where it is judged.
"""

from __future__ import annotations

import copy
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.reading import MAX_EXACT_INTEGER, says_twice
from wallet.encoding.json import JsonObject

MAX_TEMPLATES: Final = 512
MAX_SLOTS: Final = 256
MAX_DEPTH: Final = 32
MAX_TEMPLATE_CHARACTERS: Final = 32 * 1024
_FIRST_NUMBER: Final = 7_000_000_000_000
_PLAIN_TEXT: Final = re.compile(r'[^\x00-\x1f"\\\x7f\ud800-\udfff\ufffe\uffff]*\Z')
_PLAIN_IRI: Final = re.compile(
    r"(?:(?:did|urn):(?:[A-Za-z0-9:._-]|%[0-9A-Fa-f]{2})+"
    r"|https://[a-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]*)*)"
    r"(?:#[A-Za-z0-9._-]*)?\Z"
)
# Starts the tree of a list; that of an object starts with a name, which is a text.
_LIST: Final = None
_FIXED: Final = frozenset(("@context", "type", "@type", "@language"))

_Key = tuple[Any, ...]
_Place = tuple[Any, Any]


class _NotPlain(Exception):
    """The document has to take the whole way."""


class _Outline:
    """The tree of a document, and where its plain values are, as (container, key)."""

    __slots__ = ("places", "tree")

    def __init__(self, document: JsonObject) -> None:
        self.places: list[_Place] = []
        self.tree = self._members(document, 0)
        if len(self.places) > MAX_SLOTS:
            raise _NotPlain

    def _members(self, node: JsonObject, depth: int) -> _Key:
        if depth > MAX_DEPTH:
            raise _NotPlain
        tree: list[Any] = []
        for name, value in node.items():
            tree.append(name)
            if name in _FIXED:
                tree.append(_frozen(value))
            else:
                tree.append(self._value(node, name, value, depth))
        return tuple(tree)

    def _value(self, container: Any, key: Any, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            self.places.append((container, key))
            return "text"
        if kind is dict:
            return self._members(value, depth + 1)
        if kind is int:
            if not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
                raise _NotPlain
            self.places.append((container, key))
            return "number"
        if kind is bool:
            return "true" if value else "false"
        if kind is list:
            if len(value) > 1 and says_twice(value):
                raise _NotPlain
            items = [
                self._value(value, index, item, depth + 1) for index, item in enumerate(value)
            ]
            return (_LIST, *items)
        raise _NotPlain


def _frozen(value: Any) -> Any:
    if type(value) is str:
        return value
    if type(value) is list and all(type(item) is str for item in value):
        return tuple(value)
    raise _NotPlain


@dataclass(frozen=True, slots=True)
class _Template:
    """Text between slots: `texts[i]`, then the value of `slots[i]`, and so on, then the last."""

    texts: tuple[str, ...]
    slots: tuple[tuple[int, bool], ...]

    def render(self, values: list[Any]) -> str | None:
        """Return the statements with these values, None if one of them is not plain."""
        parts = []
        for before, (index, is_iri) in zip(self.texts, self.slots, strict=False):
            value = values[index]
            parts.append(before)
            if is_iri:
                if _PLAIN_IRI.match(value) is None:
                    return None
                parts.append(value)
            elif type(value) is int:
                parts.append(str(value))
            else:
                if _PLAIN_TEXT.match(value) is None or value[:2] == "_:":
                    return None
                parts.append(value)
        parts.append(self.texts[-1])
        return "".join(parts)


class Templates:
    """The templates that were learnt, by tree. Thread-safe."""

    def __init__(self, terms: frozenset[str]) -> None:
        self._terms = terms
        self._lock = threading.Lock()
        self._known: dict[_Key, _Template] = {}

    def render(self, document: JsonObject) -> str | None:
        """Return the statements of a document whose tree is known, None for any other."""
        try:
            outline = _Outline(document)
        except _NotPlain:
            return None
        values = [container[key] for container, key in outline.places]
        template = self._known.get((outline.tree, self._fixed(values)))
        return None if template is None else template.render(values)

    def _fixed(self, values: list[Any]) -> _Key:
        """Return the values that are terms, or start with one, with their positions."""
        terms = self._terms
        return tuple(
            (index, value)
            for index, value in enumerate(values)
            if type(value) is str and (value in terms or value.partition(":")[0] in terms)
        )

    def learn(self, document: JsonObject, nquads: str, whole: Callable[[Any], str]) -> None:
        """Keep the template of a document, if filling it in gives the statements in `nquads`.

        `whole` returns the statements of a document without templates.
        """
        if len(nquads) > MAX_TEMPLATE_CHARACTERS:
            return
        try:
            outline = _Outline(document)
        except _NotPlain:
            return
        values = [container[key] for container, key in outline.places]
        fixed = self._fixed(values)
        template = self._template(document, outline, {index for index, _ in fixed}, whole)
        rendered = None if template is None else template.render(values)
        if template is None or rendered is None:
            return
        if rdfc.canonicalize(rendered).statements != rdfc.canonicalize(nquads).statements:
            return
        with self._lock:
            if len(self._known) >= MAX_TEMPLATES:
                self._known.pop(next(iter(self._known)))
            self._known[(outline.tree, fixed)] = template

    def _template(
        self,
        document: JsonObject,
        outline: _Outline,
        fixed: set[int],
        whole: Callable[[Any], str],
    ) -> _Template | None:
        if "urn" in self._terms or len(outline.places) == 0:
            return None
        # Nobody can write a document that has a mark of ours in it already.
        start = f"urn:x{secrets.token_hex(16)}:"
        marks = re.compile(rf'<{start}(\d+)>|"{start}(\d+)"|"7000000(\d{{6}})"')
        copies: dict[int, Any] = {}
        marked = copy.deepcopy(document, copies)
        wanted = {}
        for index, (container, key) in enumerate(outline.places):
            if index not in fixed:
                is_text = type(container[key]) is str
                mark = f"{start}{index}" if is_text else _FIRST_NUMBER + index
                copies[id(container)][key] = mark
                wanted[index] = is_text
        texts, slots, end = [], [], 0
        nquads = whole(marked)
        for match in marks.finditer(nquads):
            index = int(match[1] or match[2] or match[3])
            texts.append(nquads[end : match.start() + 1])
            slots.append((index, match[1] is not None))
            end = match.end() - 1
        texts.append(nquads[end:])
        kinds = {index: is_iri for index, is_iri in slots}
        found_once = len(set(slots)) == len(kinds)
        if not found_once or kinds.keys() != wanted.keys() or start in "".join(texts):
            return None
        if any(is_iri and not wanted[index] for index, is_iri in kinds.items()):
            return None
        return _Template(tuple(texts), tuple(slots))
