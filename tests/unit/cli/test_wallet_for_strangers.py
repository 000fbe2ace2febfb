"""The wallet's commands where things are not as they should be: one line and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from seoul_wallet.wallet_cli import wallet
from wallet.adapters.http.fetch import CaFileUnusable
from wallet.app import open_wallet

ROOT = Path(__file__).parents[3]
COLUMNS = 60


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(
        wallet, ["--lang", "en", *arguments], env={"SEOUL_WALLET_PASSPHRASE": ""}, input=typed
    )


def paths(command: click.Command, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield before
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from paths(below, (*before, name))


def test_every_help_fits_a_narrow_terminal_of_ascii() -> None:
    for path in paths(wallet):
        told = CliRunner().invoke(wallet, [*path, "--help"], terminal_width=COLUMNS)
        assert told.exit_code == 0, path
        assert told.output.isascii(), path
        assert max(map(len, told.output.splitlines())) <= COLUMNS, path


def test_a_terminal_that_cannot_show_korean_is_told_the_letters_numbers() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seoul_wallet", "wallet", "--lang", "ko", "programmes"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii",
             "SEOUL_WALLET_FILE": "/nonexistent/wallet.db", "SEOUL_WALLET_PASSPHRASE": ""},
        input=b"",
        capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"\\ube44\\ubc00" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--file", "/proc/none/wallet.db", "create"), "file_unusable", 2),
        (("--file", "{new}", "--ca-file", "/nonexistent.pem", "create"), "ca_file_unusable", 2),
        (("--file", "{new}", "restore", "/nonexistent"), "export_unavailable", 5),
        (("--file", "{new}", "list"), "store_missing", 4),
        (("--file", "{empty}", "list"), "store_damaged", 3),
    ],
)
def test_what_is_not_there_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    (tmp_path / "empty").touch()
    names = {"new": str(tmp_path / "new"), "empty": str(tmp_path / "empty")}
    typed = "a long passphrase\na long passphrase\n"
    told = run(*(argument.format(**names) for argument in arguments), typed=typed)
    assert (told.exit_code, code in told.output) == (exit_code, True), told.output
    assert not (tmp_path / "new").exists()


def test_a_folder_of_codes_that_is_not_there_is_a_mistake_of_use() -> None:
    assert run("show-offline", "/nonexistent").exit_code == 2


def test_no_wallet_is_made_when_the_trust_anchors_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", "ascii")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(CaFileUnusable):
            open_wallet(
                tmp_path / "wallet.db",
                "a long passphrase",
                create=True,
                ca_file=str(tmp_path / name),
            )
    assert not (tmp_path / "wallet.db").exists()
