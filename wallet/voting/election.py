"""An election that can be voted in: a manifest and the key of its trustees, with their digests.

docs/voting.md, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wallet.crypto.secp256k1 import Point, encode_point
from wallet.crypto.transcript import digest
from wallet.voting.dcp_suite import DcpSuite
from wallet.voting.manifest import Manifest
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


def election_of(manifest: Manifest, ceremony_payloads: Sequence[bytes], key: Point) -> Election:
    """Return the election of a manifest and a ceremony's payloads, in board order.

    That the key is the ceremony's result is checked by `wallet.voting.ceremony`.
    """
    ceremony = digest("ceremony", manifest.digest, *ceremony_payloads, encode_point(key))
    return Election(manifest, key, digest("election", manifest.digest, ceremony))
