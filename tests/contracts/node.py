"""What the tests need of Node.js, each with a skip that names what is missing."""

import shutil
import subprocess

import pytest

from tests.contracts.chain import CONTRACTS_DIR


def node() -> str:
    """The path of Node, with the packages of contracts/ installed."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs node: no `node` on PATH")
    if not (CONTRACTS_DIR / "node_modules/solc/package.json").exists():
        pytest.skip("needs node: contracts/node_modules is missing, run `make node`")
    return found


def forge(*arguments: str, timeout_s: int) -> "subprocess.CompletedProcess[str]":
    """Runs forge in contracts/."""
    program = [node(), "forge.mjs"]
    where = subprocess.run([*program, "--where"], cwd=CONTRACTS_DIR, capture_output=True)
    if where.returncode != 0:
        pytest.skip("needs node: no forge for this platform in contracts/node_modules")
    return subprocess.run(
        [*program, *arguments],
        cwd=CONTRACTS_DIR,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
