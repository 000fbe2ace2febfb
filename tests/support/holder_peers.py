"""An issuer and a verifier in this process, real but for the network between them.

They speak through `wallet.protocols` and sign with their own keys; `Peers` is the network: the
wallet's transport and its DID resolver.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from wallet.credentials.sd_jwt import issue_sd_jwt_vc, parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.crypto.merkle import MerkleTree
from wallet.did.did_web import did_web_document_url
from wallet.did.document import DidDocument, build_did_document, parse_did_document
from wallet.did.syntax import Did, parse_did
from wallet.encoding import base64url
from wallet.encoding.form import parse_form, single_values
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.ports.clock import Clock
from wallet.ports.facts import DidUnresolvable
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.protocols.client_id import DidClientId
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vci.credential import (
    CredentialAnchor,
    CredentialResponse,
    ReceivedCredential,
    parse_credential_request,
)
from wallet.protocols.oid4vci.metadata import (
    ClaimDescription,
    CredentialConfiguration,
    IssuerMetadata,
    Label,
)
from wallet.protocols.oid4vci.offer import CredentialOffer, TxCodePrompt
from wallet.protocols.oid4vci.proof import verify_key_proof
from wallet.protocols.oid4vci.server_metadata import AuthorizationServerMetadata
from wallet.protocols.oid4vci.token import TokenRequest, parse_token_request
from wallet.protocols.oid4vp import REQUEST_OBJECT_MEDIA_TYPE, AuthorizationRequest
from wallet.protocols.oid4vp_link import build_request_link
from wallet.protocols.oid4vp_request_object import sign_request_object
from wallet.protocols.oid4vp_response import PresentationResponse, parse_response
from wallet.trust.receipt import AnchorReceipt, batch_leaf
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import VerifiedProof, verify_proof
from wallet.verification.policy import VerificationPolicy

NOW: Final = 1_790_000_000
CARD: Final = "urn:seoul-wallet:multi-child-family-card:1"
LETTER: Final = "urn:seoul-wallet:appointment-letter:1"
# A synthetic person.
CLAIMS: Final[Mapping[str, Any]] = {
    "name": "김하늘",
    "birth_date": "1988-03-14",
    "children": 3,
    "address": {"district": "마포구", "street": "월드컵북로 21"},
}
DISCLOSABLE: Final = (
    ("name",),
    ("birth_date",),
    ("children",),
    ("address",),
    ("address", "district"),
    ("address", "street"),
)
Handler = Callable[[str, bytes, str], HttpAnswer]


def json_of(value: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, "application/json", to_json(value))


class FixedClock:
    def __init__(self, now: int = NOW) -> None:
        self.time = now

    def now(self) -> int:
        return self.time


class Peers:
    """The network: routes by URL, remembers what was sent, and can be cut at any request."""

    def __init__(self, clock: Clock | None = None, *, development: bool = False) -> None:
        self.clock = clock or FixedClock()
        self.development = development
        self.routes: dict[str, Handler] = {}
        self.sent: list[tuple[str, str, bytes]] = []
        self.before: Callable[[str], None] = lambda url: None
        self.after: Callable[[str], None] = lambda url: None

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        return self._send("GET", url, b"", "")

    def post(self, url: str) -> HttpAnswer:
        return self._send("POST", url, b"", "")

    def post_form(self, url: str, form: bytes, *, accept: str = "application/json") -> HttpAnswer:
        return self._send("POST", url, form, "")

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        return self._send("POST", url, to_json(dict(value)), bearer)

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        return self._send("POST", url, body, bearer)

    def _send(self, method: str, url: str, body: bytes, bearer: str) -> HttpAnswer:
        self.before(url)
        self.sent.append((method, url, body))
        handler = self.routes.get(url)
        answer = json_of({}, 404) if handler is None else handler(method, body, bearer)
        self.after(url)
        return answer

    def resolve(self, did: Did) -> Fact[DidDocument]:
        handler = self.routes.get(did_web_document_url(did, development=self.development))
        if handler is None:
            raise DidUnresolvable("there is no such document")
        answer = handler("GET", b"", "")
        return Fact(parse_did_document(parse_json_object(answer.body), did), self.clock.now())

    def urls(self) -> list[str]:
        return [url for _, url, _ in self.sent]


def unplugged(part: str) -> Callable[[str], None]:
    """Return a hook that fails for URLs with `part` in them, as an outage does."""

    def hook(url: str) -> None:
        if part in url:
            raise PeerUnreachable("the network is down")

    return hook


@dataclass
class Issuer:
    """A city department that issues two types by pre-authorized code."""

    peers: Peers
    base: str = "https://issuer.example"
    claims: Mapping[str, Any] = field(default_factory=lambda: dict(CLAIMS))
    key: Es256SigningKey = field(default_factory=Es256SigningKey.generate)
    alter: Callable[[JsonObject], JsonObject] = lambda item: item
    receipt_state: str = "pending"
    valid_s: int = 86400

    def __post_init__(self) -> None:
        self.did = "did:web:" + urlsplit(self.base).netloc.replace(":", "%3A")
        self.codes: dict[str, str | None] = {}
        self.tokens: set[str] = set()
        self.nonces: set[str] = set()
        self.leaves: list[tuple[bytes, bytes]] = []
        self.issued: list[str] = []
        routes: dict[str, Handler] = {
            "/.well-known/did.json": lambda *_: json_of(self.did_document()),
            "/.well-known/openid-credential-issuer": lambda *_: json_of(self.metadata()),
            "/.well-known/oauth-authorization-server": lambda *_: json_of(self.server()),
            "/token": self._token,
            "/nonce": self._nonce,
            "/credential": self._credential,
        }
        for path, handler in routes.items():
            self.peers.routes[self.base + path] = handler

    def did_document(self) -> JsonObject:
        return build_did_document(self.did, {"key-1": self.key.public_key})

    def metadata(self) -> JsonObject:
        names = {
            CARD: ("다둥이 행복카드", "Multi-child family card"),
            LETTER: ("위촉장", "Letter"),
        }
        described = (
            ClaimDescription(("name",), (Label("성명", "ko-KR"), Label("Name", "en-US"))),
            ClaimDescription(("address",), (Label("주소", "ko-KR"), Label("Address", "en-US"))),
        )
        return IssuerMetadata(
            self.base,
            f"{self.base}/credential",
            f"{self.base}/nonce",
            {
                vct.split(":")[2]: CredentialConfiguration(
                    vct.split(":")[2], vct, (Label(ko, "ko-KR"), Label(en, "en-US")), described
                )
                for vct, (ko, en) in names.items()
            },
            (Label("서울특별시 (가상)", "ko-KR"), Label("Seoul (synthetic)", "en-US")),
        ).to_json()

    def server(self) -> JsonObject:
        return AuthorizationServerMetadata(self.base, f"{self.base}/token").to_json()

    def offer(self, *vcts: str, tx_code: str | None = None) -> CredentialOffer:
        code = secrets.token_urlsafe(16)
        self.codes[code] = tx_code
        return CredentialOffer(
            self.base,
            tuple(vct.split(":")[2] for vct in vcts or (CARD,)),
            code,
            None if tx_code is None else TxCodePrompt(length=len(tx_code)),
        )

    def _token(self, _method: str, body: bytes, _bearer: str) -> HttpAnswer:
        request = parse_token_request(body)
        assert isinstance(request, TokenRequest)
        missing = object()
        wanted = self.codes.get(request.pre_authorized_code, missing)
        if wanted is missing or wanted != request.tx_code:
            return json_of({"error": "invalid_grant"}, 400)
        del self.codes[request.pre_authorized_code]
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return json_of({"access_token": token, "token_type": "Bearer", "expires_in": 300})

    def _nonce(self, _method: str, _body: bytes, _bearer: str) -> HttpAnswer:
        nonce = secrets.token_urlsafe(16)
        self.nonces.add(nonce)
        return json_of({"c_nonce": nonce})

    def _credential(self, _method: str, body: bytes, bearer: str) -> HttpAnswer:
        if bearer not in self.tokens:
            return json_of({"error": "invalid_token"}, 401)
        request = parse_credential_request(parse_json_object(body))
        proof = verify_key_proof(request.proofs[0], audience=self.base, now=self.peers.clock.now())
        if proof.nonce not in self.nonces:
            return json_of({"error": "invalid_nonce"}, 400)
        self.nonces.remove(proof.nonce)
        claims: JsonObject = {
            "iss": self.did,
            "vct": f"urn:seoul-wallet:{request.credential_configuration_id}:1",
            **self.claims,
        }
        claims["exp"] = self.peers.clock.now() + self.valid_s
        issued = issue_sd_jwt_vc(
            claims,
            DISCLOSABLE,
            self.key,
            verification_method=f"{self.did}#key-1",
            holder=proof.key,
        )
        salt = secrets.token_bytes(32)
        leaf = batch_leaf(salt, issued.signing_input)
        self.leaves.append((leaf, salt))
        uri = f"{self.base}/receipts/{base64url.encode(leaf)}"
        self.peers.routes[uri] = lambda *_: self._receipt(leaf)
        self.issued.append(issued.compact)
        item = ReceivedCredential(issued.compact, CredentialAnchor(salt, uri))
        response = CredentialResponse((item,)).to_json()
        return json_of({"credentials": [self.alter(item) for item in response["credentials"]]})

    def tree(self) -> MerkleTree:
        return MerkleTree([leaf for leaf, _ in self.leaves])

    def _receipt(self, leaf: bytes) -> HttpAnswer:
        if self.receipt_state == "pending":
            return json_of({"state": "pending"}, 202)
        tree = self.tree()
        index = [found for found, _ in self.leaves].index(leaf)
        receipt = AnchorReceipt(index, tree.size, tree.inclusion_path(index), bytes(32)).to_json()
        del receipt["salt"]
        return json_of({"state": self.receipt_state, "receipt": receipt})


@dataclass
class Verifier:
    """An agency that asks by signed request and decides on the proof alone."""

    peers: Peers
    issuer: Issuer
    base: str = "https://agency.example"
    key: Es256SigningKey = field(default_factory=Es256SigningKey.generate)
    status: int = 200

    def __post_init__(self) -> None:
        self.did = "did:web:" + urlsplit(self.base).netloc.replace(":", "%3A")
        self.client_id = DidClientId(parse_did(self.did))
        self.received: list[bytes] = []
        self.verified: dict[str, VerifiedProof] = {}
        self.receipts: dict[str, object] = {}
        document = build_did_document(self.did, {"key-1": self.key.public_key})
        self.peers.routes[f"{self.base}/.well-known/did.json"] = lambda *_: json_of(document)

    def ask(self, *credentials: JsonObject, sets: Any = None, **changes: Any) -> str:
        """Publish a request and return the link to it."""
        query: JsonObject = {"credentials": list(credentials)}
        if sets is not None:
            query["credential_sets"] = sets
        request = AuthorizationRequest(
            client_id=self.client_id,
            response_uri=f"{self.base}/answers",
            nonce=secrets.token_urlsafe(16),
            dcql_query=parse_dcql(query),
            state=secrets.token_urlsafe(8),
            client_metadata={
                "client_name": "Mapo Sports Centre (synthetic)",
                "client_name#ko": "마포 체육관 (가상)",
            },
            purpose="Family\u202e discount",
            issued_at=self.peers.clock.now(),
            expires_at=self.peers.clock.now() + 300,
        )
        self.request = request
        signed = sign_request_object(request, self.key, kid=f"{self.did}#key-1")
        return self.publish(changes.get("request_object", signed))

    def publish(self, request_object: str) -> str:
        uri = f"{self.base}/requests/{secrets.token_urlsafe(8)}"
        body = request_object.encode("ascii")
        self.peers.routes[uri] = lambda *_: HttpAnswer(200, REQUEST_OBJECT_MEDIA_TYPE, body)
        self.peers.routes[f"{self.base}/answers"] = self._answer
        return build_request_link(self.client_id, uri)

    def _answer(self, _method: str, body: bytes, _bearer: str) -> HttpAnswer:
        self.received.append(body)
        if self.status != 200:
            return json_of({"error": "invalid_request"}, self.status)
        fields = single_values(parse_form(body), frozenset(("vp_token", "state", "error")))
        response = parse_response(fields)
        assert isinstance(response, PresentationResponse)
        assert response.state == self.request.state
        document = self.peers.resolve(parse_did(self.issuer.did))
        for query_id, (presentation,) in response.vp_token.items():
            assert isinstance(presentation, str)
            try:
                self.verified[query_id] = verify_proof(
                    presentation,
                    Evidence(document),
                    VerificationPolicy(
                        accepted_types=frozenset((CARD, LETTER)),
                        audience=str(self.client_id),
                        nonce=self.request.nonce,
                        trust=None,
                    ),
                    now=self.peers.clock.now(),
                )
            except SeoulWalletError as error:
                return json_of({"error": error.code}, 400)
            binding = parse_sd_jwt(presentation).key_binding
            assert binding is not None
            self.receipts[query_id] = binding.peek_claims().get("anchor_receipt")
        return json_of({"redirect_uri": f"{self.base}/done"})


def card_query(*paths: list[str], query_id: str = "card", vct: str = CARD) -> JsonObject:
    """Return a credential query for the claims at `paths`."""
    query: JsonObject = {"id": query_id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}}
    if paths:
        query["claims"] = [{"path": path} for path in paths]
    return query
