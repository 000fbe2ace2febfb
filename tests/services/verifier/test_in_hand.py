"""Presentations in hand whose issuer comes with certificates instead of a DID."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509

from tests.support.attacks import bound, card, forge
from tests.support.certificates import Authority, x5c
from tests.support.credentials import ISSUER, NOW, STATUS_URI
from tests.support.desk import BASE_URL, Desk
from verifier.queries import DEFAULT_QUERIES, FAMILY_CARD_TYPE, NamedQuery
from wallet.credentials.jose import sign_jws
from wallet.crypto.certificates import TrustAnchors
from wallet.protocols.dcql import parse_dcql
from wallet.status.token_status_list import TokenStatusList

ROOT, OTHER = Authority("Synthetic City Root"), Authority("Synthetic Other Root")
BARE = parse_dcql(
    {
        "credentials": [
            {"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [FAMILY_CARD_TYPE]}}
        ]
    }
)
NONCE = "n-0S6_WzA2Mj0123456789"


@pytest.mark.parametrize(
    ("root", "expected"),
    [(ROOT, ("accepted", None)), (OTHER, ("rejected", "certificate_not_trusted"))],
)
@pytest.mark.parametrize("query", [None, "bare-card"])
def test_the_verifiers_own_anchors_decide_with_and_without_a_query(
    open_desk: Callable[..., Desk],
    query: str | None,
    root: Authority,
    expected: tuple[str, str | None],
) -> None:
    queries = {**DEFAULT_QUERIES, "bare-card": NamedQuery("bare-card", BARE, "a card")}
    desk = open_desk(trust_anchors=TrustAnchors([ROOT.der]), queries=queries)
    key = desk.world.issuer_key
    middle = Authority("Synthetic Intermediate", root)
    chain = x5c(middle.leaf(key, x509.UniformResourceIdentifier(ISSUER)), middle.der)
    status = {
        "sub": STATUS_URI,
        "iss": ISSUER,
        "iat": NOW - 5,
        "exp": NOW + 600,
        "status_list": TokenStatusList.empty(1024).to_claim(),
    }
    listed = sign_jws(key, {"typ": "statuslist+jwt", "x5c": chain}, status)
    desk.status_lists.publish(STATUS_URI, listed.encode())
    credential = forge(key, {"alg": "ES256", "typ": "dc+sd-jwt", "x5c": chain}, card(desk.world))
    presented = bound(desk.world, credential, aud=BASE_URL, nonce=NONCE)
    asked = {} if query is None else {"query": query}
    told = desk.verify(presented, **asked).get_json()
    assert (told["outcome"], told["code"]) == expected
