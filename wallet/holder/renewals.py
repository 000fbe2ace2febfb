"""Renewing a card by its refresh token: fresh copies on new keys, without asking the holder.

When to do it is for the app: right after a presentation it would tell the issuer that there was
one. A card without a refresh token cannot be renewed; its issuer makes a new offer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from wallet.errors import ConflictError, SeoulWalletError
from wallet.holder.cards import Card, HeldCredentials
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.copies import Copies
from wallet.holder.handles import destroy
from wallet.holder.intents import GRANT_KIND, IssuerGrant, grant_of
from wallet.holder.issuer_session import IssuerSession, OfferRefused
from wallet.holder.issuers import InspectedOffer, offer_again
from wallet.holder.receive import IssuancePending, Receiver
from wallet.holder.received import CredentialNotAsOffered
from wallet.holder.requesting import Requester
from wallet.ports.holder import (
    Delete,
    KeyStore,
    RecordStore,
    RecordUnknown,
)
from wallet.protocols.oid4vci.credential import DeferredResponse
from wallet.protocols.oid4vci.token import RefreshTokenRequest

LOW_COPIES: Final = 1


class NotRenewable(ConflictError):
    """The issuer gave nothing to renew this card with, or does not honour it any more."""

    code = "not_renewable"


class Renewals:
    """Renews cards."""

    def __init__(
        self,
        *,
        receiver: Receiver,
        records: RecordStore,
        keys: KeyStore,
        held: HeldCredentials,
        copies: Copies,
        requester: Requester,
        client: ClientIdentity,
    ) -> None:
        self._receiver = receiver
        self._records = records
        self._keys = keys
        self._held = held
        self._copies = copies
        self._client = client
        self._requester = requester

    def grant(self, card_id: str) -> IssuerGrant | None:
        """Return what a card can be renewed with."""
        try:
            return grant_of(self._records.get(GRANT_KIND, card_id))
        except RecordUnknown:
            return None

    def forget(self, card_id: str) -> None:
        """Delete what a card could be renewed with, with its key."""
        grant = self.grant(card_id)
        if grant is not None:
            self._records.write(Delete(GRANT_KIND, card_id))
            destroy((grant.dpop,), self._keys, self._records)

    def top_up(self, card_id: str, *, below: int = LOW_COPIES) -> int:
        """Get fresh copies of a card that has fewer than `below` waiting; return how many came.

        Raises `CardUnknown`, `NotRenewable`, `IssuancePending`, and as `Receiver.receive` does.
        """
        card = self._held.get(card_id).card()
        if self._copies.count(card_id) >= below:
            return 0
        grant = self.grant(card_id)
        if grant is None:
            raise NotRenewable("the issuer gave no refresh token for this card")
        inspected = self._receiver.inspect(
            offer_again(
                grant.credential_issuer, grant.configuration_id, grant.authorization_server
            )
        )
        session = self._receiver.session(inspected, grant.dpop)
        try:
            tokens = session.token(RefreshTokenRequest(grant.refresh_token, grant.client_id))
        except OfferRefused as error:
            self.forget(card_id)
            raise NotRenewable(f"the issuer refused: {error.error[:64]}") from error
        # Stored before anything else: the old one is used up.
        grant = replace(grant, refresh_token=tokens.refresh_token or "")
        self._records.write(grant.to_put())
        return self._fetch(card, grant, inspected, session, tokens.access_token)

    def _fetch(
        self,
        card: Card,
        grant: IssuerGrant,
        inspected: InspectedOffer,
        session: IssuerSession,
        access_token: str,
    ) -> int:
        (configuration,) = inspected.configurations
        handles = self._requester.new_handles(configuration, inspected.metadata)
        try:
            response = self._requester.request(
                session, configuration, handles, access_token, grant.identifier
            )
            if isinstance(response, DeferredResponse):
                raise IssuancePending(response.interval)
            copies = self._requester.verified(response, session, configuration, handles)
            if any(copy.card().issuer != card.issuer for copy in copies):
                raise CredentialNotAsOffered("the renewed copies are by another issuer")
        except SeoulWalletError:
            destroy(handles, self._keys, self._records)
            raise
        self._copies.add(card.id, copies)
        return len(copies)
