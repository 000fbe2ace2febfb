"""What a receipt is made from: a decision, whose it is, and what may be looked at again later."""

from __future__ import annotations

from dataclasses import dataclass

from wallet.eligibility.decision import Decision


@dataclass(frozen=True, slots=True)
class WatchedEvidence:
    """Where the status of accepted evidence is, and when it expires: nothing of what it says.

    Without `status_uri` its status is not looked at, and without `expires_at` (unix seconds) its
    end is not. The programme accepts statuses up to `max_status_age_s` old.
    """

    programme: str
    issuer: str
    vct: str
    status_uri: str | None
    status_index: int | None
    max_status_age_s: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class DecidedAnswer:
    """A decision with the thumbprint of the key that its holder's wallet named for the receipt.

    `guardian` is that of a guardian who took part in a child's application with another wallet.
    `watched` is empty unless the programme wants its evidence looked at again.
    """

    decision: Decision
    holder: str | None
    watched: tuple[WatchedEvidence, ...] = ()
    guardian: str | None = None


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """Which application was answered: by an id that no other has, and its request's nonce."""

    application: str
    nonce: str
