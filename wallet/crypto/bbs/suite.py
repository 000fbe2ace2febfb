"""The BBS ciphersuites over BLS12-381 (draft §7), the generators and the issuers' material.

A `Suite` is a ciphersuite computed by a backend; `SHA_256` and `SHAKE_256` are the two in use.
What depends on an issuer (its decoded key, the domain of a header) is kept in bounded caches
whose keys are the full bytes.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from wallet.crypto.bbs.types import (
    MAX_CONTEXT_ID_BYTES,
    MAX_HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_MESSAGES,
    BbsLimitExceeded,
    BbsPublicKey,
)
from wallet.crypto.bls12_381.arkworks import ArkworksBackend
from wallet.crypto.bls12_381.backend import G1, G2, GROUP_ORDER, Backend, encode_scalar
from wallet.crypto.bls12_381.hashing import (
    ExpandMessage,
    expand_message_xmd_sha256,
    expand_message_xof_shake256,
    hash_to_g1,
)

MAX_CACHED_KEYS: Final = 64
MAX_CACHED_CONTEXTS: Final = 64
MAX_CACHED_PSEUDONYM_BASES: Final = 64

# Octets of expand_message for one scalar: (255 bits + 128 bits of security), rounded up.
_EXPAND_BYTES: Final = 48
_INTEGER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Ciphersuite:
    """The constants of a ciphersuite (draft §7.2)."""

    id: bytes
    expand: ExpandMessage
    p1: bytes


BLS12_381_SHA_256: Final = Ciphersuite(
    b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_",
    expand_message_xmd_sha256,
    bytes.fromhex(
        "a8ce256102840821a3e94ea9025e4662b205762f9776b3a7"
        "66c872b948f1fd225e7c59698588e70d11406d161b4e28c9"
    ),
)
BLS12_381_SHAKE_256: Final = Ciphersuite(
    b"BBS_BLS12381G1_XOF:SHAKE-256_SSWU_RO_",
    expand_message_xof_shake256,
    bytes.fromhex(
        "8929dfbc7e6642c4ed9cba0856e493f8b9d7d5fcb0c31ef8"
        "fdcd34d50648a56c795e106e9eada6e0bda386b414150755"
    ),
)


def integer(value: int) -> bytes:
    """I2OSP(value, 8)."""
    return value.to_bytes(_INTEGER_BYTES, "big")


def random_scalar() -> int:
    """Return a scalar between 1 and the group order minus one."""
    return 1 + secrets.randbelow(GROUP_ORDER - 1)


@dataclass(frozen=True, slots=True)
class IssuerContext:
    """What a signature depends on besides the messages and the issuer's secret.

    `origin` is P1 + Q_1 * domain; `bases` has one generator for each signed scalar: H_1 ... H_L
    and, with blind issuance, Q_2, J_1 ... J_M.
    """

    domain: int
    origin: G1
    bases: tuple[G1, ...]


class Interface:
    """A BBS interface (draft §3.2): a ciphersuite and an api_id suffix, with its generators."""

    def __init__(self, suite: Suite, suffix: bytes) -> None:
        self.suite = suite
        self.backend = suite.backend
        self.api_id: Final = suite.ciphersuite.id + suffix
        self._generators = _Generators(suite, self.api_id)
        self._blind_generators = _Generators(suite, b"BLIND_" + self.api_id)
        self._context = lru_cache(maxsize=MAX_CACHED_CONTEXTS)(self._compute_context)
        self._pseudonym_base = lru_cache(maxsize=MAX_CACHED_PSEUDONYM_BASES)(
            self._compute_pseudonym_base
        )

    def hash_to_scalar(self, data: bytes, tag: bytes = b"H2S_") -> int:
        """hash_to_scalar (draft §4.2.2) with the tag api_id || `tag`."""
        return self.suite.hash_to_scalar(data, self.api_id + tag)

    def messages_to_scalars(self, messages: Sequence[bytes]) -> list[int]:
        """MapMessageToScalarAsHash (draft §4.1.2). Raises `BbsLimitExceeded`."""
        if len(messages) > MAX_MESSAGES:
            raise BbsLimitExceeded(f"at most {MAX_MESSAGES} messages")
        if any(len(message) > MAX_MESSAGE_BYTES for message in messages):
            raise BbsLimitExceeded(f"a message has at most {MAX_MESSAGE_BYTES} bytes")
        return [
            self.hash_to_scalar(message, b"MAP_MSG_TO_SCALAR_AS_HASH_") for message in messages
        ]

    def generators(self, count: int) -> tuple[tuple[G1, ...], tuple[bytes, ...]]:
        """create_generators(count, api_id) (draft §4.1.1): points and their encodings."""
        return self._generators.first(count)

    def blind_generators(self, count: int) -> tuple[tuple[G1, ...], tuple[bytes, ...]]:
        """create_generators(count, "BLIND_" || api_id)."""
        return self._blind_generators.first(count)

    def context(
        self, public_key: BbsPublicKey, header: bytes, messages: int, blind: int = 0
    ) -> IssuerContext:
        """The domain (draft §4.2.3) and generators of `messages` messages.

        `blind` counts Q_2 and the generators after it; 0 without blind issuance. Raises
        `BbsLimitExceeded`.
        """
        if not 0 <= messages <= MAX_MESSAGES or not 0 <= blind <= MAX_MESSAGES:
            raise BbsLimitExceeded(f"at most {MAX_MESSAGES} messages")
        if len(header) > MAX_HEADER_BYTES:
            raise BbsLimitExceeded(f"a header has at most {MAX_HEADER_BYTES} bytes")
        return self._context(public_key.octets, bytes(header), messages, blind)

    def pseudonym_base(self, context_id: bytes) -> tuple[G1, int]:
        """OP = hash_to_curve_g1(context_id) and the point z of the nym polynomial.

        Raises `BbsLimitExceeded`.
        """
        if len(context_id) > MAX_CONTEXT_ID_BYTES:
            raise BbsLimitExceeded(f"a context_id has at most {MAX_CONTEXT_ID_BYTES} bytes")
        return self._pseudonym_base(bytes(context_id))

    def _compute_context(
        self, public_key: bytes, header: bytes, messages: int, blind: int
    ) -> IssuerContext:
        points, octets = self.generators(messages + 1)
        if blind:
            blind_points, blind_octets = self.blind_generators(blind)
            points, octets = points + blind_points, octets + blind_octets
        data = b"".join(
            (
                public_key,
                integer(len(points) - 1),
                *octets,
                self.api_id,
                integer(len(header)),
                header,
            )
        )
        domain = self.hash_to_scalar(data)
        origin = self.backend.msm((self.suite.p1, points[0]), (1, domain))
        return IssuerContext(domain, origin, points[1:])

    def _compute_pseudonym_base(self, context_id: bytes) -> tuple[G1, int]:
        point = self.suite.hash_to_g1(context_id, self.api_id)
        return point, self.hash_to_scalar(context_id, b"VECT_NYM_SECRETS")


class Suite:
    """A ciphersuite computed by a backend, with its two interfaces."""

    def __init__(self, ciphersuite: Ciphersuite, backend: Backend) -> None:
        self.ciphersuite: Final = ciphersuite
        self.backend: Final = backend
        self.p1: Final = backend.decode_g1(ciphersuite.p1)
        self.plain: Final = Interface(self, b"H2G_HM2S_")
        self.pseudonym: Final = Interface(self, b"H2G_HM2S_PSEUDONYM_")
        self._key = lru_cache(maxsize=MAX_CACHED_KEYS)(backend.decode_g2)

    def hash_to_scalar(self, data: bytes, dst: bytes) -> int:
        """hash_to_scalar with the whole domain separation tag."""
        uniform = self.ciphersuite.expand(data, dst, _EXPAND_BYTES)
        return int.from_bytes(uniform, "big") % GROUP_ORDER

    def hash_to_g1(self, data: bytes, dst: bytes) -> G1:
        """hash_to_curve_g1 with the whole domain separation tag."""
        return hash_to_g1(self.backend, self.ciphersuite.expand, data, dst)

    def decode_key(self, public_key: BbsPublicKey) -> G2:
        """Return the checked point of a public key. Raises `PointMalformed`."""
        return self._key(public_key.octets)


class _Generators:
    """The generators of one api_id, computed when first needed and never more than the limit."""

    def __init__(self, suite: Suite, api_id: bytes) -> None:
        self._suite = suite
        self._seed_dst = api_id + b"SIG_GENERATOR_SEED_"
        self._point_dst = api_id + b"SIG_GENERATOR_DST_"
        self._state = suite.ciphersuite.expand(
            api_id + b"MESSAGE_GENERATOR_SEED", self._seed_dst, _EXPAND_BYTES
        )
        self._points: list[G1] = []
        self._octets: list[bytes] = []
        self._lock = threading.Lock()

    def first(self, count: int) -> tuple[tuple[G1, ...], tuple[bytes, ...]]:
        with self._lock:
            while len(self._points) < count:
                self._state = self._suite.ciphersuite.expand(
                    self._state + integer(len(self._points) + 1), self._seed_dst, _EXPAND_BYTES
                )
                point = self._suite.hash_to_g1(self._state, self._point_dst)
                self._points.append(point)
                self._octets.append(self._suite.backend.encode_g1(point))
            return tuple(self._points[:count]), tuple(self._octets[:count])


def encode_scalars(values: Sequence[int]) -> bytes:
    """Return the scalars, 32 bytes each."""
    return b"".join(map(encode_scalar, values))


_ARKWORKS: Final = ArkworksBackend()
SHA_256: Final = Suite(BLS12_381_SHA_256, _ARKWORKS)
SHAKE_256: Final = Suite(BLS12_381_SHAKE_256, _ARKWORKS)
