from datetime import date, timedelta

import pytest

from issuer.register.card_rule import (
    DISCLOSABLE_FAMILY_CARD_CLAIMS,
    FAMILY_CARD_CLAIMS,
    FAMILY_CARD_RULES,
    CardDecision,
    FamilyCardRule,
    NoRuleInForce,
    NotACardHolder,
    check_family_card,
    family_card_rule,
)
from issuer.register.model import ChildRelation, Family, GuardianRelation, RegistrationKind
from tests.unit.issuer.register.builders import (
    GYEONGGI_ADDRESS,
    OTHER_SEOUL_ADDRESS,
    SEOUL_ADDRESS,
    child,
    family,
    family_born,
    guardian,
)
from wallet.credentials.disclosure import make_disclosable
from wallet.credentials.sd_jwt import NEVER_DISCLOSABLE
from wallet.eligibility.days import birthday, last_day_at_age

ON = date(2026, 11, 22)
DAY = timedelta(days=1)
YOUNG = (date(2015, 5, 5), date(2018, 8, 8))


def decide(family: Family, on: date = ON) -> CardDecision:
    return check_family_card(family, on, family_card_rule(on))


def reasons(family: Family, on: date = ON) -> list[str]:
    return [reason.value for reason in decide(family, on).reasons]


def two_children(address=SEOUL_ADDRESS):
    return [child("C-1", YOUNG[0], address), child("C-2", YOUNG[1], address)]


class TestAgeOfTheYoungest:
    def test_grants_on_the_last_day_before_the_19th_birthday(self):
        assert reasons(family_born(date(2000, 1, 1), date(2007, 11, 23))) == []

    @pytest.mark.parametrize("born", [date(2007, 11, 22), date(2007, 11, 21)])
    def test_refuses_on_the_19th_birthday_and_after(self, born):
        assert reasons(family_born(date(2000, 1, 1), born)) == ["youngest_too_old"]

    def test_valid_until_is_the_last_day_granted(self):
        those = family_born(date(2000, 1, 1), date(2010, 3, 15))
        until = decide(those).card_of("G-1").valid_until
        assert until == date(2029, 3, 14)
        assert reasons(those, until) == []
        assert reasons(those, until + DAY) == ["youngest_too_old"]

    def test_born_on_29_february_is_18_through_28_february(self):
        those = family_born(date(2005, 1, 1), date(2008, 2, 29))
        assert reasons(those, date(2027, 2, 28)) == []
        assert decide(those).card_of("G-1").valid_until == date(2027, 2, 28)
        assert reasons(those, date(2027, 3, 1)) == ["youngest_too_old"]

    def test_a_birthday_in_a_leap_year_is_29_february_itself(self):
        assert birthday(date(2008, 2, 29), 4) == date(2012, 2, 29)
        assert birthday(date(2008, 2, 29), 19) == date(2027, 3, 1)
        assert last_day_at_age(date(2008, 3, 1), 18) == date(2027, 2, 28)

    def test_the_order_of_the_children_does_not_matter(self):
        births = (date(2007, 11, 22), date(2010, 1, 1))
        assert reasons(family_born(*births)) == reasons(family_born(*reversed(births))) == []

    def test_children_aged_20_and_15_are_enough(self):
        assert reasons(family_born(date(2006, 11, 1), date(2011, 11, 1))) == []

    def test_three_children_of_19_and_more_are_not(self):
        births = (date(2000, 1, 1), date(2003, 1, 1), date(2007, 1, 1))
        assert reasons(family_born(*births)) == ["youngest_too_old"]


class TestNumberOfChildren:
    def test_two_are_enough_and_one_is_not(self):
        assert reasons(family_born(*YOUNG)) == []
        assert reasons(family_born(YOUNG[0])) == ["too_few_children"]

    def test_no_children_is_too_few(self):
        assert reasons(family([guardian("G-1", SEOUL_ADDRESS)], [])) == ["too_few_children"]

    def test_a_child_counts_from_the_day_of_birth(self):
        those = family_born(YOUNG[0], ON)
        assert decide(those).card_of("G-1").child_count == 2
        assert reasons(those, ON - DAY) == ["too_few_children"]

    def test_an_only_child_of_19_gives_both_reasons(self):
        assert reasons(family_born(date(2000, 1, 1))) == ["too_few_children", "youngest_too_old"]

    def test_adopted_children_count(self):
        adopted = child("C-2", YOUNG[1], relation=ChildRelation.ADOPTED)
        those = family([guardian("G-1", SEOUL_ADDRESS)], [child("C-1", YOUNG[0]), adopted])
        assert decide(those).card_of("G-1").child_count == 2


class TestPlace:
    def test_one_parent_in_seoul_is_enough_and_only_that_one_holds_a_card(self):
        parents = [guardian("G-1", GYEONGGI_ADDRESS), guardian("G-2", SEOUL_ADDRESS)]
        decision = decide(family(parents, two_children()))
        assert list(decision.cards) == ["G-2"]
        with pytest.raises(NotACardHolder):
            decision.card_of("G-1")

    def test_both_parents_in_seoul_may_hold_a_card(self):
        parents = [guardian("G-1", SEOUL_ADDRESS), guardian("G-2", OTHER_SEOUL_ADDRESS)]
        assert list(decide(family(parents, two_children())).cards) == ["G-1", "G-2"]

    def test_different_addresses_in_seoul_are_fine(self):
        parents = [guardian("G-1", OTHER_SEOUL_ADDRESS)]
        assert reasons(family(parents, two_children())) == []

    def test_refuses_when_no_parent_is_in_seoul(self):
        parents = [guardian("G-1", GYEONGGI_ADDRESS), guardian("G-2", GYEONGGI_ADDRESS)]
        assert reasons(family(parents, two_children())) == ["parent_not_in_seoul"]

    def test_refuses_when_the_children_are_outside(self):
        those = family([guardian("G-1", SEOUL_ADDRESS)], two_children(GYEONGGI_ADDRESS))
        assert reasons(those) == ["child_not_in_seoul"]

    def test_refuses_when_one_child_is_outside(self):
        children = [*two_children(), child("C-3", date(2003, 1, 1), GYEONGGI_ADDRESS)]
        those = family([guardian("G-1", SEOUL_ADDRESS)], children)
        assert reasons(those) == ["child_not_in_seoul"]

    def test_gives_every_reason_that_applies(self):
        children = [child("C-1", date(2000, 1, 1), GYEONGGI_ADDRESS)]
        assert reasons(family([guardian("G-1", GYEONGGI_ADDRESS)], children)) == [
            "too_few_children",
            "youngest_too_old",
            "parent_not_in_seoul",
            "child_not_in_seoul",
        ]


class TestWhatTheRegisterDoesNotKnow:
    def test_a_child_without_registration_is_not_a_no(self):
        children = [child("C-1", YOUNG[0]), child("C-2", YOUNG[1], None)]
        those = family([guardian("G-1", SEOUL_ADDRESS)], children)
        assert reasons(those) == ["register_incomplete"]

    @pytest.mark.parametrize("known", [[], [GYEONGGI_ADDRESS]])
    def test_a_parent_without_registration_could_be_the_one_in_seoul(self, known):
        parents = [guardian(f"G-{n}", address) for n, address in enumerate([None, *known])]
        assert reasons(family(parents, two_children())) == ["register_incomplete"]

    def test_an_unknown_parent_does_not_matter_beside_one_in_seoul(self):
        parents = [guardian("G-1", None), guardian("G-2", SEOUL_ADDRESS)]
        assert list(decide(family(parents, two_children())).cards) == ["G-2"]

    def test_a_family_without_a_guardian_is_incomplete(self):
        assert reasons(family([], two_children())) == ["register_incomplete"]

    def test_what_is_missing_is_not_asked_for_when_it_could_not_help(self):
        children = [child("C-1", YOUNG[0], None)]
        those = family([guardian("G-1", None)], children)
        assert reasons(those) == ["too_few_children"]


class TestWhoHolds:
    @pytest.mark.parametrize(
        ("relation", "role"),
        [
            (GuardianRelation.PARENT, "parent"),
            (GuardianRelation.ADOPTIVE_PARENT, "parent"),
            (GuardianRelation.GRANDPARENT_GUARDIAN, "guardian"),
        ],
    )
    def test_the_role_follows_the_relation(self, relation, role):
        those = family([guardian("G-1", SEOUL_ADDRESS, relation)], two_children())
        assert decide(those).card_of("G-1").to_json()["holder_role"] == role

    def test_registered_foreigners_count(self):
        foreigner = RegistrationKind.FOREIGNER
        children = [child(f"C-{n}", day, kind=foreigner) for n, day in enumerate(YOUNG)]
        those = family([guardian("G-1", SEOUL_ADDRESS, kind=foreigner)], children)
        assert decide(those).granted

    def test_nobody_holds_a_card_that_was_refused(self):
        with pytest.raises(NotACardHolder):
            decide(family_born(YOUNG[0])).card_of("G-1")


class TestClaims:
    def test_they_say_what_a_verifier_needs_and_no_birth_date(self):
        claims = decide(family_born(*YOUNG)).card_of("G-1").to_json()
        assert claims == {
            "seoul_resident": True,
            "child_count": 2,
            "youngest_birth_month": "2018-08",
            "valid_until": "2037-08-07",
            "holder_role": "parent",
            "name": "견본부모",
        }
        assert tuple(claims) == FAMILY_CARD_CLAIMS

    def test_every_one_can_be_withheld(self):
        claims = decide(family_born(*YOUNG)).card_of("G-1").to_json()
        made = make_disclosable(claims, DISCLOSABLE_FAMILY_CARD_CLAIMS)
        assert len(made.disclosures) == len(FAMILY_CARD_CLAIMS)
        assert set(made.signed_claims) == {"_sd", "_sd_alg"}
        assert not NEVER_DISCLOSABLE & set(FAMILY_CARD_CLAIMS)


class TestVersions:
    def test_the_bound_was_13_until_june_2023(self):
        those = family_born(date(2005, 1, 1), date(2009, 6, 30))
        assert reasons(those, date(2023, 6, 29)) == []
        assert reasons(those, date(2023, 6, 30)) == ["youngest_too_old"]
        assert reasons(those, date(2023, 7, 1)) == []

    def test_under_the_former_bound_13_is_young_enough_and_14_is_not(self):
        those = family_born(date(2005, 1, 1), date(2009, 6, 15))
        assert reasons(those, date(2023, 6, 14)) == []
        assert reasons(those, date(2023, 6, 15)) == ["youngest_too_old"]
        assert decide(those, date(2023, 6, 14)).rule_version == "until-2023-06"

    def test_exactly_one_version_is_in_force_on_every_day(self):
        assert family_card_rule(date(2023, 6, 30)) is FAMILY_CARD_RULES[0]
        assert family_card_rule(date(2023, 7, 1)) is FAMILY_CARD_RULES[1]

    def test_refuses_to_choose_between_two_or_none(self):
        with pytest.raises(NoRuleInForce):
            family_card_rule(ON, FAMILY_CARD_RULES[:1])
        with pytest.raises(NoRuleInForce):
            family_card_rule(ON, [FAMILY_CARD_RULES[1]] * 2)

    def test_refuses_to_decide_by_a_version_that_is_not_in_force(self):
        with pytest.raises(NoRuleInForce):
            check_family_card(family_born(*YOUNG), ON, FAMILY_CARD_RULES[0])

    def test_both_ends_of_a_version_are_inclusive(self):
        rule = FamilyCardRule("v", ON, ON + DAY, youngest_age_limit=18)
        in_force = [rule.is_in_force(ON + n * DAY) for n in (-1, 0, 1, 2)]
        assert in_force == [False, True, True, False]
