"""The register's use case: one claim for a person in a group and period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from verifier.exclusions.records import ExclusionClaim, ExclusionRecords
from wallet.credentials.jwe import DecryptionKey
from wallet.crypto.bbs.linked_nym import parse_link_answer, verify_link
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import seoul_day, seoul_midnight
from wallet.eligibility.nullifier import group_context, period_of
from wallet.errors import ConflictError, RejectedError
from wallet.ports.clock import Clock
from wallet.protocols.exclusion import open_link

# A release is remembered this long: longer than any request may be on its way.
RELEASE_REMEMBERED_S: Final = 86400


class ExclusionGroupUnknown(ConflictError):
    """The register does not count this group."""

    code = "exclusion_group_unknown"
    status = 404


class LinkForAnotherAgency(RejectedError):
    """The holder sealed this for another agency than the one that hands it in."""

    code = "link_for_another_agency"


class ExclusionDesk:
    """Counts people in `groups`, each with the period in which a person has one claim.

    `did` is the register's and part of every context; `key` opens what wallets seal for it.
    """

    def __init__(
        self,
        records: ExclusionRecords,
        clock: Clock,
        *,
        did: str,
        key: DecryptionKey,
        groups: Mapping[str, Window],
    ) -> None:
        self._records = records
        self._clock = clock
        self._key = key
        self.did = did
        self.groups = groups

    def claim(
        self, agency: str, group: str, claim_id: str, *, digest: bytes, answer: bytes, sealed: str
    ) -> bool:
        """Return whether the person has no other claim, and keep this one.

        `digest` and `answer` are of a proof that the agency verified. Raises
        `ExclusionGroupUnknown`, `LinkForAnotherAgency`, `LinkedPseudonymInvalid`,
        `ExclusionClaimIdUsed`, and as `open_link`.
        """
        now = self._clock.now()
        self._records.purge(now=now)
        period = period_of(self._window(group), seoul_day(now))
        context = group_context(self.did, group, period)
        opened = open_link(sealed, self._key)
        if opened.agency != agency:
            raise LinkForAnotherAgency("this was sealed for another agency")
        link = verify_link(parse_link_answer(answer), opened.opening, digest, context)
        claim = ExclusionClaim(
            agency=agency,
            claim_id=claim_id,
            context=context,
            pseudonym=link.pseudonym.octets,
            free_at=None if period.free_on is None else seoul_midnight(period.free_on),
        )
        return self._records.claim(claim, now=now)

    def release(self, agency: str, group: str, claim_id: str) -> None:
        """Take an agency's claim back, as often as it asks. Raises `ExclusionGroupUnknown`."""
        self._window(group)
        until = self._clock.now() + RELEASE_REMEMBERED_S
        self._records.release(agency, claim_id, remember_until=until)

    def _window(self, group: str) -> Window:
        if group not in self.groups:
            raise ExclusionGroupUnknown("this group is not counted here")
        return self.groups[group]
