"""What a verifier does between requests: follow the chain, and forget what expired."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from wallet.errors import SeoulWalletError

_LOG: Final = logging.getLogger(__name__)


class Follows(Protocol):
    """Moves the local replica forward."""

    def run_once(self) -> object:
        """Catch up with the finalized head. Raises typed errors; the next run tries again."""


class Background:
    """A thread that follows and purges every `interval_s` until it is stopped.

    A typed failure is logged by its code and tried again: the replica's own time shows its age.
    """

    def __init__(
        self, follower: Follows | None, purge: Callable[[], object], *, interval_s: float
    ) -> None:
        self._follower = follower
        self._purge = purge
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="verifier", daemon=True)

    def run_once(self) -> None:
        """Do one round; raises no typed error."""
        if self._follower is not None:
            self._attempt(self._follower.run_once)
        self._attempt(self._purge)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ask the thread to end and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.run_once()
            self._stopping.wait(self._interval_s)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except SeoulWalletError as error:
            _LOG.warning("background work failed: %s", error.code)
