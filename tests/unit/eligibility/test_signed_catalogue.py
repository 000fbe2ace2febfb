"""The published catalogue: signed, bounded, never older than the one known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.programmes import example_catalogue
from wallet.credentials.jose import sign_jws
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import DidDocument, build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.eligibility.document import ProgrammeInvalid
from wallet.eligibility.signed_catalogue import (
    CatalogueMalformed,
    CatalogueNotTrusted,
    CatalogueOutdated,
    PublishedCatalogue,
    publish_catalogue,
    verify_published_catalogue,
)
from wallet.encoding.json import JsonMalformed, parse_json_object, to_json
from wallet.errors import MalformedError

CITY = "did:web:city.example"
NOW = 1_790_000_000
KEY = Es256SigningKey.generate()


def document_of(did: str, key: Es256SigningKey) -> DidDocument:
    return parse_did_document(build_did_document(did, {"key-1": key.public_key}), parse_did(did))


def published(**changes: Any) -> bytes:
    catalogue = example_catalogue()
    settings: dict[str, Any] = {
        "publisher": CITY,
        "verification_method": f"{CITY}#key-1",
        "apply_to": dict.fromkeys(catalogue.versions, "https://agency.example"),
        "issued_at": NOW - 60,
        "expires_at": NOW + 3600,
    }
    return publish_catalogue(catalogue, KEY, **{**settings, **changes})


def verify(data: bytes, **changes: Any) -> PublishedCatalogue:
    settings: dict[str, Any] = {"publisher": CITY, "document": document_of(CITY, KEY), "now": NOW}
    return verify_published_catalogue(data, **{**settings, **changes})


def test_a_wallet_gets_the_programmes_that_were_published() -> None:
    found = verify(published())
    assert found.catalogue.programmes() == example_catalogue().programmes()
    assert found.apply_to["youth-rent"] == "https://agency.example"
    assert (found.publisher, found.issued_at) == (CITY, NOW - 60)


def test_refuses_a_catalogue_of_another_key_or_publisher() -> None:
    stranger = Es256SigningKey.generate()
    with pytest.raises(SignatureInvalid):
        verify(published(), document=document_of(CITY, stranger))
    with pytest.raises(CatalogueNotTrusted):
        verify(published(publisher="did:web:other.example"))
    with pytest.raises(CatalogueNotTrusted):
        verify(published(), document=document_of("did:web:other.example", KEY))


def test_refuses_a_catalogue_that_expired_or_is_older_than_the_one_known() -> None:
    assert verify(published(), now=NOW + 3599)
    with pytest.raises(CatalogueOutdated):
        verify(published(), now=NOW + 3600)
    assert verify(published(), not_before=NOW - 60)
    with pytest.raises(CatalogueOutdated):
        verify(published(), not_before=NOW - 59)


def test_refuses_documents_that_are_not_the_ones_signed_for() -> None:
    def changed(change: Any) -> bytes:
        value = parse_json_object(published())
        change(value["documents"])
        return to_json(value)

    def easier(documents: list[Any]) -> None:
        documents[0]["title"]["en"] = "Free tickets"

    def swapped(documents: list[Any]) -> None:
        documents[0], documents[1] = documents[1], documents[0]

    for change in (easier, swapped, lambda documents: documents.pop()):
        with pytest.raises(CatalogueNotTrusted):
            verify(changed(change))

    def broken(documents: list[Any]) -> None:
        documents[0]["surprise"] = 1

    with pytest.raises(ProgrammeInvalid):
        verify(changed(broken))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"catalogue": 1, "documents": []}', b'{"catalogue": "a.b.c"}']
)
def test_refuses_what_is_no_catalogue(data: bytes) -> None:
    with pytest.raises((CatalogueMalformed, JsonMalformed)):
        verify(data)


@pytest.mark.parametrize("programmes", [None, {}, [1], [{"id": "x"}], [{}] * 501])
def test_refuses_a_list_of_another_form(programmes: Any) -> None:
    claims = {"iss": CITY, "iat": NOW, "exp": NOW + 60, "programmes": programmes}
    token = sign_jws(KEY, {"typ": "programme-catalogue+jwt", "kid": f"{CITY}#key-1"}, claims)
    with pytest.raises(MalformedError):
        verify(to_json({"catalogue": token, "documents": []}))
