"""Documents that are one node with plain text members, as proof configurations are.

What JSON-LD makes of such a document depends on its contexts, its member names, and on the few
values that are terms. All other values appear in the statements as they are. So after the first
one, the statements of the next are written down directly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.context_set import ContextSet
from wallet.credentials.jsonld.rdfc import CanonicalDataset
from wallet.encoding.json import JsonObject

MAX_TEMPLATES: Final = 256
MAX_MEMBERS: Final = 16
_NODE: Final = "_:c14n0"
# Characters that neither N-Quads escapes nor IRIs forbid.
_PLAIN_TEXT: Final = re.compile(r"[ !#-\[\]-~]*\Z")
_PLAIN_IRI: Final = re.compile(
    r"([a-z]+):(?:[A-Za-z0-9:._-]|%[0-9A-Fa-f]{2})+(?:#[A-Za-z0-9._-]+)?\Z"
)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A member whose value is copied: into a literal, or into an IRI with this scheme."""

    name: str
    scheme: str | None


@dataclass(frozen=True, slots=True)
class _Template:
    """The statements of a flat document: `parts` stand around the values of the slots."""

    fixed: tuple[tuple[str, str], ...]
    slots: tuple[_Slot, ...]
    statements: tuple[tuple[str, str | None, str], ...]


class FlatDocuments:
    """The templates that were learnt, by contexts and member names. Thread-safe."""

    def __init__(self, contexts: ContextSet) -> None:
        self._terms = contexts.terms
        self._templates: dict[tuple[object, ...], _Template] = {}

    def render(self, document: JsonObject) -> CanonicalDataset | None:
        """Return the canonical form of a document like one seen before, else None."""
        key = _key(document)
        template = None if key is None else self._templates.get(key)
        if template is None or any(document[name] != text for name, text in template.fixed):
            return None
        if not all(self._fits(document[slot.name], slot.scheme) for slot in template.slots):
            return None
        statements = tuple(
            before if name is None else f"{before}{document[name]}{after}"
            for before, name, after in template.statements
        )
        return CanonicalDataset(statements, {_NODE: _NODE})

    def _fits(self, text: str, scheme: str | None) -> bool:
        if text in self._terms:
            return False
        if scheme is None:
            return text[:2] != "_:" and _PLAIN_TEXT.match(text) is not None
        match = _PLAIN_IRI.match(text)
        return match is not None and match[1] == scheme

    def learn(self, document: JsonObject, canonical: CanonicalDataset) -> None:
        """Keep what can be copied of a flat document, given its canonical form."""
        key = _key(document)
        if key is None or len(canonical.labels) != 1 or len(self._templates) >= MAX_TEMPLATES:
            return
        fixed, slots, statements = [], [], []
        quads = [rdfc.split_statement(line) for line in canonical.statements]
        if len({predicate for _, predicate, _, _ in quads}) != len(quads):
            return
        place = {object_: index for index, (_, _, object_, _) in enumerate(quads)}
        rendered: dict[int, tuple[str, str | None, str]] = {}
        for name, text in document.items():
            if name == "@context":
                continue
            slot, index = self._slot(name, text, quads, place)
            if slot is None or index is None or index in rendered:
                fixed.append((name, text))
                continue
            slots.append(slot)
            before, after = canonical.statements[index].split(text, 1)
            rendered[index] = (before, name, after)
        for index, line in enumerate(canonical.statements):
            statements.append(rendered.get(index, (line, None, "")))
        self._templates[key] = _Template(tuple(fixed), tuple(slots), tuple(statements))

    def _slot(
        self,
        name: str,
        text: str,
        quads: list[tuple[str, str, str, str]],
        place: dict[str, int],
    ) -> tuple[_Slot | None, int | None]:
        """Return how a value is copied, and into which statement; None if it is not."""
        if not text or any(text in subject + predicate for subject, predicate, _, _ in quads):
            return None, None
        iri = _PLAIN_IRI.match(text)
        if iri is not None and f"<{text}>" in place and self._fits(text, iri[1]):
            return _Slot(name, iri[1]), place[f"<{text}>"]
        for object_, index in place.items():
            closed = object_.startswith(f'"{text}"')
            if closed and self._fits(text, None) and text not in object_[len(text) + 2 :]:
                return _Slot(name, None), index
        return None, None


def _key(document: JsonObject) -> tuple[object, ...] | None:
    """Return contexts and member names of a flat document without id, None for any other."""
    if len(document) > MAX_MEMBERS or "id" in document or "@id" in document:
        return None
    contexts = document.get("@context")
    if type(contexts) is not list or not all(type(url) is str for url in contexts):
        return None
    for name, value in document.items():
        if type(value) is not str and name != "@context":
            return None
    return (*contexts, None, *document)
