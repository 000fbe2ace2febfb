"""A ballot and its rules in words, in Korean and English: what a voter reads before choosing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.voting.ballot_rules import APPROVAL, POINTS, RANKING, LimitRule
from wallet.voting.manifest import Manifest, Place, Project, Texts

_KIND: Final[Mapping[str, Mapping[str, str]]] = {
    "ko": {
        APPROVAL: "마음에 드는 사업을 고르십시오.",
        POINTS: "사업마다 0점에서 {highest}점까지 줄 수 있습니다.",
        RANKING: "사업에 1위부터 {highest}위까지 순위를 매기십시오. 한 순위에는 한 사업입니다.",
    },
    "en": {
        APPROVAL: "Choose the projects that you approve of.",
        POINTS: "Give each project from 0 to {highest} points.",
        RANKING: "Give projects the places 1 to {highest}; one project for each place.",
    },
}
# What a limit counts, by kind of ballot.
_COUNTED: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "ko": {
        APPROVAL: ("사업", "개"),
        POINTS: ("점수 합계", "점"),
        RANKING: ("순위를 매긴 사업", "개"),
    },
    "en": {
        APPROVAL: ("projects", ""),
        POINTS: ("points in all", ""),
        RANKING: ("ranked projects", ""),
    },
}
_BOUNDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ko": {
        "exactly": "{where}{what}: 꼭 {low}{unit}",
        "up_to": "{where}{what}: {high}{unit}까지",
        "between": "{where}{what}: {low}{unit} 이상 {high}{unit} 이하",
        "none": "{where}{what}: 고를 수 없음",
        "cost": "고른 사업비의 합계: {high} {currency} 이하",
        "category": "'{name}' 분야의 ",
        "district": "'{name}' 지역의 ",
    },
    "en": {
        "exactly": "{what}{where}: exactly {low}",
        "up_to": "{what}{where}: up to {high}",
        "between": "{what}{where}: from {low} to {high}",
        "none": "{what}{where}: none",
        "cost": "cost of what you choose: up to {high} {currency}",
        "category": " in the field “{name}”",
        "district": " in the district “{name}”",
    },
}


@dataclass(frozen=True, slots=True)
class BallotLine:
    """A project on the ballot; texts are the organiser's. `cost` is written with its currency."""

    project_id: str
    title: str
    category: str
    district: str
    cost: str


def said(texts: Texts, language: str) -> str:
    """Return a text of the manifest in `ko` or `en`."""
    return texts.ko if language == "ko" else texts.en


def ballot_lines(manifest: Manifest, language: str) -> tuple[BallotLine, ...]:
    """Return the projects, in the order of the manifest."""
    return tuple(
        BallotLine(
            project.id,
            said(project.title, language),
            _name(manifest.categories, project.category, language),
            _name(manifest.districts, project.district, language),
            f"{project.cost:,} {manifest.currency}",
        )
        for project in manifest.projects
    )


def rule_sentences(manifest: Manifest, language: str) -> tuple[str, ...]:
    """Return how to fill the ballot: its kind first, then each limit."""
    kind = _KIND[language][manifest.ballot.kind].format(highest=_highest(manifest))
    return kind, *(_limit(limit, manifest, language) for limit in manifest.ballot.limits)


def broken_rules(manifest: Manifest, choices: Mapping[str, int], language: str) -> tuple[str, ...]:
    """Return the sentences of the rules that these choices break; none if they are a vote.

    `choices` are by project id, others are 0. Empty means that the ballot can be prepared.
    """
    kind, *limits = rule_sentences(manifest, language)
    values = [choices.get(project.id, 0) for project in manifest.projects]
    given = [value for value in values if value]
    known = {project.id for project in manifest.projects}
    highest = _highest(manifest)
    broken = []
    twice = manifest.ballot.kind == RANKING and len(set(given)) != len(given)
    if twice or not set(choices) <= known or any(not 0 <= value <= highest for value in values):
        broken.append(kind)
    for sentence, limit in zip(limits, manifest.ballot.limits, strict=True):
        if not limit.low <= _sum(limit, manifest, values) <= limit.high:
            broken.append(sentence)
    return tuple(broken)


def _highest(manifest: Manifest) -> int:
    rules = manifest.ballot
    return len(rules.scores) if rules.kind == RANKING else rules.per_project


def _sum(limit: LimitRule, manifest: Manifest, values: Sequence[int]) -> int:
    total = 0
    for project, value in zip(manifest.projects, values, strict=True):
        if limit.scope is not None and _scope(limit, project) != limit.scope:
            continue
        if limit.limit == "cost":
            total += project.cost * value
        else:
            total += int(value > 0) if manifest.ballot.kind == RANKING else value
    return total


def _scope(limit: LimitRule, project: Project) -> str | None:
    return project.category if limit.limit == "category" else project.district


def _limit(limit: LimitRule, manifest: Manifest, language: str) -> str:
    words = _BOUNDS[language]
    if limit.limit == "cost":
        return words["cost"].format(high=f"{limit.high:,}", currency=manifest.currency)
    what, unit = _COUNTED[language][manifest.ballot.kind]
    where = ""
    if limit.scope is not None:
        places = manifest.categories if limit.limit == "category" else manifest.districts
        where = words[limit.limit].format(name=_name(places, limit.scope, language))
    bound = "between"
    if limit.low == limit.high:
        bound = "exactly" if limit.low else "none"
    elif not limit.low:
        bound = "up_to"
    return words[bound].format(
        where=where, what=what, unit=unit, low=f"{limit.low:,}", high=f"{limit.high:,}"
    )


def _name(places: Sequence[Place], wanted: str | None, language: str) -> str:
    return next((said(place.name, language) for place in places if place.id == wanted), "")
