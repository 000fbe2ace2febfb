"""Claim: evaluating a programme costs less than verifying one signature of its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.conftest import Paired
from tests.support.programmes import boundary_cases, boundary_data, programme
from wallet.eligibility.decision import Outcome, evaluate
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject, parse_json_object, to_json

ECDSA = ec.ECDSA(hashes.SHA256())
KEY = ec.generate_private_key(ec.SECP256R1())
DATA = b"x" * 1024
# The programme with the most clauses and facts, a middling one, and one of a single credential.
ELIGIBLE = ("youth-allowance@2023", "culture-pass@2025", "multi-child-card@from-2023-07")


@dataclass
class Case:
    """A programme with claims as they come out of a presentation, and a signature to verify."""

    programme: Programme
    claims: JsonObject
    on: date
    key: ec.EllipticCurvePublicKey
    signature: bytes


def case_of(name: str, claims: JsonObject, on: date) -> Case:
    fresh = parse_json_object(to_json(claims))
    return Case(programme(name), fresh, on, KEY.public_key(), KEY.sign(DATA, ECDSA))


def raw_verification(case: Case) -> None:
    case.key.verify(case.signature, DATA, ECDSA)


@pytest.mark.parametrize("name", ELIGIBLE)
def test_evaluation_on_disclosed_claims(name: str, paired: Paired) -> None:
    item = boundary_data()[name]
    on = date.fromisoformat(item["on"])
    case = case_of(name, item["claims"], on)
    assert evaluate(case.programme, case.claims, on).outcome is Outcome.ELIGIBLE
    paired(
        row=f"evaluate {name}, eligible, against one ES256",
        fresh=lambda: case_of(name, item["claims"], on),
        floor=raw_verification,
        subject=lambda case: evaluate(case.programme, case.claims, case.on),
        at_most=1,
    )


def test_evaluation_that_leaves_everything_open(paired: Paired) -> None:
    name = ELIGIBLE[0]
    on = date.fromisoformat(boundary_data()[name]["on"])
    paired(
        row=f"evaluate {name}, unknown, every document named",
        fresh=lambda: case_of(name, {}, on),
        floor=raw_verification,
        subject=lambda case: evaluate(case.programme, case.claims, case.on),
        at_most=1,
    )


def test_evaluation_that_refuses(paired: Paired) -> None:
    name, limit = ELIGIBLE[0], "few-hours.number.at_most"
    (found,) = [case for case in boundary_cases() if (case.programme, case.limit) == (name, limit)]
    paired(
        row=f"evaluate {name}, not eligible, with reasons",
        fresh=lambda: case_of(name, found.outside.claims, found.outside.on),
        floor=raw_verification,
        subject=lambda case: evaluate(case.programme, case.claims, case.on),
        at_most=1,
    )
