"""Our wallet refuses a verifier that asks beyond its registration, with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.certified_desk import certified
from tests.support.citizen import Citizen, MemoryVerifierRegistry
from tests.support.credentials import NOW, VCT
from tests.support.desk import Desk
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_records import SqlReplicaRecords
from wallet.crypto.hashing import sha256
from wallet.holder.requests import RegistrationUnchecked
from wallet.protocols.registration import (
    OutsideRegistration,
    Registration,
    Standing,
    claims_digest,
)
from wallet.trust.facts import BlockRef
from wallet.trust.identifiers import schema_id
from wallet.trust.verifiers import (
    RegisteredService,
    VerifierRevoked,
    VerifierScope,
    verifier_id,
)

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


def test_what_the_chain_says_of_a_verifier_decides(desk: Desk, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "replica.db"))
    migrate(engine, "replica")
    replica = SqlReplica(engine)
    replica.bind("a synthetic deployment")
    scope = VerifierScope(
        verifier_id(DID),
        WORDS.service_id,
        schema_id(VCT),
        sha256(PURPOSE.encode()),
        claims_digest(CLAIMS),
        0,
        NOW - 10,
        NOW + 1000,
    )
    replica.apply([scope], BlockRef(1, b"\x01" * 32, NOW - 5), NOW)
    records = SqlReplicaRecords(engine, 31337)
    citizen = Citizen.at(desk, tmp_path, registry=records, require_registration=True)
    citizen.hold()
    consent = citizen.wallet.review(desk.ask()["link"])
    assert consent.registration.standing is Standing.REGISTERED
    ended = VerifierRevoked(verifier_id(DID), WORDS.service_id, 0, NOW - 1)
    replica.apply([ended], BlockRef(2, b"\x02" * 32, NOW), NOW)
    with pytest.raises(OutsideRegistration, match="any more"):
        citizen.wallet.review(desk.ask()["link"])
    engine.dispose()
