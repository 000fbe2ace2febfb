"""A running issuer over a fresh SQLite file, a synthetic register and a ledger in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from issuer.app import IssuerApplication, build_issuer
from issuer.authorization.login import DevelopmentLogin
from issuer.catalogue import FAMILY_CARD
from issuer.config import IssuerConfig, Operator
from issuer.issuing import IssuanceStep
from issuer.parts import ServiceSettings
from issuer.register.appointment_letter import APPOINTMENT_LETTER_TYPE
from issuer.register.card_rule import FAMILY_CARD_TYPE
from issuer.register.csv_appointments import appointments_to_csv
from issuer.register.csv_families import families_to_csv
from issuer.register.csv_register import (
    VOTERS_FILE,
    CsvAppointmentRegister,
    CsvElectoralRoll,
    CsvFamilyRegister,
)
from issuer.register.model import (
    Address,
    Appointment,
    Child,
    ChildRelation,
    Family,
    Guardian,
    GuardianRelation,
    Household,
    HouseholdRelation,
    Person,
    Registration,
    RegistrationKind,
)
from issuer.storage.tables import ANCHORED
from seoul_wallet.contexts import development_json_ld
from tests.support.clock import SettableClock
from tests.support.databases import ISSUER, REPLICA, lay_out, open_laid_out
from tests.support.memory_ledger import MemoryLedger, follow
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.protocols.oid4vci.credential import CredentialRequest
from wallet.protocols.oid4vci.offer import (
    CredentialOfferReference,
    parse_credential_offer,
    parse_offer_link,
)
from wallet.protocols.oid4vci.proof import build_key_proof
from wallet.protocols.oid4vci.token import TokenRequest
from wallet.trust.identifiers import schema_id

NOW = 1_800_000_000  # 15 January 2027
BASE_URL = "https://issuer.example"
FAMILY, HOLDER = "SYN-F-1", "SYN-P-1"
SMALL_FAMILY, SMALL_HOLDER = "SYN-F-2", "SYN-P-5"
APPOINTMENT = "SYN-A-1"
HOLDER_NAME = "김합성"
ALICE, BOB = "alice-token-for-tests", "bob-token-for-tests"
FORM = "application/x-www-form-urlencoded"


def _family(family_id: str, parent: str, first_child: int, children: int) -> Family:
    home = Household(f"SYN-H{family_id[5:]}", Address("서울특별시", "중구", "합성로 1", "04524"))
    return Family(
        family_id,
        (
            Guardian(
                Person(parent, HOLDER_NAME, date(1985, 1, 2), RegistrationKind.RESIDENT),
                GuardianRelation.PARENT,
                Registration(home, HouseholdRelation.HEAD),
            ),
        ),
        tuple(
            Child(
                Person(
                    f"SYN-P-{first_child + index}",
                    "김합성이",
                    date(2015 + index, 3, 4),
                    RegistrationKind.RESIDENT,
                ),
                ChildRelation.BIRTH,
                Registration(home, HouseholdRelation.CHILD),
            )
            for index in range(children)
        ),
        synthetic=True,
    )


def sample_family() -> Family:
    """Return the family of four, which is entitled to a card."""
    return _family(FAMILY, HOLDER, 2, 2)


def write_register(folder: Path) -> None:
    """Write a register: one family of four, one with a single child, one appointment."""
    families = [sample_family(), _family(SMALL_FAMILY, SMALL_HOLDER, 6, 1)]
    (folder / "families.csv").write_bytes(families_to_csv(families))
    appointment = Appointment(
        APPOINTMENT,
        HOLDER_NAME,
        "합성위원",
        "합성위원회",
        date(2026, 7, 1),
        date(2028, 6, 30),
        "2026-합성-1",
        "서울특별시장의인",
        "서울특별시장",
        synthetic=True,
    )
    (folder / "appointments.csv").write_bytes(appointments_to_csv([appointment]))


def key_of(seed: str) -> Es256SigningKey:
    """Return a key that is the same in every run and process."""
    return Es256SigningKey.from_secret(sha256(seed.encode()))


@dataclass
class IssuerWorld:
    """An issuer with everything around it, and a wallet's steps against it."""

    folder: Path
    clock: SettableClock
    ledger: MemoryLedger
    replica: SqlReplica
    replica_engine: Engine
    issuer_engine: Engine
    application: IssuerApplication
    families: CsvFamilyRegister
    base_url: str

    @property
    def batches(self) -> SqlBatchRecords:
        """The issuer's own record of its batches."""
        return SqlBatchRecords(self.issuer_engine, ANCHORED)

    @property
    def client(self) -> FlaskClient:
        """A new client of the application."""
        return self.application.flask_app.test_client()

    def close(self) -> None:
        """Release the databases."""
        self.application.close()
        self.replica_engine.dispose()
        self.issuer_engine.dispose()

    def break_database(self) -> None:
        """Damage the issuer's database while it is open, as a failing disk would."""
        with sqlite3.connect(self.folder / "issuer.db") as connection:
            for table in ("sessions", "issuer_leaves", "issuer_issuances"):
                connection.execute(f"ALTER TABLE {table} RENAME TO broken_{table}")
        connection.close()

    def follow(self) -> None:
        """Move the replica to the ledger's finalized head."""
        follow(self.ledger, self.replica, self.clock)

    def operate(self, path: str, body: dict[str, Any], *, token: str = ALICE) -> TestResponse:
        """POST to the operators' API."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post(f"/operator{path}", json=body, headers=headers)

    def offer(self, *, tx_code: bool = False) -> tuple[str, str | None]:
        """Let a clerk offer a card; return the pre-authorized code and the transaction code."""
        made = self.operate(
            "/offers", {"family_id": FAMILY, "holder_id": HOLDER, "tx_code": tx_code}
        )
        assert made.status_code == 201, made.text
        return self.code_behind(made.get_json()["link"]), made.get_json()["tx_code"]

    def code_behind(self, link: str) -> str:
        """Open an offer link as a wallet does; return its pre-authorized code."""
        reference = parse_offer_link(link)
        assert isinstance(reference, CredentialOfferReference)
        answer = self.client.get(reference.uri.removeprefix(self.base_url))
        code = parse_credential_offer(answer.get_json()).pre_authorized_code
        assert code is not None
        return code

    def exchange(self, code: str, tx_code: str | None = None) -> TestResponse:
        """POST a token request."""
        body = TokenRequest(code, tx_code).to_form()
        return self.client.post("/token", data=body, content_type=FORM)

    def token(self) -> str:
        """Return a fresh access token for a card."""
        answer = self.exchange(self.offer()[0])
        assert answer.status_code == 200, answer.text
        token: str = answer.get_json()["access_token"]
        return token

    def nonce(self) -> str:
        """Return a fresh c_nonce."""
        nonce: str = self.client.post("/nonce").get_json()["c_nonce"]
        return nonce

    def proof(self, key: Es256SigningKey | None = None, **changes: Any) -> str:
        """Return a key proof with a fresh nonce, with changes."""
        values = {
            "audience": self.base_url,
            "nonce": changes.pop("nonce", None) or self.nonce(),
            "issued_at": self.clock.now(),
            **changes,
        }
        return build_key_proof(key or Es256SigningKey.generate(), **values)

    def request_credential(self, token: str, *proofs: str) -> TestResponse:
        """POST a credential request."""
        body = CredentialRequest(FAMILY_CARD, proofs).to_json()
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post("/credential", json=body, headers=headers)

    def issue(self, key: Es256SigningKey | None = None) -> dict[str, Any]:
        """Go all the way; return the one item of `credentials`."""
        answer = self.request_credential(self.token(), self.proof(key))
        assert answer.status_code == 200, answer.text
        (item,) = answer.get_json()["credentials"]
        found: dict[str, Any] = item
        return found


def issuer_world(
    folder: Path,
    *,
    settings: ServiceSettings | None = None,
    base_url: str = BASE_URL,
    status_list_size: int = 1024,
    after_step: Callable[[IssuanceStep], None] | None = None,
    vc_api: bool = False,
    config_changes: Mapping[str, Any] | None = None,
    now: int = NOW,
) -> IssuerWorld:
    """Build an issuer in `folder`; again over the same folder it finds its database there.

    An electoral roll in `folder` is served. With `vc_api` it is a development issuer. Everyone who
    logs in is believed.
    """
    if not (folder / "families.csv").exists():
        write_register(folder)
    clock = SettableClock(now)
    ledger = MemoryLedger(clock)
    engine = open_laid_out(folder / "replica.db", REPLICA)
    lay_out(folder / "issuer.db", ISSUER)
    replica = SqlReplica(engine)
    values: dict[str, Any] = {
        "base_url": base_url,
        "signing_key": key_of("issuer"),
        "database_url": sqlite_url(folder / "issuer.db"),
        "operators": (
            Operator("alice", sha256(ALICE.encode())),
            Operator("bob", sha256(BOB.encode())),
        ),
        "development": vc_api,
        "vc_api": vc_api,
        "status_list_size": status_list_size,
        "settings": settings or ServiceSettings(),
        **(config_changes or {}),
    }
    config = IssuerConfig(**values)
    families = CsvFamilyRegister(folder / "families.csv")
    appointments = CsvAppointmentRegister(folder / "appointments.csv")
    families.load()
    appointments.load()
    roll = None
    if (folder / VOTERS_FILE).exists():
        roll = CsvElectoralRoll(folder / VOTERS_FILE)
        roll.load()
    application = build_issuer(
        config,
        ledger_writer=ledger,
        replica=replica,
        clock=clock,
        families=families,
        appointments=appointments,
        roll=roll,
        login=DevelopmentLogin(),
        after_step=after_step,
        json_ld=development_json_ld() if vc_api else None,
    )
    for vct in (FAMILY_CARD_TYPE, APPOINTMENT_LETTER_TYPE, VOTING_CREDENTIAL_TYPE):
        ledger.accredit(application.service.identity.chain_id, schema_id(vct))
    issuer_engine = open_engine(config.database_url)
    return IssuerWorld(
        folder, clock, ledger, replica, engine, issuer_engine, application, families, base_url
    )
