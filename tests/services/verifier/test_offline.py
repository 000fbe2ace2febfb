"""Cards shown from screen to camera: request and answer as frames, with no network in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.support.certified_desk import certified
from tests.support.citizen import Citizen
from tests.support.clock import SettableClock
from tests.support.credentials import NOW
from tests.support.desk import AGENCY, BASE_URL, Desk
from wallet.credentials.jose import sign_jws
from wallet.crypto.certificates import CertificateNotTrusted
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.holder.consent import NoMatchingCredential
from wallet.holder.present import RequestExpired
from wallet.holder.requests import RequestReader, VerifierPolicy
from wallet.protocols.frames import FramesMissing, make_frames, read_frames
from wallet.protocols.oid4vp import RequestMalformed, RequestNotForWallet, UnsupportedRequest
from wallet.protocols.oid4vp_offline import MAX_AGE_S, OfflineRequestTooOld
from wallet.protocols.oid4vp_request_object import parse_request_object
from wallet.protocols.oid4vp_response import parse_response
from wallet.protocols.registration import Standing

CERTIFIED = "x509_hash"


def forward(clock: SettableClock, seconds: int) -> None:
    clock.set(clock.now() + seconds)


class Gate:
    """A desk whose holders have no network: what passes between them are frames."""

    def __init__(self, open_desk: Callable[..., Desk], folder: Path) -> None:
        self.desk, self.anchors = certified(open_desk, folder)
        self.clock = SettableClock(NOW)
        self.citizen = Citizen.at(self.desk, folder, anchors=self.anchors, clock=self.clock)
        self.citizen.hold()

    def wait(self, seconds: int) -> None:
        forward(self.clock, seconds)
        forward(self.desk.clock, seconds)

    def ask(
        self, query: str = "family-card", **more: object
    ) -> tuple[JsonObject, tuple[str, ...]]:
        """Open a request; return what the agency keeps, and the frames on its screen."""
        opened = self.desk.ask(query, flow="frames", client_id_prefix=CERTIFIED, **more)
        assert "link" not in opened
        return opened, make_frames(opened["request_object"].encode())

    def hand_in(self, opened: JsonObject, frames: tuple[str, ...]) -> TestResponse:
        return self.desk.client.post(
            f"/v1/requests/{opened['request_id']}/response",
            json={"data": {"response": read_frames(frames).decode()}},
            headers={"Authorization": f"Bearer {opened['result_token']}"},
        )

    def result(self, opened: JsonObject) -> JsonObject:
        answer: JsonObject = self.desk.result(opened).get_json()
        return answer


@pytest.fixture
def gate(open_desk: Callable[..., Desk], tmp_path: Path) -> Gate:
    return Gate(open_desk, tmp_path)


def test_shows_a_card_and_is_decided_on_without_a_single_message(gate: Gate) -> None:
    opened, asked = gate.ask()
    consent = gate.citizen.wallet.offline.review(reversed(asked))
    assert consent.authenticated
    assert consent.answers_to == "QR"
    assert consent.registration.standing is Standing.UNCHECKED
    answer = gate.citizen.wallet.offline.answer(consent)
    assert gate.citizen.transport.sent == []
    gate.wait(30)
    assert gate.hand_in(opened, answer).status_code == 200
    result = gate.result(opened)
    assert (result["outcome"], result["code"]) == ("accepted", None)
    assert result["credentials"]["card"][0]["claims"]["child_count"] == 2
    # The oldest fact that it was decided by, and half a minute went by since it was asked.
    assert result["facts_age_s"] == result["checked_at"] - result["facts_as_of"]
    assert result["facts_age_s"] >= 30
    (entry,) = gate.citizen.wallet.log()
    assert entry.outcome.value == "unanswered"
    gate.citizen.store.close()


def test_nobody_else_reads_the_answer(gate: Gate) -> None:
    _, asked = gate.ask()
    answer = gate.citizen.wallet.offline.answer(gate.citizen.wallet.offline.review(asked))
    message = read_frames(answer)
    assert message.count(b".") == 4
    assert b"~" not in message


@pytest.mark.parametrize("age_s", [MAX_AGE_S, MAX_AGE_S + 1, 3600])
def test_refuses_a_request_that_is_a_minute_old(gate: Gate, age_s: int) -> None:
    _, asked = gate.ask()
    forward(gate.clock, age_s)
    with pytest.raises(OfflineRequestTooOld):
        gate.citizen.wallet.offline.review(asked)


def test_takes_a_request_one_second_younger(gate: Gate) -> None:
    _, asked = gate.ask()
    forward(gate.clock, MAX_AGE_S - 1)
    consent = gate.citizen.wallet.offline.review(asked)
    forward(gate.clock, 1)
    with pytest.raises(RequestExpired):
        gate.citizen.wallet.offline.answer(consent)


@pytest.mark.parametrize(("behind_s", "fits"), [(60, True), (61, False)])
def test_the_verifiers_clock_may_be_a_minute_ahead(gate: Gate, behind_s: int, fits: bool) -> None:
    _, asked = gate.ask()
    forward(gate.clock, -behind_s)
    if fits:
        assert gate.citizen.wallet.offline.review(asked).answers
    else:
        with pytest.raises(RequestNotForWallet):
            gate.citizen.wallet.offline.review(asked)


def test_an_answer_is_decided_on_within_two_minutes_of_the_request(gate: Gate) -> None:
    opened, asked = gate.ask()
    answer = gate.citizen.wallet.offline.answer(gate.citizen.wallet.offline.review(asked))
    forward(gate.desk.clock, 2 * MAX_AGE_S)
    assert gate.hand_in(opened, answer).status_code == 404


def test_an_answer_is_taken_once(gate: Gate) -> None:
    opened, asked = gate.ask()
    answer = gate.citizen.wallet.offline.answer(gate.citizen.wallet.offline.review(asked))
    assert gate.hand_in(opened, answer).status_code == 200
    assert gate.hand_in(opened, answer).status_code == 409


def test_an_answer_to_another_request_opens_nothing(gate: Gate) -> None:
    _, asked = gate.ask()
    answer = gate.citizen.wallet.offline.answer(gate.citizen.wallet.offline.review(asked))
    opened, _ = gate.ask()
    assert gate.hand_in(opened, answer).status_code == 422
    assert gate.result(opened)["state"] == "fetched"


def test_an_answer_in_frames_is_not_taken_over_the_network(gate: Gate) -> None:
    opened, asked = gate.ask()
    answer = gate.citizen.wallet.offline.answer(gate.citizen.wallet.offline.review(asked))
    fields = {"response": read_frames(answer).decode()}
    assert parse_response(fields)
    assert gate.desk.client.post("/responses", data=fields).status_code == 400
    assert gate.result(opened)["state"] == "fetched"


def test_a_request_in_frames_is_not_read_as_a_link_nor_the_other_way_round(gate: Gate) -> None:
    _, asked = gate.ask()
    message = read_frames(asked).decode()
    reader = RequestReader(
        transport=gate.citizen.transport,
        dids=gate.citizen.transport,
        clock=gate.clock,
        policy=VerifierPolicy(anchors=gate.anchors),
    )
    with pytest.raises(UnsupportedRequest):
        reader.read_object(message)
    linked = gate.desk.ask(client_id_prefix=CERTIFIED)
    fetched = gate.desk.client.get(linked["request_uri"].removeprefix(BASE_URL)).get_data()
    with pytest.raises(UnsupportedRequest):
        gate.citizen.wallet.offline.review(make_frames(fetched))


def test_a_request_of_a_stranger_is_refused(gate: Gate, tmp_path: Path) -> None:
    _, asked = gate.ask()
    elsewhere = tmp_path / "stranger"
    elsewhere.mkdir()
    stranger = Citizen.at(gate.desk, elsewhere)
    with pytest.raises(CertificateNotTrusted):
        stranger.wallet.offline.review(asked)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"exp": NOW + MAX_AGE_S + 1}, RequestMalformed),
        ({"iat": None}, RequestMalformed),
        ({"exp": None}, RequestMalformed),
        ({"response_uri": "https://verifier.example/responses"}, RequestMalformed),
        ({"client_metadata": {}}, RequestMalformed),
        ({"response_mode": "direct_post.jwt"}, UnsupportedRequest),
        ({"aud": "https://elsewhere.example"}, RequestNotForWallet),
    ],
)
def test_refuses_a_signed_request_that_is_not_for_frames(
    gate: Gate, change: JsonObject, error: type[Exception]
) -> None:
    _, asked = gate.ask()
    parsed = parse_request_object(read_frames(asked))
    claims = {**parsed.peek_claims(), **change}
    key = Es256SigningKey.from_secret(
        base64url.decode(gate.desk.config.signing_key_file.read_text())
    )
    header = {name: value for name, value in parsed.header.items() if name != "alg"}
    signed = sign_jws(key, header, {n: v for n, v in claims.items() if v is not None})
    with pytest.raises(error):
        gate.citizen.wallet.offline.review(make_frames(signed.encode()))


def test_an_altered_request_is_refused(gate: Gate) -> None:
    _, asked = gate.ask()
    signed, _, signature = read_frames(asked).rpartition(b".")
    altered = signed + b"." + signature[1:-1] + signature[:1] + signature[-1:]
    with pytest.raises(SignatureInvalid):
        gate.citizen.wallet.offline.review(make_frames(altered))


def test_waits_for_the_frames_that_it_did_not_see(gate: Gate) -> None:
    _, asked = gate.ask()
    with pytest.raises(FramesMissing):
        gate.citizen.wallet.offline.review(asked[1:])


def test_a_wallet_answers_each_request_the_way_that_it_came(gate: Gate) -> None:
    _, asked = gate.ask()
    consent = gate.citizen.wallet.offline.review(asked)
    with pytest.raises(ValueError, match="the way that it came"):
        gate.citizen.wallet.present(consent)
    with pytest.raises(ValueError, match="the way that it came"):
        gate.citizen.wallet.answer_page(consent)
    linked = gate.citizen.wallet.review(gate.desk.ask(client_id_prefix=CERTIFIED)["link"])
    with pytest.raises(ValueError, match="the way that it came"):
        gate.citizen.wallet.offline.answer(linked)


@pytest.mark.parametrize(
    "body",
    [
        {"flow": "frames", "response_mode": "direct_post.jwt"},
        {"flow": "cross_device", "response_mode": "qr.jwt"},
        {"flow": "frames", "client_id_prefix": "redirect_uri"},
        {"flow": "frames", "expected_origins": ["https://page.example"]},
    ],
)
def test_refuses_options_that_do_not_fit_frames(gate: Gate, body: JsonObject) -> None:
    answer = gate.desk.client.post(
        "/v1/requests", json={"query": "family-card", **body}, headers=AGENCY
    )
    assert answer.status_code == 400
    assert answer.get_json()["code"] == "unsupported_request_options"


def test_facts_that_are_too_old_decide_nothing(gate: Gate) -> None:
    gate.wait(7200)
    opened, asked = gate.ask()
    answer = gate.citizen.wallet.offline.answer(gate.citizen.wallet.offline.review(asked))
    assert gate.hand_in(opened, answer).status_code == 200
    result = gate.result(opened)
    assert (result["outcome"], result["credentials"]) == ("unavailable", None)
    assert result["code"] == "facts_too_old"


def test_a_request_that_no_card_answers_is_not_answered(gate: Gate) -> None:
    _, asked = gate.ask("appointment-letter")
    consent = gate.citizen.wallet.offline.review(asked)
    assert consent.missing
    with pytest.raises(NoMatchingCredential):
        gate.citizen.wallet.offline.answer(consent)
    assert gate.citizen.transport.sent == []
