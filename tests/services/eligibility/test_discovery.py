"""What the holder probably qualifies for: found on the device, applied for with one consent."""

from __future__ import annotations

import copy
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.support.city import AGENCY_URL, PERSON, City, claims_in
from tests.support.loopback_agency import over_http
from tests.support.programmes import FOLDER, boundary_data, programme
from tests.support.registers import register_rows
from wallet.eligibility.decision import Outcome
from wallet.eligibility.signed_catalogue import CatalogueOutdated
from wallet.encoding.json import JsonObject
from wallet.holder.discovery import (
    CannotApply,
    NoCatalogue,
    PublisherNotTrusted,
)
from wallet.holder.findings import Finding
from wallet.holder.wallet import Wallet

ON = date(2023, 10, 10)
HOUSING, PARKING = "https://housing.example", "https://parking.example"
RENT = programme("youth-rent@2023")
OpenCity = Callable[..., City]
_SOCKETS: list[str] = []
_watching = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event.startswith("socket."):
        _SOCKETS.append(event)


sys.addaudithook(_audit)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Give the socket events of this process while the block runs."""
    global _watching
    _SOCKETS.clear()
    _watching = True
    try:
        yield _SOCKETS
    finally:
        _watching = False


def person() -> JsonObject:
    claims: JsonObject = copy.deepcopy(boundary_data()["youth-rent@2023"]["claims"])
    claims["lease"]["deal_won"] = 100_000_000
    claims["receipts"]["received"]["youth-moving"] = []
    return claims


MOVE = {
    "moved_on": "2023-10-01",
    "reported_on": "2023-10-02",
    "from_district": "수원시",
    "to_district": "마포구",
    "to_seoul": True,
}
MILITARY = {"service_months": 18}


@pytest.fixture
def city(open_city: OpenCity) -> City:
    return open_city(
        RENT,
        person(),
        ON,
        rows={"move-in": [(PERSON, MOVE)], "military-service": [(PERSON, MILITARY)]},
        agencies=(AGENCY_URL, HOUSING),
        configure={"programme_agencies": {"youth-rent": HOUSING}},
    )


KINDS = ("residence", "lease", "income", "receipts", "move-in")


@pytest.fixture
def wallet(city: City) -> Wallet:
    wallet = city.open_wallet()
    for kind in KINDS:
        city.give(wallet, kind)
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    return wallet


def by_id(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {item.programme.id: item for item in findings}


def test_lists_what_the_holder_probably_qualifies_for_and_what_is_missing(wallet: Wallet) -> None:
    findings = by_id(wallet.discovery.findings())
    outcomes = {name: item.outcome.value for name, item in findings.items()}
    assert outcomes["youth-rent"] == "eligible"
    assert outcomes["youth-moving"] == "eligible"
    assert outcomes["seoul-learn"] == "not_eligible"
    assert outcomes["youth-allowance"] == "unknown"
    assert "culture-pass" not in outcomes
    missing = {item.evidence: item for item in findings["youth-allowance"].evaluation.missing}
    assert set(missing) == {"school", "work", "receipts"}
    assert missing["work"].document.ko == "고용보험 피보험자격 이력내역서"
    order = [item.outcome for item in wallet.discovery.findings()]
    assert order == sorted(order, key=[*Outcome].index) or order[0] is Outcome.ELIGIBLE


def test_nothing_leaves_the_device_before_consent(city: City, wallet: Wallet) -> None:
    sent = len(city.network.sent)
    with watched() as sockets:
        findings = by_id(wallet.discovery.findings())
        plan = wallet.discovery.plan([findings["youth-rent"], findings["youth-moving"]])
        for finding in plan.findings:
            for choice in finding.choices.values():
                assert choice.lines("ko")
    assert sockets == []
    assert len(city.network.sent) == sent
    wallet.discovery.apply(plan)
    assert len(city.network.sent) > sent


@pytest.mark.loopback
def test_no_socket_is_touched_between_the_catalogue_and_the_consent(
    open_city: OpenCity,
) -> None:
    with over_http(
        lambda url: open_city(RENT, person(), ON, agencies=(url,), configure={"development": True})
    ) as (city, open_real):
        wallet = city.open_wallet()
        for kind in ("residence", "lease", "income", "receipts"):
            city.give(wallet, kind)
        city.settle()
        wallet.close()
        wallet = open_real()
        with watched() as sockets:
            wallet.discovery.refresh(city.agencies[0])
            assert "socket.connect" in sockets
        with watched() as sockets:
            finding = by_id(wallet.discovery.findings())["youth-rent"]
            plan = wallet.discovery.plan([finding])
            assert finding.outcome is Outcome.ELIGIBLE
            assert sockets == []
        with watched() as sockets:
            (applied,) = wallet.discovery.apply(plan)
            assert "socket.connect" in sockets
        assert applied.decision is not None
        assert applied.decision["outcome"] == "eligible"
        wallet.close()


def test_the_catalogue_is_fetched_without_a_word_about_the_holder(city: City) -> None:
    fresh = city.open_wallet("fresh")
    sent = len(city.network.sent)
    fresh.discovery.refresh(AGENCY_URL)
    asked = city.network.sent[sent:]
    assert [(method, body) for method, _, body in asked] == [("GET", b"")] * 2
    assert {url for _, url, _ in asked} == {
        f"{AGENCY_URL}/v1/programmes/catalogue",
        f"{AGENCY_URL}/.well-known/did.json",
    }


def test_applies_for_several_programmes_with_one_consent(city: City, wallet: Wallet) -> None:
    findings = by_id(wallet.discovery.findings())
    wanted = [findings["youth-rent"], findings["youth-moving"]]
    rent, moving = wallet.discovery.apply(wallet.discovery.plan(wanted))
    for applied in (rent, moving):
        assert applied.code is None
        assert applied.presented is not None
        assert applied.decision is not None
        assert applied.decision["outcome"] == "eligible"
        assert applied.decision["programme"] == applied.finding.programme.id
    assert len(wallet.log()) == 2


def test_each_agency_sees_only_what_its_programme_asks_for(city: City, wallet: Wallet) -> None:
    findings = by_id(wallet.discovery.findings())
    wanted = [findings["youth-rent"], findings["youth-moving"]]
    wallet.discovery.apply(wallet.discovery.plan(wanted))
    for host, name in (("housing.example", "youth-rent"), ("agency.example", "youth-moving")):
        application, answer = city.network.posted_to(host)[:2]
        assert parse_qs(application.decode()) == {"programme": [name], "version": ["2023"]}
        query = findings[name].programme.query
        asked = {
            item.vct_values[0]: {claim.path[0] for claim in item.claims}
            for item in query.credentials.values()
        }
        shown = claims_in(answer)
        assert {item["vct"] for item in shown} == set(asked)
        for item in shown:
            extra = set(item) - asked[item["vct"]]
            assert extra == {"iss", "vct", "exp", "status", "cnf"}


@pytest.mark.parametrize(
    ("born", "shown"), [("1995-01-01", {"resident"}), ("1985-01-01", {"resident", "military"})]
)
def test_a_card_that_changes_nothing_is_not_shown(
    born: str, shown: set[str], open_city: OpenCity
) -> None:
    found = programme("climate-card-youth@2025")
    claims = {"resident": {"birth_date": born}, "military": MILITARY}
    city = open_city(found, claims, date(2025, 6, 1))
    wallet = city.open_wallet()
    city.give(wallet, "residence")
    city.give(wallet, "military-service")
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    finding = by_id(wallet.discovery.findings())["climate-card-youth"]
    assert finding.outcome is Outcome.ELIGIBLE
    assert set(finding.choices) == shown
    (applied,) = wallet.discovery.apply(wallet.discovery.plan([finding]))
    assert applied.decision is not None
    assert applied.decision["outcome"] == "eligible"
    assert len(claims_in(city.network.posted_to("agency.example")[1])) == len(shown)


def test_one_move_in_updates_several_agencies_each_seeing_its_part(open_city: OpenCity) -> None:
    found, on = programme("move-in-parking@2024"), date(2024, 6, 15)
    move = {**MOVE, "moved_on": "2024-06-10", "reported_on": "2024-06-11"}
    city = open_city(
        found,
        {},
        on,
        rows={"move-in": [(PERSON, move)]},
        agencies=(AGENCY_URL, HOUSING, PARKING),
        configure={"programme_agencies": {"move-in-library": HOUSING, "move-in-parking": PARKING}},
    )
    wallet = city.open_wallet()
    city.give(wallet, "move-in")
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    eligible = [item for item in wallet.discovery.findings() if item.outcome is Outcome.ELIGIBLE]
    assert {item.programme.id for item in eligible} == {"move-in-library", "move-in-parking"}
    applied = wallet.discovery.apply(wallet.discovery.plan(eligible))
    assert [item.decision and item.decision["outcome"] for item in applied] == ["eligible"] * 2
    (library,) = claims_in(city.network.posted_to("housing.example")[1])
    (parking,) = claims_in(city.network.posted_to("parking.example")[1])
    technical = {"iss", "vct", "exp", "status", "cnf"}
    assert set(library) - technical == {"to_seoul"}
    assert set(parking) - technical == {"to_district", "moved_on"}
    # Two copies of the card: neither key nor place in the status list joins the two agencies.
    assert library["cnf"] != parking["cnf"]
    assert library["status"] != parking["status"]


def test_an_agency_that_is_down_does_not_keep_the_others_from_deciding(
    city: City, wallet: Wallet
) -> None:
    findings = by_id(wallet.discovery.findings())
    plan = wallet.discovery.plan([findings["youth-rent"], findings["youth-moving"]])
    city.network.down.add("housing.example")
    rent, moving = wallet.discovery.apply(plan)
    assert (rent.code, rent.presented, rent.decision) == ("peer_unreachable", None, None)
    assert moving.decision is not None
    assert moving.decision["outcome"] == "eligible"


def test_an_agency_that_asks_for_more_than_was_published_gets_nothing(
    open_city: OpenCity, tmp_path: Any
) -> None:
    folder = tmp_path / "programmes"
    shutil.copytree(FOLDER, folder)
    city = open_city(RENT, person(), ON, configure={"programmes_folder": folder})
    wallet = city.open_wallet()
    for kind in ("residence", "lease", "income", "receipts"):
        city.give(wallet, kind)
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    path = folder / "youth-rent.yaml"
    greedy = path.read_text("utf-8").replace(
        "        - path: [birth_date]\n",
        "        - path: [birth_date]\n        - path: [district]\n",
    )
    greedy = greedy.replace(
        "    - id: no-home\n",
        "    - id: nosy\n      one_of: {of: resident.district, values: [마포구]}\n"
        "      reason: not_in_seoul\n    - id: no-home\n",
    )
    path.write_text(greedy, "utf-8")
    city.verifiers[AGENCY_URL].background.run_once()
    findings = by_id(wallet.discovery.findings())
    (applied,) = wallet.discovery.apply(wallet.discovery.plan([findings["youth-rent"]]))
    assert (applied.code, applied.presented) == ("request_not_as_published", None)
    (only,) = city.network.posted_to("agency.example")
    assert b"vp_token" not in only


def test_another_agency_than_the_catalogue_names_gets_nothing(city: City, wallet: Wallet) -> None:
    findings = by_id(wallet.discovery.findings())
    plan = wallet.discovery.plan([findings["youth-rent"]])
    city.network.hosts["housing.example"] = city.network.hosts["agency.example"]
    (applied,) = wallet.discovery.apply(plan)
    assert (applied.code, applied.presented) == ("request_not_as_published", None)
    assert all(b"vp_token" not in body for body in city.network.posted_to("agency.example"))


def test_what_the_cards_do_not_answer_cannot_be_applied_for(wallet: Wallet) -> None:
    findings = by_id(wallet.discovery.findings())
    with pytest.raises(CannotApply):
        wallet.discovery.plan([findings["youth-allowance"]])


def test_cards_of_two_people_are_never_taken_together(open_city: OpenCity) -> None:
    other = "SYN-P-2"
    rows = {"residence": [], "income": [], "lease": [], "receipts": []}  # type: ignore[var-annotated]
    for kind, listed in register_rows(RENT, person(), ON).items():
        who = other if kind in ("lease", "income") else PERSON
        rows[kind] = [(who, values) for _, values in listed]
    city = open_city(RENT, {}, ON, rows=rows)
    wallet = city.open_wallet()
    for kind in rows:
        who = other if kind in ("lease", "income") else PERSON
        city.give(wallet, kind, who, who)
    wallet.discovery.refresh(AGENCY_URL)
    found = by_id(wallet.discovery.findings())["youth-rent"]
    assert found.outcome is Outcome.UNKNOWN
    assert len(found.evaluation.missing) == 2


def test_takes_catalogues_only_from_publishers_it_knows(city: City) -> None:
    wallet = city.open_wallet("other")
    with pytest.raises(PublisherNotTrusted):
        wallet.discovery.refresh(HOUSING)
    with pytest.raises(NoCatalogue):
        wallet.discovery.findings()


def test_a_catalogue_is_kept_and_used_until_it_expires(city: City, wallet: Wallet) -> None:
    city.network.down |= {"agency.example", "housing.example"}
    wallet.close()
    wallet = city.open_wallet()
    assert by_id(wallet.discovery.findings())["youth-rent"].outcome is Outcome.ELIGIBLE
    city.clock.set(city.clock.now() + 8 * 86400)
    with pytest.raises(NoCatalogue):
        wallet.discovery.findings()


def test_an_older_catalogue_than_the_one_known_is_refused(city: City, wallet: Wallet) -> None:
    city.clock.set(city.clock.now() - 7200)
    with pytest.raises(CatalogueOutdated):
        wallet.discovery.refresh(AGENCY_URL)
