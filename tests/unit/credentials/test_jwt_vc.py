"""Credentials and presentations as JWTs of the data model 1.1: what claims and members say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.credentials import ISSUER, NOW, World
from tests.support.jwt_vcs import (
    credential,
    credential_claims,
    holder_did,
    presentation,
    verified,
)
from wallet.credentials.jose import JwsMalformed, sign_jws
from wallet.credentials.jwt_vc import parse_jwt_vc, parse_jwt_vp
from wallet.credentials.vcdm.credential import ValidityPeriodEnded, ValidityPeriodNotStarted
from wallet.credentials.vcdm.fields import CredentialMalformed, format_date_time
from wallet.encoding.json import JsonObject
from wallet.verification.issuer_key import IssuerMismatch
from wallet.verification.proof_steps import TypeNotAccepted

WORLD = World()


def changed(**members: Any) -> str:
    """Return a credential whose `vc` has other members; None takes one away."""
    claims = credential_claims(WORLD)
    claims["vc"] = {
        name: value for name, value in {**claims["vc"], **members}.items() if value is not None
    }
    return credential(WORLD, claims)


def test_the_claims_stand_for_members_of_the_credential() -> None:
    claims = {**credential_claims(WORLD), "jti": "urn:uuid:1"}
    parsed = parse_jwt_vc(credential(WORLD, claims)).credential
    assert (parsed.issuer, parsed.id) == (ISSUER, "urn:uuid:1")
    assert parsed.subject_ids == {holder_did(WORLD)}
    assert (parsed.valid_from, parsed.valid_until) == (NOW - 3600, NOW + 3600)


def test_members_may_repeat_the_claims() -> None:
    token = changed(issuer={"id": ISSUER}, issuanceDate=format_date_time(NOW - 3600))
    assert verified(WORLD, token, bound=False).issuer == ISSUER


@pytest.mark.parametrize(
    "members",
    [
        {"issuer": "did:web:other.example"},
        {"credentialSubject": {"id": "did:example:other"}},
        {"credentialSubject": [{"child_count": 2}]},
        {"credentialSubject": None},
    ],
)
def test_members_that_contradict_the_claims_are_refused(members: JsonObject) -> None:
    with pytest.raises(JwsMalformed):
        parse_jwt_vc(changed(**members))
    assert parse_jwt_vc(changed())


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"expirationDate": format_date_time(NOW - 600)}, ValidityPeriodEnded),
        ({"issuanceDate": format_date_time(NOW + 600)}, ValidityPeriodNotStarted),
    ],
)
def test_of_two_dates_the_narrower_holds(members: JsonObject, error: type[Exception]) -> None:
    with pytest.raises(error):
        verified(WORLD, changed(**members), bound=False)
    wider = {"expirationDate": format_date_time(NOW + 9999), "issuanceDate": None}
    assert verified(WORLD, changed(**wider), bound=False)


def test_a_credential_of_two_types_is_refused_though_one_was_asked_for() -> None:
    types = ["VerifiableCredential", "MultiChildFamilyCard", "AppointmentLetter"]
    with pytest.raises(CredentialMalformed, match="one type"):
        verified(WORLD, changed(type=types), bound=False)
    with pytest.raises(TypeNotAccepted):
        verified(WORLD, changed(type=types[::2]), bound=False)
    assert verified(WORLD, changed(type=types[:2]), bound=False).vct.startswith("urn:seoul-wallet")


def test_the_issuer_is_the_did_whose_key_signed() -> None:
    claims = {**credential_claims(WORLD), "iss": "did:web:other.example"}
    with pytest.raises(IssuerMismatch):
        verified(WORLD, credential(WORLD, claims), bound=False)


def _without_vc(claims: JsonObject) -> JsonObject:
    return {name: value for name, value in claims.items() if name != "vc"}


@pytest.mark.parametrize(
    "change",
    [
        _without_vc,
        lambda claims: {**claims, "vc": [claims["vc"]]},
        lambda claims: {**claims, "vp": {}},
        lambda claims: {**claims, "iss": None},
        lambda claims: {**claims, "nbf": "now"},
        lambda claims: {**claims, "exp": 2**60},
    ],
)
def test_what_is_no_credential_is_named(change: Callable[[JsonObject], JsonObject]) -> None:
    with pytest.raises(JwsMalformed):
        parse_jwt_vc(credential(WORLD, change(credential_claims(WORLD))))


@pytest.mark.parametrize("typ", ["dc+sd-jwt", "kb+jwt", "vc+jwt", "openid4vci-proof+jwt"])
def test_a_token_of_another_type_is_no_credential(typ: str) -> None:
    header = {"typ": typ, "kid": f"{ISSUER}#key-1"}
    with pytest.raises(JwsMalformed, match="typ"):
        parse_jwt_vc(sign_jws(WORLD.issuer_key, header, credential_claims(WORLD)))


@pytest.mark.parametrize(
    "shown", [[], ["a", "b"], [{"type": "VerifiableCredential"}], None, [None]]
)
def test_a_presentation_shows_one_credential(shown: Any) -> None:
    claims = parse_jwt_vp(presentation(WORLD, credential(WORLD))).claims
    claims["vp"] = {**claims["vp"], "verifiableCredential": shown}
    header = {"typ": "JWT", "kid": f"{holder_did(WORLD)}#0"}
    with pytest.raises(CredentialMalformed):
        parse_jwt_vp(sign_jws(WORLD.holder_key, header, claims))


def test_a_presentation_names_one_holder() -> None:
    claims = parse_jwt_vp(presentation(WORLD, credential(WORLD))).claims
    claims["vp"] = {**claims["vp"], "holder": "did:example:other"}
    header = {"typ": "JWT", "kid": f"{holder_did(WORLD)}#0"}
    with pytest.raises(JwsMalformed, match="holder"):
        parse_jwt_vp(sign_jws(WORLD.holder_key, header, claims))
