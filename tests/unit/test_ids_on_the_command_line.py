"""Ids in base64url may begin with a dash and are ids; an option that does not exist is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from seoul_wallet.cli import main

COMMANDS = (
    ["verifier", "result"],
    ["wallet", "show"],
    ["wallet", "withdraw"],
    ["wallet", "lost"],
    ["wallet", "delegations", "revoke"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_id_that_begins_with_a_dash_is_no_option(command: list[str], tmp_path: Path) -> None:
    environment = {
        "SEOUL_WALLET_STACK": str(tmp_path),
        "SEOUL_WALLET_PASSPHRASE": "x",
        "HOME": str(tmp_path),
    }
    done = CliRunner().invoke(main, [*command, "-tQzF0"], env=environment)
    assert done.exit_code != 0
    assert "No such option" not in done.output


def test_an_option_that_does_not_exist_is_named() -> None:
    done = CliRunner().invoke(main, ["verifier", "request", "-tQzF0"])
    assert (done.exit_code, "No such option" in done.output) == (2, True)
