"""The key ceremony as everybody sees it: messages in, who is out and the election key come out.

docs/voting.md, section 8. `Ceremony` is fed with signed statements in board order; a round ends
when `end_round` is called or a message of a later round comes. It holds no secret: a trustee, the
ballot box and whoever checks afterwards run the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wallet.crypto.secp256k1 import Point, add, encode_point
from wallet.crypto.sigma import SigmaProofInvalid
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.voting.board import CEREMONY, ELECTION_KEY
from wallet.voting.ceremony_messages import (
    SHAPE,
    Complaint,
    SealedShare,
    commitment_digest,
    evaluate_commitments,
    is_good_share,
    read_complaint,
    read_proof,
    read_share,
    unseal_share,
    verify_commitments,
    verify_complaint,
    verify_sealed_share,
)
from wallet.voting.election import Election, election_of
from wallet.voting.manifest import MAX_TRUSTEES, Manifest
from wallet.voting.shapes import without_none
from wallet.voting.statements import (
    Statement,
    StatementSignatureInvalid,
    parse_statement,
    verify_statement,
)


class CeremonySignatureInvalid(RejectedError):
    """A ceremony message is not signed by the trustee it names, or is of another election."""

    code = "ceremony_signature"


class CeremonyOrderInvalid(RejectedError):
    """A ceremony message comes out of its round, twice, or not in the trustees' order."""

    code = "ceremony_order"


class CeremonyFailed(RejectedError):
    """Fewer trustees than the threshold finished the ceremony: it starts again."""

    code = "ceremony_failed"


class ElectionKeyDiffers(RejectedError):
    """The published election key is not what the ceremony comes to."""

    code = "election_key_differs"


@dataclass(frozen=True)
class CeremonyResult:
    """What everybody computes at the end.

    `qualified` are the trustees who hold shares, `verification_keys` theirs, `ties` the
    commitments to nonces by trustee, `out` why the others are not.
    """

    election: Election
    qualified: tuple[int, ...]
    verification_keys: dict[int, Point]
    ties: dict[int, bytes]
    out: dict[int, str]

    @property
    def entry_body(self) -> JsonObject:
        """The body of the entry `election_key`, for the board to sign."""
        return {
            "kind": ELECTION_KEY,
            "manifest": self.election.manifest.digest.hex(),
            "key": encode_point(self.election.key).hex(),
            "qualified": list(self.qualified),
            "verification_keys": [
                encode_point(self.verification_keys[trustee]).hex() for trustee in self.qualified
            ],
            "election": self.election.digest.hex(),
        }

    def check_entry(self, statement: Statement) -> None:
        """Return if the board published this result.

        Raises `StatementSignatureInvalid` or `ElectionKeyDiffers`.
        """
        body = verify_statement(statement, ELECTION_KEY, self.election.manifest.board_key)
        if body != self.entry_body:
            raise ElectionKeyDiffers("the entry is not the result of the ceremony")


@dataclass
class Ceremony:
    """The state of a ceremony. `out` maps trustees to the reason; rounds count from 0."""

    manifest: Manifest
    round: int = 0
    out: dict[int, str] = field(default_factory=dict)
    payloads: list[bytes] = field(default_factory=list)
    digests: dict[int, bytes] = field(default_factory=dict)
    ties: dict[int, bytes] = field(default_factory=dict)
    commitments: dict[int, tuple[Point, ...]] = field(default_factory=dict)
    shares: dict[int, dict[int, SealedShare]] = field(default_factory=dict)
    _complaints: dict[int, tuple[Complaint, ...]] = field(default_factory=dict)
    _last: int = 0
    _sent: set[int] = field(default_factory=set)

    @property
    def trustees(self) -> range:
        """The numbers of the trustees."""
        return range(1, len(self.manifest.trustees) + 1)

    @property
    def missing(self) -> tuple[int, ...]:
        """Who is in and has not sent the message of this round."""
        return tuple(
            trustee
            for trustee in self.trustees
            if trustee not in self.out and trustee not in self._sent
        )

    def add(self, payload: bytes) -> None:
        """Take the next message, a signed statement in canonical JSON.

        A message that is signed and wrong puts its author out. Raises `StatementMalformed` for
        what is no statement, `CeremonySignatureInvalid` and `CeremonyOrderInvalid`.
        """
        statement = parse_statement(payload)
        trustee = self._author(statement)
        place = CEREMONY.index(statement.kind)
        while self.round < place:
            self.end_round()
        if place < self.round or trustee <= self._last:
            raise CeremonyOrderInvalid("a ceremony message is not where it belongs")
        self._last = trustee
        self._sent.add(trustee)
        self.payloads.append(payload)
        if trustee in self.out:
            return
        read = (self._commit, self._reveal, self._deal, self._verdict)[place]
        try:
            read(trustee, statement.body)
        except (MalformedError, SigmaProofInvalid) as error:
            self.out[trustee] = f"{statement.kind}: {error}"

    def end_round(self) -> None:
        """Go to the next round: who sent nothing is out."""
        for trustee in self.missing:
            self.out[trustee] = f"{CEREMONY[self.round]}: nothing was sent"
        if CEREMONY[self.round] == CEREMONY[-1]:
            self._judge()
        self.round += 1
        self._last = 0
        self._sent = set()

    def finish(self) -> CeremonyResult:
        """End what rounds are left and return the result. Raises `CeremonyFailed`."""
        while self.round < len(CEREMONY):
            self.end_round()
        qualified = tuple(trustee for trustee in self.trustees if trustee not in self.out)
        if len(qualified) < self.manifest.threshold:
            raise CeremonyFailed("fewer trustees than the threshold are left")
        columns: list[Point | None] = [
            add(self.commitments[trustee][k] for trustee in qualified)
            for k in range(self.manifest.threshold)
        ]
        computed = {trustee: evaluate_commitments(columns, trustee) for trustee in qualified}
        keys = without_none(computed)
        key = columns[0]
        if key is None or len(keys) != len(qualified):
            raise CeremonyFailed("a key is the identity")
        return CeremonyResult(
            election_of(self.manifest, self.payloads, key),
            qualified,
            keys,
            dict(self.ties),
            dict(self.out),
        )

    def receivers(self, dealer: int) -> tuple[int, ...]:
        """To whom a dealer sends shares: all others who are not out after round 2."""
        return tuple(
            trustee
            for trustee in self.trustees
            if trustee != dealer and trustee in self.commitments
        )

    def _author(self, statement: Statement) -> int:
        if statement.kind not in CEREMONY:
            raise CeremonyOrderInvalid("this is no message of the key ceremony")
        trustee = statement.body.get("trustee")
        if type(trustee) is not int or trustee not in self.trustees:
            raise CeremonySignatureInvalid("the message names no trustee of this election")
        key = self.manifest.trustees[trustee - 1].signing_key
        try:
            body = verify_statement(statement, statement.kind, key)
        except StatementSignatureInvalid as error:
            raise CeremonySignatureInvalid("the trustee did not sign this message") from error
        if body.get("manifest") != self.manifest.digest.hex():
            raise CeremonySignatureInvalid("the message is of another election")
        return trustee

    def _commit(self, trustee: int, body: JsonObject) -> None:
        SHAPE.members(body, "kind", "manifest", "trustee", "digest", "tie")
        commitment, tie = SHAPE.octets(body["digest"], 32), SHAPE.octets(body["tie"], 32)
        self.digests[trustee] = commitment
        self.ties[trustee] = tie

    def _reveal(self, trustee: int, body: JsonObject) -> None:
        SHAPE.members(body, "kind", "manifest", "trustee", "commitments", "proof")
        threshold = self.manifest.threshold
        commitments = SHAPE.items(body["commitments"], SHAPE.point, low=threshold, high=threshold)
        if commitment_digest(self.manifest, trustee, commitments) != self.digests[trustee]:
            raise SHAPE.refuse("not what was committed to")
        verify_commitments(self.manifest, trustee, commitments, read_proof(body["proof"]))
        self.commitments[trustee] = commitments

    def _deal(self, trustee: int, body: JsonObject) -> None:
        SHAPE.members(body, "kind", "manifest", "trustee", "shares")
        shares = SHAPE.items(body["shares"], read_share, low=0, high=MAX_TRUSTEES)
        if tuple(share.to for share in shares) != self.receivers(trustee):
            raise SHAPE.refuse("the shares are not for those who are to get one")
        for share in shares:
            verify_sealed_share(self.manifest, trustee, share)
        self.shares[trustee] = {share.to: share for share in shares}

    def _verdict(self, trustee: int, body: JsonObject) -> None:
        SHAPE.members(body, "kind", "manifest", "trustee", "complaints")
        complaints = SHAPE.items(body["complaints"], read_complaint, low=0, high=MAX_TRUSTEES)
        dealers = [complaint.dealer for complaint in complaints]
        if dealers != sorted(set(dealers)):
            raise SHAPE.refuse("complaints ascend by dealer")
        self._complaints[trustee] = complaints

    def _judge(self) -> None:
        """Judge all complaints of round 4, each on its own."""
        verdicts: dict[int, str] = {}
        for author, complaints in self._complaints.items():
            for complaint in complaints:
                sealed = self.shares.get(complaint.dealer, {}).get(author)
                if sealed is None:
                    continue
                try:
                    verify_complaint(self.manifest, sealed, complaint)
                except SigmaProofInvalid:
                    verdicts[author] = "dkg_verdict: a complaint without a valid proof"
                    continue
                share = unseal_share(self.manifest, complaint.dealer, sealed, complaint.secret)
                if not is_good_share(share, author, self.commitments[complaint.dealer]):
                    verdicts[complaint.dealer] = f"dkg_shares: a bad share for {author}"
        self.out.update(verdicts)


def replay_ceremony(manifest: Manifest, payloads: Sequence[bytes]) -> CeremonyResult:
    """Return the result of a ceremony from its entries, in board order.

    Raises `StatementMalformed`, `CeremonySignatureInvalid`, `CeremonyOrderInvalid` or
    `CeremonyFailed`.
    """
    ceremony = Ceremony(manifest)
    for payload in payloads:
        ceremony.add(payload)
    return ceremony.finish()
