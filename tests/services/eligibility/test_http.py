"""The eligibility endpoints, and a catalogue that is replaced as a whole or not at all."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.support.city import AGENCY_TOKEN, City
from tests.support.programmes import FOLDER, programme
from verifier.catalogue import CatalogueUnavailable, ProgrammeShelf, read_programme_files
from wallet.did.document import parse_did_document
from wallet.did.syntax import parse_did
from wallet.eligibility.document import ProgrammeInvalid, programme_schema
from wallet.eligibility.programme import parse_programme_document
from wallet.eligibility.signed_catalogue import verify_published_catalogue

AGENCY = {"Authorization": f"Bearer {AGENCY_TOKEN}"}
CARD = programme("multi-child-card@from-2023-07")
OpenCity = Callable[..., City]


@pytest.fixture
def city(open_city: OpenCity) -> City:
    return open_city(CARD, {}, date(2024, 3, 1))


def test_only_an_agency_asks_and_anybody_may_apply(city: City) -> None:
    body = {"programme": "multi-child-card"}
    assert city.agency.post("/v1/eligibility/requests", json=body).status_code == 401
    opened = city.agency.post("/v1/eligibility/requests", json=body, headers=AGENCY)
    applied = city.agency.post("/v1/eligibility/applications", json=body)
    for answer in (opened, applied):
        assert answer.status_code == 201
        assert set(answer.get_json()) == {
            "request_id",
            "link",
            "request_uri",
            "decision_uri",
            "result_token",
            "expires_at",
        }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"programme": "no-such"}, 400, "programme_unknown"),
        ({"programme": "multi-child-card", "version": "no-such"}, 400, "programme_unknown"),
        ({"programme": "multi-child-card", "version": "until-2023-06"}, 409, "programme_changed"),
        ({"programme": "youth-rent"}, 409, "programme_not_in_force"),
        ({"programme": "multi-child-card", "surprise": 1}, 400, "request_malformed"),
        ({"programme": 7}, 400, "request_malformed"),
        ({}, 400, "request_malformed"),
    ],
)
def test_refuses_what_is_no_application(
    city: City, body: dict[str, object], status: int, code: str
) -> None:
    answer = city.agency.post("/v1/eligibility/applications", json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_the_request_asks_for_what_the_programme_asks(city: City) -> None:
    opened = city.ask("multi-child-card", version="from-2023-07")
    request = city.open_wallet().review(opened["link"]).request
    assert request.dcql_query == CARD.query
    assert request.purpose is not None
    assert CARD.title.ko in request.purpose
    assert CARD.title.en in request.purpose


def test_a_decision_is_for_who_has_its_token(city: City) -> None:
    opened = city.ask("multi-child-card")
    path = f"/v1/eligibility/decisions/{opened['request_id']}"
    bearer = {"Authorization": f"Bearer {opened['result_token']}"}
    waiting = city.agency.get(path, headers=bearer)
    assert (waiting.status_code, waiting.get_json()) == (202, {"state": "requested"})
    assert city.agency.get(path).status_code == 401
    assert city.agency.get(path, headers=AGENCY).status_code == 404
    assert city.agency.get(path[:-1] + "_", headers=bearer).status_code == 404


def test_an_answer_that_is_refused_gives_no_decision(city: City) -> None:
    opened = city.ask("multi-child-card")
    request = city.open_wallet().review(opened["link"]).request
    answer = city.agency.post(
        "/responses", data={"error": "access_denied", "state": request.state or ""}
    )
    assert answer.status_code == 200
    found = city.decision(opened)
    assert (found["decision"], found["code"]) == (None, "access_denied")


def test_lists_programmes_and_gives_their_documents_and_schema(city: City) -> None:
    listed = city.agency.get("/v1/programmes").get_json()
    in_force = {item["id"]: item["version"] for item in listed["programmes"] if item["in_force"]}
    assert in_force["multi-child-card"] == "from-2023-07"
    assert "youth-rent" not in in_force
    assert listed["problems"] == []
    document = city.agency.get("/v1/programmes/youth-rent/2023").get_json()
    assert parse_programme_document(document, "http") == programme("youth-rent@2023")
    assert city.agency.get("/v1/programmes/youth-rent/1999").status_code == 400
    assert city.agency.get("/v1/programmes/schema").get_json() == programme_schema()


def test_publishes_the_catalogue_signed_and_the_same_for_everybody(city: City) -> None:
    first, second = (city.agency.get("/v1/programmes/catalogue") for _ in range(2))
    did = "did:web:agency.example"
    document = parse_did_document(
        city.agency.get("/.well-known/did.json").get_json(), parse_did(did)
    )
    for answer in (first, second):
        found = verify_published_catalogue(
            answer.get_data(), publisher=did, document=document, now=city.clock.now()
        )
        assert found.catalogue.version("youth-rent", "2023") == programme("youth-rent@2023")
        assert set(found.apply_to.values()) == {"https://agency.example"}
    assert "Set-Cookie" not in first.headers


def test_a_bad_file_is_named_with_its_line_and_the_last_good_catalogue_is_kept(
    open_city: OpenCity, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "programmes"
    shutil.copytree(FOLDER, folder)
    city = open_city(CARD, {}, date(2024, 3, 1), configure={"programmes_folder": folder})
    bad = folder / "multi-child-card-from-2023-07.yaml"
    good = bad.read_text("utf-8")
    text = good.replace("at_least: 2", "at_least: two")
    line = 1 + text[: text.index("at_least: two")].count("\n")
    bad.write_text(text, "utf-8")
    with caplog.at_level(logging.WARNING):
        city.verifiers["https://agency.example"].background.run_once()
        city.verifiers["https://agency.example"].background.run_once()
    (record,) = [item for item in caplog.records if "programme file refused" in item.message]
    assert f"{bad.name}:{line}: " in record.message
    listed = city.agency.get("/v1/programmes").get_json()
    assert [problem.partition(" ")[0] for problem in listed["problems"]] == [f"{bad.name}:{line}:"]
    assert "multi-child-card" in {item["id"] for item in listed["programmes"]}
    assert city.ask("multi-child-card")["link"]
    bad.write_text(good.replace("at_least: 2", "at_least: 3"), "utf-8")
    city.verifiers["https://agency.example"].background.run_once()
    listed = city.agency.get("/v1/programmes").get_json()
    assert listed["problems"] == []
    document = city.agency.get("/v1/programmes/multi-child-card/from-2023-07").get_json()
    assert "3" in str(document["rule"])


def test_a_request_made_before_a_change_is_not_decided_by_the_new_rule(
    open_city: OpenCity, tmp_path: Path
) -> None:
    folder = tmp_path / "programmes"
    shutil.copytree(FOLDER, folder)
    city = open_city(CARD, {}, date(2024, 3, 1), configure={"programmes_folder": folder})
    opened = city.ask("multi-child-card")
    request = city.open_wallet().review(opened["link"]).request
    (folder / "multi-child-card-from-2023-07.yaml").unlink()
    city.verifiers["https://agency.example"].background.run_once()
    body = {"vp_token": '{"family":["x"]}', "state": request.state or ""}
    assert city.agency.post("/responses", data=body).status_code == 200
    found = city.decision(opened)
    assert (found["outcome"], found["code"]) == ("unavailable", "programme_unknown")


def test_a_shelf_serves_nothing_before_it_loaded_a_good_catalogue(tmp_path: Path) -> None:
    shelf = ProgrammeShelf(lambda: {"a.yaml": b"format: 2\n"})
    with pytest.raises(ProgrammeInvalid, match=r"a\.yaml:1: "):
        shelf.load()
    with pytest.raises(CatalogueUnavailable):
        _ = shelf.current
    assert {problem.file for problem in shelf.problems} == {"a.yaml"}
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(CatalogueUnavailable):
        read_programme_files(tmp_path)
    with pytest.raises(CatalogueUnavailable):
        read_programme_files(tmp_path / "nowhere")
