"""`seoul-wallet issuer`: offer credentials, against the stack of `seoul-wallet serve`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from issuer.catalogue import APPOINTMENT_LETTER, FAMILY_CARD, ConfigurationUnknown
from issuer.register.csv_register import (
    APPOINTMENTS_FILE,
    FAMILIES_FILE,
    VOTERS_FILE,
    CsvAppointmentRegister,
    CsvElectoralRoll,
    CsvFamilyRegister,
)
from issuer.voting import VOTING_CREDENTIAL
from seoul_wallet.stack import CLERK, DIRECTOR
from seoul_wallet.stack_file import StackRefused, call, read_private, read_stack
from seoul_wallet.typed_errors import TypedErrors
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import ConflictError

MAX_TRIED: Final = 500


class NobodyEntitled(ConflictError):
    """Nobody in the sample register is entitled to this credential; name one with --subject."""

    code = "nobody_entitled"


@click.group(cls=TypedErrors)
def issuer() -> None:
    """Offer credentials as the department of the stack that `seoul-wallet serve` started.

    \b
      seoul-wallet issuer offer multi-child-family-card --tx-code
      seoul-wallet issuer offer multi-child-family-card --deferred
      seoul-wallet issuer approve
      seoul-wallet issuer census --min-age 14
    """


@issuer.command()
@click.argument("configuration")
@click.option("--tx-code", is_flag=True, help="Ask for a transaction code, printed here too.")
@click.option("--deferred", is_flag=True, help="Hold it until `issuer approve`.")
@click.option("--browser", is_flag=True, help="Let the holder log in and agree in a browser.")
@click.option("--subject", help="Family or appointment; the first entitled one otherwise.")
@click.option("--holder", help="Person; needed with --subject for a family.")
def offer(
    configuration: str,
    tx_code: bool,
    deferred: bool,
    browser: bool,
    subject: str | None,
    holder: str | None,
) -> None:
    """Print an openid-credential-offer:// link and, on the next line, its transaction code.

    CONFIGURATION is a credential configuration of the issuer's metadata.
    """
    if browser and tx_code:
        raise click.UsageError("an offer for the browser has no transaction code")
    if holder is not None and subject is None:
        raise click.UsageError("--holder is a person of the family that --subject names")
    stack = read_stack()
    _check_configuration(stack, configuration)
    token = read_private(Path(stack["tokens"]))["operators"][CLERK]
    options = {"tx_code": tx_code, "hold": deferred, "by_authorization": browser}
    candidates = (
        people(stack, configuration) if subject is None else iter([(subject, holder or subject)])
    )
    for tried, (subject_id, holder_id) in enumerate(candidates):
        body = {
            "configuration_id": configuration,
            "subject_id": subject_id,
            "holder_id": holder_id,
            **options,
        }
        url = f"{stack['issuer']}/operator/credential-offers"
        try:
            _, made = call(stack, "POST", url, bearer=token, body=body)
        except StackRefused as error:
            if subject is not None or "not_entitled" not in str(error) or tried >= MAX_TRIED:
                raise
            continue
        click.echo(made["link"])
        if made["tx_code"] is not None:
            click.echo(made["tx_code"])
        return
    raise NobodyEntitled("name somebody with --subject and --holder")


@issuer.command()
@click.option("--refuse", is_flag=True, help="Refuse instead.")
def approve(refuse: bool) -> None:
    """Approve, as the director, everything that the clerk holds; print how much that was."""
    stack = read_stack()
    token = read_private(Path(stack["tokens"]))["operators"][DIRECTOR]
    base = f"{stack['issuer']}/operator/approvals"
    _, listed = call(stack, "GET", base, bearer=token)
    word = "refuse" if refuse else "approve"
    for item in listed["approvals"]:
        call(stack, "POST", f"{base}/{item['approval_id']}/{word}", bearer=token, body={})
    click.echo(len(listed["approvals"]))


@issuer.command()
@click.option("--min-age", type=click.Choice(["14"]), help="Leave out who is younger.")
@click.option(
    "--district", "districts", multiple=True, metavar="CODE", help="Only these; may be repeated."
)
def census(min_age: str | None, districts: tuple[str, ...]) -> None:
    """Print what a manifest says of its voters, by the electoral roll: numbers, no names.

    These are its members `eligibility` and `census` (docs/voting.md, sections 3 and 5.4).
    """
    stack = read_stack()
    token = read_private(Path(stack["tokens"]))["operators"][CLERK]
    body = {
        "min_age": None if min_age is None else int(min_age),
        "districts": list(districts) or None,
    }
    url = f"{stack['issuer']}/operator/census"
    _, parts = call(stack, "POST", url, bearer=token, body=body)
    click.echo(to_json(parts).decode())


def _check_configuration(stack: JsonObject, configuration: str) -> None:
    url = f"{stack['issuer']}/.well-known/openid-credential-issuer"
    _, metadata = call(stack, "GET", url)
    known = sorted(metadata["credential_configurations_supported"])
    if configuration not in known:
        raise ConfigurationUnknown("the issuer has " + ", ".join(known))


def people(stack: JsonObject, configuration: str) -> Iterator[tuple[str, str]]:
    """Yield whom the synthetic register of the stack may entitle."""
    folder = Path(stack["tokens"]).parent
    if configuration.startswith(FAMILY_CARD):
        families = CsvFamilyRegister(folder / FAMILIES_FILE)
        families.load()
        for chunk in families.families():
            for family in chunk:
                for guardian in family.guardians:
                    yield family.family_id, guardian.person.register_id
    elif configuration.startswith(APPOINTMENT_LETTER):
        appointments = CsvAppointmentRegister(folder / APPOINTMENTS_FILE)
        appointments.load()
        for some in appointments.appointments():
            for appointment in some:
                yield appointment.appointment_id, appointment.appointment_id
    elif configuration == VOTING_CREDENTIAL:
        roll = CsvElectoralRoll(folder / VOTERS_FILE)
        roll.load()
        for voters in roll.voters():
            for voter in voters:
                if voter.is_over_14:
                    yield voter.register_id, voter.register_id
