"""Proofs of knowledge and of equal logarithms: what they show, and for which statement."""

import pytest

from wallet.crypto.secp256k1 import GROUP_ORDER, encode_point, multiply, secret_multiple
from wallet.crypto.sigma import (
    SigmaProof,
    SigmaProofInvalid,
    prove_equal_logarithms,
    prove_knowledge,
    verify_equal_logarithms,
    verify_knowledge,
)
from wallet.crypto.transcript import challenge, digest, frame, index

SECRET = 424242
PUBLIC = secret_multiple(SECRET)
BASE = secret_multiple(777)
OTHER = multiply(BASE, SECRET)
assert OTHER is not None
STATEMENT = (encode_point(PUBLIC), encode_point(BASE), encode_point(OTHER))


def test_a_proof_of_knowledge_holds_for_its_statement_alone() -> None:
    proof = prove_knowledge(SECRET, "test", *STATEMENT)
    verify_knowledge(proof, PUBLIC, "test", *STATEMENT)
    for wrong, public, tag, statement in (
        (SigmaProof(proof.e, (proof.z + 1) % GROUP_ORDER), PUBLIC, "test", STATEMENT),
        (SigmaProof(proof.e ^ 1, proof.z), PUBLIC, "test", STATEMENT),
        (proof, BASE, "test", STATEMENT),
        (proof, PUBLIC, "other", STATEMENT),
        (proof, PUBLIC, "test", STATEMENT[:2]),
        (SigmaProof(0, 0), PUBLIC, "test", STATEMENT),
    ):
        with pytest.raises(SigmaProofInvalid):
            verify_knowledge(wrong, public, tag, *statement)


def test_equal_logarithms_are_shown_and_unequal_ones_are_not() -> None:
    proof = prove_equal_logarithms(SECRET, BASE, "test", *STATEMENT)
    verify_equal_logarithms(proof, BASE, PUBLIC, OTHER, "test", *STATEMENT)
    unequal = secret_multiple(1)
    about_it = (*STATEMENT[:2], encode_point(unequal))
    forged = prove_equal_logarithms(SECRET, BASE, "test", *about_it)
    for wrong, right, statement in (
        (forged, unequal, about_it),
        (proof, unequal, STATEMENT),
        (proof, OTHER, about_it),
        (SigmaProof(0, 0), OTHER, STATEMENT),
    ):
        with pytest.raises(SigmaProofInvalid):
            verify_equal_logarithms(wrong, BASE, PUBLIC, right, "test", *statement)


def test_a_frame_gives_every_part_its_length() -> None:
    assert frame("t", b"ab") == b"SW-MVOTE-V1/t\x00" + bytes(7) + b"\x02ab"
    assert digest("t", b"a", b"b") != digest("t", b"ab")
    assert digest("t", b"ab") != digest("t", b"ab", b"")
    assert challenge("t", b"a") != challenge("u", b"a")
    assert 0 <= challenge("t") < GROUP_ORDER
    assert index(258) == b"\x00\x00\x01\x02"
