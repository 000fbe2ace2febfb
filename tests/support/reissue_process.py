"""Phones that are killed while their cards are issued anew.

`python -m tests.support.reissue_process` reads lines `STOP FOLDER`. For each, a child has the
cards of the phone `new` in FOLDER issued anew by the issuer there, and is killed with SIGKILL
before its STOPth step: a statement or a commit, on either side. It answers each line with 1 if the
child was killed, 0 if it was done before.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from tests.support.issuing import issuer_world
from tests.support.phones import Phones


def _killed_before_step(number: int) -> None:
    steps = iter(range(sys.maxsize))

    def step(*_: object) -> None:
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, step)


def reissue(folder: Path, stop: int) -> None:
    """Have the cards issued anew; die on the way."""
    phones = Phones(issuer_world(folder), folder)
    phone = phones.again("new")
    _killed_before_step(stop)
    phone.wallet.devices.reissue_all()
    os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        given, _, name = line.strip().partition(" ")
        child = os.fork()
        if child == 0:
            reissue(Path(name), int(given))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit("a child ended by itself, with an error")
        print(int(os.WIFSIGNALED(status)), flush=True)
