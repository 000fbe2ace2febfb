"""Who gets a multi-child family card (다둥이 행복카드), and what the card says. Pure.

The rule as Seoul publishes it: two or more children, the youngest 18 or under, one parent or
guardian and the children registered in Seoul, at one address or several; adopted children,
children raised by grandparents and people with 외국인등록 count. The bound on the youngest was
13 until June 2023. The versions below are example data from public pages, not the ordinance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from issuer.register.model import Child, Family, Guardian, GuardianRelation
from wallet.eligibility.days import last_day_at_age
from wallet.errors import MalformedError, RejectedError

FAMILY_CARD_TYPE: Final = "urn:seoul-wallet:multi-child-family-card:1"

SEOUL_RESIDENT: Final = "seoul_resident"
CHILD_COUNT: Final = "child_count"
YOUNGEST_BIRTH_MONTH: Final = "youngest_birth_month"
VALID_UNTIL: Final = "valid_until"
HOLDER_ROLE: Final = "holder_role"
NAME: Final = "name"
FAMILY_CARD_CLAIMS: Final = (
    SEOUL_RESIDENT,
    CHILD_COUNT,
    YOUNGEST_BIRTH_MONTH,
    VALID_UNTIL,
    HOLDER_ROLE,
    NAME,
)
# Every one, each on its own: `valid_until` alone tells a child's birthday, so a gate that only
# asks for residence and the number of children must not have to see it.
DISCLOSABLE_FAMILY_CARD_CLAIMS: Final = tuple((claim,) for claim in FAMILY_CARD_CLAIMS)


class NoRuleInForce(MalformedError):
    """No version of the rule is in force on the day asked, or the version given is not."""

    code = "no_rule_in_force"


class NotACardHolder(RejectedError):
    """The person is not a parent or guardian of the family who is registered in Seoul."""

    code = "not_a_card_holder"


class RefusalReason(StrEnum):
    """Why no card is granted. The values are stable.

    `REGISTER_INCOMPLETE` is no verdict about the family: a fact that decides is missing, and the
    document that shows it is needed. It is given alone, since beside another reason the missing
    fact could not change the outcome.
    """

    TOO_FEW_CHILDREN = "too_few_children"
    YOUNGEST_TOO_OLD = "youngest_too_old"
    PARENT_NOT_IN_SEOUL = "parent_not_in_seoul"
    CHILD_NOT_IN_SEOUL = "child_not_in_seoul"
    REGISTER_INCOMPLETE = "register_incomplete"


class HolderRole(StrEnum):
    """As what a holder carries the family's card."""

    PARENT = "parent"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class FamilyCardRule:
    """One version of the rule. Both days of the period are inclusive; None means open.

    `youngest_age_limit` is the highest age, in full years, that the youngest child may have.
    """

    version: str
    in_force_from: date | None
    in_force_until: date | None
    youngest_age_limit: int
    min_children: int = 2

    def is_in_force(self, on: date) -> bool:
        return (self.in_force_from is None or self.in_force_from <= on) and (
            self.in_force_until is None or on <= self.in_force_until
        )


FAMILY_CARD_RULES: Final = (
    FamilyCardRule("until-2023-06", None, date(2023, 6, 30), youngest_age_limit=13),
    FamilyCardRule("from-2023-07", date(2023, 7, 1), None, youngest_age_limit=18),
)


def family_card_rule(
    on: date, rules: Iterable[FamilyCardRule] = FAMILY_CARD_RULES
) -> FamilyCardRule:
    """Return the one version in force on that day. Raises `NoRuleInForce`, also for two."""
    in_force = [rule for rule in rules if rule.is_in_force(on)]
    if len(in_force) != 1:
        raise NoRuleInForce(f"{len(in_force)} versions of the rule are in force on that day")
    return in_force[0]


@dataclass(frozen=True, slots=True)
class FamilyCardClaims:
    """What the card of one holder says: enough for a verifier that needs no birth dates."""

    child_count: int
    youngest_birth_month: str
    valid_until: date
    holder_role: HolderRole
    name: str

    def to_json(self) -> dict[str, bool | int | str]:
        """Return the claims under the names of `FAMILY_CARD_CLAIMS`."""
        return {
            SEOUL_RESIDENT: True,  # a card is granted on no other terms
            CHILD_COUNT: self.child_count,
            YOUNGEST_BIRTH_MONTH: self.youngest_birth_month,
            VALID_UNTIL: self.valid_until.isoformat(),
            HOLDER_ROLE: self.holder_role.value,
            NAME: self.name,
        }


@dataclass(frozen=True, slots=True)
class CardDecision:
    """The outcome for a family on a day under a version: cards by holder, or reasons.

    Exactly one of `cards` (by register id) and `reasons` is empty. `reasons` are all that apply,
    in the order of `RefusalReason`.
    """

    family_id: str
    on: date
    rule_version: str
    cards: Mapping[str, FamilyCardClaims]
    reasons: tuple[RefusalReason, ...]

    @property
    def granted(self) -> bool:
        return not self.reasons

    def card_of(self, register_id: str) -> FamilyCardClaims:
        """Return the claims of one holder. Raises `NotACardHolder`, also when refused."""
        if register_id not in self.cards:
            raise NotACardHolder("the person does not hold a card of this family")
        return self.cards[register_id]


def check_family_card(family: Family, on: date, rule: FamilyCardRule) -> CardDecision:
    """Decide whether the family gets cards on that day; each Seoul guardian may hold one.

    Children born after `on` are not counted; children of any age are. Every child counted must
    be registered in Seoul. Raises `NoRuleInForce` if `rule` is not in force on `on`. Does not
    check that the people are alive, that guardianship still stands, or that the register is
    current.
    """
    if not rule.is_in_force(on):
        raise NoRuleInForce("this version of the rule is not in force on that day")
    children = [child for child in family.children if child.person.birth_date <= on]
    reasons = set(_reasons_of_children(children, on, rule))
    reasons |= set(_reasons_of_registrations(family.guardians, children))
    if len(reasons) > 1:
        reasons.discard(RefusalReason.REGISTER_INCOMPLETE)
    if reasons:
        ordered = tuple(reason for reason in RefusalReason if reason in reasons)
        return CardDecision(family.family_id, on, rule.version, {}, ordered)
    youngest = max(child.person.birth_date for child in children)
    cards = {
        guardian.person.register_id: FamilyCardClaims(
            child_count=len(children),
            youngest_birth_month=f"{youngest:%Y-%m}",
            valid_until=last_day_at_age(youngest, rule.youngest_age_limit),
            holder_role=_role(guardian),
            name=guardian.person.name,
        )
        for guardian in family.guardians
        if _in_seoul(guardian)
    }
    return CardDecision(family.family_id, on, rule.version, cards, ())


def _reasons_of_children(
    children: list[Child], on: date, rule: FamilyCardRule
) -> Iterable[RefusalReason]:
    if len(children) < rule.min_children:
        yield RefusalReason.TOO_FEW_CHILDREN
    if children:
        youngest = max(child.person.birth_date for child in children)
        if on > last_day_at_age(youngest, rule.youngest_age_limit):
            yield RefusalReason.YOUNGEST_TOO_OLD


def _reasons_of_registrations(
    guardians: tuple[Guardian, ...], children: list[Child]
) -> Iterable[RefusalReason]:
    places = [_in_seoul(guardian) for guardian in guardians]
    if True not in places:
        unknown = None in places or not places
        yield (RefusalReason.REGISTER_INCOMPLETE if unknown else RefusalReason.PARENT_NOT_IN_SEOUL)
    places = [_in_seoul(child) for child in children]
    if False in places:
        yield RefusalReason.CHILD_NOT_IN_SEOUL
    elif None in places:
        yield RefusalReason.REGISTER_INCOMPLETE


def _in_seoul(member: Guardian | Child) -> bool | None:
    """None: the register does not know."""
    if member.registration is None:
        return None
    return member.registration.household.address.is_in_seoul


def _role(guardian: Guardian) -> HolderRole:
    if guardian.relation is GuardianRelation.GRANDPARENT_GUARDIAN:
        return HolderRole.GUARDIAN
    return HolderRole.PARENT
