"""Whatever is refused is refused within 100 ms of processor time and 64 MiB of memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

MAX_CPU_S = 0.1
MAX_MEMORY_BYTES = 64 * 1024 * 1024
# Parsers that stop early would make a corpus of nothing; this many there are.
INPUTS = 108


@pytest.fixture(scope="module")
def costs() -> list[dict[str, Any]]:
    """What every hostile input cost, in a process that does nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.hostile_inputs"],
        capture_output=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_hostile_input_is_refused_with_an_error_of_ours(costs: list[dict[str, Any]]) -> None:
    assert len(costs) == INPUTS
    assert [cost["name"] for cost in costs if cost["code"] is None] == []


def test_no_refusal_takes_more_than_a_tenth_of_a_second(costs: list[dict[str, Any]]) -> None:
    slow = {cost["name"]: cost["cpu_s"] for cost in costs if cost["cpu_s"] >= MAX_CPU_S}
    assert slow == {}


def test_no_refusal_takes_more_than_64_mib(costs: list[dict[str, Any]]) -> None:
    # The peak never falls: what one input took is at most how far it is above the first.
    large = {
        cost["name"]: cost["memory_bytes"]
        for cost in costs
        if cost["memory_bytes"] >= MAX_MEMORY_BYTES
    }
    assert large == {}
