"""Ballot entries without their proofs: form, who may cast, which one counts. V7, V8 and V20."""

from base64 import b32encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from mvote_verify.encodings import BYTES, TEXT, UNSIGNED, digest, i4, read_cbor_map
from mvote_verify.failures import Malformed, Refused
from mvote_verify.limits import MAX_NAMED
from mvote_verify.log import Entry, LogFile, payload_of
from mvote_verify.manifest import SUITE, Manifest

_TYPES = (BYTES, UNSIGNED, TEXT, TEXT, UNSIGNED, BYTES, BYTES)
NULLIFIER_BYTES = 48
CODE_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class BallotPayload:
    """A ballot entry of the right form; nothing in it is verified."""

    nullifier: bytes
    sequence: int
    stratum: str
    district: str
    issuer: int
    body: bytes
    proof: bytes

    def context(self, election: bytes) -> bytes:
        """`ctx` of section 5.3."""
        texts = (self.stratum.encode(), self.district.encode())
        number = i4(self.sequence)
        return digest("ballot-context", election, SUITE.encode(), self.nullifier, number, *texts)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What is kept of a ballot entry while the others are read."""

    entry: Entry
    nullifier: bytes
    sequence: int
    stratum: str
    ciphertexts: bytes
    """SHA-256 of them."""
    digest: bytes
    """`bd`."""


def proof_bytes(manifest: Manifest) -> int:
    """Length of an eligibility proof."""
    eligibility = manifest.fields["eligibility"]
    hidden = 2 + (eligibility["districts"] is None) + (eligibility["min_age"] is None)
    return 272 + 32 * hidden


def parse_ballot(payload: bytes, manifest: Manifest) -> BallotPayload:
    """The step `ballot_malformed` of section 9; raises `Malformed`."""
    ballot = BallotPayload(*read_cbor_map(payload, _TYPES))
    if len(ballot.nullifier) != NULLIFIER_BYTES or not 0 < ballot.sequence < 1 << 32:
        raise Malformed("the nullifier or the sequence")
    if len(ballot.body) != manifest.layout.body_bytes:
        raise Malformed("the length of the body")
    if len(ballot.proof) != proof_bytes(manifest):
        raise Malformed("the length of the eligibility proof")
    return ballot


def named(what: str, indexes: Sequence[int]) -> str:
    """A detail that names some of the entries that are wrong."""
    shown = ", ".join(str(index) for index in indexes[:MAX_NAMED])
    more = f" and {len(indexes) - MAX_NAMED} more" if len(indexes) > MAX_NAMED else ""
    return f"{what}: entry {shown}{more}"


def scan_ballots(
    file: LogFile, entries: Iterable[Entry], manifest: Manifest, election: bytes
) -> list[Ballot]:
    """V7: all ballot entries; raises `Refused` for the first kind of fault that there is."""
    voters = {v for s in manifest.strata if not s.in_batches for v in s.members}
    eligibility = manifest.fields["eligibility"]
    districts = {""} if eligibility["districts"] is None else set(eligibility["districts"])
    ballots, malformed, not_eligible = [], [], []
    for entry in entries:
        _, data = payload_of(file.read(entry.offset, entry.length), entry.index)
        try:
            ballot = parse_ballot(data, manifest)
        except Malformed:
            malformed.append(entry.index)
            continue
        known = ballot.stratum in voters and ballot.district in districts
        if not known or ballot.issuer >= len(eligibility["issuer_keys"]):
            not_eligible.append(entry.index)
        ciphertexts = sha256(ballot.body[: manifest.layout.ciphertext_bytes]).digest()
        bd = digest("ballot", ballot.context(election), ballot.body)
        ballots.append(
            Ballot(entry, ballot.nullifier, ballot.sequence, ballot.stratum, ciphertexts, bd)
        )
    if malformed:
        raise Refused("ballot_malformed", named("not of the form of a ballot", malformed))
    if not_eligible:
        raise Refused("ballot_not_eligible", named("stratum, district or issuer", not_eligible))
    return ballots


def counted_ballots(ballots: Sequence[Ballot]) -> list[Ballot]:
    """The last ballot of each nullifier, in the order of the log."""
    last = {ballot.nullifier: ballot for ballot in ballots}
    return [ballot for ballot in ballots if last[ballot.nullifier] is ballot]


def check_apart(ballots: Sequence[Ballot], manifest: Manifest) -> None:
    """V8: no ciphertext twice, sequences without gaps, not more counted than people."""
    seen: set[bytes] = set()
    sequences: dict[bytes, int] = {}
    replayed, behind = [], []
    for ballot in ballots:
        if ballot.ciphertexts in seen:
            replayed.append(ballot.entry.index)
        if ballot.sequence != sequences.get(ballot.nullifier, 0) + 1:
            behind.append(ballot.entry.index)
        seen.add(ballot.ciphertexts)
        sequences[ballot.nullifier] = ballot.sequence
    if replayed:
        raise Refused("ballot_replayed", named("the ciphertexts occurred before", replayed))
    if behind:
        raise Refused("ballot_sequence", named("not the sequence after the last", behind))
    voted = Counter(ballot.stratum for ballot in counted_ballots(ballots))
    for value, people in manifest.fields["census"]["people"].items():
        if voted[value] > people:
            detail = f"{value}: {voted[value]} ballots count, {people} people"
            raise Refused("more_ballots_than_people", detail)


def tracking_code(ballot_digest: bytes) -> str:
    """Section 7: 100 bits in base32, five groups of four."""
    letters = b32encode(ballot_digest[:15]).decode()[:CODE_CHARACTERS]
    return "-".join(letters[at : at + 4] for at in range(0, CODE_CHARACTERS, 4))


def find_ballot(ballots: Sequence[Ballot], code: str) -> tuple[Ballot, Ballot]:
    """V20: the ballot of a tracking code, and the ballot of the same voter that counts."""
    wanted = code.strip().upper()
    for ballot in ballots:
        if tracking_code(ballot.digest) == wanted:
            last = [b for b in ballots if b.nullifier == ballot.nullifier][-1]
            return ballot, last
    raise Refused("ballot_not_found", "no ballot entry has this tracking code")
