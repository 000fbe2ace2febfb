"""A synthetic election for tests: manifest, trustees, voters, ballots as a wallet makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from tests.support.bbs import ISSUER
from wallet.credentials.voting import HEADER, LAYOUT, voting_messages
from wallet.crypto.bbs.nym_issuance import (
    NymCredential,
    blind_sign_with_nym,
    commit_with_nym,
    verify_commitment,
    verify_finalize_with_nym,
)
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.crypto.merkle import MerkleTree
from wallet.crypto.secp256k1 import encode_point, secret_multiple
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.voting.acceptance import Submission, open_submission
from wallet.voting.aggregate import Aggregate, aggregate_board
from wallet.voting.ballot import Ballot
from wallet.voting.casting import prepare_ballot
from wallet.voting.ceremony import Ceremony, CeremonyResult
from wallet.voting.election import Election, election_of
from wallet.voting.manifest import Manifest, manifest_of
from wallet.voting.statements import Statement, sign_statement
from wallet.voting.trustee import (
    TrusteeSecrets,
    TrusteeShare,
    commit_body,
    final_share,
    new_trustee_secrets,
    reveal_body,
    shares_body,
    verdict_body,
)

OPENS: Final = 1_800_000_000
CLOSES: Final = OPENS + 14 * 86400
EPOCH: Final = "2027-1"
ROOT: Final = sha256(b"a root of a board").digest()

Body = dict[str, Any]


def secret(label: str) -> int:
    """A secret scalar that is the same in every run."""
    return int.from_bytes(sha256(label.encode()).digest(), "big") >> 1


def signing_key(label: str) -> Es256kSigningKey:
    """A signing key that is the same in every run."""
    return Es256kSigningKey.from_secret(secret(f"sign {label}").to_bytes(32, "big"))


def public_hex(label: str) -> str:
    """The point of `signing_key(label)`."""
    return encode_point(secret_multiple(secret(f"sign {label}"))).hex()


def texts(text: str) -> Body:
    """The same text in both languages."""
    return {"ko": text, "en": text}


def project(
    identifier: str, cost: int, category: str | None = None, district: str | None = None
) -> Body:
    """A project of a manifest."""
    return {
        "id": identifier,
        "title": texts(f"project {identifier}"),
        "cost": cost,
        "district": district,
        "category": category,
    }


def stratum(identifier: str, weight: str, *members: str, channel: str = "ballots") -> Body:
    """A stratum of a manifest; its members are itself unless named."""
    return {
        "id": identifier,
        "members": list(members or (identifier,)),
        "weight": weight,
        "channel": channel,
    }


def synthetic_trustees(count: int) -> list[Body]:
    """Trustees of a manifest whose secrets are the same in every run."""
    return [
        {
            "name": texts(f"trustee {number}"),
            "signing_key": public_hex(f"trustee {number}"),
            "encryption_key": encode_point(secret_multiple(secret(f"encrypt {number}"))).hex(),
        }
        for number in range(1, count + 1)
    ]


def manifest_json(
    *, trustees: int | Sequence[Body] = 5, threshold: int = 3, **changes: Any
) -> Body:
    """A valid manifest of six projects and two strata, with members changed.

    `trustees` is their number, or their members of the manifest.
    """
    value: Body = {
        "version": "SW-MVOTE-V1",
        "id": "synthetic-2027",
        "title": texts("a synthetic vote"),
        "suite": "dcp-secp256k1-1",
        "mode": "totals",
        "currency": "KRW",
        "budget": 1000,
        "districts": [],
        "categories": [
            {"id": "green", "name": texts("green"), "cap": None},
            {"id": "safe", "name": texts("safe"), "cap": None},
        ],
        "projects": [
            project("p1", 500, "green"),
            project("p2", 300, "green"),
            project("p3", 200, "safe"),
            project("p4", 400, "safe"),
            project("p5", 100),
            project("p6", 600),
        ],
        "ballot": {"kind": "approval", "limits": [{"limit": "count", "min": 0, "max": 3}]},
        "outcome": {
            "rule": "votes",
            "on_overrun": "skip",
            "min_votes": 0,
            "min_score": "0",
            "phases": ["city"],
        },
        "strata": [stratum("citizen", "1/2"), stratum("committee", "1/2")],
        "eligibility": {
            "issuer_keys": [ISSUER.public_key.octets.hex()],
            "epoch": EPOCH,
            "districts": None,
            "min_age": 14,
        },
        "census": {
            "taken_at": OPENS - 86400,
            "digest": sha256(b"synthetic census").hexdigest(),
            "people": {"citizen": 1000, "committee": 50},
        },
        "opens": OPENS,
        "closes": CLOSES,
        "grace_s": 3600,
        "trustees": synthetic_trustees(trustees) if isinstance(trustees, int) else list(trustees),
        "threshold": threshold,
        "board": {"signing_key": public_hex("board"), "checkpoint_every_s": 600},
        "batch_officers": [{"name": texts("officer"), "signing_key": public_hex("officer")}],
        "chain": {"chain_id": 31337, "contract": "11" * 20, "organiser": "22" * 20},
        "tie_break": {"block_time": CLOSES + 7200},
    }
    return {**value, **changes}


def manifest(**changes: Any) -> Manifest:
    """`manifest_json`, parsed."""
    return manifest_of(manifest_json(**changes))


ELECTION_SECRET: Final = secret("election")


def election(**changes: Any) -> Election:
    """An election whose key one person knows, for tests of ballots alone."""
    return election_of(manifest(**changes), (), secret_multiple(ELECTION_SECRET))


@lru_cache(maxsize=256)
def voter(
    number: int = 1,
    *,
    stratum: str = "citizen",
    district: str = "11590",
    epoch: str = EPOCH,
    is_over_14: bool = True,
    entropy: int = 7,
    issuer: BbsSecretKey = ISSUER,
    header: bytes = HEADER,
) -> NymCredential:
    """The voting credential of a synthetic resident; `number` is the nym secret."""
    messages = voting_messages(
        epoch=epoch, district=district, stratum=stratum, is_over_14=is_over_14
    )
    commitment, secrets = commit_with_nym([1000 + number])
    signature = blind_sign_with_nym(
        issuer, verify_commitment(commitment, LAYOUT), entropy, messages, header=header
    )
    return verify_finalize_with_nym(
        issuer.public_key, signature, secrets, entropy, messages, header=header
    )


def cast(
    vote: Election, credential: NymCredential, choices: Sequence[int], sequence: int = 1
) -> Ballot:
    """A ballot as a wallet sends it."""
    return prepare_ballot(vote, credential, choices, sequence=sequence).cast(credential)


def submit(
    vote: Election, credential: NymCredential, choices: Sequence[int], sequence: int = 1
) -> Submission:
    """The same, as a ballot box opens it."""
    return open_submission(cast(vote, credential, choices, sequence).octets, vote)


Tamper = Callable[[int, Body], Body | None]


def as_it_is(trustee: int, body: Body) -> Body:
    """No tampering."""
    return body


@dataclass
class Trustees:
    """All trustees of a manifest in one place, as no election has them."""

    manifest: Manifest
    ceremony: Ceremony = field(init=False)
    own: dict[int, TrusteeSecrets] = field(init=False)

    def __post_init__(self) -> None:
        self.ceremony = Ceremony(self.manifest)
        self.own = {
            number: new_trustee_secrets(self.manifest, number) for number in self.ceremony.trustees
        }

    def sign(self, trustee: int, body: Body) -> Statement:
        """A statement of a trustee."""
        return sign_statement(signing_key(f"trustee {trustee}"), body)

    def run_round(self, tamper: Tamper = as_it_is) -> None:
        """Everybody who is in sends its message, or what `tamper` makes of it (None: nothing)."""
        rounds = (commit_body, reveal_body, shares_body, self.verdict)
        make = rounds[self.ceremony.round]
        bodies = {
            number: tamper(number, make(self.ceremony, self.own[number]))
            for number in self.ceremony.trustees
            if number not in self.ceremony.out
        }
        for number, body in bodies.items():
            if body is not None:
                self.ceremony.add(self.sign(number, body).octets)
        self.ceremony.end_round()

    def verdict(self, ceremony: Ceremony, own: TrusteeSecrets) -> Body:
        """Round 4 of a trustee."""
        return verdict_body(ceremony, own, secret(f"encrypt {own.trustee}"))

    def run(self) -> CeremonyResult:
        """Run what rounds are left."""
        while self.ceremony.round < 4:
            self.run_round()
        return self.ceremony.finish()

    def share(self, result: CeremonyResult, trustee: int) -> TrusteeShare:
        """The share of a trustee."""
        encryption_secret = secret(f"encrypt {trustee}")
        return final_share(self.ceremony, result, self.own[trustee], encryption_secret)


def aggregate(vote: Election, counted: Sequence[Submission]) -> Aggregate:
    """The aggregate of a board of these ballots."""
    tree = MerkleTree([submission.digest for submission in counted])
    return aggregate_board(vote, len(counted), tree.root, counted)
