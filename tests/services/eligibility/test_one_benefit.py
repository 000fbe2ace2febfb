"""One benefit per person, over HTTP: benefit keys, nullifiers, claims and the register."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from threading import Barrier
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.city import AGENCY_TOKEN, AGENCY_URL, REGISTER_URL, City
from tests.support.city import PERSON as MINSEO
from tests.support.holder_stores import PASSPHRASE
from tests.support.programmes import boundary_data, programme
from tests.support.registers import register_rows
from verifier.client import DID
from verifier.eligibility import programme_query
from wallet.app import restore_wallet
from wallet.crypto.recovery_phrase import PhraseLanguage
from wallet.eligibility.days import seoul_midnight
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable
from wallet.protocols.frames import make_frames, read_frames
from wallet.protocols.oid4vp import ResponseMode
from wallet.protocols.oid4vp_response import parse_dc_response
from wallet.protocols.oid4vp_session import Flow, RequestOptions

JIHO = "SYN-P-2"
YOUTH = "https://youth.example"
ON = date(2026, 6, 15)
PARALLEL = 16
ALLOWANCE = programme("youth-allowance@2026")
BEARER = {"Authorization": f"Bearer {AGENCY_TOKEN}"}


def noon(day: date) -> int:
    return seoul_midnight(day) + 12 * 3600


def rows() -> dict[str, list[tuple[str, JsonObject]]]:
    claims = copy.deepcopy(boundary_data()["youth-allowance@2026"]["claims"])
    claims["person"]["birth_date"] = "2004-01-01"
    found = register_rows(ALLOWANCE, claims, ON)
    return {
        kind: [(person, row) for _, row in listed for person in (MINSEO, JIHO)]
        for kind, listed in found.items()
    }


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """Fares at one agency, the allowance at another, and the register at a third host."""
    found = City(
        tmp_path,
        noon(ON),
        rows(),
        agencies=(AGENCY_URL, YOUTH),
        configure={"programme_agencies": {"youth-allowance": YOUTH}},
    )
    yield found
    found.close()


def holder(city: City, person: str = MINSEO, name: str = "wallet", *kinds: str) -> Wallet:
    wallet = city.open_wallet(name)
    for kind in ("benefit-key", *kinds):
        city.give(wallet, kind, person, person)
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    return wallet


def apply(wallet: Wallet, programme_id: str = "youth-fare") -> JsonObject:
    """Apply as a holder does; return the decision."""
    (found,) = [item for item in wallet.discovery.findings() if item.programme.id == programme_id]
    (applied,) = wallet.discovery.apply(wallet.discovery.plan([found]))
    assert applied.decision is not None, applied.code
    return applied.decision


def told(decision: JsonObject) -> tuple[str, list[tuple[str, str]]]:
    return decision["outcome"], [(item["code"], item["clause"]) for item in decision["reasons"]]


ELIGIBLE: tuple[str, list[tuple[str, str]]] = ("eligible", [])
DRAWN = ("not_eligible", [("received_this_year", "one-per-person")])
EXCLUDED = ("not_eligible", [("receives_another_benefit", "one-of-group")])


def test_a_person_draws_a_benefit_once_and_the_neighbour_too(city: City) -> None:
    minseo, jiho = holder(city), holder(city, JIHO, "jiho")
    assert told(apply(minseo)) == ELIGIBLE
    assert told(apply(minseo)) == DRAWN
    assert told(apply(jiho)) == ELIGIBLE
    assert told(apply(jiho)) == DRAWN


def test_what_one_may_have_once_is_unknown_without_a_network(city: City) -> None:
    wallet, service = holder(city), city.verifiers[AGENCY_URL].service
    opened = service.create_request(
        named=programme_query(programme("youth-fare@2026")),
        options=RequestOptions(prefix=DID, response_mode=ResponseMode.QR_JWT, flow=Flow.FRAMES),
    )
    assert opened.request_object is not None
    consent = wallet.offline.review(make_frames(opened.request_object.encode()))
    answer = {"response": read_frames(wallet.offline.answer(consent)).decode()}
    service.receive_from_page(
        opened.session_id, opened.result_token, parse_dc_response(answer), None
    )
    decision = service.result(opened.session_id, opened.result_token)["eligibility"]
    assert told(decision) == ("unknown", [("could_not_check", "one-per-person")])
    assert decision["facts_age_s"] is not None
    assert nullifiers(city, AGENCY_URL) == set()
    # With a network the same person is counted, for the first time.
    assert told(apply(wallet)) == ELIGIBLE


def test_the_next_year_is_another_cycle_and_the_eve_is_not(city: City) -> None:
    wallet = holder(city)
    apply(wallet)
    for day, expected in ((date(2026, 12, 31), DRAWN), (date(2027, 1, 1), ELIGIBLE)):
        city.clock.set(noon(day))
        city.give(wallet, "benefit-key")
        city.settle()
        wallet.discovery.refresh(AGENCY_URL)
        assert told(apply(wallet)) == expected


def test_a_key_that_was_issued_again_counts_as_the_same_person(city: City) -> None:
    wallet = holder(city)
    apply(wallet)
    first = wallet.credentials()[0].id
    city.give(wallet, "benefit-key")
    wallet.remove(first)
    assert told(apply(wallet)) == DRAWN


def test_a_restored_wallet_is_the_same_person(city: City, tmp_path: Path) -> None:
    wallet = holder(city)
    apply(wallet)
    phrase = wallet.create_recovery_phrase(PhraseLanguage.KOREAN)
    wallet.export(tmp_path / "export")
    restore_wallet(tmp_path / "export", phrase, tmp_path / "new.wallet", PASSPHRASE)
    moved = city.open_wallet("new")
    moved.discovery.refresh(AGENCY_URL)
    assert told(apply(moved)) == DRAWN


def test_a_lost_secret_is_not_replaced_within_the_epoch(city: City) -> None:
    holder(city)
    with pytest.raises(OfferRefused) as refusal:
        holder(city, MINSEO, "after the loss")
    assert "nym_key_registered" in str(refusal.value)


def test_a_key_that_is_over_counts_nobody_and_says_so(city: City) -> None:
    wallet = holder(city)
    city.clock.set(noon(date(2026, 10, 1)))
    city.settle()
    wallet.discovery.refresh(AGENCY_URL)
    (found,) = [item for item in wallet.discovery.findings() if item.programme.id == "youth-fare"]
    assert found.outcome.value == "unknown"
    assert {reason.code for reason in found.evaluation.reasons} == {"facts_too_old"}
    assert told(apply(wallet))[0] == "unknown"
    city.give(wallet, "benefit-key")
    assert told(apply(wallet)) == ELIGIBLE


def test_facts_about_a_key_count_up_to_the_age_that_the_programme_accepts(city: City) -> None:
    minseo, jiho, began = holder(city), holder(city, JIHO, "jiho"), city.clock.now()
    limit = ALLOWANCE.evidence["person"].max_replica_age_s
    opened = city.ask("youth-fare")
    jiho.present(jiho.review(opened["link"]))
    age_s = city.decision(opened)["facts_age_s"]
    city.clock.set(began + limit - age_s + 1)
    outcome, reasons = told(apply(minseo))
    assert (outcome, {code for code, _ in reasons}) == ("unknown", {"facts_too_old"})
    assert len(nullifiers(city, AGENCY_URL)) == 1
    city.clock.set(began + limit - age_s)
    decision = apply(minseo)
    assert (told(decision), decision["facts_age_s"]) == (ELIGIBLE, limit)


def test_of_programmes_that_exclude_each_other_one_is_drawn(city: City) -> None:
    wallet = holder(city, MINSEO, "wallet", "employment", "income")
    assert told(apply(wallet, "youth-allowance")) == ELIGIBLE
    assert told(apply(wallet, "youth-fare")) == EXCLUDED
    other = holder(city, JIHO, "jiho", "employment", "income")
    assert told(apply(other, "youth-fare")) == ELIGIBLE
    assert told(apply(other, "youth-allowance")) == EXCLUDED


def forms(city: City, wallet: Wallet, count: int) -> list[tuple[JsonObject, bytes]]:
    """Open so many requests and let the wallet answer each, without a byte of it arriving."""
    written = []
    for _ in range(count):
        opened = city.ask("youth-fare")
        request = wallet.review(opened["link"])
        city.network.down.add("agency.example")
        with pytest.raises(PeerUnreachable):
            wallet.present(request)
        city.network.down.clear()
        written.append((opened, city.network.sent[-1][2]))
    return written


def test_of_sixteen_applications_at_once_exactly_one_draws_also_after_a_restart(
    city: City,
) -> None:
    wallet = holder(city)
    written = forms(city, wallet, PARALLEL + 1)
    path = urlsplit(city.network.sent[-1][1]).path
    barrier = Barrier(PARALLEL)

    def arrive(form: bytes) -> int:
        client = city.verifiers[AGENCY_URL].app.test_client()
        barrier.wait()
        return client.post(
            path, data=form, content_type="application/x-www-form-urlencoded"
        ).status_code

    with ThreadPoolExecutor(PARALLEL) as pool:
        statuses = list(pool.map(arrive, [form for _, form in written[:PARALLEL]]))
    assert statuses == [200] * PARALLEL
    outcomes = [city.decision(opened)["decision"]["outcome"] for opened, _ in written[:PARALLEL]]
    assert outcomes.count("eligible") == 1
    assert set(outcomes) <= {"eligible", "not_eligible", "unknown"}
    city.restart(AGENCY_URL)
    late, form = written[PARALLEL]
    client = city.verifiers[AGENCY_URL].app.test_client()
    assert client.post(path, data=form, content_type="application/x-www-form-urlencoded")
    assert told(city.decision(late)["decision"]) == DRAWN


@pytest.mark.parametrize("member", ["receipt_key", "link"])
def test_what_travels_with_a_proof_is_bound_by_it(city: City, member: str) -> None:
    wallet = holder(city)
    ((mine, form), (_, other)) = forms(city, wallet, 2)
    fields, others = (parse_qs(item.decode()) for item in (form, other))
    token, theirs = (parse_json_object(item["vp_token"][0].encode()) for item in (fields, others))
    token["person"][0][member] = theirs["person"][0][member]
    changed = urlencode({"vp_token": to_json(token).decode(), "state": fields["state"][0]})
    path = urlsplit(city.network.sent[-1][1]).path
    sent = city.agency.post(path, data=changed, content_type="application/x-www-form-urlencoded")
    assert sent.status_code == 200
    (seen,) = city.decision(mine)["decision"]["evidence"]
    assert (seen["accepted"], seen["code"]) == (False, "bbs_proof_invalid")
    assert nullifiers(city, AGENCY_URL) == set()


def test_agencies_and_register_keep_nothing_by_which_they_could_be_joined(city: City) -> None:
    wallet = holder(city, MINSEO, "wallet", "employment", "income")
    apply(wallet, "youth-fare")
    apply(wallet, "youth-allowance")
    kept = {url: nullifiers(city, url) for url in (AGENCY_URL, YOUTH)}
    register = nullifiers(city, REGISTER_URL)
    assert [len(found) for found in (*kept.values(), register)] == [1, 0, 1]
    assert kept[AGENCY_URL].isdisjoint(register)
    (nullifier,), (group,) = kept[AGENCY_URL], register
    for host in ("agency.example", "youth.example"):
        for body in city.network.posted_to(host):
            assert group not in body
            assert base64url.encode(group).encode() not in body
    asked = b"".join(body for _, url, body in city.network.sent if url.startswith(REGISTER_URL))
    assert asked
    assert base64url.encode(nullifier).encode() not in asked


def nullifiers(city: City, base_url: str) -> set[bytes]:
    """Return every pseudonym in a host's database."""
    name, table = f"{urlsplit(base_url).netloc}.db", "benefit_claims"
    if base_url == REGISTER_URL:
        name, table = "register.db", "exclusion_claims"
    with closing(sqlite3.connect(city.folder / name)) as database:
        found = database.execute(f"SELECT pseudonym FROM {table} WHERE pseudonym IS NOT NULL")
        return {bytes(row[0]) for row in found}


def test_without_the_register_nothing_is_told_and_nothing_is_left_behind(city: City) -> None:
    wallet = holder(city)
    city.network.down.add("register.example")
    assert told(apply(wallet)) == ("unknown", [("could_not_check", "one-of-group")])
    assert told(apply(wallet)) == ("unknown", [("could_not_check", "one-per-person")])
    city.network.down.clear()
    city.verifiers[AGENCY_URL].background.run_once()
    assert nullifiers(city, AGENCY_URL) == set()
    assert told(apply(wallet)) == ELIGIBLE


def test_an_agency_takes_a_grant_back_and_the_person_draws_again(city: City) -> None:
    wallet = holder(city)
    agency = city.network.hosts["agency.example"]
    opened = city.ask("youth-fare")
    wallet.present(wallet.review(opened["link"]))
    claim_id = city.decision(opened)["claim_id"]
    assert agency.delete(f"/v1/eligibility/claims/{claim_id}").status_code == 401
    for status in (204, 404):
        answer = agency.delete(f"/v1/eligibility/claims/{claim_id}", headers=BEARER)
        assert answer.status_code == status
    assert nullifiers(city, REGISTER_URL) == set()
    assert told(apply(wallet)) == ELIGIBLE


def test_a_wallet_that_does_not_know_the_programme_gives_no_nullifier_of_it(city: City) -> None:
    wallet = city.open_wallet()
    city.give(wallet, "benefit-key")
    city.settle()
    opened = city.ask("youth-fare")
    wallet.present(wallet.review(opened["link"]))
    assert city.decision(opened)["decision"]["outcome"] == "unknown"
    (seen,) = city.decision(opened)["decision"]["evidence"]
    assert (seen["accepted"], seen["code"]) == (False, "bbs_proof_invalid")
    assert nullifiers(city, AGENCY_URL) == set()


def test_a_borrowed_key_does_not_go_with_ones_own_papers(city: City) -> None:
    wallet = holder(city, MINSEO, "wallet")
    for kind in ("employment", "income"):
        city.give(wallet, kind, JIHO, JIHO)
    city.settle()
    found = {item.programme.id: item for item in wallet.discovery.findings()}
    assert found["youth-allowance"].outcome.value == "unknown"
    opened = city.ask("youth-allowance", agency=YOUTH)
    wallet.present(wallet.review(opened["link"]))
    told_ = city.decision(opened)
    assert (told_["decision"], told_["code"]) == (None, "evidence_of_several_people")


def test_batches_do_not_count_people(city: City) -> None:
    agency = city.network.hosts["agency.example"]
    batch = agency.post("/v1/eligibility/batches", headers=BEARER).get_json()
    line = b'{"id": "a-1", "programme": "youth-fare", "presentations": {}}\n'
    path = urlsplit(batch["chunks_uri"]).path
    sent = agency.put(f"{path}0", data=line, content_type="application/x-ndjson", headers=BEARER)
    assert sent.status_code == 202, sent.text
    agency.post(f"/v1/eligibility/batches/{batch['batch_id']}/seal", headers=BEARER)
    city.verifiers[AGENCY_URL].bulk.run_once()
    page = agency.get(urlsplit(batch["decisions_uri"]).path, headers=BEARER).get_json()
    (decided,) = page["decisions"]
    assert (decided["state"], decided["code"]) == ("refused", "counted_one_by_one")
