"""Asking for copies of a credential with fresh key proofs, and judging what comes."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import parse_jwk, thumbprint
from wallet.errors import MalformedError, UnsupportedError
from wallet.holder.cards import HeldCredential
from wallet.holder.issuer_session import IssuerSession, OfferRefused
from wallet.holder.issuers import IssuerPolicy
from wallet.holder.received import (
    CredentialNotAsOffered,
    Expected,
    check_same_content,
    verify_received,
)
from wallet.holder.registering import Registrar
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import HeldKey, KeyStore
from wallet.protocols.oid4vci.configuration import CredentialConfiguration
from wallet.protocols.oid4vci.credential import (
    CredentialRequest,
    CredentialResponse,
    DeferredResponse,
    ReceivedCredential,
)
from wallet.protocols.oid4vci.proof import build_key_proof


@dataclass(frozen=True, slots=True)
class Requester:
    """Requests by the keys of a key store."""

    keys: KeyStore
    dids: DidResolver
    clock: Clock
    policy: IssuerPolicy
    registrar: Registrar

    def request(
        self,
        session: IssuerSession,
        configuration: CredentialConfiguration,
        handles: tuple[str, ...],
        access_token: str,
        identifier: str | None,
        holding: str | None = None,
    ) -> CredentialResponse | DeferredResponse:
        """Ask for one credential per key, with fresh key proofs, and register it as `holding`.

        Raises `OfferRefused`.
        """
        try:
            request = self._key_proofs(session, configuration, handles, identifier, holding)
            return session.credential(request, access_token)
        except OfferRefused as error:
            if error.error != "invalid_nonce":
                raise
        # Nonces are short-lived, and one may be used up by an answer that never arrived.
        request = self._key_proofs(session, configuration, handles, identifier, holding)
        return session.credential(request, access_token)

    def _key_proofs(
        self,
        session: IssuerSession,
        configuration: CredentialConfiguration,
        handles: tuple[str, ...],
        identifier: str | None,
        holding: str | None,
    ) -> CredentialRequest:
        nonce, now = session.nonce(), self.clock.now()
        audience = session.metadata.credential_issuer
        proofs = tuple(
            build_key_proof(
                HeldSigningKey(self.keys, self.keys.find(handle)),
                audience=audience,
                nonce=nonce,
                issued_at=now,
            )
            for handle in handles
        )
        recovery_proof = None
        if holding is not None:
            recovery_proof = self.registrar.register_proof(audience, holding, nonce)
        return CredentialRequest(
            configuration.id if identifier is None else None,
            proofs,
            identifier,
            recovery_proof=recovery_proof,
        )

    def verified(
        self,
        response: CredentialResponse,
        session: IssuerSession,
        configuration: CredentialConfiguration,
        handles: tuple[str, ...],
    ) -> tuple[HeldCredential, ...]:
        """Return the copies of a response, each for one of our keys, whatever their order.

        Raises as `verify_received` does.
        """
        if len(response.credentials) != len(handles):
            raise CredentialNotAsOffered("every key proof is answered by one credential")
        left = {thumbprint(found.public_key): found for found in map(self.keys.find, handles)}
        now = self.clock.now()
        copies = []
        for item in response.credentials:
            found = _take_key(item, left)
            expected = Expected(session.metadata, configuration, found.public_key, found.handle)
            copies.append(verify_received(item, expected, self.dids, self.policy, now))
        check_same_content(tuple(copies))
        return tuple(copies)


def _take_key(item: ReceivedCredential, left: dict[str, HeldKey]) -> HeldKey:
    """Return which of our keys a credential names, and take it from those left.

    Of one that names none of them any is returned: the verification finds that out.
    """
    confirmation = parse_sd_jwt(item.text).jws.peek_claims().get("cnf")
    bound = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    try:
        name = thumbprint(parse_jwk(bound))
    except (MalformedError, UnsupportedError):
        name = ""
    return left.pop(name) if name in left else left.popitem()[1]
