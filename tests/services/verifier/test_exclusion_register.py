"""The register of exclusion groups over HTTP: yes or no, for agencies alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.bbs import nym_credential
from tests.support.clock import SettableClock
from verifier.exclusions.config import (
    ExclusionConfigurationError,
    RegisterConfig,
    read_register_at_hand,
    read_register_config,
)
from verifier.register_app import ExclusionRegisterApplication, build_exclusion_register
from wallet.adapters.sql.engine import sqlite_url
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


def test_settings_are_read_from_files_and_bad_ones_named(tmp_path: Path) -> None:
    key = DecryptionKey.generate()
    (tmp_path / "key").write_text(base64url.encode(key.secret()))
    settings = {
        "base_url": "https://register.example",
        "database_url": "sqlite:///x.db",
        "key_file": str(tmp_path / "key"),
        "groups": {GROUP: {"every": "calendar_year"}, "once": "lifetime"},
        "agencies": {A: sha256(b"token").hex()},
    }
    path = tmp_path / "register.json"
    path.write_bytes(to_json(settings))
    found = read_register_config(path)
    assert (found.did, found.groups) == (REGISTER, {GROUP: YEAR, "once": Window()})
    for change in (
        {"groups": {GROUP: {"from": "2026-02-01", "until": "2026-01-01"}}},
        {"agencies": {A: "00"}},
        {"key_file": str(tmp_path / "none")},
        {"base_url": "ftp://register.example"},
    ):
        path.write_bytes(to_json({**settings, **change}))
        with pytest.raises(ExclusionConfigurationError):
            read_register_config(path)
    at_hand = {"base_url": "https://register.example", "jwk": key.public.jwk, "token": "t"}
    path.write_bytes(to_json(at_hand))
    assert read_register_at_hand(path).did == REGISTER
    path.write_bytes(to_json({**at_hand, "jwk": {}}))
    with pytest.raises(ExclusionConfigurationError):
        read_register_at_hand(path)
