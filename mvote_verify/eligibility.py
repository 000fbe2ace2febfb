"""Eligibility proofs: BBS with a pseudonym, many with one pairing product. Section 5, V10."""

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from py_arkworks_bls12381 import GT, G1Point, G2Point

from mvote_verify import bls
from mvote_verify.ballots import BallotPayload
from mvote_verify.encodings import digest, i4, i8
from mvote_verify.failures import Malformed
from mvote_verify.manifest import Manifest

SUITE_ID = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_"
API_ID = SUITE_ID + b"H2G_HM2S_PSEUDONYM_"
HEADER = b"SW-MVOTE-V1/voting-credential/1" + i8(1)
MESSAGES = 4
MAX_TABLES = 64
"""Tables of fixed bases kept, of 8,160 points each."""
WEIGHT_BITS = 128

_MINUS_BP2 = -G2Point()


def message_scalar(message: bytes) -> int:
    return bls.hash_to_scalar(message, API_ID + b"MAP_MSG_TO_SCALAR_AS_HASH_")


def hash_h(message: bytes) -> int:
    """`h` of section 5.1."""
    return bls.hash_to_scalar(message, API_ID + b"H2S_")


@dataclass(frozen=True, slots=True)
class Bases:
    """Generators that all voting credentials have in common."""

    p1: G1Point
    q1: G1Point
    messages: list[G1Point]
    blind: G1Point
    nym: G1Point

    @classmethod
    def derive(cls) -> "Bases":
        """`P1` is derived as the first draft does, from its own seed."""
        (p1,) = bls.generators(1, SUITE_ID + b"H2G_HM2S_", b"BP_MESSAGE_GENERATOR_SEED")
        q1, *messages = bls.generators(MESSAGES + 1, API_ID)
        blind, nym = bls.generators(2, b"BLIND_" + API_ID)
        return cls(p1, q1, messages, blind, nym)

    def domain(self, issuer_key: bytes) -> int:
        points = [self.q1, *self.messages, self.blind, self.nym]
        joined = b"".join(point.to_compressed_bytes() for point in points)
        parts = (issuer_key, i8(MESSAGES + 2), joined, API_ID, i8(len(HEADER)), HEADER)
        return hash_h(b"".join(parts))


@dataclass(frozen=True, slots=True)
class PairingInput:
    """What is left to check of a proof whose challenge is right: `e(Abar, PK) = e(Bbar, BP2)`."""

    number: int
    issuer: int
    abar: G1Point
    bbar: G1Point


class EligibilityVerifier:
    """Verifies the eligibility proofs of one election; keeps tables from one to the next."""

    def __init__(self, manifest: Manifest, election: bytes) -> None:
        eligibility = manifest.fields["eligibility"]
        self._election = election
        self._epoch = f"epoch:{eligibility['epoch']}".encode()
        self._shows_district = eligibility["districts"] is not None
        self._shows_age = eligibility["min_age"] is not None
        self._bases = Bases.derive()
        self._context_id = digest("nullifier", election)
        self._op = bls.FixedBase(G1Point.hash_to_curve(self._context_id, API_ID))
        shown = {0, 2} | ({1} if self._shows_district else set())
        shown |= {3} if self._shows_age else set()
        hidden = [self._bases.messages[i] for i in range(MESSAGES) if i not in shown]
        hidden += [self._bases.blind, self._bases.nym]
        self._hidden = [bls.FixedBase(point) for point in hidden]
        self._shown_tables: OrderedDict[tuple[int, tuple[bytes, ...]], bls.FixedBase] = (
            OrderedDict()
        )
        self._keys = [_key_or_none(key) for key in eligibility["issuer_keys"]]
        self._domains = [self._bases.domain(key) for key in eligibility["issuer_keys"]]

    def open_proof(self, number: int, ballot: BallotPayload, ballot_digest: bytes) -> PairingInput:
        """Everything but the pairing; raises `Malformed` if the proof does not hold."""
        proof = ballot.proof
        if self._keys[ballot.issuer] is None:
            raise Malformed("the issuer's key is no point of G2")
        abar, bbar, d = (bls.decode_g1(proof[at : at + 48]) for at in (0, 48, 96))
        e, r1, r3, *hidden, c = (
            bls.decode_scalar(proof[at : at + 32]) for at in range(144, len(proof), 32)
        )
        nullifier = bls.decode_g1(ballot.nullifier)
        messages = self._shown(ballot)
        t1 = bls.combination((bbar, abar, d), (c, e, r1))
        t2 = bls.combination((d,), (r3,)) + self._shown_table(ballot.issuer, messages).times(c)
        for base, factor in zip(self._hidden, hidden, strict=True):
            t2 += base.times(factor)
        u = self._op.times(hidden[-1]) - bls.combination((nullifier,), (c,))
        if u == G1Point.identity():
            raise Malformed("the commitment of the nullifier is the identity")
        points = b"".join(point.to_compressed_bytes() for point in (t1, t2))
        header = digest("bind", self._election, ballot_digest, i4(ballot.sequence))
        hashed = (
            i8(len(messages)),
            *(i8(index) + message_scalar(text).to_bytes(32) for index, text in messages.items()),
            proof[:144],
            points,
            ballot.nullifier,
            u.to_compressed_bytes(),
            self._domains[ballot.issuer].to_bytes(32),
            i8(len(header)),
            header,
            i8(len(self._context_id)),
            self._context_id,
        )
        if hash_h(b"".join(hashed)) != c:
            raise Malformed("the challenge differs")
        return PairingInput(number, ballot.issuer, abar, bbar)

    def _shown(self, ballot: BallotPayload) -> dict[int, bytes]:
        """The disclosed messages by index."""
        messages = {0: self._epoch}
        if self._shows_district:
            messages[1] = f"district:{ballot.district}".encode()
        messages[2] = f"stratum:{ballot.stratum}".encode()
        if self._shows_age:
            messages[3] = b"over-14:yes"
        return messages

    def _shown_table(self, issuer: int, messages: dict[int, bytes]) -> bls.FixedBase:
        """`P1 + Q_1 · domain + Σ_disclosed H_i · msg_i`: the same for many voters."""
        name = (issuer, tuple(messages.values()))
        table = self._shown_tables.get(name)
        if table is None:
            points = [self._bases.q1, *(self._bases.messages[i] for i in messages)]
            factors = [self._domains[issuer], *map(message_scalar, messages.values())]
            table = bls.FixedBase(self._bases.p1 + bls.combination(points, factors))
            self._shown_tables[name] = table
            if len(self._shown_tables) > MAX_TABLES:
                self._shown_tables.popitem(last=False)
        self._shown_tables.move_to_end(name)
        return table

    def bad_pairings(self, inputs: Sequence[PairingInput]) -> list[int]:
        """Numbers of the proofs whose pairing does not hold: batches are split to find them."""
        if not inputs or self._pairings_hold(inputs):
            return []
        if len(inputs) == 1:
            return [inputs[0].number]
        half = len(inputs) // 2
        return [*self.bad_pairings(inputs[:half]), *self.bad_pairings(inputs[half:])]

    def _pairings_hold(self, inputs: Sequence[PairingInput]) -> bool:
        weights = [bls.scalar_of(secrets.randbits(WEIGHT_BITS)) for _ in inputs]
        points, keys = [], []
        for issuer, key in enumerate(self._keys):
            mine = [i for i, item in enumerate(inputs) if item.issuer == issuer]
            if mine and key is not None:
                abars = [inputs[i].abar for i in mine]
                points.append(G1Point.multiexp_unchecked(abars, [weights[i] for i in mine]))
                keys.append(key)
        points.append(G1Point.multiexp_unchecked([item.bbar for item in inputs], weights))
        return bool(GT.pairing_check(points, [*keys, _MINUS_BP2]))


def _key_or_none(data: bytes) -> G2Point | None:
    try:
        return bls.decode_g2(data)
    except Malformed:
        return None
