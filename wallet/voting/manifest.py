"""The manifest of an election: immutable, canonical, hashed before anything else happens.

docs/voting.md, section 3. `parse_manifest` gives a manifest only if it can be counted and proven;
`manifest_rules` holds what that means beyond the form of each member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from wallet.crypto.bbs.suite import SHA_256
from wallet.crypto.bbs.types import BbsPublicKey, parse_public_key
from wallet.crypto.bls12_381.backend import PointMalformed
from wallet.crypto.secp256k1 import Point
from wallet.crypto.transcript import digest
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError
from wallet.voting.ballot_rules import BallotRules, read_ballot_rules
from wallet.voting.layout import BallotLayout
from wallet.voting.manifest_rules import check_manifest
from wallet.voting.outcome_rules import OutcomeRules, read_outcome_rules
from wallet.voting.shapes import Shape

VERSION: Final = "SW-MVOTE-V1"
SUITE: Final = "dcp-secp256k1-1"
MODE: Final = "totals"
MAX_PROJECTS: Final = 500
MAX_STRATA: Final = 64
MAX_PLACES: Final = 100
MAX_TRUSTEES: Final = 32
MAX_OFFICERS: Final = 64
MAX_ISSUER_KEYS: Final = 8
MAX_GRACE_S: Final = 86400
BALLOTS: Final = "ballots"
BATCHES: Final = "batches"
_BBS_KEY_BYTES: Final = 96


class ManifestMalformed(MalformedError):
    """Not the canonical JSON of an election's manifest."""

    code = "manifest_malformed"


_SHAPE: Final = Shape(ManifestMalformed)


@dataclass(frozen=True, slots=True)
class Texts:
    """A text for people, in Korean and English."""

    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """A district with the budget it is guaranteed, or a category with its cap; None is none."""

    id: str
    name: Texts
    money: int | None


@dataclass(frozen=True, slots=True)
class Project:
    """Something to be voted for; `cost` in whole units of the currency."""

    id: str
    title: Texts
    cost: int
    district: str | None
    category: str | None


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part of the voters that is counted apart; `members` are values on credentials."""

    id: str
    members: tuple[str, ...]
    weight: Fraction
    channel: str

    def to_json(self) -> JsonObject:
        """As it stands in the manifest."""
        return {
            "id": self.id,
            "members": list(self.members),
            "weight": str(self.weight),
            "channel": self.channel,
        }


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whose credentials admit to the vote: keys of one issuer, epoch, districts, age."""

    issuer_keys: tuple[BbsPublicKey, ...]
    epoch: str
    districts: tuple[str, ...] | None
    min_age: int | None


@dataclass(frozen=True, slots=True)
class Census:
    """When the voters were counted, the digest of the list, and how many hold which stratum."""

    taken_at: int
    digest: bytes
    people: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Trustee:
    """A trustee's name and keys."""

    name: Texts
    signing_key: Point
    encryption_key: Point


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who signs paper and on-site totals."""

    name: Texts
    signing_key: Point


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the board is put on record."""

    chain_id: int
    contract: bytes
    organiser: bytes


@dataclass(frozen=True)
class Manifest:
    """A valid manifest. Made by `parse_manifest` alone; times are unix seconds."""

    octets: bytes = field(repr=False)
    id: str
    title: Texts
    currency: str
    budget: int
    districts: tuple[Place, ...]
    categories: tuple[Place, ...]
    projects: tuple[Project, ...]
    ballot: BallotRules
    outcome: OutcomeRules
    strata: tuple[Stratum, ...]
    eligibility: Eligibility
    census: Census
    opens: int
    closes: int
    grace_s: int
    trustees: tuple[Trustee, ...]
    threshold: int
    board_key: Point
    checkpoint_every_s: int
    officers: tuple[Officer, ...]
    chain: Chain
    tie_block_time: int
    layout: BallotLayout = field(init=False, repr=False)
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layout", check_manifest(self))
        object.__setattr__(self, "digest", digest("manifest", self.octets))

    @property
    def suite(self) -> str:
        """The name of the ballot suite; there is one so far."""
        return SUITE

    @property
    def ballot_strata(self) -> tuple[Stratum, ...]:
        """The strata whose people cast ballots."""
        return tuple(stratum for stratum in self.strata if stratum.channel == BALLOTS)


def parse_manifest(data: bytes) -> Manifest:
    """Return the valid manifest in canonical JSON.

    Raises `ManifestMalformed` for its form; `ManifestInvalid` or `BallotRulesInvalid` if it
    cannot be counted or proven. Who published it is not checked: compare its digest.
    """
    value = _SHAPE.members(
        _SHAPE.canonical(data),
        *("version", "id", "title", "suite", "mode", "currency", "budget", "districts"),
        *("categories", "projects", "ballot", "outcome", "strata", "eligibility", "census"),
        *("opens", "closes", "grace_s", "trustees", "threshold", "board", "batch_officers"),
        *("chain", "tie_break"),
    )
    _SHAPE.choice(value["version"], VERSION)
    _SHAPE.choice(value["suite"], SUITE)
    _SHAPE.choice(value["mode"], MODE)
    board = _SHAPE.members(value["board"], "signing_key", "checkpoint_every_s")
    tie_break = _SHAPE.members(value["tie_break"], "block_time")
    trustees = _SHAPE.items(value["trustees"], _trustee, low=1, high=MAX_TRUSTEES)
    return Manifest(
        octets=data,
        id=_SHAPE.identifier(value["id"]),
        title=_texts(value["title"]),
        currency=_currency(value["currency"]),
        budget=_SHAPE.integer(value["budget"], low=1),
        districts=_places(value["districts"], "budget"),
        categories=_places(value["categories"], "cap"),
        projects=_SHAPE.items(value["projects"], _project, low=1, high=MAX_PROJECTS),
        ballot=read_ballot_rules(_SHAPE, value["ballot"]),
        outcome=read_outcome_rules(_SHAPE, value["outcome"]),
        strata=_SHAPE.items(value["strata"], _stratum, low=1, high=MAX_STRATA),
        eligibility=_eligibility(value["eligibility"]),
        census=_census(value["census"]),
        opens=_SHAPE.integer(value["opens"]),
        closes=_SHAPE.integer(value["closes"]),
        grace_s=_SHAPE.integer(value["grace_s"], high=MAX_GRACE_S),
        trustees=trustees,
        threshold=_SHAPE.integer(value["threshold"], low=1, high=len(trustees)),
        board_key=_SHAPE.point(board["signing_key"]),
        checkpoint_every_s=_SHAPE.integer(board["checkpoint_every_s"], low=1, high=86400),
        officers=_SHAPE.items(value["batch_officers"], _officer, low=0, high=MAX_OFFICERS),
        chain=_chain(value["chain"]),
        tie_block_time=_SHAPE.integer(tie_break["block_time"]),
    )


def manifest_of(value: JsonObject) -> Manifest:
    """Return the manifest of a JSON object. Raises as `parse_manifest`."""
    try:
        data = jcs.canonicalize(value)
    except jcs.NotCanonicalizable as error:
        raise ManifestMalformed("the manifest has no canonical form") from error
    return parse_manifest(data)


def _texts(value: Any) -> Texts:
    texts = _SHAPE.members(value, "ko", "en")
    return Texts(_SHAPE.text(texts["ko"]), _SHAPE.text(texts["en"]))


def _currency(value: object) -> str:
    currency = _SHAPE.text(value)
    if len(currency) != 3 or not (
        currency.isascii() and currency.isalpha() and currency.isupper()
    ):
        raise ManifestMalformed("a currency has three capital letters")
    return currency


def _places(value: object, money: str) -> tuple[Place, ...]:
    def read(item: Any) -> Place:
        place = _SHAPE.members(item, "id", "name", money)
        amount = _SHAPE.optional(place[money], lambda number: _SHAPE.integer(number, low=1))
        return Place(_SHAPE.identifier(place["id"]), _texts(place["name"]), amount)

    return _SHAPE.items(value, read, low=0, high=MAX_PLACES)


def _project(value: Any) -> Project:
    project = _SHAPE.members(value, "id", "title", "cost", "district", "category")
    return Project(
        _SHAPE.identifier(project["id"]),
        _texts(project["title"]),
        _SHAPE.integer(project["cost"], low=1),
        _SHAPE.optional(project["district"], _SHAPE.identifier),
        _SHAPE.optional(project["category"], _SHAPE.identifier),
    )


def _stratum(value: Any) -> Stratum:
    stratum = _SHAPE.members(value, "id", "members", "weight", "channel")
    return Stratum(
        _SHAPE.identifier(stratum["id"]),
        _SHAPE.items(stratum["members"], _SHAPE.identifier, low=1, high=MAX_STRATA),
        _SHAPE.fraction(stratum["weight"]),
        _SHAPE.choice(stratum["channel"], BALLOTS, BATCHES),
    )


def _eligibility(value: Any) -> Eligibility:
    found = _SHAPE.members(value, "issuer_keys", "epoch", "districts", "min_age")
    return Eligibility(
        _SHAPE.items(found["issuer_keys"], _issuer_key, low=1, high=MAX_ISSUER_KEYS),
        _SHAPE.identifier(found["epoch"]),
        _SHAPE.optional(
            found["districts"],
            lambda listed: _SHAPE.items(listed, _SHAPE.identifier, low=1, high=MAX_PLACES),
        ),
        _SHAPE.optional(found["min_age"], lambda age: _SHAPE.integer(age, low=14, high=14)),
    )


def _issuer_key(value: object) -> BbsPublicKey:
    try:
        key = parse_public_key(_SHAPE.octets(value, _BBS_KEY_BYTES))
        SHA_256.backend.decode_g2(key.octets)
    except PointMalformed as error:
        raise ManifestMalformed("an issuer key is a point in G2") from error
    return key


def _census(value: Any) -> Census:
    census = _SHAPE.members(value, "taken_at", "digest", "people")
    people = census["people"]
    if type(people) is not dict or not 1 <= len(people) <= MAX_STRATA:
        raise ManifestMalformed("the census counts the people of each stratum value")
    return Census(
        _SHAPE.integer(census["taken_at"]),
        _SHAPE.octets(census["digest"], 32),
        {_SHAPE.identifier(name): _SHAPE.integer(count) for name, count in people.items()},
    )


def _trustee(value: Any) -> Trustee:
    trustee = _SHAPE.members(value, "name", "signing_key", "encryption_key")
    return Trustee(
        _texts(trustee["name"]),
        _SHAPE.point(trustee["signing_key"]),
        _SHAPE.point(trustee["encryption_key"]),
    )


def _officer(value: Any) -> Officer:
    officer = _SHAPE.members(value, "name", "signing_key")
    return Officer(_texts(officer["name"]), _SHAPE.point(officer["signing_key"]))


def _chain(value: Any) -> Chain:
    chain = _SHAPE.members(value, "chain_id", "contract", "organiser")
    return Chain(
        _SHAPE.integer(chain["chain_id"], low=1),
        _SHAPE.octets(chain["contract"], 20),
        _SHAPE.octets(chain["organiser"], 20),
    )
