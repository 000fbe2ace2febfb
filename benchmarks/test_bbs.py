"""Claim: an anonymous proof costs what its pairing and sums cost, about a hundred ECDSA checks."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

import coincurve
import pytest

from benchmarks.conftest import Paired
from benchmarks.node_peer import Turns, in_turns, node_peer
from tests.support.bbs import HEADER, ISSUER, MESSAGES, nym_credential
from wallet.crypto.bbs.batch import Claim, NymProofClaim, ProofClaim, verify_proofs
from wallet.crypto.bbs.nym_proofs import (
    NymProofStatement,
    derive_proof_with_nym,
    verify_proof_with_nym,
)
from wallet.crypto.bbs.proofs import ProofStatement, derive_proof, verify_proof
from wallet.crypto.bbs.signatures import sign
from wallet.crypto.bbs.types import parse_proof
from wallet.encoding import base64url

ROUNDS = 300
BATCH = 20
SHOWN = (1, 4, 7)
DISCLOSED = tuple((index, MESSAGES[index]) for index in SHOWN)
BALLOT = b"seoul:ballot:benchmark"
SIGNATURE = sign(ISSUER, MESSAGES, header=HEADER)
CREDENTIAL = nym_credential(1001, 2002)
_KEY = coincurve.PrivateKey(b"\x01" * 32)


@dataclass
class Case:
    """Fresh claims, and one ECDSA signature over fresh bytes for the floor."""

    claims: list[Claim]
    octets: list[bytes]
    data: bytes
    signature: bytes


def one_ecdsa_verification(case: Case) -> None:
    assert _KEY.public_key.verify(case.signature, case.data)


def plain_claim() -> ProofClaim:
    nonce = secrets.token_bytes(16)
    proof = derive_proof(
        ISSUER.public_key, SIGNATURE, MESSAGES, SHOWN, header=HEADER, presentation_header=nonce
    )
    return ProofClaim(proof, ProofStatement(ISSUER.public_key, 10, DISCLOSED, HEADER, nonce))


def nym_claim() -> NymProofClaim:
    nonce = secrets.token_bytes(16)
    proof = derive_proof_with_nym(CREDENTIAL, BALLOT, SHOWN, presentation_header=nonce)
    statement = NymProofStatement(
        ISSUER.public_key, CREDENTIAL.layout, BALLOT, DISCLOSED, (), HEADER, nonce
    )
    return NymProofClaim(proof, statement)


def fresh(make: Callable[[], Claim], count: int = 1) -> Callable[[], Case]:
    def case() -> Case:
        claims = [make() for _ in range(count)]
        proofs = [
            claim.proof.proof if isinstance(claim, NymProofClaim) else claim.proof
            for claim in claims
        ]
        data = secrets.token_bytes(900)
        return Case(claims, [proof.octets for proof in proofs], data, _KEY.sign(data))

    return case


def verify_plain(case: Case) -> None:
    (claim,) = case.claims
    assert isinstance(claim, ProofClaim)
    verify_proof(parse_proof(case.octets[0]), claim.statement)


def verify_nym(case: Case) -> None:
    (claim,) = case.claims
    assert isinstance(claim, NymProofClaim)
    assert parse_proof(case.octets[0]) == claim.proof.proof
    verify_proof_with_nym(claim.proof, claim.statement)


def test_bbs_proof_verification(paired: Paired) -> None:
    paired(
        row="BBS proof, 10 messages, 3 disclosed (against 1 ECDSA)",
        fresh=fresh(plain_claim),
        floor=one_ecdsa_verification,
        subject=verify_plain,
        rounds=ROUNDS,
        at_most=110,
    )


def test_bbs_proof_verification_with_a_pseudonym(paired: Paired) -> None:
    paired(
        row="... with pseudonym",
        fresh=fresh(nym_claim),
        floor=one_ecdsa_verification,
        subject=verify_nym,
        rounds=ROUNDS,
        at_most=145,
    )


@pytest.mark.parametrize(
    ("row", "make"), [("plain", plain_claim), ("with pseudonym", nym_claim)], ids=["plain", "nym"]
)
def test_bbs_proofs_in_a_batch(paired: Paired, row: str, make: Callable[[], Claim]) -> None:
    def floor(case: Case) -> None:
        for _ in range(BATCH):
            one_ecdsa_verification(case)

    paired(
        row=f"... each of {BATCH} in a batch, {row} (against {BATCH} ECDSA)",
        fresh=fresh(make, BATCH),
        floor=floor,
        subject=lambda case: verify_proofs(case.claims),
        rounds=ROUNDS // 10,
    )


@pytest.mark.node
def test_bbs_proof_verification_against_digitalbazaar_in_node(
    pytestconfig: pytest.Config,
) -> None:
    """Twenty proofs of one credential for one nonce; the issuer's key is known to both."""
    nonce = secrets.token_bytes(16)
    statement = ProofStatement(ISSUER.public_key, len(MESSAGES), DISCLOSED, HEADER, nonce)
    proofs = [
        derive_proof(
            ISSUER.public_key, SIGNATURE, MESSAGES, SHOWN, header=HEADER, presentation_header=nonce
        ).octets
        for _ in range(20)
    ]
    ours = cycle(proofs)
    request = {
        "work": "proof",
        "public_key": base64url.encode(ISSUER.public_key.octets),
        "header": base64url.encode(HEADER),
        "presentation_header": base64url.encode(nonce),
        "indexes": list(SHOWN),
        "messages": [base64url.encode(message) for _, message in DISCLOSED],
        "proofs": [base64url.encode(proof) for proof in proofs],
    }
    with node_peer("@digitalbazaar/bbs-signatures", request) as peer:
        in_turns(
            pytestconfig,
            "BBS proof, 10 messages, 3 disclosed / @digitalbazaar/bbs-signatures",
            lambda: verify_proof(parse_proof(next(ours)), statement),
            peer,
            Turns(turns=10, ours=60, theirs=3, warmup=10),
            at_least=25,
        )
