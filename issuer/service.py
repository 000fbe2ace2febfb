"""The issuing service: its use cases over its ports, grouped by who needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from issuer.anchoring import Anchoring, AnchorTimes
from issuer.catalogue import (
    FAMILY_CARD,
    AppointmentLetterType,
    Catalogue,
    ConfigurationUnknown,
    FamilyCardType,
)
from issuer.evidence import evidence_credential_types
from issuer.identity import IssuerIdentity
from issuer.issuing import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_RENEWAL_YEARS,
    IssuanceStep,
    Issuing,
)
from issuer.letters import Letters
from issuer.offers import IssuedOffer, OfferLimits, Offers
from issuer.ports import BatchRecords, IssuanceRecords, LetterRecords, StatusPublications
from issuer.register.evidence import EvidenceRegister
from issuer.register.port import AppointmentRegister, FamilyRegister
from issuer.sessions import Entitlement, Grants
from issuer.status import Statuses, StatusTimes
from wallet.eligibility.evidence_types import evidence_types
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica, ChainUnavailable
from wallet.ports.ledger import LedgerRound, LedgerWriter
from wallet.ports.sessions import SessionStore
from wallet.protocols.oid4vci.metadata import (
    AuthorizationServerMetadata,
    IssuerMetadata,
    Label,
)

DEFAULT_NAME: Final = (
    Label("서울특별시", "ko-KR"),
    Label("Seoul Metropolitan Government", "en-US"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSettings:
    """The limits and times of the service, all with safe defaults."""

    display: tuple[Label, ...] = DEFAULT_NAME
    batch_size: int = DEFAULT_BATCH_SIZE
    renewal_years: int = DEFAULT_RENEWAL_YEARS
    offers: OfferLimits = field(default_factory=OfferLimits)
    status: StatusTimes = field(default_factory=StatusTimes)
    anchoring: AnchorTimes = field(default_factory=AnchorTimes)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerPorts:
    """What the service needs from outside."""

    sessions: SessionStore
    issuances: IssuanceRecords
    batches: BatchRecords
    publications: StatusPublications
    letters: LetterRecords
    families: FamilyRegister
    appointments: AppointmentRegister
    evidence: EvidenceRegister | None = None
    ledger: LedgerWriter
    replica: AnchorReplica
    clock: Clock


@dataclass(frozen=True, slots=True)
class WorkRound:
    """What a round of the worker left undone: an error code for each, and the transactions under
    way, None when the chain did not answer."""

    failures: tuple[str, ...]
    ledger: LedgerRound | None


class IssuerService:
    """The use cases of the issuer. Each member is one group of them; none knows HTTP."""

    def __init__(
        self,
        *,
        identity: IssuerIdentity,
        ports: IssuerPorts,
        settings: ServiceSettings,
        after_step: Callable[[IssuanceStep], None] | None = None,
    ) -> None:
        self.identity = identity
        self._settings = settings
        self._clock = ports.clock
        self._ledger = ports.ledger
        self.catalogue = Catalogue(
            FamilyCardType(ports.families),
            AppointmentLetterType(ports.appointments),
            *(() if ports.evidence is None else evidence_credential_types(ports.evidence)),
        )
        grants = Grants(ports.sessions)
        self.offers = Offers(
            identity=identity,
            catalogue=self.catalogue,
            grants=grants,
            clock=ports.clock,
            limits=settings.offers,
        )
        self.issuing = Issuing(
            identity=identity,
            catalogue=self.catalogue,
            grants=grants,
            records=ports.issuances,
            clock=ports.clock,
            batch_size=settings.batch_size,
            renewal_years=settings.renewal_years,
            **({} if after_step is None else {"after_step": after_step}),
        )
        self.letters = Letters(
            records=ports.letters,
            catalogue=self.catalogue,
            offers=self.offers,
            clock=ports.clock,
        )
        self.statuses = Statuses(
            identity=identity,
            records=ports.issuances,
            publications=ports.publications,
            ledger=ports.ledger,
            replica=ports.replica,
            clock=ports.clock,
            times=settings.status,
        )
        self.anchoring = Anchoring(
            identity=identity,
            records=ports.batches,
            ledger=ports.ledger,
            replica=ports.replica,
            clock=ports.clock,
            times=settings.anchoring,
        )

    @property
    def status_max_age_s(self) -> int:
        """How long others may keep a status list before they ask again."""
        return self._settings.status.reuse_s

    def offer_family_card(
        self, family_id: str, holder_id: str, *, with_tx_code: bool = True
    ) -> IssuedOffer:
        """Offer the family's card to one of its parents or guardians.

        Raises what `Offers.offer` raises.
        """
        entitlement = Entitlement(FAMILY_CARD, family_id, holder_id)
        (offer,) = self.offers.offer([entitlement], with_tx_code=with_tx_code)
        return offer

    def offer_evidence(
        self, kind: str, subject_id: str, holder_id: str, *, with_tx_code: bool = True
    ) -> IssuedOffer:
        """Offer one piece of evidence about a person to that person.

        `kind` is a name of `wallet.eligibility.evidence_types`, which is the configuration's id.
        Raises `ConfigurationUnknown` and what `Offers.offer` raises.
        """
        if kind not in evidence_types().by_name:
            raise ConfigurationUnknown("no kind of evidence has this name")
        (offer,) = self.offers.offer(
            [Entitlement(kind, subject_id, holder_id)], with_tx_code=with_tx_code
        )
        return offer

    def issuer_metadata(self) -> IssuerMetadata:
        """Return the credential issuer metadata."""
        base = self.identity.base_url
        return IssuerMetadata(
            base,
            f"{base}/credential",
            f"{base}/nonce",
            self.catalogue.configurations,
            self._settings.display,
            batch_size=self._settings.batch_size,
        )

    def authorization_server_metadata(self) -> AuthorizationServerMetadata:
        """Return the metadata of the issuer as its own authorization server."""
        base = self.identity.base_url
        return AuthorizationServerMetadata(base, f"{base}/token")

    def work(self) -> WorkRound:
        """Do what is due: anchor, follow finality, publish statuses, forget what expired.

        Waits for no block. What could not be done is tried again next time. Raises
        `StorageUnavailable`.
        """
        now = self._clock.now()
        failures: list[str] = []
        ledger = None
        try:
            ledger = self._ledger.advance()
        except ChainUnavailable as error:
            failures.append(error.code)
        failures += self.anchoring.anchor_due(now).failures
        self.anchoring.refresh_finality()
        failures += self.statuses.publish_due(now)
        self.offers.purge()
        return WorkRound(tuple(failures), ledger)
