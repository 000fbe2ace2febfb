"""The wallet: everything a holder does, over the ports it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wallet.crypto.certificates import TrustAnchors
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card, HeldCredentials
from wallet.holder.consent import ConsentRefused, ConsentRequest
from wallet.holder.discovery import Discovery
from wallet.holder.issuers import InspectedOffer, IssuerPolicy
from wallet.holder.log import LogEntry, PresentationLog
from wallet.holder.present import Presented, Presenter
from wallet.holder.receipts import ReceiptUpdate, update_receipts
from wallet.holder.receive import Receiver
from wallet.holder.requests import RequestReader, VerifierPolicy
from wallet.ports.clock import Clock
from wallet.ports.facts import DidResolver, VerifierRegistry
from wallet.ports.holder import HeldKeyUnknown, HolderTransport, KeyStore, RecordStore
from wallet.verification.issuer_key import NO_ANCHORS

Ask = Callable[[ConsentRequest], "ConsentRequest | bool | None"]


class Wallet:
    """Keeps a holder's credentials and proves what the holder agrees to prove.

    Every method may raise what the ports raise (`StoreDamaged`, `StoreUnavailable`,
    `PeerUnreachable`, `UrlRefused`, `RedirectRefused`, `DidUnresolvable`, …). One thread at a
    time.
    """

    def __init__(
        self,
        *,
        records: RecordStore,
        keys: KeyStore,
        transport: HolderTransport,
        dids: DidResolver,
        clock: Clock,
        trusted_issuers: frozenset[str] | None = None,
        development: bool = False,
        verifier_anchors: TrustAnchors = NO_ANCHORS,
        registry: VerifierRegistry | None = None,
        require_registration: bool = False,
        catalogue_publishers: frozenset[str] = frozenset(),
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """`trusted_issuers` and `development` as in `IssuerPolicy`; `close` frees the ports.

        `verifier_anchors` and `require_registration` as in `VerifierPolicy`; `registry` is where
        verifiers are looked up. `catalogue_publishers` are the DIDs whose programme catalogues
        are taken; see `discovery`.
        """
        self._transport = transport
        self._keys = keys
        self._close = close
        self._held = HeldCredentials(records)
        self._log = PresentationLog(records)
        self._receiver = Receiver(
            records=records,
            keys=keys,
            transport=transport,
            dids=dids,
            clock=clock,
            policy=IssuerPolicy(trusted_issuers=trusted_issuers, development=development),
        )
        reader = RequestReader(
            transport=transport,
            dids=dids,
            clock=clock,
            policy=VerifierPolicy(
                anchors=verifier_anchors,
                require_registration=require_registration,
                development=development,
            ),
            registry=registry,
        )
        self._presenter = Presenter(
            reader=reader,
            held=self._held,
            log=self._log,
            keys=keys,
            transport=transport,
            clock=clock,
            development=development,
        )
        self.discovery = Discovery(
            records=records,
            held=self._held,
            reader=reader,
            presenter=self._presenter,
            transport=transport,
            dids=dids,
            clock=clock,
            publishers=catalogue_publishers,
        )

    def __enter__(self) -> Wallet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store. The wallet is not used after that."""
        self._close()

    def inspect_offer(self, offer: str | Mapping[str, Any]) -> InspectedOffer:
        """Return who offers what, to show before `receive`; uses nothing up.

        `offer` is an `openid-credential-offer://` link or the offer's JSON object. Raises
        `OfferNotTrusted`, `UnsupportedOffer`, `UnsupportedGrant` and those of malformed messages.
        """
        return self._receiver.inspect(offer)

    def receive(
        self, offer: str | Mapping[str, Any] | InspectedOffer, *, tx_code: str | None = None
    ) -> tuple[Card, ...]:
        """Take what is offered, each on a fresh key, and return the new cards.

        Stored is only what its issuer signed, for our key, of the type that was offered. Raises,
        besides what `inspect_offer` raises: `TxCodeNeeded`; `OfferRefused`;
        `CredentialNotAsOffered`, `OfferNotTrusted` or a verification error for what must not be
        stored. After an `UnavailableError` or a crash, `resume` goes on.
        """
        return tuple(held.card() for held in self._receiver.receive(offer, tx_code=tx_code))

    def resume(self) -> tuple[Card, ...]:
        """Finish receiving what was cut short, and return the new cards.

        One failure does not keep the others from being finished; then the first is raised, as
        `receive` raises it, and `credentials` tells what has arrived.
        """
        return tuple(held.card() for held in self._receiver.resume())

    @property
    def unfinished(self) -> int:
        """The number of offers whose receiving was cut short."""
        return self._receiver.unfinished()

    def forget_unfinished(self) -> None:
        """Give up what was cut short; what was issued but has not arrived is lost."""
        self._receiver.forget_unfinished()

    def credentials(self) -> tuple[Card, ...]:
        """Return the cards, the oldest first. Nothing is asked of anyone."""
        return tuple(held.card() for held in self._held.all())

    def card(self, card_id: str) -> Card:
        """Return one card. Raises `CardUnknown`."""
        return self._held.get(card_id).card()

    def remove(self, card_id: str) -> None:
        """Delete a card and destroy its key. Raises `CardUnknown`."""
        handle = self._held.get(card_id).key_handle
        self._held.remove(card_id)
        try:
            self._keys.delete(handle)
        except HeldKeyUnknown:
            return

    def update_receipts(self) -> tuple[ReceiptUpdate, ...]:
        """Fetch the anchor receipts that are not final yet. See `update_receipts`."""
        return update_receipts(self._held, self._transport)

    def review(self, link: str, *, language: str = "en") -> ConsentRequest:
        """Read an `openid4vp://` link: who asks, for what, and what would answer.

        The request object is fetched (its verifier learns that, and nothing else). Raises the
        errors of `wallet.protocols.oid4vp` when the request is not what its client identifier
        says, `RequestRefused` when it is gone, `OutsideRegistration` when a registered verifier
        asks for what it may not.
        """
        return self._presenter.review(link, language=language)

    def review_from_page(
        self, protocol: str, data: JsonObject, *, origin: str, language: str = "en"
    ) -> ConsentRequest:
        """Read a request of the Digital Credentials API (OpenID4VP Appendix A).

        `protocol` and `data` are as the platform gives them, `origin` is what it says of the
        calling page. Raises as `review` does, and `OriginMismatch`.
        """
        return self._presenter.review_from_page(protocol, data, origin=origin, language=language)

    def answer_page(self, request: ConsentRequest) -> JsonObject:
        """Return the `data` that answers a page, for the platform to hand back.

        Handing in a reviewed request *is* the consent. Raises as `present` does; whether the page
        took it is not known.
        """
        return self._presenter.answer_page(request)

    def decline(self, request: ConsentRequest) -> str | None:
        """Tell the verifier that the holder did not agree (`access_denied`), nothing else.

        Returns where the browser goes on, if anywhere. A page is told by the platform.
        """
        return self._presenter.decline(request)

    def present(
        self, request: ConsentRequest | str, *, ask: Ask | None = None, language: str = "en"
    ) -> Presented:
        """Send what `request` shows. Handing in a reviewed request *is* the consent.

        A link needs `ask`, which gets the reviewed request and returns True, or the request as
        the holder changed it, to agree; anything else raises `ConsentRefused` and nothing is sent.
        Also raises `NoMatchingCredential`, `RequestExpired`, `AlreadyPresented`, `RequestRefused`.
        """
        if isinstance(request, str):
            if ask is None:
                raise ValueError("a link is presented only with a way to ask the holder")
            request = self.review(request, language=language)
        if ask is not None:
            agreed = ask(request)
            if isinstance(agreed, ConsentRequest):
                request = agreed
            elif agreed is not True:
                raise ConsentRefused("the holder did not agree")
        return self._presenter.present(request)

    def log(self) -> tuple[LogEntry, ...]:
        """Return what was presented to whom, the oldest first."""
        return self._log.entries()
