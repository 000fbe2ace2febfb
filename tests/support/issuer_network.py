"""The network between a real wallet and a real issuer in one process, with a record of it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.issuing import IssuerWorld
from wallet.did.did_web import did_web_document_url
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.syntax import Did
from wallet.encoding.json import to_json
from wallet.ports.facts import DidUnresolvable
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.verification.evidence import Fact


@dataclass(frozen=True, slots=True)
class Message:
    """One request with its answer, as they went over the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes


@dataclass
class IssuerNetwork:
    """`HolderTransport` and `DidResolver` that end at an issuer's WSGI application."""

    world: IssuerWorld
    messages: list[Message] = field(default_factory=list)
    down: set[str] = field(default_factory=set)

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        return self._send("GET", url, {"Accept": accept}, b"")

    def post(self, url: str) -> HttpAnswer:
        return self._send("POST", url, {}, b"")

    def post_form(self, url: str, form: bytes, *, accept: str = "application/json") -> HttpAnswer:
        return self._send("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, form)

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
        return self._send("POST", url, headers, to_json(dict(value)))

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        return self._send("POST", url, {**headers, "Content-Type": content_type}, body)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.world.base_url:
            raise PeerUnreachable("there is nobody at this address")
        if parts.path in self.down:
            raise PeerUnreachable("the network is down")
        answer = self.world.client.open(
            parts.path, method=method, query_string=parts.query, headers=dict(headers), data=body
        )
        lower = {name.lower(): value for name, value in answer.headers.items()}
        self.messages.append(
            Message(method, url, headers, body, answer.status_code, lower, answer.data)
        )
        return HttpAnswer(answer.status_code, answer.mimetype or "", answer.data, lower)

    def resolve(self, did: Did) -> Fact[DidDocument]:
        url = urlsplit(did_web_document_url(did))
        answer = self.world.client.get(url.path)
        if answer.status_code != 200 or f"https://{url.netloc}" != self.world.base_url:
            raise DidUnresolvable("there is no such document")
        return Fact(parse_did_document(answer.get_json(), did), self.world.clock.now())

    def paths(self) -> list[str]:
        """Return the paths that were asked, in order."""
        return [urlsplit(message.url).path for message in self.messages]
