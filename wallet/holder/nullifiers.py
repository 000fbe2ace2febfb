"""In which contexts a programme counts its applicants: one benefit per person, for the holder.

Everything is taken from the catalogue that the city signed, and nothing from the request, so that
an agency gets the pseudonym of its own programme and no register that it made up sees anybody.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote, urlsplit

from wallet.credentials.bbs_nym import LinkScope, NymScope
from wallet.crypto.bbs.linked_nym import LinkOpening
from wallet.eligibility.days import seoul_day
from wallet.eligibility.nullifier import (
    ExclusionGroup,
    group_context,
    period_of,
    programme_context,
)
from wallet.eligibility.programme import Programme
from wallet.eligibility.signed_catalogue import PublishedCatalogue, RegisterKey
from wallet.holder.counted import Counted, CountedGroup, Counting
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.exclusion import seal_link


def counted_by(
    published: PublishedCatalogue, query: DcqlQuery, agency: str, *, now: int
) -> Counted | None:
    """Return how `query` counts, if it is that of a programme which `agency` decides on.

    None if it is none, or as `counted_in` says.
    """
    for programme in published.catalogue.all_in_force(seoul_day(now)):
        decides = did_of_host(published.apply_to[programme.id])
        if programme.query == query and decides == agency:
            return counted_in(published, programme, now=now)
    return None


def counted_in(published: PublishedCatalogue, programme: Programme, *, now: int) -> Counted | None:
    """Return how a programme of the catalogue counts its applicants.

    None if it counts nobody, or counts a group and the catalogue names no register.
    """
    once, on = programme.once, seoul_day(now)
    if once is None or (once.group is not None and published.register is None):
        return None
    agency = did_of_host(published.apply_to[programme.id])
    if once.epoch is None:
        return Counted(programme.title, agency, Counting(once.window, on.year), None, {})
    context = programme_context(agency, programme.id, period_of(once.window, on))
    link = group = None
    if once.group is not None and published.register is not None:
        link = _link(once.group, published.register, agency, now)
        group = CountedGroup(
            tuple(
                other.title
                for other in published.catalogue.all_in_force(on)
                if other.once is not None
                and other.once.group is not None
                and other.once.group.id == once.group.id
            ),
            published.register.did,
            Counting(once.group.window, on.year),
        )
    return Counted(
        programme.title,
        agency,
        Counting(once.window, on.year),
        group,
        {once.evidence: NymScope(context, link)},
    )


def _link(group: ExclusionGroup, register: RegisterKey, agency: str, now: int) -> LinkScope:
    context = group_context(register.did, group.id, period_of(group.window, seoul_day(now)))
    seal = partial(_seal, agency=agency, register=register)
    return LinkScope(context, seal)


def _seal(opening: LinkOpening, *, agency: str, register: RegisterKey) -> str:
    return seal_link(opening, agency, register.key)


def did_of_host(base_url: str) -> str:
    """Return the did:web of a host."""
    return "did:web:" + quote(urlsplit(base_url).netloc, safe="")
