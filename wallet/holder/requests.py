"""Reading requests of strangers: fetch what a link names, verify who asks, ask the registry.

Before anything is fetched, the link itself is checked; of what it names, one URL is opened, once,
and no redirect is followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from wallet.credentials.jose import CompactJws
from wallet.crypto.certificates import TrustAnchors
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, UnavailableError
from wallet.holder.answers import AnswerUnexpected, check_reachable
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver, VerifierRegistry
from wallet.ports.holder import HolderTransport, HttpAnswer
from wallet.protocols.client_id import ClientId, DidClientId, parse_client_id
from wallet.protocols.oid4vp import (
    REQUEST_OBJECT_MEDIA_TYPE,
    RequestMalformed,
    UnsupportedRequest,
    VerifiedRequest,
    new_secret,
)
from wallet.protocols.oid4vp_dc_api import (
    SIGNED_PROTOCOL,
    UNSIGNED_PROTOCOL,
    peek_dc_client,
    verify_signed_dc_request,
    verify_unsigned_dc_request,
)
from wallet.protocols.oid4vp_link import RequestLink, parse_request_link
from wallet.protocols.oid4vp_offline import verify_offline_request
from wallet.protocols.oid4vp_request_object import (
    RequestTrust,
    parse_request_object,
    verify_request_object,
    verify_unsigned_request,
)
from wallet.protocols.registration import (
    UNCHECKED,
    RegistrationReport,
    Standing,
    check_registration,
    verifier_dids,
)
from wallet.trust.verifiers import verifier_id
from wallet.verification.issuer_key import NO_ANCHORS

MAX_REQUEST_OBJECT_BYTES: Final = 256 * 1024


class RequestRefused(ConflictError):
    """The verifier did not take the answer, or no longer waits for one."""

    code = "request_refused"


class RegistrationUnchecked(UnavailableError):
    """Whether the verifier is registered could not be checked, and this wallet insists on it."""

    code = "registration_unchecked"


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifierPolicy:
    """Whom this wallet answers.

    `anchors` are the roots that verifiers' certificates must lead to; none given, no certificate
    is believed. With `require_registration` a verifier without a registration that covers its
    request is refused, and so is one that could not be looked up; without it that is shown to the
    holder, and only a registered verifier that asks for more is refused. `development` admits
    http for the host `localhost`.
    """

    anchors: TrustAnchors = NO_ANCHORS
    require_registration: bool = False
    development: bool = False


class RequestReader:
    """Reads requests for one wallet. `registry` None means that nobody can be looked up."""

    def __init__(
        self,
        *,
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        policy: VerifierPolicy,
        registry: VerifierRegistry | None = None,
    ) -> None:
        self._transport = transport
        self._dids = dids
        self._clock = clock
        self._policy = policy
        self._registry = registry

    def read(self, link: str) -> VerifiedRequest:
        """Return the request that an `openid4vp://` link leads to.

        Raises what `parse_request_link` and `verify_request_object` raise, `RequestRefused` when
        the request is gone, `AnswerUnexpected`, and what the ports raise.
        """
        parsed = parse_request_link(link, development=self._policy.development)
        now = self._clock.now()
        if parsed.request_uri is None:
            return verify_unsigned_request(
                parsed.parameters, now=now, development=self._policy.development
            )
        body, wallet_nonce = self._fetch(parsed, parsed.request_uri)
        return verify_request_object(
            parse_request_object(body),
            parsed.client_id,
            self._trust(parsed.client_id),
            now=now,
            wallet_nonce=wallet_nonce,
            development=self._policy.development,
        )

    def read_object(self, request_object: str) -> VerifiedRequest:
        """Return a signed request that another wallet fetched and handed over.

        The nonce that the other wallet sent is its to check. Raises as `read` does.
        """
        parsed, client_id = self._peek(request_object)
        return verify_request_object(
            parsed,
            client_id,
            self._trust(client_id),
            now=self._clock.now(),
            development=self._policy.development,
        )

    def read_offline(self, request_object: str | bytes) -> VerifiedRequest:
        """Return a signed request that was read off the verifier's screen.

        Nothing is asked of anyone where the client has a certificate; a DID needs its document at
        hand. Raises what `parse_request_object` and `verify_offline_request` raise.
        """
        parsed, client_id = self._peek(request_object)
        return verify_offline_request(
            parsed,
            client_id,
            self._trust(client_id),
            now=self._clock.now(),
            development=self._policy.development,
        )

    def _peek(self, request_object: str | bytes) -> tuple[CompactJws, ClientId]:
        parsed = parse_request_object(request_object)
        claimed = parsed.peek_claims().get("client_id")
        return parsed, parse_client_id(claimed, development=self._policy.development)

    def read_from_page(self, protocol: str, data: JsonObject, *, origin: str) -> VerifiedRequest:
        """Return a request that came through the Digital Credentials API from a page of `origin`.

        The platform vouches for `origin`. Raises `UnsupportedRequest` for another protocol, and
        what the functions of `oid4vp_dc_api` raise.
        """
        now, development = self._clock.now(), self._policy.development
        if protocol == UNSIGNED_PROTOCOL:
            return verify_unsigned_dc_request(
                data, origin=origin, now=now, development=development
            )
        if protocol != SIGNED_PROTOCOL:
            raise UnsupportedRequest(f"expected {SIGNED_PROTOCOL} or {UNSIGNED_PROTOCOL}")
        request_object, client_id = peek_dc_client(data, development=development)
        return verify_signed_dc_request(
            request_object,
            client_id,
            self._trust(client_id),
            origin=origin,
            now=now,
            development=development,
        )

    def _trust(self, client_id: ClientId) -> RequestTrust:
        if isinstance(client_id, DidClientId):
            return self._dids.resolve(client_id.did).value
        return self._policy.anchors

    def _fetch(self, link: RequestLink, request_uri: str) -> tuple[bytes, str | None]:
        if link.request_uri_method == "get":
            answer = self._transport.get(request_uri, accept=REQUEST_OBJECT_MEDIA_TYPE)
            return _request_object(answer), None
        wallet_nonce = new_secret()
        form = urlencode({"wallet_nonce": wallet_nonce}).encode("ascii")
        answer = self._transport.post_form(request_uri, form, accept=REQUEST_OBJECT_MEDIA_TYPE)
        return _request_object(answer), wallet_nonce

    def standing(self, verified: VerifiedRequest) -> RegistrationReport:
        """Return how the request stands to its verifier's registrations.

        Raises `OutsideRegistration` for claims outside them; where registration is required, also
        for a verifier that has none, and `RegistrationUnchecked`.
        """
        report = self._report(verified)
        report.raise_for_refusal()
        if self._policy.require_registration:
            if report.standing is Standing.UNCHECKED:
                raise RegistrationUnchecked(report.reason)
            report.raise_unless_registered()
        return report

    def _report(self, verified: VerifiedRequest) -> RegistrationReport:
        if self._registry is None:
            return UNCHECKED
        request = verified.request
        reports = []
        for did in verifier_dids(verified):
            try:
                fact = self._registry.verifier_services(verifier_id(did))
            except UnavailableError as error:
                return RegistrationReport(Standing.UNCHECKED, str(error))
            reports.append(
                check_registration(
                    request.dcql_query,
                    request.purpose,
                    request.verifier_info,
                    fact.value,
                    now=self._clock.now(),
                    as_of=fact.as_of,
                )
            )
        if not reports:
            return RegistrationReport(Standing.UNREGISTERED, "nobody is known to have signed")
        # Of several names that the signer has, the one with a registration speaks.
        order = (Standing.REGISTERED, Standing.OUTSIDE, Standing.UNREGISTERED)
        return min(reports, key=lambda report: order.index(report.standing))


def _request_object(answer: HttpAnswer) -> bytes:
    check_reachable(answer, what="the request")
    if 400 <= answer.status < 500:
        raise RequestRefused(f"the request is not there any more (status {answer.status})")
    if answer.status != 200 or answer.content_type != REQUEST_OBJECT_MEDIA_TYPE:
        raise AnswerUnexpected(f"the request did not come as {REQUEST_OBJECT_MEDIA_TYPE}")
    if len(answer.body) > MAX_REQUEST_OBJECT_BYTES:
        raise RequestMalformed(f"the request is longer than {MAX_REQUEST_OBJECT_BYTES} bytes")
    return answer.body
