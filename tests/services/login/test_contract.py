"""전자근로계약: two wallets sign one text, each gets its credential, one term is shown later."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from issuer.contracts import (
    MAX_SIGNATURE_AGE_S,
    ContractConflict,
    ContractSignatureInvalid,
)
from issuer.status import StatusReason
from tests.support.city import AGENCY_TOKEN, claims_in
from tests.support.issuing import ALICE
from tests.support.login_town import EMPLOYER, LEAVER, WORKER, LoginTown
from wallet.credentials.account import ACCOUNT_ID, ACCOUNT_TYPE
from wallet.credentials.contract import (
    CONTRACT_TYPE,
    ContractMalformed,
    Side,
    contract_hash,
    parse_contract_terms,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.cards import Card
from wallet.holder.wallet import Wallet
from wallet.protocols.oid4vp_transaction import TransactionDataMismatch, encode_transaction_data
from wallet.verification.proof_steps import AudienceMismatch, HolderBindingInvalid, NonceMismatch

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(120)]

Holder = tuple[Wallet, Card]
TERMS = {
    "employer": "합성 공공일자리",
    "worker": "박합성",
    "job": "한강공원 안내",
    "starts_on": "2026-11-09",
    "ends_on": "2027-05-08",
    "weekly_hours": 28,
    "monthly_wage_won": 1_450_000,
    "further": ["점심시간은 한 시간입니다."],
}


@dataclass
class Office:
    """The clerk who enters contracts, and the verifier that collects the signatures."""

    town: LoginTown

    @property
    def audience(self) -> str:
        return self.town.city.verifiers[self.town.provider].service.client_id

    def operator(self, method: str, path: str, body: JsonObject | None = None) -> TestResponse:
        issuer = self.town.city.network.hosts["issuer.example"]
        return issuer.open(
            f"/operator/contracts{path}",
            method=method,
            json=body,
            headers={"Authorization": f"Bearer {ALICE}"},
        )

    def enter(self, **changes: Any) -> JsonObject:
        asked = {
            "employer_id": EMPLOYER,
            "worker_id": WORKER,
            "terms": TERMS,
            "audience": self.audience,
            **changes,
        }
        answer = self.operator("POST", "", asked)
        assert answer.status_code == 201, answer.text
        made: JsonObject = answer.get_json()
        return made

    def ask(self, body: JsonObject) -> JsonObject:
        """Open a request at the verifier as the agency."""
        answer = self.town.city.agency.post(
            "/v1/requests",
            json={"purpose": "전자근로계약 서명", **body},
            headers={"Authorization": f"Bearer {AGENCY_TOKEN}"},
        )
        assert answer.status_code == 201, answer.text
        opened: JsonObject = answer.get_json()
        return opened

    def result(self, opened: JsonObject) -> JsonObject:
        answer = self.town.city.agency.get(
            opened["result_uri"].removeprefix(self.town.provider),
            headers={"Authorization": f"Bearer {opened['result_token']}"},
        )
        told: JsonObject = answer.get_json()
        return told

    def collect(self, transaction: JsonObject, wallet: Wallet) -> JsonObject:
        """Let a wallet sign; return the evidence that the verifier gives."""
        opened = self.ask({"dcql_query": query_for(ACCOUNT_TYPE, "account", ACCOUNT_ID),
                           "transaction_data": [transaction]})  # fmt: skip
        consent = wallet.review(opened["link"], language="ko")
        assert consent.transactions == (transaction["text"],)
        wallet.present(consent)
        told = self.result(opened)
        assert told["outcome"] == "accepted", told
        ((shown,),) = told["credentials"].values()
        evidence: JsonObject = shown["evidence"]
        return evidence

    def sign(self, contract: JsonObject, side: str, evidence: JsonObject) -> TestResponse:
        return self.operator(
            "POST",
            f"/{contract['contract_id']}/signatures",
            {"side": side, "evidence": evidence},
        )

    def offer(self, contract: JsonObject, side: str) -> TestResponse:
        return self.operator(
            "POST", f"/{contract['contract_id']}/offer", {"side": side, "tx_code": False}
        )


def query_for(vct: str, name: str, *claims: str) -> JsonObject:
    return {
        "credentials": [
            {
                "id": name,
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [vct]},
                "claims": [{"path": [claim]} for claim in claims],
            }
        ]
    }


@pytest.fixture
def office(town: LoginTown) -> Office:
    return Office(town)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_both_sign_and_each_shows_the_weekly_hours_without_the_rest(
    office: Office, worker: Holder, employer: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town, contract = office.town, office.enter()
    signed = contract["transaction_data"]
    assert "주 28시간" in signed["text"]
    assert signed["contract_hash"] == contract_hash(
        signed["text"], base64url.decode(signed["salt"])
    )
    for side, (wallet, _) in (("employer", employer), ("worker", worker)):
        assert refusal(office.offer(contract, side)) == (422, "not_entitled")
        assert office.sign(contract, side, office.collect(signed, wallet)).status_code == 201
    seen = office.operator("GET", f"/{contract['contract_id']}").get_json()
    assert [item["side"] for item in seen["signatures"]] == ["employer", "worker"]
    said = []
    for side, (wallet, _) in (("employer", employer), ("worker", worker)):
        offered = office.offer(contract, side)
        assert offered.status_code == 201, offered.text
        (card,) = wallet.receive(offered.get_json()["link"])
        town.city.settle()
        assert (card.claims["role"], card.claims["weekly_hours"]) == (side, 28)
        said.append(card.claims["contract_hash"])
        opened = office.ask({"dcql_query": query_for(CONTRACT_TYPE, "contract", "weekly_hours")})
        wallet.present(wallet.review(opened["link"]))
        told = office.result(opened)
        assert told["credentials"]["contract"][0]["claims"] == {"weekly_hours": 28}
        form = next(body for method, url, body in reversed(town.city.network.sent)
                    if method == "POST" and url.endswith("/responses"))  # fmt: skip
        (claims,) = claims_in(form)
        assert not claims.keys() & (TERMS.keys() - {"weekly_hours"})
    assert said == [contract["contract_hash"]] * 2
    # Nothing of the text is in a URL, in a log or on the chain.
    urls = " ".join(url for _, url, _ in town.city.network.sent)
    chain = repr(vars(town.city.ledger))
    for word in ("한강공원", "박합성", "1450000", contract["contract_hash"]):
        assert word not in urls + caplog.text + chain


def test_one_signature_is_no_contract(office: Office, worker: Holder) -> None:
    contract = office.enter()
    evidence = office.collect(contract["transaction_data"], worker[0])
    assert office.sign(contract, "worker", evidence).status_code == 201
    for side in Side:
        assert refusal(office.offer(contract, side)) == (422, "not_entitled")
    again = office.sign(contract, "worker", evidence)
    assert refusal(again) == (409, ContractConflict.code)


def test_nobody_signs_for_both_sides(office: Office, worker: Holder) -> None:
    contract = office.enter()
    evidence = office.collect(contract["transaction_data"], worker[0])
    assert refusal(office.sign(contract, "employer", evidence)) == (
        422,
        ContractSignatureInvalid.code,
    )
    with_oneself = office.operator(
        "POST",
        "",
        {
            "employer_id": WORKER,
            "worker_id": WORKER,
            "terms": TERMS,
            "audience": office.audience,
        },
    )
    assert refusal(with_oneself) == (409, ContractConflict.code)


@pytest.mark.parametrize("member", ["text", "contract_hash", "salt", "further_member"])
def test_a_signature_of_another_text_or_hash_is_refused(
    office: Office, worker: Holder, member: str
) -> None:
    contract = office.enter()
    changed = {**contract["transaction_data"], member: "주 52시간"}
    evidence = office.collect(changed, worker[0])
    code = ContractSignatureInvalid.code
    assert refusal(office.sign(contract, "worker", evidence)) == (422, code)


def test_a_signature_does_not_move_to_another_text_or_contract(
    office: Office, worker: Holder
) -> None:
    contract, other = office.enter(), office.enter()
    evidence = office.collect(contract["transaction_data"], worker[0])
    code = ContractSignatureInvalid.code
    assert refusal(office.sign(other, "worker", evidence)) == (422, code)
    # The other text beside a key binding that has the hash of the first.
    swapped = {
        **evidence,
        "transaction_data": [encode_transaction_data(other["transaction_data"])],
    }
    mismatch = TransactionDataMismatch.code
    assert refusal(office.sign(other, "worker", swapped)) == (422, mismatch)
    assert refusal(office.sign(contract, "worker", {**evidence, "nonce": "another"}))[0] == 422
    assert office.sign(contract, "worker", evidence).status_code == 201


def test_a_signature_that_another_verifier_collected_is_refused(
    office: Office, worker: Holder
) -> None:
    contract = office.enter(audience="decentralized_identifier:did:web:other.example")
    evidence = office.collect(contract["transaction_data"], worker[0])
    answer = office.sign(contract, "worker", evidence)
    assert refusal(answer) == (422, AudienceMismatch.code)


def test_what_is_late_is_refused(office: Office, worker: Holder) -> None:
    clock = office.town.city.clock
    now = clock.now()
    short, long = office.enter(sign_within_s=60), office.enter()
    evidence = {
        item["contract_id"]: office.collect(item["transaction_data"], worker[0])
        for item in (short, long)
    }
    try:
        clock.set(now + 60)
        late = office.sign(short, "worker", evidence[short["contract_id"]])
        assert refusal(late) == (409, ContractConflict.code)
        clock.set(now + MAX_SIGNATURE_AGE_S + 61)
        old = office.sign(long, "worker", evidence[long["contract_id"]])
        assert refusal(old) == (422, HolderBindingInvalid.code)
    finally:
        clock.set(now)


def test_kept_signatures_are_checked_again_years_later(office: Office, worker: Holder) -> None:
    contract = office.enter()
    evidence = office.collect(contract["transaction_data"], worker[0])
    assert office.sign(contract, "worker", evidence).status_code == 201
    contracts = office.town.city.issuer.service.contracts
    clock = office.town.city.clock
    now = clock.now()
    try:
        clock.set(now + 5 * 365 * 86400)
        (kept,) = contracts.check(contract["contract_id"])
    finally:
        clock.set(now)
    assert kept.evidence.presentation == evidence["presentation"]
    body = parse_json_object(base64url.decode(kept.evidence.transaction_data[0]))
    assert body == contract["transaction_data"]
    # And what was kept says so when it was tampered with.
    with closing(sqlite3.connect(office.town.city.folder / "issuer.db")) as database, database:
        database.execute(
            "UPDATE issuer_contract_signatures SET evidence = replace(evidence, ?, ?)",
            (evidence["nonce"], "another-nonce"),
        )
    with pytest.raises(NonceMismatch):
        contracts.check(contract["contract_id"])


def test_a_revoked_account_signs_nothing(office: Office) -> None:
    wallet, _ = office.town.wallet_of(LEAVER, "leaver")
    contract = office.enter(worker_id=LEAVER)
    evidence = office.collect(contract["transaction_data"], wallet)
    statuses = office.town.city.issuer.service.statuses
    for issuance in statuses.issuances_of(LEAVER):
        statuses.revoke(issuance.issuance_id, StatusReason.DEVICE_LOST)
    code = ContractSignatureInvalid.code
    assert refusal(office.sign(contract, "worker", evidence)) == (422, code)


def test_an_offer_is_taken_once(office: Office, worker: Holder, employer: Holder) -> None:
    contract = office.enter()
    for side, (wallet, _) in (("employer", employer), ("worker", worker)):
        evidence = office.collect(contract["transaction_data"], wallet)
        assert office.sign(contract, side, evidence).status_code == 201
    link = office.offer(contract, "worker").get_json()["link"]
    (card,) = worker[0].receive(link)
    assert card.claims["role"] == "worker"
    with pytest.raises(AnswerUnexpected):
        employer[0].receive(link)


@pytest.mark.parametrize(
    "changes",
    [
        {"weekly_hours": 0},
        {"weekly_hours": True},
        {"weekly_hours": 53},
        {"starts_on": "2027-02-30"},
        {"ends_on": "2026-11-08"},
        {"job": 7},
        {"further": "all of it"},
        {"further": ["x"] * 11},
        {"bonus": 1},
    ],
)
def test_terms_that_are_none_are_refused(changes: JsonObject) -> None:
    assert parse_contract_terms(TERMS).to_json() == TERMS
    with pytest.raises(ContractMalformed):
        parse_contract_terms({**TERMS, **changes})
