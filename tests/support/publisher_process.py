"""Publishers in processes of their own, some of which are killed in the middle.

`python -m tests.support.publisher_process` forks a publisher for each order: see `forks`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.forks import ForkServer, serve
from tests.support.publishing import AnchoringIssuer, Place
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.deployment import parse_deployment
from wallet.adapters.evm.publisher import PublisherStep
from wallet.encoding.json import JsonObject

MAX_ROUNDS = 200
HIGH_BASE_FEE_WEI = 50 * 10**9
NOT_DONE = 3


class PassingClock:
    """The system's clock, set forward by `step_s` with every round."""

    def __init__(self, step_s: int) -> None:
        self._step_s = step_s
        self._ahead_s = 0

    def now(self) -> int:
        """Return the time."""
        return SystemClock().now() + self._ahead_s

    def tick(self) -> None:
        """Begin the next round."""
        self._ahead_s += self._step_s


def dying_at(step: str | None, time: int) -> Callable[[PublisherStep], None]:
    """Return a function that kills this process, without warning, at the n-th such step."""
    seen = 0

    def after_step(reached: PublisherStep) -> None:
        nonlocal seen
        if reached.value == step:
            seen += 1
            if seen == time:
                os.kill(os.getpid(), signal.SIGKILL)

    return after_step


def publish_all(order: JsonObject) -> int:
    """Work, a block a round, until everything is final."""
    place = Place(
        Path(order["folder"]),
        order["url"],
        parse_deployment(order["deployment"]),
        bytes.fromhex(order["secret"]),
    )
    clock = PassingClock(order["round_s"])
    issuer = AnchoringIssuer(place, clock, after_step=dying_at(order["step"], order["time"]))
    for turn in range(MAX_ROUNDS):
        issuer.work_once()
        if issuer.is_done:
            issuer.close()
            return 0
        if order["gets_dear"] and turn == 0:
            fee: list[object] = [hex(HIGH_BASE_FEE_WEI)]
            issuer.w3.provider.make_request("anvil_setNextBlockBaseFeePerGas", fee)  # type: ignore[arg-type]
        issuer.w3.provider.make_request("anvil_mine", ["0x1"])  # type: ignore[arg-type]
        clock.tick()
    return NOT_DONE


class PublisherProcesses(ForkServer):
    """Starts publishers and waits for them."""

    module = "tests.support.publisher_process"

    def start(
        self,
        place: Place,
        *,
        step: PublisherStep | None = None,
        time: int = 1,
        gets_dear: bool = False,
    ) -> int:
        """Start a publisher that dies at the `time`-th `step`; return its process id.

        `gets_dear`: after its first round gas costs more than it offered, and time flies.
        """
        order = {
            "folder": str(place.folder),
            "url": place.url,
            "deployment": place.deployment.to_json(),
            "secret": place.secret.hex(),
            "step": step,
            "time": time,
            "gets_dear": gets_dear,
            "round_s": 1000 if gets_dear else 0,
        }
        return self.begin(order)


if __name__ == "__main__":
    serve(publish_all)
