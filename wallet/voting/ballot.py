"""One ballot: its parts, what binds them, its digest and its tracking code.

docs/voting.md, sections 5.3, 7 and 9.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from wallet.crypto.transcript import digest, index
from wallet.encoding.deterministic_cbor import DeterministicCborMalformed, parse_cbor, to_cbor
from wallet.errors import MalformedError
from wallet.voting.election import Election
from wallet.voting.suite import BallotBodyMalformed

NULLIFIER_BYTES: Final = 48
MAX_SEQUENCE: Final = 2**32 - 1
MAX_BALLOT_BYTES: Final = 512 * 1024
_MEMBERS: Final = (bytes, int, str, str, int, bytes, bytes)
_CODE_BYTES: Final = 13
_CODE_CHARACTERS: Final = 20
_CODE: Final = re.compile(r"[A-Z2-7]{20}")


class BallotMalformed(MalformedError):
    """Not the bytes of a ballot of this election."""

    code = "ballot_malformed"


class TrackingCodeMalformed(MalformedError):
    """Not five groups of four letters and digits of base32."""

    code = "tracking_code_malformed"


@dataclass(frozen=True, slots=True)
class BallotHeader:
    """Whose ballot it is, without a name: all of it is in the ballot's context."""

    nullifier: bytes
    sequence: int
    stratum: str
    district: str

    def context(self, election: Election) -> bytes:
        """The 32 bytes that every challenge of the ballot's proof hashes."""
        return digest(
            "ballot-context",
            election.digest,
            election.suite.name.encode("ascii"),
            self.nullifier,
            index(self.sequence),
            self.stratum.encode("utf-8"),
            self.district.encode("utf-8"),
        )

    def presentation_header(self, election: Election, ballot_digest: bytes) -> bytes:
        """What the eligibility proof is bound to."""
        return digest("bind", election.digest, ballot_digest, index(self.sequence))


@dataclass(frozen=True, slots=True)
class Ballot:
    """A ballot as it stands on the board; nothing of it is verified by its type."""

    header: BallotHeader
    issuer: int
    body: bytes = field(repr=False)
    eligibility_proof: bytes = field(repr=False)

    @property
    def octets(self) -> bytes:
        """The CBOR map."""
        header = self.header
        members = (
            header.nullifier,
            header.sequence,
            header.stratum,
            header.district,
            self.issuer,
            self.body,
            self.eligibility_proof,
        )
        return to_cbor(dict(enumerate(members, start=1)))

    def digest(self, election: Election) -> bytes:
        """bd, 32 bytes; the eligibility proof is not in it but bound to it."""
        return ballot_digest(self.header.context(election), self.body)


def ballot_digest(context: bytes, body: bytes) -> bytes:
    """bd of a context and a body."""
    return digest("ballot", context, body)


def parse_ballot(data: bytes, election: Election) -> Ballot:
    """Return the ballot with lengths as its election has them.

    Raises `BallotMalformed`. Points, scalars, proofs and whether the values are those of the
    election are not checked.
    """
    members = _members(data)
    nullifier, sequence, stratum, district, issuer, body, proof = members
    if len(nullifier) != NULLIFIER_BYTES or not 1 <= sequence <= MAX_SEQUENCE:
        raise BallotMalformed("the nullifier or the sequence is not of a ballot")
    try:
        election.suite.check_form(body)
    except BallotBodyMalformed as error:
        raise BallotMalformed("the body is not of a ballot of this election") from error
    header = BallotHeader(nullifier, sequence, stratum, district)
    return Ballot(header, issuer, body, proof)


def _members(data: bytes) -> list[Any]:
    if len(data) > MAX_BALLOT_BYTES:
        raise BallotMalformed(f"a ballot has at most {MAX_BALLOT_BYTES} bytes")
    try:
        value = parse_cbor(data)
    except DeterministicCborMalformed as error:
        raise BallotMalformed("a ballot is deterministic CBOR") from error
    if type(value) is not dict or list(value) != list(range(1, len(_MEMBERS) + 1)):
        raise BallotMalformed("a ballot is a map with the keys 1 to 7")
    members = list(value.values())
    if any(type(member) is not kind for member, kind in zip(members, _MEMBERS, strict=True)):
        raise BallotMalformed("a member of the ballot is of another kind")
    return members


def ciphertext_digest(ballot: Ballot, election: Election) -> bytes:
    """SHA-256 of the ciphertexts, which must never occur twice on a board."""
    return sha256(election.suite.ciphertext_octets(ballot.body)).digest()


def tracking_code(digest_of_ballot: bytes) -> str:
    """Return the code of a ballot digest: 100 bits in five groups of four."""
    letters = base64.b32encode(digest_of_ballot[:_CODE_BYTES]).decode("ascii")
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_CHARACTERS, 4))


def parse_tracking_code(text: str) -> str:
    """Return the code as `tracking_code` writes it, from what a person typed.

    Small letters, blanks and missing hyphens are put right. Raises `TrackingCodeMalformed`.
    """
    letters = re.sub(r"[\s-]", "", text[: 4 * _CODE_CHARACTERS]).upper()
    if not _CODE.fullmatch(letters):
        raise TrackingCodeMalformed("a tracking code has 20 letters A-Z and digits 2-7")
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_CHARACTERS, 4))
