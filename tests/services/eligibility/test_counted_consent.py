"""Before consent a holder is told that a programme counts, by whom, and who can join what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from seoul_wallet.wallet_views import Session, show_consent
from tests.support.city import AGENCY_TOKEN, AGENCY_URL, PERSON, City
from tests.support.holder_stores import PASSPHRASE
from tests.support.loopback_agency import over_http
from tests.support.programmes import programme
from tests.support.registers import register_rows
from verifier.eligibility import programme_query
from wallet.adapters.clock import SystemClock
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.eligibility.days import seoul_day, seoul_midnight
from wallet.holder.wallet import Wallet

ON = date(2026, 6, 15)
OTHER = "https://other.example"
FARE = programme("youth-fare@2026")


def rows(on: date) -> dict[str, list[tuple[str, dict[str, object]]]]:
    claims = {"person": {"birth_date": on.replace(on.year - 21, day=1).isoformat()}}
    return {kind: list(listed) for kind, listed in register_rows(FARE, claims, on).items()}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    found = City(tmp_path, seoul_midnight(ON) + 12 * 3600, rows(ON), agencies=(AGENCY_URL, OTHER))
    yield found
    found.close()


def holder(city: City) -> Wallet:
    wallet = city.open_wallet()
    for kind in ("benefit-key", "residence"):
        city.give(wallet, kind)
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    return wallet


def test_a_finding_tells_that_applying_counts_and_a_request_the_same(city: City) -> None:
    wallet = holder(city)
    (found,) = [item for item in wallet.discovery.findings() if item.programme.id == FARE.id]
    assert found.counted is not None
    assert found.counted.lines("en")[0].endswith("that once is used up.")
    assert found.counted.group is not None
    assert found.counted.group.register == "did:web:register.example"
    assert {title.en for title in found.counted.group.programmes} == {
        "Youth allowance",
        FARE.title.en,
    }
    consent = wallet.review(city.ask(FARE.id)["link"])
    assert consent.counted is not None
    assert consent.counted.lines("ko") == found.counted.lines("ko")


def test_what_counts_nobody_says_nothing_of_counting(city: City) -> None:
    wallet = holder(city)
    counted = {item.programme.id: item.counted for item in wallet.discovery.findings()}
    assert counted["library-member"] is None
    consent = wallet.review(city.ask("library-member")["link"])
    assert (consent.missing, consent.counted, consent.is_recognised) == ((), None, False)


def test_another_agency_that_asks_the_same_does_not_count_for_the_programme(
    city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    wallet = holder(city)
    opened = (
        city.verifiers[OTHER]
        .app.test_client()
        .post(
            "/v1/requests",
            json={
                "dcql_query": FARE.document["query"],
                "purpose": programme_query(FARE).purpose,
            },
            headers={"Authorization": f"Bearer {AGENCY_TOKEN}"},
        )
    )
    assert opened.status_code == 201, opened.text
    consent = wallet.review(opened.get_json()["link"])
    assert [answer.query_id for answer in consent.answers] == ["person"]
    assert consent.counted is None
    # It gets a number of its own all the same, which is told.
    assert consent.is_recognised
    show_consent(Session(city.folder, "en", False, None, None, None), consent)
    said = capsys.readouterr().out
    assert "a number made for this verifier alone, which will know you again" in said
    assert "This counts you" not in said


@contextmanager
def at_a_terminal(folder: Path) -> Iterator[tuple[City, Wallet]]:
    """Give a city as of today that is served over HTTP, and a wallet file with a benefit key."""
    now = SystemClock().now()

    def build(url: str) -> City:
        return City(
            folder,
            now,
            rows(seoul_day(now)),
            agencies=(url,),
            configure={"development": True},
            development=True,
        )

    # With the cost that the command line insists on.
    SqliteRecordStore.create(folder / "wallet.wallet", PASSPHRASE).close()
    with over_http(build) as (city, _):
        wallet = city.open_wallet()
        city.give(wallet, "benefit-key", PERSON)
        city.settle()
        wallet.close()
        yield city, wallet


def run(city: City, *words: str, lang: str = "en", typed: str | None = None) -> Result:
    file = str(city.folder / "wallet.wallet")
    options = ["--file", file, "--lang", lang, "--development", "--city", city.agencies[0]]
    return CliRunner().invoke(
        main,
        ["wallet", *options, *words],
        env={"SEOUL_WALLET_PASSPHRASE": PASSPHRASE, "COLUMNS": "200"},
        input=typed,
    )


@pytest.mark.loopback
def test_the_command_line_says_that_it_counts_before_it_asks(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path) as (city, _):
        listed = run(city, "programmes")
        assert listed.exit_code == 0, listed.output
        assert "youth-fare" in listed.output
        no = run(city, "apply", FARE.id, typed="n\n")
        assert no.exit_code == 4
        assert no.output.index("This counts you as a person") < no.output.index("Apply for these?")
        assert "that once is used up" in no.output
        assert "So a register (did:web:register.example)" in no.output
        link = city.ask(FARE.id)["link"]
        asked = run(city, "present", link, lang="ko", typed="n\n")
        assert "한 사람에 한 번으로 셉니다" in asked.output
        assert "이름, 내용, 사업은 보지 못합니다" in asked.output
        unknown = run(city, "apply", "no-such", "--yes")
        assert (unknown.exit_code, unknown.output.count("\n")) == (4, 1)
        # Nobody was counted yet.
        assert f"{FARE.title.en}: eligible" in run(city, "apply", FARE.id, "--yes").output
