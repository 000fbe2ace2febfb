"""The command `seoul-wallet demo`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from seoul_wallet.chain import LocalChain, anvil_chain, in_process_chain, remote_chain
from seoul_wallet.demo.phones import run_phone_demo
from seoul_wallet.demo.run import run_demo
from seoul_wallet.demo.scene import DemoFailed
from seoul_wallet.kept import CHAIN_STATE
from wallet.errors import SeoulWalletError

FUNDING_KEY_VARIABLE = "SEOUL_WALLET_FUNDING_KEY"


@click.command("demo")
@click.option("--households", type=click.IntRange(30, 100_000), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same people.")
@click.option("--rpc", metavar="URL", help="Use this Ethereum-compatible node.")
@click.option(
    "--finality",
    default="tag",
    show_default=True,
    help="What is final on the node of --rpc: tag, instant or depth:N.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Run on an anvil node and keep databases and chain in FOLDER.",
)
def demo(households: int, seed: int, rpc: str | None, finality: str, keep: Path | None) -> None:
    """Issue, hold, anchor, present and verify; then show what is refused, and why.

    Starts a chain, an issuer with a synthetic register and a verifier on loopback, issues a card
    to every eligible family, and ends with a table of what was expected and what happened. Exit
    status 0 only if every line is as expected.

    Without options the chain runs inside this process. --rpc takes gas from the node's first
    unlocked account, or from the key (hex) in SEOUL_WALLET_FUNDING_KEY.
    """
    console = Console()
    if rpc and keep:
        raise click.UsageError("--rpc and --keep exclude each other")
    try:
        with tempfile.TemporaryDirectory(prefix="seoul-wallet-demo-") as temporary:
            folder = Path(temporary) if keep is None else keep
            folder.mkdir(parents=True, exist_ok=True)
            chain = _start_chain(rpc, finality, folder if keep else None)
            passed = run_demo(console, chain, folder, seed=seed, households=households)
    except (SeoulWalletError, DemoFailed) as error:
        code = getattr(error, "code", "demo_failed")
        raise click.ClickException(f"{code}: {error}") from error
    if keep is not None:
        console.print(f"kept in {keep}: databases, chain state, synthetic register")
        console.print(f"audit it with: seoul-wallet anchor audit --folder {keep}")
    sys.exit(0 if passed else 1)


@click.command("demo-phone")
def demo_phone() -> None:
    """Lose a phone: restore, have the cards issued anew, revoke the old one, present.

    Two phones, each a process with its own folder, against an issuer and a verifier on loopback.
    Exit status 0 only if every step is as expected.
    """
    console = Console()
    try:
        with tempfile.TemporaryDirectory(prefix="seoul-wallet-phones-") as folder:
            passed = run_phone_demo(console, Path(folder))
    except (SeoulWalletError, DemoFailed) as error:
        code = getattr(error, "code", "demo_failed")
        raise click.ClickException(f"{code}: {error}") from error
    sys.exit(0 if passed else 1)


def _start_chain(rpc: str | None, finality: str, keep: Path | None) -> LocalChain:
    if rpc is not None:
        key = os.environ.get(FUNDING_KEY_VARIABLE, "").removeprefix("0x")
        try:
            secret = bytes.fromhex(key) or None
        except ValueError:
            raise click.UsageError(f"{FUNDING_KEY_VARIABLE} is not hex") from None
        return remote_chain(rpc, finality=finality, funding_key=secret)
    if keep is not None:
        return anvil_chain(state_file=keep / CHAIN_STATE)
    return in_process_chain()
