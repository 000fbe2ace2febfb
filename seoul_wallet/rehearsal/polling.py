"""The hours of the vote: residents with wallets first, then voters by the core, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Final, TypeVar

from seoul_wallet.demo.desk import Department
from seoul_wallet.rehearsal.plan import OpenCompute, Plan, Report, Tell
from seoul_wallet.rehearsal.processes import RehearsalFailed
from seoul_wallet.rehearsal.voters import (
    Cast,
    CoreVoters,
    WalletVoters,
    cast_by_core,
    cast_by_wallets,
)
from seoul_wallet.stack import CLERK, LocalStack
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.holder.ballot_box import BallotBoxClient
from wallet.ports.compute import ComputeUnavailable
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest

CORE_CHUNK: Final = 10
WALLET_CHUNK: Final = 2
STRATUM: Final = "citizen"
Choices = tuple[int, ...]
Voters = TypeVar("Voters", CoreVoters, WalletVoters)


class Polling:
    """Casts votes at the ballot box `url`; `issuer` signs for the voters by the core.

    Who comes after the close is turned away, as at any election.
    """

    def __init__(
        self, url: str, issuer: BbsSecretKey, plan: Plan, open_compute: OpenCompute, tell: Tell
    ) -> None:
        self._url = url
        self._issuer = issuer
        self._plan = plan
        self._open_compute = open_compute
        self._tell = tell

    def cast(
        self, manifest: Manifest, stack: LocalStack, votes: Sequence[Choices], report: Report
    ) -> list[Choices]:
        """Cast `votes`; return those that were accepted. Raises what voters raise."""
        by_wallet = votes[: self._plan.through_wallet]
        by_core = votes[self._plan.through_wallet :]
        with closing(GuardedClient(allow_loopback_http=True)) as http:
            box = BallotBoxClient(self._url, HttpHolderTransport(http))
            election = box.election(manifest)
            links = _offers(stack, http, len(by_wallet))
        taken: list[Choices] = []
        with self._open_compute() as compute:

            def spread(
                function: Callable[[Voters], Cast], chunks: Iterator[Voters], name: str, total: int
            ) -> Iterator[Cast]:
                done = 0
                for found in compute.map(function, chunks):
                    if isinstance(found, ComputeUnavailable):
                        raise found
                    done += found.voters
                    self._tell(name, done, total)
                    yield found

            chunks = self._wallets(manifest, links, by_wallet)
            for start, cast in zip(
                range(0, len(by_wallet), WALLET_CHUNK),
                spread(cast_by_wallets, chunks, "wallets", len(by_wallet)),
                strict=False,
            ):
                taken += by_wallet[start : start + cast.ballots]
                report.through_wallet += cast.ballots
                report.code = report.code or next(iter(cast.codes), None)
                report.spend("a vote through a wallet", cast.spent_s)
            core = self._core(election, by_core)
            for start, cast in zip(
                range(0, len(by_core), CORE_CHUNK),
                spread(cast_by_core, core, "voters", len(by_core)),
                strict=False,
            ):
                taken += by_core[start : start + cast.ballots]
                report.spend("making a ballot", cast.made_s)
        report.ballots = len(taken)
        return taken

    def _wallets(
        self, manifest: Manifest, links: Sequence[str], votes: Sequence[Choices]
    ) -> Iterator[WalletVoters]:
        ids = [project.id for project in manifest.projects]
        named = [
            {name: value for name, value in zip(ids, one, strict=True) if value} for one in votes
        ]
        for start in range(0, len(links), WALLET_CHUNK):
            if time.time() >= manifest.closes:
                return
            end = start + WALLET_CHUNK
            pairs = tuple(zip(links[start:end], named[start:end], strict=True))
            yield WalletVoters(self._url, manifest.digest, pairs)

    def _core(self, election: Election, votes: Sequence[Choices]) -> Iterator[CoreVoters]:
        for start in range(0, len(votes), CORE_CHUNK):
            if time.time() >= election.manifest.closes:
                return
            chosen = tuple(votes[start : start + CORE_CHUNK])
            yield CoreVoters(election, self._url, self._issuer, STRATUM, chosen)


def _offers(stack: LocalStack, http: GuardedClient, count: int) -> list[str]:
    """Offer residents on the roll their voting credentials."""
    roll = stack.issuer.service.voting
    if roll is None or not count:
        return []
    desk = Department(http, stack.issuer_url, stack.operator_tokens[CLERK])
    voters = islice((one for page in roll.roll.voters() for one in page), count)
    links = [desk.offer_voting_credential(voter.register_id) for voter in voters]
    if len(links) < count:
        raise RehearsalFailed("the sample roll has fewer residents than wallets are to vote")
    return links
