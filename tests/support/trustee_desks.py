"""Trustees with key folders of their own, at a ballot box on a chain inside this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seoul_wallet.trustee.folder import KeyFolder
from seoul_wallet.trustee.office import TrusteeOffice
from tests.support.ballot_chain import ElectionOnChain
from tests.support.chains import LedgerStack
from tests.support.polling import BOX_URL, AppTransport
from tests.support.voting import Body, texts
from wallet.crypto.sealing import Argon2Parameters

PASSPHRASE = "a synthetic passphrase"
# So cheap that a test can open many folders; the tool's own cost is tested once.
CHEAP = Argon2Parameters(memory_kib=64, time=1, lanes=1)


def new_folder(path: Path) -> KeyFolder:
    """A new key folder."""
    return KeyFolder.create(path, PASSPHRASE, parameters=CHEAP)


def members(folders: list[KeyFolder]) -> list[Body]:
    """The trustees of a manifest who have these folders."""
    return [
        {"name": texts(f"trustee {number}"), **folder.public}
        for number, folder in enumerate(folders, start=1)
    ]


class TrusteeDesks:
    """An election of `count` trustees, each with a folder and a way to the box of its own."""

    def __init__(
        self, stack: LedgerStack, path: Path, *, count: int = 3, threshold: int = 2, **more: Any
    ) -> None:
        self.path = path
        self.folders = [new_folder(path / f"trustee-{n}") for n in range(1, count + 1)]
        self.election = ElectionOnChain(
            stack, path, trustees=members(self.folders), threshold=threshold, **more
        )
        app = self.election.application.flask_app
        self.transports = [AppTransport(app) for _ in self.folders]

    def office(self, number: int) -> TrusteeOffice:
        """The tool of a trustee, started anew over its folder; numbers from 1."""
        folder = KeyFolder.open(self.path / f"trustee-{number}", PASSPHRASE, floor=CHEAP)
        return TrusteeOffice(folder, self.transports[number - 1], self.election.clock)

    @property
    def numbers(self) -> range:
        """Of the trustees."""
        return range(1, len(self.folders) + 1)

    def join(self, *numbers: int) -> None:
        """Bind folders to the election."""
        for number in numbers or self.numbers:
            office = self.office(number)
            office.join(office.look(BOX_URL), manifest_digest=None)

    def run_ceremony(self, *numbers: int) -> None:
        """All rounds and the key; trustees that are not named do nothing."""
        box = self.election.application.box
        for _ in range(5):
            for number in numbers or self.numbers:
                self.office(number).advance()
            self.election.clock.set(self.election.clock.now() + (100 if numbers else 0))
            box.work()
        for number in numbers or self.numbers:
            self.office(number).advance()
