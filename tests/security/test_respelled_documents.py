"""LD-11: one meaning, another spelling.

A signature over RDF covers what a document says, not how it is written. A holder may rewrite what
an issuer signed as long as the statements stay; what readers look for by name must stay in sight.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from seoul_wallet.contexts import development_json_ld
from tests.support.w3c import (
    CARD_CONTEXT,
    NOW,
    card,
    contexts,
    documents,
    ed25519,
    json_ld,
    presentation,
)
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.issue import issue_credential
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.jsonld.errors import JsonLdMalformed, StatementsLost, UnsupportedContext
from wallet.credentials.jsonld.inline import InlineJsonLd
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.credentials.jsonld.processor import Canonicalizer, JsonLd
from wallet.credentials.jsonld.seoul import seoul_contexts
from wallet.credentials.vcdm.credential import ValidityPeriodEnded
from wallet.crypto.keys import SignatureInvalid
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError
from wallet.verification.bitstring_list import UnsupportedStatusType, bitstring_entries

ISSUER, HOLDER = ed25519(1), "did:example:holder"
CREDENTIALS = "https://www.w3.org/2018/credentials#"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
TERMS = "https://seoul.example/terms#"
STATUS = {
    "id": "https://issuer.example/status-lists/1#5",
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "5",
    "statusListCredential": "https://issuer.example/status-lists/1",
}


def issued(**changes: Any) -> JsonObject:
    return issue_credential(
        {**card(ISSUER.did, HOLDER), "credentialStatus": STATUS, **changes},
        ISSUER.key,
        ISSUER.options(),
        EDDSA_RDFC_2022,
        json_ld=json_ld(),
    ).document


def verify(document: JsonObject, canonicalizer: Canonicalizer | None = None) -> None:
    verify_credential(
        document, documents(ISSUER), now=NOW, json_ld=canonicalizer or JsonLd(contexts())
    )


def _rename(old: str, new: str, **around: Any) -> Callable[[JsonObject], None]:
    def change(document: JsonObject) -> None:
        value = document.pop(old)
        document[new] = {"@value": value, **around} if around else value

    return change


def _in_subject(name: str, value: Any) -> Callable[[JsonObject], None]:
    def change(document: JsonObject) -> None:
        document["credentialSubject"][name] = value

    return change


def _subject_name(document: JsonObject) -> None:
    subject = document["credentialSubject"]
    subject[f"{TERMS}seoulResident"] = subject.pop("seoulResident")


def _types_twice(document: JsonObject) -> None:
    document["type"], document["@type"] = ["VerifiableCredential"], ["FamilyCardCredential"]


# What a holder does to a signed credential, and what is said to it.
RESPELLED: dict[str, tuple[Callable[[JsonObject], None], type[SeoulWalletError]]] = {
    "the end of validity by its IRI": (
        _rename("validUntil", f"{CREDENTIALS}validUntil", **{"@type": DATE_TIME}),
        StatementsLost,
    ),
    "the status by its IRI": (
        _rename("credentialStatus", f"{CREDENTIALS}credentialStatus"),
        StatementsLost,
    ),
    "a claim by its IRI": (_subject_name, StatementsLost),
    "some types by the keyword": (_types_twice, JsonLdMalformed),
    "a value twice, as a value object": (
        _in_subject("givenName", ["합성", {"@value": "합성"}]),
        StatementsLost,
    ),
    "a value object twice": (
        _in_subject("givenName", [{"@value": "합성"}, {"@value": "합성"}]),
        StatementsLost,
    ),
    "a number twice, once with a point": (_in_subject("childCount", [2, 2.0]), StatementsLost),
    "a number twice, once as text": (
        _in_subject(
            "childCount",
            [2, {"@value": "2", "@type": "http://www.w3.org/2001/XMLSchema#integer"}],
        ),
        StatementsLost,
    ),
    "a large number twice, once as text": (
        _in_subject(
            "childCount",
            [1e22, {"@value": "1.0E22", "@type": "http://www.w3.org/2001/XMLSchema#double"}],
        ),
        StatementsLost,
    ),
    "what is no number": (_in_subject("childCount", [1e400, 2]), JsonLdMalformed),
    "an integer without end": (_in_subject("childCount", [10**5000, 2]), JsonLdMalformed),
    "a truth twice": (
        _in_subject(
            "seoulResident",
            [True, {"@value": "true", "@type": "http://www.w3.org/2001/XMLSchema#boolean"}],
        ),
        StatementsLost,
    ),
}


@pytest.mark.parametrize("name", RESPELLED)
def test_ld_11_a_signed_credential_cannot_be_spelled_otherwise(name: str) -> None:
    change, error = RESPELLED[name]
    document = issued()
    verify(document)
    changed = copy.deepcopy(document)
    change(changed)
    # Cold, and after many good ones of the same shape.
    for canonicalizer in (JsonLd(contexts()), json_ld()):
        verify(document, canonicalizer)
        with pytest.raises(error):
            verify(changed, canonicalizer)


def test_ld_11_an_expired_credential_is_not_revived_by_another_spelling() -> None:
    expired = issued(validUntil="2026-06-01T00:00:00Z")
    with pytest.raises(ValidityPeriodEnded):
        verify(expired)
    RESPELLED["the end of validity by its IRI"][0](expired)
    with pytest.raises(StatementsLost):
        verify(expired)


@pytest.mark.parametrize("name", ["jsonSchema", "publicKeyJwk", "extra"])
@pytest.mark.parametrize("hiding", ["\\", "urn:example:child", None])
def test_ld_11_signed_members_are_not_moved_out_of_sight(name: str, hiding: str | None) -> None:
    # What is said of a node whose id is no IRI is lost, but not what is said of nodes inside;
    # and where a term stands for JSON nobody looks into it, unless it is met out of its scope.
    expired = issued(validUntil="2026-06-01T00:00:00Z")
    moved = [
        {
            "@id": expired["id"],
            f"{CREDENTIALS}{date}": {"@value": expired.pop(date), "@type": DATE_TIME},
        }
        for date in ("validUntil", "validFrom")
    ]
    child = {name: moved} if hiding is None else {"id": hiding, name: moved}
    expired["credentialSubject"]["children"].append(child)
    with pytest.raises((StatementsLost, JsonLdMalformed, SignatureInvalid)):
        verify(expired)


@pytest.mark.parametrize("value", [{"@list": []}, {"@list": ["x"]}, {"@set": ["x"]}])
def test_ld_11_lists_and_sets_are_not_spelled_as_objects(value: JsonObject) -> None:
    # In a term for embedded documents such a list would end the process, inside the parser.
    inside = {"type": "VerifiablePresentation", "verifiableCredential": value}
    for document in (
        {**presentation(HOLDER), "verifiableCredential": {"@list": [card(ISSUER.did)]}},
        {**presentation(HOLDER), "verifiableCredential": value},
        {**card(ISSUER.did), "name": value},
        {**card(ISSUER.did, HOLDER), "credentialSubject": {"type": "CardHolder", "order": value}},
    ):
        with pytest.raises(JsonLdMalformed):
            JsonLd(contexts()).canonicalize(document)
    # Out of its scope a term for JSON is none, and what it holds would be read.
    with pytest.raises(StatementsLost):
        JsonLd(contexts()).canonicalize(
            {**presentation(HOLDER, card(ISSUER.did)), "jsonSchema": inside}
        )


def test_ld_11_a_status_of_a_type_in_a_list_is_not_passed_over() -> None:
    document = issued()
    credential = verify_credential(document, documents(ISSUER), now=NOW, json_ld=json_ld())
    (entry,) = bitstring_entries(credential.credential.statuses)
    assert entry.index == 5
    document["credentialStatus"]["type"] = ["BitstringStatusListEntry"]
    same = verify_credential(document, documents(ISSUER), now=NOW, json_ld=json_ld())
    with pytest.raises(UnsupportedStatusType):
        bitstring_entries(same.credential.statuses)


def test_ld_11_no_term_of_a_pinned_context_has_two_names() -> None:
    for known in (contexts(), seoul_contexts(), development_json_ld().contexts):
        assert len(known._names_by_iri) > 100
        assert [names for names in known._names_by_iri.values() if len(names) > 1] == []


@pytest.mark.parametrize(
    "context",
    [
        {"until": {"@id": f"{CREDENTIALS}validUntil", "@type": DATE_TIME}},
        {"until": {"@id": "c:validUntil", "@type": DATE_TIME}, "c": CREDENTIALS},
        {"@vocab": "https://www.w3.org/2018/"},
    ],
)
def test_ld_11_an_inline_context_gives_no_second_name(context: JsonObject) -> None:
    canonicalizer = InlineJsonLd(contexts())
    document = issued()
    document["@context"] = [CREDENTIALS_V2, CARD_CONTEXT, {"nickname": "urn:example:nickname"}]
    verify(document, canonicalizer)
    document["@context"][-1] = context
    name = "until" if "until" in context else "credentials#validUntil"
    value = document.pop("validUntil")
    document[name] = value if "until" in context else {"@value": value, "@type": DATE_TIME}
    with pytest.raises(UnsupportedContext):
        verify(document, canonicalizer)
