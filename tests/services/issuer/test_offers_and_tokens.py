"""Offers, transaction codes and the token endpoint (OpenID4VCI §4, §6)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from issuer.sessions import MAX_TX_CODE_ATTEMPTS
from tests.support.issuing import (
    FAMILY,
    FORM,
    HOLDER,
    NOW,
    SMALL_FAMILY,
    SMALL_HOLDER,
    IssuerWorld,
    issuer_world,
)
from wallet.protocols.oid4vci.offer import PRE_AUTHORIZED_CODE_GRANT, parse_credential_offer

DAY_S = 24 * 3600
RACERS = 16


def error_of(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]  # type: ignore[attr-defined]


def wrong(tx_code: str | None) -> str:
    assert tx_code is not None
    return f"{(int(tx_code) + 1) % 10**6:06d}"


def test_a_code_gives_a_bearer_token_that_is_not_cached(world: IssuerWorld) -> None:
    answer = world.exchange(world.offer()[0])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_json()
    assert body.keys() == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)


def test_the_offer_names_issuer_and_configuration_and_how_to_ask_for_the_code(
    world: IssuerWorld,
) -> None:
    made = world.operate("/offers", {"family_id": FAMILY, "holder_id": HOLDER}).get_json()
    assert len(made["tx_code"]) == 6
    assert made["tx_code"].isdecimal()
    assert made["expires_at"] == NOW + DAY_S
    offer_path = made["link"].rpartition("offers%2F")[2]
    answer = world.client.get(f"/offers/{offer_path}")
    assert answer.content_type == "application/json"
    offer = parse_credential_offer(answer.get_json())
    assert offer.credential_issuer == world.base_url
    assert offer.credential_configuration_ids == ("multi-child-family-card",)
    assert offer.tx_code is not None
    assert (offer.tx_code.input_mode, offer.tx_code.length) == ("numeric", 6)
    assert made["tx_code"] not in answer.text


def test_refuses_a_code_used_twice_and_revokes_the_token_it_gave(world: IssuerWorld) -> None:
    code, _ = world.offer()
    token = world.exchange(code).get_json()["access_token"]
    assert error_of(world.exchange(code)) == (400, "invalid_grant")
    answer = world.request_credential(token, world.proof())
    assert error_of(answer) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_of_sixteen_parallel_uses_of_a_code_one_succeeds_and_its_token_is_revoked(
    world: IssuerWorld,
) -> None:
    code, _ = world.offer()
    barrier = Barrier(RACERS)

    def race(_: int) -> tuple[int, dict[str, str]]:
        barrier.wait()
        answer = world.exchange(code)
        return answer.status_code, answer.get_json()

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(race, range(RACERS)))
    won = [body for status, body in answers if status == 200]
    lost = [(status, body["error"]) for status, body in answers if status != 200]
    assert len(won) == 1
    assert lost == [(400, "invalid_grant")] * (RACERS - 1)
    answer = world.request_credential(won[0]["access_token"], world.proof())
    assert error_of(answer) == (401, "invalid_token")


def test_a_code_is_dead_after_five_wrong_transaction_codes_also_after_a_restart(
    world: IssuerWorld,
) -> None:
    code, tx_code = world.offer(tx_code=True)
    for _ in range(MAX_TX_CODE_ATTEMPTS + 1):
        assert error_of(world.exchange(code, wrong(tx_code))) == (400, "invalid_grant")
    assert error_of(world.exchange(code, tx_code)) == (400, "invalid_grant")
    world.close()
    again = issuer_world(world.folder)
    assert error_of(again.exchange(code, tx_code)) == (400, "invalid_grant")
    again.close()


def test_accepts_the_right_transaction_code_after_four_wrong_ones_and_a_restart(
    world: IssuerWorld,
) -> None:
    code, tx_code = world.offer(tx_code=True)
    for _ in range(MAX_TX_CODE_ATTEMPTS - 1):
        assert error_of(world.exchange(code, wrong(tx_code))) == (400, "invalid_grant")
    world.close()
    again = issuer_world(world.folder)
    assert again.exchange(code, tx_code).status_code == 200
    again.close()


def test_parallel_guesses_are_all_counted(world: IssuerWorld) -> None:
    code, tx_code = world.offer(tx_code=True)
    barrier = Barrier(RACERS)

    def guess(_: int) -> int:
        barrier.wait()
        return world.exchange(code, wrong(tx_code)).status_code

    with ThreadPoolExecutor(RACERS) as pool:
        assert set(pool.map(guess, range(RACERS))) == {400}
    assert error_of(world.exchange(code, tx_code)) == (400, "invalid_grant")


def test_refuses_a_transaction_code_that_was_not_asked_for(world: IssuerWorld) -> None:
    code, _ = world.offer()
    assert error_of(world.exchange(code, "123456")) == (400, "invalid_request")
    assert world.exchange(code).status_code == 200


def test_refuses_a_missing_transaction_code_without_counting_it(world: IssuerWorld) -> None:
    code, tx_code = world.offer(tx_code=True)
    for _ in range(MAX_TX_CODE_ATTEMPTS + 1):
        assert error_of(world.exchange(code)) == (400, "invalid_request")
    assert world.exchange(code, tx_code).status_code == 200


def test_refuses_a_code_from_the_second_of_its_expiry(world: IssuerWorld) -> None:
    code, _ = world.offer()
    world.clock.set(NOW + DAY_S)
    assert error_of(world.exchange(code)) == (400, "invalid_grant")


def test_accepts_a_code_in_the_second_before_its_expiry(world: IssuerWorld) -> None:
    code, _ = world.offer()
    world.clock.set(NOW + DAY_S - 1)
    assert world.exchange(code).status_code == 200


def test_refuses_an_unknown_code_as_it_refuses_a_used_one(world: IssuerWorld) -> None:
    used, _ = world.offer()
    world.exchange(used)
    unknown = world.exchange("no-such-code")
    assert (unknown.status_code, unknown.data) == (400, world.exchange(used).data)


def test_ignores_parameters_it_does_not_know(world: IssuerWorld) -> None:
    code, tx_code = world.offer(tx_code=True)
    form = {
        "grant_type": PRE_AUTHORIZED_CODE_GRANT,
        "pre-authorized_code": code,
        "tx_code": tx_code,
        "user_pin": tx_code,
        "resource": [world.base_url, world.base_url],
    }
    assert world.client.post("/token", data=form, content_type=FORM).status_code == 200


def test_refuses_a_known_parameter_sent_twice(world: IssuerWorld) -> None:
    code, _ = world.offer()
    body = {"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": [code, code]}
    answer = world.client.post("/token", data=body, content_type=FORM)
    assert error_of(answer) == (400, "invalid_request")


@pytest.mark.parametrize("grant", ["password", "implicit", "client_credentials"])
def test_refuses_other_grants(world: IssuerWorld, grant: str) -> None:
    answer = world.client.post("/token", data={"grant_type": grant}, content_type=FORM)
    assert error_of(answer) == (400, "unsupported_grant_type")


def test_an_offer_is_gone_once_its_code_was_used(world: IssuerWorld) -> None:
    made = world.operate(
        "/offers", {"family_id": FAMILY, "holder_id": HOLDER, "tx_code": False}
    ).get_json()
    path = f"/offers/{made['link'].rpartition('offers%2F')[2]}"
    code = parse_credential_offer(world.client.get(path).get_json()).pre_authorized_code
    world.exchange(code)
    answer = world.client.get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "offer_unknown")


def test_offers_nothing_to_a_family_with_one_child(world: IssuerWorld) -> None:
    answer = world.operate("/offers", {"family_id": SMALL_FAMILY, "holder_id": SMALL_HOLDER})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_entitled")
    assert "too_few_children" in answer.get_json()["detail"]


def test_bulk_offers_are_made_for_all_or_for_none(world: IssuerWorld) -> None:
    good = {"family_id": FAMILY, "holder_id": HOLDER}
    bad = {"family_id": SMALL_FAMILY, "holder_id": SMALL_HOLDER}
    unknown = {"family_id": "SYN-F-99", "holder_id": HOLDER}
    refused = world.operate("/offers/bulk", {"cards": [good, bad, unknown]})
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"
    assert refused.get_json()["refused"] == [
        {"index": 1, "code": "not_entitled"},
        {"index": 2, "code": "subject_unknown"},
    ]
    assert "link" not in refused.text
    made = world.operate("/offers/bulk", {"cards": [good, good], "tx_code": False})
    assert made.status_code == 201
    codes = {world.code_behind(offer["link"]) for offer in made.get_json()["offers"]}
    assert [world.exchange(code).status_code for code in codes] == [200, 200]


def test_no_code_token_or_nonce_can_be_read_from_the_database(world: IssuerWorld) -> None:
    made = world.operate("/offers", {"family_id": FAMILY, "holder_id": HOLDER}).get_json()
    code = world.code_behind(made["link"])
    token = world.exchange(code, made["tx_code"]).get_json()["access_token"]
    secrets = [code, token, world.nonce(), made["link"].rpartition("offers%2F")[2]]
    world.close()
    stored = b"".join(path.read_bytes() for path in Path(world.folder).glob("issuer.db*"))
    assert FAMILY.encode() in stored
    assert [secret for secret in secrets if secret.encode() in stored] == []
