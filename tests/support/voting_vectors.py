"""Writes tests/vectors/voting/known_answers.json: what docs/voting.md gives for fixed inputs.

    python -m tests.support.voting_vectors

For whoever writes another implementation: every hash of a ballot's way, from the frame to the
tracking code, one encrypted and proven ballot, and the derived layout. All keys are synthetic.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.support.voting import ELECTION_SECRET, election, manifest_json
from wallet.crypto.secp256k1 import encode_point, encode_scalar
from wallet.crypto.transcript import challenge, digest, frame, index
from wallet.voting.ballot import BallotHeader, ballot_digest, tracking_code
from wallet.voting.eligibility import nullifier_context
from wallet.voting.layout import cover, fill_slack
from wallet.voting.tie_break import TieBreak

FILE: Final = Path(__file__).resolve().parents[1] / "vectors" / "voting" / "known_answers.json"
NULLIFIER: Final = sha256(b"no real nullifier").digest() + bytes(16)
SEED: Final = sha256(b"a seed for known answers").digest()
CHOICES: Final = (1, 0, 1, 0, 0, 0)
LIMITS: Final = [
    {"limit": "count", "min": 1, "max": 3},
    {"limit": "category", "category": "green", "min": 0, "max": 1},
    {"limit": "cost", "max": 1050},
]


def known_answers() -> dict[str, Any]:
    """The content of the file."""
    ballot = {"kind": "approval", "limits": LIMITS}
    vote = election(ballot=ballot)
    layout = vote.manifest.layout
    header = BallotHeader(NULLIFIER, 7, "citizen", "")
    context = header.context(vote)
    bits = fill_slack(layout, CHOICES)
    body = vote.suite.encrypt(context, bits, SEED)
    bd = ballot_digest(context, body)
    ends = [66 * layout.bits, 198 * layout.bits, 198 * layout.bits + 66 * len(layout.rules)]
    return {
        "note": "Made by tests/support/voting_vectors.py; docs/voting.md says what each is.",
        "frame": frame("example", b"", b"abc").hex(),
        "D": digest("example", b"", b"abc").hex(),
        "S": encode_scalar(challenge("example", b"", b"abc")).hex(),
        "I4": index(258).hex(),
        "cover": {str(bound): list(cover(bound)) for bound in (0, 1, 5, 10, 500)},
        "manifest": manifest_json(ballot=ballot),
        "h_M": vote.manifest.digest.hex(),
        "election_secret": encode_scalar(ELECTION_SECRET).hex(),
        "K": encode_point(vote.key).hex(),
        "ceremony_payloads": [],
        "h_E": vote.digest.hex(),
        "nullifier_context_id": nullifier_context(vote).hex(),
        "bits": layout.bits,
        "rules": [
            {"weights": [list(pair) for pair in rule.weights], "total": rule.total}
            for rule in layout.rules
        ],
        "nullifier": NULLIFIER.hex(),
        "sequence": header.sequence,
        "stratum": header.stratum,
        "district": header.district,
        "ctx": context.hex(),
        "choices": list(CHOICES),
        "bit_vector": list(bits),
        "seed": SEED.hex(),
        "ciphertexts": body[: ends[0]].hex(),
        "bit_commitments": body[ends[0] : ends[1]].hex(),
        "rule_commitments": body[ends[1] : ends[2]].hex(),
        "answers": body[ends[2] :].hex(),
        "bd": bd.hex(),
        "tracking_code": tracking_code(bd),
        "ph": header.presentation_header(vote, bd).hex(),
        "tie_place_of_p1_under_seed_0": TieBreak(bytes(32), ()).place("p1").hex(),
    }


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(known_answers(), indent=1, ensure_ascii=False)
    FILE.write_text(text + "\n", "utf-8")
