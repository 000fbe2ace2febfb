"""What a call costs in processor time, whoever else is busy on the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pytest

from wallet.errors import SeoulWalletError

MAX_REFUSAL_S: Final = 0.1
_TRIES: Final = 3


def takes_at_most(limit_s: float, call: Callable[[], object]) -> None:
    """Require that `call` ends within `limit_s` of processor time; it may be called again."""
    spent: list[float] = []
    # A collection of the whole heap may fall into one call, not into each of three.
    while not spent or (spent[-1] >= limit_s and len(spent) < _TRIES):
        started = time.process_time()
        call()
        spent.append(time.process_time() - started)
    assert min(spent) < limit_s, f"{spent} s"


def refused(
    error: type[SeoulWalletError],
    call: Callable[[], object],
    *,
    within_s: float = MAX_REFUSAL_S,
) -> None:
    """Require that `call` raises exactly `error`, within `within_s` of processor time."""

    def once() -> None:
        with pytest.raises(SeoulWalletError) as caught:
            call()
        assert type(caught.value) is error, repr(caught.value)

    takes_at_most(within_s, once)
