"""Layouts and ballot bodies (sections 3.1 and 6), with the choices in plain sight."""

import hmac
from dataclasses import dataclass
from hashlib import sha256, sha512
from math import gcd
from typing import Any

from tests.support.mvote.primitives import G, Q, add, i4, mul, s32, s_hash, sub

SUITE = b"dcp-secp256k1-1"


def cover(bound: int) -> list[int]:
    weights: list[int] = []
    while sum(weights) < bound:
        weights.append(min(1 << len(weights), bound - sum(weights)))
    return weights


@dataclass
class Sheet:
    """Vote bits `(project, value)`; rules: all weights, slack last, and the right side."""

    votes: list[tuple[int, int]]
    rules: list[tuple[list[int], int]]
    bits: int

    @classmethod
    def of(cls, manifest: dict[str, Any]) -> "Sheet":
        ballot, projects = manifest["ballot"], manifest["projects"]
        count = range(len(projects))
        if ballot["kind"] == "approval":
            values = [1]
        elif ballot["kind"] == "points":
            values = cover(ballot["per_project"])
        else:
            values = ballot["scores"]
        votes = [(j, value) for j in count for value in values]
        raw: list[tuple[list[int], int, int]] = []
        if ballot["kind"] == "ranking":
            for score in values:
                raw.append(([int(value == score) for _, value in votes], 0, 1))
            for project in count:
                raw.append(([int(j == project) for j, _ in votes], 0, 1))
        for limit in ballot["limits"]:
            weights = []
            for j, value in votes:
                weight = 1 if ballot["kind"] == "ranking" else value
                if limit["limit"] == "cost":
                    weight = projects[j]["cost"]
                elif limit["limit"] != "count":
                    weight *= int(projects[j][limit["limit"]] == limit[limit["limit"]])
                weights.append(weight)
            raw.append((weights, limit.get("min", 0), limit["max"]))
        return cls._with_slack(votes, raw)

    @classmethod
    def _with_slack(
        cls, votes: list[tuple[int, int]], raw: list[tuple[list[int], int, int]]
    ) -> "Sheet":
        kept: list[tuple[list[int], int, list[int]]] = []
        for weights, low, high in raw:
            g = gcd(*weights)
            if g == 0:
                continue
            weights = [weight // g for weight in weights]
            low, high = -(-low // g), min(high // g, sum(weights))
            if (low, high) != (0, sum(weights)):
                kept.append((weights, high, cover(high - low)))
        bits = len(votes) + sum(len(slack) for *_, slack in kept)
        rules, at = [], len(votes)
        for weights, high, slack in kept:
            full = weights + [0] * (bits - len(votes))
            full[at : at + len(slack)] = slack
            at += len(slack)
            rules.append((full, high))
        return cls(votes, rules, bits)

    def fill(self, choices: dict[int, int]) -> list[int]:
        """The bits for `project -> value`, slack filled greedily."""
        bits = [0] * self.bits
        left = dict(choices)
        order = sorted(range(len(self.votes)), key=lambda i: (-self.votes[i][1], -i))
        for i in order:
            project, value = self.votes[i]
            if 0 < value <= left.get(project, 0):
                bits[i], left[project] = 1, left[project] - value
        for weights, high in self.rules:
            rest = high - sum(w * b for w, b in zip(weights, bits, strict=True))
            slack = [i for i in range(len(self.votes), self.bits) if weights[i]]
            for i in sorted(slack, key=lambda i: (-weights[i], -i)):
                if weights[i] <= rest:
                    bits[i], rest = 1, rest - weights[i]
        return bits


def make_body(
    sheet: Sheet, key: bytes, context: bytes, bits: list[int], seed: bytes, *, weak: bool = False
) -> bytes:
    """The body that a seed gives. `weak`: the challenge leaves out the context."""
    prk = hmac.digest(context, seed, sha512)
    vector = sha256(bytes(bits)).digest()

    def x(label: str, i: int) -> int:
        info = b"SW-MVOTE-V1/" + label.encode() + b"\0" + i4(i) + vector
        return int.from_bytes(hmac.digest(prk, info + b"\1", sha512)) % Q

    pairs: list[tuple[bytes, bytes]] = []
    commitments = b""
    for i, bit in enumerate(bits, 1):
        r, t = x("r", i), x("t", i)
        a, b = mul(r), mul(r, key)
        b = add(b, mul(bit)) if bit else b
        pairs.append((a, b))
        honest = mul(t) + mul(t, key)
        c, z = x("c", i), x("z", i)
        other = sub(b, G) if not bit else b
        simulated = sub(mul(z), mul(c, a)) + sub(mul(z, key), mul(c, other))
        commitments += simulated + honest if bit else honest + simulated
    of_rules = b"".join(
        mul(x("u", k)) + mul(x("u", k), key) for k in range(1, len(sheet.rules) + 1)
    )
    ciphertexts = b"".join(a + b for a, b in pairs)
    bound = b"" if weak else context
    e = s_hash("ballot-challenge", bound, SUITE, G, key, ciphertexts, commitments, of_rules)
    scalars = b""
    for i, bit in enumerate(bits, 1):
        c, z = x("c", i), x("z", i)
        own = (e - c) % Q
        answer = x("t", i) + own * x("r", i)
        c0, z0, z1 = (c, z, answer) if bit else (own, answer, z)
        scalars += s32(c0) + s32(z0) + s32(z1)
    for k, (weights, _) in enumerate(sheet.rules, 1):
        together = sum(w * x("r", i) for i, w in enumerate(weights, 1))
        scalars += s32(x("u", k) + e * together)
    return ciphertexts + commitments + of_rules + scalars
