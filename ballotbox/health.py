"""Whether the ballot box can do what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ballotbox.ports import BoxRecords, PublicationRecords
from ballotbox.worker import Job
from wallet.encoding.json import JsonObject
from wallet.errors import UnavailableError
from wallet.ports.clock import Clock
from wallet.voting.manifest import Manifest

NOT_OPENED: Final = "board_not_opened"
LATE: Final = "anchor_late"
# How long a chain may take until a block is final.
FINALITY_S: Final = 1800


class Health:
    """What the jobs of this process met, and how far the chain is behind the board."""

    def __init__(
        self,
        manifest: Manifest,
        records: BoxRecords,
        publication: PublicationRecords,
        clock: Clock,
        jobs: Sequence[Job],
        *,
        is_on_chain: bool,
    ) -> None:
        self._manifest = manifest
        self._records = records
        self._publication = publication
        self._clock = clock
        self._jobs = jobs
        self._is_on_chain = is_on_chain

    def check_ready(self) -> None:
        """Return if requests can be served. Raises `StorageUnavailable`."""
        self._publication.state()

    def check(self) -> tuple[bool, JsonObject]:
        """Return whether all is well, and the codes of what is not."""
        codes = {job.failing for job in self._jobs if job.failing is not None}
        try:
            state = self._publication.state()
            newest = self._records.newest_checkpoint()
            waiting = self._publication.not_anchored(1)
        except UnavailableError as error:
            return False, {"status": "degraded", "codes": [error.code]}
        now, manifest = self._clock.now(), self._manifest
        if self._is_on_chain:
            if state.opened is None and now >= manifest.opens:
                codes.add(NOT_OPENED)
            allowed_s = manifest.checkpoint_every_s + FINALITY_S
            if waiting and now - waiting[0].checkpoint.time > allowed_s:
                codes.add(LATE)
        said: JsonObject = {
            "status": "degraded" if codes else "ok",
            "codes": sorted(codes),
            "size": state.size,
            "checkpoint": None if newest is None else newest.checkpoint.number,
        }
        return not codes, said
