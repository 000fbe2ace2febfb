"""The facts of many presentations: collected once for all that need the same."""

from __future__ import annotations

from typing import Final

from verifier.decision import Examiner
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.errors import SeoulWalletError
from wallet.ports.clock import Clock
from wallet.recent import RecentlyUsed
from wallet.verification.evidence import Evidence
from wallet.verification.requirements import Requirements, requirements

FACTS_KEPT_S: Final = 30
MAX_KEPT: Final = 256


class FactsAtHand:
    """Collects evidence through an examiner's sources and hands the same out for `FACTS_KEPT_S`.

    Facts keep their own time, so what is handed out again is told as old as it is. That a source
    does not answer is remembered as long: a host that is down is not asked for every application.
    """

    def __init__(self, examiner: Examiner, clock: Clock) -> None:
        self._examiner = examiner
        self._clock = clock
        self._kept: RecentlyUsed[Requirements, tuple[int, Evidence]] = RecentlyUsed(MAX_KEPT)

    def evidence_for(self, presentation: str) -> Evidence:
        """Return the evidence for one presentation; raises nothing for bad input."""
        # What is disclosed takes no facts, and is what takes longest to read.
        presentation = _without_disclosures(presentation)
        try:
            needs = requirements(parse_presented_sd_jwt(presentation))
        except SeoulWalletError as error:
            # The check meets the same fault in its first steps and reports it there.
            return Evidence(error, error, error)
        now = self._clock.now()
        kept = self._kept.get(needs)
        if kept is not None and 0 <= now - kept[0] < FACTS_KEPT_S:
            return kept[1]
        evidence = self._examiner.evidence_for(presentation)
        self._kept.put(needs, (now, evidence))
        return evidence


def _without_disclosures(presentation: str) -> str:
    issued, separator, rest = presentation.partition("~")
    return issued + separator + rest.rpartition("~")[2]
