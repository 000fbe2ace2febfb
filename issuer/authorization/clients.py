"""Which wallets may come: by registration, and by the attestation of their provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from issuer.identity import IssuerIdentity
from wallet.errors import MalformedError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionConflict, SessionStore
from wallet.protocols.oid4vci.client_attestation import (
    MAX_CLOCK_SKEW_S,
    MAX_PROOF_AGE_S,
    ClientNotAuthenticated,
    TrustedProviders,
    verify_client,
)
from wallet.protocols.oid4vci.key_attestation import KeyAttestationsRequired

PROOF: Final = "issuer.attestation.jti"


class RedirectUriRefused(MalformedError):
    """The client has not registered this redirect URI, to the letter. Nobody is sent there."""

    code = "redirect_uri_refused"


@dataclass(frozen=True, slots=True)
class Client:
    """A wallet app: its id, where its answers may go, and its name in the browser."""

    client_id: str
    redirect_uris: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientPolicy:
    """Who may ask for authorization.

    With `attestation_required` (HAIP §4.4.1) the client of an authorization code flow shows which
    wallet it is; an anonymous pre-authorized code stays possible, for that is outside HAIP. With
    `dpop_required` that flow gives no Bearer tokens. `key_attestations` says what must be shown of
    the keys that credentials are bound to, None nothing.
    """

    clients: tuple[Client, ...] = ()
    providers: TrustedProviders = field(default_factory=TrustedProviders)
    attestation_required: bool = False
    dpop_required: bool = False
    key_attestations: KeyAttestationsRequired | None = None


class Clients:
    """Authenticates clients and knows their redirect URIs."""

    def __init__(
        self, identity: IssuerIdentity, store: SessionStore, clock: Clock, policy: ClientPolicy
    ) -> None:
        self._identity = identity
        self._store = store
        self._clock = clock
        self._clients: Mapping[str, Client] = {item.client_id: item for item in policy.clients}
        self.policy = policy

    def authenticate(
        self,
        client_id: str | None,
        *,
        attestation: str | None,
        proof: str | None,
        anonymous: bool = False,
    ) -> str | None:
        """Return who the client is, or None if it may stay `anonymous` and does.

        An attestation that is sent is verified in any case, and its proof used up. Raises
        `ClientNotAuthenticated`.
        """
        if attestation is None and proof is None:
            if self.policy.attestation_required and not anonymous:
                raise ClientNotAuthenticated("send a client attestation")
            if client_id is None and not anonymous:
                raise ClientNotAuthenticated("client_id is missing")
            return client_id
        if attestation is None or proof is None:
            raise ClientNotAuthenticated("send an attestation with its proof of possession")
        now = self._clock.now()
        verified = verify_client(
            attestation,
            proof,
            audience=self._identity.base_url,
            providers=self.policy.providers,
            now=now,
        )
        if client_id is not None and client_id != verified.client_id:
            raise ClientNotAuthenticated("client_id is not the attested client")
        expires_at = now + MAX_PROOF_AGE_S + 2 * MAX_CLOCK_SKEW_S
        try:
            self._store.create(
                PROOF, f"{verified.instance} {verified.jti}", b"", expires_at=expires_at
            )
        except SessionConflict:
            raise ClientNotAuthenticated("the proof of possession was used") from None
        return verified.client_id

    def client(self, client_id: str, redirect_uri: str) -> Client:
        """Return the client if it has registered exactly this redirect URI.

        Compared letter by letter (RFC 9700 §2.1). Raises `ClientNotAuthenticated`,
        `RedirectUriRefused`.
        """
        client = self._clients.get(client_id)
        if client is None:
            raise ClientNotAuthenticated("no client has this id")
        if redirect_uri not in client.redirect_uris:
            raise RedirectUriRefused("redirect_uri is not one that the client registered")
        return client
