"""Talking to one issuer: tokens, DPoP with the server's nonces, encrypted messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from wallet.credentials.jwe import DecryptionKey
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import ConflictError
from wallet.holder.answers import JSON, AnswerUnexpected, json_answer, refusal_of
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.issuers import UnsupportedOffer
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.holder import HolderTransport, HttpAnswer, KeyStore
from wallet.protocols.oid4vci.credential import (
    MAX_CREDENTIAL_RESPONSE_BYTES,
    CredentialRequest,
    CredentialResponse,
    DeferredResponse,
    parse_credential_response,
    parse_deferred_response,
)
from wallet.protocols.oid4vci.deferred import DeferredRequest, Notification
from wallet.protocols.oid4vci.dpop import build_dpop_proof
from wallet.protocols.oid4vci.encryption import (
    ENC_VALUES,
    ENCRYPTED_MEDIA_TYPE,
    ResponseEncryption,
    decrypt_message,
    encrypt_message,
)
from wallet.protocols.oid4vci.metadata import IssuerMetadata
from wallet.protocols.oid4vci.recovery import MAX_DEVICE_LIST_BYTES
from wallet.protocols.oid4vci.server_metadata import AuthorizationServerMetadata
from wallet.protocols.oid4vci.token import (
    AnyTokenRequest,
    TokenResponse,
    parse_nonce_response,
    parse_token_response,
)

MAX_TOKEN_RESPONSE_BYTES: Final = 64 * 1024
_FORM: Final = "application/x-www-form-urlencoded"


class OfferRefused(ConflictError):
    """The issuer does not honour the offer: used, expired, or another transaction code.

    `error` is the issuer's name for the reason, from the specification.
    """

    code = "offer_refused"

    def __init__(self, error: str) -> None:
        super().__init__(f"the issuer refused: {error[:64]}")
        self.error = error


@dataclass
class IssuerSession:
    """The requests to one issuer and its authorization server.

    `dpop` is the handle of the key that the tokens are bound to, None for Bearer tokens;
    `nonces` has the latest DPoP nonce of each server.
    """

    metadata: IssuerMetadata
    server: AuthorizationServerMetadata
    transport: HolderTransport
    keys: KeyStore
    clock: Clock
    client: ClientIdentity
    development: bool
    dpop: str | None
    nonces: dict[str, str] = field(default_factory=dict)
    _dpop_key: HeldSigningKey | None = field(default=None, init=False, repr=False)

    def token(self, request: AnyTokenRequest) -> TokenResponse:
        """Return the tokens for a code or refresh token. Raises `OfferRefused`."""
        value = self.accepted(
            self.post_oauth(self.server.token_endpoint, request.to_form()), "the token request"
        )
        return parse_token_response(value)

    def post_oauth(self, url: str, form: bytes) -> HttpAnswer:
        """POST a form to the authorization server, as the client that this wallet is."""
        headers = self.client.headers(self.server.issuer, self.clock.now())
        return self._post(url, form, _FORM, headers, None)

    def accepted(
        self, answer: HttpAnswer, what: str, *, max_bytes: int = MAX_TOKEN_RESPONSE_BYTES
    ) -> JsonObject:
        """Return the JSON of an answer. Raises `OfferRefused`, and as `json_answer` does."""
        refusal = refusal_of(answer)
        if refusal is not None:
            raise OfferRefused(refusal.error)
        return json_answer(answer, what=what, max_bytes=max_bytes)

    def nonce(self) -> str:
        """Return a fresh c_nonce."""
        if self.metadata.nonce_endpoint is None:
            raise UnsupportedOffer("the issuer has no nonce endpoint")
        answer = self.transport.post(self.metadata.nonce_endpoint)
        return parse_nonce_response(self.accepted(answer, "the nonce request"))

    def credential(
        self, request: CredentialRequest, access_token: str
    ) -> CredentialResponse | DeferredResponse:
        """Ask for credentials. Raises `OfferRefused`."""
        return self._ask(self.metadata.credential_endpoint, request.to_json(), access_token)

    def deferred(
        self, transaction_id: str, access_token: str
    ) -> CredentialResponse | DeferredResponse:
        """Ask again for what waits. Raises `OfferRefused`."""
        endpoint = self.metadata.deferred_credential_endpoint
        if endpoint is None:
            raise UnsupportedOffer("the issuer has no deferred credential endpoint")
        return self._ask(endpoint, DeferredRequest(transaction_id).to_json(), access_token)

    def notify(self, notification: Notification, access_token: str) -> None:
        """Tell what became of credentials. What the issuer makes of it does not matter here."""
        if self.metadata.notification_endpoint is not None:
            body = to_json(notification.to_json())
            self._post(self.metadata.notification_endpoint, body, JSON, {}, access_token)

    def post_recovery(self, url: str, proof: str, **further: str) -> JsonObject:
        """POST a recovery proof; return the answer, empty for 204. Raises `OfferRefused`."""
        answer = self._post(url, to_json({"proof": proof, **further}), JSON, {}, None)
        if answer.status == 204:
            return {}
        return self.accepted(answer, "the recovery request", max_bytes=MAX_DEVICE_LIST_BYTES)

    def _ask(
        self, url: str, message: JsonObject, access_token: str
    ) -> CredentialResponse | DeferredResponse:
        offered, responses = self.metadata.request_encryption, self.metadata.response_encryption
        enc = next((name for name in ENC_VALUES if offered and name in offered.enc_values), None)
        if offered is None or not offered.keys or enc is None:
            if (offered and offered.required) or (responses and responses.required):
                raise UnsupportedOffer("the issuer asks for an encryption that is not known here")
            answer = self._post(url, to_json(message), JSON, {}, access_token)
            return self._read(answer, None)
        own = None
        answered_with = [name for name in ENC_VALUES if responses and name in responses.enc_values]
        if answered_with:
            own = DecryptionKey.generate("response-1")
            encryption = ResponseEncryption(own.public, answered_with[-1])
            message = {**message, "credential_response_encryption": encryption.to_json()}
        sealed = encrypt_message(message, offered.keys[0], enc=enc)
        answer = self._post(url, sealed.encode("ascii"), ENCRYPTED_MEDIA_TYPE, {}, access_token)
        return self._read(answer, own)

    def _read(
        self, answer: HttpAnswer, own: DecryptionKey | None
    ) -> CredentialResponse | DeferredResponse:
        refusal = refusal_of(answer)
        if refusal is not None:
            raise OfferRefused(refusal.error)
        status, what = answer.status, "the credential request"
        if own is not None and status in (200, 202):
            if answer.content_type != ENCRYPTED_MEDIA_TYPE:
                raise AnswerUnexpected("what was to be encrypted came in the clear")
            value = decrypt_message(answer.body, own, max_bytes=MAX_CREDENTIAL_RESPONSE_BYTES)
        else:
            plain = HttpAnswer(200 if status == 202 else status, answer.content_type, answer.body)
            value = json_answer(plain, what=what, max_bytes=MAX_CREDENTIAL_RESPONSE_BYTES)
        if status == 202:
            return parse_deferred_response(value)
        return parse_credential_response(value, development=self.development)

    def _post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str],
        access_token: str | None,
    ) -> HttpAnswer:
        """POST, with a DPoP proof if there is a key for it; once more when a nonce is wanted."""
        answer = self._post_once(url, body, content_type, headers, access_token)
        refusal = refusal_of(answer)
        if refusal is not None and refusal.error == "use_dpop_nonce" and self.dpop is not None:
            answer = self._post_once(url, body, content_type, headers, access_token)
        return answer

    def _post_once(
        self,
        url: str,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str],
        access_token: str | None,
    ) -> HttpAnswer:
        merged, place = dict(headers), _origin(url)
        if access_token is not None:
            scheme = "Bearer" if self.dpop is None else "DPoP"
            merged["Authorization"] = f"{scheme} {access_token}"
        if self.dpop is not None:
            merged["DPoP"] = build_dpop_proof(
                self._signer(self.dpop),
                method="POST",
                url=url,
                issued_at=self.clock.now(),
                nonce=self.nonces.get(place),
                access_token=access_token,
            )
        answer = self.transport.post_body(url, body, content_type=content_type, headers=merged)
        if "dpop-nonce" in answer.headers:
            self.nonces[place] = answer.headers["dpop-nonce"]
        return answer

    def _signer(self, handle: str) -> HeldSigningKey:
        if self._dpop_key is None:
            self._dpop_key = HeldSigningKey(self.keys, self.keys.find(handle))
        return self._dpop_key


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
