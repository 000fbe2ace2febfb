"""JSON pointers and what they select."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.w3c import NOW, card, documents, json_ld, p256
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.data_integrity.groups import UnsupportedForDisclosure
from wallet.credentials.data_integrity.issue import (
    derive_credential,
    issue_disclosable_credential,
)
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.selection import PointerMalformed, parse_pointer, select
from wallet.credentials.data_integrity.verify import verify_credential
from wallet.credentials.vcdm.fields import CredentialMalformed
from wallet.encoding.json import JsonObject

DOCUMENT: JsonObject = {
    "@context": ["urn:context"],
    "id": "urn:x",
    "type": ["A"],
    "a/b": {"~": 1, "other": 2},
    "list": [{"id": "urn:0", "v": 0}, {"type": "T", "v": 1, "w": 2}, "x"],
    "plain": "y",
}


@pytest.mark.parametrize(
    ("pointers", "selected"),
    [
        (["/plain"], {"plain": "y"}),
        (["/a~1b/~0"], {"a/b": {"~": 1}}),
        (["/list/1/v"], {"list": [{"type": "T", "v": 1}]}),
        (["/list/2", "/list/0/v"], {"list": [{"id": "urn:0", "v": 0}, "x"]}),
        (["/list", "/list/0/v"], {"list": DOCUMENT["list"]}),
        (["/list/0/v", "/list"], {"list": DOCUMENT["list"]}),
        (["/list/1/v", "/list/1"], {"list": [{"type": "T", "v": 1, "w": 2}]}),
        ([""], DOCUMENT),
    ],
)
def test_selects_what_the_pointers_say_and_the_way_there(
    pointers: list[str], selected: JsonObject
) -> None:
    outline = {name: DOCUMENT[name] for name in ("@context", "id", "type")}
    assert select(DOCUMENT, pointers) == {**outline, **selected}


@pytest.mark.parametrize(
    "pointer",
    ["plain", "/nothing", "/list/3", "/list/-1", "/list/01", "/list/-", "/plain/0", "/a~2b", "/~",
     "/list/1/v/0", "/" + "a" * 1024, 5, None],
)  # fmt: skip
def test_refuses_a_pointer_to_nothing(pointer: Any) -> None:
    with pytest.raises(PointerMalformed):
        select(DOCUMENT, [pointer])


def test_the_number_of_pointers_is_limited_and_tokens_are_unescaped() -> None:
    for pointers in ([], ["/plain"] * 257):
        with pytest.raises(PointerMalformed):
            select(DOCUMENT, pointers)
    assert parse_pointer("/a~1b/~01") == ("a/b", "~1")
    assert parse_pointer("") == ()


def issue(document: JsonObject, mandatory: list[str]) -> JsonObject:
    issuer = p256()
    return issue_disclosable_credential(
        {**document, "issuer": issuer.did},
        issuer.key,
        issuer.options(),
        ECDSA_SD_2023,
        mandatory_pointers=mandatory,
        json_ld=json_ld(),
    ).document


MANDATORY = ["/issuer", "/validFrom", "/validUntil"]


@pytest.mark.parametrize(
    "pointers",
    [
        ["/credentialSubject/type"],
        ["/cardNumber", "/credentialSubject/childCount"],
        ["/credentialSubject"],
        ["/credentialSubject/children/0", "/credentialSubject/children/1"],
        ["/credentialSubject/seoulResident", "/credentialSubject/givenName"],
        [""],
    ],
)
def test_every_selection_of_a_card_verifies_and_shows_no_more(pointers: list[str]) -> None:
    base = issue(card("did:example:issuer"), MANDATORY)
    derived = derive_credential(base, pointers, ECDSA_SD_2023, json_ld=json_ld())
    verified = verify_credential(derived, documents(p256()), now=NOW, json_ld=json_ld())
    shown = select({k: v for k, v in base.items() if k != "proof"}, [*MANDATORY, *pointers])
    assert {k: v for k, v in derived.items() if k != "proof"} == shown
    assert verified.credential.valid_until is not None or pointers != [""]
    if pointers != [""]:
        assert "cardNumber" not in derived or "/cardNumber" in pointers


def test_a_selection_without_a_subject_is_not_a_credential() -> None:
    base = issue(card("did:example:issuer"), MANDATORY)
    derived = derive_credential(base, ["/cardNumber"], ECDSA_SD_2023, json_ld=json_ld())
    with pytest.raises(CredentialMalformed):
        verify_credential(derived, documents(p256()), now=NOW, json_ld=json_ld())


def test_what_cannot_be_told_apart_is_not_signed_for_disclosure() -> None:
    document = card("did:example:issuer")
    document["credentialSubject"]["order"] = ["a", "b"]
    with pytest.raises(UnsupportedForDisclosure):
        issue(document, MANDATORY)
    document = card("did:example:issuer")
    document["credentialSubject"]["id"] = "urn:seoul-wallet:node:0"
    with pytest.raises(UnsupportedForDisclosure):
        issue(document, MANDATORY)


def test_a_credential_that_cannot_be_derived_from_is_refused() -> None:
    base = issue(card("did:example:issuer"), MANDATORY)
    for broken in (
        {k: v for k, v in base.items() if k != "proof"},
        {**base, "proof": [base["proof"], base["proof"]]},
        {**base, "proof": {**base["proof"], "cryptosuite": "ecdsa-rdfc-2019"}},
        derive_credential(base, [], ECDSA_SD_2023, json_ld=json_ld()),
        {**base, "name": "added"},
    ):
        with pytest.raises(ProofMalformed):
            derive_credential(broken, [], ECDSA_SD_2023, json_ld=json_ld())
