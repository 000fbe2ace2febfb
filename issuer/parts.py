"""What the issuing service is made of: settings, ports, keys, and a round of its worker."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final

from issuer.accounts import AccountRecords
from issuer.authorization.clients import ClientPolicy
from issuer.authorization.login import HolderLogin
from issuer.authorization.server import AuthorizationTimes
from issuer.contracts import ContractRecords
from issuer.deferral import DeferralTimes
from issuer.issuing import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_RENEWAL_YEARS,
)
from issuer.nym import NymSettings
from issuer.offers import OfferLimits
from issuer.ports import (
    ApprovalRecords,
    IssuanceRecords,
    LetterRecords,
    NymRegistrations,
    StatusPublications,
)
from issuer.recovery.policy import RecoveryPolicy
from issuer.recovery.ports import ContactChannel, RecoveryRecords
from issuer.register.electoral_roll import ElectoralRoll
from issuer.register.evidence import EvidenceRegister
from issuer.register.port import AppointmentRegister, FamilyRegister
from issuer.status import StatusTimes
from wallet.anchoring import AnchorTimes
from wallet.credentials.jwe import DecryptionKey
from wallet.ports.batches import BatchRecords
from wallet.ports.clock import Clock
from wallet.ports.facts import AnchorReplica
from wallet.ports.ledger import LedgerRound, LedgerWriter
from wallet.ports.sessions import SessionStore
from wallet.ports.storage import Together
from wallet.protocols.oid4vci.metadata import Label

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
    deferral: DeferralTimes = field(default_factory=DeferralTimes)
    authorization: AuthorizationTimes = field(default_factory=AuthorizationTimes)
    clients: ClientPolicy = field(default_factory=ClientPolicy)
    notification_ttl_s: int = 30 * 24 * 3600
    status: StatusTimes = field(default_factory=StatusTimes)
    anchoring: AnchorTimes = field(default_factory=AnchorTimes)
    recovery: RecoveryPolicy = field(default_factory=RecoveryPolicy)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerPorts:
    """What the service needs from outside. `together` is of the database of all its records."""

    sessions: SessionStore
    issuances: IssuanceRecords
    batches: BatchRecords
    publications: StatusPublications
    letters: LetterRecords
    approvals: ApprovalRecords
    accounts: AccountRecords
    contracts: ContractRecords
    nyms: NymRegistrations
    recoveries: RecoveryRecords
    contact: ContactChannel
    families: FamilyRegister
    appointments: AppointmentRegister
    ledger: LedgerWriter
    replica: AnchorReplica
    clock: Clock
    together: Together = nullcontext
    login: HolderLogin | None = None
    evidence: EvidenceRegister | None = None
    roll: ElectoralRoll | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuerKeys:
    """Keys beside the one that signs: for encrypted requests, for the MACs of nonces (32 bytes),
    and for BBS if it is issued."""

    encryption: DecryptionKey = field(repr=False)
    nonces: bytes = field(repr=False)
    nym: NymSettings | None = None


@dataclass(frozen=True, slots=True)
class WorkRound:
    """What a round of the worker left undone: an error code for each, and the transactions under
    way, None when the chain did not answer."""

    failures: tuple[str, ...]
    ledger: LedgerRound | None
