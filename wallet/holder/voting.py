"""Voting: look at an election, prepare a ballot, cast or challenge it, and track it.

docs/voting.md, section 7. How somebody voted is known to a prepared ballot alone, in memory, until
it is cast or challenged. It is never stored and never logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wallet.crypto.bbs.nym_issuance import NymCredential
from wallet.errors import ConflictError
from wallet.holder.ballot_box import BallotBoxClient, BallotNotAccepted
from wallet.holder.tracking import BoardBallot, NothingCast, Tracker, Tracking, newest_of
from wallet.holder.votes import CastBallot, ElectionVotes, PendingBallot, Votes
from wallet.ports.clock import Clock
from wallet.ports.facts import BoardRegistry
from wallet.ports.holder import HolderTransport, RecordStore
from wallet.voting.ballot import BallotHeader
from wallet.voting.board import verify_acceptance
from wallet.voting.casting import BallotAlreadyUsed, PreparedBallot, prepare_ballot
from wallet.voting.election import Election
from wallet.voting.eligibility import CredentialNotEligible, ballot_header
from wallet.voting.layout import ChoicesInvalid
from wallet.voting.published import (
    CLOCK_SKEW_S,
    ElectionNotPublished,
    board_id,
    check_hours,
    check_promise,
    verify_opening,
)


class NoVotingCredential(ConflictError):
    """The wallet holds no voting credential; the issuer has to offer one first."""

    code = "no_voting_credential"


class BallotOutdated(ConflictError):
    """Another ballot was cast since this one was prepared; prepare a new one."""

    code = "ballot_outdated"


@dataclass(frozen=True, slots=True)
class OpenElection:
    """An election that was checked and in which this wallet may vote.

    `header` says for which stratum and district. `is_on_chain` is whether the organiser's board
    on the chain was compared; without it the manifest's digest should have been.
    """

    base_url: str
    election: Election
    header: BallotHeader
    is_on_chain: bool
    credential: NymCredential = field(repr=False)


class PreparedVote:
    """A ballot that is neither cast nor challenged. `tracking_code` is shown before the choice."""

    def __init__(self, vote: OpenElection, ballot: PreparedBallot, sequence: int) -> None:
        self.vote = vote
        self.ballot = ballot
        self.sequence = sequence

    @property
    def tracking_code(self) -> str:
        """The code to write down."""
        return self.ballot.tracking_code


@dataclass(frozen=True, slots=True)
class ChallengedBallot:
    """An opened ballot; `octets` is `challenge.json` for the second device. It tells the vote."""

    tracking_code: str
    octets: bytes = field(repr=False)


class Voting:
    """Votes with the credentials that `credentials` returns.

    `boards` tells what the chain has; None where no replica of it is at hand.
    """

    def __init__(
        self,
        *,
        records: RecordStore,
        transport: HolderTransport,
        clock: Clock,
        credentials: Callable[[], Sequence[NymCredential]],
        boards: BoardRegistry | None = None,
    ) -> None:
        self._votes = Votes(records)
        self._transport = transport
        self._clock = clock
        self._credentials = credentials
        self._boards = boards
        self._tracker = Tracker(self._votes, clock, boards)

    def look(self, base_url: str, *, manifest_digest: bytes | None = None) -> OpenElection:
        """Fetch and check the election of a ballot box; show nothing of it before.

        `manifest_digest` is h_M as the organiser published it elsewhere. Checked are: manifest,
        key ceremony and the board's signature under its key, digest and chain where given, the
        hours, and that a credential at hand admits. Raises `ElectionNotPublished`,
        `ElectionNotOpen`, `NoVotingCredential`, `CredentialNotEligible`, `BoardUnknown` and its
        kin of the port, the errors of a malformed board, and what the transport raises.
        """
        client = BallotBoxClient(base_url, self._transport)
        manifest = client.manifest()
        if manifest_digest is not None and manifest.digest != manifest_digest:
            raise ElectionNotPublished("the manifest has another digest")
        check_hours(manifest, self._clock.now())
        election = client.election(manifest)
        if self._boards is not None:
            verify_opening(election, self._boards.board(board_id(manifest)).value)
        credential, header = self._admitted(election)
        is_on_chain = self._boards is not None
        return OpenElection(client.base_url, election, header, is_on_chain, credential)

    def prepare(self, vote: OpenElection, choices: Mapping[str, int]) -> PreparedVote:
        """Encrypt choices (project id to value, others 0) and fix the tracking code.

        What an interrupted cast left is settled first. Raises `ChoicesInvalid`, and what `resume`
        raises.
        """
        election = vote.election
        projects = [project.id for project in election.manifest.projects]
        if not set(choices) <= set(projects):
            raise ChoicesInvalid("a choice names no project of this election")
        votes = self._kept(vote)
        if votes.pending is not None:
            votes = self._send(self._client(vote.base_url), election, votes)
        sequence = votes.last_sequence + 1
        values = [choices.get(name, 0) for name in projects]
        ballot = prepare_ballot(election, vote.credential, values, sequence=sequence)
        return PreparedVote(vote, ballot, sequence)

    def cast(self, prepared: PreparedVote) -> CastBallot:
        """Send a prepared ballot and return it with the board's signed acceptance.

        It is durable before it is sent; after an `UnavailableError` or a crash `resume` sends the
        same bytes. Raises `BallotNotAccepted`, `BallotOutdated`, `BallotAlreadyUsed`,
        `ElectionNotOpen`, and for answers that no honest box gives `PromiseTooLate`,
        `StatementSignatureInvalid`, `BoxAnswerMalformed`, `AnswerUnexpected` and kin.
        """
        vote, election = prepared.vote, prepared.vote.election
        check_hours(election.manifest, self._clock.now())
        votes = self._kept(vote)
        if prepared.tracking_code in votes.challenged:
            raise BallotAlreadyUsed("a challenged ballot is never cast")
        if votes.pending is not None or votes.last_sequence + 1 != prepared.sequence:
            raise BallotOutdated("another ballot was cast meanwhile")
        octets = prepared.ballot.cast(vote.credential).octets
        pending = PendingBallot(
            prepared.sequence, prepared.tracking_code, prepared.ballot.digest, octets
        )
        votes = self._votes.save(replace(votes, pending=pending))
        votes = self._send(self._client(vote.base_url), election, votes)
        return newest_of(votes)

    def challenge(self, prepared: PreparedVote) -> ChallengedBallot:
        """Open a prepared ballot for a second device. It can then never be cast.

        Raises `BallotAlreadyUsed`.
        """
        code = prepared.tracking_code
        self._votes.save(self._kept(prepared.vote).with_challenged(code))
        opening = prepared.ballot.challenge()
        return ChallengedBallot(code, opening.octets(prepared.vote.election))

    def resume(self, base_url: str) -> CastBallot | None:
        """Send again what an interrupted cast left, the very same bytes; None if nothing is left.

        Raises as `cast`.
        """
        client = self._client(base_url)
        election = client.election(client.manifest())
        votes = self._votes.find(election.digest)
        if votes is None or votes.pending is None:
            return None
        return newest_of(self._send(client, election, votes))

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The ballot boxes to which a cast was cut short."""
        return tuple(votes.base_url for votes in self._votes.all() if votes.pending is not None)

    def track(self, base_url: str, *, search: bool = False) -> Tracking:
        """Tell what became of the newest ballot cast by this wallet, and keep its receipt.

        With `search` the whole log is read and compared with its checkpoint: then it is known
        whether a later ballot by the same secret replaces this one, and the wallet goes on from
        its sequence. Raises `NothingCast`, `BoardInconsistent`, `ReceiptInvalid`, and what
        `resume` raises.
        """
        client = self._client(base_url)
        election = client.election(client.manifest())
        votes = self._votes.find(election.digest)
        if votes is None:
            raise NothingCast("this wallet has cast nothing in this election")
        if votes.pending is not None:
            votes = self._send_late(client, election, votes)
        nullifier = self._admitted(election)[1].nullifier if search else None
        return self._tracker.track(client, election, votes, nullifier)

    def find_own(self, base_url: str) -> tuple[BoardBallot, ...]:
        """Return all ballots by this wallet's voting secret that are on the board.

        The whole log is read and compared with its checkpoint. A wallet that was moved from
        another device learns so at which sequence it goes on. Raises as `look` and `track`.
        """
        client = self._client(base_url)
        election = client.election(client.manifest())
        nullifier = self._admitted(election)[1].nullifier
        votes = self._votes.find(election.digest)
        if votes is None:
            votes = ElectionVotes(election=election.digest, base_url=client.base_url)
        return self._tracker.find_own(client, election, votes, nullifier)

    def _send(
        self, client: BallotBoxClient, election: Election, votes: ElectionVotes
    ) -> ElectionVotes:
        """Send the pending ballot; what became of it is stored before anything is returned."""
        pending = votes.pending
        if pending is None:
            return votes
        try:
            statement = client.send(election, pending.octets)
        except BallotNotAccepted as refused:
            # Unsigned, it may be of a box whose clock is behind; after the close it is final.
            if refused.rejection is not None:
                self._votes.save(votes.with_refused(refused.reason, refused.rejection.to_json()))
            elif self._clock.now() >= election.manifest.closes + CLOCK_SKEW_S:
                self._votes.save(votes.with_refused(refused.reason, None))
            raise
        by = verify_acceptance(statement, election, pending.digest)
        check_promise(election.manifest, by, self._clock.now())
        ballot = CastBallot(
            pending.sequence, pending.tracking_code, pending.digest, by, statement.to_json()
        )
        return self._votes.save(votes.with_cast(ballot))

    def _send_late(
        self, client: BallotBoxClient, election: Election, votes: ElectionVotes
    ) -> ElectionVotes:
        """The same, where an earlier ballot is worth a look although this one was refused."""
        try:
            return self._send(client, election, votes)
        except BallotNotAccepted:
            stored = self._votes.find(election.digest)
            if stored is None or stored.newest is None:
                raise
            return stored

    def _admitted(self, election: Election) -> tuple[NymCredential, BallotHeader]:
        refusal: CredentialNotEligible | None = None
        for credential in self._credentials():
            try:
                return credential, ballot_header(credential, election, 1)
            except CredentialNotEligible as error:
                refusal = error
        raise refusal or NoVotingCredential("there is no voting credential in this wallet")

    def _kept(self, vote: OpenElection) -> ElectionVotes:
        digest = vote.election.digest
        found = self._votes.find(digest)
        return found or ElectionVotes(election=digest, base_url=vote.base_url)

    def _client(self, base_url: str) -> BallotBoxClient:
        return BallotBoxClient(base_url, self._transport)


class Voter:
    """The short way of a wallet to its `voting`."""

    voting: Voting

    def vote(self, prepared: PreparedVote) -> CastBallot:
        """Cast a ballot that `voting` prepared. Handing it in *is* the consent.

        Show the election, the choices and the tracking code first. See `Voting.cast`.
        """
        return self.voting.cast(prepared)

    def challenge(self, prepared: PreparedVote) -> ChallengedBallot:
        """Open a prepared ballot instead, to see that this device is honest.

        See `Voting.challenge`.
        """
        return self.voting.challenge(prepared)

    def track(self, box_url: str, *, search: bool = False) -> Tracking:
        """Tell what became of the ballot cast at a ballot box. See `Voting.track`."""
        return self.voting.track(box_url, search=search)
