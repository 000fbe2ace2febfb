"""Presentations in hand whose issuer comes with certificates instead of a DID."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.attacks import bound
from tests.support.certificates import Authority
from tests.support.certified_desk import certified_card
from tests.support.desk import BASE_URL, Desk
from verifier.queries import DEFAULT_QUERIES, FAMILY_CARD_TYPE, NamedQuery
from wallet.crypto.certificates import TrustAnchors
from wallet.protocols.dcql import parse_dcql

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
    credential = certified_card(desk, Authority("Synthetic Intermediate", root))
    presented = bound(desk.world, credential, aud=BASE_URL, nonce=NONCE)
    asked = {} if query is None else {"query": query}
    told = desk.verify(presented, **asked).get_json()
    assert (told["outcome"], told["code"]) == expected
