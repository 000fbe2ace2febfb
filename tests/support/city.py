"""A city in one process: an issuer of evidence, agencies, wallets, and the network between them.

All of it is real but for the wire: requests go to the services' WSGI applications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from issuer.app import IssuerApplication, build_issuer
from issuer.config import IssuerConfig, Operator
from issuer.register.csv_evidence import (
    SECTOR_KEY_FILE,
    CsvEvidenceRegister,
    evidence_kinds,
    evidence_to_csv,
)
from issuer.register.csv_families import families_to_csv
from issuer.register.csv_register import CsvAppointmentRegister, CsvFamilyRegister
from issuer.register.model import Family
from tests.support.clock import SettableClock
from tests.support.databases import ISSUER, REPLICA, VERIFIER, lay_out, open_laid_out
from tests.support.holder_stores import create_store, open_store
from tests.support.issuing import ALICE, key_of
from tests.support.memory_ledger import MemoryLedger, follow
from verifier.app import Verifier, build_verifier
from verifier.config import VerifierConfig
from verifier.exclusions.client import HttpExclusionRegister
from verifier.exclusions.config import RegisterAtHand, RegisterConfig, did_of
from verifier.register_app import ExclusionRegisterApplication, build_exclusion_register
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.engine import sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.credentials.account import ACCOUNT_TYPE
from wallet.credentials.contract import CONTRACT_TYPE
from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.credentials.jwe import DecryptionKey
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_web import did_web_document_url
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.resolve import SELF_CONTAINED_METHODS, resolve_self_contained
from wallet.did.syntax import Did
from wallet.eligibility.benefit_key import BENEFIT_KEY_TYPE
from wallet.eligibility.clauses import Window
from wallet.eligibility.evidence_types import evidence_types
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.holder.cards import Card
from wallet.holder.wallet import Wallet
from wallet.ports.facts import DidUnresolvable, StatusListUnavailable
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.evidence import Fact
from wallet.verification.issuer_key import NO_ANCHORS

ISSUER_URL = "https://issuer.example"
AGENCY_URL = "https://agency.example"
REGISTER_URL = "https://register.example"
AGENCY_TOKEN = "synthetic-agency-token"
PERSON = "SYN-P-1"


class Network:
    """The wallet's transport, everyone's DID resolver and source of status lists.

    `sent` has every request as (method, URL, body); `down` names hosts that do not answer, `lost`
    those whose answers do not arrive.
    """

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self.hosts: dict[str, FlaskClient] = {}
        self.down: set[str] = set()
        self.lost: set[str] = set()
        self.sent: list[tuple[str, str, bytes]] = []
        self.before: Callable[[str, str], None] = lambda method, url: None

    def call(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        kind: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        parts = urlsplit(url)
        self.before(method, url)
        self.sent.append((method, url, body))
        if parts.netloc in self.down or parts.netloc not in self.hosts:
            raise PeerUnreachable("the host does not answer")
        answer = self.hosts[parts.netloc].open(
            parts.path,
            method=method,
            data=body,
            content_type=kind or None,
            headers=dict(headers or {}),
        )
        if parts.netloc in self.lost:
            raise PeerUnreachable("the answer does not arrive")
        media_type = (answer.content_type or "").partition(";")[0].strip().lower()
        named = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status_code, media_type, answer.get_data(), named)

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        return self.call("GET", url, headers={"Accept": accept})

    def post(self, url: str) -> HttpAnswer:
        return self.call("POST", url)

    def post_form(self, url: str, form: bytes, *, accept: str = "") -> HttpAnswer:
        return self.call("POST", url, form, "application/x-www-form-urlencoded")

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        headers = {"Authorization": f"Bearer {bearer}"}
        return self.call("POST", url, to_json(dict(value)), "application/json", headers)

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        return self.call("POST", url, body, content_type, headers)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None, body: bytes | None
    ) -> HttpAnswer:
        content_type = "application/json" if body else ""
        return self.call(method, url, body or b"", content_type, headers or {})

    def resolve(self, did: Did) -> Fact[DidDocument]:
        if did.method in SELF_CONTAINED_METHODS:
            return Fact(resolve_self_contained(did), self._clock.now())
        try:
            answer = self.call("GET", did_web_document_url(did))
        except PeerUnreachable:
            raise DidUnresolvable("the host does not answer") from None
        return Fact(parse_did_document(parse_json_object(answer.body), did), self._clock.now())

    def fetch(self, uri: str) -> Fact[bytes]:
        try:
            answer = self.call("GET", uri)
        except PeerUnreachable:
            raise StatusListUnavailable("the host does not answer") from None
        if answer.status != 200:
            raise StatusListUnavailable(f"status {answer.status}")
        return Fact(answer.body, self._clock.now())

    def posted_to(self, host: str) -> list[bytes]:
        """Return the bodies that were posted to a host."""
        return [
            body
            for method, url, body in self.sent
            if method == "POST" and urlsplit(url).netloc == host
        ]


Rows = Mapping[str, Sequence[tuple[str, JsonObject]]]


@dataclass
class City:
    """The services at `now`, over registers of synthetic people; close it at the end.

    `agencies` are base URLs of verifiers; `configure` changes their configuration, `issuing` the
    issuer's. In `development` wallets talk to agencies on localhost by http. `anchors` are what
    wallets believe certificates of agencies by.
    """

    folder: Path
    now: int
    rows: Rows
    families: Sequence[Family] = ()
    agencies: tuple[str, ...] = (AGENCY_URL,)
    configure: Mapping[str, Any] = field(default_factory=dict)
    issuing: Mapping[str, Any] = field(default_factory=dict)
    development: bool = False
    anchors: TrustAnchors = NO_ANCHORS

    def __post_init__(self) -> None:
        self.clock = SettableClock(self.now)
        self.network = Network(self.clock)
        self.ledger = MemoryLedger(self.clock)
        self._engine = open_laid_out(self.folder / "replica.db", REPLICA)
        self.replica = SqlReplica(self._engine)
        self.issuer = self._build_issuer()
        self.network.hosts["issuer.example"] = self.issuer.flask_app.test_client()
        identity = self.issuer.service.identity
        types = [kind.vct for kind in evidence_types().by_name.values()]
        for vct in (*types, GUARDIANSHIP_TYPE, BENEFIT_KEY_TYPE, ACCOUNT_TYPE, CONTRACT_TYPE):
            self.ledger.accredit(identity.chain_id, schema_id(vct))
        self.register = self._build_register()
        self.network.hosts["register.example"] = self.register.app.test_client()
        self.verifiers = {url: self._build_verifier(url) for url in self.agencies}
        for url, verifier in self.verifiers.items():
            did = "did:web:" + urlsplit(url).netloc.replace(":", "%3A")
            self.ledger.accredit(issuer_id(did), schema_id(RECEIPT_SCHEMA))
            self.network.hosts[urlsplit(url).netloc] = verifier.app.test_client()
        self._wallets: list[Wallet] = []
        self.settle()

    def _build_issuer(self) -> IssuerApplication:
        for kind in evidence_kinds():
            data = evidence_to_csv(kind, self.rows.get(kind, ()))
            (self.folder / f"{kind}.csv").write_bytes(data)
        lay_out(self.folder / "issuer.db", ISSUER)
        (self.folder / SECTOR_KEY_FILE).write_text(base64url.encode(sha256(b"sector")))
        (self.folder / "families.csv").write_bytes(families_to_csv(self.families))
        families = CsvFamilyRegister(self.folder / "families.csv")
        assert families.load().bad_rows == ()
        self.evidence = CsvEvidenceRegister(self.folder, families)
        for report in self.evidence.load().values():
            assert (report.bad_rows, report.withheld) == ((), 0)
        return build_issuer(
            IssuerConfig(
                base_url=ISSUER_URL,
                signing_key=key_of("issuer"),
                database_url=sqlite_url(self.folder / "issuer.db"),
                operators=(Operator("alice", sha256(ALICE.encode())),),
                status_list_size=1024,
                **{"nym_epoch": "2026", **self.issuing},
            ),
            ledger_writer=self.ledger,
            replica=self.replica,
            clock=self.clock,
            families=families,
            appointments=CsvAppointmentRegister(self.folder / "appointments.csv"),
            evidence=self.evidence,
        )

    def _build_register(self) -> ExclusionRegisterApplication:
        self._register_key = DecryptionKey.generate()
        return build_exclusion_register(
            RegisterConfig(
                base_url=REGISTER_URL,
                database_url=sqlite_url(self.folder / "register.db"),
                key=self._register_key,
                groups={"youth-benefits": Window(calendar_year=True)},
                agency_token_digests={
                    did_of(url): sha256(f"token of {url}".encode()) for url in self.agencies
                },
            ),
            clock=self.clock,
        )

    def _build_verifier(self, base_url: str) -> Verifier:
        name = urlsplit(base_url).netloc
        lay_out(self.folder / f"{name}.db", VERIFIER)
        key_file = self.folder / f"{name}.key"
        key_file.write_text(base64url.encode(Es256SigningKey.generate().secret()))
        settings: dict[str, Any] = {
            "base_url": base_url,
            "database_url": sqlite_url(self.folder / f"{name}.db"),
            "signing_key_file": key_file,
            "agency_token_digests": {"desk": sha256(AGENCY_TOKEN.encode())},
            "display_name": name,
            "exclusion_register": RegisterAtHand(
                REGISTER_URL, self._register_key.public, f"token of {base_url}"
            ),
            **self.configure,
        }
        return build_verifier(
            VerifierConfig(**settings),
            replica=self.replica,
            clock=self.clock,
            dids=self.network,
            status_lists=self.network,
            ledger_writer=self.ledger,
            register=HttpExclusionRegister(self.network, REGISTER_URL, f"token of {base_url}"),
        )

    @property
    def agency(self) -> FlaskClient:
        """A client of the first agency."""
        return self.verifiers[self.agencies[0]].app.test_client()

    def settle(self) -> None:
        """Let issuer and replica catch up with each other and with the clock."""
        for _ in range(2):
            self.issuer.work_once()
            for verifier in self.verifiers.values():
                verifier.rounds.run_once()
            self.ledger.mine()
            follow(self.ledger, self.replica, self.clock)

    def open_wallet(self, name: str = "wallet") -> Wallet:
        """Return a wallet of this city's network: a new one, or one that was closed before."""
        path = self.folder / f"{name}.wallet"
        store = open_store(path) if path.exists() else create_store(path)
        wallet = Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=self.network,
            dids=self.network,
            clock=self.clock,
            catalogue_publishers=frozenset(("did:web:agency.example",)),
            close=store.close,
            development=self.development,
            verifier_anchors=self.anchors,
        )
        self._wallets.append(wallet)
        return wallet

    def give(
        self,
        wallet: Wallet,
        kind: str,
        subject_id: str = PERSON,
        holder_id: str = PERSON,
        **more: str,
    ) -> Card:
        """Let a clerk offer one piece of evidence, and the wallet take it."""
        offer = self.operator(
            "evidence-offers",
            {"kind": kind, "subject_id": subject_id, "holder_id": holder_id, **more},
        )
        assert offer.status_code == 201, offer.text
        (card,) = wallet.receive(offer.get_json()["link"])
        return card

    def give_guardianship(
        self, wallet: Wallet, family_id: str, guardian_id: str, child_id: str
    ) -> Card:
        """Let a clerk offer the guardianship for a child, and the wallet take it."""
        asked = {"family_id": family_id, "guardian_id": guardian_id, "child_id": child_id}
        offer = self.operator("guardianship-offers", asked)
        assert offer.status_code == 201, offer.text
        (card,) = wallet.receive(offer.get_json()["link"])
        return card

    def operator(self, path: str, asked: JsonObject) -> TestResponse:
        """Call the operators' API as a clerk who asks for no transaction code."""
        return self.network.hosts["issuer.example"].post(
            f"/operator/{path}",
            json={**asked, "tx_code": False},
            headers={"Authorization": f"Bearer {ALICE}"},
        )

    def restart(self, base_url: str) -> None:
        """Let an agency's verifier end and begin again over its database."""
        self.verifiers.pop(base_url).close()
        self.verifiers[base_url] = self._build_verifier(base_url)
        host = urlsplit(base_url).netloc
        self.network.hosts[host] = self.verifiers[base_url].app.test_client()

    def ask(
        self, programme: str, *, version: str | None = None, agency: str | None = None
    ) -> JsonObject:
        """Ask for a programme as an agency, the first one unless another is named."""
        body = (
            {"programme": programme}
            if version is None
            else {"programme": programme, "version": version}
        )
        asking = self.verifiers[agency or self.agencies[0]].app.test_client()
        answer = asking.post(
            "/v1/eligibility/requests",
            json=body,
            headers={"Authorization": f"Bearer {AGENCY_TOKEN}"},
        )
        assert answer.status_code == 201, answer.text
        opened: JsonObject = answer.get_json()
        return opened

    def decision(self, opened: JsonObject) -> JsonObject:
        """Collect the decision on a request."""
        parts = urlsplit(opened["decision_uri"])
        client = self.network.hosts[parts.netloc]
        answer = client.get(
            parts.path, headers={"Authorization": f"Bearer {opened['result_token']}"}
        )
        assert answer.status_code == 200, answer.text
        found: JsonObject = answer.get_json()
        return found

    def stored_at(self, base_url: str) -> bytes:
        """Return everything in an agency's database."""
        files = sorted(self.folder.glob(f"{urlsplit(base_url).netloc}.db*"))
        return b"".join(path.read_bytes() for path in files)

    def close(self) -> None:
        """Release the databases."""
        for wallet in self._wallets:
            wallet.close()
        for verifier in self.verifiers.values():
            verifier.close()
        self.register.close()
        self.issuer.close()
        self._engine.dispose()


def claims_in(form: bytes) -> list[JsonObject]:
    """Return the claims in every presentation of a posted response."""
    (token,) = parse_qs(form.decode())["vp_token"]
    shown = []
    for presentations in parse_json_object(token.encode()).values():
        for presentation in presentations:
            if isinstance(presentation, dict):
                shown.append({**presentation["claims"], "vct": presentation["vct"]})
                continue
            parsed = parse_sd_jwt(presentation)
            shown.append(parsed.process(parsed.jws.peek_claims()).claims)
    return shown
