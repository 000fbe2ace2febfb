"""Decided on without a network, the receipt is collected when there is one again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.certified_desk import certificate_files
from tests.support.city import AGENCY_TOKEN, AGENCY_URL, City
from tests.support.credentials import NOW
from tests.support.receipt_case import AGENCY, YOUTH
from tests.support.registers import register_rows
from wallet.eligibility.days import seoul_day
from wallet.eligibility.decision import Outcome
from wallet.encoding.json import JsonObject
from wallet.holder.decision_records import NoDecisionReceipt
from wallet.holder.log import LogOutcome, entry_id
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable
from wallet.protocols.frames import make_frames, read_frames

DOCUMENT = f"{AGENCY_URL}/.well-known/did.json"
CLAIMS: JsonObject = {
    "resident": {"birth_date": "1986-01-01"},
    "military": {"service_months": 18},
}
BEARER = {"Authorization": f"Bearer {AGENCY_TOKEN}"}


@dataclass
class Gate:
    """An agency whose machine has no network, and a phone before it that has none either."""

    city: City
    wallet: Wallet

    def ask(self, **more: str) -> JsonObject:
        asked = {"programme": YOUTH.id, "flow": "frames", "client_id_prefix": "x509_hash", **more}
        answer = self.city.agency.post("/v1/eligibility/requests", json=asked, headers=BEARER)
        assert answer.status_code == 201, answer.text
        opened: JsonObject = answer.get_json()
        return opened

    def answer(self, opened: JsonObject) -> tuple[tuple[str, ...], str]:
        """Return the frames that answer, and the id of their entry in the wallet's log."""
        consent = self.wallet.offline.review(make_frames(opened["request_object"].encode()))
        frames = self.wallet.offline.answer(consent.including("military"))
        return frames, entry_id(consent.verifier, consent.request.nonce)

    def decide(self, opened: JsonObject) -> str:
        """Show, decide on what was shown, and return the id of the entry in the wallet's log."""
        before = len(self.city.network.sent)
        frames, entry = self.answer(opened)
        # A DID whose document is not at hand is all that is ever fetched, and it tells nothing.
        assert {url for _, url, _ in self.city.network.sent[before:]} <= {DOCUMENT}
        handed_in = self.city.agency.post(
            f"/v1/requests/{opened['request_id']}/response",
            json={"data": {"response": read_frames(frames).decode()}},
            headers={"Authorization": f"Bearer {opened['result_token']}"},
        )
        assert handed_in.status_code == 200, handed_in.text
        return entry

    def outcome(self, entry: str) -> LogOutcome:
        (found,) = [item for item in self.wallet.log() if item.id == entry]
        return found.outcome


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    yield from gate_of(tmp_path_factory.mktemp("gate"), "agency.example")


def gate_of(folder: Path, certified: str) -> Iterator[Gate]:
    files, anchors = certificate_files(folder, x509.DNSName(certified))
    rows = register_rows(YOUTH, CLAIMS, seoul_day(NOW))
    city = City(folder, NOW, rows, configure=files, anchors=anchors)
    wallet = city.open_wallet()
    for kind in ("residence", "military-service"):
        city.give(wallet, kind)
    city.settle()
    yield Gate(city, wallet)
    city.close()


@pytest.mark.parametrize("prefix", ["x509_hash", "x509_san_dns", "decentralized_identifier"])
def test_the_receipt_of_what_was_decided_offline_is_collected_later(
    gate: Gate, prefix: str
) -> None:
    opened = gate.ask(client_id_prefix=prefix)
    assert {"link", "request_uri"}.isdisjoint(opened)
    entry = gate.decide(opened)
    decided = gate.city.decision(opened)["decision"]
    assert decided["outcome"] == "eligible"
    assert decided["facts_age_s"] is not None
    # Nobody has told the phone.
    assert gate.outcome(entry) is LogOutcome.UNANSWERED
    with pytest.raises(NoDecisionReceipt):
        gate.wallet.decisions.receipt(entry)
    gate.city.network.down.add("agency.example")
    errors = [item.error for item in gate.wallet.decisions.update()]
    assert errors
    assert all(isinstance(error, PeerUnreachable) for error in errors)
    gate.city.network.down.clear()
    assert {item.error for item in gate.wallet.decisions.update()} == {None}
    receipt = gate.wallet.decisions.receipt(entry)
    assert (receipt.issuer, receipt.outcome) == (AGENCY, Outcome.ELIGIBLE)
    assert receipt.facts_age_s == decided["facts_age_s"]
    assert gate.wallet.decisions.of(entry).delivered
    assert gate.outcome(entry) is LogOutcome.ACCEPTED
    assert gate.city.decision(opened)["decision_receipt"]["receipt"] == receipt.token


def test_what_nobody_handed_in_has_no_receipt_to_collect(gate: Gate) -> None:
    _, entry = gate.answer(gate.ask())
    assert {item.error for item in gate.wallet.decisions.update()} == {None}
    assert gate.outcome(entry) is LogOutcome.UNANSWERED
    with pytest.raises(NoDecisionReceipt):
        gate.wallet.decisions.receipt(entry)


def test_a_certificate_for_another_host_names_nobody_who_gives_receipts(tmp_path: Path) -> None:
    for gate in gate_of(tmp_path, "other.example"):
        entry = gate.decide(gate.ask())
        with pytest.raises(NoDecisionReceipt):
            gate.wallet.decisions.of(entry)


@pytest.mark.parametrize("change", [{"flow": "dc_api"}, {"client_id_prefix": "none"}])
def test_an_agency_asks_for_a_programme_by_link_or_frames(
    gate: Gate, change: dict[str, str]
) -> None:
    asked = {"programme": YOUTH.id, **change}
    answer = gate.city.agency.post("/v1/eligibility/requests", json=asked, headers=BEARER)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "request_malformed")


def test_a_holder_who_applies_chooses_no_flow(gate: Gate) -> None:
    asked = {"programme": YOUTH.id, "flow": "frames"}
    answer = gate.city.agency.post(f"{AGENCY_URL}/v1/eligibility/applications", json=asked)
    assert answer.status_code == 400
