"""Receiving credentials (OpenID4VCI 1.0), so that a crash loses none.

Keys and intent are stored before anything is asked for, the tokens as soon as they are there, and
each credential together with the note that it has arrived. What was cut short, or waits for an
approval, is found again by `resume` and goes on from where it stopped, with the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from wallet.errors import (
    ConflictError,
    MalformedError,
    RejectedError,
    SeoulWalletError,
    UnsupportedError,
)
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.cards import HeldCredential
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.handles import destroy
from wallet.holder.intents import (
    GRANT_KIND,
    KIND,
    Intent,
    IssuerGrant,
    Reissue,
    intent_id,
    intent_of,
    reissue_id,
)
from wallet.holder.issuer_session import IssuerSession, OfferRefused
from wallet.holder.issuers import InspectedOffer, IssuerReader, UnsupportedOffer
from wallet.holder.pictures import Pictures
from wallet.holder.placing import Placing
from wallet.holder.received import CredentialNotAsOffered
from wallet.holder.registering import Registrar
from wallet.holder.requesting import Requester
from wallet.ports.clock import Clock
from wallet.ports.holder import (
    Change,
    Delete,
    HolderTransport,
    KeyStore,
    RecordStore,
    RecordUnknown,
    RedirectRefused,
    StoreDamaged,
    StoreFull,
    UrlRefused,
)
from wallet.protocols.oid4vci.configuration import CredentialConfiguration
from wallet.protocols.oid4vci.credential import (
    CredentialResponse,
    DeferredResponse,
    parse_credential_response,
)
from wallet.protocols.oid4vci.deferred import Notification, NotificationEvent
from wallet.protocols.oid4vci.dpop import DPOP_ALGORITHMS
from wallet.protocols.oid4vci.token import RecoveryTokenRequest, TokenRequest, TokenResponse

__all__ = (
    "CredentialNotAsOffered",
    "IssuancePending",
    "OfferRefused",
    "Receiver",
    "TxCodeNeeded",
)

_STATE_BYTES: Final = 24
# Rejections that say nothing of the offer: the way there or the store was in the way.
_NO_VERDICT: Final = (UrlRefused, RedirectRefused, AnswerUnexpected, StoreFull, StoreDamaged)


class TxCodeNeeded(ConflictError):
    """The issuer wants the transaction code that it sent another way. Ask, then try again."""

    code = "tx_code_needed"


class IssuancePending(ConflictError):
    """The issuer has not decided yet: a person has to approve. `resume` asks again.

    `interval_s` is after how many seconds the issuer wants to be asked.
    """

    code = "issuance_pending"

    def __init__(self, interval_s: int) -> None:
        super().__init__("the issuer has yet to approve what was asked for")
        self.interval_s = interval_s


class Receiver:
    """Receives credentials into a record store. One at a time: two would use one offer twice."""

    def __init__(
        self,
        *,
        records: RecordStore,
        keys: KeyStore,
        transport: HolderTransport,
        requester: Requester,
        clock: Clock,
        issuers: IssuerReader,
        client: ClientIdentity,
        registrar: Registrar,
        placing: Placing,
        pictures: Pictures,
    ) -> None:
        self._records = records
        self._keys = keys
        self._transport = transport
        self._clock = clock
        self._issuers = issuers
        self._client = client
        # The latest DPoP nonce of each server; they are the server's, not a grant's.
        self._nonces: dict[str, str] = {}
        self._registrar = registrar
        self._placing = placing
        self._pictures = pictures
        self._requester = requester

    def inspect(self, offer: str | Mapping[str, Any]) -> InspectedOffer:
        """See `IssuerReader.inspect`."""
        return self._issuers.inspect(offer)

    def session(self, inspected: InspectedOffer, dpop: str | None) -> IssuerSession:
        """Return the way to talk to the issuer of an offer."""
        return IssuerSession(
            inspected.metadata,
            inspected.server,
            self._transport,
            self._keys,
            self._clock,
            self._client,
            self._issuers.policy.development,
            dpop,
            self._nonces,
        )

    def receive(
        self, offer: str | Mapping[str, Any] | InspectedOffer, *, tx_code: str | None
    ) -> tuple[HeldCredential, ...]:
        """See `Wallet.receive`."""
        inspected = offer if isinstance(offer, InspectedOffer) else self.inspect(offer)
        if inspected.offer.pre_authorized_code is None:
            raise UnsupportedOffer("the issuer wants the holder to authorize: see `authorize`")
        intent = self._find(inspected)
        if intent is None:
            if inspected.tx_code is not None and not tx_code:
                raise TxCodeNeeded("the issuer sent a transaction code another way")
            intent = self._begin(inspected)
        return self._go_on(intent, inspected, tx_code)

    def resume(self) -> tuple[HeldCredential, ...]:
        """Finish what was cut short, all of it; then raises the first error if there was one.

        What still waits for its transaction code, for the browser or for an approval is left.
        """
        received: list[HeldCredential] = []
        errors: list[SeoulWalletError] = []
        for record in self._records.list(KIND):
            intent = intent_of(record)
            try:
                inspected = self.inspect(intent.offer)
                free = inspected.offer.pre_authorized_code and inspected.tx_code is None
                if intent.access_token is not None or free:
                    received += self._go_on(intent, inspected, None)
            except StoreDamaged:
                raise
            except IssuancePending:
                continue
            except SeoulWalletError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return tuple(received)

    def unfinished(self) -> int:
        """Return how many offers were cut short or wait."""
        return len(self._records.list(KIND))

    def forget_unfinished(self) -> None:
        """Drop what was cut short, with its keys; an issued credential may be lost with it."""
        for record in self._records.list(KIND):
            self.drop(intent_of(record))

    def begin(self, inspected: InspectedOffer) -> Intent:
        """Return what is under way for an offer; begun now, if nothing was."""
        return self._find(inspected) or self._begin(inspected)

    def begun(self, intent_id: str) -> Intent | None:
        """Return what is under way under an id."""
        try:
            return intent_of(self._records.get(KIND, intent_id))
        except RecordUnknown:
            return None

    def begin_reissue(self, inspected: InspectedOffer, reissue: Reissue) -> Intent:
        """Begin to have a card issued anew; the keys are stored before anything is asked for."""
        return self._begin(inspected, reissue)

    def go_on(self, intent: Intent, inspected: InspectedOffer) -> tuple[HeldCredential, ...]:
        """Go on with what is under way. Raises as `receive` does."""
        return self._go_on(intent, inspected, None)

    def go_on_with(
        self, intent: Intent, tokens: TokenResponse, inspected: InspectedOffer
    ) -> tuple[HeldCredential, ...]:
        """Receive with the tokens of an authorization. Raises as `receive` does."""
        return self._go_on(self._with_tokens(intent, tokens), inspected, None)

    def _find(self, inspected: InspectedOffer) -> Intent | None:
        return self.begun(intent_id(inspected))

    def _begin(self, inspected: InspectedOffer, reissue: Reissue | None = None) -> Intent:
        with self._records.together():
            handles = {
                item.id: self._requester.new_handles(item, inspected.metadata)
                for item in inspected.configurations
            }
            dpop = None
            if set(DPOP_ALGORITHMS) & set(inspected.server.dpop_algorithms):
                dpop = self._keys.generate().handle
            holdings = {}
            if inspected.metadata.recovery is not None:
                holdings = {name: self._registrar.new_holding() for name in handles}
            intent = Intent(
                intent_id(inspected) if reissue is None else reissue_id(reissue),
                inspected.offer.to_json(),
                handles,
                dpop,
                holdings=holdings,
                reissue=reissue,
            )
            self._records.write(intent.to_put())
        return intent

    def _go_on(
        self, intent: Intent, inspected: InspectedOffer, tx_code: str | None
    ) -> tuple[HeldCredential, ...]:
        received = []
        session = self.session(inspected, intent.dpop)
        try:
            intent = self._with_token(intent, inspected, session, tx_code)
            for configuration in inspected.configurations:
                if configuration.id in intent.handles:
                    held, intent = self._fetch(intent, session, configuration)
                    received.append(held)
        except _NO_VERDICT:
            raise
        except (OfferRefused, RejectedError, MalformedError, UnsupportedError):
            # A verdict: trying the same again would end the same.
            self.drop(intent)
            raise
        return tuple(received)

    def drop(self, intent: Intent) -> None:
        """Forget an intent, with its keys."""
        with self._records.together():
            self._records.write(Delete(KIND, intent.id))
            destroy(intent.all_handles, self._keys, self._records)

    def _with_token(
        self,
        intent: Intent,
        inspected: InspectedOffer,
        session: IssuerSession,
        tx_code: str | None,
    ) -> Intent:
        if intent.access_token is not None:
            return intent
        if intent.reissue is not None:
            issuer = session.metadata.credential_issuer
            proof = self._registrar.reissue_proof(
                issuer, intent.reissue.source, session.nonce(), keep=intent.reissue.keep
            )
            return self._with_tokens(intent, session.token(RecoveryTokenRequest(proof)))
        given = None if inspected.tx_code is None else tx_code
        code = inspected.offer.pre_authorized_code or ""
        return self._with_tokens(intent, session.token(TokenRequest(code, given)))

    def _with_tokens(self, intent: Intent, tokens: TokenResponse) -> Intent:
        bound = tokens.token_type == "DPoP"  # noqa: S105 (the name of a scheme)
        if bound and intent.dpop is None:
            raise CredentialNotAsOffered("the token is bound to a key that is not ours")
        intent = replace(
            intent,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token if bound else None,
            identifiers=tokens.credential_identifiers,
        )
        self._records.write(intent.to_put())
        return intent

    def _fetch(
        self, intent: Intent, session: IssuerSession, configuration: CredentialConfiguration
    ) -> tuple[HeldCredential, Intent]:
        name, handles = configuration.id, intent.handles[configuration.id]
        if name not in intent.arrived:
            response = self._response(intent, session, configuration)
            if isinstance(response, DeferredResponse):
                waiting = {**intent.waiting, name: response.transaction_id}
                if waiting != intent.waiting:
                    self._records.write(replace(intent, waiting=waiting).to_put())
                raise IssuancePending(response.interval)
            intent = replace(intent, arrived={**intent.arrived, name: response.to_json()})
            self._records.write(intent.to_put())
        response = parse_credential_response(
            intent.arrived[name], development=self._issuers.policy.development
        )
        try:
            copies = self._requester.verified(response, session, configuration, handles)
        except (RejectedError, MalformedError, UnsupportedError):
            self._notify(intent, session, response, NotificationEvent.FAILURE)
            raise
        card_id = None if intent.reissue is None else intent.reissue.card_id
        place = self._placing.place(copies, card_id)
        held, rest = place.held, intent.without(name)
        done: Change = rest.to_put() if rest.handles else Delete(KIND, intent.id)
        changes: list[Change] = [*place.changes, done]
        # One refresh token renews one card: the last one, when several came of one grant.
        if not rest.handles and intent.refresh_token is not None and intent.dpop is not None:
            changes.append(self._grant(intent, session, held, intent.dpop).to_put())
        elif place.grant is not None:
            changes.append(Delete(GRANT_KIND, held.id))
        if name in intent.holdings:
            issuer = session.metadata.credential_issuer
            changes.append(self._registrar.holding_put(held.id, issuer, intent.holdings[name]))
        self._records.write(*changes)
        destroy(place.old_keys, self._keys, self._records)
        self._notify(intent, session, response, NotificationEvent.ACCEPTED)
        self._pictures.receive(held, configuration.type_metadata)
        return held, rest

    def _grant(
        self, intent: Intent, session: IssuerSession, held: HeldCredential, dpop: str
    ) -> IssuerGrant:
        by_code = "authorization_code" in intent.offer["grants"] and (
            len(intent.offer["grants"]) == 1
        )
        return IssuerGrant(
            held.id,
            held.credential_issuer,
            held.configuration_id,
            intent.refresh_token or "",
            dpop,
            next(iter(intent.identifiers.get(held.configuration_id, ())), None),
            session.server.issuer,
            self._client.client_id if by_code else None,
        )

    def _notify(
        self,
        intent: Intent,
        session: IssuerSession,
        response: CredentialResponse,
        event: NotificationEvent,
    ) -> None:
        if response.notification_id is None:
            return
        try:
            session.notify(
                Notification(response.notification_id, event), intent.access_token or ""
            )
        except (StoreDamaged, StoreFull):
            raise
        except SeoulWalletError:
            # A courtesy: the credential is stored, or refused, in any case.
            return

    def _response(
        self, intent: Intent, session: IssuerSession, configuration: CredentialConfiguration
    ) -> CredentialResponse | DeferredResponse:
        name, token = configuration.id, intent.access_token or ""
        if name in intent.waiting:
            return session.deferred(intent.waiting[name], token)
        identifier = next(iter(intent.identifiers.get(name, ())), None)
        return self._requester.request(
            session,
            configuration,
            intent.handles[name],
            token,
            identifier,
            intent.holdings.get(name),
        )
