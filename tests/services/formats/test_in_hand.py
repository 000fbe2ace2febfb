"""`POST /v1/verify`: a presentation that the agency holds already, in every format."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.city import AGENCY_TOKEN
from tests.support.format_town import (
    FORMATS,
    OTHER_AUDIENCE,
    OTHER_NONCE,
    VCT,
    W3C,
    FormatTown,
    Holder,
)
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.holder.cards import Card
from wallet.protocols.oid4vp_response import RawPresentation

AUDIENCE = "https://desk.agency.example"
NONCE = "n-0S6_WzA2Mj0123456789"
every_format = pytest.mark.parametrize("kind", FORMATS)
every_w3c = pytest.mark.parametrize("kind", W3C)


class Desk:
    """The agency's desk, and what somebody shows there."""

    def __init__(self, town: FormatTown, citizen: Holder, cards: dict[str, Card]) -> None:
        self.town, self.citizen, self.cards = town, citizen, cards

    def shown(self, kind: str, *claims: str, **changes: Any) -> RawPresentation:
        names = claims or ("child_count", "seoul_resident", "valid_until")
        at = ("credentialSubject",) if kind in W3C else ()
        binding = {
            "audience": AUDIENCE,
            "nonce": NONCE,
            "issued_at": self.town.city.clock.now(),
            **changes,
        }
        return self.citizen.presentation(
            self.cards[kind], [(*at, name) for name in names], **binding
        )

    def answer(self, presentation: object, **body: Any) -> Any:
        asked = {"presentation": presentation, "audience": AUDIENCE, "nonce": NONCE, **body}
        return self.town.city.agency.post(
            "/v1/verify", json=asked, headers={"Authorization": f"Bearer {AGENCY_TOKEN}"}
        )

    def verify(self, presentation: object, **body: Any) -> JsonObject:
        answer = self.answer(presentation, **body)
        assert answer.status_code == 200, answer.text
        told: JsonObject = answer.get_json()
        return told

    def verdict(self, presentation: object, **body: Any) -> tuple[str, str | None]:
        told = self.verify(presentation, **body)
        assert (told["credential"] is None) == (told["outcome"] != "accepted")
        return told["outcome"], told["code"]


@pytest.fixture
def desk(town: FormatTown, citizen: Holder, cards: dict[str, Card]) -> Desk:
    return Desk(town, citizen, cards)


@every_format
def test_a_presentation_of_every_format_is_accepted(desk: Desk, kind: str) -> None:
    told = desk.verify(desk.shown(kind), format=FORMATS[kind])
    assert (told["outcome"], told["code"]) == ("accepted", None)
    credential = told["credential"]
    assert (credential["issuer"], credential["vct"]) == ("did:web:issuer.example", VCT)
    claims = credential["claims"]
    assert claims.get("credentialSubject", claims)["child_count"] == 2


@every_w3c
def test_what_would_link_holders_is_not_told(desk: Desk, kind: str) -> None:
    shown = desk.shown(kind)
    claims = desk.verify(shown, format=FORMATS[kind])["credential"]["claims"]
    assert "id" not in claims["credentialSubject"]
    assert "credentialStatus" not in claims


@every_format
def test_one_for_another_nonce_or_audience_is_rejected(desk: Desk, kind: str) -> None:
    shown = desk.shown(kind, nonce="another-nonce-0123456789")
    assert desk.verdict(shown, format=FORMATS[kind]) == ("rejected", OTHER_NONCE[kind])
    other = desk.shown(kind, audience="https://other.example")
    assert desk.verdict(other, format=FORMATS[kind]) == ("rejected", OTHER_AUDIENCE[kind])


@every_format
def test_one_that_is_named_as_another_format_is_rejected_at_its_first_step(
    desk: Desk, kind: str
) -> None:
    others = {*FORMATS.values(), "dc+sd-jwt"} - {FORMATS[kind]}
    for other in sorted(others):
        told = desk.verify(desk.shown(kind), format=other)
        assert told["outcome"] == "rejected"
        assert told["steps"][0]["outcome"] == "rejected"


@pytest.mark.parametrize("kind", ["jwt", "ldp"])
def test_a_bare_credential_in_hand_is_nobodys(desk: Desk, kind: str) -> None:
    stored = desk.citizen.credential(desk.cards[kind]).credential
    bare = stored if kind == "jwt" else parse_json_object(stored.encode())
    assert desk.verdict(bare, format=FORMATS[kind]) == ("rejected", "holder_binding_missing")


@every_format
def test_it_answers_a_query_of_its_format(desk: Desk, kind: str) -> None:
    told = desk.verify(desk.shown(kind, "child_count"), query=f"in-hand-{kind}")
    assert (told["outcome"], told["code"]) == ("accepted", None)
    claims = told["credential"]["claims"]
    assert claims.get("credentialSubject", claims) == {"child_count": 2}


@every_format
def test_a_query_of_another_format_is_not_answered(desk: Desk, kind: str) -> None:
    other = "jwt" if kind != "jwt" else "ldp"
    answer = desk.answer(desk.shown(kind), query=f"in-hand-{other}", format="dc+sd-jwt")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "unsupported_query")
    verdict, _ = desk.verdict(desk.shown("jwt" if other == "ldp" else "bbs"), query="in-hand-ldp")
    assert verdict == "rejected"


def test_a_format_that_is_not_verified_here_is_refused(desk: Desk) -> None:
    answer = desk.answer(desk.shown("jwt"), format="mso_mdoc")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "unsupported_query")


@pytest.mark.parametrize("presentation", [None, 1, "", [], ["x"], True])
def test_what_is_no_presentation_at_all_is_malformed(desk: Desk, presentation: object) -> None:
    answer = desk.answer(presentation, format="ldp_vc")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "request_malformed")


@pytest.mark.parametrize("presentation", [{}, {"type": "VerifiablePresentation"}, "a.b.c"])
@every_format
def test_what_cannot_be_parsed_is_rejected_at_its_first_step(
    desk: Desk, kind: str, presentation: object
) -> None:
    told = desk.verify(presentation, format=FORMATS[kind])
    assert (told["outcome"], told["steps"][0]["outcome"]) == ("rejected", "rejected")
