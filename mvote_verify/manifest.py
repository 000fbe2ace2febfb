"""The manifest: its form and whether it is valid. Section 3 of docs/voting.md."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from mvote_verify import bls, curve, forms
from mvote_verify.encodings import digest, parse_json
from mvote_verify.failures import Malformed, Refused
from mvote_verify.layout import Layout, layout_of
from mvote_verify.limits import (
    MAX_DENOMINATOR_BITS,
    MAX_GIVEN_DIGITS,
    MAX_INTEGER,
    MAX_SCHEDULED_CHECKPOINTS,
    MAX_STRATA,
)

SUITE = "dcp-secp256k1-1"
LEAST_PEOPLE = 20
"""Section 5.4 and section 10: no stratum and no total of fewer."""
MAX_OPEN_S = 92 * 86400
MAX_LIMITS = 128
MAX_PLACES = 32
MAX_SCORE = 10_000
MAX_NAMES = 100
"""Districts, and categories."""

_POSITIVE = forms.integer(1)
_COUNT = forms.integer(0)


def _given_fraction(value: Any) -> Fraction:
    fraction = forms.fraction(value, 2 * MAX_GIVEN_DIGITS + 1)
    if any(len(digits) > MAX_GIVEN_DIGITS for digits in value.split("/")):
        raise Malformed("a fraction has too many digits")
    return fraction


_PHASES = (["city"], ["districts"], ["districts", "city"])


@dataclass(frozen=True, slots=True)
class Stratum:
    id: str
    members: tuple[str, ...]
    weight: Fraction
    in_batches: bool


@dataclass(frozen=True, slots=True)
class Trustee:
    index: int
    """From 1."""
    signing_key: curve.Point
    encryption_key: curve.Point


@dataclass(frozen=True, slots=True)
class Manifest:
    """A valid manifest. `fields` are its members as `parse_manifest` read them."""

    fields: dict[str, Any]
    hash: bytes
    layout: Layout
    strata: tuple[Stratum, ...]
    trustees: tuple[Trustee, ...]

    @property
    def threshold(self) -> int:
        return int(self.fields["threshold"])

    @property
    def projects(self) -> list[dict[str, Any]]:
        projects: list[dict[str, Any]] = self.fields["projects"]
        return projects

    @property
    def board_key(self) -> curve.Point:
        key: curve.Point = self.fields["board"]["signing_key"]
        return key


def _ballot(value: Any) -> dict[str, Any]:
    limits = forms.listing(_limit, 0, MAX_LIMITS)
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "approval":
        return forms.members(value, {"kind": forms.one_of(kind), "limits": limits})
    if kind == "points":
        points = {"kind": forms.one_of(kind), "per_project": forms.integer(2), "limits": limits}
        return forms.members(value, points)
    scores = forms.listing(forms.integer(1, MAX_SCORE), 1, MAX_PLACES)
    read = {"kind": forms.one_of("ranking"), "scores": scores, "limits": limits}
    ballot = forms.members(value, read)
    if any(a <= b for a, b in zip(ballot["scores"], ballot["scores"][1:], strict=False)):
        raise Malformed("scores descend")
    return ballot


def _limit(value: Any) -> dict[str, Any]:
    kind = value.get("limit") if isinstance(value, dict) else None
    kinds = forms.one_of("count", "category", "district", "cost")
    read: dict[str, forms.Form] = {"limit": kinds, "max": _COUNT}
    if kind != "cost":
        read["min"] = _COUNT
    if kind in ("category", "district"):
        read[kind] = forms.identifier
    limit = forms.members(value, read)
    if limit.get("min", 0) > limit["max"]:
        raise Malformed("a limit's min is above its max")
    return limit


def _phases(value: Any) -> list[str]:
    if value not in _PHASES:
        raise Malformed("not a list of phases")
    return list(value)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 3 or not all("A" <= c <= "Z" for c in value):
        raise Malformed("not three capital letters")
    return value


def _issuer_key(value: Any) -> bytes:
    key: bytes = forms.hexadecimal(96)(value)
    bls.decode_g2(key)
    return key


def _people(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_STRATA:
        raise Malformed("not an object of the stratum values")
    return {forms.identifier(name): _COUNT(people) for name, people in value.items()}


_TIME = forms.integer(0)
_FORMS: dict[str, forms.Form] = {
    "version": forms.one_of("SW-MVOTE-V1"),
    "id": forms.identifier,
    "title": forms.texts,
    "suite": forms.one_of(SUITE),
    "mode": forms.one_of("totals"),
    "currency": _currency,
    "budget": _POSITIVE,
    "districts": forms.listing(
        forms.record(id=forms.identifier, name=forms.texts, budget=forms.maybe(_POSITIVE)),
        0,
        MAX_NAMES,
    ),
    "categories": forms.listing(
        forms.record(id=forms.identifier, name=forms.texts, cap=forms.maybe(_POSITIVE)),
        0,
        MAX_NAMES,
    ),
    "projects": forms.listing(
        forms.record(
            id=forms.identifier,
            title=forms.texts,
            cost=_POSITIVE,
            district=forms.maybe(forms.identifier),
            category=forms.maybe(forms.identifier),
        ),
        1,
        500,
    ),
    "ballot": _ballot,
    "outcome": forms.record(
        rule=forms.one_of("votes", "votes_per_cost"),
        on_overrun=forms.one_of("skip", "stop"),
        min_votes=_COUNT,
        min_score=_given_fraction,
        phases=_phases,
    ),
    "strata": forms.listing(
        forms.record(
            id=forms.identifier,
            members=forms.listing(forms.identifier, 1, MAX_STRATA),
            weight=_given_fraction,
            channel=forms.one_of("ballots", "batches"),
        ),
        1,
        MAX_STRATA,
    ),
    "eligibility": forms.record(
        issuer_keys=forms.listing(_issuer_key, 1, 8),
        epoch=forms.identifier,
        districts=forms.maybe(forms.listing(forms.identifier, 1, MAX_NAMES)),
        min_age=forms.maybe(forms.integer(14, 14)),
    ),
    "census": forms.record(taken_at=_TIME, digest=forms.hexadecimal(32), people=_people),
    "opens": _TIME,
    "closes": _TIME,
    "grace_s": forms.integer(0, 86400),
    "trustees": forms.listing(
        forms.record(name=forms.texts, signing_key=forms.point, encryption_key=forms.point), 1, 32
    ),
    "threshold": forms.integer(1, 32),
    "board": forms.record(signing_key=forms.point, checkpoint_every_s=forms.integer(1, 86400)),
    "batch_officers": forms.listing(
        forms.record(name=forms.texts, signing_key=forms.point), 0, 64
    ),
    "chain": forms.record(
        chain_id=_COUNT, contract=forms.hexadecimal(20), organiser=forms.hexadecimal(20)
    ),
    "tie_break": forms.record(block_time=_TIME),
}


def parse_manifest(data: bytes) -> Manifest:
    """A valid manifest. Raises `Refused` with `manifest_malformed` or `manifest_invalid`."""
    try:
        fields = forms.members(parse_json(data), _FORMS)
        if fields["threshold"] > len(fields["trustees"]):
            raise Malformed("the threshold is above the number of trustees")
        ballot = fields["ballot"]
        costs = any(limit["limit"] == "cost" for limit in ballot["limits"])
        if costs and ballot["kind"] != "approval":
            raise Malformed("a limit of the wrong kind")
    except Malformed as error:
        raise Refused("manifest_malformed", str(error)) from None
    strata = tuple(
        Stratum(s["id"], tuple(s["members"]), s["weight"], s["channel"] == "batches")
        for s in fields["strata"]
    )
    _check_names(fields)
    _check_money(fields)
    _check_strata(fields, strata)
    _check_times(fields)
    _check_keys(fields)
    trustees = tuple(
        Trustee(i, t["signing_key"], t["encryption_key"])
        for i, t in enumerate(fields["trustees"], 1)
    )
    layout = layout_of(fields["ballot"], fields["projects"])
    return Manifest(fields, digest("manifest", data), layout, strata, trustees)


def _require(holds: bool, detail: str) -> None:
    if not holds:
        raise Refused("manifest_invalid", detail)


def _distinct(values: Iterable[Any], what: str) -> None:
    twice = [value for value, times in Counter(values).items() if times > 1]
    _require(not twice, f"{what} occurs twice")


def _check_names(fields: dict[str, Any]) -> None:
    for name in ("districts", "categories", "projects", "strata"):
        _distinct((entry["id"] for entry in fields[name]), f"an id in {name}")
    known = {
        "district": {entry["id"] for entry in fields["districts"]},
        "category": {entry["id"] for entry in fields["categories"]},
    }
    for kind, names in known.items():
        for project in fields["projects"]:
            _require(project[kind] is None or project[kind] in names, f"no such {kind}")
        for limit in fields["ballot"]["limits"]:
            _require(kind not in limit or limit[kind] in names, f"a limit on no {kind}")
    districts = fields["eligibility"]["districts"]
    if districts is not None:
        _distinct(districts, "a district of eligibility")


def _check_money(fields: dict[str, Any]) -> None:
    budget = fields["budget"]
    costs = [project["cost"] for project in fields["projects"]]
    _require(sum(costs) <= MAX_INTEGER, "the costs sum to 2^53 or more")
    _require(min(costs) <= budget, "no project costs as little as the budget")
    of_districts = sum(district["budget"] or 0 for district in fields["districts"])
    _require(of_districts <= budget, "the districts' budgets are above the budget")


def _check_strata(fields: dict[str, Any], strata: tuple[Stratum, ...]) -> None:
    people = fields["census"]["people"]
    _require(all(stratum.weight > 0 for stratum in strata), "a weight is 0")
    common = lcm(*(stratum.weight.denominator for stratum in strata))
    _require(common.bit_length() <= MAX_DENOMINATOR_BITS, "the weights have too many digits")
    _require(sum(stratum.weight for stratum in strata) == 1, "the weights do not sum to 1")
    _distinct((value for stratum in strata for value in stratum.members), "a stratum value")
    by_ballot = [stratum for stratum in strata if not stratum.in_batches]
    _require(bool(by_ballot), "no stratum votes by ballot")
    values = {value for stratum in by_ballot for value in stratum.members}
    _require(values == people.keys(), "the census has other stratum values")
    for stratum in strata:
        if stratum.in_batches:
            _require(len(stratum.members) == 1, "a stratum of batches has one member")
            _require(bool(fields["batch_officers"]), "batches need an officer")
        else:
            size = sum(people[value] for value in stratum.members)
            _require(size >= LEAST_PEOPLE, f"a stratum has under {LEAST_PEOPLE} people")


def _check_times(fields: dict[str, Any]) -> None:
    opens, closes = fields["opens"], fields["closes"]
    _require(fields["census"]["taken_at"] <= opens < closes, "the times are out of order")
    _require(closes - opens <= MAX_OPEN_S, "open for more than 92 days")
    every = fields["board"]["checkpoint_every_s"]
    _require(fields["grace_s"] >= every, "the grace is shorter than a checkpoint's period")
    lasts = closes + fields["grace_s"] - opens
    _require(lasts <= MAX_SCHEDULED_CHECKPOINTS * every, "more than a million checkpoints")
    block_time = fields["tie_break"]["block_time"]
    _require(block_time > closes + fields["grace_s"], "the block of the tie-break is too early")


def _check_keys(fields: dict[str, Any]) -> None:
    keys = [fields["board"]["signing_key"]]
    keys += [officer["signing_key"] for officer in fields["batch_officers"]]
    for trustee in fields["trustees"]:
        keys += (trustee["signing_key"], trustee["encryption_key"])
    _distinct((curve.encode(key) for key in keys), "a key")
    _distinct(fields["eligibility"]["issuer_keys"], "an issuer key")
    single = len(fields["trustees"]) < 2
    _require(single or fields["threshold"] >= 2, "the threshold of several trustees is at least 2")
