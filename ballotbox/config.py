"""The ballot box's configuration: one TOML file for one election.

    manifest = "manifest.json"            # paths are relative to this file
    signing_key = "board-key"             # a file: 32 bytes of secp256k1 in base64url
    database_url = "sqlite:///box.db"     # or postgresql://…
    ceremony_round_s = 86400              # the rest may be left out
    result_wait_s = 86400
    worker_interval_s = 1
    count_workers = 1                     # processes that add the ballots up; 1 needs no other

Bad values raise `BallotBoxConfigInvalid` at start, naming the member and never its value.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ballotbox.timing import BoxTimes
from wallet.crypto.keys import KeyMalformed
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.encoding import base64url
from wallet.errors import MalformedError
from wallet.voting.manifest import Manifest, parse_manifest

VARIABLE: Final = "SEOUL_WALLET_BALLOTBOX_CONFIG"
MAX_FILE_BYTES: Final = 8 * 1024 * 1024
_KEY_BYTES: Final = 32
_MAX_TIME_S: Final = 92 * 86_400
_TEXTS: Final = ("manifest", "signing_key", "database_url")
_TIMES: Final = ("ceremony_round_s", "result_wait_s", "worker_interval_s")
_WORKERS: Final = "count_workers"
_MAX_WORKERS: Final = 64


class BallotBoxConfigInvalid(MalformedError):
    """The configuration of the ballot box is missing, or a member of it cannot be used."""

    code = "ballot_box_config_invalid"


@dataclass(frozen=True, kw_only=True, slots=True)
class BallotBoxConfig:
    """What one ballot box is started with."""

    manifest: Manifest
    signing_key: Es256kSigningKey = field(repr=False)
    database_url: str = field(repr=False)
    times: BoxTimes = field(default_factory=BoxTimes)
    count_workers: int = 1

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> BallotBoxConfig:
        """Read the file that `SEOUL_WALLET_BALLOTBOX_CONFIG` names. Raises as `from_file`."""
        path = (os.environ if environment is None else environment).get(VARIABLE)
        if not path:
            raise BallotBoxConfigInvalid(f"{VARIABLE} is not set")
        return cls.from_file(Path(path))

    @classmethod
    def from_file(cls, path: Path) -> BallotBoxConfig:
        """Read a configuration file.

        Raises `BallotBoxConfigInvalid`, and for the manifest as
        `wallet.voting.manifest.parse_manifest`.
        """
        values = _parse(_read(path, "the configuration"))
        folder = path.parent
        return cls(
            manifest=parse_manifest(_read(folder / values["manifest"], "manifest")),
            signing_key=_key(_read(folder / values["signing_key"], "signing_key")),
            database_url=values["database_url"],
            times=BoxTimes(**{name: values[name] for name in _TIMES if name in values}),
            count_workers=values.get(_WORKERS, 1),
        )


def _read(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise BallotBoxConfigInvalid(f"{name}: the file cannot be read") from None
    if len(data) > MAX_FILE_BYTES:
        raise BallotBoxConfigInvalid(f"{name}: the file is too large")
    return data


def _parse(data: bytes) -> dict[str, Any]:
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except ValueError:
        raise BallotBoxConfigInvalid("the configuration is not TOML") from None
    unknown = values.keys() - {*_TEXTS, *_TIMES, _WORKERS}
    if unknown:
        raise BallotBoxConfigInvalid(f"there is no member {min(unknown)[:40]!r}")
    for name in _TEXTS:
        if type(values.get(name)) is not str or not values[name]:
            raise BallotBoxConfigInvalid(f"{name} is a text")
    for name in _TIMES:
        value = values.get(name, 1)
        kinds = (int, float) if name == "worker_interval_s" else (int,)
        if type(value) not in kinds or not 0 < value <= _MAX_TIME_S:
            raise BallotBoxConfigInvalid(f"{name} is a number of seconds above 0")
    workers = values.get(_WORKERS, 1)
    if type(workers) is not int or not 1 <= workers <= _MAX_WORKERS:
        raise BallotBoxConfigInvalid(f"{_WORKERS} is a whole number from 1 to {_MAX_WORKERS}")
    return values


def _key(data: bytes) -> Es256kSigningKey:
    try:
        secret = base64url.decode(data.strip())
        if len(secret) != _KEY_BYTES:
            raise BallotBoxConfigInvalid("signing_key: the file does not hold 32 bytes")
        return Es256kSigningKey.from_secret(secret)
    except (base64url.Base64urlMalformed, KeyMalformed):
        raise BallotBoxConfigInvalid("signing_key: the file does not hold a key") from None
