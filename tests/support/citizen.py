"""A citizen with a real wallet that talks to a desk's WSGI application. People are synthetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tests.support.clock import SettableClock
from tests.support.credentials import DISCLOSABLE, ISSUER, NOW, World, card_claims
from tests.support.desk import BASE_URL, Desk
from tests.support.holder_stores import create_store
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.certificates import TrustAnchors
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.syntax import Did
from wallet.encoding.json import JsonObject
from wallet.holder.cards import HeldCredential, to_put
from wallet.holder.wallet import Wallet
from wallet.ports.facts import DidUnresolvable, ReplicaEmpty, VerifierRegistry
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.trust.verifiers import RegisteredService
from wallet.verification.evidence import Fact
from wallet.verification.issuer_key import NO_ANCHORS


class DeskTransport:
    """`HolderTransport` and `DidResolver` over a desk's test client; remembers what was sent."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.sent: list[tuple[str, str, bytes]] = []
        self.answers: list[HttpAnswer] = []
        self.delay: Callable[[], None] = lambda: None

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        return self._send("GET", url, b"", {"Accept": accept})

    def post(self, url: str) -> HttpAnswer:
        return self._send("POST", url, b"", {})

    def post_form(self, url: str, form: bytes, *, accept: str = "application/json") -> HttpAnswer:
        kind = "application/x-www-form-urlencoded"
        return self._send("POST", url, form, {"Accept": accept, "Content-Type": kind})

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        raise PeerUnreachable("no issuer is here")

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        raise PeerUnreachable("no issuer is here")

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        self.sent.append((method, url, body))
        self.delay()
        if not url.startswith(BASE_URL + "/"):
            raise PeerUnreachable("nobody else is here")
        path = url.removeprefix(BASE_URL)
        answer: TestResponse = self._desk.client.open(
            path, method=method, data=body, headers=dict(headers)
        )
        self.answers.append(
            HttpAnswer(answer.status_code, answer.mimetype or "", answer.get_data())
        )
        return self.answers[-1]

    def resolve(self, did: Did) -> Fact[DidDocument]:
        if str(did) != self._desk.config.did:
            raise DidUnresolvable("nobody else is here")
        published = self._desk.client.get("/.well-known/did.json").get_json()
        return Fact(parse_did_document(published, did), self._desk.clock.now())


class MemoryVerifierRegistry:
    """`ports.facts.VerifierRegistry` over what was registered with it; empty until `as_of`."""

    def __init__(self, as_of: int | None = NOW - 30) -> None:
        self.as_of = as_of
        self.services: list[RegisteredService] = []

    def verifier_services(self, verifier_id: bytes) -> Fact[Sequence[RegisteredService]]:
        if self.as_of is None:
            raise ReplicaEmpty("the replica has not followed the chain yet")
        found = [item for item in self.services if item.verifier_id == verifier_id]
        return Fact(found, self.as_of)


@dataclass
class Citizen:
    """A wallet that holds cards of a desk's issuer."""

    wallet: Wallet
    store: SqliteRecordStore
    keys: SoftwareKeyStore
    transport: DeskTransport
    world: World

    @classmethod
    def at(
        cls,
        desk: Desk,
        folder: Path,
        *,
        anchors: TrustAnchors = NO_ANCHORS,
        registry: VerifierRegistry | None = None,
        require_registration: bool = False,
        clock: SettableClock | None = None,
    ) -> Citizen:
        store = create_store(folder / "wallet.db")
        keys = SoftwareKeyStore(store)
        transport = DeskTransport(desk)
        wallet = Wallet(
            records=store,
            keys=keys,
            transport=transport,
            dids=transport,
            clock=clock or desk.clock,
            verifier_anchors=anchors,
            registry=registry,
            require_registration=require_registration,
        )
        return cls(wallet, store, keys, transport, desk.world)

    def hold(self, claims: JsonObject | None = None, **changes: Any) -> HeldCredential:
        """Put a card into the wallet, as if it had been received."""
        held = self._issued(f"card-{len(self.store.list('credential'))}", claims, **changes)
        self.store.write(to_put(held))
        return held

    def copy(self, card_id: str, number: int) -> HeldCredential:
        """Return another copy of a card, on a key of its own, not stored yet."""
        return self._issued(f"{card_id}-{number}", None)

    def _issued(self, name: str, claims: JsonObject | None, **changes: Any) -> HeldCredential:
        key = self.keys.generate()
        issued = issue_sd_jwt_vc(
            {**card_claims(), **(claims or {})},
            changes.pop("disclosable", DISCLOSABLE),
            self.world.issuer_key,
            verification_method=f"{ISSUER}#key-1",
            holder=key.public_key,
        )
        return HeldCredential(
            id=name,
            credential_issuer="https://issuer.example",
            configuration_id="card",
            credential=issued.compact,
            key_handle=key.handle,
            received_at=NOW - 1000,
        )

    def hosts(self) -> set[str]:
        """Return the hosts that were spoken to."""
        return {urlsplit(url).netloc for _, url, _ in self.transport.sent}
