"""The command line, `seoul-wallet`."""

import click

from seoul_wallet.demo.command import demo
from seoul_wallet.sample_register import main as sample_register


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seoul-wallet")
def main() -> None:
    """Issue, hold and verify credentials that a city anchors on a chain."""


main.add_command(demo)
main.add_command(sample_register)
