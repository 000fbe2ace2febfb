"""An agency's desk: a composed verifier over SQLite, with an issuer and a holder beside it.

People and cards are synthetic. Facts come from the memory adapters; everything else is real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.clock import SettableClock
from tests.support.credentials import ACCREDITOR, ISSUER, NOW, STATUS_URI, VCT, World
from tests.support.databases import VERIFIER, lay_out
from tests.support.facts import MemoryDidResolver, MemoryReplica, MemoryStatusListSource
from verifier.app import Verifier, build_verifier
from verifier.config import VerifierConfig
from verifier.queries import APPOINTMENT_LETTER_TYPE, DEFAULT_QUERIES, NamedQuery
from wallet.adapters.sql.engine import sqlite_url
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.did.document import build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.ports.facts import CredentialSource
from wallet.protocols.client_id import DidClientId
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp import AuthorizationRequest
from wallet.protocols.oid4vp_link import parse_request_link
from wallet.protocols.oid4vp_request_object import parse_request_object, verify_request_object
from wallet.protocols.oid4vp_response import build_response
from wallet.trust.events import LedgerEvent
from wallet.trust.facts import AccreditorScope, BatchFact, BlockRef, IssuerScope
from wallet.trust.identifiers import issuer_id, schema_id

BASE_URL = "https://verifier.example"
AGENCY_TOKEN = "synthetic-agency-token"
AGENCY = {"Authorization": f"Bearer {AGENCY_TOKEN}"}
BOTH = NamedQuery(
    "both",
    parse_dcql(
        {
            "credentials": [
                {
                    "id": "card",
                    "format": "dc+sd-jwt",
                    "meta": {"vct_values": [VCT]},
                    "claims": [{"path": ["child_count"]}],
                },
                {
                    "id": "letter",
                    "format": "dc+sd-jwt",
                    "meta": {"vct_values": [APPOINTMENT_LETTER_TYPE]},
                    "claims": [{"path": ["post"]}],
                },
            ]
        }
    ),
    "two documents",
)
ANY_HOLDER = NamedQuery("any-holder", BOTH.query, "documents of a family", one_holder=False)


def letter_claims() -> JsonObject:
    """A synthetic appointment letter."""
    return {
        "iss": ISSUER,
        "vct": APPOINTMENT_LETTER_TYPE,
        "exp": NOW + 86400 * 365,
        "status": {"status_list": {"idx": 9, "uri": STATUS_URI}},
        "name": "박합성",
        "post": "주민자치위원",
        "organisation": "합성동 주민자치회",
    }


@dataclass
class Desk:
    """The verifier under test, its facts, and the people around it."""

    folder: Path
    config_changes: Mapping[str, Any] = field(default_factory=dict)
    clock: SettableClock = field(default_factory=lambda: SettableClock(NOW))
    world: World = field(default_factory=World)
    replica: MemoryReplica = field(default_factory=MemoryReplica)
    lists: CredentialSource | None = None
    json_ld: Canonicalizer | None = None

    def __post_init__(self) -> None:
        self.letter = World(
            issuer_key=self.world.issuer_key,
            holder_key=self.world.holder_key,
            claims=letter_claims(),
            disclosable=(("name",), ("post",), ("organisation",)),
        )
        self.dids = MemoryDidResolver(self.clock)
        self.status_lists = MemoryStatusListSource(self.clock)
        self.dids.publish(build_did_document(ISSUER, {"key-1": self.world.issuer_key.public_key}))
        self.status_lists.publish(STATUS_URI, self.world.status_token())
        self.follow(*self._accreditations())
        lay_out(self.folder / "verifier.db", VERIFIER)
        self.config = self._config()
        self.verifier: Verifier = build_verifier(
            self.config,
            replica=self.replica,
            clock=self.clock,
            dids=self.dids,
            status_lists=self.status_lists,
            credentials=self.lists,
            json_ld=self.json_ld,
        )
        self.client: FlaskClient = self.verifier.app.test_client()

    def _config(self) -> VerifierConfig:
        key_file = self.folder / "signing-key"
        key_file.write_text(base64url.encode(Es256SigningKey.generate().secret()))
        settings: dict[str, Any] = {
            "base_url": BASE_URL,
            "database_url": sqlite_url(self.folder / "verifier.db"),
            "signing_key_file": key_file,
            "agency_token_digests": {"gate": sha256(AGENCY_TOKEN.encode())},
            "queries": {**DEFAULT_QUERIES, "both": BOTH, "any-holder": ANY_HOLDER},
        }
        return VerifierConfig(**{**settings, **self.config_changes})

    @staticmethod
    def _accreditations() -> list[LedgerEvent]:
        events: list[LedgerEvent] = []
        for vct in (VCT, APPOINTMENT_LETTER_TYPE):
            schema, span = schema_id(vct), (NOW - 20_000, NOW + 20_000)
            events.append(AccreditorScope(ACCREDITOR, schema, 0, *span))
            events.append(IssuerScope(issuer_id(ISSUER), schema, 0, ACCREDITOR, *span))
        return events

    def follow(self, *events: LedgerEvent) -> None:
        """Let the replica see a new finalized block with these events."""
        head = self.replica.head()
        number = 100 if head is None else head.number + 1
        now = self.clock.now()
        self.replica.apply(events, BlockRef(number, bytes([number % 256]) * 32, now - 30), now)

    def anchor(self, root: bytes, size: int) -> None:
        """Let a batch of the card's type become final."""
        issuer, schema = issuer_id(ISSUER), schema_id(VCT)
        self.follow(BatchFact(issuer, schema, root, size, b"\x02" * 32, self.clock.now() - 60))

    def ask(self, query: str | None = "family-card", **body: Any) -> JsonObject:
        """Open a request as the agency."""
        asked = body if query is None else {"query": query, **body}
        response = self.client.post("/v1/requests", json=asked, headers=AGENCY)
        assert response.status_code == 201, response.get_data(as_text=True)
        answer: JsonObject = response.get_json()
        return answer

    def fetch(self, opened: JsonObject) -> AuthorizationRequest:
        """Follow the link as a careful wallet: fetch, resolve the DID, verify."""
        link = parse_request_link(opened["link"])
        assert link.request_uri is not None
        assert isinstance(link.client_id, DidClientId)
        response = self.client.get(link.request_uri.removeprefix(BASE_URL))
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.content_type == "application/oauth-authz-req+jwt"
        published = self.client.get("/.well-known/did.json").get_json()
        did = parse_did(published["id"])
        return verify_request_object(
            parse_request_object(response.get_data()),
            link.client_id,
            parse_did_document(published, did),
            now=self.clock.now(),
        ).request

    def card(self, request: AuthorizationRequest, **changes: Any) -> str:
        """Present a new card to a request."""
        return self._present(self.world, request, changes)

    def letter_for(self, request: AuthorizationRequest, **changes: Any) -> str:
        """Present a new letter to a request."""
        return self._present(self.letter, request, {"disclose": (("post",),), **changes})

    def _present(
        self, world: World, request: AuthorizationRequest, changes: dict[str, Any]
    ) -> str:
        binding = {
            "audience": str(request.client_id),
            "nonce": request.nonce,
            "issued_at": self.clock.now(),
        }
        return world.present(world.issue(), **{**binding, **changes})

    def post(
        self, request: AuthorizationRequest, vp_token: Mapping[str, Sequence[str]]
    ) -> TestResponse:
        """Post a response as the wallet."""
        return self.client.post("/responses", data=build_response(vp_token, request.state))

    def result(self, opened: JsonObject, *, token: str | None = None) -> TestResponse:
        """Collect the result as the agency."""
        bearer = opened["result_token"] if token is None else token
        return self.client.get(
            opened["result_uri"].removeprefix(BASE_URL),
            headers={"Authorization": f"Bearer {bearer}"},
        )

    def decide(
        self, opened: JsonObject, request: AuthorizationRequest, vp_token: Mapping[str, Any]
    ) -> JsonObject:
        """Post a response and return what the agency is told."""
        response = self.post(request, vp_token)
        assert (response.status_code, response.get_json()) == (200, {})
        answer: JsonObject = self.result(opened).get_json()
        return answer

    @staticmethod
    def peek(request_object: bytes) -> JsonObject:
        """Return the claims of a request object, unverified."""
        return parse_request_object(request_object).peek_claims()

    def stored(self) -> bytes:
        """Return everything in the session database's files."""
        files = sorted(self.folder.glob("verifier.db*"))
        return b"".join(path.read_bytes() for path in files)

    def verify(self, presentation: str, **changes: Any) -> TestResponse:
        """Check a presentation in hand as the agency."""
        body = {
            "presentation": presentation,
            "audience": "https://verifier.example",
            "nonce": "n-0S6_WzA2Mj0123456789",
            **changes,
        }
        return self.client.post(
            "/v1/verify",
            data=to_json(body),
            content_type="application/json",
            headers=AGENCY,
        )
