"""The structure of credentials and presentations, member by member."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.w3c import NOW, card, presentation
from wallet.credentials.vcdm.credential import (
    ValidityPeriodEnded,
    ValidityPeriodNotStarted,
    parse_credential,
)
from wallet.credentials.vcdm.fields import (
    CredentialMalformed,
    format_date_time,
    parse_date_time,
    parse_url,
)
from wallet.credentials.vcdm.presentation import (
    ENVELOPED_CREDENTIAL,
    parse_envelope,
    parse_presentation,
)
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError

ISSUER, HOLDER = "did:web:issuer.example", "did:example:holder"
GONE = object()


def changed(document: JsonObject, changes: dict[str, Any]) -> JsonObject:
    merged = {**document, **changes}
    return {name: value for name, value in merged.items() if value is not GONE}


def old_card() -> JsonObject:
    return {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuer": {"id": ISSUER, "name": "합성구"},
        "issuanceDate": "2026-01-01T09:00:00+09:00",
        "expirationDate": "2034-02-28T15:00:00Z",
        "credentialSubject": [{"id": HOLDER}, {"id": "did:example:child"}],
        "credentialStatus": {"id": "https://issuer.example/1#7", "type": "Entry"},
    }


def test_reads_a_credential_of_version_2() -> None:
    credential = parse_credential(card(ISSUER, HOLDER))
    assert credential.version == "2.0"
    assert credential.issuer == ISSUER
    assert credential.subject_ids == {HOLDER}
    assert credential.types == ("VerifiableCredential", "FamilyCardCredential")
    assert credential.valid_from == 1767225600
    credential.check_validity(NOW)


def test_reads_a_credential_of_version_1_1() -> None:
    credential = parse_credential(old_card())
    assert credential.version == "1.1"
    assert credential.issuer == ISSUER
    assert credential.valid_from == 1767225600
    assert credential.subject_ids == {HOLDER, "did:example:child"}


def test_a_credential_outside_its_dates_is_refused_with_the_reason() -> None:
    credential = parse_credential(card(ISSUER))
    with pytest.raises(ValidityPeriodNotStarted):
        credential.check_validity(1767225599)
    credential.check_validity(1767225599, clock_skew_s=1)
    assert credential.valid_until is not None
    credential.check_validity(credential.valid_until)
    with pytest.raises(ValidityPeriodEnded):
        credential.check_validity(credential.valid_until + 1)


BAD = [
    {"@context": GONE},
    {"@context": []},
    {"@context": "https://www.w3.org/2018/credentials/v1"},
    {"@context": ["https://seoul.example/x", "https://www.w3.org/ns/credentials/v2"]},
    {"@context": [{"@vocab": "https://seoul.example/"}]},
    {"@context": ["https://www.w3.org/ns/credentials/v2", 5]},
    {"@context": ["https://www.w3.org/ns/credentials/v2"] * 65},
    {"type": GONE},
    {"type": "FamilyCardCredential"},
    {"type": []},
    {"type": ["VerifiableCredential", 5]},
    {"type": ["VerifiableCredential"] * 33},
    {"id": "not a url"},
    {"id": None},
    {"id": ["urn:a", "urn:b"]},
    {"issuer": GONE},
    {"issuer": "합성구"},
    {"issuer": {"name": "no id"}},
    {"issuer": ["did:web:a", "did:web:b"]},
    {"credentialSubject": GONE},
    {"credentialSubject": {}},
    {"credentialSubject": []},
    {"credentialSubject": [{}]},
    {"credentialSubject": "did:example:holder"},
    {"credentialSubject": {"id": "holder"}},
    {"credentialSubject": [{"a": 1}] * 65},
    {"validFrom": "2026-01-01"},
    {"validFrom": "2026-01-01T00:00:00"},
    {"validFrom": "2026-02-30T00:00:00Z"},
    {"validFrom": 5},
    {"validFrom": None},
    {"validUntil": "2025-01-01T00:00:00Z"},
    {"issuanceDate": "2026-01-01T00:00:00Z"},
    {"credentialStatus": {"id": "urn:x"}},
    {"credentialStatus": "urn:x"},
    {"credentialStatus": {"id": "x y", "type": "Entry"}},
    {"credentialSchema": {"type": "JsonSchema"}},
    {"credentialSchema": {"id": "urn:s"}},
    {"termsOfUse": {"id": "urn:x"}},
    {"evidence": [{"type": 5}]},
    {"refreshService": {}},
    {"relatedResource": {"id": "urn:x"}},
    {"relatedResource": [{"id": "urn:x", "digestSRI": "a"}] * 2},
    {"name": 5},
    {"name": {"@language": "ko"}},
    {"description": {"@value": "x", "href": "y"}},
    {"credentialSubject": {"proof": {"type": "DataIntegrityProof"}}},
]


@pytest.mark.parametrize("changes", BAD, ids=lambda changes: str(changes)[:60])
def test_refuses_a_credential_with_a_member_that_breaks_its_rule(changes: dict[str, Any]) -> None:
    with pytest.raises(CredentialMalformed):
        parse_credential(changed(card(ISSUER, HOLDER), changes))


GOOD: list[dict[str, Any]] = [
    {"id": GONE},
    {"validFrom": GONE, "validUntil": GONE},
    {"name": {"@value": "다둥이 행복카드", "@language": "ko"}},
    {"name": [{"@value": "Card", "@language": "en"}, {"@value": "카드", "@language": "ko"}]},
    {"issuer": {"id": ISSUER, "name": "합성구"}},
    {"credentialStatus": {"type": "BitstringStatusListEntry"}},
    {"credentialSchema": [{"id": "urn:s", "type": "JsonSchema"}]},
    {"evidence": {"type": ["A", "B"]}},
    {"relatedResource": [{"id": "urn:x", "digestMultibase": "uEi"}]},
]


@pytest.mark.parametrize("changes", GOOD, ids=lambda changes: str(changes)[:60])
def test_accepts_a_credential_with_an_optional_member(changes: dict[str, Any]) -> None:
    parse_credential(changed(card(ISSUER, HOLDER), changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"issuanceDate": GONE},
        {"expirationDate": "2020-01-01T00:00:00Z"},
        {"validFrom": "2026-01-01T00:00:00Z"},
        {"credentialStatus": {"type": "Entry"}},
    ],
)
def test_version_1_1_has_its_own_rules(changes: dict[str, Any]) -> None:
    with pytest.raises(CredentialMalformed):
        parse_credential(changed(old_card(), changes))


def test_refuses_a_credential_that_is_too_deep_or_too_large() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = {"a": deep}
    for subject in (deep, {"a": list(range(10_001))}):
        with pytest.raises(CredentialMalformed):
            parse_credential({**card(ISSUER), "credentialSubject": subject})


def test_reads_a_presentation_and_refuses_a_broken_one() -> None:
    parsed = parse_presentation(presentation(HOLDER, card(ISSUER, HOLDER)))
    assert parsed.holder == HOLDER
    assert len(parsed.credentials) == 1
    for changes in (
        {"@context": GONE},
        {"type": "VerifiableCredential"},
        {"holder": "x"},
        {"holder": {"name": "x"}},
        {"id": "x"},
        {"verifiableCredential": "eyJ"},
        {"verifiableCredential": []},
        {"verifiableCredential": [card(ISSUER)] * 17},
    ):
        with pytest.raises(CredentialMalformed):
            parse_presentation(changed(presentation(HOLDER, card(ISSUER)), changes))


def test_reads_an_envelope_and_refuses_one_that_says_more() -> None:
    envelope = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": "data:application/vc+jwt,e30.e30.e30",
        "type": "EnvelopedVerifiableCredential",
    }
    media = "application/vc+jwt"
    assert parse_envelope(envelope, ENVELOPED_CREDENTIAL, media) == "e30.e30.e30"
    for changes in (
        {"issuer": ISSUER},
        {"id": "data:application/vp+jwt,e30.e30.e30"},
        {"id": "https://issuer.example/credential"},
        {"type": "VerifiableCredential"},
        {"@context": GONE},
    ):
        with pytest.raises(CredentialMalformed):
            parse_envelope(changed(envelope, changes), ENVELOPED_CREDENTIAL, media)


def test_dates_come_back_as_they_went_and_impossible_ones_are_refused() -> None:
    assert parse_date_time(format_date_time(NOW), "t") == NOW
    assert parse_date_time("2026-01-01T09:00:00.999+09:00", "t") == 1767225600
    for text in (
        "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+15:00", "2026-01-01T00:00:00+00:60", "0000-01-01T00:00:00Z",
        "2026-01-01t00:00:00z", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n",
        "٢٠٢٦-01-01T00:00:00Z", "",
    ):  # fmt: skip
        with pytest.raises(CredentialMalformed):
            parse_date_time(text, "t")


@pytest.mark.parametrize("url", ["", "x", "//a", "a b:c", "urn:", "urn:a b", "urn:<a>", "urn:a\n"])
def test_refuses_what_is_not_an_absolute_url(url: str) -> None:
    with pytest.raises(CredentialMalformed):
        parse_url(url, "u")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["id", "type", "proof", "@context", "issuer", "@id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([*card(ISSUER), "credentialStatus", "proof", "name"]))
def test_any_json_raises_only_our_errors(value: Any, name: str) -> None:
    for parse, document in (
        (parse_credential, value),
        (parse_credential, {**card(ISSUER), name: value}),
        (parse_presentation, value),
        (parse_presentation, {**presentation(HOLDER, card(ISSUER)), name: value}),
    ):
        with contextlib.suppress(SeoulWalletError):
            parse(document)
