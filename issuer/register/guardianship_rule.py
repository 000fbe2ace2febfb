"""Who is whose guardian, and how they act: the rule of the guardianship certificate. Pure.

Parental authority and guardianship follow from family relations alone (민법 §909, §928): where
anybody is registered, in one household or several, in Seoul or by 외국인등록, changes nothing, and
adoption makes a parent. A register that lists only those with parental authority is assumed. Who
is of age at 19 (민법 §4) needs no guardian; a parent who is not yet of age has no certificate,
since their own parents act for them (민법 §910). That a child of 14 takes part is the
city's rule for its services, as example data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from issuer.register.model import Family, GuardianRelation
from wallet.eligibility.days import birthday, last_day_at_age

AGE_OF_TAKING_PART: Final = 14
AGE_OF_MAJORITY: Final = 19


class GuardianshipRefusal(StrEnum):
    """Why no certificate is granted. The values are stable."""

    NOT_A_GUARDIAN = "not_a_guardian"
    NOT_A_CHILD = "not_a_child_of_this_family"
    OF_AGE = "child_is_of_age"
    GUARDIAN_UNDER_AGE = "guardian_is_under_age"
    NOT_BORN = "child_is_not_born"
    MUST_HOLD_OWN = "child_holds_its_own"


@dataclass(frozen=True, slots=True)
class GuardianshipGrant:
    """A guardianship as of a day. `last_day` is the last on which it is as it says."""

    relation: GuardianRelation
    guardian_name: str
    child_name: str
    acts_alone: bool
    last_day: date


@dataclass(frozen=True, slots=True)
class GuardianshipDecision:
    """The grant, or every reason against one."""

    grant: GuardianshipGrant | None
    reasons: tuple[GuardianshipRefusal, ...] = ()


def check_guardianship(
    family: Family, guardian_id: str, child_id: str, on: date
) -> GuardianshipDecision:
    """Decide whether `guardian_id` is the child's guardian on that day, and how they act.

    Does not check that the people are alive or that a court has not taken custody away: the
    register lists who has parental authority.
    """
    guardian = next(
        (item for item in family.guardians if item.person.register_id == guardian_id), None
    )
    child = next((item for item in family.children if item.person.register_id == child_id), None)
    reasons = []
    if guardian is None:
        reasons.append(GuardianshipRefusal.NOT_A_GUARDIAN)
    elif on < birthday(guardian.person.birth_date, AGE_OF_MAJORITY):
        reasons.append(GuardianshipRefusal.GUARDIAN_UNDER_AGE)
    if child is None:
        reasons.append(GuardianshipRefusal.NOT_A_CHILD)
    elif on < child.person.birth_date:
        reasons.append(GuardianshipRefusal.NOT_BORN)
    elif on >= birthday(child.person.birth_date, AGE_OF_MAJORITY):
        reasons.append(GuardianshipRefusal.OF_AGE)
    if guardian is None or child is None or reasons:
        return GuardianshipDecision(None, tuple(reasons))
    born = child.person.birth_date
    alone = on < birthday(born, AGE_OF_TAKING_PART)
    limit = AGE_OF_TAKING_PART if alone else AGE_OF_MAJORITY
    return GuardianshipDecision(
        GuardianshipGrant(
            guardian.relation,
            guardian.person.name,
            child.person.name,
            alone,
            last_day_at_age(born, limit - 1),
        )
    )
