"""BBS for tests: the suites on both backends, and the published fixtures as typed values."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.support.vectors import vector_folder
from wallet.crypto.bbs.nym_issuance import CommitRandomness
from wallet.crypto.bbs.proof_core import ProofRandomness
from wallet.crypto.bbs.suite import (
    BLS12_381_SHA_256,
    BLS12_381_SHAKE_256,
    SHA_256,
    SHAKE_256,
    Suite,
)
from wallet.crypto.bls12_381.reference import ReferenceBackend

_REFERENCE: Final = ReferenceBackend()
REFERENCE_SHA_256: Final = Suite(BLS12_381_SHA_256, _REFERENCE)
REFERENCE_SHAKE_256: Final = Suite(BLS12_381_SHAKE_256, _REFERENCE)
# By the folder names of the published fixtures.
SUITES: Final = {"bls12-381-sha-256": SHA_256, "bls12-381-shake-256": SHAKE_256}
REFERENCE_SUITES: Final = {
    "bls12-381-sha-256": REFERENCE_SHA_256,
    "bls12-381-shake-256": REFERENCE_SHAKE_256,
}
# How many fixtures of a kind run in pure Python, half a second each; `make soak` takes them all.
REFERENCE_FIXTURES: Final = int(os.environ.get("SOAK_BBS_REFERENCE", "1"))

Fixture = dict[str, Any]


def bbs_folder(ciphersuite: str) -> Path:
    """The fixtures of draft-irtf-cfrg-bbs-signatures."""
    return vector_folder("bbs-fixtures") / "fixture_data" / ciphersuite


def nym_folder(ciphersuite: str) -> Path:
    """The fixtures of draft-irtf-cfrg-bbs-per-verifier-linkability."""
    return vector_folder("bbs-pseudonyms") / ciphersuite


def load(path: Path) -> Fixture:
    """One fixture file."""
    fixture: Fixture = json.loads(path.read_text())
    return fixture


def load_all(folder: Path) -> list[tuple[str, Fixture]]:
    """The fixture files of a folder by name."""
    return [(path.name, load(path)) for path in sorted(folder.glob("*.json"))]


def octets(values: Iterable[str]) -> list[bytes]:
    """Hex strings as bytes."""
    return [bytes.fromhex(value) for value in values]


def scalar(value: str) -> int:
    """A scalar in hex; the fixtures leave out leading zeros."""
    return int(value, 16)


def proof_randomness(fixture: Fixture) -> ProofRandomness:
    """The mocked random scalars of a proof fixture, which spell their names in several ways."""
    trace = fixture["trace"]
    published = trace.get("random_scalars") or trace["randomScalars"]
    values = {name.lower(): value for name, value in published.items()}
    return ProofRandomness(
        *(scalar(values[name]) for name in ("r1", "r2", "e_tilde", "r1_tilde", "r3_tilde")),
        m_tildes=tuple(map(scalar, values["m_tilde_scalars"])),
    )


def commit_randomness(fixture: Fixture) -> CommitRandomness:
    """The mocked random scalars of a commitment fixture."""
    values = fixture["trace"]["random_scalars"]
    return CommitRandomness(
        scalar(fixture["proverBlind"]),
        scalar(values["s_tilde"]),
        tuple(map(scalar, values["m_tildes"])),
    )
