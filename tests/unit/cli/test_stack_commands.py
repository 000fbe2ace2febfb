"""The commands for the stack of `serve` where there is none, or they are told what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main

STACK = {
    "issuer": "http://localhost:1",
    "verifier": "http://localhost:1",
    "trust_anchor": "ca.pem",
    "tokens": "tokens.json",
}
CARD = "multi-child-family-card"
COMMANDS = (
    ("issuer", "offer", CARD),
    ("issuer", "approve"),
    ("verifier", "request", "family-card"),
    ("verifier", "result", "session"),
)


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"SEOUL_WALLET_STACK": str(file)})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "text",
        "[]",
        "{}",
        json.dumps({**STACK, "tokens": 7}),
        json.dumps({"issuer": STACK["issuer"]}),
    ],
)
def test_a_file_that_serve_did_not_write_is_no_stack(
    tmp_path: Path, command: tuple[str, ...], content: str | None
) -> None:
    file = tmp_path / "stack.json"
    if content is not None:
        file.write_text(content)
    answer = run(file, *command)
    assert answer.exit_code == 4, answer.output
    assert answer.output.startswith("stack_not_running: ")
    assert answer.output.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [("--browser", "--tx-code"), ("--holder", "SYN-P-000001")],
    ids=" ".join,
)
def test_options_that_would_do_nothing_are_refused(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    answer = run(tmp_path / "stack.json", "issuer", "offer", CARD, *options)
    assert answer.exit_code == 2
    assert "Error: " in answer.output
