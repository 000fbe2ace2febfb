"""`seoul-wallet programmes`: check programme files, and try one on invented claims."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from verifier.catalogue import read_programme_files
from wallet.eligibility.catalogue import parse_catalogue
from wallet.eligibility.decision import Evaluation, Outcome, evaluate
from wallet.eligibility.document import ProgrammeInvalid
from wallet.eligibility.marked_yaml import MarkedDocument, YamlMalformed, parse_marked_yaml
from wallet.eligibility.programme import Programme, parse_programme
from wallet.eligibility.schema_words import close_to
from wallet.errors import SeoulWalletError


@click.group()
def programmes() -> None:
    """Check programme files, and try them on invented people."""


@programmes.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def check(folder: Path) -> None:
    """Check all programme files of FOLDER, or one, as a verifier does when it loads them."""
    try:
        one = {folder.name: folder.read_bytes()} if folder.is_file() else None
        files = read_programme_files(folder) if one is None else one
        if not files:
            raise click.ClickException(f"no file in {folder} ends with .yaml")
        catalogue = parse_catalogue(files)
    except ProgrammeInvalid as error:
        for problem in error.problems:
            click.echo(str(problem))
        raise SystemExit(1) from None
    except (OSError, SeoulWalletError) as error:
        raise click.ClickException(str(error)) from None
    for item in catalogue.programmes():
        until = item.effective_until or "open"
        click.echo(f"{item.name}  {item.effective_from} to {until}  {item.title.en}")


@programmes.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("claims", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The day of the application.",
)
@click.option("--language", type=click.Choice(["ko", "en"]), default="en", show_default=True)
def try_one(file: Path, claims: Path, on: datetime, language: str) -> None:
    """Evaluate the programme in FILE on the claims in CLAIMS (YAML, by evidence id)."""
    try:
        programme = parse_programme(file.read_bytes(), file.name)
        said = parse_marked_yaml(claims.read_bytes())
        problems = [f"{claims.name}:{item}" for item in _not_asked_for(programme, said)]
        if problems:
            raise click.ClickException("\n".join(problems))
        evaluation = evaluate(programme, said.value, on.date())
    except ProgrammeInvalid as error:
        raise click.ClickException("\n".join(str(item) for item in error.problems)) from None
    except YamlMalformed as error:
        raise click.ClickException(f"{claims.name}: {error}") from None
    except (OSError, SeoulWalletError) as error:
        raise click.ClickException(str(error)) from None
    _show(evaluation, language)


def _not_asked_for(programme: Programme, said: MarkedDocument) -> Iterator[str]:
    """Yield what the claims say that the programme does not ask for: most likely misspelt."""
    for name, claims in said.value.items():
        line = said.line_of((name,))
        if name not in programme.evidence:
            yield f"{line}: no evidence is called {name}; {close_to(name, programme.evidence)}"
        elif type(claims) is not dict:
            yield f"{line}: {name}: expected its claims, {{claim: value, …}}"
        else:
            query = programme.query.credentials[name]
            asked = {str(item.path[0]): None for item in query.claims}
            for claim in claims.keys() - asked.keys():
                line = said.line_of((name, claim))
                yield f"{line}: {name} is not asked for {claim}; {close_to(claim, asked)}"


def _show(evaluation: Evaluation, language: str) -> None:
    click.echo(f"{evaluation.programme.name}: {evaluation.outcome.value}")
    for reason in evaluation.reasons:
        text = reason.text.in_language(language)
        click.echo(f"  {reason.clause}: {reason.code} ({text})")
    if evaluation.programme.once is not None and evaluation.outcome is Outcome.ELIGIBLE:
        click.echo("  once per person: whether it was drawn before, the agency tells")
    for document in evaluation.missing:
        name = document.document.in_language(language)
        where = document.obtain_at.in_language(language)
        click.echo(f"  needs: {name}, from: {where}")
