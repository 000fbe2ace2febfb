"""One benefit per person: in which contexts a person has which pseudonym. Pure.

A *nullifier* is the pseudonym of the secret in a benefit key, in a context that names who decides
on what, and for which period. The same person has the same nullifier in one context, after every
re-issuance of the key; two nullifiers of different contexts cannot be joined. The context is never
taken from a request: wallet and agency each compute it from the published programme.

A *group* nullifier is of a group of programmes that exclude each other. Its context names the
register that counts it; no agency sees it (`wallet.crypto.bbs.linked_nym`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from wallet.crypto.hashing import sha384
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import add_months
from wallet.encoding import jcs

CONTEXT_FORMAT: Final = "seoul-wallet-nullifier-1"
LIFETIME: Final = "lifetime"
# The clauses that claims decide, as decisions name them.
ONCE_CLAUSE: Final = "one-per-person"
GROUP_CLAUSE: Final = "one-of-group"


@dataclass(frozen=True, slots=True)
class Period:
    """For what one benefit is drawn once. A claim stands until the eve of `free_on`, None: ever.

    `label` is what the context names: only a period that everybody shares, never a person's own
    days. So what counts from the day of a claim has one context for ever, and the agency can join
    a person's claims over the years, within that programme.
    """

    label: str
    free_on: date | None


@dataclass(frozen=True, slots=True)
class ExclusionGroup:
    """Programmes of which a person may have one in a period; `reason` is what a refusal says."""

    id: str
    window: Window
    reason: str


@dataclass(frozen=True, slots=True)
class Once:
    """That a programme is drawn once in a period, by the pseudonym of the credential `evidence`.

    `epoch` is that of the benefit keys which count: with keys of two epochs a person would count
    twice. None where no key counts but the person's identifier in the sector, which `evidence`
    shows: so a child counts as itself, whichever guardian applies.
    """

    evidence: str
    epoch: str | None
    window: Window
    reason: str
    group: ExclusionGroup | None = None


def period_of(window: Window, on: date) -> Period:
    """Return the period that a claim on this day falls in."""
    if window.calendar_year:
        return Period(str(on.year), date(on.year + 1, 1, 1))
    if window.months is not None:
        return Period(f"{window.months} months", add_months(on, window.months))
    if window.first is not None and window.last is not None:
        label = f"{window.first.isoformat()}/{window.last.isoformat()}"
        return Period(label, window.last + timedelta(days=1))
    return Period(LIFETIME, None)


def programme_context(agency: str, programme_id: str, period: Period) -> bytes:
    """Return the context_id of a programme's nullifiers. `agency` is the DID of who decides."""
    return jcs.canonicalize([CONTEXT_FORMAT, "programme", agency, programme_id, period.label])


def group_context(register: str, group_id: str, period: Period) -> bytes:
    """Return the context_id of a group's nullifiers. `register` is the DID of who counts them."""
    return jcs.canonicalize([CONTEXT_FORMAT, "group", register, group_id, period.label])


def sector_nullifier(context: bytes, sector: str, person: str) -> bytes:
    """Return by what an agency counts a person whom it knows by an identifier in a sector.

    48 bytes, as a pseudonym. Whoever knows the identifier computes it: it keeps the identifier
    out of the record of claims, and hides nothing from the agency that was shown it.
    """
    counted = [CONTEXT_FORMAT, "sector", sector, person, context.decode("utf-8")]
    return sha384(jcs.canonicalize(counted))
