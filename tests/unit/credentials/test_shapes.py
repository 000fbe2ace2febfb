"""What is kept of documents seen before: it makes the next ones faster, never other."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.w3c import (
    CARD_CONTEXT,
    card,
    contexts,
)
from tests.unit.credentials.test_json_ld import DOCUMENTS, PYLD, TEXT, with_subject
from wallet.credentials.jsonld.errors import StatementsLost
from wallet.credentials.jsonld.pinned import (
    CREDENTIALS_V2,
)
from wallet.credentials.jsonld.processor import MAX_SHAPES, JsonLd
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

ISSUER, HOLDER = "did:web:issuer.example", "did:example:holder"


def test_an_undefined_term_is_refused_also_when_the_shape_was_seen() -> None:
    canonicalizer = JsonLd(contexts())
    canonicalizer.canonicalize(card(ISSUER, HOLDER))
    assert len(canonicalizer._by_shape) == 1
    for _ in range(2):
        with pytest.raises(StatementsLost):
            canonicalizer.canonicalize({**card(ISSUER, HOLDER), "nickname": "x"})
    assert len(canonicalizer._by_shape) == 1


def test_documents_of_one_shape_with_other_types_do_not_share_a_context() -> None:
    canonicalizer = JsonLd(contexts())
    one = card(ISSUER, HOLDER)
    other = copy.deepcopy(one)
    other["credentialSubject"]["type"] = "VerifiableCredential"
    canonicalizer.canonicalize(one)
    with pytest.raises(StatementsLost):
        canonicalizer.canonicalize(other)
    canonicalizer.canonicalize(one)


def test_a_value_that_is_a_term_makes_another_shape_and_the_same_result() -> None:
    canonicalizer = JsonLd(contexts())
    for name in ("합성", "issuer", "DataIntegrityProof", "합성"):
        document = with_subject(givenName=name)
        theirs = PYLD.canonicalize(copy.deepcopy(document)).statements
        assert canonicalizer.canonicalize(document).statements == theirs


def test_the_shapes_that_are_kept_are_limited() -> None:
    canonicalizer = JsonLd(contexts())
    for number in range(MAX_SHAPES + 3):
        canonicalizer._keep(((str(number),), frozenset()), {})
    assert len(canonicalizer._by_shape) == MAX_SHAPES


def configuration(**changes: Any) -> JsonObject:
    return {
        "@context": [CREDENTIALS_V2, CARD_CONTEXT],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": "did:web:issuer.example#key-1",
        "proofPurpose": "assertionMethod",
        "challenge": "first",
        "domain": "https://verifier.example",
        **changes,
    }


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "challenge": TEXT | st.sampled_from(["issuer", "a\\b", 'a"b', "", "https", "did:x"]),
            "domain": TEXT | st.sampled_from(["first", "second", "did:web:issuer.example#key-1"]),
            "created": st.sampled_from(["2026-01-01T00:00:01Z", "first"]),
            "cryptosuite": st.sampled_from(["ecdsa-rdfc-2019", "first"]),
            "verificationMethod": st.sampled_from(
                ["did:key:z6Mk#z6Mk", "did:web:a%3A8001#k", "urn:x:y", "https://a.example/#k"]
            ),
            "proofPurpose": st.sampled_from(["authentication", "assertionMethod", "did:a:b"]),
            "type": st.sampled_from(["DataIntegrityProof", "VerifiableCredential"]),
        },
    )
)
def test_a_configuration_is_written_as_the_whole_way_would_write_it(changes: JsonObject) -> None:
    quick, document = JsonLd(contexts()), configuration(**changes)
    quick.canonicalize(configuration())
    try:
        slow = JsonLd(contexts()).canonicalize(document).statements
    except SeoulWalletError as error:
        with pytest.raises(type(error)):
            quick.canonicalize(document)
        return
    assert quick.canonicalize(document).statements == slow
    assert quick.canonicalize(document).statements == slow


def test_a_document_like_one_seen_before_takes_the_short_way() -> None:
    canonicalizer = JsonLd(contexts())
    canonicalizer.canonicalize(configuration())
    templates = canonicalizer._templates
    other = configuration(challenge="카드 둘", verificationMethod="did:key:z6Mk#z6Mk")
    assert templates.render(other) is not None
    for slow in (
        configuration(challenge="a\nb"),
        configuration(challenge="issuer"),
        configuration(challenge="_:x"),
        configuration(verificationMethod="did:key:a b"),
        configuration(verificationMethod="http://a/"),
        configuration(proofPurpose="authentication"),
        configuration(note="x"),
        {**configuration(), "id": "urn:x"},
        {**configuration(), "@context": [CREDENTIALS_V2]},
        {**configuration(), "created": 5},
        {**configuration(), "created": None},
        {**configuration(), "created": ["a"]},
    ):
        assert templates.render(slow) is None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_template_tells_two_equal_values_apart(name: str) -> None:
    """The marks do, not the values: a document full of equal values teaches the right places."""
    if name in ("json", "numbers"):
        return
    quick = JsonLd(contexts())
    document = DOCUMENTS[name]

    def renamed(value: Any, spelled: Callable[[], str]) -> Any:
        if isinstance(value, dict):
            return {
                key: item
                if key in ("@context", "type", "id", "@language", "@type")
                else renamed(item, spelled)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [renamed(item, spelled) for item in value]
        if isinstance(value, str) and ":" not in value:
            return spelled()
        return value

    numbers = iter(range(1000))
    with contextlib.suppress(StatementsLost):
        quick.canonicalize(renamed(document, lambda: "same"))
    other = renamed(document, lambda: f"v{next(numbers)}")
    assert quick.canonicalize(other).statements == (
        JsonLd(contexts()).canonicalize(other).statements
    )
    assert quick.canonicalize(other).statements == quick.canonicalize(other).statements


def test_a_document_that_forges_a_mark_teaches_nothing_wrong() -> None:
    canonicalizer = JsonLd(contexts())
    for text in ("urn:x-slot:0", "7000000000001", "urn:x:1"):
        canonicalizer.canonicalize(configuration(challenge=text, domain=text))
        for changes in ({"challenge": "a"}, {"domain": text}, {"challenge": "b", "domain": "c"}):
            document = configuration(**changes)
            whole = JsonLd(contexts()).canonicalize(document).statements
            assert canonicalizer.canonicalize(document).statements == whole


def test_large_documents_are_not_kept() -> None:
    canonicalizer = JsonLd(contexts())
    canonicalizer.canonicalize(with_subject(givenName=[f"n{number}" for number in range(300)]))
    assert not canonicalizer._by_shape
    assert not canonicalizer._templates._known


# Names and values that are also words of what is kept.
_WORDS = st.sampled_from(("list", "text", "number", "true", "false", "합성", "id", "@value"))
_LEAVES = _WORDS | st.integers(0, 2) | st.booleans()
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=4,
)


def outcome(canonicalizer: JsonLd, document: JsonObject) -> object:
    try:
        return canonicalizer.canonicalize(document).statements
    except SeoulWalletError as error:
        return error.code


@given(
    st.sampled_from(("givenName", "order", "extra", "children")),
    st.lists(_VALUES, min_size=2, max_size=4),
)
def test_no_document_makes_another_one_mean_something_else(name: str, values: list[Any]) -> None:
    warm = JsonLd(contexts())
    for value in values:
        document = with_subject(**{name: value})
        fresh = outcome(JsonLd(contexts()), document)
        assert outcome(warm, document) == fresh
        assert outcome(warm, document) == fresh


@pytest.mark.parametrize(
    "other", [{"list": "합성"}, {"@value": "합성"}, {"text": "합성"}, [["합성"]], "합성"]
)
def test_a_list_and_an_object_are_never_taken_for_each_other(other: Any) -> None:
    warm = JsonLd(contexts())
    for _ in range(2):
        warm.canonicalize(with_subject(givenName=["합성"]))
    document = with_subject(givenName=other)
    assert outcome(warm, document) == outcome(JsonLd(contexts()), document)
    assert outcome(warm, with_subject(givenName={"list": "합성"})) == "statements_lost"


def test_a_value_like_our_marks_takes_the_whole_way() -> None:
    warm = JsonLd(contexts())
    for identifier in ("https://seoul.example/a", "https://relative.invalid/a"):
        document = card(ISSUER, identifier)
        fresh = outcome(JsonLd(contexts()), document)
        assert outcome(warm, document) == outcome(warm, document) == fresh
