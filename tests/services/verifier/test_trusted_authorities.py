"""`trusted_authorities` by authority key identifier, asked for and answered (§6.1.1.1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509

from tests.support.attacks import bound
from tests.support.certificates import Authority
from tests.support.certified_desk import certified_card
from tests.support.desk import AGENCY, Desk
from verifier.queries import FAMILY_CARD_TYPE
from wallet.crypto.certificates import TrustAnchors
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject

ROOT = Authority("Synthetic City Root")
MIDDLE, OTHER = Authority("Synthetic District", ROOT), Authority("Synthetic District", ROOT)


def key_id(authority: Authority) -> str:
    extensions = authority.certificate.extensions
    found = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return base64url.encode(found.digest)


def query(*authorities: JsonObject) -> JsonObject:
    card = {
        "id": "card",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [FAMILY_CARD_TYPE]},
        "trusted_authorities": list(authorities),
    }
    return {"credentials": [card]}


def aki(*values: str) -> JsonObject:
    return {"type": "aki", "values": list(values)}


ETSI = {"type": "etsi_tl", "values": ["https://lotl.example"]}


@pytest.mark.parametrize(
    ("authorities", "accepted"),
    [
        ((aki(key_id(MIDDLE)),), True),
        ((aki(key_id(ROOT)),), True),
        ((aki("AAAA", key_id(ROOT)),), True),
        ((ETSI, aki(key_id(MIDDLE))), True),
        ((aki(key_id(OTHER)),), False),
        ((aki("AAAA"), ETSI), False),
    ],
)
def test_an_authority_of_the_chain_is_one_that_was_asked_for(
    open_desk: Callable[..., Desk], authorities: tuple[JsonObject, ...], accepted: bool
) -> None:
    desk = open_desk(trust_anchors=TrustAnchors([ROOT.der]))
    credential = certified_card(desk, MIDDLE)
    opened = desk.ask(None, dcql_query=query(*authorities), purpose="synthetic")
    request = desk.fetch(opened)
    shown = bound(desk.world, credential, aud=str(request.client_id), nonce=request.nonce)
    told = desk.decide(opened, request, {"card": [shown]})
    expected = ("accepted", None) if accepted else ("rejected", "authority_not_trusted")
    assert (told["outcome"], told["code"]) == expected


def test_a_card_without_certificates_has_no_authority_that_could_be_asked_for(
    desk: Desk,
) -> None:
    opened = desk.ask(None, dcql_query=query(aki(key_id(ROOT))), purpose="synthetic")
    request = desk.fetch(opened)
    told = desk.decide(opened, request, {"card": [desk.card(request, disclose=())]})
    assert (told["outcome"], told["code"]) == ("rejected", "authority_not_trusted")


def test_authorities_that_cannot_be_checked_here_are_not_asked_for_alone(desk: Desk) -> None:
    body = {"dcql_query": query(ETSI), "purpose": "synthetic"}
    answer = desk.client.post("/v1/requests", json=body, headers=AGENCY)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "unsupported_query")
