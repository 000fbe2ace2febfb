"""Issuing when the process dies in the middle, or when requests race."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from issuer.issuing import IssuanceStep
from tests.support.issuing import FAMILY, IssuerWorld, issuer_world
from tests.support.issuing_process import COMMITTED

ROOT = Path(__file__).resolve().parents[3]
RACERS = 16


def kill_at(folder: Path, step: str, token: str) -> None:
    """Ask for a credential in another process that dies at `step`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.issuing_process", folder, step, token],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b""), done.stderr


def on_record(world: IssuerWorld) -> list[dict[str, Any]]:
    found = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()
    records: list[dict[str, Any]] = found["issuances"]
    return records


@pytest.mark.parametrize("step", list(IssuanceStep))
def test_a_crash_before_the_commit_leaves_nothing_and_the_same_request_is_good(
    world: IssuerWorld, step: IssuanceStep
) -> None:
    token = world.token()
    world.close()
    kill_at(world.folder, step.value, token)
    again = issuer_world(world.folder)
    assert on_record(again) == []
    answer = again.request_credential(token, again.proof())
    assert answer.status_code == 200
    (record,) = on_record(again)
    assert record["completed"] is True
    third = again.request_credential(token, again.proof())
    assert (third.status_code, third.get_json()["error"]) == (401, "invalid_token")
    again.close()


def test_a_retry_after_a_crash_before_the_answer_is_refused(world: IssuerWorld) -> None:
    token = world.token()
    world.close()
    kill_at(world.folder, COMMITTED, token)
    again = issuer_world(world.folder)
    (record,) = on_record(again)
    assert record["completed"] is True
    answer = again.request_credential(token, again.proof())
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
    assert on_record(again) == [record]
    assert again.client.get(f"/receipts/{record['leaf']}").status_code == 202
    again.close()


def test_of_sixteen_parallel_requests_with_one_token_exactly_one_gets_a_credential(
    world: IssuerWorld,
) -> None:
    token = world.token()
    proofs = [world.proof() for _ in range(RACERS)]
    barrier = Barrier(RACERS)

    def race(proof: str) -> int:
        barrier.wait()
        return world.request_credential(token, proof).status_code

    with ThreadPoolExecutor(RACERS) as pool:
        statuses = list(pool.map(race, proofs))
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400, 401}
    (record,) = on_record(world)
    assert record["completed"] is True


def test_requests_with_different_numbers_of_proofs_race_for_one_record(
    world: IssuerWorld,
) -> None:
    token = world.token()
    proofs = [[world.proof() for _ in range(1 + turn % 4)] for turn in range(RACERS)]
    barrier = Barrier(RACERS)

    def race(some: list[str]) -> int:
        barrier.wait()
        answer = world.request_credential(token, *some)
        return len(answer.get_json().get("credentials", []))

    with ThreadPoolExecutor(RACERS) as pool:
        issued = sum(pool.map(race, proofs))
    assert issued == sum(record["completed"] for record in on_record(world))
    assert 1 <= issued <= 4
