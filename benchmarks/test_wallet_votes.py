"""Claim: a whole vote takes the resident's wallet at most 50 ms of processor time.

From the bytes of the election to the stored acceptance, cold: manifest and key ceremony of five
trustees are checked anew, the ballot is encrypted and proven, written down, and its acceptance
verified and stored. 30 projects of which at most 5 are approved. The ballot box is measured apart:
its answers are recorded beforehand, and the acceptance is signed outside the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import pytest

from benchmarks.conftest import Figure, is_measuring
from tests.support.clock import SettableClock
from tests.support.polling import BOX_URL, VotingWallet
from tests.support.voting import OPENS, Trustees, manifest, project, signing_key, voter
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.voting.acceptance import open_submission
from wallet.voting.board import Entry, acceptance_body, log_octets
from wallet.voting.election import Election
from wallet.voting.statements import parse_statement, sign_statement

PROJECTS, APPROVALS = 30, 5
LIMIT_MS = 50.0
CHOICES = {f"p{number}": 1 for number in range(APPROVALS)}


class RecordedBox:
    """`HolderTransport` that answers what a box would; `spent` is its own time, in seconds."""

    def __init__(self) -> None:
        trustees = Trustees(
            manifest(
                projects=[project(f"p{number}", 10) for number in range(PROJECTS)],
                ballot={
                    "kind": "approval",
                    "limits": [{"limit": "count", "min": 0, "max": APPROVALS}],
                },
            )
        )
        result = trustees.run()
        self.election: Election = result.election
        entries = [Entry(0, "manifest", trustees.manifest.octets)]
        for payload in trustees.ceremony.payloads:
            entries.append(Entry(len(entries), parse_statement(payload).kind, payload))
        key = sign_statement(signing_key("board"), result.entry_body).octets
        entries.append(Entry(len(entries), "election_key", key))
        self._log = log_octets(entries)
        self.spent = 0.0

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        if url.endswith("manifest.json"):
            return HttpAnswer(200, accept, self.election.manifest.octets)
        return HttpAnswer(200, accept, self._log)

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        started = process_time()
        digest = open_submission(body, self.election).digest
        accepted = sign_statement(
            signing_key("board"), acceptance_body(self.election, digest, OPENS)
        )
        self.spent += process_time() - started
        return HttpAnswer(201, "application/json", accepted.octets)

    def post(self, url: str) -> HttpAnswer:
        raise PeerUnreachable("a ballot box has no such answer")

    def post_form(self, url: str, form: bytes, *, accept: str = "") -> HttpAnswer:
        raise PeerUnreachable("a ballot box has no such answer")

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        raise PeerUnreachable("a ballot box has no such answer")


@pytest.fixture
def fresh_wallet(tmp_path: Path) -> Iterator[Callable[[], tuple[VotingWallet, RecordedBox]]]:
    box, made = RecordedBox(), []

    def fresh() -> tuple[VotingWallet, RecordedBox]:
        number = len(made) + 1
        wallet = VotingWallet.at(tmp_path / str(number), box, SettableClock(OPENS), voter(number))
        made.append(wallet)
        return wallet, box

    yield fresh
    for wallet in made:
        wallet.store.close()


def test_a_whole_vote_on_the_voters_side(
    fresh_wallet: Callable[[], tuple[VotingWallet, RecordedBox]],
    figure: Figure,
    pytestconfig: pytest.Config,
) -> None:
    times = []
    for _ in range(15 if is_measuring(pytestconfig) else 1):
        wallet, box = fresh_wallet()
        voting, box.spent = wallet.voting, 0.0
        started = process_time()
        cast = voting.cast(voting.prepare(voting.look(BOX_URL), CHOICES))
        times.append(process_time() - started - box.spent)
        assert cast.sequence == 1
    if is_measuring(pytestconfig):
        figure(
            "a vote by the wallet, from manifest to stored acceptance",
            median(times) * 1000,
            limit=LIMIT_MS,
            unit="ms CPU",
        )
