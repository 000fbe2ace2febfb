"""경력증명서: received, shown to its holder, and shown to others in as little as they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from issuer.issuing import DEFAULT_RENEWAL_YEARS
from tests.support.city import AGENCY_TOKEN, AGENCY_URL, PERSON, City, claims_in
from wallet.eligibility.days import seoul_day
from wallet.encoding.json import JsonObject, to_json
from wallet.holder.cards import Card
from wallet.holder.wallet import Wallet

NOON = 1_780_282_800  # 2026-06-01 in Seoul
CAREER = "urn:seoul-wallet:career:1"
WORK: list[JsonObject] = [
    {
        "employer": "합성 도서관",
        "job": "자료 정리",
        "starts_on": date(2024, 1, 1),
        "ends_on": date(2025, 3, 31),
        "weekly_hours": 20,
    },
    {
        "employer": "합성 공공일자리",
        "job": "한강공원 안내",
        "starts_on": date(2025, 6, 1),
        "ends_on": None,
        "weekly_hours": 28,
    },
]
OF_ALL = ["employments", None]
BEARER = {"Authorization": f"Bearer {AGENCY_TOKEN}"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    rows = {"career": [(PERSON, row) for row in WORK]}
    built = City(tmp_path_factory.mktemp("career"), NOON, rows)
    yield built
    built.close()


@pytest.fixture(scope="module")
def wallet(city: City) -> Wallet:
    opened = city.open_wallet()
    city.give(opened, "career")
    city.settle()
    return opened


@pytest.fixture(scope="module")
def card(wallet: Wallet) -> Card:
    (held,) = wallet.credentials()
    return held


def told(city: City, wallet: Wallet, *paths: list[str | int | None]) -> JsonObject:
    """Let an employer ask for these claims; return what it is told."""
    query = {
        "id": "career",
        "format": "dc+sd-jwt",
        "meta": {"vct_values": [CAREER]},
        "claims": [{"path": path} for path in paths],
    }
    asked = {"dcql_query": {"credentials": [query]}, "purpose": "채용"}
    opened = city.agency.post("/v1/requests", json=asked, headers=BEARER).get_json()
    wallet.present(opened["link"], ask=lambda consent: True)
    uri = opened["result_uri"].removeprefix(AGENCY_URL)
    bearer = {"Authorization": f"Bearer {opened['result_token']}"}
    answer: JsonObject = city.agency.get(uri, headers=bearer).get_json()
    assert answer["outcome"] == "accepted", answer
    ((found,),) = answer["credentials"].values()
    claims: JsonObject = found["claims"]
    return claims


def sent_last(city: City) -> JsonObject:
    """Return the claims in the answer that was posted last, asked for or not."""
    (shown,) = claims_in(city.network.posted_to("agency.example")[-1])
    return shown


def test_the_card_says_what_the_register_says_in_both_languages(card: Card) -> None:
    assert (card.name("ko"), card.name("en")) == ("경력증명서", "Career")
    korean = {line.label: line.value for line in card.lines("ko")}
    assert korean["총 경력(개월)"] == "27"
    assert korean["재직 중"] == "✓"
    assert korean["근무 경력 / 1 / 근무처"] == "합성 공공일자리"
    assert korean["근무 경력 / 2 / 종료일"] == "2025-03-31"
    english = {line.label: line.value for line in card.lines("en")}
    assert english["Months of work in all"] == "27"
    assert english["Employments / 2 / Hours a week"] == "20"


def test_the_months_are_proven_without_a_word_about_employers(city: City, wallet: Wallet) -> None:
    assert told(city, wallet, ["total_months"]) == {"total_months": 27}
    sent = sent_last(city)
    assert "employments" not in sent
    text = to_json(sent).decode()
    assert not any(word in text for row in WORK for word in (row["employer"], row["job"]))


def test_work_and_hours_are_proven_without_where_it_was(city: City, wallet: Wallet) -> None:
    shown = told(city, wallet, [*OF_ALL, "job"], [*OF_ALL, "weekly_hours"])
    assert shown == {
        "employments": [
            {"job": "한강공원 안내", "weekly_hours": 28},
            {"job": "자료 정리", "weekly_hours": 20},
        ]
    }
    assert "합성" not in to_json(sent_last(city)).decode()


def test_one_employment_is_proven_without_the_other(city: City, wallet: Wallet) -> None:
    shown = told(city, wallet, ["employments", 1, "employer"], ["employments", 1, "job"])
    (only,) = [item for item in shown["employments"] if item is not None]
    assert (only["employer"], only["job"]) == ("합성 도서관", "자료 정리")
    text = to_json(sent_last(city)).decode()
    assert "합성 공공일자리" not in text
    assert "한강공원 안내" not in text


def test_who_asks_for_all_sees_all(city: City, wallet: Wallet) -> None:
    shown = told(city, wallet, ["employments"])
    assert [item["employer"] for item in shown["employments"]] == [
        "합성 공공일자리",
        "합성 도서관",
    ]


def test_who_is_in_no_register_of_careers_is_offered_none(city: City) -> None:
    about = {"kind": "career", "subject_id": "SYN-P-9", "holder_id": "SYN-P-9"}
    refused = city.operator("evidence-offers", about)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "subject_unknown")


def test_a_career_holds_until_the_renewal_that_many_share(card: Card) -> None:
    # What somebody did does not end; `exp` is visible, and must tell nobody apart.
    assert card.expires_at is not None
    last = date(2026 + DEFAULT_RENEWAL_YEARS, 12, 31)
    assert seoul_day(card.expires_at - 1) == last
    assert card.is_valid_at(card.expires_at - 1)
    assert not card.is_valid_at(card.expires_at)
