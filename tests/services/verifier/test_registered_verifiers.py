"""Our wallet refuses a verifier that asks beyond its registration, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.certified_desk import certified
from tests.support.citizen import Citizen, MemoryVerifierRegistry
from tests.support.credentials import NOW, VCT
from tests.support.desk import Desk
from wallet.holder.requests import RegistrationUnchecked
from wallet.protocols.registration import OutsideRegistration, Registration, Standing
from wallet.trust.verifiers import RegisteredService, verifier_id

DID = "did:web:verifier.example"
PURPOSE = "다둥이 행복카드 혜택 확인 / Check of multi-child family benefits"
CLAIMS = (("child_count",), ("seoul_resident",), ("valid_until",))
WORDS = Registration(VCT, PURPOSE, CLAIMS)


def registry(*registrations: Registration) -> MemoryVerifierRegistry:
    made = MemoryVerifierRegistry()
    for words in registrations:
        made.services.append(
            RegisteredService(verifier_id(DID), words.service_id, NOW - 10, NOW + 1000)
        )
    return made


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(registrations=(WORDS,))


def test_a_request_within_the_registration_is_shown_as_registered(
    desk: Desk, tmp_path: Path
) -> None:
    citizen = Citizen.at(desk, tmp_path, registry=registry(WORDS), require_registration=True)
    citizen.hold()
    opened = desk.ask()
    consent = citizen.wallet.review(opened["link"])
    assert consent.registration.standing is Standing.REGISTERED
    assert consent.registration.as_of == NOW - 30
    citizen.wallet.present(consent)
    assert desk.result(opened).get_json()["outcome"] == "accepted"


def test_a_request_for_more_is_refused_with_the_reason_and_nothing_is_sent(
    desk: Desk, tmp_path: Path
) -> None:
    citizen = Citizen.at(desk, tmp_path, registry=registry(WORDS))
    citizen.hold()
    more = {
        "credentials": [
            {
                "id": "card",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [VCT]},
                "claims": [{"path": ["child_count"]}, {"path": ["name"]}],
            }
        ]
    }
    opened = desk.ask(None, dcql_query=more, purpose=PURPOSE)
    with pytest.raises(OutsideRegistration, match="card"):
        citizen.wallet.review(opened["link"])
    assert all("/responses" not in url for _, url, _ in citizen.transport.sent)


def test_an_unknown_verifier_is_shown_as_such_and_refused_where_registration_is_required(
    desk: Desk, tmp_path: Path
) -> None:
    nobody = Citizen.at(desk, tmp_path, registry=registry())
    nobody.hold()
    consent = nobody.wallet.review(desk.ask()["link"])
    assert consent.registration.standing is Standing.UNREGISTERED
    (tmp_path / "strict").mkdir()
    strict = Citizen.at(desk, tmp_path / "strict", registry=registry(), require_registration=True)
    with pytest.raises(OutsideRegistration):
        strict.wallet.review(desk.ask()["link"])
    with pytest.raises(OutsideRegistration):
        strict.wallet.review(desk.ask(client_id_prefix="redirect_uri")["link"])


def test_a_registry_that_cannot_be_asked_is_no_verdict(desk: Desk, tmp_path: Path) -> None:
    silent = MemoryVerifierRegistry(as_of=None)
    citizen = Citizen.at(desk, tmp_path, registry=silent)
    consent = citizen.wallet.review(desk.ask()["link"])
    assert consent.registration.standing is Standing.UNCHECKED
    (tmp_path / "strict").mkdir()
    strict = Citizen.at(desk, tmp_path / "strict", registry=silent, require_registration=True)
    with pytest.raises(RegistrationUnchecked):
        strict.wallet.review(desk.ask()["link"])


def test_a_certificate_stands_for_the_did_of_its_host(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk, anchors = certified(open_desk, tmp_path)
    citizen = Citizen.at(desk, tmp_path, anchors=anchors, registry=registry(WORDS))
    citizen.hold()
    consent = citizen.wallet.review(desk.ask(client_id_prefix="x509_hash")["link"])
    assert consent.registration.standing is Standing.REGISTERED
