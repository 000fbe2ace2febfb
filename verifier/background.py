"""What a verifier does between requests: follow the chain, and forget what expired."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from wallet.errors import SeoulWalletError, fault_place

STOP_TIMEOUT_S: Final = 5.0
_LOG: Final = logging.getLogger(__name__)


class Follows(Protocol):
    """Moves the local replica forward."""

    def run_once(self) -> object:
        """Catch up with the finalized head. Raises typed errors; the next run tries again."""


class Background:
    """A thread that follows and purges every `interval_s` until it is stopped.

    `beside` is work that may take long: each has a thread of its own, so that the replica does not
    grow old meanwhile. A failure is logged, a typed one by its code, and tried again: the
    replica's own time shows its age.
    """

    def __init__(
        self,
        follower: Follows | None,
        purge: Callable[[], object],
        *,
        interval_s: float,
        beside: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._follower = follower
        self._purge = purge
        self._interval_s = interval_s
        self._stopping = threading.Event()
        rounds = [self.run_once]
        rounds += [partial(self._attempt, each) for each in beside]
        self._threads = [
            threading.Thread(target=self._run, args=(each,), name="verifier", daemon=True)
            for each in rounds
        ]

    def run_once(self) -> None:
        """Do one round of following and purging; raises nothing."""
        if self._follower is not None:
            self._attempt(self._follower.run_once)
        self._attempt(self._purge)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask the threads to end and wait for them, no longer than `timeout_s` in all."""
        self._stopping.set()
        ends_at = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, ends_at - time.monotonic()))

    def _run(self, round_: Callable[[], object]) -> None:
        while not self._stopping.is_set():
            round_()
            self._stopping.wait(self._interval_s)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except SeoulWalletError as error:
            _LOG.warning("background work failed: %s", error.code)
        except Exception as error:
            # The edge of a round, as the edge of a request is: nothing is decided here, and a
            # thread that ended would let the replica grow old until the next start.
            _LOG.error("unhandled %s", fault_place(error))
