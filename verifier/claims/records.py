"""What is kept of a claim, and the port to where. Every change is durable when a method returns.

A claim is *held* while its decision is on its way to the holder, *granted* in the transaction that
concludes the decision, and *releasing* while a register is told that nothing came of it. A holder
whose application was cut short is free again once the hold has run out; nobody is ever granted
twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from wallet.errors import ConflictError

MAX_CLAIM_ID_CHARACTERS: Final = 64
# A change of one store that is made in the transaction of another on the same database. It gets
# the transaction, raises to undo both, and is opaque to everybody in between.
Change = Callable[[Any], None]


class BenefitDrawn(ConflictError):
    """This person has drawn the benefit in this period."""

    code = "benefit_drawn"


class BenefitClaimPending(ConflictError):
    """Another application of this person is being decided on; try again shortly."""

    code = "benefit_claim_pending"


class BenefitClaimUnknown(ConflictError):
    """There is no such claim: never made, released, or its time is over."""

    code = "benefit_claim_unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class BenefitClaim:
    """That a person draws a programme once in a period.

    `claim_id` is the application's own; `context` and `pseudonym` (48 bytes) are the nullifier.
    With a `group` its register was or will be asked. A grant stands until `free_at`, None: ever;
    a hold runs out at `held_until`. Times are unix seconds.
    """

    claim_id: str
    programme: str
    context: bytes
    pseudonym: bytes = field(repr=False)
    group: str | None
    held_until: int
    free_at: int | None


@dataclass(frozen=True, slots=True)
class GroupClaim:
    """A claim that a register may know of: by which id, and in which group."""

    claim_id: str
    group: str | None


class BenefitClaims(Protocol):
    """Keeps claims. Of the pseudonyms of one context every one has one claim."""

    def hold(self, claim: BenefitClaim, *, now: int) -> None:
        """Hold a benefit for an application. Holding again with the same claim is no change.

        Of N parallel calls with different ids for one nullifier exactly one succeeds. Raises
        `BenefitDrawn` when it was granted, `BenefitClaimPending` while another application holds
        it or is being released.
        """

    def granting(self, claim_id: str, *, now: int) -> Change:
        """Return the change that grants what is held, for the transaction of its decision.

        It raises `BenefitClaimUnknown` when the hold has run out.
        """

    def release(self, claim_id: str) -> None:
        """Take a claim back, held or granted. What a register may know of is *releasing* until
        `forget`, everything else is gone. Raises `BenefitClaimUnknown`."""

    def unsettled(self, *, now: int, limit: int) -> tuple[GroupClaim, ...]:
        """Turn holds that have run out to *releasing*; return what is, the oldest first."""

    def forget(self, claim_id: str) -> None:
        """Remove a claim that was releasing; no change if it is not there."""

    def purge(self, *, now: int) -> int:
        """Remove grants whose time is over; return how many."""
