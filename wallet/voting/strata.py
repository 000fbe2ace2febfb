"""Merging strata that are too small to be counted apart, before the manifest is published.

docs/voting.md, section 5.4, rule 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from wallet.voting.manifest import BALLOTS, Stratum
from wallet.voting.manifest_rules import MIN_STRATUM_PEOPLE, ManifestInvalid

_ALONE: Final = 1


def merge_small_strata(
    strata: Sequence[Stratum], people: Mapping[str, int]
) -> tuple[Stratum, ...]:
    """Return strata of at least 20 people each; weights of what is merged add up.

    The smallest joins the smallest other. Strata of batches are left alone. Raises
    `ManifestInvalid` if the people of all strata are under 20, or a member was not counted.
    """
    merged = list(strata)

    def size(stratum: Stratum) -> int:
        try:
            return sum(people[member] for member in stratum.members)
        except KeyError:
            raise ManifestInvalid("a stratum value was not counted") from None

    while True:
        voting = [index for index, item in enumerate(merged) if item.channel == BALLOTS]
        sizes = {index: size(merged[index]) for index in voting}
        if not voting or min(sizes.values()) >= MIN_STRATUM_PEOPLE:
            return tuple(merged)
        if len(voting) == _ALONE:
            raise ManifestInvalid(f"all strata together have under {MIN_STRATUM_PEOPLE} people")
        # The later on a tie goes, the earlier on a tie takes it in.
        smallest = min(voting, key=lambda index: (sizes[index], -index))
        others = [index for index in voting if index != smallest]
        into = min(others, key=lambda index: (sizes[index], index))
        keeps, goes = merged[into], merged[smallest]
        merged[into] = Stratum(
            keeps.id, keeps.members + goes.members, keeps.weight + goes.weight, keeps.channel
        )
        del merged[smallest]
