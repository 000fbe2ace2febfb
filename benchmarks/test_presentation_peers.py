"""Claim: a presentation is verified faster here than by other software that checks the same.

The token is the same everywhere: ten claims, three disclosed, key binding, no status, a new
holder key each round, the issuer's key known. Checked are both signatures, disclosures, type,
dates, audience, nonce and `sd_hash`; `sd-jwt` leaves out type and dates. A row below 1 is faster
than its floor; 1 / ratio is how many times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import pytest
from jwcrypto.jwk import JWK
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from sd_jwt.verifier import SDJWTVerifier

from benchmarks.conftest import Paired
from tests.support.credentials import AUDIENCE, NONCE, NOW, VCT, World, card_claims, proof_policy
from tests.support.sd_jwt_js import sd_jwt_js
from wallet.encoding.json import to_json
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.pipeline import verify_proof

ROUNDS = 500
NODE_ROUNDS = 400
POLICY = proof_policy()
ISSUER = World().issuer_key
ISSUER_JWK = ISSUER.public_key.jwk
ISSUER_JWCRYPTO = JWK.from_json(to_json(ISSUER_JWK).decode())
EVIDENCE = Evidence(Fact(ISSUER.public_key, NOW))
SUITE = SdJwtVcProofSuite()
AT = datetime.fromtimestamp(NOW, UTC)


def presentation() -> str:
    claims = {**card_claims(), "status_free": True}
    del claims["status"]
    world = World(issuer_key=ISSUER, claims=claims)
    return world.present(world.issue())


@dataclass
class Supply:
    """Presentations that were made before the first round."""

    presentations: list[str]

    def __call__(self) -> str:
        return self.presentations.pop()


@pytest.fixture
def supply(pytestconfig: pytest.Config) -> Supply:
    measuring = bool(pytestconfig.getoption("benchmark_enable"))
    return Supply([presentation() for _ in range(ROUNDS + 20 if measuring else 1)])


def ours(text: str) -> None:
    verify_proof(text, EVIDENCE, POLICY, now=NOW)


def openvc(text: str) -> None:
    SUITE.verify(
        text,
        public_key_jwk=ISSUER_JWK,
        audience=AUDIENCE,
        nonce=NONCE,
        require_key_binding=True,
        expected_vct=VCT,
        now=AT,
    )


def sd_jwt_python(text: str) -> None:
    verifier = SDJWTVerifier(text, lambda issuer, header: ISSUER_JWCRYPTO, AUDIENCE, NONCE)
    verifier.get_verified_payload()


@pytest.mark.parametrize(
    ("name", "peer", "times_faster"),
    [("openvc-core", openvc, 1.6), ("sd-jwt", sd_jwt_python, 2.6)],
    ids=["openvc", "sd-jwt"],
)
def test_against_a_peer_in_python(
    paired: Paired,
    supply: Supply,
    name: str,
    peer: Callable[[str], None],
    times_faster: float,
) -> None:
    paired(
        row=f"SD-JWT VC + KB proof, cold / {name}",
        fresh=supply,
        floor=peer,
        subject=ours,
        rounds=ROUNDS,
        at_most=1 / times_faster,
    )


@pytest.mark.node
def test_against_sd_jwt_js_in_node(pytestconfig: pytest.Config) -> None:
    """Medians of each side in its own process, taken one after the other, thrice in turns."""
    measuring = bool(pytestconfig.getoption("benchmark_enable"))
    rounds, warmup = (NODE_ROUNDS, 100) if measuring else (3, 1)
    ratios = []
    for _ in range(3 if measuring else 1):
        presentations = [presentation() for _ in range(rounds + warmup)]
        answer = sd_jwt_js(
            {
                "do": "measure",
                "presentations": presentations,
                "warmup": warmup,
                "issuer_jwk": ISSUER_JWK,
                "nonce": NONCE,
                "audience": AUDIENCE,
                "vct": VCT,
                "now": NOW,
            }
        )
        times = []
        for text in presentations:
            started = time.perf_counter()
            ours(text)
            times.append((time.perf_counter() - started) * 1e6)
        assert len(answer["times_us"]) == rounds
        theirs, mine = median(answer["times_us"]), median(times[warmup:])
        ratios.append(theirs / mine)
        if measuring:
            print(
                f"\n@sd-jwt/sd-jwt-vc {theirs:.0f} us, ours {mine:.0f} us:"
                f" {theirs / mine:.1f} times faster"
            )
    if measuring:
        assert median(ratios) >= 3.5
