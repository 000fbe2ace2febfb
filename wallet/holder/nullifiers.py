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
from wallet.eligibility.signed_catalogue import PublishedCatalogue, RegisterKey
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.exclusion import seal_link


def nullifier_scopes(
    published: PublishedCatalogue, query: DcqlQuery, agency: str, *, now: int
) -> dict[str, NymScope]:
    """Return the context by query id if `query` is that of a programme which `agency` decides on.

    Empty if it is none, or counts nobody, or counts a group and the catalogue names no register.
    """
    on = seoul_day(now)
    for programme in published.catalogue.all_in_force(on):
        once = programme.once
        if once is None or programme.query != query:
            continue
        if did_of_host(published.apply_to[programme.id]) != agency:
            continue
        context = programme_context(agency, programme.id, period_of(once.window, on))
        if once.group is None:
            return {once.evidence: NymScope(context)}
        if published.register is None:
            return {}
        link = _link(once.group, published.register, agency, now)
        return {once.evidence: NymScope(context, link)}
    return {}


def _link(group: ExclusionGroup, register: RegisterKey, agency: str, now: int) -> LinkScope:
    context = group_context(register.did, group.id, period_of(group.window, seoul_day(now)))
    seal = partial(_seal, agency=agency, register=register)
    return LinkScope(context, seal)


def _seal(opening: LinkOpening, *, agency: str, register: RegisterKey) -> str:
    return seal_link(opening, agency, register.key)


def did_of_host(base_url: str) -> str:
    """Return the did:web of a host."""
    return "did:web:" + quote(urlsplit(base_url).netloc, safe="")
