"""The command line, `seoul-wallet`."""

import logging

import click

from seoul_wallet.anchor.command import anchor
from seoul_wallet.demo.command import demo
from seoul_wallet.run import run
from seoul_wallet.sample_register import main as sample_register
from seoul_wallet.serve import serve
from seoul_wallet.verify_cli import verify
from seoul_wallet.wallet_cli import wallet


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seoul-wallet")
@click.option("-v", "--verbose", is_flag=True, help="Log what the services warn about.")
def main(verbose: bool) -> None:
    """Issue, hold and verify credentials that a city anchors on a chain."""
    logging.basicConfig(
        level=logging.WARNING if verbose else logging.CRITICAL,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )


main.add_command(demo)
main.add_command(serve)
main.add_command(run)
main.add_command(wallet)
main.add_command(verify)
main.add_command(sample_register)
main.add_command(anchor)
