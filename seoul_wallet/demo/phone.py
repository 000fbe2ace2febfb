"""A phone of the demonstration: a process of its own with a folder of its own.

`python -m seoul_wallet.demo.phone FOLDER` reads a command a line from standard input, as JSON with
`do` and its arguments, and answers each with a line of JSON. It ends when its input does.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from seoul_wallet.core_dumps import switch_off_core_dumps
from wallet.app import open_wallet, restore_wallet
from wallet.crypto.recovery_phrase import PhraseLanguage
from wallet.errors import SeoulWalletError
from wallet.holder.cards import ReceiptState
from wallet.holder.wallet import Wallet
from wallet.ports.holder import RecordUnknown

RECEIPTS_WITHIN_S: Final = 60
_POLL_S: Final = 0.2
_MORE_THAN_ANY: Final = 100


class Phone:
    """What the person with the phone can do."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = folder / "wallet.db"
        self._passphrase = secrets.token_urlsafe(16)
        self._wallet: Wallet | None = None

    @property
    def wallet(self) -> Wallet:
        if self._wallet is None:
            raise RecordUnknown("there is no wallet on this phone yet")
        return self._wallet

    def _open(self, *, create: bool) -> None:
        self._wallet = open_wallet(self._file, self._passphrase, create=create, development=True)

    def create(self, name: str) -> None:
        """Make a new wallet."""
        self._open(create=True)
        self.wallet.devices.name_device(name)

    def restore(self, name: str, words: str, export: str) -> int:
        """Make a wallet from an export; return the number of records."""
        count = restore_wallet(export, words, self._file, self._passphrase)
        self._open(create=False)
        self.wallet.devices.name_device(name)
        return count

    def receive(self, link: str, tx_code: str | None) -> list[str]:
        """Take an offer; return the ids of the cards."""
        return [card.id for card in self.wallet.receive(link, tx_code=tx_code)]

    def await_receipts(self) -> bool:
        """Wait until all cards have their anchor receipt; whether they had it in time."""
        ends_at = time.monotonic() + RECEIPTS_WITHIN_S
        while time.monotonic() < ends_at:
            self.wallet.update_receipts()
            cards = self.wallet.credentials()
            if all(card.receipt_state is ReceiptState.FINAL for card in cards):
                return True
            time.sleep(_POLL_S)
        return False

    def back_up(self, export: str) -> str:
        """Write an export; return the words that open it."""
        phrase = self.wallet.create_recovery_phrase(PhraseLanguage.KOREAN)
        self.wallet.export(export)
        return " ".join(phrase.words)

    def reissue(self, keep: bool) -> list[tuple[str, str | None]]:
        """Have all cards issued to this phone; return outcome and reason of each."""
        told = self.wallet.devices.reissue_all(keep=keep)
        return [(item.outcome.value, item.reason) for item in told]

    def more_copies(self) -> str:
        """Ask for more copies of the first card; return how many, or why none."""
        try:
            card = self.wallet.credentials()[0]
            return str(self.wallet.top_up(card.id, below=_MORE_THAN_ANY))
        except SeoulWalletError as error:
            return str(getattr(error, "error", error.code))

    def devices(self) -> list[dict[str, Any]]:
        """Return the wallet's devices."""
        return [
            {"id": item.id, "name": item.name, "this": item.is_this, "lost": item.is_lost}
            for item in self.wallet.devices.devices().devices
        ]

    def lost(self, device_id: str) -> list[str]:
        """Report a device as lost; return the error codes of issuers that were not told."""
        told = self.wallet.devices.lost(device_id)
        return [error.code for _, error in told if error is not None]

    def present(self, link: str) -> None:
        """Answer a request with the first card that fits."""
        self.wallet.present(link, ask=lambda _: True)

    def run(self) -> None:
        """Do what comes in, line by line."""
        known: dict[str, Callable[..., Any]] = {
            name: getattr(self, name)
            for name in (
                "create", "restore", "receive", "await_receipts", "back_up", "reissue",
                "more_copies", "devices", "lost", "present",
            )
        }  # fmt: skip
        for line in sys.stdin:
            command = json.loads(line)
            try:
                answer = {"done": known[command.pop("do")](**command)}
            except SeoulWalletError as error:
                answer = {"error": error.code}
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        if self._wallet is not None:
            self._wallet.close()


if __name__ == "__main__":
    switch_off_core_dumps()
    Phone(Path(sys.argv[1])).run()
