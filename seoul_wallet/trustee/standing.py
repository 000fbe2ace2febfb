"""Where a trustee stands in an election, and what can stand in the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wallet.errors import ConflictError, RejectedError
from wallet.voting.manifest import Manifest


class FolderOfAnotherElection(ConflictError):
    """The key folder belongs to another election or ballot box: make one for each election."""

    code = "key_folder_of_another_election"


class FolderNotJoined(ConflictError):
    """The key folder has not joined an election yet."""

    code = "key_folder_not_joined"


class NotATrustee(RejectedError):
    """The manifest names no trustee with the keys of this folder."""

    code = "not_a_trustee"


class ManifestDigestDiffers(RejectedError):
    """The ballot box shows another manifest than the organiser's digest says."""

    code = "manifest_digest_differs"


class CeremonyViewDiffers(RejectedError):
    """The ballot box shows the key ceremony otherwise than it did, or than this trustee sent."""

    code = "ceremony_view_differs"


class TieBlockTooEarly(ConflictError):
    """The time of the tie-break's block has not come yet: the nonce stays secret."""

    code = "tie_block_too_early"


class Step(Enum):
    """Where a trustee stands."""

    NOT_JOINED = "not_joined"
    MESSAGE_DUE = "message_due"
    ROUND_WAITS = "round_waits"
    OUT = "out"
    KEY_WAITS = "key_waits"
    VOTE_WAITS = "vote_waits"
    VOTE_OPEN = "vote_open"
    END_WAITS = "end_waits"
    DECRYPT_DUE = "decrypt_due"
    BLOCK_WAITS = "block_waits"
    NONCE_DUE = "nonce_due"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Standing:
    """A step, the round of the ceremony from 1 if it is one of it, why if the trustee is out, and
    the digest h_E in hex once there is a key."""

    step: Step
    round: int = 0
    reason: str = ""
    election: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key folder belongs: which ballot box, and which trustee of which manifest."""

    box_url: str
    manifest: Manifest
    trustee: int
