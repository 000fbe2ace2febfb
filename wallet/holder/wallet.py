"""The wallet: everything a holder does, over the ports it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.recovery_phrase import PhraseLanguage, RecoveryPhrase
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card, HeldCredentials
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.composition import HolderPorts, showing, taking
from wallet.holder.consent import ConsentRefused, ConsentRequest
from wallet.holder.delegations import Delegations, DelegationTerms
from wallet.holder.discovery import Discovery
from wallet.holder.given import GivenDelegation
from wallet.holder.handles import destroy
from wallet.holder.history import History
from wallet.holder.issuers import DEFAULT_COPIES, InspectedOffer, IssuerPolicy
from wallet.holder.joint import Joint
from wallet.holder.log import LogEntry
from wallet.holder.nyms import Nyms
from wallet.holder.offline import Offline
from wallet.holder.present import Presented
from wallet.holder.receipts import ReceiptUpdate, update_receipts
from wallet.holder.renewals import LOW_COPIES
from wallet.holder.requests import RequestRefused, VerifierPolicy
from wallet.holder.voting import Voter, Voting
from wallet.holder.voting_credentials import voting_credentials
from wallet.holder.voting_secrets import VotingSecrets
from wallet.ports.clock import Clock
from wallet.ports.facts import BoardRegistry, DidResolver, VerifierRegistry
from wallet.ports.holder import (
    HolderTransport,
    KeyStore,
    PeerUnreachable,
    RecordStore,
)
from wallet.verification.issuer_key import NO_ANCHORS

Ask = Callable[[ConsentRequest], "ConsentRequest | bool | None"]


class Wallet(Voter):
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
        client: ClientIdentity | None = None,
        max_copies: int = DEFAULT_COPIES,
        development: bool = False,
        verifier_anchors: TrustAnchors = NO_ANCHORS,
        registry: VerifierRegistry | None = None,
        require_registration: bool = False,
        catalogue_publishers: frozenset[str] = frozenset(),
        boards: BoardRegistry | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """`trusted_issuers`, `max_copies` and `development` as in `IssuerPolicy`.

        `client` is who this app is to authorization servers; `close` frees the ports.
        `verifier_anchors` and `require_registration` as in `VerifierPolicy`; `registry` is where
        verifiers are looked up. `catalogue_publishers` are the DIDs whose programme catalogues
        are taken; see `discovery`. `boards` tells which elections the chain has; see `voting`.
        `devices` has cards issued anew to this device and knows the wallet's other ones.
        """
        ports = HolderPorts(
            records=records, keys=keys, transport=transport, dids=dids, clock=clock,
            client=ClientIdentity() if client is None else client,
        )  # fmt: skip
        self._transport = transport
        self._keys = keys
        self._records = records
        self._close = close
        self._held = held = HeldCredentials(records)
        self.voting_secrets = VotingSecrets(records)
        nyms = Nyms(records, self.voting_secrets)
        takes = IssuerPolicy(
            trusted_issuers=trusted_issuers, development=development, max_copies=max_copies
        )
        self._taking = take = taking(ports, takes, held, nyms)
        self.devices, self.replacing, self.pictures = take.devices, take.replacing, take.pictures
        self.delegating = Delegations(
            records=records, keys=keys, held=held, copies=take.copies, transport=transport,
            dids=dids, clock=clock, issuers=take.issuers, top_up=take.renewals.top_up,
        )  # fmt: skip
        answers = VerifierPolicy(
            anchors=verifier_anchors,
            require_registration=require_registration,
            development=development,
        )
        self._showing = show = showing(
            ports, answers, held, nyms, registry=registry,
            counted=lambda verified: self.discovery.counted(verified),
        )  # fmt: skip
        self.decisions, self.linking = show.decisions, show.linking
        self.history = History(show.log, show.decisions.follow_up)
        self.offline = Offline(show.presenter, self._spend)
        self.joint = Joint(show.reader, held, show.presenter, clock, self._spend)
        self.voting = Voting(
            records=records,
            transport=transport,
            clock=clock,
            credentials=lambda: voting_credentials(held, nyms),
            boards=boards,
        )
        self.discovery: Discovery = Discovery(
            records=records,
            held=held,
            reader=show.reader,
            present=self.present,
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
        self._showing.index.keep()
        self._close()

    def inspect_offer(self, offer: str | Mapping[str, Any]) -> InspectedOffer:
        """Return who offers what, to show before `receive`; uses nothing up.

        `offer` is an `openid-credential-offer://` link or the offer's JSON object. Raises
        `OfferNotTrusted`, `UnsupportedOffer`, `UnsupportedGrant` and those of malformed messages.
        """
        return self._taking.receiver.inspect(offer)

    def receive(
        self, offer: str | Mapping[str, Any] | InspectedOffer, *, tx_code: str | None = None
    ) -> tuple[Card, ...]:
        """Take what is offered, each on a fresh key, and return the new cards.

        Stored is only what its issuer signed, for our key, of the type that was offered. Raises,
        besides what `inspect_offer` raises: `TxCodeNeeded`; `OfferRefused`;
        `CredentialNotAsOffered`, `OfferNotTrusted` or a verification error for what must not be
        stored; `IssuancePending` when someone has to approve first. After that, an
        `UnavailableError` or a crash, `resume` goes on.
        """
        return tuple(held.card() for held in self._taking.receiver.receive(offer, tx_code=tx_code))

    def authorize(self, offer: str | Mapping[str, Any] | InspectedOffer) -> str:
        """Begin the authorization of an offer; return the URL to open in the holder's browser.

        Raises, besides what `inspect_offer` raises, `UnsupportedOffer` for a server without PAR,
        PKCE or `iss`, and `OfferRefused`.
        """
        return self._taking.authorizer.authorize(offer)

    def finish_authorization(self, url: str) -> tuple[Card, ...]:
        """Take what was authorized; `url` is where the browser came back to, query included.

        Raises `AnswerNotOurs` for an answer of another server or to another request (a mix-up),
        `AuthorizationDenied`, `AuthorizationUnknown`, and what `receive` raises.
        """
        return tuple(held.card() for held in self._taking.authorizer.finish_authorization(url))

    def copies(self, card_id: str) -> int:
        """Return how many single-use copies of a card wait beside it."""
        return self._taking.copies.count(card_id)

    def top_up(self, card_id: str, *, below: int = LOW_COPIES) -> int:
        """Get fresh copies of a card on new keys; return how many came. See `Renewals.top_up`."""
        return self._taking.renewals.top_up(card_id, below=below)

    def renew(self, card_id: str) -> Card:
        """Let the issuer issue a card anew, on new keys, and drop the copy at hand.

        Raises as `top_up` does.
        """
        self._taking.renewals.top_up(card_id, below=self._taking.copies.count(card_id) + 1)
        self._taking.copies.spend(card_id)
        return self.card(card_id)

    def resume(self) -> tuple[Card, ...]:
        """Finish receiving what was cut short, and return the new cards.

        One failure does not keep the others from being finished; then the first is raised, as
        `receive` raises it, and `credentials` tells what has arrived.
        """
        return tuple(held.card() for held in self._taking.receiver.resume())

    @property
    def unfinished(self) -> int:
        """The number of offers whose receiving was cut short."""
        return self._taking.receiver.unfinished()

    def forget_unfinished(self) -> None:
        """Give up what was cut short; what was issued but has not arrived is lost."""
        self._taking.receiver.forget_unfinished()

    def credentials(self) -> tuple[Card, ...]:
        """Return the cards, the oldest first. Nothing is asked of anyone."""
        return tuple(held.card() for held in self._held.all())

    def card(self, card_id: str) -> Card:
        """Return one card. Raises `CardUnknown`."""
        return self._held.get(card_id).card()

    def remove(self, card_id: str) -> None:
        """Delete a card and destroy its key. Raises `CardUnknown`."""
        held = self._held.get(card_id)
        self._taking.copies.remove(card_id)
        self._taking.renewals.forget(card_id)
        self._held.remove(card_id)
        self._taking.registrar.forget(card_id)
        destroy((held.key_handle,), self._keys, self._records)
        self.pictures.forget(held.card())

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
        return self._showing.presenter.review(link, language=language)

    def review_from_page(
        self, protocol: str, data: JsonObject, *, origin: str, language: str = "en"
    ) -> ConsentRequest:
        """Read a request of the Digital Credentials API (OpenID4VP Appendix A).

        `protocol` and `data` are as the platform gives them, `origin` is what it says of the
        calling page. Raises as `review` does, and `OriginMismatch`.
        """
        return self._showing.presenter.review_from_page(
            protocol, data, origin=origin, language=language
        )

    def answer_page(self, request: ConsentRequest) -> JsonObject:
        """Return the `data` that answers a page, for the platform to hand back.

        Handing in a reviewed request *is* the consent. Raises as `present` does; whether the page
        took it is not known.
        """
        answered = self._showing.presenter.answer_page(request)
        self._spend(request)
        return answered

    def decline(self, request: ConsentRequest) -> str | None:
        """Tell the verifier that the holder did not agree (`access_denied`), nothing else; or that
        no wallet like this could answer in the formats it takes (`vp_formats_not_supported`).

        Returns where the browser goes on, if anywhere. A page is told by the platform.
        """
        return self._showing.presenter.decline(request)

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
        try:
            presented = self._showing.presenter.present(request)
        except (RequestRefused, PeerUnreachable):
            # What left the wallet was seen, whatever came of it.
            self._spend(request)
            raise
        self._spend(request)
        return presented

    def _spend(self, request: ConsentRequest) -> None:
        for answer in request.answers:
            for choice in answer.sent:
                self._taking.copies.spend(choice.card.id)

    def log(self) -> tuple[LogEntry, ...]:
        """Return what was presented to whom, the oldest first."""
        return self._showing.log.entries()

    def delegate(
        self, card_id: str, invitation: str, terms: DelegationTerms
    ) -> tuple[GivenDelegation, str]:
        """Let another wallet show a card; return the delegation, and the package to hand over.

        The other wallet makes the `invitation` by `delegating.invite` and takes the package by
        `delegating.accept`. See `Delegations.delegate`.
        """
        return self.delegating.delegate(card_id, invitation, terms)

    def delegations(self) -> tuple[GivenDelegation, ...]:
        """Return what this wallet delegated; what it received are cards with `delegated`."""
        return self.delegating.given()

    def revoke_delegation(self, delegation_id: str) -> GivenDelegation:
        """Take a delegation back, for good. See `Delegations.revoke`."""
        return self.delegating.revoke(delegation_id)

    def create_recovery_phrase(self, language: PhraseLanguage) -> RecoveryPhrase:
        """Make the phrase that the wallet's exports are under, to write down once, on paper.

        Raises `RecoveryPhraseExists`.
        """
        return self._taking.recovery.create_phrase(language)

    def recovery_phrase(self) -> RecoveryPhrase:
        """Return the recovery phrase. Raises `RecoveryPhraseMissing`."""
        return self._taking.recovery.phrase()

    def export(self, path: str | Path) -> int:
        """Write a new file at `path` from which `wallet.app.restore_wallet` makes this wallet.

        Encrypted under the recovery phrase; cards, their keys, grants, what is unfinished, the
        log, settings and the voting secret. Returns the number of records. The wallet is only
        read. Raises `RecoveryPhraseMissing`, `ExportExists`, `ExportUnavailable`, and
        `RecordConflict` when another process changed the wallet meanwhile.
        """
        return self._taking.recovery.export(Path(path))
