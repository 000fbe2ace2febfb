"""Who is whose guardian, on the days around the 14th and the 19th birthday."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from issuer.register.guardianship_rule import GuardianshipRefusal, check_guardianship
from issuer.register.model import Family, GuardianRelation, Registration
from tests.support.family_town import (
    CHOI,
    FATHER,
    INFANT,
    KIM,
    MINOR_PARENT,
    MOTHER,
    TEEN,
    YOUNG,
    families,
)

BY_ID = {item.family_id: item for item in families()}


def family_with(born: date) -> Family:
    """The first family, its younger child born on that day."""
    known = BY_ID[KIM]
    child = replace(known.children[0], person=replace(known.children[0].person, birth_date=born))
    return replace(known, children=(child, *known.children[1:]))


@pytest.mark.parametrize(
    ("on", "alone", "last_day"),
    [
        (date(2012, 5, 6), True, date(2026, 5, 5)),
        (date(2026, 5, 5), True, date(2026, 5, 5)),
        (date(2026, 5, 6), False, date(2031, 5, 5)),
        (date(2031, 5, 5), False, date(2031, 5, 5)),
    ],
)
def test_alone_to_the_eve_of_14_and_jointly_to_the_eve_of_19(
    on: date, alone: bool, last_day: date
) -> None:
    grant = check_guardianship(BY_ID[KIM], MOTHER, YOUNG, on).grant
    assert grant is not None
    assert (grant.acts_alone, grant.last_day) == (alone, last_day)


def test_on_the_19th_birthday_there_is_none() -> None:
    decision = check_guardianship(BY_ID[KIM], MOTHER, YOUNG, date(2031, 5, 6))
    assert (decision.grant, decision.reasons) == (None, (GuardianshipRefusal.OF_AGE,))


def test_who_was_born_on_the_leap_day_turns_14_on_the_first_of_march() -> None:
    family = family_with(date(2012, 2, 29))
    eve = check_guardianship(family, MOTHER, YOUNG, date(2026, 2, 28)).grant
    day = check_guardianship(family, MOTHER, YOUNG, date(2026, 3, 1)).grant
    assert (eve and eve.acts_alone, day and day.acts_alone) == (True, False)


def test_before_birth_there_is_none() -> None:
    decision = check_guardianship(family_with(date(2027, 1, 1)), MOTHER, YOUNG, date(2026, 5, 1))
    assert decision.reasons == (GuardianshipRefusal.NOT_BORN,)


def test_where_anybody_is_registered_changes_nothing() -> None:
    known, on = BY_ID[KIM], date(2020, 1, 1)
    nowhere: Registration | None = None
    moved = replace(
        known, guardians=tuple(replace(item, registration=nowhere) for item in known.guardians)
    )
    for guardian in (MOTHER, FATHER):
        assert check_guardianship(moved, guardian, YOUNG, on) == check_guardianship(
            known, guardian, YOUNG, on
        )


@pytest.mark.parametrize("relation", list(GuardianRelation))
def test_every_relation_of_the_register_gives_the_right(relation: GuardianRelation) -> None:
    known = BY_ID[KIM]
    family = replace(
        known, guardians=tuple(replace(item, relation=relation) for item in known.guardians)
    )
    grant = check_guardianship(family, MOTHER, YOUNG, date(2020, 1, 1)).grant
    assert grant is not None
    assert grant.relation is relation


def test_a_parent_under_19_has_none_and_one_of_19_has() -> None:
    family = BY_ID[CHOI]
    refused = check_guardianship(family, MINOR_PARENT, INFANT, date(2027, 8, 31))
    assert refused.reasons == (GuardianshipRefusal.GUARDIAN_UNDER_AGE,)
    assert check_guardianship(family, MINOR_PARENT, INFANT, date(2027, 9, 1)).grant is not None


def test_every_reason_is_told() -> None:
    decision = check_guardianship(BY_ID[KIM], "SYN-P-NOBODY", TEEN, date(2026, 5, 6))
    assert decision.reasons == (GuardianshipRefusal.NOT_A_GUARDIAN, GuardianshipRefusal.OF_AGE)
