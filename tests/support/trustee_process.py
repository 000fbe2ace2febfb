"""Trustees in processes of their own, killed before a step of what they do.

`python -m tests.support.trustee_process` forks one for each order: see `forks`. A step is a file
of the key folder that is opened, linked or removed, a question to the ballot box, or its answer.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from seoul_wallet.trustee.folder import KeyFolder
from seoul_wallet.trustee.office import TrusteeOffice
from tests.support.clock import SettableClock
from tests.support.forks import ForkServer, serve
from tests.support.trustee_desks import CHEAP, PASSPHRASE, new_folder
from wallet.adapters.compute.here import ThisProcess
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.encoding.json import JsonObject
from wallet.ports.holder import HttpAnswer

FILE_EVENTS = frozenset({"open", "os.link", "os.remove"})


def die_before(stop: int | None, folder: Path) -> Callable[[], None]:
    """Kill this process, without warning, at its `stop`-th step; return what counts one more."""
    steps = count()

    def step() -> None:
        if next(steps) == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILE_EVENTS and str(arguments[0]).startswith(str(folder)):
            step()

    sys.addaudithook(hook)
    return step


class CountedTransport(HttpHolderTransport):
    """The tool's own transport; a question is a step, and so is its answer."""

    def __init__(self, client: GuardedClient, step: Callable[[], None]) -> None:
        super().__init__(client)
        self._step = step

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        self._step()
        answer = super().get(url, accept=accept)
        self._step()
        return answer

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        self._step()
        answer = super().post_body(url, body, content_type=content_type, headers=headers)
        self._step()
        return answer


def work(order: JsonObject) -> int:
    """Do what an order says."""
    path = Path(order["folder"])
    step = die_before(order["stop"], path)
    if order["verb"] == "new":
        new_folder(path)
        return 0
    client = GuardedClient(allow_loopback_http=True)
    transport = CountedTransport(client, step)
    folder = KeyFolder.open(path, PASSPHRASE, floor=CHEAP)
    office = TrusteeOffice(folder, transport, SettableClock(order["now"]))
    if order["verb"] == "join":
        office.join(office.look(order["url"]), manifest_digest=None)
    elif order["verb"] == "advance":
        office.advance()
    elif order["verb"] == "decrypt":
        office.decrypt(ThisProcess(), lambda done, total: None)
    else:
        office.reveal_nonce()
    client.close()
    return 0


class TrusteeProcesses(ForkServer):
    """Starts trustees and waits for them."""

    module = "tests.support.trustee_process"

    def run(
        self, verb: str, folder: Path, *, stop: int | None, url: str = "", now: int = 0
    ) -> int:
        """Do one thing of a trustee, killed before the `stop`-th step; return the status."""
        order = {"verb": verb, "folder": str(folder), "stop": stop, "url": url, "now": now}
        return self.wait(self.begin(order))


if __name__ == "__main__":
    serve(work)
