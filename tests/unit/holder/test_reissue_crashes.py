"""A phone, and the issuer beside it, killed at any step of having cards issued anew, and of
taking another recovery phrase."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.issuing import issuer_world
from tests.support.phones import Phones
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.crypto.recovery_phrase import PhraseLanguage, generate_recovery_phrase
from wallet.encoding.json import parse_json_object
from wallet.holder.reissue import Outcome

KILLS = int(os.environ.get("SOAK_REISSUE_KILLS", "5"))
ROOT = Path(__file__).parents[3]
# About as many statements and commits as there are, both databases together.
MOST_STEPS = 600
MOST_REPLACE_STEPS = 160


@pytest.fixture(scope="module")
def kill() -> Iterator[Callable[[str, Path, int], bool]]:
    """Have a phone `reissue` or `replace` in a process that is killed; whether it was."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.reissue_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    writing, reading = process.stdin, process.stdout

    def ask(act: str, folder: Path, stop: int) -> bool:
        writing.write(f"{act} {stop} {folder}\n")
        writing.flush()
        answer = reading.readline().strip()
        assert answer in ("0", "1")
        return answer == "1"

    yield ask
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.fixture
def restored(tmp_path: Path) -> Path:
    """A folder with an issuer and a phone that was restored and has issued nothing anew yet."""
    folder = tmp_path / "restored"
    folder.mkdir()
    phones = Phones(issuer_world(folder), folder)
    old = phones.new("old")
    old.wallet.receive(phones.offer())
    phones.restore("new", *phones.back_up(old))
    phones.close()
    phones.world.close()
    return folder


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_reissue_killed_at_any_step_loses_nothing_and_is_finished(
    restored: Path, tmp_path: Path, kill: Callable[[str, Path, int], bool]
) -> None:
    chance = random.Random(20261122)
    killed = 0
    for number in range(KILLS):
        folder = tmp_path / f"run-{number}"
        shutil.copytree(restored, folder)
        killed += kill("reissue", folder, chance.randrange(MOST_STEPS))
        phones = Phones(issuer_world(folder), folder)
        phone = phones.again("new")
        (card,) = phone.wallet.credentials()
        # Whatever is a card or a copy has its key.
        keys = SoftwareKeyStore(phone.store)
        for record in (*phone.store.list("credential"), *phone.store.list("credential_copy")):
            keys.find(parse_json_object(record.payload)["key_handle"])
        # The old copies are good as long as the new ones are not on record.
        assert phones.good()
        told = phone.wallet.devices.reissue_all()
        assert told[0].outcome in (Outcome.REISSUED, Outcome.HERE_ALREADY), told
        assert phones.good() == phone.indexes()
        assert len(phone.indexes()) == 4
        assert phone.wallet.credentials()[0].id == card.id
        assert phone.wallet.unfinished == 0
        assert phone.wallet.top_up(card.id, below=10) == 4
        assert phones.good() == phone.indexes()
        phones.close()
        phones.world.close()
        shutil.rmtree(folder)
    assert killed >= KILLS // 2


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_replacement_of_the_phrase_killed_at_any_step_leaves_one_that_works(
    restored: Path, tmp_path: Path, kill: Callable[[str, Path, int], bool]
) -> None:
    chance = random.Random(20261123)
    killed, left = 0, set()
    for number in range(KILLS):
        folder = tmp_path / f"run-{number}"
        shutil.copytree(restored, folder)
        phrase = generate_recovery_phrase(PhraseLanguage.ENGLISH)
        (folder / "phrase").write_text(" ".join(phrase.words), "utf-8")
        killed += kill("replace", folder, chance.randrange(MOST_REPLACE_STEPS))
        phones = Phones(issuer_world(folder), folder)
        phone = phones.again("new")
        is_new = phone.wallet.recovery_phrase().entropy == phrase.entropy
        left.add(is_new)
        # Whichever it is opens an export, and the issuer listens to what is restored from it.
        other = phones.restore("other", *phones.back_up(phone, "after"))
        assert [item.outcome for item in other.wallet.devices.reissue_all(keep=True)] == [
            Outcome.REISSUED
        ]
        told = (
            phone.wallet.replacing.finish() if is_new else phone.wallet.replacing.replace(phrase)
        )
        assert all(item.error is None for item in told)
        assert phone.wallet.replacing.unfinished == ()
        assert phone.wallet.recovery_phrase().entropy == phrase.entropy
        assert phone.wallet.devices.devices().unreachable == ()
        phones.close()
        phones.world.close()
        shutil.rmtree(folder)
    assert killed >= KILLS // 2
    assert True in left
