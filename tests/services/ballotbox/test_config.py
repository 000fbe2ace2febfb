"""The configuration file of the ballot box: read strictly, and no value in a message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ballotbox.config import VARIABLE, BallotBoxConfig, BallotBoxConfigInvalid
from ballotbox.timing import BoxTimes
from tests.support.ballot_box import MANIFEST
from tests.support.voting import manifest_json, secret, signing_key
from wallet.encoding import base64url, jcs
from wallet.voting.manifest import ManifestMalformed
from wallet.voting.manifest_rules import ManifestInvalid

LINES = {
    "manifest": '"manifest.json"',
    "signing_key": '"key"',
    "database_url": '"sqlite:///secret-place.db"',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manifest.json").write_bytes(MANIFEST.octets)
    (tmp_path / "key").write_text(base64url.encode(secret("sign board").to_bytes(32, "big")))
    return tmp_path


def config(folder: Path, **changes: str | None) -> Path:
    lines = {**LINES, **changes}
    text = "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None)
    path = folder / "ballotbox.toml"
    path.write_text(text)
    return path


def test_reads_manifest_key_database_and_times(folder: Path) -> None:
    path = config(folder, result_wait_s="60", worker_interval_s="0.5", count_workers="3")
    found = BallotBoxConfig.from_env({VARIABLE: str(path)})
    assert found.manifest.digest == MANIFEST.digest
    assert found.signing_key.secret() == signing_key("board").secret()
    assert found.times == BoxTimes(result_wait_s=60, worker_interval_s=0.5)
    assert found.count_workers == 3
    assert BallotBoxConfig.from_file(config(folder)).count_workers == 1


WRONG: dict[str, dict[str, str | None]] = {
    "no manifest": {"manifest": None},
    "a manifest that is not there": {"manifest": '"nowhere.json"'},
    "a key that is not there": {"signing_key": '"nowhere"'},
    "a key that is none": {"signing_key": '"manifest.json"'},
    "a database that is a number": {"database_url": "5"},
    "a member that is not known": {"grace_s": "5"},
    "no time": {"ceremony_round_s": "0"},
    "a time in fractions": {"result_wait_s": "1.5"},
    "true as a time": {"result_wait_s": "true"},
    "a time without end": {"worker_interval_s": "inf"},
    "a time that is none": {"worker_interval_s": "nan"},
    "nobody who counts": {"count_workers": "0"},
    "more who count than it may start": {"count_workers": "65"},
    "half a process": {"count_workers": "1.5"},
    "true as a number of processes": {"count_workers": "true"},
    "no TOML": {"manifest": "manifest.json"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_refuses_a_member_that_cannot_be_used(
    folder: Path, changes: dict[str, str | None]
) -> None:
    with pytest.raises(BallotBoxConfigInvalid) as refused:
        BallotBoxConfig.from_file(config(folder, **changes))
    assert "secret-place" not in str(refused.value)


def test_refuses_a_start_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(BallotBoxConfigInvalid):
        BallotBoxConfig.from_env({})
    with pytest.raises(BallotBoxConfigInvalid):
        BallotBoxConfig.from_env({VARIABLE: str(tmp_path / "nowhere.toml")})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda octets: octets + b" ", ManifestMalformed),
        (lambda octets: jcs.canonicalize(manifest_json(grace_s=599)), ManifestInvalid),
    ],
    ids=["not canonical", "a grace shorter than the time between checkpoints"],
)
def test_refuses_a_manifest_that_cannot_be_run(
    folder: Path, change: Callable[[bytes], bytes], error: type[Exception]
) -> None:
    (folder / "manifest.json").write_bytes(change(MANIFEST.octets))
    with pytest.raises(error):
        BallotBoxConfig.from_file(config(folder))
