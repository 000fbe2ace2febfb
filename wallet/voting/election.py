"""An election that can be voted in: a manifest and the key of its trustees, with their digests.

docs/voting.md, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from wallet.crypto.secp256k1 import Point, encode_point, parse_point
from wallet.crypto.transcript import digest
from wallet.voting.dcp_suite import DcpSuite
from wallet.voting.manifest import Manifest, parse_manifest
from wallet.voting.suite import BallotSuite


@dataclass(frozen=True)
class Election:
    """The manifest, the election key K, and h_E; `suite` encrypts and checks its ballots."""

    manifest: Manifest
    key: Point = field(repr=False)
    digest: bytes
    suite: BallotSuite = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "suite", DcpSuite(self.manifest.layout, self.key))

    def __reduce__(self) -> tuple[Callable[..., Election], tuple[bytes, bytes, bytes]]:
        """Travel to other processes as bytes; points cannot."""
        return _restore, (self.manifest.octets, encode_point(self.key), self.digest)


def election_of(manifest: Manifest, ceremony_payloads: Sequence[bytes], key: Point) -> Election:
    """Return the election of a manifest and a ceremony's payloads, in board order.

    That the key is the ceremony's result is checked by `wallet.voting.ceremony`.
    """
    ceremony = digest("ceremony", manifest.digest, *ceremony_payloads, encode_point(key))
    return Election(manifest, key, digest("election", manifest.digest, ceremony))


# A worker gets the same election with every chunk.
@lru_cache(maxsize=4)
def _restore(manifest: bytes, key: bytes, digest_of_election: bytes) -> Election:
    return Election(parse_manifest(manifest), parse_point(key), digest_of_election)
