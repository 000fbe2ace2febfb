"""A ballot box with its clock, over a database that outlives it; no chain."""

from __future__ import annotations

from ballotbox.app import BallotBoxApplication, build_ballot_box
from ballotbox.service import BallotBox
from ballotbox.timing import BoxTimes
from tests.support.clock import SettableClock
from tests.support.voting import OPENS, Trustees, manifest, signing_key
from wallet.voting.board import Entry

MANIFEST = manifest(trustees=2, threshold=2)
BEFORE = OPENS - 1000
CHOICES = [1, 0, 1, 0, 0, 0]


class Box:
    """A ballot box with its clock, over a database that outlives it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = SettableClock(BEFORE)
        self.application = self._build()

    def _build(self) -> BallotBoxApplication:
        return build_ballot_box(
            MANIFEST,
            signing_key("board"),
            self.url,
            self.clock,
            times=BoxTimes(ceremony_round_s=100),
        )

    @property
    def box(self) -> BallotBox:
        """The service."""
        return self.application.box

    def restart(self) -> None:
        """A new process."""
        self.application.close()
        self.application = self._build()

    def run_ceremony(self) -> None:
        """All rounds."""
        trustees = Trustees(MANIFEST)
        while trustees.ceremony.round < 4:
            start = len(trustees.ceremony.payloads)
            trustees.run_round()
            # The last one first: the board puts them in order.
            for payload in reversed(trustees.ceremony.payloads[start:]):
                self.box.ceremony.take(payload)
            self.box.work()

    def open(self) -> None:
        """Ceremony and first checkpoint."""
        self.run_ceremony()
        self.clock.set(OPENS)
        self.box.work()

    def kinds(self) -> list[str]:
        """The kinds of what is published."""
        return [entry.kind for entry in self.entries()]

    def entries(self) -> list[Entry]:
        """All that is published."""
        board = self.box.board
        starts = range(0, board.published_size(), 100)
        return [entry for start in starts for entry in board.entries(start, 100)]
