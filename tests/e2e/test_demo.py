"""The whole story on real parts: the demonstration with a small register, on each chain."""

import io
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from seoul_wallet.anvil import AnvilMissing
from seoul_wallet.chain import LocalChain, anvil_chain, in_process_chain, remote_chain
from seoul_wallet.cli import main
from seoul_wallet.demo.lines import Protocol
from seoul_wallet.demo.run import run_demo

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(300), pytest.mark.early]
HOUSEHOLDS = 40
DEMO_NODES = int(os.environ.get("SOAK_DEMO_NODES", "0"))


def play(chain: LocalChain, folder: Path) -> str:
    text = io.StringIO()
    console = Console(file=text, width=200)
    assert run_demo(console, chain, folder, seed=3, households=HOUSEHOLDS), text.getvalue()
    return text.getvalue()


def test_every_line_is_as_expected_on_the_chain_inside_the_process(tmp_path: Path) -> None:
    shown = play(in_process_chain(), tmp_path)
    for code in (
        "disclosure_malformed",
        "signature_invalid",
        "invalid_request",
        "credential_revoked",
        "batch_revoked",
        "issuer_not_accredited",
        "facts_too_old",
        "received_this_year",
        "1 counts the person",
        "These exclude each other: ",
        "함께 받을 수 없는 사업",
        "not_eligible: receives_another_benefit",
        "eligible, age stated",
    ):
        assert code in shown
    last = [line for line in shown.splitlines() if "✓" in line][-2:]
    assert ["offline" in line or "영수증" in line for line in last] == [True, True]
    assert "✗" not in shown


# The node that the demonstration starts for itself is in test_kept_demo.py, each time.
@pytest.mark.anvil
@pytest.mark.soak
@pytest.mark.skipif(DEMO_NODES == 0, reason="a third demonstration: make soak")
def test_the_command_runs_on_a_node_that_someone_else_started(tmp_path: Path) -> None:
    try:
        theirs = anvil_chain()
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    try:
        url = str(theirs.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
        ours = remote_chain(url, finality="tag", funding_key=None)
        assert ours.deployment.registry != theirs.deployment.registry
        play(ours, tmp_path)
    finally:
        theirs.stop()


def test_the_command_refuses_options_that_exclude_each_other(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["demo", "--rpc", "http://127.0.0.1:1", "--keep", str(tmp_path)]
    )
    assert result.exit_code == 2
    assert "exclude" in result.output


def test_the_command_says_in_one_line_that_a_node_does_not_answer() -> None:
    result = CliRunner().invoke(main, ["demo", "--rpc", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "chain_unavailable" in result.output
    assert "Traceback" not in result.output


def test_a_protocol_with_one_line_amiss_is_not_as_expected() -> None:
    protocol = Protocol(Console(file=io.StringIO()))
    assert not protocol.all_as_expected
    protocol.add("하나", "one", "accepted", lambda: ("accepted", ""))
    assert protocol.all_as_expected
    protocol.add("둘", "two", "accepted", lambda: ("rejected: x", ""))
    assert not protocol.all_as_expected
