"""A process that uses a wallet's file and may be killed at any moment.

`python -m tests.support.store_process change PATH STOP` changes the passphrase and ends, without
any clean-up, before its STOPth statement or commit. `… write PATH` writes pairs of records for
ever and prints the number of each pair once its write returned.
"""

import os
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from tests.support.holder_stores import PASSPHRASE, open_store
from wallet.ports.holder import Put, RecordUnknown

NEW_PASSPHRASE = "완전히 다른 비밀 문장"
STOPPED = 7


def _stop_before_step(number: int) -> None:
    steps = iter(range(sys.maxsize))

    def step(*_: object) -> None:
        if next(steps) == number:
            os._exit(STOPPED)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, step)


def change(path: Path, stop: int) -> None:
    with open_store(path) as store:
        _stop_before_step(stop)
        store.change_passphrase(PASSPHRASE, NEW_PASSPHRASE)


def write(path: Path) -> None:
    with open_store(path) as store:
        try:
            number = int(store.get("left", "hand").payload)
        except RecordUnknown:
            number = 0
        while True:
            number += 1
            payload = b"%d" % number
            store.write(Put("left", "hand", payload), Put("right", "hand", payload))
            print(number, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "change":
        change(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        write(Path(sys.argv[2]))
