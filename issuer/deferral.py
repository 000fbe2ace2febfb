"""Issuances that a second person approves: the deferred flow (OpenID4VCI §9)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from issuer.letters import SameOperator
from issuer.ports import Approval, ApprovalConflict, ApprovalRecords, ApprovalState
from issuer.recovery.ports import Registration
from issuer.tokens import LiveGrant
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, RejectedError
from wallet.ports.clock import Clock
from wallet.ports.sessions import SessionStore, SessionUnknown
from wallet.protocols.oid4vci.credential import DeferredResponse

DEFERRED: Final = "issuer.deferred"
MAX_APPROVALS_LISTED: Final = 500
# Who approves what nobody refused in time: no operator can have this name.
TIME: Final = "#time"
_ID_BYTES: Final = 32


class TransactionUnknown(ConflictError):
    """The transaction id is unknown, used up, or another person's."""

    code = "transaction_unknown"


class IssuanceRefused(RejectedError):
    """The person who had to approve this issuance refused it."""

    code = "issuance_refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeferralTimes:
    """Seconds that a transaction id lasts, and after which a wallet may ask again."""

    ttl_s: int = 14 * 24 * 3600
    interval_s: int = 60


@dataclass(frozen=True, slots=True)
class DeferredIssuance:
    """What was proven with the request that waits: keys as JWKs with their DIDs."""

    transaction_id: str = field(repr=False)
    configuration_id: str
    holders: tuple[tuple[dict[str, str], str | None], ...]
    registration: Registration | None = None


class Deferrals:
    """Holds requests and remembers what was proven with them."""

    def __init__(
        self,
        *,
        store: SessionStore,
        records: ApprovalRecords,
        clock: Clock,
        times: DeferralTimes,
    ) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._times = times

    def hold(
        self,
        grant: LiveGrant,
        configuration_id: str,
        holders: Sequence[tuple[dict[str, str], str | None]],
        *,
        registration: Registration | None = None,
        free_after_s: int | None = None,
    ) -> DeferredResponse:
        """Ask for approval, and return what the wallet is told meanwhile.

        After `free_after_s` it counts as approved, if it was not refused until then; None means
        that someone has to approve. `registration` is given back with the rest.
        """
        now, entitlement = self._clock.now(), grant.state.entitlement
        approval = self._records.ask(
            Approval(
                secrets.token_urlsafe(12),
                grant.issuance_id,
                configuration_id,
                entitlement.subject_id,
                entitlement.holder_id,
                ApprovalState.WAITING,
                entitlement.held_by or "",
                now,
            )
        )
        transaction_id = secrets.token_urlsafe(_ID_BYTES)
        kept = {
            "grant": grant.grant_id,
            "approval": approval.approval_id,
            "configuration": configuration_id,
            "holders": [list(holder) for holder in holders],
            "registration": None if registration is None else asdict(registration),
            "free_at": None if free_after_s is None else now + free_after_s,
        }
        expires_at = now + self._times.ttl_s
        self._store.create(DEFERRED, transaction_id, to_json(kept), expires_at=expires_at)
        return DeferredResponse(transaction_id, self._times.interval_s)

    def approved(
        self, grant: LiveGrant, transaction_id: str
    ) -> DeferredIssuance | DeferredResponse:
        """Return the request if it was approved, or that the wallet has to go on waiting.

        The id stays good until `finish`. Raises `TransactionUnknown`, also for another grant's,
        and `IssuanceRefused`.
        """
        try:
            stored = self._store.load(DEFERRED, transaction_id, now=self._clock.now())
        except SessionUnknown:
            raise TransactionUnknown("there is no such transaction") from None
        kept = parse_json_object(stored.state)
        if kept["grant"] != grant.grant_id:
            raise TransactionUnknown("there is no such transaction")
        state = self._state(kept["approval"], kept.get("free_at"))
        if state is ApprovalState.REFUSED:
            raise IssuanceRefused("the issuance was not approved")
        if state is ApprovalState.WAITING:
            return DeferredResponse(transaction_id, self._times.interval_s)
        holders = tuple((jwk, did) for jwk, did in kept["holders"])
        given = kept.get("registration")
        registration = None if given is None else Registration(**given)
        return DeferredIssuance(transaction_id, kept["configuration"], holders, registration)

    def _state(self, approval_id: str, free_at: int | None) -> ApprovalState:
        found, now = self._records.approval(approval_id), self._clock.now()
        if found.state is not ApprovalState.WAITING or free_at is None or now < free_at:
            return found.state
        try:
            self._records.decide(approval_id, ApprovalState.APPROVED, operator=TIME, now=now)
        except ApprovalConflict:
            # An operator was faster; theirs is the decision.
            return self._records.approval(approval_id).state
        return ApprovalState.APPROVED

    def finish(self, transaction_id: str) -> None:
        """Use the id up. That someone else did is no error."""
        try:
            self._store.take(DEFERRED, transaction_id, now=self._clock.now())
        except SessionUnknown:
            return

    def approvals(self, state: ApprovalState) -> Sequence[Approval]:
        """Return the oldest `MAX_APPROVALS_LISTED` held issuances in a state."""
        return self._records.approvals(state, limit=MAX_APPROVALS_LISTED)

    def decide(self, approval_id: str, *, approve: bool, operator: str) -> Approval:
        """Approve or refuse what another operator holds.

        Raises `SameOperator`, `ApprovalConflict`, `ApprovalUnknown`.
        """
        found = self._records.approval(approval_id)
        if found.held_by == operator:
            raise SameOperator("another operator must decide")
        if found.state is not ApprovalState.WAITING:
            raise ApprovalConflict("it was decided already")
        state = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
        self._records.decide(approval_id, state, operator=operator, now=self._clock.now())
        return self._records.approval(approval_id)
