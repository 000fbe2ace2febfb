"""The list of commands: complete, and shown without loading any of them."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from seoul_wallet.cli import main


def names() -> list[str]:
    return main.list_commands(click.Context(main))


@pytest.mark.parametrize("name", names())
def test_each_command_loads_and_helps(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output


def test_an_unknown_command_ends_with_a_hint() -> None:
    done = CliRunner().invoke(main, ["walet"])
    assert done.exit_code == 2
    assert "No such command 'walet'" in done.output


def test_help_names_every_command_and_loads_neither_web3_nor_flask() -> None:
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from click.testing import CliRunner\n"
            "from seoul_wallet.cli import main\n"
            "print(CliRunner().invoke(main, ['--help']).output)\n"
            "assert not {'web3', 'flask', 'sqlalchemy'} & set(sys.modules)\n",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert [name for name in names() if f"  {name} " not in shown] == []
