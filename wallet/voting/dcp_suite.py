"""The suite `dcp-secp256k1-1`: ElGamal with a disjunctive proof for each bit.

docs/voting.md, section 6. One challenge answers for all bits and rules of a ballot; checks of
many ballots are added up under random weights and halved if they fail.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from wallet.crypto.elgamal import Ciphertext, weigh_ciphertexts
from wallet.crypto.secp256k1 import (
    GENERATOR_OCTETS,
    GROUP_ORDER,
    POINT_BYTES,
    SCALAR_BYTES,
    CurvePointMalformed,
    CurveScalarMalformed,
    FixedBase,
    Point,
    add,
    base_multiple,
    encode_point,
    encode_points,
    encode_scalar,
    parse_point,
    parse_points,
    parse_scalars,
)
from wallet.crypto.sigma import (
    BitRandomness,
    EquationSum,
    all_hold,
    answer_bit,
    commit_bit,
)
from wallet.crypto.transcript import PROTOCOL, challenge, index
from wallet.errors import ConflictError, MalformedError
from wallet.voting.layout import BallotLayout, ChoicesInvalid
from wallet.voting.suite import BallotBodyMalformed, BallotClaim, BallotProofInvalid

NAME: Final = "dcp-secp256k1-1"
SEED_BYTES: Final = 32
MAX_BATCH: Final = 512
_KEY_WINDOW_BITS: Final = 5
_CIPHERTEXT_BYTES: Final = 2 * POINT_BYTES
_BIT_COMMITMENT_BYTES: Final = 4 * POINT_BYTES
_BIT_ANSWER_BYTES: Final = 3 * SCALAR_BYTES
# How many ballots are summed up before the sums are.
_SUM_AT_ONCE: Final = 256


class SeedMalformed(MalformedError):
    """A ballot seed that has not 32 bytes."""

    code = "ballot_seed_malformed"


class SeedUnusable(ConflictError):
    """The seed gives a zero among the random scalars; take another. It never happens by chance."""

    code = "ballot_seed_unusable"


class DcpSuite:
    """The suite for one layout and election key; see `wallet.voting.suite.BallotSuite`."""

    name: Final = NAME

    def __init__(self, layout: BallotLayout, key: Point) -> None:
        self._layout = layout
        self._key = key
        self._key_octets = encode_point(key)
        self._table: FixedBase | None = None
        bits, rules = layout.bits, len(layout.rules)
        ends = [
            bits * _CIPHERTEXT_BYTES,
            bits * _BIT_COMMITMENT_BYTES,
            rules * 2 * POINT_BYTES,
            bits * _BIT_ANSWER_BYTES,
            rules * SCALAR_BYTES,
        ]
        self._ends = [sum(ends[: number + 1]) for number in range(len(ends))]

    @property
    def body_bytes(self) -> int:
        """The length of a body: 294 for each bit and 98 for each rule."""
        return self._ends[-1]

    def encrypt(self, context: bytes, bits: Sequence[int], seed: bytes) -> bytes:
        """As `BallotSuite.encrypt`; also raises `SeedMalformed`."""
        self._check_bits(bits)
        if self._table is None:
            self._table = FixedBase(self._key, window_bits=_KEY_WINDOW_BITS)
        key, draw = self._table, _Randomness(context, bits, seed)
        secrets = [draw.bit(number) for number in range(1, len(bits) + 1)]
        nonces = [draw.scalar("u", number) for number in range(1, len(self._layout.rules) + 1)]
        ciphertexts: list[Point | None] = []
        commitments: list[Point | None] = []
        for bit, secret in zip(bits, secrets, strict=True):
            terms = key.terms(secret.r)
            message = base_multiple(bit)
            ciphertexts += (
                base_multiple(secret.r),
                add(terms if message is None else (*terms, message)),
            )
            commitments += commit_bit(key, bit, secret)
        sums: list[Point | None] = []
        for nonce in nonces:
            sums += (base_multiple(nonce), key.multiply(nonce))
        public = [_encode(points) for points in (ciphertexts, commitments, sums)]
        e = self._challenge(context, *public)
        answers: list[tuple[int, ...]] = [
            answer_bit(bit, secret, e) for bit, secret in zip(bits, secrets, strict=True)
        ]
        for nonce, rule in zip(nonces, self._layout.rules, strict=True):
            combined = sum(weight * secrets[bit].r for bit, weight in rule.weights)
            answers.append(((nonce + e * combined) % GROUP_ORDER,))
        return b"".join(
            (*public, *(encode_scalar(value) for answer in answers for value in answer))
        )

    def check_form(self, body: bytes) -> None:
        """As `BallotSuite.check_form`."""
        if len(body) != self.body_bytes:
            raise BallotBodyMalformed(f"the body has {self.body_bytes} bytes in this election")

    def check(self, claims: Sequence[BallotClaim]) -> tuple[BallotProofInvalid | None, ...]:
        """As `BallotSuite.check`. Of any number of claims, 512 are summed up at once."""
        outcomes: list[BallotProofInvalid | None] = []
        for start in range(0, len(claims), MAX_BATCH):
            outcomes += self._check_batch(claims[start : start + MAX_BATCH])
        return tuple(outcomes)

    def ciphertext_octets(self, body: bytes) -> bytes:
        """As `BallotSuite.ciphertext_octets`."""
        return body[: self._ends[0]]

    def total(self, bodies: Iterable[bytes]) -> tuple[Ciphertext, ...]:
        """As `BallotSuite.total`. Raises `CurvePointMalformed` for what was never checked."""
        columns: list[list[Point | None]] = [[] for _ in range(2 * len(self._layout.votes))]
        for body in bodies:
            for number, column in enumerate(columns):
                start = number * POINT_BYTES
                column.append(parse_point(body[start : start + POINT_BYTES]))
            if len(columns[0]) >= _SUM_AT_ONCE:
                columns = [[add(column)] for column in columns]
        sums = [add(column) for column in columns]
        bits = [Ciphertext(sums[i], sums[i + 1]) for i in range(0, len(sums), 2)]
        return tuple(
            weigh_ciphertexts([bits[bit] for bit, _ in pairs], [value for _, value in pairs])
            for pairs in self._layout.project_bits
        )

    def _check_bits(self, bits: Sequence[int]) -> None:
        if len(bits) != self._layout.bits or any(bit not in (0, 1) for bit in bits):
            raise ChoicesInvalid("these are not the bits of a ballot of this election")
        for rule in self._layout.rules:
            if sum(weight * bits[bit] for bit, weight in rule.weights) != rule.total:
                raise ChoicesInvalid("the bits break a rule of the ballot")

    def _challenge(
        self, context: bytes, ciphertexts: bytes, commitments: bytes, sums: bytes
    ) -> int:
        return challenge(
            "ballot-challenge",
            context,
            NAME.encode("ascii"),
            GENERATOR_OCTETS,
            self._key_octets,
            ciphertexts,
            commitments,
            sums,
        )

    def _check_batch(self, claims: Sequence[BallotClaim]) -> list[BallotProofInvalid | None]:
        outcomes: list[BallotProofInvalid | None] = [None] * len(claims)
        opened: list[tuple[int, EquationSum]] = []
        for number, claim in enumerate(claims):
            try:
                opened.append((number, self._equations(claim)))
            except (BallotBodyMalformed, CurvePointMalformed, CurveScalarMalformed) as error:
                outcomes[number] = BallotProofInvalid(f"the body does not decode: {error}")
        for number in self._failing(opened):
            outcomes[number] = BallotProofInvalid("the proof of the ballot does not hold")
        return outcomes

    def _failing(self, opened: Sequence[tuple[int, EquationSum]]) -> list[int]:
        """The numbers of the ballots whose equations fail, by halving."""
        if not opened or all_hold([equations for _, equations in opened], self._key):
            return []
        if len(opened) == 1:
            return [opened[0][0]]
        middle = len(opened) // 2
        return self._failing(opened[:middle]) + self._failing(opened[middle:])

    def _equations(self, claim: BallotClaim) -> EquationSum:
        """The equations of one ballot under fresh weights. Raises for what does not decode."""
        self.check_form(claim.body)
        starts = [0, *self._ends]
        cipher_octets, commitment_octets, sum_octets, answer_octets, sum_answers = (
            claim.body[start:end] for start, end in zip(starts, self._ends, strict=False)
        )
        points = parse_points(cipher_octets)
        commitments = parse_points(commitment_octets)
        sums = parse_points(sum_octets)
        answers = parse_scalars(answer_octets)
        responses = parse_scalars(sum_answers)
        e = self._challenge(claim.context, cipher_octets, commitment_octets, sum_octets)
        equations = EquationSum()
        multiples = equations.add_bits(points, commitments, answers, e)
        for number, rule in enumerate(self._layout.rules):
            equations.add_sum(
                sums[2 * number : 2 * number + 2],
                rule.weights,
                rule.total,
                responses[number],
                e,
                multiples,
            )
        equations.add_terms(points, multiples)
        return equations


class _Randomness:
    """All random scalars of a ballot from its seed (docs/voting.md, section 6)."""

    def __init__(self, context: bytes, bits: Sequence[int], seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise SeedMalformed(f"a seed has {SEED_BYTES} bytes")
        self._key = hmac.digest(context, seed, "sha512")
        self._bits = sha256(bytes(bits)).digest()

    def scalar(self, label: str, number: int) -> int:
        """HKDF-Expand to 64 bytes is one block of HMAC-SHA-512."""
        info = PROTOCOL + label.encode("ascii") + b"\x00" + index(number) + self._bits
        block = hmac.digest(self._key, info + b"\x01", "sha512")
        value = int.from_bytes(block, "big") % GROUP_ORDER
        if not value:
            raise SeedUnusable("a random scalar is zero")
        return value

    def bit(self, number: int) -> BitRandomness:
        return BitRandomness(*(self.scalar(label, number) for label in ("r", "t", "c", "z")))


def _encode(points: Sequence[Point | None]) -> bytes:
    present = [point for point in points if point is not None]
    if len(present) != len(points):
        raise SeedUnusable("a commitment is the identity")
    return encode_points(present)
