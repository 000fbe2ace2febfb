"""Issuers that are did:ethr: their keys are those of the time when the credential was anchored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.clock import SettableClock
from tests.support.credentials import (
    ACCREDITOR,
    DISCLOSABLE,
    NOW,
    STATUS_URI,
    VCT,
    World,
    card_claims,
    policy,
)
from tests.support.databases import REPLICA, open_laid_out
from tests.support.facts import MemoryDidResolver, MemoryStatusListSource
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_records import SqlReplicaRecords
from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt import IssuedSdJwt, issue_sd_jwt_vc
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.did_ethr import ChangeKind, DidChange, DidNetworkUnknown
from wallet.did.document import KeyNotAuthorized
from wallet.errors import SeoulWalletError
from wallet.evidence import FactSources, collect
from wallet.status.token_status_list import TokenStatusList
from wallet.trust.facts import AccreditorScope, BatchFact, BlockRef, IssuerScope
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import AnchorReceipt
from wallet.verification.evidence import FactMissing
from wallet.verification.issuer_key import IssuerMismatch
from wallet.verification.pipeline import check_presentation, verify_presentation
from wallet.verification.trust_steps import AnchorNotFinal

ADDRESS = "0x" + "ab" * 20
ISSUER = f"did:ethr:0x7a69:{ADDRESS}"
CHAIN_ID = 31337
SET_AT, ANCHORED_AT, REVOKED_AT, ANCHORED_LATE_AT = NOW - 9000, NOW - 5000, NOW - 1000, NOW - 500
FIRST, SECOND = f"{ISSUER}#delegate-1", f"{ISSUER}#delegate-3"
NAME = b"did/pub/Secp256r1/veriKey/hex".ljust(32, b"\0")


class Office:
    """An issuer whose first key was revoked and replaced by a second one."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_laid_out(folder / "replica.db", REPLICA)
        self.replica = SqlReplica(self.engine)
        self.replica.bind("a deployment of a test")
        self.world = World(claims={**card_claims(), "iss": ISSUER})
        self.first, self.second = self.world.issuer_key, Es256SigningKey.generate()
        self.lists = MemoryStatusListSource(SettableClock(NOW))
        self.publish_status(self.second, SECOND)
        schema = schema_id(VCT)
        self.apply(
            AccreditorScope(ACCREDITOR, schema, 0, NOW - 20_000, NOW + 20_000),
            IssuerScope(issuer_id(ISSUER), schema, 0, ACCREDITOR, NOW - 10_000, NOW + 10_000),
            self.change(1, SET_AT, self.first, NOW + 50_000),
            self.change(2, REVOKED_AT, self.first, 0),
            self.change(3, REVOKED_AT, self.second, NOW + 50_000),
        )

    def apply(self, *events: object) -> None:
        number = 1 + (0 if (head := self.replica.head()) is None else head.number)
        self.replica.apply(events, BlockRef(number, bytes(32), NOW), NOW)  # type: ignore[arg-type]

    def change(self, number: int, at: int, key: Es256SigningKey, valid_to: int) -> DidChange:
        point = key.public_key.compressed
        return DidChange(ADDRESS, number, 0, at, ChangeKind.ATTRIBUTE, NAME, point, valid_to)

    def publish_status(self, key: Es256SigningKey, kid: str) -> None:
        claims = {
            "sub": STATUS_URI,
            "iat": NOW - 5,
            "exp": NOW + 600,
            "status_list": TokenStatusList.empty(1024).to_claim(),
        }
        token = sign_jws(key, {"typ": "statuslist+jwt", "kid": kid}, claims)
        self.lists.publish(STATUS_URI, token.encode())

    def issue(self, key: Es256SigningKey, kid: str) -> IssuedSdJwt:
        return issue_sd_jwt_vc(
            self.world.claims,
            DISCLOSABLE,
            key,
            verification_method=kid,
            holder=self.world.holder_key.public_key,
        )

    def anchored(self, issued: IssuedSdJwt, at: int) -> AnchorReceipt:
        receipt, root = self.world.receipt(issued)
        schema = schema_id(VCT)
        self.apply(BatchFact(issuer_id(ISSUER), schema, root, receipt.size, bytes(32), at))
        return receipt

    def sources(self) -> FactSources:
        return FactSources(
            MemoryDidResolver(SettableClock(NOW)),
            self.lists,
            self.replica,
            did_histories=SqlReplicaRecords(self.engine, CHAIN_ID),
        )

    def verify(self, presentation: str) -> None:
        evidence = collect(parse_presented_sd_jwt(presentation), self.sources())
        verify_presentation(presentation, evidence, policy(), now=NOW)

    def refuse(self, presentation: str, error: type[SeoulWalletError], step: str) -> None:
        evidence = collect(parse_presented_sd_jwt(presentation), self.sources())
        report = check_presentation(presentation, evidence, policy(), now=NOW)
        assert type(report.failure) is error
        assert next(found.name for found in report.steps if found.error is report.failure) == step


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.engine.dispose()


def test_a_key_that_was_revoked_since_vouches_for_what_was_anchored_before(
    office: Office,
) -> None:
    issued = office.issue(office.first, FIRST)
    receipt = office.anchored(issued, ANCHORED_AT)
    office.verify(office.world.present(issued, receipt=receipt))
    office.refuse(office.world.present(issued), KeyNotAuthorized, "issuer_key")


@pytest.mark.parametrize("at", [REVOKED_AT, ANCHORED_LATE_AT, SET_AT - 1])
def test_what_was_anchored_when_the_key_was_none_is_refused(office: Office, at: int) -> None:
    issued = office.issue(office.first, FIRST)
    receipt = office.anchored(issued, at)
    office.refuse(office.world.present(issued, receipt=receipt), KeyNotAuthorized, "issuer_key")


def test_the_present_key_signs_what_is_not_anchored_and_nothing_of_the_past(
    office: Office,
) -> None:
    issued = office.issue(office.second, SECOND)
    office.verify(office.world.present(issued))
    receipt = office.anchored(issued, ANCHORED_AT)
    office.refuse(office.world.present(issued, receipt=receipt), KeyNotAuthorized, "issuer_key")


def test_another_key_under_the_name_of_a_good_one_is_refused(office: Office) -> None:
    issued = office.issue(Es256SigningKey.generate(), SECOND)
    office.refuse(office.world.present(issued), SignatureInvalid, "issuer_signature")


def test_a_receipt_of_a_batch_that_is_not_final_moves_no_time(office: Office) -> None:
    issued = office.issue(office.second, SECOND)
    receipt, _ = office.world.receipt(issued)
    office.refuse(office.world.present(issued, receipt=receipt), AnchorNotFinal, "anchor_receipt")


def test_the_batch_of_another_credential_moves_no_time(office: Office) -> None:
    stolen = office.issue(office.first, FIRST)
    office.world.claims = {**office.world.claims, "name": "다른 합성"}
    other = office.issue(office.first, FIRST)
    receipt = office.anchored(other, ANCHORED_AT)
    evidence = collect(
        parse_presented_sd_jwt(office.world.present(other, receipt=receipt)), office.sources()
    )
    presentation = office.world.present(stolen, receipt=receipt)
    report = check_presentation(presentation, evidence, policy(), now=NOW)
    assert type(report.failure) is AnchorNotFinal
    office.refuse(presentation, KeyNotAuthorized, "issuer_key")


def test_a_receipt_without_a_binding_to_the_holder_moves_no_time(office: Office) -> None:
    issued = office.issue(office.first, FIRST)
    receipt = office.anchored(issued, ANCHORED_AT)
    presentation = office.world.present(issued, receipt=receipt)
    unbound = replace(policy(), audience=None, nonce=None)
    evidence = collect(parse_presented_sd_jwt(presentation), office.sources())
    with pytest.raises(KeyNotAuthorized):
        verify_presentation(presentation, evidence, unbound, now=NOW)


def test_a_status_list_needs_a_key_of_the_present(office: Office) -> None:
    issued = office.issue(office.first, FIRST)
    receipt = office.anchored(issued, ANCHORED_AT)
    office.publish_status(office.first, FIRST)
    office.refuse(office.world.present(issued, receipt=receipt), KeyNotAuthorized, "status")


def test_another_issuer_under_the_same_address_is_refused(office: Office) -> None:
    issued = office.issue(office.second, SECOND)
    evidence = collect(parse_presented_sd_jwt(office.world.present(issued)), office.sources())
    office.world.claims = {**office.world.claims, "iss": "did:web:issuer.example"}
    foreign = office.issue(office.second, SECOND)
    report = check_presentation(office.world.present(foreign), evidence, policy(), now=NOW)
    assert type(report.failure) is IssuerMismatch


def test_without_followed_changes_or_on_another_chain_there_are_no_keys(office: Office) -> None:
    parsed = parse_presented_sd_jwt(office.world.present(office.issue(office.second, SECOND)))
    nowhere = replace(office.sources(), did_histories=None)
    assert isinstance(collect(parsed, nowhere).issuer_keys, FactMissing)
    elsewhere = replace(office.sources(), did_histories=SqlReplicaRecords(office.engine, 1))
    assert isinstance(collect(parsed, elsewhere).issuer_keys, DidNetworkUnknown)
