"""JSON-LD without loss: PyLD agrees where it can, and what would be dropped is refused."""

from __future__ import annotations

import contextlib
import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.w3c import (
    CARD_CONTEXT,
    EXAMPLES_V2,
    PyldCanonicalizer,
    card,
    contexts,
    ed25519,
    json_ld,
    presentation,
)
from wallet.credentials.jsonld.context_set import ContextSet
from wallet.credentials.jsonld.errors import JsonLdMalformed, StatementsLost, UnsupportedContext
from wallet.credentials.jsonld.pinned import (
    CREDENTIALS_V1,
    CREDENTIALS_V2,
    FILES,
    pinned_contexts,
    pinned_json_ld,
)
from wallet.credentials.jsonld.processor import JsonLd
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError

ISSUER, HOLDER = "did:web:issuer.example", "did:example:holder"
PYLD = PyldCanonicalizer(contexts())


def with_subject(**members: Any) -> JsonObject:
    document = card(ISSUER, HOLDER)
    document["credentialSubject"].update(members)
    return document


def agrees(document: JsonObject) -> None:
    cold, warm = JsonLd(contexts()), json_ld()
    theirs = PYLD.canonicalize(copy.deepcopy(document)).statements
    assert cold.canonicalize(document).statements == theirs
    assert warm.canonicalize(document).statements == theirs
    assert warm.canonicalize(document).statements == theirs


DOCUMENTS: dict[str, JsonObject] = {
    "a card": card(ISSUER, HOLDER),
    "blank subject": card(ISSUER),
    "ordered list": with_subject(order=["a", "b", "a"]),
    "ordered list of nodes": with_subject(order=[{"name": "합성"}, "x"]),
    "empty ordered list": with_subject(order=[]),
    "json": with_subject(extra={"b": [1, None, {"@context": "x"}], "a": 1.5, "id": 7}),
    "numbers": with_subject(childCount=[0, -1, 2.5, 10.0, 1e21, 1e-7, 123456789.125]),
    "languages": {
        **card(ISSUER),
        "name": [{"@value": "Card", "@language": "en"}, {"@value": "카드", "@language": "ko-KR"}],
    },
    "typed value": with_subject(givenName={"@value": "2026-01", "@type": "urn:example:month"}),
    "two scoped types": {
        **card(ISSUER, HOLDER),
        "credentialSchema": {"id": "urn:s", "type": ["JsonSchema", "VerifiablePresentation"]},
    },
    "presentation": presentation(HOLDER, card(ISSUER, HOLDER), card(ISSUER)),
    "like children": with_subject(children=[{"birthMonth": "2015-03"}, {"birthMonth": "2015-03"}]),
    "version 1.1": {
        "@context": [CREDENTIALS_V1],
        "type": ["VerifiableCredential"],
        "issuer": ISSUER,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": HOLDER},
        "credentialStatus": {"id": "urn:x:1", "type": "urn:x:Entry"},
    },
    "own vocabulary of a pinned context": {
        "@context": [CREDENTIALS_V2, EXAMPLES_V2],
        "type": ["VerifiableCredential", "Anything"],
        "issuer": ISSUER,
        "credentialSubject": {"whatever": {"nested": "x"}},
    },
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pyld_gives_the_same_canonical_form(name: str) -> None:
    agrees(DOCUMENTS[name])


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).filter(
    lambda text: not text.startswith("_:")
)
# What JSON-LD writes with its 16 digits; longer numbers are refused.
NUMBER = (
    st.floats(allow_nan=False, allow_infinity=False)
    .filter(lambda number: Decimal(f"{number:.15E}") == Decimal(repr(number)))
    .filter(lambda number: not number.is_integer() or not 2**53 <= abs(number) < 1e21)
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "givenName": TEXT | st.lists(TEXT, min_size=1, max_size=3, unique=True),
            "childCount": st.integers(-(2**53) + 1, 2**53 - 1) | NUMBER,
            "seoulResident": st.booleans(),
            "validInMonth": TEXT,
            "order": st.lists(TEXT | st.integers(0, 9), min_size=1, max_size=3),
            "children": st.lists(
                st.fixed_dictionaries({"birthMonth": TEXT}), min_size=1, max_size=3
            ),
        },
    )
)
def test_pyld_agrees_on_any_card(members: dict[str, Any]) -> None:
    document = card(ISSUER, HOLDER)
    document["credentialSubject"] = {"id": HOLDER, "type": "CardHolder", **members}
    agrees(document)


LOST: dict[str, tuple[JsonObject, type[SeoulWalletError]]] = {
    "undefined term": (with_subject(nickname="x"), StatementsLost),
    "undefined type": ({**card(ISSUER), "type": ["VerifiableCredential", "Nope"]}, StatementsLost),
    "term of another type": ({**card(ISSUER), "childCount": 2}, StatementsLost),
    "null": (with_subject(givenName=None), StatementsLost),
    "null id": ({**card(ISSUER), "id": None}, JsonLdMalformed),
    "null json": (with_subject(extra=None), StatementsLost),
    "null in a list": (with_subject(givenName=["a", None]), StatementsLost),
    "empty list": (with_subject(givenName=[]), StatementsLost),
    "repeated value": (with_subject(givenName=["a", "a"]), StatementsLost),
    "repeated type": ({**card(ISSUER), "type": ["VerifiableCredential"] * 2}, StatementsLost),
    "repeated node": (with_subject(children=[{"id": "urn:c"}, {"id": "urn:c"}]), StatementsLost),
    "list in a list": (with_subject(givenName=[["a"]]), StatementsLost),
    "relative id": ({**card(ISSUER), "id": "card"}, StatementsLost),
    "relative fragment": ({**card(ISSUER), "issuer": "#me"}, StatementsLost),
    "empty id": ({**card(ISSUER), "id": ""}, StatementsLost),
    "invalid id": ({**card(ISSUER), "id": "urn:a b"}, StatementsLost),
    "invalid reference": ({**card(ISSUER), "issuer": "https://a/%zz"}, StatementsLost),
    "invalid language": (
        {**card(ISSUER), "name": {"@value": "x", "@language": "not a tag"}},
        StatementsLost,
    ),
    "direction": (
        {**card(ISSUER), "name": {"@value": "x", "@language": "ko", "@direction": "rtl"}},
        JsonLdMalformed,
    ),
    "index": ({**card(ISSUER), "name": {"@value": "x", "@index": "1"}}, JsonLdMalformed),
    "blank node id": (with_subject(children={"id": "_:b0"}), StatementsLost),
    "blank node value": ({**card(ISSUER), "issuer": "_:c14n0"}, StatementsLost),
    "blank node name": (with_subject(**{"_:p": "x"}), StatementsLost),
    "name with a space": (with_subject(**{"given name": "x"}), StatementsLost),
    "iri name with a space": (with_subject(**{"https://a/b c": "x"}), StatementsLost),
    "keyword look-alike": (with_subject(**{"@note": "x"}), JsonLdMalformed),
    "type look-alike": (
        {**card(ISSUER), "type": ["VerifiableCredential", "@x"]},
        StatementsLost,
    ),
    "value look-alike": ({**card(ISSUER), "issuer": "@me"}, StatementsLost),
    "graph": ({**card(ISSUER), "@graph": [{"id": "urn:x", "name": "x"}]}, JsonLdMalformed),
    "included": ({**card(ISSUER), "@included": [{"id": "urn:x"}]}, JsonLdMalformed),
    "reverse": ({**card(ISSUER), "@reverse": {"issuer": {"id": "urn:x"}}}, JsonLdMalformed),
    "nest": ({**card(ISSUER), "@nest": {"name": "x"}}, JsonLdMalformed),
    "large integer": (with_subject(childCount=2**53), JsonLdMalformed),
    "long number": (with_subject(childCount=100000000000000.75), JsonLdMalformed),
    "infinity": (with_subject(childCount=float("inf")), JsonLdMalformed),
    "value object with more": (
        with_subject(givenName={"@value": "x", "id": "urn:x"}),
        JsonLdMalformed,
    ),
    "value object of null": (with_subject(givenName={"@value": None}), StatementsLost),
    "embedded without context": (
        presentation(HOLDER, {"id": "urn:x", "type": "VerifiableCredential"}),
        StatementsLost,
    ),
    "embedded that is only an id": (presentation(HOLDER, {"id": "urn:x"}), StatementsLost),
    "embedded reference": (
        {**presentation(HOLDER), "verifiableCredential": "urn:x"},
        StatementsLost,
    ),
    "nothing": ({"@context": CREDENTIALS_V2, "id": "urn:x"}, StatementsLost),
    "lone surrogate": (with_subject(givenName="\ud800"), JsonLdMalformed),
    "bytes": (with_subject(givenName=b"x"), StatementsLost),
}


@pytest.mark.parametrize("name", LOST)
def test_refuses_what_a_signature_would_not_cover(name: str) -> None:
    document, error = LOST[name]
    for canonicalizer in (JsonLd(contexts()), json_ld()):
        with pytest.raises(error):
            canonicalizer.canonicalize(document)


@pytest.mark.parametrize(
    "context",
    [
        ["https://attacker.example/v1"],
        [CREDENTIALS_V2, "http://www.w3.org/ns/credentials/v2"],
        [CREDENTIALS_V2, "file:///etc/passwd"],
        [CREDENTIALS_V2, "data:application/ld+json,{}"],
        [CREDENTIALS_V2, {"issuer": "urn:x"}],
        [CREDENTIALS_V2, None],
        [CREDENTIALS_V2, [CREDENTIALS_V2]],
        None,
        5,
        {"@vocab": "urn:x:"},
    ],
)
def test_only_pinned_contexts_by_url_are_taken(context: Any) -> None:
    with pytest.raises(UnsupportedContext):
        pinned_json_ld().canonicalize({**card(ISSUER), "@context": context})


@pytest.mark.parametrize("context", [[], [CREDENTIALS_V2] * 17])
def test_the_number_of_contexts_is_limited(context: list[str]) -> None:
    with pytest.raises(JsonLdMalformed):
        pinned_json_ld().canonicalize({**card(ISSUER), "@context": context})


def test_a_context_inside_the_document_is_held_to_the_same_rule() -> None:
    with pytest.raises(UnsupportedContext):
        json_ld().canonicalize(with_subject(**{"@context": {"givenName": "urn:x"}}))


@pytest.mark.parametrize(
    "context",
    [
        {"a": {"@reverse": "urn:a"}},
        {"a": {"@id": "urn:a", "@container": "@index"}},
        {"a": {"@id": "urn:a", "@container": ["@language"]}},
        {"a": None},
        {"v": "@value"},
        {"@language": "ko"},
        {"@base": "urn:x"},
        "https://elsewhere.example/",
        {
            "a": {"@id": "urn:a", "@type": "@json"},
            "T": {"@id": "urn:T", "@context": {"a": "urn:a"}},
        },
        {"T": {"@id": "urn:T", "@context": "https://elsewhere.example/"}},
    ],
)
def test_a_context_that_is_not_supported_is_not_pinned(context: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        ContextSet({"https://seoul.example/x": to_json({"@context": context})})


def test_a_pinned_context_is_not_replaced() -> None:
    with pytest.raises(ValueError, match="not replaced"):
        pinned_contexts().extended({CREDENTIALS_V2: b'{"@context":{}}'})


def test_two_types_with_contexts_of_their_own_both_count() -> None:
    """pyoxigraph 0.5 forgets all but the last: a change there would show here."""
    definitions = {
        "id": "@id",
        "type": "@type",
        "A": {"@id": "urn:t:A", "@context": {"a": "urn:t:a"}},
        "B": {"@id": "urn:t:B", "@context": {"b": "urn:t:b"}},
        "가": {"@id": "urn:t:K", "@context": {"k": "urn:t:k"}},
        "inner": "urn:t:inner",
    }
    url = "https://seoul.example/two-types"
    known = ContextSet({url: to_json({"@context": definitions})})
    document: JsonObject = {
        "@context": url,
        "id": "urn:x",
        "type": ["가", "B", "A"],
        "a": 1,
        "b": 2,
        "k": 3,
        "inner": [{"type": ["A", "B"], "a": 4, "b": 5}, {"type": "B", "b": 6}],
    }
    theirs = PyldCanonicalizer(known).canonicalize(copy.deepcopy(document)).statements
    ours = JsonLd(known)
    for _ in range(2):
        assert ours.canonicalize(document).statements == theirs
    with pytest.raises(StatementsLost):
        ours.canonicalize({**document, "inner": {"type": "B", "a": 4}})


def test_the_pinned_contexts_are_the_published_bytes() -> None:
    import tomllib
    from hashlib import sha256
    from importlib.resources import files

    folder = files("wallet.credentials.jsonld") / "contexts"
    sources = tomllib.loads((folder / "SOURCES.toml").read_text())["file"]
    assert {entry["url"]: entry["name"] for entry in sources} == FILES
    for entry in sources:
        assert sha256((folder / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=6)
            | st.sampled_from(
                ["id", "type", "@context", "@value", "@list", "@type", "issuer", "children"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(["issuer", "credentialSubject", "proof", "@context", "type", "x"]))
def test_any_json_raises_only_our_errors(value: Any, name: str) -> None:
    for document in ({**card(ISSUER), name: value}, {"@context": CARD_CONTEXT, "@id": value}):
        with contextlib.suppress(SeoulWalletError):
            json_ld().canonicalize(document)


def test_the_signer_of_these_tests_is_the_same_in_every_run() -> None:
    assert ed25519().did == ed25519().did != ed25519(2).did
