"""Voting credentials and eligibility proofs (section 5), made by an issuer who knows all."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from random import Random

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from tests.support.mvote.primitives import d_hash, i4, i8

R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
API = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_PSEUDONYM_"
HDR = b"SW-MVOTE-V1/voting-credential/1" + i8(1)
P1 = G1Point.from_compressed_bytes(
    bytes.fromhex(
        "a8ce256102840821a3e94ea9025e4662b205762f9776b3a766c872b948f1fd225e7c59698588e70d11406d16"
        "1b4e28c9"
    )
)


def _sc(value: int) -> Scalar:
    return Scalar.from_be_bytes((value % R).to_bytes(32))


def _expand(message: bytes, dst: bytes) -> bytes:
    """48 bytes of expand_message_xmd."""
    prime = dst + bytes([len(dst)])
    b0 = sha256(bytes(64) + message + b"\0\x30" + b"\0" + prime).digest()
    b1 = sha256(b0 + b"\1" + prime).digest()
    b2 = sha256(bytes(x ^ y for x, y in zip(b0, b1, strict=True)) + b"\2" + prime).digest()
    return (b1 + b2)[:48]


def _h2s(message: bytes, dst: bytes) -> int:
    return int.from_bytes(_expand(message, dst)) % R


@cache
def _generators(count: int, name: bytes) -> list[G1Point]:
    v = _expand(name + b"MESSAGE_GENERATOR_SEED", name + b"SIG_GENERATOR_SEED_")
    points = []
    for i in range(1, count + 1):
        v = _expand(v + i8(i), name + b"SIG_GENERATOR_SEED_")
        points.append(G1Point.hash_to_curve(v, name + b"SIG_GENERATOR_DST_"))
    return points


@dataclass(frozen=True)
class Issuer:
    secret: int

    @property
    def key(self) -> bytes:
        return (G2Point() * _sc(self.secret)).to_compressed_bytes()

    def domain(self) -> int:
        bases = _generators(5, API) + _generators(2, b"BLIND_" + API)
        encoded = b"".join(point.to_compressed_bytes() for point in bases)
        return _h2s(self.key + i8(6) + encoded + API + i8(len(HDR)) + HDR, API + b"H2S_")


@dataclass(frozen=True)
class Resident:
    """One resident's credential. `shown` are the indexes of the messages that a ballot shows."""

    issuer: Issuer
    epoch: str
    district: str
    stratum: str
    nym: int
    of_age: bool = True

    def _messages(self) -> list[bytes]:
        age = b"over-14:yes" if self.of_age else b"over-14:no"
        texts = (f"epoch:{self.epoch}", f"district:{self.district}", f"stratum:{self.stratum}")
        return [*(text.encode() for text in texts), age]

    def nullifier(self, election: bytes) -> bytes:
        op = G1Point.hash_to_curve(d_hash("nullifier", election), API)
        return (op * _sc(self.nym)).to_compressed_bytes()

    def prove(
        self, election: bytes, ballot: bytes, sequence: int, shown: list[int], random: Random
    ) -> bytes:
        """`Abar ‖ Bbar ‖ D ‖ e^ ‖ r1^ ‖ r3^ ‖ m^… ‖ c`."""
        q1, *bases = _generators(5, API)
        bases += _generators(2, b"BLIND_" + API)
        blind, e, r1, r2 = (random.randrange(1, R) for _ in range(4))
        scalars = [_h2s(m, API + b"MAP_MSG_TO_SCALAR_AS_HASH_") for m in self._messages()]
        values = [*scalars, blind, self.nym]
        domain = self.issuer.domain()
        b = P1 + q1 * _sc(domain)
        for base, value in zip(bases, values, strict=True):
            b += base * _sc(value)
        a = b * _sc(pow(self.issuer.secret + e, -1, R))
        d = b * _sc(r2)
        abar = a * _sc(r1 * r2)
        bbar = d * _sc(r1) - abar * _sc(e)
        hidden = [i for i in range(6) if i not in shown]
        te, t1, t3, *tm = (random.randrange(1, R) for _ in range(3 + len(hidden)))
        big1 = abar * _sc(te) + d * _sc(t1)
        big2 = d * _sc(t3)
        for i, t in zip(hidden, tm, strict=True):
            big2 += bases[i] * _sc(t)
        context = d_hash("nullifier", election)
        op = G1Point.hash_to_curve(context, API)
        header = d_hash("bind", election, ballot, i4(sequence))
        points = (abar, bbar, d, big1, big2, op * _sc(self.nym), op * _sc(tm[-1]))
        hashed = i8(len(shown)) + b"".join(i8(i) + scalars[i].to_bytes(32) for i in shown)
        hashed += b"".join(point.to_compressed_bytes() for point in points)
        hashed += domain.to_bytes(32) + i8(len(header)) + header + i8(len(context)) + context
        c = _h2s(hashed, API + b"H2S_")
        r3 = pow(r2, -1, R)
        answers = [te + e * c, t1 - r1 * c, t3 - r3 * c]
        answers += [t + values[i] * c for i, t in zip(hidden, tm, strict=True)]
        proof = b"".join(point.to_compressed_bytes() for point in (abar, bbar, d))
        return proof + b"".join((answer % R).to_bytes(32) for answer in [*answers, c])
