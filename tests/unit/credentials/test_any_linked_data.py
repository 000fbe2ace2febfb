"""Documents that nobody would write: what is kept changes no verdict, and PyLD reads them alike.

Good documents are changed at random, again and again, and go through one canonicalizer that keeps
everything, through the whole contexts without anything kept, and, where accepted, through PyLD.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.support.w3c import CITIZENSHIP, EXAMPLES_V2, PyldCanonicalizer, card, presentation
from tests.support.w3c import contexts as known_contexts
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.pinned import CREDENTIALS_V1, CREDENTIALS_V2
from wallet.credentials.jsonld.processor import JsonLd, _to_fragments
from wallet.credentials.jsonld.reading import DocumentReading
from wallet.credentials.jsonld.seoul import SEOUL_CONTEXT, seoul_context
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError

ROUNDS = int(os.environ.get("SOAK_LINKED_DATA", "250"))
CONTEXTS = known_contexts().extended({SEOUL_CONTEXT: to_json(seoul_context())})
PYLD = PyldCanonicalizer(CONTEXTS)
URLS = sorted(CONTEXTS.documents)
TERMS = sorted(CONTEXTS.terms)
TYPES = [term for term in TERMS if term[:1].isupper()]
KEYWORDS = ("id", "type", "@id", "@type", "@list", "@set", "@graph", "@reverse", "@context")
TEXTS = (
    "x", "합성", "", "a b", 'a"b', "\\", "<>", "_:b0", "@id", "2020-01-01T00:00:00Z",
    "did:web:a.b", "did:a:b#c.d", "urn:x:1", "urn:7000000000000", "7000000000001", "https://a.b/c",
    "https://A.b/c/../d", "https://relative.invalid/x", "urn:seoul-wallet:undefined#x",
)  # fmt: skip
SEEDS: tuple[JsonObject, ...] = (
    card("did:web:issuer.example", "did:example:h"),
    presentation("did:example:h", card("did:web:issuer.example", "did:example:h")),
    {
        "@context": [CREDENTIALS_V2, SEOUL_CONTEXT],
        "type": ["VerifiableCredential", "MultiChildFamilyCard"],
        "issuer": {"id": "did:web:issuer.example", "name": "Seoul"},
        "credentialSubject": {"id": "did:example:h", "child_count": 3, "seoul_resident": True},
        "credentialStatus": {
            "id": "https://a.b/1#5",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "5",
            "statusListCredential": "https://a.b/1",
        },
        "credentialSchema": {"id": "https://a.b/s", "type": "JsonSchema"},
    },
    {
        "@context": [CREDENTIALS_V1],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:issuer.example",
        "issuanceDate": "2020-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:h"},
    },
    {
        "@context": [CREDENTIALS_V2, CITIZENSHIP],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": "did:web:issuer.example#key-1",
        "proofPurpose": "assertionMethod",
    },
    {
        "@context": [CREDENTIALS_V2, EXAMPLES_V2],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": "https://university.example/issuers/14",
        "credentialSubject": {"id": "did:example:h", "alumniOf": {"name": "Example"}},
    },
)


class Changes:
    """Random changes of documents, the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def choose(self, items: Any) -> Any:
        return self._random.choice(items)

    def changed(self, document: JsonObject) -> JsonObject:
        """Return a copy with one to three changes."""
        result = copy.deepcopy(document)
        for _ in range(self._random.randint(1, 3)):
            places = list(_places(result))
            if places:
                self._change(*self.choose(places))
        return result

    def _change(self, container: Any, key: Any) -> None:
        old = container[key]
        ways: list[Any] = [
            self.value(0), self.value(0), [old], [old, copy.deepcopy(old)], {"@value": old},
            {self.choose(KEYWORDS): old}, old[0] if isinstance(old, list) and old else old,
        ]  # fmt: skip
        way = self._random.randrange(len(ways) + 4)
        if way < len(ways):
            container[key] = ways[way]
        elif isinstance(container, dict) and way == len(ways):
            container[self.choose([*TERMS, *KEYWORDS])] = container.pop(key)
        elif isinstance(old, dict) and way == len(ways) + 1:
            old["type"] = [self.choose(TYPES) for _ in range(self._random.randint(1, 2))]
        elif isinstance(old, dict) and way == len(ways) + 2:
            old["@context"] = self.choose(URLS)
        elif isinstance(container, dict):
            container[self.choose(TERMS)] = self.value(0)

    def value(self, depth: int) -> Any:
        """Return any value, also such as JSON-LD cannot express."""
        kind = self._random.randrange(12 if depth < 3 else 8)
        if kind < 3:
            return self.choose(TEXTS)
        if kind < 5:
            return self.choose(TERMS) + self.choose(("", "", ":x"))
        if kind < 8:
            return self.choose((0, -1, 7_000_000_000_003, 1.5, 2.0, 1e21, True, False, None))
        if kind == 8:
            literal: JsonObject = {"@value": self.value(9)}
            extra = self.choose(({}, {"@type": self.choose(TEXTS)}, {"@language": "ko"}))
            return {**literal, **extra}
        if kind == 9:
            return [self.value(depth + 1) for _ in range(self._random.randrange(4))]
        node: JsonObject = {"id": self.choose(TEXTS)} if kind == 10 else {}
        for _ in range(self._random.randrange(4)):
            node[self.choose([*TERMS, *KEYWORDS])] = self.value(depth + 1)
        return node


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in entries:
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def _outcome(canonicalizer: JsonLd, document: JsonObject) -> object:
    try:
        return canonicalizer.canonicalize(document).statements
    except SeoulWalletError as error:
        return error.code


def _without_anything_kept(document: JsonObject) -> object:
    canonicalizer = JsonLd(CONTEXTS)
    try:
        reading = DocumentReading(document, CONTEXTS)
        whole = {urls: CONTEXTS.full(urls, reading.joint.get(urls)) for urls in reading.contexts}
        nquads = canonicalizer._parse(document, reading, _to_fragments(whole))
    except SeoulWalletError as error:
        return error.code
    return rdfc.canonicalize(nquads).statements


@pytest.mark.soak
def test_what_is_kept_of_other_documents_changes_no_verdict_and_pyld_agrees() -> None:
    changes, warm = Changes(11), JsonLd(CONTEXTS)
    pool = list(SEEDS)
    accepted = 0
    for document in SEEDS:
        warm.canonicalize(document)
    for number in range(ROUNDS):
        document = changes.changed(changes.choose(pool))
        fresh = _without_anything_kept(document)
        assert _outcome(warm, document) == fresh, document
        if isinstance(fresh, str):
            continue
        accepted += 1
        if len(document) < 20:
            pool = [*pool, document][-200:]
        if number % 3 == 0:
            assert PYLD.canonicalize(copy.deepcopy(document)).statements == fresh, document
    assert accepted > ROUNDS // 10
