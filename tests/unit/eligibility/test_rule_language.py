"""The rule language: three-valued logic, calendar limits, and what is said about an unknown."""

from datetime import date
from typing import Any, Literal
from unicodedata import normalize

import pytest

from tests.support.programmes import programme
from wallet.eligibility.clauses import ElapsedTest, FactValues, IncomeTest, Lacking, Unit, Window
from wallet.eligibility.days import add_months, birthday, last_day_at_age, parse_day, seoul_day
from wallet.eligibility.decision import Outcome, ProgrammeNotInForce, evaluate
from wallet.eligibility.evidence_types import FactType
from wallet.eligibility.median_income import MedianIncomeUnknown, median_incomes
from wallet.eligibility.ranking import Applicant, assign_places
from wallet.eligibility.reasons import Cause
from wallet.eligibility.rule import AllOf, AnyOf, Clause, IfElse, Leaf, Named, Not

ON = date(2023, 6, 1)
RENT: dict[str, Any] = {
    "resident": {"birth_date": "1995-01-01", "seoul_resident": True},
    "lease": {"owns_home": False, "deposit_won": 1, "monthly_rent_won": 1},
    "income": {"median_year": 2023, "percent_over": 100, "percent_up_to": 120},
    "receipts": {"as_of": "2023-05-20", "received": {"youth-rent": []}},
}


class _Is:
    def __init__(self, key: str) -> None:
        self.key = key

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        value: bool | None = facts.get(self.key)
        return (self.key,) if value is None else value


def leaf(key: str) -> Leaf:
    return Leaf(Named(key, f"no_{key}"), _Is(key))


TRUTHS = (True, False, None)


def _truth(clause: Clause, **facts: bool | None) -> bool | None:
    known = {name: value for name, value in facts.items() if value is not None}
    return clause.evaluate(known, ON).truth


@pytest.mark.parametrize("a", TRUTHS)
@pytest.mark.parametrize("b", TRUTHS)
def test_groups_follow_the_tables_of_kleene(a: bool | None, b: bool | None) -> None:
    both, either = AllOf((leaf("a"), leaf("b"))), AnyOf((leaf("a"), leaf("b")))
    values = {a, b}
    conjunction = False if False in values else None if None in values else True
    disjunction = True if True in values else None if None in values else False
    assert _truth(both, a=a, b=b) is conjunction
    assert _truth(either, a=a, b=b) is disjunction
    negated = Not(leaf("a"), Named("not-a", "a_holds"))
    assert _truth(negated, a=a) is (None if a is None else not a)


@pytest.mark.parametrize("condition", TRUTHS)
@pytest.mark.parametrize("then", TRUTHS)
@pytest.mark.parametrize("otherwise", TRUTHS)
def test_an_unknown_condition_matters_only_where_the_branches_differ(
    condition: bool | None, then: bool | None, otherwise: bool | None
) -> None:
    clause = IfElse(leaf("c"), leaf("t"), leaf("o"))
    expected = then if condition else otherwise
    if condition is None:
        expected = then if then is otherwise else None
    assert _truth(clause, c=condition, t=then, o=otherwise) is expected


class _Counted(_Is):
    visits = 0

    def check(self, facts: FactValues, on: date) -> bool | Lacking:
        type(self).visits += 1
        return super().check(facts, on)


@pytest.mark.parametrize("value", TRUTHS)
def test_evaluation_visits_every_clause_at_most_once(value: bool | None) -> None:
    def counted(name: str) -> Leaf:
        return Leaf(Named(name, "no"), _Counted("a"))

    members: list[Clause] = [counted(f"l{at}") for at in range(20)]
    for depth in range(5):
        group = AllOf if depth % 2 else AnyOf
        members = [
            group(tuple(members)),
            IfElse(counted(f"c{depth}"), counted(f"t{depth}"), counted(f"e{depth}")),
            Not(counted(f"n{depth}"), Named(f"not{depth}", "no")),
        ]
    _Counted.visits = 0
    AllOf(tuple(members)).evaluate({} if value is None else {"a": value}, ON)
    assert 0 < _Counted.visits <= 20 + 5 * 4


def test_a_false_member_decides_and_unknown_ones_are_not_asked_for() -> None:
    evaluation = evaluate(
        programme("youth-rent@2023"),
        {"resident": {"birth_date": "1950-01-01", "seoul_resident": False}},
        ON,
    )
    assert evaluation.outcome is Outcome.NOT_ELIGIBLE
    assert [reason.code for reason in evaluation.reasons] == ["age_out_of_range", "not_in_seoul"]
    assert evaluation.decided_by == ("age", "seoul")
    assert evaluation.missing == ()


@pytest.mark.parametrize("evidence", RENT)
def test_missing_evidence_is_unknown_and_names_the_document(evidence: str) -> None:
    held = {name: value for name, value in RENT.items() if name != evidence}
    evaluation = evaluate(programme("youth-rent@2023"), held, ON)
    assert evaluation.outcome is Outcome.UNKNOWN
    assert [item.evidence for item in evaluation.missing] == [evidence]
    (document,) = evaluation.missing
    assert document.cause is Cause.DOCUMENT_MISSING
    assert document.document.ko
    assert document.obtain_at.en
    assert {reason.code for reason in evaluation.reasons} == {"document_missing"}


def test_nothing_at_all_is_unknown() -> None:
    evaluation = evaluate(programme("youth-rent@2023"), {}, ON)
    assert evaluation.outcome is Outcome.UNKNOWN
    assert {item.evidence for item in evaluation.missing} == set(RENT)


def test_everything_in_place_is_eligible_by_every_clause() -> None:
    evaluation = evaluate(programme("youth-rent@2023"), RENT, ON)
    assert evaluation.outcome is Outcome.ELIGIBLE
    assert evaluation.reasons == ()
    assert set(evaluation.decided_by) == {
        "age",
        "seoul",
        "no-home",
        "deposit",
        "rent",
        "income",
        "once",
    }


@pytest.mark.parametrize(
    ("evidence", "claims", "cause"),
    [
        ("income", {"median_year": 2022, "percent_over": 0, "percent_up_to": 30}, "not_precise"),
        (
            "income",
            {"median_year": 2023, "percent_over": 120, "percent_up_to": 180},
            "not_precise",
        ),
        ("lease", {"owns_home": "no", "deposit_won": 1, "monthly_rent_won": 1}, "fact_unreadable"),
        (
            "lease",
            {"owns_home": False, "deposit_won": 1.0, "monthly_rent_won": 1},
            "fact_unreadable",
        ),
        (
            "lease",
            {"owns_home": False, "deposit_won": True, "monthly_rent_won": 1},
            "fact_unreadable",
        ),
        ("resident", {"birth_date": "1995-02-30", "seoul_resident": True}, "fact_unreadable"),
        ("receipts", {"as_of": "2023-05-20", "received": ["youth-rent"]}, "document_missing"),
        (
            "receipts",
            {"as_of": "2023-05-20", "received": {"youth-rent": "none"}},
            "fact_unreadable",
        ),
        ("receipts", {"as_of": None, "received": {"youth-rent": []}}, "fact_unreadable"),
        ("receipts", {"as_of": "2023-01-20", "received": {"youth-rent": []}}, "facts_too_old"),
    ],
)
def test_what_the_document_does_not_say_is_unknown_and_says_why(
    evidence: str, claims: dict[str, Any], cause: str
) -> None:
    evaluation = evaluate(programme("youth-rent@2023"), {**RENT, evidence: claims}, ON)
    assert evaluation.outcome is Outcome.UNKNOWN
    assert [item.cause.value for item in evaluation.missing] == [cause]


def test_why_evidence_could_not_be_used_is_passed_on() -> None:
    held = {name: value for name, value in RENT.items() if name != "lease"}
    evaluation = evaluate(
        programme("youth-rent@2023"), held, ON, unusable={"lease": Cause.FACTS_TOO_OLD}
    )
    assert [reason.code for reason in evaluation.reasons] == ["facts_too_old"] * 3
    assert [item.cause for item in evaluation.missing] == [Cause.FACTS_TOO_OLD]


def test_a_version_that_is_not_in_force_decides_nothing() -> None:
    with pytest.raises(ProgrammeNotInForce):
        evaluate(programme("youth-rent@2023"), RENT, date(2024, 1, 1))


def test_military_service_is_asked_for_only_where_it_matters() -> None:
    found = programme("climate-card-youth@2025")
    on = date(2025, 6, 1)
    young, old, between = "1995-01-01", "1970-01-01", "1985-01-01"
    assert evaluate(found, {"resident": {"birth_date": young}}, on).outcome is Outcome.ELIGIBLE
    assert evaluate(found, {"resident": {"birth_date": old}}, on).outcome is Outcome.NOT_ELIGIBLE
    open_one = evaluate(found, {"resident": {"birth_date": between}}, on)
    assert open_one.outcome is Outcome.UNKNOWN
    assert [item.evidence for item in open_one.missing] == ["military"]


def test_an_earlier_recipient_has_the_lower_limit_and_an_unknown_history_may_not_matter() -> None:
    found, on = programme("culture-pass@2025"), date(2025, 6, 1)
    resident = {"birth_date": "2004-01-01", "seoul_resident": True}
    middle = {"median_year": 2025, "percent_over": 120, "percent_up_to": 150}
    rich = {"median_year": 2025, "percent_over": 150, "percent_up_to": 180}
    new = {"as_of": "2025-05-20", "received": {"culture-pass": []}}
    again = {"as_of": "2025-05-20", "received": {"culture-pass": ["2024-03-01"]}}

    def outcome(**held: Any) -> Outcome:
        return evaluate(found, {"resident": resident, **held}, on).outcome

    assert outcome(income=middle, receipts=new) is Outcome.ELIGIBLE
    assert outcome(income=middle, receipts=again) is Outcome.NOT_ELIGIBLE
    assert outcome(income=middle) is Outcome.UNKNOWN
    assert outcome(income=rich) is Outcome.NOT_ELIGIBLE


@pytest.mark.parametrize("role", ["parent", "adoptive_parent", "grandparent_guardian"])
def test_split_adoptive_and_grandparent_families_get_the_card(role: str) -> None:
    family = {
        "role": role,
        "guardian_in_seoul": True,
        "children_in_seoul": True,
        "child_count": 3,
        "youngest_birth_date": "2015-01-01",
        "same_household": False,
    }
    found = programme("multi-child-card@from-2023-07")
    assert evaluate(found, {"family": family}, date(2024, 1, 1)).outcome is Outcome.ELIGIBLE
    stranger = {**family, "role": "neighbour"}
    refused = evaluate(found, {"family": stranger}, date(2024, 1, 1))
    assert [reason.code for reason in refused.reasons] == ["not_a_guardian"]


@pytest.mark.parametrize(
    ("youngest", "outcome"), [("2009-01-01", "eligible"), ("2004-01-01", "not_eligible")]
)
def test_the_published_examples_of_the_card(youngest: str, outcome: str) -> None:
    # Ages 20 and 15: entitled. Three children, all 19 or over: not.
    family = {
        "role": "parent",
        "guardian_in_seoul": True,
        "children_in_seoul": True,
        "child_count": 2 if outcome == "eligible" else 3,
        "youngest_birth_date": youngest,
    }
    found = programme("multi-child-card@from-2023-07")
    assert evaluate(found, {"family": family}, date(2024, 1, 2)).outcome.value == outcome


def test_places_go_to_newcomers_first_and_then_to_the_lowest_income() -> None:
    found = programme("culture-pass@2025")
    assert found.quota is not None

    def applicant(name: str, at: int, percent: int, *received: str) -> Applicant:
        claims = {
            "resident": {"birth_date": "2004-01-01", "seoul_resident": True},
            "income": {"median_year": 2025, "percent_over": 0, "percent_up_to": percent},
            "receipts": {"as_of": "2025-05-20", "received": {"culture-pass": list(received)}},
        }
        evaluation = evaluate(found, claims, date(2025, 6, 1))
        assert evaluation.rank_key is not None
        return Applicant(name, at, evaluation.rank_key)

    entitled = [
        applicant("again-poor", 1, 30, "2024-03-01"),
        applicant("new-late", 3, 100),
        applicant("new-early", 2, 100),
        applicant("new-poor", 4, 60),
    ]
    order = [item.application for item in assign_places(found.quota, entitled)]
    assert order == ["new-poor", "new-early", "new-late", "again-poor"]


def test_days_of_the_calendar() -> None:
    leap = date(2004, 2, 29)
    assert birthday(leap, 19) == date(2023, 3, 1)
    assert last_day_at_age(leap, 18) == date(2023, 2, 28)
    assert add_months(date(2023, 8, 31), 6) == date(2024, 2, 29)
    assert add_months(date(2024, 1, 15), -1) == date(2023, 12, 15)
    assert parse_day("2023-02-29") is None
    assert parse_day("20230228") is None
    assert parse_day("1899-12-31") is None
    assert seoul_day(1_672_498_799) == date(2022, 12, 31)
    assert seoul_day(1_672_498_800) == date(2023, 1, 1)


@pytest.mark.parametrize(
    ("unit", "first"),
    [
        ("days", "2023-06-05"),
        ("weeks", "2023-06-29"),
        ("months", "2023-10-01"),
        ("years", "2027-06-01"),
    ],
)
def test_a_period_ends_on_the_day_that_it_is_full(unit: str, first: str) -> None:
    test = ElapsedTest("since", Unit(unit), at_least=4, at_most=None)
    reached = date.fromisoformat(first)
    before = date.fromordinal(reached.toordinal() - 1)
    assert test.check({"since": ON}, reached) is True
    assert test.check({"since": ON}, before) is False
    most = ElapsedTest("since", Unit(unit), at_least=None, at_most=4)
    assert most.check({"since": ON}, reached) is True
    assert most.check({"since": ON}, date.fromordinal(reached.toordinal() + 1)) is False
    assert most.check({"since": ON}, before.replace(year=2022)) is False


def test_windows_of_earlier_receipt() -> None:
    on = date(2023, 6, 1)
    assert Window().counts(date(1990, 1, 1), on)
    assert Window(calendar_year=True).counts(date(2023, 1, 1), on)
    assert not Window(calendar_year=True).counts(date(2022, 12, 31), on)
    assert Window(months=12).counts(date(2022, 6, 2), on)
    assert not Window(months=12).counts(date(2022, 6, 1), on)


def test_income_bands_come_from_the_table_of_the_year() -> None:
    table = median_incomes()
    assert table.median(2024, 4) == 5_729_913
    assert table.median(2024, 9) == 8_514_994 + 2 * 896_625
    median = table.median(2025, 1)
    at_limit = table.band(2025, 1, median * 3 // 2)
    assert (at_limit.percent_over, at_limit.percent_up_to) == (120, 150)
    over = table.band(2025, 1, median * 3 // 2 + 1)
    assert (over.percent_over, over.percent_up_to) == (150, 180)
    assert table.band(2025, 1, 10**9).percent_up_to > 1000
    with pytest.raises(MedianIncomeUnknown):
        table.median(1999, 1)
    with pytest.raises(MedianIncomeUnknown):
        table.median(2025, 0)
    test = IncomeTest("y", "o", "u", percent=150, median_year=2025)
    assert test.check({"y": 2025, "o": 150, "u": 10_000}, on=ON) is False
    assert test.check({"y": 2025, "o": 149, "u": 151}, on=ON) == ("u",)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_how_an_issuer_composed_a_syllable_refuses_nobody(form: Literal["NFC", "NFD"]) -> None:
    composed = ("마포구", "중구")
    given = [normalize(form, item) for item in composed]
    assert FactType.TEXTS.read(given) == composed
    assert FactType.TEXT.read(given[0]) == composed[0]
    assert FactType.TEXT.read(7) is None
    assert FactType.TEXTS.read([given[0], 7]) is None
