"""What runs under forge and slither: Solidity tests, gas snapshots, static analysis."""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.chain import CONTRACTS_DIR
from tests.contracts.node import forge, node

ROOT = CONTRACTS_DIR.parent
TIMEOUT_S = 280
# seconds on a quiet machine, minutes on a crowded one
pytestmark = [pytest.mark.timeout(300), pytest.mark.early]


@pytest.fixture
def build() -> Iterator[None]:
    """One at a time: forge compiles into contracts/out once, and finds it there afterwards."""
    lock = ROOT / ".cache/forge.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def slither(*arguments: str) -> "subprocess.CompletedProcess[str]":
    node()
    if not (ROOT / ".cache/slither/.ready").exists():
        pytest.skip("needs slither: run `sh tools/slither.sh --setup`")
    return subprocess.run(
        ["sh", "tools/slither.sh", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.node
@pytest.mark.usefixtures("build")
def test_the_solidity_tests_pass_at_the_cost_that_the_snapshots_say() -> None:
    result = forge("test", "--offline", "--gas-snapshot-check", "true", timeout_s=TIMEOUT_S)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 failed, 0 skipped" in result.stdout
    for suite in sorted((CONTRACTS_DIR / "test").glob("*.t.sol")):
        assert f"test/{suite.name}:" in result.stdout


@pytest.mark.node
@pytest.mark.usefixtures("build")
def test_every_line_and_branch_of_the_contracts_is_run_by_a_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, count in (("FUZZ_RUNS", 8), ("INVARIANT_RUNS", 2), ("INVARIANT_DEPTH", 20)):
        monkeypatch.setenv(f"FOUNDRY_{name}", str(count))
    options = ("--offline", "--no-match-coverage", "test/", "--no-match-contract", "GasTest")
    result = forge("coverage", *options, timeout_s=TIMEOUT_S)
    assert result.returncode == 0, result.stdout + result.stderr
    rows = re.findall(r"^\| (src/\S+\.sol) +\| (.*) \|$", result.stdout, flags=re.MULTILINE)
    print("\n" + "\n".join(f"{name:32} {figures}" for name, figures in rows))
    # statements and functions come with the lines
    found = {name: figures.split(" | ") for name, figures in rows}
    concrete = {
        str(path.relative_to(CONTRACTS_DIR))
        for path in (CONTRACTS_DIR / "src").rglob("*.sol")
        if path.parent.name != "interfaces"
    }
    assert set(found) == concrete
    for name, (lines, _, branches, _) in found.items():
        assert lines.startswith("100.00%"), f"{name}: lines {lines}"
        assert branches.startswith("100.00%"), f"{name}: branches {branches}"


@pytest.mark.node
def test_slither_finds_nothing_that_is_not_explained() -> None:
    result = slither()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 result(s) found" in result.stderr


@pytest.mark.node
def test_slither_fails_on_a_new_finding(tmp_path: Path) -> None:
    node()
    for name in ("foundry.toml", "slither.config.json", "solc-wrap.mjs", "package.json"):
        shutil.copy(CONTRACTS_DIR / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(CONTRACTS_DIR / "node_modules")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/Open.sol").write_text(
        "// SPDX-License-Identifier: Apache-2.0\n"
        "pragma solidity 0.8.37;\n"
        "contract Open {\n"
        "    function give(address payable to) external { to.transfer(address(this).balance); }\n"
        "}\n"
    )
    result = slither(str(tmp_path))
    assert result.returncode != 0
    assert "Detector: arbitrary-send-eth" in result.stderr
