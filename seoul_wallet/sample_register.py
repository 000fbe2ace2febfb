"""The command that writes a synthetic register: `python -m seoul_wallet.sample_register`."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import click

from issuer.register.card_rule import check_family_card, family_card_rule
from seoul_wallet.sample.register import APPOINTMENTS, MAX_HOUSEHOLDS, make_sample_register


@click.command("sample-register")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same people.")
@click.option(
    "--households",
    type=click.IntRange(1, MAX_HOUSEHOLDS),
    default=1_000,
    show_default=True,
    help="How many families, the border cases among them.",
)
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The day that ages and borders are counted from.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write families.csv and appointments.csv to.",
)
def main(seed: int, households: int, on: datetime, out: Path) -> None:
    """Write a register of synthetic families and appointments as CSV. Nobody in it exists."""
    day = on.date()
    try:
        register = make_sample_register(
            seed=seed, households=households, on=day, appointments=APPOINTMENTS
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        register.write(out)
    except OSError as error:
        raise click.ClickException(f"cannot write: {error.strerror}") from None
    rule = family_card_rule(day)
    eligible = sum(check_family_card(family, day, rule).granted for family in register.families)
    click.echo(f"{len(register.families)} families, {eligible} of them eligible on {day}")
    click.echo(f"{len(register.appointments)} appointments")
    for name, content in register.files().items():
        click.echo(f"{hashlib.sha256(content).hexdigest()}  {name}")


if __name__ == "__main__":
    main()
