"""A command line over a node of one's own: keys in files, everything else in options."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from eth_account import Account

from seoul_wallet.anvil import AnvilMissing, AnvilNode
from seoul_wallet.cli import main

CARD = "urn:example:card"
DID = "did:web:welfare.seoul.example"


@dataclass
class Desk:
    """Runs `seoul-wallet anchor …`; `keys` are files, `addresses` whose they are."""

    node: AnvilNode
    folder: Path
    keys: dict[str, Path] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    snapshot: object = None

    def person(self, name: str) -> str:
        """Return the address of a person, who has funds and a key in a file."""
        if name not in self.addresses:
            secret = secrets.token_bytes(32)
            path = self.folder / f"{name}.key"
            path.touch(mode=0o600)
            path.write_text(secret.hex())
            self.keys[name] = path
            self.addresses[name] = Account.from_key(secret).address
            self.node.fund(self.addresses[name])
        return self.addresses[name]

    @property
    def deployment(self) -> Path:
        """The deployment file."""
        return self.folder / "deployment.json"

    def run(self, *arguments: str, by: str | None = None, **environment: str) -> Result:
        """Run a command of the group on this chain."""
        if by is not None:
            self.person(by)
            environment["SEOUL_WALLET_OPERATOR_KEY_FILE"] = str(self.keys[by])
        chain = {
            "SEOUL_WALLET_RPC_URL": self.node.url,
            "SEOUL_WALLET_DEPLOYMENT": str(self.deployment),
            "SEOUL_WALLET_DEVELOPMENT_CHAIN": "1",
        }
        return CliRunner().invoke(main, ["anchor", *arguments], env={**chain, **environment})

    def done(self, *arguments: str, by: str | None = None, **environment: str) -> str:
        """Run a command that must succeed and return what it printed."""
        result = self.run(*arguments, by=by, **environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    def finalize(self) -> None:
        """Make everything so far final."""
        self.node.request("evm_increaseTime", ["0x5"])
        self.node.request("anvil_mine", ["0x3"])


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    """Open a desk over a new node, with the contracts deployed by `root`."""
    try:
        node = AnvilNode()
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    try:
        desk = Desk(node, folder)
        desk.done("deploy", "--out", str(desk.deployment), "--hand-over-delay-h", "0", by="root")
        yield desk
    finally:
        node.stop()
