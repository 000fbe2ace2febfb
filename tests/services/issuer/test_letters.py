"""Appointment letters: two operators, then an offer."""

from __future__ import annotations

from datetime import date
from typing import Any

from issuer.calendar import end_of
from tests.support.issuing import APPOINTMENT, BOB, HOLDER_NAME, IssuerWorld
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.protocols.oid4vci.credential import CredentialRequest


def request_letter(world: IssuerWorld) -> Any:
    return world.operate("/letters", {"appointment_id": APPOINTMENT})


def test_a_letter_that_a_second_operator_approved_is_issued(world: IssuerWorld) -> None:
    letter_id = request_letter(world).get_json()["letter_id"]
    approved = world.operate(f"/letters/{letter_id}/approval", {}, token=BOB).get_json()
    assert (approved["state"], approved["requested_by"], approved["approved_by"]) == (
        "approved",
        "alice",
        "bob",
    )
    offer = world.operate(f"/letters/{letter_id}/offer", {"tx_code": True}).get_json()
    token = world.exchange(world.code_behind(offer["link"]), offer["tx_code"]).get_json()
    answer = world.client.post(
        "/credential",
        json=CredentialRequest("appointment-letter", (world.proof(),)).to_json(),
        headers={"Authorization": f"Bearer {token['access_token']}"},
    )
    sd_jwt = parse_sd_jwt(answer.get_json()["credentials"][0]["credential"])
    claims = sd_jwt.process(sd_jwt.jws.peek_claims()).claims
    assert claims["vct"] == "urn:seoul-wallet:appointment-letter:1"
    assert (claims["name"], claims["valid_until"]) == (HOLDER_NAME, "2028-06-30")
    assert claims["exp"] == end_of(date(2028, 6, 30))
    assert "name" not in sd_jwt.jws.peek_claims()


def test_the_operator_who_asked_cannot_approve(world: IssuerWorld) -> None:
    letter_id = request_letter(world).get_json()["letter_id"]
    answer = world.operate(f"/letters/{letter_id}/approval", {})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "same_operator")
    listed = world.client.get(
        "/operator/letters?state=requested", headers={"Authorization": f"Bearer {BOB}"}
    )
    assert [letter["letter_id"] for letter in listed.get_json()["letters"]] == [letter_id]


def test_a_letter_is_not_offered_before_it_is_approved(world: IssuerWorld) -> None:
    letter_id = request_letter(world).get_json()["letter_id"]
    answer = world.operate(f"/letters/{letter_id}/offer", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "letter_conflict")


def test_a_letter_is_asked_for_and_approved_once(world: IssuerWorld) -> None:
    letter_id = request_letter(world).get_json()["letter_id"]
    assert request_letter(world).get_json()["code"] == "letter_conflict"
    path = f"/letters/{letter_id}/approval"
    assert world.operate(path, {}, token=BOB).status_code == 200
    assert world.operate(path, {}, token=BOB).get_json()["code"] == "letter_conflict"


def test_unknown_letters_and_appointments_are_refused(world: IssuerWorld) -> None:
    for letter_id in ("unknown", "%00", "x" * 1000):
        for step in ("approval", "offer"):
            answer = world.operate(f"/letters/{letter_id}/{step}", {})
            assert (answer.status_code, answer.get_json()["code"]) == (404, "letter_unknown")
    answer = world.operate("/letters", {"appointment_id": "SYN-A-99"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "subject_unknown")


def test_no_letter_is_asked_for_after_the_term(world: IssuerWorld) -> None:
    world.clock.set(end_of(date(2028, 6, 30)))
    answer = request_letter(world)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_entitled")
    world.clock.set(end_of(date(2028, 6, 30)) - 1)
    assert request_letter(world).status_code == 201


def test_letters_in_a_state_that_does_not_exist_are_refused(world: IssuerWorld) -> None:
    answer = world.client.get(
        "/operator/letters?state=lost", headers={"Authorization": f"Bearer {BOB}"}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "request_malformed")
