"""Guardianship: joining what the city says of a guardian with a credential about the child.

The city issues both. They name the child by its identifier in one sector, which the verifier asks
for in both; a verifier of another sector learns another identifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.credentials.jose import claim_time
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError
from wallet.verification.acting import (
    ActedFor,
    Right,
    is_held_by_guardian,
    key_pairwise_id,
    pairwise_id,
)
from wallet.verification.pipeline import VerifiedPresentation

WARD: Final = "ward"
SECTOR_ID: Final = "sector_id"
ACTS: Final = "acts"
RELATION: Final = "relation"
CHILD_NAME: Final = "child_name"


class GuardianActs(StrEnum):
    """How a guardian acts: alone until the child is 14, with the child from then until 19."""

    ALONE = "alone"
    JOINTLY = "jointly"


class WardMismatch(RejectedError):
    """The credential is about another child than the guardianship, or neither says which."""

    code = "ward_mismatch"


class GuardianshipEnded(RejectedError):
    """The last day of the guardianship, or of acting alone, has passed."""

    code = "guardianship_ended"


class WardMustTakePart(RejectedError):
    """The child is 14 or older: the guardian does not act alone any more."""

    code = "ward_must_take_part"


def check_guardianships(
    credentials: Sequence[VerifiedPresentation],
    guardianships: Sequence[VerifiedPresentation],
    *,
    audience: str,
    now: int,
) -> tuple[VerifiedPresentation, ...]:
    """Return `credentials`, those about a ward with who acted for whom.

    Every guardianship is about a child that one of the credentials is about, and every credential
    that a guardian holds has one. Both passed every step, accreditation and status included;
    they may be bound to different keys. Raises `WardMismatch`, `GuardianshipEnded`,
    `WardMustTakePart`.
    """
    used: set[int] = set()
    checked = []
    for item in credentials:
        matching = [at for at, one in enumerate(guardianships) if _is_about_same(item, one)]
        if not matching and is_held_by_guardian(item.claims):
            raise WardMismatch("no guardianship was shown for the child that this is about")
        if matching:
            used.add(matching[0])
            guardianship = guardianships[matching[0]]
            item = replace(item, acted_for=_acted_for(item, guardianship, audience, now))
        checked.append(item)
    if len(used) < len(guardianships):
        raise WardMismatch("a guardianship was shown for a child that nothing here is about")
    return tuple(checked)


def shared_ward(credential: JsonObject, guardianship: JsonObject) -> str | None:
    """Return by what both name the child, as `sector:identifier`; None if they do not agree.

    Where both show several sectors, all must agree.
    """
    about, ward = credential.get(SECTOR_ID), guardianship.get(WARD)
    if not isinstance(about, Mapping) or not isinstance(ward, Mapping):
        return None
    common = sorted(about.keys() & ward.keys())
    pairs: list[tuple[Any, Any]] = [(about[name], ward[name]) for name in common]
    if not pairs or any(type(one) is not str or one != other for one, other in pairs):
        return None
    return f"{common[0]}:{about[common[0]]}"


def _is_about_same(item: VerifiedPresentation, guardianship: VerifiedPresentation) -> bool:
    return guardianship.vct == GUARDIANSHIP_TYPE and (
        shared_ward(item.claims, guardianship.claims) is not None
    )


def _acted_for(
    item: VerifiedPresentation, guardianship: VerifiedPresentation, audience: str, now: int
) -> ActedFor:
    claims = guardianship.claims
    ends_at = claim_time(claims, "exp", required=True) or 0
    # To the second: clocks that differ must not lengthen the last day.
    if now >= ends_at:
        raise GuardianshipEnded("the guardianship, or acting alone, has ended")
    if guardianship.holder_key is None:
        raise WardMismatch("a guardian proves possession of the guardianship")
    held = is_held_by_guardian(item.claims)
    if held and claims.get(ACTS) != GuardianActs.ALONE:
        raise WardMustTakePart("the child is 14 or older and must take part")
    relation = claims.get(RELATION)
    return ActedFor(
        Right.GUARDIANSHIP,
        person=pairwise_id(audience, "ward:" + (shared_ward(item.claims, claims) or "")),
        actor=key_pairwise_id(audience, guardianship.holder_key),
        relation=relation if type(relation) is str else None,
        jointly=not held,
    )
