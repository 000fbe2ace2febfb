"""The register of exclusion groups over HTTP: yes or no, for agencies alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from seoul_wallet.cli import main
from tests.support.bbs import nym_credential
from tests.support.clock import SettableClock
from verifier.exclusions.config import (
    PREFIX,
    ExclusionConfigurationError,
    RegisterConfig,
    read_register_at_hand,
)
from verifier.register_app import ExclusionRegisterApplication, build_exclusion_register
from verifier.storage.claims_tables import migrate_claims
from wallet.adapters.sql.engine import open_engine, sqlite_url
from wallet.credentials.jwe import DecryptionKey, encrypt_jwe
from wallet.crypto.bbs.linked_nym import derive_linked_proof, link_answer
from wallet.crypto.bbs.nym_issuance import NymCredential
from wallet.crypto.hashing import sha256
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import seoul_day
from wallet.eligibility.nullifier import group_context, period_of
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.protocols.exclusion import seal_link

NOW = 1_780_000_000
A, B = "did:web:a.example", "did:web:b.example"
TOKENS = {A: "token-a", B: "token-b"}
GROUP = "youth-benefits"
REGISTER = "did:web:register.example"
YEAR = Window(calendar_year=True)
MINE, THEIRS = "a" * 64, "b" * 64


@dataclass
class Register:
    """A register with the clock and the key behind it."""

    application: ExclusionRegisterApplication
    key: DecryptionKey
    clock: SettableClock

    @property
    def client(self) -> FlaskClient:
        return self.application.app.test_client()

    def link(
        self, person: NymCredential, *, agency: str = A, group: str = GROUP
    ) -> dict[str, Any]:
        """Return what a wallet and an agency make of a proof of `person`."""
        period = period_of(YEAR, seoul_day(self.clock.now()))
        digests: list[bytes] = []

        def header_for(digest: bytes) -> bytes:
            digests.append(digest)
            return b"nonce" + digest

        proof, opening = derive_linked_proof(
            person,
            b"the agency's own context",
            group_context(REGISTER, group, period),
            (0,),
            header_for=header_for,
        )
        return {
            "digest": base64url.encode(digests[0]),
            "answer": base64url.encode(link_answer(proof.proof).octets),
            "sealed": seal_link(opening, agency, self.key.public),
        }

    def claim(
        self, body: JsonObject, *, agency: str = A, claim_id: str = MINE, group: str = GROUP
    ) -> TestResponse:
        return self.client.put(
            f"/v1/exclusion-groups/{group}/claims/{claim_id}",
            json=body,
            headers={"Authorization": f"Bearer {TOKENS[agency]}"},
        )

    def release(self, *, agency: str = A, claim_id: str = MINE) -> int:
        answer = self.client.delete(
            f"/v1/exclusion-groups/{GROUP}/claims/{claim_id}",
            headers={"Authorization": f"Bearer {TOKENS[agency]}"},
        )
        return answer.status_code


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    key, clock = DecryptionKey.generate(), SettableClock(NOW)
    application = build_exclusion_register(
        RegisterConfig(
            base_url="https://register.example",
            database_url=sqlite_url(tmp_path / "register.db"),
            key=key,
            groups={GROUP: YEAR},
            agency_token_digests={name: sha256(text.encode()) for name, text in TOKENS.items()},
        ),
        clock=clock,
    )
    yield Register(application, key, clock)
    application.close()


MINSEO, JIHO = nym_credential(11, 5), nym_credential(12, 6)


def test_answers_yes_once_for_a_person_and_no_to_every_agency_after_that(
    register: Register,
) -> None:
    mine = register.link(MINSEO)
    for _ in range(2):
        assert register.claim(mine).get_json() == {"free": True}
    assert register.claim(register.link(MINSEO), claim_id=THEIRS).get_json() == {"free": False}
    at_b = register.claim(register.link(MINSEO, agency=B), agency=B, claim_id=THEIRS)
    assert at_b.get_json() == {"free": False}
    jiho = register.claim(register.link(JIHO, agency=B), agency=B, claim_id=THEIRS)
    assert jiho.get_json() == {"free": True}


def test_the_next_year_is_another_period(register: Register) -> None:
    register.claim(register.link(MINSEO))
    register.clock.set(NOW + 366 * 86400)
    assert register.claim(register.link(MINSEO), claim_id=THEIRS).get_json() == {"free": True}


def test_a_released_claim_is_free_for_another_and_gone_for_itself(register: Register) -> None:
    mine = register.link(MINSEO)
    register.claim(mine)
    assert register.release(agency=B) == 204
    assert register.claim(register.link(MINSEO), claim_id=THEIRS).get_json() == {"free": False}
    for _ in range(2):
        assert register.release() == 204
    assert register.claim(mine).get_json()["code"] == "exclusion_claim_id_used"
    assert register.claim(register.link(MINSEO), claim_id=THEIRS).get_json() == {"free": True}


def test_refuses_a_pseudonym_that_is_not_of_the_proofs_person(register: Register) -> None:
    mine, theirs = register.link(MINSEO), register.link(JIHO)
    answer = register.claim({**mine, "sealed": theirs["sealed"]})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bbs_linked_pseudonym_invalid")
    assert register.claim(mine).get_json() == {"free": True}


def test_refuses_what_was_sealed_for_another_agency(register: Register) -> None:
    answer = register.claim(register.link(MINSEO, agency=B))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "link_for_another_agency")


def test_refuses_groups_ids_and_callers_that_it_does_not_know(register: Register) -> None:
    mine = register.link(MINSEO)
    assert register.claim(mine, group="others").get_json()["code"] == "exclusion_group_unknown"
    assert register.claim(mine, claim_id="short").status_code == 404
    path = f"/v1/exclusion-groups/{GROUP}/claims/{MINE}"
    for headers in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic YTpi"}):
        assert register.client.put(path, json=mine, headers=headers).status_code == 401
        assert register.client.delete(path, headers=headers).status_code == 401
    assert register.claim(mine).get_json() == {"free": True}


def _sealed(register: Register, told: object) -> str:
    return encrypt_jwe(to_json(told), register.key.public, enc="A256GCM")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"agency": A},
        {"agency": A, "pseudonym": "AA", "salt": "AA"},
        {"agency": A, "pseudonym": 1, "salt": "AA"},
        {"agency": A, "pseudonym": "AA", "salt": "AA", "more": 1},
        [],
    ],
    ids=str,
)
def test_refuses_what_is_sealed_in_another_form(register: Register, told: object) -> None:
    answer = register.claim({**register.link(MINSEO), "sealed": _sealed(register, told)})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "change",
    [{"sealed": "x"}, {"answer": "AA"}, {"answer": "?"}, {"digest": ""}, {"more": 1}],
    ids=str,
)
def test_refuses_bodies_of_another_form(register: Register, change: JsonObject) -> None:
    assert register.claim({**register.link(MINSEO), **change}).status_code == 400


def test_tells_what_it_counts_and_the_key_to_seal_for(register: Register) -> None:
    told = register.client.get("/v1/exclusion-groups").get_json()
    assert told == {"did": REGISTER, "jwk": register.key.public.jwk, "groups": [GROUP]}


def test_tells_health_and_counts_answers_by_code(register: Register) -> None:
    mine = register.link(MINSEO)
    register.claim(mine)
    register.claim(register.link(MINSEO), claim_id=THEIRS)
    register.claim(register.link(MINSEO, agency=B))
    register.release()
    assert register.client.get("/healthz").get_json() == {"status": "ok"}
    counted = register.client.get("/metrics").text
    for line in (
        'seoul_register_claims_total{answer="free"} 1.0',
        'seoul_register_claims_total{answer="taken"} 1.0',
        'seoul_register_refusals_total{code="link_for_another_agency"} 1.0',
        "seoul_register_releases_total 1.0",
        "seoul_register_healthy 1.0",
    ):
        assert line in counted.splitlines()


def test_health_is_degraded_while_claims_cannot_be_looked_up(
    register: Register, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "register.db")) as database:
        database.execute("ALTER TABLE exclusion_claims RENAME TO away")
        answer = register.client.get("/healthz")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "storage_unavailable")
        assert register.claim(register.link(MINSEO)).status_code == 503
        database.execute("ALTER TABLE away RENAME TO exclusion_claims")
    assert register.client.get("/healthz").status_code == 200


def test_does_not_start_over_the_database_of_another_service(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "verifier.db")
    engine = open_engine(url)
    migrate_claims(engine)
    engine.dispose()
    with pytest.raises(ExclusionConfigurationError, match="own, not that of claims"):
        build_exclusion_register(settings(database_url=url), clock=SettableClock(NOW))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"base_url": "http://register.example"}, "base_url: expected https"),
        ({"base_url": "http://localhost:1"}, "base_url: expected https"),
        ({"base_url": "https://register.example/path"}, "base_url has no path"),
        ({"groups": {}}, "groups: a register counts at least one"),
        ({"groups": {"Youth": YEAR}}, "groups: 'Youth' is no id"),
        ({"agency_token_digests": {}}, "answers nobody"),
        ({"agency_token_digests": {"agency": sha256(b"t")}}, "'agency' is no DID"),
        ({"agency_token_digests": {A: b"short"}}, "not a digest of a token"),
        ({"agency_token_digests": {A: sha256(b"")}}, "not a digest of a token"),
        ({"agency_token_digests": {REGISTER: sha256(b"t")}}, "none of the agencies"),
        ({"agency_token_digests": dict.fromkeys((A, B), sha256(b"t"))}, "have one token"),
    ],
    ids=str,
)
def test_settings_that_would_not_be_safe_are_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ExclusionConfigurationError, match=named):
        settings(**change)


def settings(**changes: Any) -> RegisterConfig:
    """Return settings that are good but for the changes."""
    good: dict[str, Any] = {
        "base_url": "https://register.example",
        "database_url": "sqlite:///register.db",
        "key": DecryptionKey.generate(),
        "groups": {GROUP: YEAR},
        "agency_token_digests": {A: sha256(b"token")},
    }
    return RegisterConfig(**{**good, **changes})


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a register, with its files."""
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(base64url.encode(DecryptionKey.generate().secret()))
    groups = {GROUP: {"every": "calendar_year"}, "once": "lifetime"}
    (tmp_path / "groups.json").write_bytes(to_json(groups))
    (tmp_path / "agencies.json").write_bytes(to_json({A: sha256(b"token").hex()}))
    return {
        f"{PREFIX}BASE_URL": "https://register.example",
        f"{PREFIX}DATABASE_URL": sqlite_url(tmp_path / "register.db"),
        f"{PREFIX}KEY_FILE": str(tmp_path / "key"),
        f"{PREFIX}GROUPS_FILE": str(tmp_path / "groups.json"),
        f"{PREFIX}AGENCIES_FILE": str(tmp_path / "agencies.json"),
    }


def test_settings_are_read_from_the_environment(environment: dict[str, str]) -> None:
    found = RegisterConfig.from_env(environment)
    assert (found.did, found.groups) == (REGISTER, {GROUP: YEAR, "once": Window()})
    assert found.agency_token_digests == {A: sha256(b"token")}
    local = environment | {f"{PREFIX}BASE_URL": "http://localhost:1", f"{PREFIX}DEVELOPMENT": "1"}
    assert RegisterConfig.from_env(local).did == "did:web:localhost%3A1"


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        *(
            (name, "", f"{PREFIX}{name} is not set")
            for name in ("BASE_URL", "DATABASE_URL", "KEY_FILE", "GROUPS_FILE", "AGENCIES_FILE")
        ),
        ("DEVELOPMENT", "yes", "DEVELOPMENT is 0 or 1"),
        ("KEY_FILE", "none", "KEY_FILE: the file cannot be read"),
        ("GROUPS_FILE", "none", "GROUPS_FILE: not a file with a JSON object"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(
    environment: dict[str, str], name: str, value: str, named: str
) -> None:
    with pytest.raises(ExclusionConfigurationError, match=named):
        RegisterConfig.from_env({**environment, f"{PREFIX}{name}": value})


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("key", "AA", "no 32-byte P-256 secret"),
        ("key", base64url.encode(bytes(32)), "no 32-byte P-256 secret"),
        ("groups.json", '{"a": {"from": "2026-02-01", "until": "2026-01-01"}}', "'a': expected"),
        ("groups.json", '{"a": {"months": "12"}}', "'a': expected"),
        ("groups.json", '{"a": {"months": 0}}', "'a': expected"),
        ("groups.json", '{"a": {}}', "'a': expected"),
        ("groups.json", '{"a": "cycle"}', "'a': expected"),
        ("groups.json", '{"a": "lifetime", "a": "lifetime"}', "not a file with a JSON object"),
        ("agencies.json", '{"did:web:a.example": "xy"}', "expected a SHA-256 digest"),
        ("agencies.json", '{"did:web:a.example": 7}', "expected a SHA-256 digest"),
        ("agencies.json", '{"did:web:a.example": "00"}', "not a digest of a token"),
        ("agencies.json", "[]", "not a file with a JSON object"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    environment: dict[str, str], tmp_path: Path, file: str, content: str, named: str
) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(ExclusionConfigurationError, match=named):
        RegisterConfig.from_env(environment)


def test_a_key_that_others_may_read_is_refused(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(ExclusionConfigurationError, match="chmod 600"):
        RegisterConfig.from_env(environment)


def test_an_agency_reads_the_registers_address_from_a_file(tmp_path: Path) -> None:
    path, jwk = tmp_path / "register.json", DecryptionKey.generate().public.jwk
    at_hand = {"base_url": "https://register.example", "jwk": jwk, "token": "t"}
    path.write_bytes(to_json(at_hand))
    assert read_register_at_hand(path).did == REGISTER
    local = {"base_url": "http://localhost:1"}
    for change in ({"jwk": {}}, {"token": ""}, {"token": 7}, local, {"base_url": None}):
        path.write_bytes(to_json({**at_hand, **change}))
        with pytest.raises(ExclusionConfigurationError):
            read_register_at_hand(path)
    path.write_bytes(to_json({**at_hand, **local}))
    assert read_register_at_hand(path, development=True).base_url == local["base_url"]


def test_the_command_checks_what_it_would_start_with(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def line(changes: dict[str, str]) -> str:
        done = CliRunner().invoke(
            main, ["run", "register", "--port", "1"], env={**environment, **changes}
        )
        assert (done.exit_code, done.output.count("\n")) == (1, 1)
        return done.output

    assert f"{PREFIX}KEY_FILE is not set" in line({f"{PREFIX}KEY_FILE": ""})
    assert "SQLite needs a file" in line({f"{PREFIX}DATABASE_URL": "sqlite://"})
    nowhere = sqlite_url(tmp_path / "none" / "register.db")
    assert "the database failed" in line({f"{PREFIX}DATABASE_URL": nowhere})
