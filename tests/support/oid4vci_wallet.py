"""A wallet of the test's own making against an issuer in this process: every step by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from werkzeug.test import TestResponse

from tests.support.issuing import FAMILY, FORM, HOLDER, IssuerWorld, key_of
from wallet.crypto.keys import Es256SigningKey, thumbprint
from wallet.encoding.json import JsonObject
from wallet.protocols.oid4vci.authorization import (
    AuthorizationRequest,
    code_challenge,
    new_code_verifier,
)
from wallet.protocols.oid4vci.client_attestation import (
    ATTESTATION_HEADER,
    ATTESTATION_PROOF_HEADER,
    build_attestation_proof,
    build_client_attestation,
)
from wallet.protocols.oid4vci.dpop import build_dpop_proof
from wallet.protocols.oid4vci.token import (
    AnyTokenRequest,
    CodeTokenRequest,
    RefreshTokenRequest,
    TokenRequest,
)

CLIENT_ID = "https://wallet.example"
REDIRECT_URI = "https://wallet.example/authorized"
PROVIDER = "https://provider.example"
CARD = "multi-child-family-card"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class TestWallet:
    """One wallet instance with its keys. `dpop` None makes Bearer requests."""

    __test__ = False

    world: IssuerWorld
    dpop: Es256SigningKey | None = None
    attested: bool = False
    base: str = ""
    client_id: str = CLIENT_ID
    redirect_uri: str = REDIRECT_URI
    dpop_nonce: str | None = None
    verifier: str = field(default_factory=new_code_verifier)

    def __post_init__(self) -> None:
        self.base = self.base or self.world.base_url
        self.path = urlsplit(self.base).path
        self.instance = key_of("wallet instance")

    # -- headers ---------------------------------------------------------------------------

    def dpop_header(self, endpoint: str, token: str | None = None, **changes: Any) -> JsonObject:
        """Return the DPoP header of a POST to an endpoint, none without a key."""
        if self.dpop is None:
            return {}
        values: dict[str, Any] = {
            "method": "POST",
            "url": self.base + endpoint,
            "issued_at": self.world.clock.now(),
            "nonce": self.dpop_nonce,
            "access_token": token,
            **changes,
        }
        return {"DPoP": build_dpop_proof(values.pop("key", self.dpop), **values)}

    def attestation_headers(self, **changes: Any) -> JsonObject:
        """Return the client attestation with its proof of possession."""
        now = self.world.clock.now()
        attestation = build_client_attestation(
            changes.get("provider", key_of("wallet provider")),
            self.instance.public_key,
            issuer=PROVIDER,
            client_id=self.client_id,
            expires_at=changes.get("expires_at", now + 3600),
        )
        proof = build_attestation_proof(
            changes.get("instance", self.instance),
            client_id=self.client_id,
            audience=changes.get("audience", self.base),
            issued_at=changes.get("issued_at", now),
        )
        return {ATTESTATION_HEADER: attestation, ATTESTATION_PROOF_HEADER: proof}

    # -- requests --------------------------------------------------------------------------

    def post_oauth(self, endpoint: str, form: bytes, **headers: str) -> TestResponse:
        """POST a form, with DPoP and attestation as configured; once more for a nonce."""
        answer = None
        for _ in range(2):
            merged = {**self.dpop_header(endpoint), **headers}
            if self.attested:
                merged = {**self.attestation_headers(), **merged}
            answer = self.world.client.post(
                self.path + endpoint, data=form, content_type=FORM, headers=merged
            )
            if not self._again(answer):
                break
        assert answer is not None
        return answer

    def post_resource(
        self, endpoint: str, token: str, body: JsonObject | bytes, **headers: str
    ) -> TestResponse:
        """POST JSON (or an encrypted message) with an access token; once more for a nonce."""
        answer = None
        for _ in range(2):
            scheme = "Bearer" if self.dpop is None else "DPoP"
            merged = {
                "Authorization": f"{scheme} {token}",
                **self.dpop_header(endpoint, token),
                **headers,
            }
            sent: Any = {"json": body} if isinstance(body, dict) else {"data": body}
            if isinstance(body, bytes):
                sent["content_type"] = "application/jwt"
            answer = self.world.client.post(self.path + endpoint, headers=merged, **sent)
            if not self._again(answer):
                break
        assert answer is not None
        return answer

    def _again(self, answer: TestResponse) -> bool:
        fresh = answer.headers.get("DPoP-Nonce")
        if fresh is not None:
            self.dpop_nonce = fresh
        return (
            answer.status_code in (400, 401)
            and (answer.get_json(silent=True) or {}).get("error") == "use_dpop_nonce"
        )

    # -- the authorization code flow -------------------------------------------------------

    def request(self, **changes: Any) -> AuthorizationRequest:
        """Return an authorization request for the family card."""
        values = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": code_challenge(self.verifier),
            "scope": CARD,
            "state": "state-1",
            **changes,
        }
        return AuthorizationRequest(**values)

    def push(self, **changes: Any) -> str:
        """Push a request; return its request_uri."""
        answer = self.post_oauth("/par", self.request(**changes).to_form())
        assert answer.status_code == 201, answer.text
        uri: str = answer.get_json()["request_uri"]
        return uri

    def open(self, request_uri: str, **changes: str) -> tuple[Any, TestResponse]:
        """Open the authorization endpoint in a new browser; return it and the first page."""
        browser = self.world.application.flask_app.test_client()
        query = {"client_id": self.client_id, "request_uri": request_uri, **changes}
        return browser, browser.get(f"{self.path}/authorize", query_string=query)

    def log_in(
        self, browser: Any, page: TestResponse, subject: str = FAMILY, holder: str = HOLDER
    ) -> TestResponse:
        """Answer the login page; return the next."""
        form = {"csrf": csrf_of(page), "subject_id": subject, "holder_id": holder}
        answer: TestResponse = browser.post(
            f"{self.path}/authorize/login", data=form, base_url=self._origin()
        )
        return answer

    def consent(self, browser: Any, page: TestResponse, decision: str = "allow") -> TestResponse:
        """Answer the consent page."""
        form = {"csrf": csrf_of(page), "decision": decision}
        answer: TestResponse = browser.post(
            f"{self.path}/authorize/consent", data=form, base_url=self._origin()
        )
        return answer

    def _origin(self) -> str:
        return "http://localhost"

    def authorize(
        self, subject: str = FAMILY, holder: str = HOLDER, **changes: Any
    ) -> dict[str, str]:
        """Go through the browser; return the members of the authorization response."""
        browser, page = self.open(self.push(**changes))
        assert page.status_code == 200, page.text
        done = self.consent(browser, self.log_in(browser, page, subject, holder))
        assert done.status_code == 303, done.text
        location = done.headers["Location"]
        assert location.startswith(self.redirect_uri + "?")
        return dict(parse_qsl(urlsplit(location).query))

    # -- tokens and credentials ------------------------------------------------------------

    def exchange(self, request: AnyTokenRequest) -> TestResponse:
        """POST a token request."""
        return self.post_oauth("/token", request.to_form())

    def code_request(self, code: str, **changes: Any) -> CodeTokenRequest:
        """Return the token request of an authorization code."""
        values = {
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "client_id": self.client_id,
            **changes,
        }
        return CodeTokenRequest(code, **values)

    def tokens(self, **changes: Any) -> JsonObject:
        """Return the token response of a whole authorization."""
        answer = self.exchange(self.code_request(self.authorize(**changes)["code"]))
        assert answer.status_code == 200, answer.text
        response: JsonObject = answer.get_json()
        return response

    def pre_authorized(self) -> JsonObject:
        """Return the token response of an offer by pre-authorized code."""
        answer = self.exchange(TokenRequest(self.world.offer()[0]))
        assert answer.status_code == 200, answer.text
        response: JsonObject = answer.get_json()
        return response

    def refresh(self, refresh_token: str) -> TestResponse:
        """POST a refresh token."""
        return self.exchange(RefreshTokenRequest(refresh_token, self.client_id))

    def nonce(self) -> str:
        """Return a fresh c_nonce."""
        nonce: str = self.world.client.post(f"{self.path}/nonce").get_json()["c_nonce"]
        return nonce

    def proof(self, key: Es256SigningKey | None = None) -> str:
        """Return a key proof with a fresh nonce."""
        return self.world.proof(key, nonce=self.nonce(), audience=self.base)

    def credential(
        self, token: str, *keys: Es256SigningKey, configuration: str = CARD, **changes: Any
    ) -> TestResponse:
        """POST a credential request for these keys, one new key without."""
        proofs = [self.proof(key) for key in keys or (Es256SigningKey.generate(),)]
        body = {
            "credential_configuration_id": configuration,
            "proofs": {"jwt": proofs},
            **changes,
        }
        given = {name: value for name, value in body.items() if value is not None}
        return self.post_resource("/credential", token, given)

    @property
    def jkt(self) -> str:
        """The thumbprint of the DPoP key."""
        assert self.dpop is not None
        return thumbprint(self.dpop.public_key)


def csrf_of(page: TestResponse) -> str:
    """Return the token of a page's form."""
    found = _CSRF.search(page.text)
    assert found is not None, page.text
    return found[1]


def error_of(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the protocol's name of an error."""
    return answer.status_code, answer.get_json()["error"]
