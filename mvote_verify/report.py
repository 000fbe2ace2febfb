"""Results for people, with colours, and for programs, as JSON."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mvote_verify.challenge import Challenge
from mvote_verify.checks import Verification
from mvote_verify.plan import CHECKS, Result, Status
from mvote_verify.texts import CHECK_NAMES, CODES, LINES, STATUSES, pick

_COLOURS = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.SKIPPED: "yellow",
    Status.NOT_REACHED: "dim",
}


def print_result(console: Console, result: Result, lang: str) -> None:
    """One line, and what was found below it."""
    name = pick(CHECK_NAMES[result.number], lang)
    status = pick(STATUSES[result.status], lang)
    colour = _COLOURS[result.status]
    line = f"[{colour}]V{result.number:<3}{status}[/]  {escape(name)}"
    if result.code:
        line += f" — [bold]{result.code}[/]: {escape(pick(CODES[result.code], lang))}"
    console.print(line, highlight=False, soft_wrap=True)
    detail = result.detail
    if detail and result.status is Status.NOT_REACHED:
        detail = f"{pick(LINES['because'], lang)} {detail}"
    for note in (detail, *result.notes):
        if note:
            console.print(f"      {escape(note)}", highlight=False, soft_wrap=True, style="dim")


def print_end(console: Console, verification: Verification, lang: str) -> None:
    """The funded list if it was recomputed, and the verdict."""
    if verification.outcome is not None:
        console.print(_outcome_table(verification, lang))
    if verification.success:
        console.print(pick(LINES["success"], lang), style="bold green", soft_wrap=True)
    elif verification.failed:
        console.print(pick(LINES["failed"], lang), style="bold red", soft_wrap=True)
    else:
        console.print(pick(LINES["incomplete"], lang), style="bold yellow", soft_wrap=True)


def print_challenge(console: Console, challenge: Challenge, lang: str) -> None:
    """What an opened ballot held, and that its code is the one that was shown."""
    table = Table()
    for column in ("project", "choice"):
        table.add_column(pick(LINES[column], lang))
    for project, value in zip(challenge.manifest.projects, challenge.choices, strict=True):
        if value:
            table.add_row(escape(f"{project['title'][lang]} ({project['id']})"), str(value))
    console.print(table)
    console.print(pick(LINES["challenge_holds"], lang), style="bold green", soft_wrap=True)


def print_refusal(console: Console, code: str, detail: str, lang: str) -> None:
    """Why an opened ballot is not what the device had shown."""
    console.print(
        f"[bold red]{code}[/]: {escape(pick(CODES[code], lang))}", highlight=False, soft_wrap=True
    )
    if detail:
        console.print(f"      {escape(detail)}", highlight=False, soft_wrap=True, style="dim")


def challenge_json(challenge: Challenge) -> dict[str, Any]:
    """The same for programs."""
    projects = challenge.manifest.projects
    return {
        "success": True,
        "code": challenge.code,
        "choices": {
            project["id"]: value
            for project, value in zip(projects, challenge.choices, strict=True)
        },
    }


def _outcome_table(verification: Verification, lang: str) -> Table:
    table = Table()
    for column in ("project", "votes", "result"):
        table.add_column(pick(LINES[column], lang))
    titles = verification.project_titles(lang)
    for project in (verification.outcome or {})["projects"]:
        status = project["status"]
        if project["short"] is not None:
            said = pick(LINES["short"], lang).format(project["short"])
        else:
            said = pick(LINES[status], lang)
        style = "green" if status == "funded" else None
        name = escape(f"{project['id']} {titles[project['id']]}")
        table.add_row(name, f"{project['votes']:,}", said, style=style)
    return table


def to_json(verification: Verification) -> dict[str, Any]:
    """For `--json`: every check with its status, code and detail."""
    checks = []
    for number in range(1, CHECKS + 1):
        result = verification.results[number]
        checks.append(
            {
                "check": f"V{number}",
                "name": pick(CHECK_NAMES[number], "en"),
                "status": str(result.status),
                "code": result.code,
                "detail": result.detail,
                "notes": list(result.notes),
            }
        )
    return {
        "success": verification.success,
        "election": verification.election,
        "checks": checks,
        "outcome": verification.outcome,
    }
