"""docs/programmes.md: the thirteenth programme is written, tried and served as it says."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import date, datetime, time
from pathlib import Path

import pytest
from click.testing import CliRunner

from seoul_wallet.cli import main
from tests.support.city import AGENCY_URL, PERSON, City
from tests.support.programmes import programme_files
from tests.support.registers import register_rows
from verifier.exclusions.config import RegisterConfig
from wallet.crypto.hashing import sha256
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import SEOUL
from wallet.eligibility.decision import Outcome
from wallet.eligibility.document import programme_schema
from wallet.eligibility.evidence_types import evidence_types
from wallet.eligibility.marked_yaml import parse_marked_yaml
from wallet.eligibility.programme import parse_programme
from wallet.eligibility.rule_reader import GROUPS, TESTS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "programmes.md"
TEXT = DOCUMENT.read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


PROGRAMME, SOMEBODY = blocks("yaml")
(SHOWN,) = blocks("text")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's folder, as the document has them fill it."""
    mine = tmp_path / "my-programmes"
    mine.mkdir()
    (mine / "instrument-loan.yaml").write_text(PROGRAMME, "utf-8")
    (tmp_path / "somebody.yaml").write_text(SOMEBODY, "utf-8")
    return tmp_path


def run(folder: Path, command: str) -> tuple[int, str]:
    """Run a command line of the document in `folder`."""
    words = command.removeprefix("seoul-wallet ").split()
    placed = [str(folder / word) if (folder / word).exists() else word for word in words]
    done = CliRunner().invoke(main, placed)
    return done.exit_code, done.output


def test_the_programme_of_the_document_is_checked_and_tried_as_it_says(folder: Path) -> None:
    check, attempt = [block.strip() for block in blocks("sh")[:2]]
    status, output = run(folder, check)
    assert (status, output.partition("@")[0]) == (0, "instrument-loan")
    assert run(folder, attempt) == (0, SHOWN)
    assert "needs: 수급자" in run(folder, attempt + " --language ko")[1]


def test_a_mistake_in_it_is_told_with_file_and_line(folder: Path) -> None:
    path = folder / "my-programmes" / "instrument-loan.yaml"
    path.write_text(PROGRAMME.replace("at_least: 1}", "at_least: one}"), "utf-8")
    line = 1 + PROGRAMME[: PROGRAMME.index("at_least: 1}")].count("\n")
    status, output = run(folder, "seoul-wallet programmes check my-programmes")
    assert status == 1
    assert output.startswith(f"instrument-loan.yaml:{line}: ")
    path.unlink()
    assert run(folder, "seoul-wallet programmes try nowhere.yaml x --on 2026-06-01")[0] == 2


@pytest.mark.parametrize("claims", ["[1]", "a: [", "&x a: 1"])
def test_claims_that_cannot_be_read_are_told(folder: Path, claims: str) -> None:
    (folder / "somebody.yaml").write_text(claims, "utf-8")
    status, output = run(folder, blocks("sh")[1].strip())
    assert status == 1
    assert "somebody.yaml: line 1" in output


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("resident:", "residents:", 1, "no evidence is called residents; did you mean resident?"),
        ("birth_date", "birthdate", 1, "is not asked for birthdate; did you mean birth_date?"),
        ("{as_of", "{district: 중구, as_of", 2, "is not asked for district; there are as_of"),
        ("resident: {", "welfare: 1\nresident: {", 1, "welfare: expected its claims"),
    ],
)
def test_claims_that_are_not_asked_for_are_told_with_their_line(
    folder: Path, old: str, new: str, line: int, problem: str
) -> None:
    (folder / "somebody.yaml").write_text(SOMEBODY.replace(old, new, 1), "utf-8")
    status, output = run(folder, blocks("sh")[1].strip())
    assert status == 1
    assert f"somebody.yaml:{line}: " in output
    assert problem in output


def test_a_folder_without_programmes_is_told_and_one_file_is_enough(folder: Path) -> None:
    (folder / "empty").mkdir()
    status, output = run(folder, "seoul-wallet programmes check empty")
    assert (status, "ends with .yaml" in output) == (1, True)
    checked = run(folder, "seoul-wallet programmes check my-programmes/instrument-loan.yaml")
    assert checked == run(folder, "seoul-wallet programmes check my-programmes")


def test_what_is_counted_once_is_not_told_by_trying(folder: Path) -> None:
    (folder / "fare.yaml").write_bytes(programme_files()["youth-fare-2026.yaml"])
    person = "person: {birth_date: 2004-06-01, seoul_resident: true, valid_until: 2026-06-30}\n"
    (folder / "person.yaml").write_text(person, "utf-8")
    tried = run(folder, "seoul-wallet programmes try fare.yaml person.yaml --on 2026-06-01")
    assert tried[0] == 0
    assert "whether it was drawn before, the agency tells" in tried[1]


def test_a_verifier_serves_it_without_a_line_of_python(folder: Path) -> None:
    found = parse_programme(PROGRAMME.encode(), "instrument-loan.yaml")
    claims = parse_marked_yaml(SOMEBODY.encode()).value
    claims["resident"]["seoul_since"] = "2025-06-01"
    on = date(2026, 6, 1)
    now = int(datetime.combine(on, time(12), SEOUL).timestamp())
    city = City(
        folder,
        now,
        register_rows(found, claims, on),
        configure={"programmes_folder": folder / "my-programmes"},
    )
    try:
        wallet = city.open_wallet()
        for kind in ("residence", "receipts"):
            city.give(wallet, kind, PERSON, PERSON)
        city.settle()
        wallet.discovery.refresh(AGENCY_URL)
        (finding,) = wallet.discovery.findings()
        assert finding.outcome is Outcome.ELIGIBLE
        (applied,) = wallet.discovery.apply(wallet.discovery.plan([finding]))
        assert applied.decision is not None
        assert (applied.decision["programme"], applied.decision["outcome"]) == (
            "instrument-loan",
            "eligible",
        )
    finally:
        city.close()


def test_a_register_starts_with_the_settings_that_the_commands_make(folder: Path) -> None:
    (commands,) = [block for block in blocks("sh") if "run register" in block]
    made = subprocess.run(
        ["bash", "-eu", "-c", re.sub(r"^seoul-wallet .*$", "env -0", commands, flags=re.M)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "AGENCY_TOKEN": "synthetic"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    told = dict(line.split("=", 1) for line in made.stdout.decode().split("\0") if line)
    files = {name: str(folder / text) for name, text in told.items() if name.endswith("_FILE")}
    config = RegisterConfig.from_env(told | files)
    assert config.groups == {"youth-benefits": Window(calendar_year=True)}
    assert config.agency_token_digests == {"did:web:agency.example": sha256(b"synthetic")}


def test_every_test_and_group_of_the_language_is_described() -> None:
    for name in (*TESTS, *GROUPS):
        assert re.search(rf"^\| `{name}: ", TEXT, re.M), name


def test_every_member_of_the_schema_is_described() -> None:
    described = TEXT.partition("## What a file says")[2].partition("## The rule")[0]
    members = list(programme_schema()["properties"])
    assert [name for name in members if f"`{name}`" not in described] == ["format"]
    assert len(evidence_types().by_name) >= 9
