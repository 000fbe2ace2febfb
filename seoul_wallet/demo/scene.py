"""Who and what the acts of the demonstration need, and waiting for the chain."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from rich.console import Console

from seoul_wallet.demo.citizens import Devices, HeldCard
from seoul_wallet.demo.desk import Agency, Department
from seoul_wallet.demo.lines import Protocol, age_of, outcome_of
from seoul_wallet.stack import LocalStack
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.encoding.json import JsonObject
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import parse_receipt

WALLET_CARDS: Final = 10
FINAL_WAIT_S: Final = 60
POLL_S: Final = 0.1
MAX_FACTS_AGE_S: Final = 5
FAMILY_QUERY: Final = "family-card"
LETTER_QUERY: Final = "appointment-letter"
FAMILY_CLAIMS: Final = (("child_count",), ("seoul_resident",), ("valid_until",))
LETTER_CLAIMS: Final = (("name",), ("post",), ("organisation",), ("valid_until",))


class DemoFailed(RuntimeError):
    """The demonstration cannot go on; the message says what did not happen in time."""


@dataclass
class Scene:
    """Who and what the acts of the demonstration need."""

    console: Console
    protocol: Protocol
    stack: LocalStack
    devices: Devices
    clerk: Department
    director: Department
    agency: Agency

    @property
    def verifier_did(self) -> str:
        """The agency's DID, under which it publishes its programmes."""
        return "did:web:" + quote(urlsplit(self.stack.verifier_url).netloc, safe="")

    def receipt(self, card: HeldCard) -> JsonObject:
        """Wait until a card's batch is final and known to the verifier; return the receipt."""
        ends_at = time.monotonic() + FINAL_WAIT_S
        while time.monotonic() < ends_at:
            receipt = self.devices.receipt(card)
            if receipt is not None and self._verifier_knows(card, receipt):
                return receipt
            time.sleep(POLL_S)
        raise DemoFailed(f"no final anchor receipt within {FINAL_WAIT_S} s")

    def _verifier_knows(self, card: HeldCard, receipt: JsonObject) -> bool:
        jws = parse_sd_jwt(card.credential).jws
        root = parse_receipt(receipt).root_for(jws.signing_input)
        schema = schema_id(jws.peek_claims()["vct"])
        fact = self.stack.verifier_replica.anchor_facts(
            issuer_id(self.stack.issuer_did), schema, root, None
        )
        return fact.value.batch is not None

    def in_hand(
        self, card: HeldCard, receipt: JsonObject | None, query: str = FAMILY_QUERY
    ) -> JsonObject:
        """Let the agency check a card that is shown at its counter; return the report."""
        nonce = secrets.token_urlsafe(16)
        audience = self.stack.verifier_url
        presentation = self.devices.present(
            card,
            claims=FAMILY_CLAIMS if query == FAMILY_QUERY else LETTER_CLAIMS,
            audience=audience,
            nonce=nonce,
            receipt=receipt,
        )
        return self.agency.verify(presentation, audience, nonce, query)


def judged(report: JsonObject) -> tuple[str, str]:
    return outcome_of(report), age_of(report)
