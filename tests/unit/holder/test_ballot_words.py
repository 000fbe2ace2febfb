"""The ballot and its rules in words, Korean and English."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.voting import manifest, project
from wallet.holder.ballot_words import ballot_lines, broken_rules, rule_sentences
from wallet.voting.layout import ChoicesInvalid, fill_slack
from wallet.voting.manifest import Manifest

COUNT = {"limit": "count", "min": 0, "max": 3}
DISTRICTS = [{"id": "11110", "name": {"ko": "종로구", "en": "Jongno"}, "budget": None}]


def rules(kind: str, *limits: dict[str, Any], **more: Any) -> Manifest:
    return manifest(ballot={"kind": kind, "limits": list(limits), **more})


def test_the_ballot_is_read_in_both_languages() -> None:
    vote = manifest(
        districts=DISTRICTS,
        projects=[project("p1", 1500, "green", "11110"), project("p2", 100)],
    )
    first, second = ballot_lines(vote, "ko")
    assert (first.category, first.district, first.cost) == ("green", "종로구", "1,500 KRW")
    assert (second.category, second.district) == ("", "")
    assert ballot_lines(vote, "en")[0].district == "Jongno"


@pytest.mark.parametrize(
    ("vote", "korean", "english"),
    [
        (
            rules("approval", {"limit": "count", "min": 2, "max": 2}),
            "사업: 꼭 2개",
            "projects: exactly 2",
        ),
        (
            rules("approval", {"limit": "category", "category": "safe", "min": 0, "max": 0}),
            "'safe' 분야의 사업: 고를 수 없음",
            "projects in the field “safe”: none",
        ),
        (
            rules("approval", {"limit": "cost", "max": 1200}),
            "고른 사업비의 합계: 1,200 KRW 이하",
            "cost of what you choose: up to 1,200 KRW",
        ),
        (
            rules("points", {"limit": "count", "min": 1, "max": 9}, per_project=4),
            "점수 합계: 1점 이상 9점 이하",
            "points in all: from 1 to 9",
        ),
        (
            rules("ranking", {"limit": "count", "min": 0, "max": 2}, scores=[3, 2, 1]),
            "순위를 매긴 사업: 2개까지",
            "ranked projects: up to 2",
        ),
    ],
)
def test_a_limit_is_a_sentence(vote: Manifest, korean: str, english: str) -> None:
    assert rule_sentences(vote, "ko")[1] == korean
    assert rule_sentences(vote, "en")[1] == english


def test_the_kind_of_ballot_comes_first() -> None:
    assert "0 to 4 points" in rule_sentences(rules("points", per_project=4), "en")[0]
    assert "1위부터 3위까지" in rule_sentences(rules("ranking", scores=[3, 2, 1]), "ko")[0]
    assert rule_sentences(rules("approval"), "en") == ("Choose the projects that you approve of.",)


@pytest.mark.parametrize(
    ("vote", "choices"),
    [
        (rules("approval", COUNT), {"p1": 1, "p2": 1, "p3": 1, "p4": 1}),
        (rules("approval", COUNT), {"p1": 2}),
        (rules("approval", {"limit": "cost", "max": 700}), {"p1": 1, "p2": 1}),
        (
            rules("approval", {"limit": "category", "category": "green", "min": 1, "max": 1}),
            {"p3": 1},
        ),
        (
            rules("points", {"limit": "count", "min": 0, "max": 5}, per_project=4),
            {"p1": 4, "p2": 2},
        ),
        (rules("ranking", scores=[3, 2, 1]), {"p1": 1, "p2": 1}),
        (
            rules("ranking", {"limit": "count", "min": 2, "max": 3}, scores=[3, 2, 1]),
            {"p1": 1},
        ),
    ],
)
def test_names_what_the_choices_break_and_only_that(
    vote: Manifest, choices: dict[str, int]
) -> None:
    (broken,) = broken_rules(vote, choices, "en")
    assert broken in rule_sentences(vote, "en")
    values = [choices.get(item.id, 0) for item in vote.projects]
    with pytest.raises(ChoicesInvalid):
        fill_slack(vote.layout, vote.ballot.vote_bits(values))


@pytest.mark.parametrize(
    ("vote", "choices"),
    [
        (rules("approval", COUNT), {}),
        (rules("approval", COUNT), {"p1": 1, "p2": 1, "p3": 1}),
        (rules("points", {"limit": "count", "min": 0, "max": 5}, per_project=4), {"p1": 4}),
        (rules("ranking", scores=[3, 2, 1]), {"p1": 3, "p2": 1}),
    ],
)
def test_says_nothing_about_a_vote_that_can_be_cast(
    vote: Manifest, choices: dict[str, int]
) -> None:
    assert broken_rules(vote, choices, "ko") == ()
    values = [choices.get(item.id, 0) for item in vote.projects]
    assert fill_slack(vote.layout, vote.ballot.vote_bits(values))


def test_an_unknown_project_is_named_as_breaking_the_kind() -> None:
    vote = rules("approval")
    assert broken_rules(vote, {"p9": 1}, "en") == rule_sentences(vote, "en")[:1]
