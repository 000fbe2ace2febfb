"""One whole election with a few dozen voters, and the entries of its log."""

from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

import cbor2

from tests.support.mvote.bodies import SUITE, Sheet, make_body
from tests.support.mvote.ceremony import Entry, Keys, TrusteeSecrets, election_key, run_ceremony
from tests.support.mvote.primitives import Q, canonical, d_hash, i4, mul, sign, tree_root
from tests.support.mvote.residents import Issuer, Resident

OPENS = 1_900_000_000
CLOSES = OPENS + 86_400
GRACE_S = 600
CHAIN_ID = 131277322940537
CONTRACT = "f2e246bb76df876cef8b38ae84130f4f55de395b"
ORGANISER = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
"""The in-process chain: its first account, and the first contract that this account makes."""

Edit = Callable[[dict[str, Any]], None]


def texts(name: str) -> dict[str, str]:
    return {"ko": f"{name} (가상)", "en": f"{name} (synthetic)"}


def project(name: str, cost: int, district: str | None, category: str | None) -> dict[str, Any]:
    return {
        "id": name,
        "title": texts(name),
        "cost": cost,
        "district": district,
        "category": category,
    }


@dataclass
class Voter:
    resident: Resident
    stratum: str
    district: str


@dataclass
class CastBallot:
    payload: bytes
    digest: bytes
    nullifier: bytes
    stratum: str
    ciphertexts: bytes
    choices: dict[int, int]

    @property
    def code(self) -> str:
        letters = b32encode(self.digest).decode()[:20]
        return "-".join(letters[i : i + 4] for i in range(0, 20, 4))


@dataclass
class Election:
    """Secrets of everybody, manifest, ceremony and the ballots in the order of the log."""

    random: Random
    board: int
    officer: int
    issuer: Issuer
    trustees: list[TrusteeSecrets]
    manifest: dict[str, Any]
    manifest_bytes: bytes
    keys: Keys
    sheet: Sheet
    voters: list[Voter] = field(default_factory=list)
    ballots: list[CastBallot] = field(default_factory=list)

    @property
    def hash(self) -> bytes:
        return self.keys.election

    def shown(self) -> list[int]:
        eligibility = self.manifest["eligibility"]
        district = [1] if eligibility["districts"] is not None else []
        return [0, *district, 2, *([3] if eligibility["min_age"] else [])]

    def new_voter(self, stratum: str, district: str = "11110", **changes: Any) -> Voter:
        arguments: dict[str, Any] = {
            "issuer": self.issuer,
            "epoch": "2026-1",
            "nym": self.random.randrange(1, Q >> 8),
            **changes,
        }
        resident = Resident(district=district, stratum=stratum, **arguments)
        shown = district if self.manifest["eligibility"]["districts"] is not None else ""
        return Voter(resident, stratum, shown)

    def cast(
        self,
        voter: Voter,
        choices: dict[int, int],
        sequence: int = 1,
        *,
        bits: list[int] | None = None,
        election: bytes | None = None,
        body: bytes | None = None,
        weak: bool = False,
        nullifier: bytes | None = None,
    ) -> CastBallot:
        """A ballot entry; the arguments after `sequence` make one that is wrong."""
        election = election or self.hash
        nullifier = nullifier or voter.resident.nullifier(election)
        texts = (voter.stratum.encode(), voter.district.encode())
        context = d_hash("ballot-context", election, SUITE, nullifier, i4(sequence), *texts)
        if body is None:
            bits = bits or self.sheet.fill(choices)
            seed = self.random.randbytes(32)
            body = make_body(self.sheet, self.keys.key, context, bits, seed, weak=weak)
        digest = d_hash("ballot", context, body)
        proof = voter.resident.prove(election, digest, sequence, self.shown(), self.random)
        members = (nullifier, sequence, voter.stratum, voter.district, 0, body, proof)
        payload = cbor2.dumps(dict(enumerate(members, 1)), canonical=True)
        ciphertexts = body[: 66 * self.sheet.bits]
        return CastBallot(payload, digest, nullifier, voter.stratum, ciphertexts, choices)

    def counted(self, ballots: list[CastBallot]) -> list[CastBallot]:
        last = {ballot.nullifier: ballot.digest for ballot in ballots}
        return [ballot for ballot in ballots if last[ballot.nullifier] == ballot.digest]

    def entries(
        self, ballots: list[CastBallot] | None = None, edits: dict[str, Edit] | None = None
    ) -> list[Entry]:
        """The log. `edits` change the body of a kind before it is signed."""
        edits = edits or {}
        ballots = self.ballots if ballots is None else ballots

        def by(secret: int, **body: Any) -> Entry:
            statement = {"election": self.hash.hex(), **body}
            if statement["kind"] in edits:
                edits[statement["kind"]](statement)
            return statement["kind"], canonical(sign(statement, secret))

        counted = self.counted(ballots)
        refused = sorted(sha256(bytes([i])).hexdigest() for i in range(3))
        rejections = [{"submission": name, "code": "ballot_malformed"} for name in refused]
        half = len(ballots) // 2
        projects = len(self.manifest["projects"])
        batch = {"kind": "batch", "officer": 1, "totals": [2] * projects}
        return [
            ("manifest", self.manifest_bytes),
            *self.keys.entries,
            election_key(self.manifest_bytes, self.keys, self.board),
            *(("ballot", ballot.payload) for ballot in ballots[:half]),
            by(self.board, kind="rejections", rejections=rejections),
            *(("ballot", ballot.payload) for ballot in ballots[half:]),
            by(
                self.board,
                kind="close",
                ballots=len(ballots),
                counted=len(counted),
                counted_root=tree_root([ballot.digest for ballot in counted]).hex(),
            ),
            by(self.officer, **batch, number=1, source="paper", stratum="citizen", ballots=7),
            by(self.officer, **batch, number=2, source="survey", stratum="survey", ballots=50),
            by(self.board, kind="end", batches=2),
        ]


def manifest_of(
    trustees: list[TrusteeSecrets], board: int, officer: int, issuer: Issuer, **changes: Any
) -> dict[str, Any]:
    limits = [
        {"limit": "count", "min": 1, "max": 3},
        {"limit": "category", "category": "park", "min": 0, "max": 1},
        {"limit": "cost", "max": 900},
    ]
    return {
        "version": "SW-MVOTE-V1",
        "id": "seoul-synthetic-1",
        "title": texts("Election"),
        "suite": "dcp-secp256k1-1",
        "mode": "totals",
        "currency": "KRW",
        "budget": 1000,
        "districts": [
            {"id": "11110", "name": texts("Jongno"), "budget": 300},
            {"id": "11140", "name": texts("Jung"), "budget": None},
        ],
        "categories": [
            {"id": "park", "name": texts("Parks"), "cap": 400},
            {"id": "road", "name": texts("Roads"), "cap": None},
        ],
        "projects": [
            project("p1", 300, "11110", "park"),
            project("p2", 200, None, "park"),
            project("p3", 450, "11140", "road"),
            project("p4", 450, None, None),
            project("p5", 100, "11110", "road"),
            project("p6", 50, None, None),
        ],
        "ballot": {"kind": "approval", "limits": limits},
        "outcome": {
            "rule": "votes_per_cost",
            "on_overrun": "skip",
            "min_votes": 1,
            "min_score": "1/100",
            "phases": ["districts", "city"],
        },
        "strata": [
            {"id": "s1", "members": ["citizen"], "weight": "1/2", "channel": "ballots"},
            {"id": "s2", "members": ["committee"], "weight": "3/10", "channel": "ballots"},
            {"id": "s3", "members": ["school"], "weight": "1/10", "channel": "ballots"},
            {"id": "s4", "members": ["survey"], "weight": "1/10", "channel": "batches"},
        ],
        "eligibility": {
            "issuer_keys": [issuer.key.hex()],
            "epoch": "2026-1",
            "districts": ["11110", "11140"],
            "min_age": 14,
        },
        "census": {
            "taken_at": OPENS - 86_400,
            "digest": sha256(b"synthetic census").hexdigest(),
            "people": {"citizen": 30, "committee": 21, "school": 25},
        },
        "opens": OPENS,
        "closes": CLOSES,
        "grace_s": GRACE_S,
        "trustees": [
            {
                "name": texts(f"Trustee {i}"),
                "signing_key": mul(trustee.signing).hex(),
                "encryption_key": mul(trustee.encryption).hex(),
            }
            for i, trustee in enumerate(trustees, 1)
        ],
        "threshold": 2,
        "board": {"signing_key": mul(board).hex(), "checkpoint_every_s": 60},
        "batch_officers": [{"name": texts("Officer"), "signing_key": mul(officer).hex()}],
        "chain": {"chain_id": CHAIN_ID, "contract": CONTRACT, "organiser": ORGANISER},
        "tie_break": {"block_time": CLOSES + GRACE_S + 60},
        **changes,
    }


def prepare(seed: int, **changes: Any) -> Election:
    """Manifest and ceremony; trustee 4 cheats trustee 2 and is put out."""
    random = Random(seed)

    def fresh() -> int:
        return random.randrange(1, Q)

    trustees = [
        TrusteeSecrets(fresh(), fresh(), [fresh(), fresh()], random.randbytes(32))
        for _ in range(4)
    ]
    board, officer, issuer = fresh(), fresh(), Issuer(random.randrange(1, Q >> 8))
    manifest = manifest_of(trustees, board, officer, issuer, **changes)
    data = canonical(manifest)
    keys = run_ceremony(data, trustees, {4: 2}, random)
    sheet = Sheet.of(manifest)
    return Election(random, board, officer, issuer, trustees, manifest, data, keys, sheet)


def whole_election() -> Election:
    """24 citizens, 21 of the committee and 3 of the school; two citizens vote twice."""
    election = prepare(20261122)
    choices = [{0: 1, 4: 1}, {1: 1, 2: 1}, {3: 1, 5: 1, 4: 1}, {2: 1}, {5: 1}]
    numbers = {"citizen": 24, "committee": 21, "school": 3}
    for stratum, number in numbers.items():
        for i in range(number):
            voter = election.new_voter(stratum, ("11110", "11140")[i % 2])
            election.voters.append(voter)
            election.ballots.append(election.cast(voter, choices[i % len(choices)]))
    for i in (0, 5):
        election.ballots.append(election.cast(election.voters[i], {5: 1}, sequence=2))
    return election
