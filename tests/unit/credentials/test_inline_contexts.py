"""Contexts given inline: what they mean is signed, and they do no more than mean something."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.w3c import (
    CARD_CONTEXT,
    EXAMPLES_V2,
    NOW,
    PyldCanonicalizer,
    card,
    contexts,
    documents,
    ed25519,
)
from wallet.credentials.cryptosuites.eddsa_jcs_2022 import EDDSA_JCS_2022
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.issue import issue_credential
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.jsonld.errors import JsonLdMalformed, StatementsLost, UnsupportedContext
from wallet.credentials.jsonld.inline import INLINE, MAX_INLINE_CONTEXTS, InlineJsonLd
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.credentials.jsonld.processor import JsonLd
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

INLINE_JSON_LD = InlineJsonLd(contexts())
PYLD = PyldCanonicalizer(contexts())
SHOE: JsonObject = {"shoeSize": "https://shop.example/#size", "Shoe": "https://shop.example/#Shoe"}


def shoe(*inline: Any, **members: Any) -> JsonObject:
    """Return a credential that says something that only its own contexts define."""
    return {
        "@context": [CREDENTIALS_V2, *inline],
        "type": ["VerifiableCredential", "Shoe"],
        "issuer": ed25519().did,
        "credentialSubject": {"id": "did:example:synthetic", "shoeSize": "260", **members},
    }


DOCUMENTS: dict[str, JsonObject] = {
    "terms": shoe(SHOE),
    "a vocabulary": shoe({"@vocab": "https://shop.example/#"}),
    "a term with a type": shoe(
        {"@protected": True, "Shoe": {"@id": "urn:s:Shoe"}, "shoeSize": {"@id": "urn:s:size"}},
        {"maker": {"@id": "urn:s:maker", "@type": "@id"}},
        maker="did:example:maker",
    ),
    "below the top": {
        **card(ed25519().did),
        "@context": [CREDENTIALS_V2, CARD_CONTEXT, SHOE],
        "evidence": {"@context": {"seen": "urn:s:seen"}, "type": "urn:s:Look", "seen": "yes"},
    },
    "without a list": {"@context": {"size": "urn:s:size"}, "@id": "urn:s:1", "size": "1"},
    "in a literal": shoe(SHOE, CARD_CONTEXT, extra={"@context": {"a": "b"}}),
}
DOCUMENTS["in a literal"]["type"] = ["VerifiableCredential", "Shoe", "FamilyCardCredential"]


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "in a literal"])
def test_pyld_gives_the_same_canonical_form(name: str) -> None:
    theirs = PYLD.canonicalize(copy.deepcopy(DOCUMENTS[name])).statements
    for _ in range(2):
        assert INLINE_JSON_LD.canonicalize(DOCUMENTS[name]).statements == theirs


@pytest.mark.parametrize("suite", [EDDSA_RDFC_2022, EDDSA_JCS_2022], ids=lambda suite: suite.name)
def test_what_a_term_means_is_signed(suite: WholeDocumentSuite) -> None:
    issuer = ed25519()
    signed = issue_credential(
        shoe(SHOE), issuer.key, issuer.options(), suite, json_ld=INLINE_JSON_LD
    ).document

    def verify(document: JsonObject) -> str:
        return verify_credential(
            document, documents(issuer), now=NOW, json_ld=INLINE_JSON_LD
        ).credential.issuer

    assert verify(signed) == issuer.did
    other = copy.deepcopy(signed)
    other["@context"][1]["shoeSize"] = "https://shop.example/#price"
    if "@context" in other["proof"]:
        other["proof"]["@context"] = other["@context"]
    with pytest.raises(SignatureInvalid):
        verify(other)


def test_one_documents_contexts_mean_nothing_to_another() -> None:
    INLINE_JSON_LD.canonicalize(shoe(SHOE))
    with pytest.raises(StatementsLost):
        INLINE_JSON_LD.canonicalize(shoe({"Shoe": "https://shop.example/#Shoe"}))
    with pytest.raises(StatementsLost):
        INLINE_JSON_LD.canonicalize(shoe())


BAD_CONTEXTS: dict[str, Any] = {
    "an import": {"@import": "https://attacker.example/"},
    "a base": {"@base": "https://attacker.example/"},
    "a language": {"@language": "ko"},
    "no vocabulary": {"@vocab": None},
    "a relative vocabulary": {"@vocab": "#"},
    "an alias of a keyword": {"number": "@id"},
    "a literal": {"Shoe": {"@id": "urn:s:Shoe", "@type": "@json"}},
    "a container": {"Shoe": {"@id": "urn:s:Shoe", "@container": "@list"}},
    "a reverse property": {"Shoe": {"@reverse": "urn:s:Shoe"}},
    "a scoped context": {"Shoe": {"@id": "urn:s:Shoe", "@context": {"a": "urn:a"}}},
    "a term that is forgotten": {"Shoe": None},
    "a term that is a number": {"Shoe": 5},
    "a term that is no IRI": {"Shoe": "https ://shop.example/#Shoe"},
    "a context in a context": {"@context": SHOE},
    "a form that a pinned term has already": {"order": "urn:s:order"},
    "a null": None,
    "a list": [SHOE],
    "a url that is not pinned": "https://attacker.example/v1",
    "the name of an inline context": INLINE + "0" * 64,
    "a long one": {f"term{number}": "urn:s:" + "a" * 1000 for number in range(17)},
}


@pytest.mark.parametrize("kind", sorted(BAD_CONTEXTS))
def test_an_inline_context_that_does_more_is_refused(kind: str) -> None:
    document = shoe({"@vocab": "https://shop.example/#"}, BAD_CONTEXTS[kind])
    with pytest.raises(UnsupportedContext):
        INLINE_JSON_LD.canonicalize(document)
    with pytest.raises(UnsupportedContext):
        INLINE_JSON_LD.check_contexts(document["@context"])
    INLINE_JSON_LD.check_contexts(document["@context"][:2])


def test_a_protected_term_is_not_redefined() -> None:
    protected = {"@protected": True, "Shoe": "urn:s:Shoe"}
    for inline in (
        [{"VerifiableCredential": "urn:s:Other"}],
        [{"id": "urn:s:id"}],
        [protected, {"Shoe": "urn:s:Boot"}],
    ):
        document = shoe({"@vocab": "https://shop.example/#"}, *inline)
        with pytest.raises(JsonLdMalformed):
            INLINE_JSON_LD.canonicalize(document)
        with pytest.raises(JsonLdMalformed):
            INLINE_JSON_LD.check_contexts(document["@context"])
    # The same definition again changes nothing.
    INLINE_JSON_LD.canonicalize(shoe(protected, {**protected, "shoeSize": "urn:s:size"}))


def test_the_number_of_inline_contexts_is_limited() -> None:
    many = [{f"t{number}": "urn:s:t"} for number in range(MAX_INLINE_CONTEXTS + 1)]
    document = shoe(SHOE, children=[{"@context": each, "name": "a"} for each in many])
    with pytest.raises(UnsupportedContext):
        INLINE_JSON_LD.canonicalize(document)


def test_a_document_without_them_is_read_as_ever() -> None:
    plain = JsonLd(contexts())
    for document in (card(ed25519().did), {**shoe(), "@context": [CREDENTIALS_V2, EXAMPLES_V2]}):
        assert (
            INLINE_JSON_LD.canonicalize(document).statements
            == plain.canonicalize(document).statements
        )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@context", "@vocab", "@id", "@type", "@protected", "a", "urn:b"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(_JSON, _JSON)
def test_any_context_raises_only_our_errors(value: Any, other: Any) -> None:
    document = {**shoe(value), "evidence": other}
    with contextlib.suppress(SeoulWalletError):
        INLINE_JSON_LD.canonicalize(document)
    with contextlib.suppress(SeoulWalletError):
        INLINE_JSON_LD.check_contexts(value)
