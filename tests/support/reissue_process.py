"""Phones that are killed while they talk to an issuer about what they recover by.

`python -m tests.support.reissue_process` reads lines `ACT STOP FOLDER`. For each, a child with the
phone `new` in FOLDER has its cards issued anew by the issuer there (`reissue`), or takes the
phrase in the file `phrase` for its own (`replace`), and is killed with SIGKILL before its STOPth
step: a statement or a commit, on either side. It answers each line with 1 if the child was killed,
0 if it was done before.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from tests.support.issuing import issuer_world
from tests.support.phones import Phones
from wallet.crypto.recovery_phrase import parse_recovery_phrase


def _killed_before_step(number: int) -> None:
    steps = iter(range(sys.maxsize))

    def step(*_: object) -> None:
        if next(steps) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, step)


def run(act: str, folder: Path, stop: int) -> None:
    """Do it; die on the way."""
    phones = Phones(issuer_world(folder), folder)
    phone = phones.again("new")
    _killed_before_step(stop)
    if act == "reissue":
        phone.wallet.devices.reissue_all()
    else:
        words = (folder / "phrase").read_text("utf-8")
        phone.wallet.replacing.replace(parse_recovery_phrase(words))
    os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        act, given, name = line.strip().split(" ", 2)
        child = os.fork()
        if child == 0:
            run(act, Path(name), int(given))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit("a child ended by itself, with an error")
        print(int(os.WIFSIGNALED(status)), flush=True)
