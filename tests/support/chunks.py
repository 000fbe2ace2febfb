"""Work for the tests of bulk computing: at the top of a module, as workers need it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wallet.errors import RejectedError

DEADLY = -1
REFUSED = -2


class ChunkRefused(RejectedError):
    """The chunk holds what these tests refuse."""

    code = "test_chunk_refused"


def squares(chunk: Sequence[int]) -> list[int]:
    """Return the squares; end the process at `DEADLY`, raise at `REFUSED`."""
    for number in chunk:
        if number == DEADLY:
            os._exit(9)
        if number == REFUSED:
            raise ChunkRefused("refused")
    return [number * number for number in chunk]


def process_id(chunk: object) -> int:
    """Return the id of the process that has the chunk."""
    return os.getpid()


def meets_another(folder: Path) -> int:
    """Return the id of this process when a second one is at it too; fail after a minute."""
    (folder / str(os.getpid())).touch()
    until = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2:
        if time.monotonic() > until:
            raise ChunkRefused("no other process has a chunk")
        time.sleep(0.01)
    return os.getpid()


class EndsAt:
    """Work that ends its process when a unit of applications has the one named."""

    def __init__(self, function: Callable[[Any], Any], name: str) -> None:
        self._function = function
        self._name = name.encode()

    def __call__(self, unit: Any) -> Any:
        if any(self._name in line for line in unit.lines.values()):
            os._exit(9)
        return self._function(unit)
