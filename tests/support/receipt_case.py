"""A city whose agency decides one programme, and a wallet that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.city import City
from tests.support.programmes import programme
from tests.support.registers import register_rows
from wallet.eligibility.receipts.file import (
    ReceiptFile,
    file_root,
    parse_receipt_file,
)
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA
from wallet.encoding.json import JsonObject, to_json
from wallet.holder.consent import ConsentRequest
from wallet.holder.decision_records import FollowUp
from wallet.holder.wallet import Wallet
from wallet.trust.facts import AnchorFacts
from wallet.trust.identifiers import issuer_id, schema_id

YOUTH = programme("climate-card-youth@2025")
ON = date(2025, 6, 1)
NOON = 1_748_746_800
BORN = "1985-01-01"
CLAIMS: JsonObject = {"resident": {"birth_date": BORN}, "military": {"service_months": 18}}
AGENCY = "did:web:agency.example"


@dataclass
class Case:
    """A city and a wallet in it that has what the programme asks for."""

    city: City
    wallet: Wallet

    def present(self) -> tuple[JsonObject, str]:
        """Answer the agency; return what it was told when it asked, and the log entry's id."""
        opened = self.city.ask(YOUTH.id)
        presented = self.wallet.present(opened["link"], ask=with_everything)
        assert (presented.receipt_error, presented.receipt is None) == (None, False)
        return opened, presented.entry.id

    def followed(self, entry_id: str) -> FollowUp:
        """Return what the history shows after a presentation."""
        (found,) = (item for item in self.wallet.history.entries() if item.entry.id == entry_id)
        return found.follow_up

    def settle(self) -> None:
        """Let an hour pass, so that heads and batches are due, and let everybody catch up."""
        self.city.clock.set(self.city.clock.now() + 3600)
        self.city.settle()
        assert {item.error for item in self.wallet.decisions.update()} <= {None}

    def file(self, entry_id: str) -> ReceiptFile:
        """Return what the wallet writes into a receipt file, read again."""
        return parse_receipt_file(to_json(self.wallet.decisions.export(entry_id).to_json()))

    def facts(self, file: ReceiptFile) -> AnchorFacts:
        """Return what the replica knows about the file's batch."""
        agency, schema = issuer_id(file.issuer), schema_id(RECEIPT_SCHEMA)
        return self.city.replica.anchor_facts(agency, schema, file_root(file), None).value

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, JsonObject]:
        """Call the agency's API."""
        answer = self.city.agency.open(path, method=method, json=body)
        return answer.status_code, answer.get_json(silent=True) or {}


def with_everything(consent: ConsentRequest) -> ConsentRequest:
    """Agree to every optional answer too."""
    for answer in consent.optional:
        consent = consent.including(answer.query_id)
    return consent


def open_case(folder: Path) -> Case:
    """Return the city, with a wallet that has what the programme asks for."""
    city = City(folder, NOON, register_rows(YOUTH, CLAIMS, ON))
    wallet = city.open_wallet()
    for kind in ("residence", "military-service"):
        city.give(wallet, kind)
    city.settle()
    return Case(city, wallet)
