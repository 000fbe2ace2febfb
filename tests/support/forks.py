"""A process that has imported everything and forks one child for each order, to be killed or not.

A module calls `serve(run)` when it is run with `python -m`; `ForkServer` starts it and sends
orders. `start JSON` is answered with the child's process id, `wait ID` with its exit status,
negative for a signal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from wallet.encoding.json import JsonObject

ROOT = Path(__file__).resolve().parents[2]


def serve(run: Callable[[JsonObject], int]) -> None:
    """Fork a child for each order on standard input; it ends with what `run` returns."""
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        if verb == "start":
            answer = os.fork()
            if answer == 0:
                status = 1
                try:
                    status = run(json.loads(rest))
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stderr.flush()
                    os._exit(status)
        else:
            _, status = os.waitpid(int(rest), 0)
            answer = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


class ForkServer:
    """Starts children of a module and waits for them."""

    module: str

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", self.module],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.communicate()

    def _ask(self, order: str) -> int:
        if self._server.stdin is None or self._server.stdout is None:
            raise AssertionError("the pipes are there")
        self._server.stdin.write(order + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def begin(self, order: JsonObject) -> int:
        """Start a child with an order; return its process id."""
        return self._ask(f"start {json.dumps(order)}")

    def wait(self, process: int) -> int:
        """Return the exit status of a child; -9 when it was killed."""
        return self._ask(f"wait {process}")
