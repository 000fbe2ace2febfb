"""The command `seoul-wallet rehearsal`: ended in the middle, and on a node of somebody else."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import product
from pathlib import Path

import pytest

from seoul_wallet.anvil import anvil_binary
from seoul_wallet.rehearsal.command import INTERRUPTED, interruptible
from seoul_wallet.server import free_port
from tests.support.dask import dask_scheduler
from wallet.adapters.evm.node import connect

RUNS = int(os.environ.get("SOAK_REHEARSALS", "0"))
ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 600
ALL_GONE_S = 10
SMALL = (
    *("--voters", "21", "--through-wallet", "2", "--trustees", "3", "--threshold", "2"),
    *("--workers", "2", "--lead-s", "40", "--vote-s", "60", "--every-s", "10"),
)


def get_signals(number: int, unwound: list[int]) -> None:
    with interruptible():
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            unwound.append(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_and_a_second_one_does_not_cut_that_short(number: int) -> None:
    before, unwound = signal.getsignal(number), list[int]()
    with pytest.raises(KeyboardInterrupt):
        get_signals(number, unwound)
    assert unwound == [number]
    assert signal.getsignal(number) == before


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "seoul_wallet", "rehearsal", *SMALL, *more]
    return subprocess.Popen(
        [*command, "--keep", str(folder)],
        cwd=ROOT,
        # Without vectors: the synthetic election.
        env={**os.environ, "PYTHONPATH": str(ROOT), "SEOUL_WALLET_VECTORS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def has_a_ballot(folder: Path) -> bool:
    with closing(sqlite3.connect(f"file:{folder}/ballotbox/box.db?mode=ro", uri=True)) as box:
        return bool(box.execute("SELECT count(*) FROM ballotbox_ballots").fetchone()[0])


STEPS: dict[str, Callable[[Path], object]] = {
    "set up": lambda folder: (folder / "stack").exists(),
    "key ceremony": lambda folder: list(folder.glob("trustee-*/made-dkg_commit.sealed")),
    "vote": has_a_ballot,
    "decryption": lambda folder: list(folder.glob("trustee-*/board.log")),
    "verification": lambda folder: (folder / "record").exists(),
}

ENDINGS = tuple(product((signal.SIGTERM, signal.SIGINT), STEPS))


def wait_for(is_so: Callable[[Path], object], folder: Path, run: subprocess.Popen[str]) -> None:
    ends_at = time.monotonic() + TIMEOUT_S
    while time.monotonic() < ends_at:
        assert run.poll() is None
        with suppress(sqlite3.OperationalError):
            if is_so(folder):
                return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def family(pid: int) -> Iterator[int]:
    """A process and all it started, as Linux tells."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from family(int(child))


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def is_there(pid: int) -> bool:
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


@pytest.mark.soak
@pytest.mark.anvil
@pytest.mark.loopback
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("number", "step"), ENDINGS if RUNS else ENDINGS[:1])
def test_a_rehearsal_that_is_ended_leaves_no_process(
    tmp_path: Path, number: int, step: str
) -> None:
    folder = tmp_path / "kept"
    with start(folder) as run:
        wait_for(STEPS[step], folder, run)
        processes = {pid: command_line(pid) for pid in family(run.pid)}
        run.send_signal(number)
        said, _ = run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == INTERRUPTED
    assert "every process of the rehearsal is ended" in said
    assert len(processes) > 1
    # What tracks the resources of a pool ends once it sees that everybody else has.
    ends_at = time.monotonic() + ALL_GONE_S
    while any(map(is_there, processes)) and time.monotonic() < ends_at:
        time.sleep(0.1)
    assert [name for pid, name in processes.items() if is_there(pid)] == []


@pytest.mark.soak
@pytest.mark.anvil
@pytest.mark.loopback
@pytest.mark.timeout(0)
@pytest.mark.skipif(not RUNS, reason="SOAK_REHEARSALS is 0")
def test_a_rehearsal_on_a_node_and_a_cluster_of_others_is_verified(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(anvil_binary()), "--port", str(port), "--quiet", "--block-time", "1"]
    node = subprocess.Popen([*command, "--hardfork", "osaka", "--slots-in-an-epoch", "1"])
    try:
        with dask_scheduler() as scheduler:
            w3 = connect(url)
            while not w3.is_connected():
                time.sleep(0.1)
            with start(tmp_path / "kept", "--rpc", url, "--dask", scheduler) as run:
                said, _ = run.communicate(timeout=TIMEOUT_S)
            assert (run.returncode, "exit 0, 20 of 20 checks passed" in said) == (0, True), said
            # Its node is not the rehearsal's to end.
            assert w3.is_connected()
    finally:
        node.terminate()
        node.wait()
