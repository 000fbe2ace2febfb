"""Asking for copies of a credential with fresh key proofs, and judging what comes."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.credentials.formats import BBS_NYM_FORMAT
from wallet.crypto.keys import thumbprint
from wallet.did.did_web import did_web_of_url
from wallet.did.syntax import parse_did
from wallet.holder.cards import HeldCredential
from wallet.holder.handles import new_nym_handle
from wallet.holder.issuer_session import IssuerSession, OfferRefused
from wallet.holder.issuers import JWK_BINDING, IssuerPolicy
from wallet.holder.nyms import Nyms, bbs_key_of
from wallet.holder.received import (
    CredentialNotAsOffered,
    Expected,
    bound_key,
    check_same_content,
    verify_received,
    verify_received_nym,
)
from wallet.holder.registering import Registrar
from wallet.holder.signing import HeldSigningKey
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver
from wallet.ports.holder import HeldKey, KeyStore
from wallet.protocols.oid4vci.configuration import BBS_NYM_PROOF, CredentialConfiguration
from wallet.protocols.oid4vci.credential import (
    CredentialRequest,
    CredentialResponse,
    DeferredResponse,
    ReceivedCredential,
)
from wallet.protocols.oid4vci.metadata import IssuerMetadata
from wallet.protocols.oid4vci.proof import build_key_proof


@dataclass(frozen=True, slots=True)
class Requester:
    """Requests by the keys of a key store, and by the pseudonym secrets of this holder."""

    keys: KeyStore
    nyms: Nyms
    dids: DidResolver
    clock: Clock
    policy: IssuerPolicy
    registrar: Registrar

    def new_handles(
        self, configuration: CredentialConfiguration, metadata: IssuerMetadata
    ) -> tuple[str, ...]:
        """Return handles for what copies will be bound by, one each.

        Of a BBS credential one copy is enough: no two presentations of it can be joined.
        """
        if configuration.format == BBS_NYM_FORMAT:
            return (new_nym_handle(),)
        count = self.policy.copies_of(metadata)
        return tuple(self.keys.generate().handle for _ in range(count))

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
            request = self._request(session, configuration, handles, identifier, holding)
            return session.credential(request, access_token)
        except OfferRefused as error:
            if error.error != "invalid_nonce":
                raise
        # Nonces are short-lived, and one may be used up by an answer that never arrived.
        request = self._request(session, configuration, handles, identifier, holding)
        return session.credential(request, access_token)

    def _request(
        self,
        session: IssuerSession,
        configuration: CredentialConfiguration,
        handles: tuple[str, ...],
        identifier: str | None,
        holding: str | None,
    ) -> CredentialRequest:
        issuer, nonce = session.metadata.credential_issuer, session.nonce()
        named = configuration.id if identifier is None else None
        if configuration.format == BBS_NYM_FORMAT:
            # Its issuer knows the pseudonym secret again: there is no holding to register.
            commitments = self._commitments(session, handles, nonce)
            return CredentialRequest(named, commitments, identifier, BBS_NYM_PROOF)
        recovery_proof = None
        if holding is not None:
            recovery_proof = self.registrar.register_proof(issuer, holding, nonce)
        return CredentialRequest(
            named,
            self._key_proofs(session, configuration, handles, nonce),
            identifier,
            recovery_proof=recovery_proof,
        )

    def _key_proofs(
        self,
        session: IssuerSession,
        configuration: CredentialConfiguration,
        handles: tuple[str, ...],
        nonce: str,
    ) -> tuple[str, ...]:
        now = self.clock.now()
        return tuple(
            build_key_proof(
                HeldSigningKey(self.keys, self.keys.find(handle)),
                audience=session.metadata.credential_issuer,
                nonce=nonce,
                issued_at=now,
                by_did=JWK_BINDING not in configuration.binding_methods,
            )
            for handle in handles
        )

    def _commitments(
        self, session: IssuerSession, handles: tuple[str, ...], nonce: str
    ) -> tuple[str, ...]:
        issuer = session.metadata.credential_issuer
        document = self.dids.resolve(parse_did(did_web_of_url(issuer))).value
        _, key = bbs_key_of(document)
        return tuple(self.nyms.commit(handle, issuer, key, nonce) for handle in handles)

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
        now, metadata = self.clock.now(), session.metadata
        if configuration.format == BBS_NYM_FORMAT:
            ((handle,), (one,)) = handles, response.credentials
            expected = Expected(metadata, configuration, None, handle)
            return (verify_received_nym(one, expected, self.dids, self.nyms, self.policy, now),)
        left = {thumbprint(found.public_key): found for found in map(self.keys.find, handles)}
        copies = []
        for item in response.credentials:
            found = _take_key(item, configuration.format, left)
            expected = Expected(metadata, configuration, found.public_key, found.handle)
            copies.append(verify_received(item, expected, self.dids, self.policy, now))
        check_same_content(tuple(copies))
        return tuple(copies)


def _take_key(item: ReceivedCredential, format_: str, left: dict[str, HeldKey]) -> HeldKey:
    """Return which of our keys a credential names, and take it from those left.

    Of one that names none of them any is returned: the verification finds that out.
    """
    try:
        name = thumbprint(bound_key(item, format_))
    except CredentialNotAsOffered:
        name = ""
    return left.pop(name) if name in left else left.popitem()[1]
