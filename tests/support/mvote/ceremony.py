"""A key ceremony (section 8): some trustees may deal a wrong share, others complain."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.support.mvote.primitives import (
    Q,
    add,
    canonical,
    d_hash,
    i4,
    mul,
    prove_log,
    s32,
    s_hash,
    sign,
)

Entry = tuple[str, bytes]


@dataclass
class TrusteeSecrets:
    signing: int
    encryption: int
    coefficients: list[int]
    nonce: bytes

    def share_for(self, other: int) -> int:
        return sum(a * pow(other, k, Q) for k, a in enumerate(self.coefficients)) % Q


@dataclass
class Keys:
    """What the trustees hold after the ceremony."""

    entries: list[Entry]
    key: bytes
    qualified: list[int]
    secrets: dict[int, int]
    election: bytes
    ties: list[bytes]


def run_ceremony(
    manifest: bytes, trustees: list[TrusteeSecrets], wrong: dict[int, int], random: Random
) -> Keys:
    """`wrong`: from dealer to the trustee that gets a bad share and complains."""
    h_m = d_hash("manifest", manifest)
    indexes = range(1, len(trustees) + 1)
    entries: list[Entry] = []

    def post(kind: str, i: int, **members: Any) -> None:
        body = {"kind": kind, "manifest": h_m.hex(), "trustee": i, **members}
        entries.append((kind, canonical(sign(body, trustees[i - 1].signing))))

    ties = [d_hash("tie-nonce", h_m, i4(i), trustees[i - 1].nonce) for i in indexes]
    published = {i: [mul(a) for a in trustees[i - 1].coefficients] for i in indexes}
    for i in indexes:
        joined = b"".join(published[i])
        commitment = d_hash("dkg-commit", h_m, i4(i), joined).hex()
        post("dkg_commit", i, digest=commitment, tie=ties[i - 1].hex())
    for i in indexes:
        nonce, joined = random.randrange(1, Q), b"".join(published[i])
        e = s_hash("dkg-pok", h_m, i4(i), joined, mul(nonce))
        proof = prove_log(trustees[i - 1].coefficients[0], nonce, e)
        post("dkg_reveal", i, commitments=[p.hex() for p in published[i]], proof=proof)
    sent: dict[tuple[int, int], bytes] = {}
    for i in indexes:
        shares = []
        for j in indexes:
            if j == i:
                continue
            x, nonce = random.randrange(1, Q), random.randrange(1, Q)
            point, secret = mul(x), mul(x * trustees[j - 1].encryption)
            value = trustees[i - 1].share_for(j) + (wrong.get(i) == j)
            masked = s32(value + s_hash("dkg-mask", h_m, i4(i), i4(j), point, secret))
            e = s_hash("dkg-share-pok", h_m, i4(i), i4(j), point, masked, mul(nonce))
            proof = prove_log(x, nonce, e)
            shares.append({"to": j, "point": point.hex(), "masked": masked.hex(), "proof": proof})
            sent[i, j] = point
        post("dkg_shares", i, shares=shares)
    for j in indexes:
        complaints = []
        for d in sorted(d for d, to in wrong.items() if to == j):
            own, point, nonce = trustees[j - 1].encryption, sent[d, j], random.randrange(1, Q)
            secret = mul(own, point)
            points = (mul(own), point, secret, mul(nonce), mul(nonce, point))
            e = s_hash("dkg-complaint", h_m, i4(d), i4(j), *points)
            proof = prove_log(own, nonce, e)
            complaints.append({"dealer": d, "secret": secret.hex(), "proof": proof})
        post("dkg_verdict", j, complaints=complaints)
    qualified = [i for i in indexes if i not in wrong]
    key = add(*(published[i][0] for i in qualified))
    secrets = {j: sum(trustees[d - 1].share_for(j) for d in qualified) % Q for j in qualified}
    h_k = d_hash("ceremony", h_m, *(payload for _, payload in entries), key)
    return Keys(entries, key, qualified, secrets, d_hash("election", h_m, h_k), ties)


def election_key(manifest: bytes, keys: Keys, board: int) -> Entry:
    """The entry that closes the ceremony."""
    body = {
        "kind": "election_key",
        "manifest": d_hash("manifest", manifest).hex(),
        "key": keys.key.hex(),
        "qualified": keys.qualified,
        "verification_keys": [mul(keys.secrets[i]).hex() for i in keys.qualified],
        "election": keys.election.hex(),
    }
    return "election_key", canonical(sign(body, board))
