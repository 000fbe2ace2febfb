"""Rounds of work that go on whatever one of them meets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from wallet.errors import SeoulWalletError, fault_place

MAX_PAUSE_S: Final = 30.0
FAULT: Final = "internal_error"
STOPPED: Final = "worker_stopped"
_MAX_DOUBLINGS: Final = 5
_LOG: Final = logging.getLogger(__name__)


class Job:
    """Repeats `round_` every `interval_s` seconds in a thread of its own, until it is stopped.

    After a round that failed it waits longer, twice as long each time, at most `MAX_PAUSE_S`.
    `count` gets the code of every failure.
    """

    def __init__(
        self,
        name: str,
        round_: Callable[[], object],
        *,
        interval_s: float,
        count: Callable[[str, str], object],
    ) -> None:
        self.name = name
        self._round = round_
        self._interval_s = interval_s
        self._count = count
        self._failures = 0
        self._failing: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ballotbox-{name}", daemon=True)

    @property
    def failing(self) -> str | None:
        """The code of what the last round met; None after one that came through."""
        is_over = self._thread.ident is not None and not self._thread.is_alive()
        if is_over and not self._stopping.is_set():
            return STOPPED
        return self._failing

    def start(self) -> None:
        """Start the thread, once."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have the thread end after the round that it is in."""
        self._stopping.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the thread has ended, no longer than `timeout_s`."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def run_once(self) -> float:
        """Do one round; return how many seconds to wait before the next. Raises nothing."""
        try:
            self._round()
        except SeoulWalletError as error:
            return self._failed(error.code, "could not finish its round")
        except Exception as error:
            # The last line before the thread would end: no decision is made from it. Its text may
            # hold anything, so the log gets its type and its place.
            return self._failed(FAULT, f"met {fault_place(error)}")
        if self._failing is not None:
            _LOG.warning("%s goes on", self.name)
        self._failing, self._failures = None, 0
        return self._interval_s

    def _failed(self, code: str, what: str) -> float:
        if code != self._failing:
            # Once when it begins, not in every round that it lasts.
            _LOG.error("%s %s: %s", self.name, what, code)
        self._count(self.name, code)
        self._failing = code
        self._failures = min(self._failures + 1, _MAX_DOUBLINGS)
        return min(self._interval_s * (1 << self._failures), MAX_PAUSE_S)

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            pause_s = self.run_once()
