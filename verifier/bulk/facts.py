"""What deciding on applications takes: programmes, and the facts that many presentations share.

Workers have neither. They get what earlier applications of the batch asked for, say what they
lack, and get that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from verifier.catalogue import ProgrammeShelf
from verifier.decision import Examiner
from verifier.eligibility import ProgrammeChanged
from wallet.eligibility.days import seoul_day
from wallet.eligibility.programme import Programme
from wallet.errors import SeoulWalletError, UnsupportedError
from wallet.ports.clock import Clock
from wallet.recent import RecentlyUsed
from wallet.verification.evidence import Evidence
from wallet.verification.requirements import Requirements

K = TypeVar("K")
FACTS_KEPT_S: Final = 30
MAX_KEPT: Final = 256
# What goes along with every unit; beyond that, each unit is brought what it lacks.
MAX_SHARED: Final = 32


class CountedOneByOne(UnsupportedError):
    """The programme is drawn once per person, and batches do not count people."""

    code = "counted_one_by_one"


class AskedProgramme(NamedTuple):
    """A programme as an application names it."""

    id: str
    version: str | None


@dataclass(frozen=True, slots=True)
class AtHand:
    """Programmes, or why there is none by that name, and facts, by what asks for them."""

    programmes: Mapping[AskedProgramme, Programme | SeoulWalletError] = field(default_factory=dict)
    facts: Mapping[Requirements, Evidence] = field(default_factory=dict)


class Lacking(NamedTuple):
    """What an application takes that was not at hand."""

    position: int
    programme: AskedProgramme
    needs: tuple[Requirements, ...]


class Supplies:
    """Finds programmes and collects facts for the applications of one batch.

    The same facts are handed out for `FACTS_KEPT_S`. They keep their own time, so what is handed
    out again is told as old as it is. That a source does not answer is remembered as long: a host
    that is down is not asked for every application.
    """

    def __init__(self, examiner: Examiner, shelf: ProgrammeShelf, clock: Clock) -> None:
        self._examiner = examiner
        self._shelf = shelf
        self._clock = clock
        self._kept: RecentlyUsed[Requirements, tuple[int, Evidence]] = RecentlyUsed(MAX_KEPT)
        self._programmes: dict[AskedProgramme, None] = {}
        self._needs: dict[Requirements, None] = {}

    def shared(self) -> AtHand:
        """Return what the first applications of the batch asked for, as it is now."""
        return self._at_hand(self._programmes, self._needs)

    def bring(self, lacking: Sequence[Lacking]) -> AtHand:
        """Return what these lack, and share it from now on if there is not much else."""
        programmes = {item.programme: None for item in lacking}
        needs = {each: None for item in lacking for each in item.needs}
        _share(self._programmes, programmes)
        _share(self._needs, needs)
        return self._at_hand(programmes, needs)

    def _at_hand(
        self, programmes: Iterable[AskedProgramme], needs: Iterable[Requirements]
    ) -> AtHand:
        now = self._clock.now()
        return AtHand(
            {asked: self._programme(asked, now) for asked in programmes},
            {each: self._facts(each, now) for each in needs},
        )

    def _facts(self, needs: Requirements, now: int) -> Evidence:
        kept = self._kept.get(needs)
        if kept is not None and 0 <= now - kept[0] < FACTS_KEPT_S:
            return kept[1]
        evidence = self._examiner.collect_for(needs)
        self._kept.put(needs, (now, evidence))
        return evidence

    def _programme(self, asked: AskedProgramme, now: int) -> Programme | SeoulWalletError:
        catalogue = self._shelf.current
        try:
            found = catalogue.in_force(asked.id, seoul_day(now))
            if asked.version is not None and found.version != asked.version:
                catalogue.version(asked.id, asked.version)
                return ProgrammeChanged("another version of this programme is in force")
        except SeoulWalletError as error:
            return error
        if found.once is not None:
            return CountedOneByOne("this programme is applied for one by one, not in batches")
        return found


def _share(shared: dict[K, None], more: Iterable[K]) -> None:
    for item in more:
        if len(shared) < MAX_SHARED:
            shared[item] = None
