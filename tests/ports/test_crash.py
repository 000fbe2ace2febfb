"""A process that is killed while it writes loses nothing that it acknowledged."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.processes import BATCHES_PER_BLOCK, batch_root, block
from wallet.adapters.sql.engine import open_engine, read
from wallet.adapters.sql.replica import SqlReplica

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("SOAK_KILLS", "5"))
MOST_BLOCKS_BEFORE_A_KILL = 40


def _write_and_kill(url: str, blocks: int) -> int:
    """Let a process apply blocks, kill it after some; return the last one it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.processes", url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(blocks)]
        writer.kill()
        acknowledged += writer.stdout.readlines()
    complete = [line for line in acknowledged if line.endswith("\n")]
    assert len(complete) >= blocks
    return int(complete[-1])


def _integrity(engine: Engine) -> str:
    with read(engine) as connection:
        answer: str = connection.execute(text("PRAGMA integrity_check")).scalar_one()
    return answer


@pytest.mark.soak
@pytest.mark.timeout(60 + 10 * KILLS)
def test_every_acknowledged_block_survives_a_kill_and_no_half_one(
    sqlite_database_url: str,
) -> None:
    engine = open_engine(sqlite_database_url)
    replica = SqlReplica(engine)
    replica.bind("killed again and again")
    moments = random.Random(20260101)
    checked = 0
    for _ in range(KILLS):
        acknowledged = _write_and_kill(
            sqlite_database_url, moments.randint(1, MOST_BLOCKS_BEFORE_A_KILL)
        )
        assert _integrity(engine) == "ok"
        head = replica.head()
        assert head is not None
        assert head.number >= acknowledged
        for number in range(checked + 1, head.number + 1):
            batches, _ref = block(number)
            assert [_batch(replica, number, i) for i in range(BATCHES_PER_BLOCK)] == batches
        assert _batch(replica, head.number + 1, 0) is None
        checked = head.number
    engine.dispose()


def _batch(replica: SqlReplica, number: int, index: int) -> object:
    root = batch_root(number, index)
    return replica.anchor_facts(bytes(32), bytes(32), root, None).value.batch
