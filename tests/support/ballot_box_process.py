"""A ballot box that ends, without any clean-up, before its STOPth database step.

`python -m tests.support.ballot_box_process URL NOW STOP BALLOT` accepts the ballot in the file
BALLOT at the time NOW; `…  URL NOW STOP` makes the checkpoint that is due.
"""

import os
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from ballotbox.app import build_ballot_box
from tests.support.clock import SettableClock
from tests.support.voting import manifest, signing_key

STOPPED = 7


def main(url: str, now: str, stop: str, *ballot: str) -> None:
    running = build_ballot_box(
        manifest(trustees=2, threshold=2), signing_key("board"), url, SettableClock(int(now))
    )
    steps = iter(range(sys.maxsize))

    def step(*_: object) -> None:
        if next(steps) == int(stop):
            os._exit(STOPPED)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, step)
    for path in ballot:
        running.box.accept(Path(path).read_bytes())
    if not ballot:
        running.box.work()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
