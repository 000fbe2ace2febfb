"""How long the ballot box waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoxTimes:
    """Seconds.

    A round of the key ceremony lasts `ceremony_round_s` at most. Without every share and nonce
    the result is made `result_wait_s` after the block of the tie-break. The worker does a round
    every `worker_interval_s`.
    """

    ceremony_round_s: int = 86_400
    result_wait_s: int = 86_400
    worker_interval_s: float = 1.0
