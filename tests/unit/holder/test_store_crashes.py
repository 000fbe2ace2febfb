"""A wallet whose process ends in the middle of something."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.holder_stores import PASSPHRASE, create_store, open_store
from tests.support.store_process import NEW_PASSPHRASE, STOPPED
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.ports.holder import PassphraseWrong, Put

KILLS = int(os.environ.get("SOAK_KILLS", "20"))
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "wallet.db"
    with create_store(path) as store:
        store.write(Put("credential", "first", b"kept"))
    return path


def run(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.store_process", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )


def opens_with(path: Path, passphrase: str) -> bool:
    try:
        with open_store(path, passphrase) as store:
            return store.get("credential", "first").payload == b"kept"
    except PassphraseWrong:
        return False


def test_a_changed_passphrase_replaces_the_old_one(path: Path) -> None:
    with open_store(path) as store:
        store.change_passphrase(PASSPHRASE, NEW_PASSPHRASE)
    assert opens_with(path, NEW_PASSPHRASE)
    assert not opens_with(path, PASSPHRASE)


def test_a_passphrase_is_not_changed_by_who_does_not_know_the_old_one(path: Path) -> None:
    with open_store(path) as store, pytest.raises(PassphraseWrong):
        store.change_passphrase(PASSPHRASE + "?", NEW_PASSPHRASE)
    assert opens_with(path, PASSPHRASE)
    assert not opens_with(path, NEW_PASSPHRASE)


def test_nothing_of_the_old_wrapping_stays_in_the_files(path: Path) -> None:
    def wrapped(store: SqliteRecordStore) -> bytes:
        with store._engine.connect() as connection:
            sealed = connection.exec_driver_sql("SELECT sealed FROM holder_header").scalar_one()
        assert isinstance(sealed, bytes)
        return sealed

    with open_store(path) as store:
        old = wrapped(store)
        assert any(old in file.read_bytes() for file in path.parent.iterdir())
        store.change_passphrase(PASSPHRASE, NEW_PASSPHRASE)
        assert not any(old in file.read_bytes() for file in path.parent.iterdir())
        new = wrapped(store)
    assert new in path.read_bytes()


def test_a_change_of_passphrase_killed_at_any_step_leaves_exactly_one_that_opens(
    path: Path,
) -> None:
    original = path.read_bytes()
    opened = []
    for stop in range(100):
        for file in path.parent.iterdir():
            file.unlink()
        path.write_bytes(original)
        process = run("change", path, stop)
        process.communicate(timeout=60)
        opened.append((opens_with(path, PASSPHRASE), opens_with(path, NEW_PASSPHRASE)))
        if process.returncode == 0:
            break
        assert process.returncode == STOPPED
    old, new = (True, False), (False, True)
    assert opened[0] == old
    assert opened[-1] == new
    assert opened == sorted(opened, reverse=True)
    assert set(opened) == {old, new}
    # It was stopped before and after the commit, not only around it.
    assert opened.count(old) > 3
    assert opened.count(new) > 1


@pytest.mark.soak
def test_no_write_that_returned_is_lost_when_the_process_is_killed(path: Path) -> None:
    chance = random.Random(20260701)
    written = 0
    for _ in range(KILLS):
        process = run("write", path)
        assert process.stdout is not None
        first = process.stdout.readline()
        for _ in range(chance.randrange(200)):
            process.stdout.readline()
        process.kill()
        acknowledged = (first + process.stdout.read()).split()
        process.wait(timeout=60)
        process.stdout.close()
        assert int(first) > written
        with open_store(path) as store:
            left, right = store.get("left", "hand").payload, store.get("right", "hand").payload
            assert store.get("credential", "first").payload == b"kept"
        assert left == right
        written = int(left)
        assert written >= int(acknowledged[-1])
