"""Phones of one person: wallets with stores of their own against one issuer, and their backups."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.holder_stores import CHEAP, PASSPHRASE, create_store, open_store
from tests.support.issuer_network import IssuerNetwork
from tests.support.issuing import FAMILY, HOLDER, IssuerWorld
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.recovery_phrase import PhraseLanguage, RecoveryPhrase
from wallet.encoding.json import parse_json_object
from wallet.holder.recovery import RecoveryPhraseExists, restore_records
from wallet.holder.wallet import Wallet
from wallet.ports.holder import RecordStore
from wallet.status.token_status_list import VALID

CARD = "multi-child-family-card"


def open_phone(store: RecordStore, network: IssuerNetwork) -> Wallet:
    """Return the wallet over a store; it does not close it."""
    return Wallet(
        records=store,
        keys=SoftwareKeyStore(store),
        transport=network,
        dids=network,
        clock=network.world.clock,
    )


@dataclass
class Phone:
    """A wallet with its store."""

    store: SqliteRecordStore
    wallet: Wallet

    def indexes(self) -> set[tuple[str, int]]:
        """Return list and index of every copy on this phone."""
        records = [*self.store.list("credential"), *self.store.list("credential_copy")]
        found = set()
        for record in records:
            text = parse_json_object(record.payload)["credential"]
            status = parse_sd_jwt(text).jws.peek_claims()["status"]["status_list"]
            found.add((status["uri"], status["idx"]))
        return found


@dataclass
class Phones:
    """Everything of one person, and the issuer that they have cards of."""

    world: IssuerWorld
    folder: Path
    network: IssuerNetwork = field(init=False)
    opened: list[Phone] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.network = IssuerNetwork(self.world)

    def new(self, name: str) -> Phone:
        """Return a phone with an empty wallet."""
        return self._phone(create_store(self.folder / f"{name}.db"))

    def again(self, name: str) -> Phone:
        """Return a phone whose process ended."""
        return self._phone(open_store(self.folder / f"{name}.db"))

    def _phone(self, store: SqliteRecordStore) -> Phone:
        self.opened.append(Phone(store, open_phone(store, self.network)))
        return self.opened[-1]

    def back_up(self, phone: Phone, name: str = "export") -> tuple[RecoveryPhrase, Path]:
        """Export a phone; return the phrase and the file."""
        path = self.folder / name
        with suppress(RecoveryPhraseExists):
            phone.wallet.create_recovery_phrase(PhraseLanguage.KOREAN)
        phone.wallet.export(path)
        return phone.wallet.recovery_phrase(), path

    def restore(self, name: str, phrase: RecoveryPhrase, export: Path) -> Phone:
        """Return a blank phone with a wallet restored on it."""
        with export.open("rb") as file:

            def fill(records: RecordStore) -> None:
                restore_records(records, phrase, file.read)

            path = self.folder / f"{name}.db"
            return self._phone(SqliteRecordStore.create(path, PASSPHRASE, fill=fill, _floor=CHEAP))

    def offer(self, **changes: Any) -> str:
        """Let a clerk offer a card; return the link."""
        body = {
            "configuration_id": CARD,
            "subject_id": FAMILY,
            "holder_id": HOLDER,
            "tx_code": False,
            **changes,
        }
        made = self.world.operate("/credential-offers", body)
        assert made.status_code == 201, made.text
        link: str = made.get_json()["link"]
        return link

    def good(self) -> set[tuple[str, int]]:
        """Return list and index of every credential that was issued and is valid."""
        service = self.world.application.service
        return {
            (service.identity.status_list_uri(item.list_number), item.status_index)
            for item in service.statuses.issuances_of(FAMILY)
            if item.status == VALID and item.leaf is not None
        }

    def told(self) -> list[str]:
        """Return the kinds of the notices for the contact channel, in alphabetic order."""
        with self.world.issuer_engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT kind FROM issuer_recovery_notices").all()
        return sorted(row.kind for row in rows)

    def close(self) -> None:
        """Close every phone."""
        for phone in self.opened:
            phone.store.close()
