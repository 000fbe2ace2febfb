"""BBS for tests: the suites on both backends, the published fixtures, and a sample holder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.support.vectors import vector_folder
from wallet.crypto.bbs.nym_issuance import (
    CommitRandomness,
    NymCredential,
    NymLayout,
    blind_sign_with_nym,
    commit_with_nym,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.proof_core import ProofRandomness
from wallet.crypto.bbs.signatures import derive_secret_key
from wallet.crypto.bbs.suite import (
    BLS12_381_SHA_256,
    BLS12_381_SHAKE_256,
    SHA_256,
    SHAKE_256,
    Suite,
)
from wallet.crypto.bls12_381.backend import PointMalformed
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
        scalar(values["r1"]),
        scalar(values["r2"]),
        scalar(values["e_tilde"]),
        scalar(values["r1_tilde"]),
        scalar(values["r3_tilde"]),
        tuple(map(scalar, values["m_tilde_scalars"])),
    )


def commit_randomness(fixture: Fixture) -> CommitRandomness:
    """The mocked random scalars of a commitment fixture."""
    values = fixture["trace"]["random_scalars"]
    return CommitRandomness(
        scalar(fixture["proverBlind"]),
        scalar(values["s_tilde"]),
        tuple(map(scalar, values["m_tildes"])),
    )


def _off_subgroup(length: int) -> bytes:
    """A point on the curve whose order is not the prime one, found by its small x."""
    for x in range(1, 200):
        data = b"\x80" + bytes(length - 2) + bytes([x])
        decode = _REFERENCE.decode_g1 if length == 48 else _REFERENCE.decode_g2
        try:
            decode(data)
        except PointMalformed as error:
            if "subgroup" in str(error):
                return data
    raise AssertionError("no point outside the subgroup")


OFF_SUBGROUP_G1: Final = _off_subgroup(48)
OFF_SUBGROUP_G2: Final = _off_subgroup(96)

ISSUER: Final = derive_secret_key(b"a synthetic issuer of Seoul, for tests alone")
OTHER_ISSUER: Final = derive_secret_key(b"another synthetic issuer, for tests alone")
HEADER: Final = b"urn:seoul-wallet:test-credential:1"
MESSAGES: Final = tuple(f"attribute {number}".encode() for number in range(10))


def nym_credential(
    prover_nym: int,
    signer_nym_entropy: int,
    *,
    messages: tuple[bytes, ...] = MESSAGES,
    committed: tuple[bytes, ...] = (),
    suite: Suite = SHA_256,
) -> NymCredential:
    """A credential issued blindly by ISSUER under HEADER to the holder of `prover_nym`."""
    commitment, secrets = commit_with_nym([prover_nym], committed, suite=suite)
    verified = verify_commitment(commitment, NymLayout(len(messages), len(committed)), suite=suite)
    signature = blind_sign_with_nym(
        ISSUER, verified, signer_nym_entropy, messages, header=HEADER, suite=suite
    )
    return verify_finalize_with_nym(
        ISSUER.public_key,
        signature,
        secrets,
        signer_nym_entropy,
        messages,
        header=HEADER,
        suite=suite,
    )
