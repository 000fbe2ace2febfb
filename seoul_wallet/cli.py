"""The command line, `seoul-wallet`."""

import importlib
import logging
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from types import MappingProxyType
from typing import Final

import click

# Where each command lives and what its one line of help is. Loading all of them takes seconds
# (web3 alone takes two), so a command is imported when it is used.
_COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "anchor": ("seoul_wallet.anchor.command:anchor", "Deploy, accredit, revoke, audit."),
        "ballotbox": ("seoul_wallet.ballotbox_cli:ballotbox", "Check, open, publish an election."),
        "demo": ("seoul_wallet.demo.command:demo", "Issue, anchor, present, verify, refuse."),
        "demo-phone": (
            "seoul_wallet.demo.command:demo_phone",
            "Lose a phone, and get everything back on another.",
        ),
        "issuer": ("seoul_wallet.issuer_cli:issuer", "Offer credentials to wallets."),
        "programmes": ("seoul_wallet.programmes_cli:programmes", "Check and try programme files."),
        "receipt": ("seoul_wallet.receipt_cli:receipt", "Check receipts of decisions offline."),
        "rehearsal": (
            "seoul_wallet.rehearsal.command:rehearsal",
            "Rehearse an election from a .pb file.",
        ),
        "run": ("seoul_wallet.run:run", "Serve one of the services."),
        "sample-register": (
            "seoul_wallet.sample_register:main",
            "Write a register of synthetic households.",
        ),
        "serve": ("seoul_wallet.serve:serve", "Start the whole stack on loopback."),
        "trustee": (
            "seoul_wallet.trustee.command:trustee",
            "Hold a share of an election's key.",
        ),
        "verifier": (
            "seoul_wallet.verifier_cli:verifier",
            "Ask for presentations at a running stack.",
        ),
        "verify": ("seoul_wallet.verify_cli:verify", "Verify presentations, a line each."),
        "wallet": ("seoul_wallet.wallet_cli:wallet", "Use a wallet from the terminal."),
    }
)


class _LazyCommands(click.Group):
    """The commands of `_COMMANDS`, each imported at its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=_LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seoul-wallet")
@click.option("-v", "--verbose", is_flag=True, help="Log what the services warn about.")
def main(verbose: bool) -> None:
    """Issue, hold and verify credentials that a city anchors on a chain."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal cannot show is told by its number rather than by a fault in the middle
        # of something that was done already.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(
        level=logging.WARNING if verbose else logging.CRITICAL,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
