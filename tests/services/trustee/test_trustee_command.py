"""`seoul-wallet trustee` as a person meets it: one line, a language, an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from seoul_wallet.trustee.command import PASSPHRASE_VARIABLE
from seoul_wallet.trustee.standing import Step
from seoul_wallet.trustee.texts import TEXTS
from tests.support.trustee_desks import PASSPHRASE


def trustee(*arguments: object, language: str = "en", passphrase: str = PASSPHRASE) -> Result:
    return CliRunner().invoke(
        main,
        ["trustee", "--lang", language, "--development", *map(str, arguments)],
        env={PASSPHRASE_VARIABLE: passphrase},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the command made, at the full cost of its passphrase."""
    made = tmp_path_factory.mktemp("trustee") / "keys"
    assert trustee("new", made).exit_code == 0
    return made


def test_makes_a_folder_and_shows_its_public_keys_again(folder: Path) -> None:
    shown = trustee("keys", folder)
    assert shown.exit_code == 0
    assert set(json.loads(shown.output)) == {"signing_key", "encryption_key"}
    standing = trustee("status", folder, "--json")
    assert json.loads(standing.output)["step"] == "not_joined"


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "trustee_passphrase_wrong: the passphrase does not open this folder"),
        ("ko", "trustee_passphrase_wrong: 비밀 문장이 틀렸습니다"),
    ],
)
def test_a_wrong_passphrase_is_one_line_in_either_language(
    folder: Path, language: str, line: str
) -> None:
    done = trustee("status", folder, language=language, passphrase="another passphrase")
    assert (done.exit_code, done.output.strip()) == (3, line)


def test_a_step_too_early_ends_with_the_code_of_a_wrong_moment(folder: Path) -> None:
    assert trustee("decrypt", folder, "--workers", 1).exit_code == 4
    assert trustee("new", folder).exit_code == 4


@pytest.mark.loopback
def test_a_box_that_does_not_answer_can_be_tried_again(folder: Path) -> None:
    done = trustee("join", folder, "http://localhost:1", "--manifest-digest", "00")
    assert done.exit_code == 5
    assert done.output.startswith("peer_unreachable: ")


def test_everything_is_said_in_both_languages() -> None:
    assert TEXTS["ko"].keys() == TEXTS["en"].keys()
    assert {step.value for step in Step} <= TEXTS["en"].keys()
