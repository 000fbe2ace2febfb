"""What makes a manifest valid beyond its form: it can be counted, and ballots can be proven.

docs/voting.md, section 3, rules 1 to 7.
"""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, Final

from wallet.crypto.secp256k1 import encode_point
from wallet.errors import RejectedError
from wallet.voting.ballot_rules import check_scopes
from wallet.voting.layout import BallotLayout
from wallet.voting.shapes import MAX_INTEGER, repeated

if TYPE_CHECKING:
    from wallet.voting.manifest import Manifest

MIN_STRATUM_PEOPLE: Final = 20
MAX_OPEN_S: Final = 92 * 86400
MAX_SCHEDULED_CHECKPOINTS: Final = 1_000_000
MAX_DENOMINATOR_BITS: Final = 4096


class ManifestInvalid(RejectedError):
    """The manifest is well formed, and its election could not be counted or proven."""

    code = "manifest_invalid"


def check_manifest(manifest: Manifest) -> BallotLayout:
    """Return the ballot layout. Raises `ManifestInvalid` or `BallotRulesInvalid`."""
    _check_projects(manifest)
    _check_strata(manifest)
    _check_times(manifest)
    _check_keys(manifest)
    districts = manifest.eligibility.districts
    if districts is not None and repeated(districts):
        raise ManifestInvalid("a district of the eligibility rule occurs twice")
    check_scopes(
        manifest.ballot,
        {place.id for place in manifest.districts},
        {place.id for place in manifest.categories},
    )
    return manifest.ballot.layout(manifest.projects)


def _check_projects(manifest: Manifest) -> None:
    for listed in (manifest.projects, manifest.districts, manifest.categories, manifest.strata):
        if repeated([entry.id for entry in listed]):
            raise ManifestInvalid("an identifier occurs twice in its list")
    districts = {place.id for place in manifest.districts} | {None}
    categories = {place.id for place in manifest.categories} | {None}
    for project in manifest.projects:
        if project.district not in districts or project.category not in categories:
            raise ManifestInvalid("a project names no district or category of the manifest")
    costs = [project.cost for project in manifest.projects]
    if sum(costs) > MAX_INTEGER:
        raise ManifestInvalid("the costs add up to more than can be written")
    if min(costs) > manifest.budget:
        raise ManifestInvalid("no project fits the budget")
    if sum(place.money or 0 for place in manifest.districts) > manifest.budget:
        raise ManifestInvalid("the districts' budgets are more than the budget")


def _check_strata(manifest: Manifest) -> None:
    if any(not stratum.weight for stratum in manifest.strata):
        raise ManifestInvalid("a stratum has no weight")
    if sum(stratum.weight for stratum in manifest.strata) != 1:
        raise ManifestInvalid("the weights of the strata do not sum to 1")
    common = lcm(*(stratum.weight.denominator for stratum in manifest.strata))
    if common.bit_length() > MAX_DENOMINATOR_BITS:
        raise ManifestInvalid("the weights of the strata have too many digits")
    if repeated([member for stratum in manifest.strata for member in stratum.members]):
        raise ManifestInvalid("a stratum value is a member twice")
    voting = manifest.ballot_strata
    people = manifest.census.people
    if not voting or {member for stratum in voting for member in stratum.members} != set(people):
        raise ManifestInvalid("the census counts other stratum values than those that vote")
    for stratum in voting:
        if sum(people[member] for member in stratum.members) < MIN_STRATUM_PEOPLE:
            raise ManifestInvalid(
                f"stratum {stratum.id} has under {MIN_STRATUM_PEOPLE} people: merge it"
            )
    for stratum in manifest.strata:
        if stratum not in voting and (len(stratum.members) != 1 or not manifest.officers):
            raise ManifestInvalid("a stratum of batches has one member and needs an officer")


def _check_times(manifest: Manifest) -> None:
    if not manifest.census.taken_at <= manifest.opens < manifest.closes:
        raise ManifestInvalid("census, opening and closing are not in this order")
    if manifest.closes - manifest.opens > MAX_OPEN_S:
        raise ManifestInvalid("the vote is open for longer than the board can be")
    if manifest.grace_s < manifest.checkpoint_every_s:
        # An acceptance shortly before the close promises a checkpoint one period after it.
        raise ManifestInvalid("the grace is shorter than the time between two checkpoints")
    lasts_s = manifest.closes + manifest.grace_s - manifest.opens
    if lasts_s > MAX_SCHEDULED_CHECKPOINTS * manifest.checkpoint_every_s:
        raise ManifestInvalid("the board would have more checkpoints than anybody checks")
    if manifest.tie_block_time <= manifest.closes + manifest.grace_s:
        raise ManifestInvalid("the block that breaks ties comes after the board is complete")


def _check_keys(manifest: Manifest) -> None:
    keys = [manifest.board_key, *(officer.signing_key for officer in manifest.officers)]
    for trustee in manifest.trustees:
        keys += (trustee.signing_key, trustee.encryption_key)
    if repeated([encode_point(key) for key in keys]):
        raise ManifestInvalid("a key occurs twice")
    if repeated([key.octets for key in manifest.eligibility.issuer_keys]):
        raise ManifestInvalid("an issuer key occurs twice")
    trustees = len(manifest.trustees)
    if manifest.threshold < min(2, trustees):
        raise ManifestInvalid("one of several trustees could decrypt alone")
