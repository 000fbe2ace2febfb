"""Step 10 for credentials that name Bitstring Status Lists, and for those that end otherwise."""

from __future__ import annotations

from typing import Final

from wallet.errors import RejectedError
from wallet.status.bitstring import (
    BitstringStatusEntry,
    check_bitstring_status,
)
from wallet.verification.bitstring_list import VerifiedBitstringList, bitstring_entries
from wallet.verification.evidence import Fact, FactMissing
from wallet.verification.progress import Progress
from wallet.verification.proof_steps import FactsTooOld
from wallet.verification.report import Outcome
from wallet.verification.status import StatusListInvalid
from wallet.verification.trust_steps import (
    CredentialRevoked,
    CredentialSuspended,
    StatusMissing,
    check_status,
    trust_policy,
)

# Other purposes carry messages; they do not decide whether a credential holds.
_REVOCATION: Final = "revocation"
_DECIDING: Final[dict[str, tuple[type[RejectedError], str]]] = {
    _REVOCATION: (CredentialRevoked, "the issuer revoked the credential"),
    "suspension": (CredentialSuspended, "the issuer suspended the credential"),
}


def check_any_status(progress: Progress) -> int | Outcome:
    """Step 10, by whichever kind of list the credential names.

    One that ends with its epoch has no place in a list: the policy that names the epoch takes it
    without.
    """
    if progress.epoch is not None:
        return Outcome.NOT_REQUIRED
    if not progress.statuses:
        return check_status(progress)
    entries = bitstring_entries(progress.statuses)
    deciding = [entry for entry in entries if entry.purpose in _DECIDING]
    if trust_policy(progress).require_status and _REVOCATION not in {
        entry.purpose for entry in deciding
    }:
        raise StatusMissing("the credential names no list of revocations")
    times = [_check_entry(progress, entry) for entry in deciding]
    if progress.status is not None:
        # A JWT may name a Token Status List as well.
        times.append(_time_of(check_status(progress)))
    return min(times) if times else Outcome.NOT_REQUIRED


def _time_of(outcome: int | Outcome) -> int:
    if isinstance(outcome, Outcome):
        raise AssertionError("a list that is named is looked at")
    return outcome


def _check_entry(progress: Progress, entry: BitstringStatusEntry) -> int:
    missing = FactMissing("no status list was fetched")
    fact = progress.evidence.bitstring_lists.get(entry.list_credential, missing)
    if not isinstance(fact, Fact):
        raise fact
    listed = fact.value
    if listed.uri != entry.list_credential or listed.issuer != progress.issuer:
        raise StatusListInvalid("the list is not the one that the credential names")
    _check_is_current(progress, listed)
    if check_bitstring_status(entry, listed.subject):
        error, text = _DECIDING[entry.purpose]
        raise error(text)
    return listed.issued_at


def _check_is_current(progress: Progress, listed: VerifiedBitstringList) -> None:
    now, policy = progress.now, trust_policy(progress)
    if listed.issued_at > now + progress.policy.clock_skew_s:
        raise StatusListInvalid("the list is dated in the future")
    limits = [policy.max_status_age_s]
    if listed.ttl_s is not None:
        limits.append(listed.ttl_s)
    if listed.expires_at is not None:
        limits.append(listed.expires_at - listed.issued_at)
    limit = max(0, min(limits))
    if now - listed.issued_at > limit:
        raise FactsTooOld("status list", listed.issued_at, limit)
