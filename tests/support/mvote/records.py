"""What is published at the end: checkpoints, shares, tally, tie, outcome and the files."""

from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256
from typing import Any

import cbor2

from tests.support.mvote.ceremony import Entry
from tests.support.mvote.elections import CLOSES, GRACE_S, OPENS, CastBallot, Election
from tests.support.mvote.primitives import (
    Q,
    add,
    canonical,
    d_hash,
    i4,
    mul,
    prove_log,
    s_hash,
    sign,
    tree_root,
)

Files = dict[str, bytes]
BLOCK = {"number": 1234, "hash": sha256(b"block").hexdigest(), "time": CLOSES + GRACE_S + 61}


def encoded(entries: list[Entry]) -> list[bytes]:
    return [
        cbor2.dumps({1: i, 2: kind, 3: payload}, canonical=True)
        for i, (kind, payload) in enumerate(entries)
    ]


def log_of(leaves: list[bytes]) -> bytes:
    return b"".join(i4(len(leaf)) + leaf for leaf in leaves)


def plan_of(entries: list[Entry]) -> list[tuple[int, int]]:
    """Sizes and times of the checkpoints."""
    kinds = [kind for kind, _ in entries]
    close = kinds.index("close") if "close" in kinds else len(kinds) - 1
    first = kinds.index("ballot") if "ballot" in kinds else close
    middle = kinds.index("rejections") if "rejections" in kinds else close
    times = (OPENS, OPENS + 3600, CLOSES + 1, CLOSES + GRACE_S)
    return list(zip((first, middle, close, len(kinds)), times, strict=True))


def checkpoint_bodies(
    election: Election, leaves: list[bytes], plan: list[tuple[int, int]]
) -> list[dict[str, Any]]:
    return [
        {
            "kind": "checkpoint",
            "election": election.hash.hex(),
            "number": number,
            "size": size,
            "root": tree_root(leaves[:size]).hex(),
            "time": time,
        }
        for number, (size, time) in enumerate(plan, 1)
    ]


def with_log(
    election: Election,
    base: Files,
    entries: list[Entry],
    plan: list[tuple[int, int]] | None = None,
    edit: Callable[[list[dict[str, Any]]], None] = lambda bodies: None,
    board: int | None = None,
) -> Files:
    """The files of `base` over another log, with checkpoints that the board signs for it."""
    leaves = encoded(entries)
    bodies = checkpoint_bodies(election, leaves, plan or plan_of(entries))
    edit(bodies)
    key = election.board if board is None else board
    lines = b"".join(canonical(sign(body, key)) + b"\n" for body in bodies)
    return listed(election, {**base, "log.bin": log_of(leaves), "checkpoints.ndjson": lines})


def listed(election: Election, files: Files) -> Files:
    """With a fresh record.json."""
    hashes = {
        name: sha256(data).hexdigest()
        for name, data in files.items()
        if name not in ("anchors.json", "record.json")
    }
    record = {"kind": "record", "election": election.hash.hex(), "files": hashes}
    return {**files, "record.json": canonical(record)}


class Counting:
    """Groups, aggregates, shares and totals of an election over a finished log."""

    def __init__(
        self, election: Election, entries: list[Entry], ballots: list[CastBallot] | None = None
    ) -> None:
        self.election = election
        leaves = encoded(entries)
        self.size, self.root = len(leaves), tree_root(leaves)
        self.counted = election.counted(election.ballots if ballots is None else ballots)
        self.projects = len(election.manifest["projects"])
        # The three ballots of the school are joined to the committee.
        self.groups = [["citizen"], ["committee", "school"]]
        self.pairs: list[tuple[bytes, bytes]] = []
        for members in self.groups:
            mine = [ballot for ballot in self.counted if ballot.stratum in members]
            for project in range(self.projects):
                self.pairs.append(self._sum(mine, project))
        joined = b"".join(a + b for a, b in self.pairs)
        self.digest = d_hash("aggregate", election.hash, self.root, joined)

    def _sum(self, ballots: list[CastBallot], project: int) -> tuple[bytes, bytes]:
        terms: tuple[list[bytes], list[bytes]] = ([], [])
        for i, (of_project, value) in enumerate(self.election.sheet.votes):
            if of_project == project:
                for ballot in ballots:
                    at = 66 * i
                    terms[0].append(mul(value, ballot.ciphertexts[at : at + 33]))
                    terms[1].append(mul(value, ballot.ciphertexts[at + 33 : at + 66]))
        return add(*terms[0]), add(*terms[1])

    def total(self, group: int, project: int) -> int:
        members = self.groups[group]
        return sum(b.choices.get(project, 0) for b in self.counted if b.stratum in members)

    def share(self, trustee: int, wrong: bool = False, **changes: Any) -> dict[str, Any]:
        """A signed share; `wrong`: of another secret than the trustee's."""
        election, secret = self.election, self.election.keys.secrets[trustee]
        used = secret + 1 if wrong else secret
        points = [mul(used, a) for a, _ in self.pairs]
        start = (election.hash, i4(trustee), mul(secret), self.digest)
        rho = s_hash("share-rho", *start, b"".join(points))
        powers = [pow(rho, number, Q) for number in range(1, len(points) + 1)]
        base = add(*(mul(p, a) for p, (a, _) in zip(powers, self.pairs, strict=True)))
        share = add(*(mul(p, d) for p, d in zip(powers, points, strict=True)))
        nonce = election.random.randrange(1, Q)
        e = s_hash("share", *start, base, share, mul(nonce), mul(nonce, base))
        strings = [
            b"".join(points[g * self.projects : (g + 1) * self.projects]).hex()
            for g in range(len(self.groups))
        ]
        body = {
            "kind": "decryption_share",
            "election": election.hash.hex(),
            "trustee": trustee,
            "size": self.size,
            "root": self.root.hex(),
            "aggregate": self.digest.hex(),
            "shares": strings,
            "proof": prove_log(used, nonce, e),
            **changes,
        }
        return sign(body, election.trustees[trustee - 1].signing)

    def tally(self, trustees: list[int], ignored: dict[int, str]) -> dict[str, Any]:
        def group(
            strata: list[str], weight: str, number: int | None, ballots: int, total: int
        ) -> dict[str, Any]:
            counted, totals = 0, [0] * self.projects
            if number is not None:
                counted = sum(b.stratum in self.groups[number] for b in self.counted)
                totals = [self.total(number, project) for project in range(self.projects)]
            return {
                "strata": strata,
                "weight": weight,
                "counted": counted,
                "totals": totals,
                "batch_ballots": ballots,
                "batch_totals": [total] * self.projects,
            }

        return {
            "kind": "tally",
            "election": self.election.hash.hex(),
            "aggregate": self.digest.hex(),
            "groups": [
                group(["s1"], "1/2", 0, 7, 2),
                group(["s2", "s3"], "2/5", 1, 0, 0),
                group(["s4"], "1/10", None, 50, 2),
            ],
            "trustees": trustees,
            "ignored": [{"trustee": i, "code": code} for i, code in sorted(ignored.items())],
        }


def tie_of(election: Election, block: dict[str, Any], missing: set[int]) -> dict[str, Any]:
    nonces = []
    for i, trustee in enumerate(election.trustees, 1):
        body = {
            "kind": "tie_nonce",
            "election": election.hash.hex(),
            "trustee": i,
            "nonce": trustee.nonce.hex(),
        }
        nonces.append(None if i in missing else sign(body, trustee.signing))
    return {
        "kind": "tie",
        "election": election.hash.hex(),
        "block": block,
        "nonces": nonces,
    }


def seed_of(election: Election, block_hash: str, missing: set[int]) -> bytes:
    values = [
        election.keys.ties[i - 1] if i in missing else trustee.nonce
        for i, trustee in enumerate(election.trustees, 1)
    ]
    return d_hash("tie-seed", election.hash, bytes.fromhex(block_hash), *values)


def outcome_of(
    election: Election, tally: dict[str, Any], seed: bytes, missing: set[int]
) -> dict[str, Any]:
    """Section 12 for this election's own rule: votes per cost, skip, districts and then city."""
    rows: dict[str, dict[str, Any]] = {}
    order: list[tuple[Any, ...]] = []
    for j, project in enumerate(election.manifest["projects"]):
        votes, score = 0, Fraction(0)
        for group in tally["groups"]:
            got = group["totals"][j] + group["batch_totals"][j]
            votes += got
            score += Fraction(group["weight"]) * got / (group["counted"] + group["batch_ballots"])
        place = d_hash("tie", seed, project["id"].encode())
        order.append((-score / project["cost"], -score, project["cost"], place, project))
        rows[project["id"]] = {"id": project["id"], "votes": votes, "score": str(score)}
    ranked = [project for *_, project in sorted(order, key=lambda row: row[:4])]
    left, park, spent = 1000, 400, 0

    def look(project: dict[str, Any], phase: str, district: int | None) -> int:
        nonlocal left, park, spent
        row, cost = rows[project["id"]], project["cost"]
        row.update(status="funded", phase=phase, short=None)
        limits = [("short_budget", left)]
        limits += [("short_district", district)] if district is not None else []
        limits += [("short_category", park)] if project["category"] == "park" else []
        for status, money in limits:
            if cost > money:
                row.update(status=status, short=cost - money)
                return 0
        left, spent = left - cost, spent + cost
        park -= cost if project["category"] == "park" else 0
        return int(cost)

    district = 300
    for project in ranked:
        if project["district"] == "11110":
            district -= look(project, "districts", district)
    for project in ranked:
        if rows[project["id"]].get("status") != "funded":
            look(project, "city", None)
    return {
        "kind": "outcome",
        "election": election.hash.hex(),
        "seed": seed.hex(),
        "withheld": sorted(missing),
        "spent": spent,
        "projects": [rows[project["id"]] for project in ranked],
    }


Edit = Callable[[Any], None]


def publish(
    election: Election,
    *,
    block: dict[str, Any] | None = None,
    entries: list[Entry] | None = None,
    ballots: list[CastBallot] | None = None,
    plan: list[tuple[int, int]] | None = None,
    edits: dict[str, Edit] | None = None,
) -> Files:
    """The record: trustee 2's share is wrong, trustee 3 withholds the nonce.

    `entries` and `ballots` stand in for the honest ones; `edits` change what is in a file, by
    its name, before it is written (checkpoints: the bodies, before they are signed).
    """
    block, missing, edits = block or BLOCK, {3}, edits or {}
    entries = election.entries() if entries is None else entries
    counting = Counting(election, entries, ballots)
    shares = [counting.share(1), counting.share(2, wrong=True), counting.share(3)]
    tally = counting.tally([1, 3], {2: "share_proof_invalid"})
    seed = seed_of(election, str(block["hash"]), missing)
    values = {
        "shares.json": shares,
        "tally.json": tally,
        "tie.json": tie_of(election, block, missing),
        "outcome.json": outcome_of(election, tally, seed, missing),
        "anchors.json": {
            "kind": "anchors",
            "opened": "00" * 32,
            "checkpoints": [],
            "sealed": None,
        },
    }
    for name, value in values.items():
        edits.get(name, lambda value: None)(value)
    files = {name: canonical(value) for name, value in values.items()}
    files["manifest.json"] = election.manifest_bytes
    return with_log(
        election, files, entries, plan, edits.get("checkpoints.ndjson", lambda bodies: None)
    )
