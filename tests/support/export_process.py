"""A process that exports or restores a wallet and ends, without any clean-up, at a given step.

`python -m tests.support.export_process export WALLET EXPORT STEP` ends before the first `open`,
`fsync` or `link` that exporting does, or before the `unlink` that follows the `link`.
`… restore WALLET EXPORT N` ends before the write of records into the new store that follows N.
"""

import os
import sys
from pathlib import Path
from typing import Any

from tests.support.holder_stores import CHEAP, PASSPHRASE, open_store
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.crypto.recovery_phrase import PhraseLanguage, RecoveryPhrase
from wallet.holder.recovery import Recovery, restore_records

STOPPED = 7
PHRASE = RecoveryPhrase(bytes(range(32)), PhraseLanguage.KOREAN)


def export(wallet: Path, target: Path, step: str) -> None:
    def stop(name: str, _arguments: Any) -> None:
        if name in events:
            os._exit(STOPPED)

    def end(*_: object, **__: object) -> None:
        os._exit(STOPPED)

    events = {"open": {"open"}, "link": {"os.link"}}.get(step, set())
    with open_store(wallet) as store:
        recovery = Recovery(store)
        if step == "fsync":
            os.fsync = end
        elif step == "unlink":
            link = os.link

            def link_and_end(*arguments: Any, **_: object) -> None:
                link(*arguments)
                os._exit(STOPPED)

            os.link = link_and_end
        else:
            sys.addaudithook(stop)
        recovery.export(target)


def restore(wallet: Path, source: Path, writes: int) -> None:
    class Stopping:
        """The store of the process, which ends before one of its writes."""

        def __init__(self, store: SqliteRecordStore) -> None:
            self._store = store
            self._left = writes

        def write(self, *changes: Any) -> None:
            if self._left == 0:
                os._exit(STOPPED)
            self._left -= 1
            self._store.write(*changes)

    with source.open("rb") as file:

        def fill(store: SqliteRecordStore) -> None:
            restore_records(Stopping(store), PHRASE, file.read)  # type: ignore[arg-type]

        SqliteRecordStore.create(wallet, PASSPHRASE, fill=fill, _floor=CHEAP).close()


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        restore(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
