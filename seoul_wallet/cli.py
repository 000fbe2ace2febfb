"""The command line, `seoul-wallet`."""

import click


@click.group()
def main() -> None:
    """Issue, hold and verify credentials that a city anchors on a chain."""
