"""How a verifier words a request: from a session's state to what a wallet is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from verifier.client import DID, REDIRECT_URI, Client
from verifier.config import VerifierConfig
from verifier.queries import QUERY_PREFIX
from wallet.credentials.cryptosuites import CRYPTOSUITES
from wallet.credentials.jwe import DecryptionKey
from wallet.eligibility.receipts.statement import ENDPOINT_MEMBER
from wallet.encoding.json import JsonObject
from wallet.errors import UnsupportedError
from wallet.protocols.client_id import check_url
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.oid4vp import AuthorizationRequest, Way
from wallet.protocols.oid4vp_dc_api import (
    build_dc_request,
    check_page_origin,
    origin_audience,
)
from wallet.protocols.oid4vp_link import build_unsigned_request_link
from wallet.protocols.oid4vp_metadata import verifier_formats
from wallet.protocols.oid4vp_offline import MAX_AGE_S
from wallet.protocols.oid4vp_response import VERIFIER_ENCRYPTIONS
from wallet.protocols.oid4vp_session import Fetched, Flow, Requested, RequestOptions
from wallet.protocols.oid4vp_transaction import parse_transaction_data
from wallet.protocols.registration import registration_info
from wallet.protocols.retention import retention_info

# Wallets that go by the registered names of RFC 9864 look for Ed25519, others for EdDSA.
SIGNATURE_ALGORITHMS: Final = ("ES256", "ES384", "EdDSA", "Ed25519")


class UnsupportedOptions(UnsupportedError):
    """The options of a request contradict each other, or lack what their flow needs."""

    code = "unsupported_request_options"


class RequestWriter:
    """Writes the requests of one verifier."""

    def __init__(self, config: VerifierConfig, client: Client) -> None:
        self._config = config
        self._client = client

    def check(self, options: RequestOptions, query: DcqlQuery) -> None:
        """Return if a request can be made like this.

        Raises `UnsupportedOptions`, `PrefixNotConfigured`, `ClientUrlMalformed`,
        `RequestMalformed`, and what `parse_transaction_data` raises.
        """
        self._client.id_for(options.prefix)
        if options.response_mode.way is not options.flow.way:
            raise UnsupportedOptions("response mode and flow do not fit")
        if (options.flow is Flow.DC_API) is not bool(options.origins):
            raise UnsupportedOptions(
                "origins belong to the Digital Credentials API, and it to them"
            )
        if (options.flow is Flow.SAME_DEVICE) is not (options.return_uri is not None):
            raise UnsupportedOptions("a same-device flow needs return_uri, and no other has one")
        if options.flow is Flow.FRAMES and options.prefix == REDIRECT_URI:
            raise UnsupportedOptions("a request in frames is signed")
        if options.post and options.prefix == REDIRECT_URI:
            raise UnsupportedOptions("a redirect_uri: request is not fetched")
        for origin in options.origins:
            check_page_origin(origin, development=self._config.development)
        if options.return_uri is not None:
            check_url(options.return_uri, development=self._config.development)
        if options.transactions:
            parse_transaction_data(list(options.transactions), query)

    def audience(self, options: RequestOptions, origin: str | None = None) -> str:
        """Return what presentations must be bound to. Raises `UnsupportedOptions`.

        Through the Digital Credentials API that is the page's origin, which may be left out when
        only one was expected.
        """
        if options.flow is not Flow.DC_API:
            return str(self._client.id_for(options.prefix))
        if origin is None and len(options.origins) == 1:
            return origin_audience(options.origins[0])
        if origin not in options.origins:
            raise UnsupportedOptions("the answer came from a page that was not expected")
        return origin_audience(origin)

    def write(self, session_id: str, session: Fetched, wallet_nonce: str | None) -> str:
        """Return the signed request object."""
        return self._client.sign(self._request(session_id, session, wallet_nonce))

    def link_by_value(self, session_id: str, session: Fetched) -> str:
        """Return the link that carries an unsigned request."""
        return build_unsigned_request_link(self._request(session_id, session, None))

    def dc_request(self, session_id: str, session: Fetched) -> JsonObject:
        """Return the request for the Digital Credentials API, signed unless it has no name."""
        request = self._request(session_id, session, None)
        if session.requested.options.prefix == REDIRECT_URI:
            return build_dc_request(replace(request, client_id=None, expected_origins=()))
        return build_dc_request(request, self._client.sign(request))

    def _request(
        self, session_id: str, session: Fetched, wallet_nonce: str | None
    ) -> AuthorizationRequest:
        requested, options = session.requested, session.requested.options
        is_posted = options.flow.way is Way.LINK
        answer_until = session.answer_until
        if options.flow is Flow.FRAMES:
            # The session waits longer: after the wallet answered, its frames are read.
            answer_until = min(answer_until, session.fetched_at + MAX_AGE_S)
        return AuthorizationRequest(
            client_id=self._client.id_for(options.prefix),
            response_uri=self._client.response_uri if is_posted else None,
            response_mode=options.response_mode,
            nonce=session.nonce,
            state=session.state if is_posted else None,
            dcql_query=requested.query,
            client_metadata=self._metadata(session_id, session),
            transaction_data=parse_transaction_data(
                list(options.transactions) or None, requested.query
            ),
            verifier_info=self._verifier_info(requested, options),
            expected_origins=options.origins,
            issued_at=session.fetched_at,
            expires_at=answer_until,
            wallet_nonce=wallet_nonce,
            purpose=requested.purpose or None,
        )

    def _metadata(self, session_id: str, session: Fetched) -> JsonObject:
        formats = {item.format for item in session.requested.query.credentials.values()}
        metadata: JsonObject = {
            "client_name": self._config.display_name,
            "vp_formats_supported": verifier_formats(
                sorted(formats), list(SIGNATURE_ALGORITHMS), sorted(CRYPTOSUITES)
            ),
        }
        if (session.requested.query_name or "").startswith(QUERY_PREFIX):
            metadata[ENDPOINT_MEMBER] = f"{self._config.base_url}/v1/receipts"
        if session.key_secret is not None:
            key = answer_key(session_id, session.key_secret)
            metadata["jwks"] = {"keys": [key.public.jwk]}
            metadata["encrypted_response_enc_values_supported"] = list(VERIFIER_ENCRYPTIONS)
        return metadata

    def _verifier_info(
        self, requested: Requested, options: RequestOptions
    ) -> tuple[JsonObject, ...]:
        if options.prefix == REDIRECT_URI:
            return ()
        known = registration_info(self._config.registrations, requested.query, requested.purpose)
        named = self._config.queries.get(requested.query_name or "")
        days = None if named is None else named.retention_days
        days = self._config.retention_days if days is None else days
        return known if days is None else (*known, retention_info(days))


def answer_key(session_id: str, secret: bytes) -> DecryptionKey:
    """Return the key of one session's answer. Its `kid` leads back to the session."""
    return DecryptionKey.from_secret(secret, session_id)


DEFAULT_OPTIONS: Final = RequestOptions(prefix=DID)
