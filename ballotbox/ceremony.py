"""Collecting the key ceremony: messages wait until their round ends (docs/voting.md §8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ballotbox.ports import BoxRecords, Turn
from wallet.ports.clock import Clock
from wallet.voting.board import CEREMONY, ELECTION_KEY
from wallet.voting.ceremony import (
    Ceremony,
    CeremonyOrderInvalid,
    CeremonyResult,
    replay_ceremony,
)
from wallet.voting.manifest import Manifest
from wallet.voting.statements import StatementKey, parse_statement, sign_statement

ROUNDS: Final = len(CEREMONY)


class CeremonyDesk:
    """Takes the trustees' messages and ends each round when all are in, or at its deadline.

    A round lasts `round_s` seconds at most. Until it ends nobody sees a message of it, so nobody
    can choose after having seen what others sent.
    """

    def __init__(
        self,
        manifest: Manifest,
        records: BoxRecords,
        clock: Clock,
        key: StatementKey,
        *,
        round_s: int,
    ) -> None:
        self._manifest = manifest
        self._records = records
        self._clock = clock
        self._key = key
        self._round_s = round_s
        self._result: CeremonyResult | None = None

    def take(self, payload: bytes) -> int:
        """Keep a message of the present round and return the round, from 1.

        The same bytes again are no error. Raises `StatementMalformed`,
        `CeremonySignatureInvalid`, and `CeremonyOrderInvalid` for another round, a second
        message, or a trustee that is out.
        """
        statement = parse_statement(payload)
        state = self._records.state()
        ceremony = _replayed(self._manifest, self._records.payloads(*CEREMONY), state.round)
        if state.round >= ROUNDS or statement.kind != CEREMONY[state.round]:
            raise CeremonyOrderInvalid("this is no message of the present round")
        out = set(ceremony.out)
        ceremony.add(payload)
        trustee = int(statement.body["trustee"])
        if trustee in out:
            raise CeremonyOrderInvalid("this trustee is out of the ceremony")
        if self._records.add_message(statement.kind, trustee, payload) != payload:
            raise CeremonyOrderInvalid("a trustee sends one message in a round")
        return state.round + 1

    def work(self, turn: Turn) -> None:
        """End the rounds that are over."""
        now = self._clock.now()
        while turn.state().round < ROUNDS:
            state = turn.state()
            kind = CEREMONY[state.round]
            ceremony = _replayed(self._manifest, turn.payloads(*CEREMONY), state.round)
            messages = turn.messages(kind)
            for payload in messages:
                ceremony.add(payload)
            # A wrong message puts its author out, and then nobody waits for it either.
            if ceremony.missing and now < state.round_began + self._round_s:
                return
            for payload in messages:
                turn.append(kind, payload)
            turn.begin_round(state.round + 1, now)

    def publish_key(self, turn: Turn) -> None:
        """Put the election key on the board once the rounds are over.

        Raises `CeremonyFailed`: then the election starts again under another manifest.
        """
        if turn.state().round >= ROUNDS and not turn.payloads(ELECTION_KEY):
            result = replay_ceremony(self._manifest, turn.payloads(*CEREMONY))
            turn.append(ELECTION_KEY, sign_statement(self._key, result.entry_body).octets)

    def result(self) -> CeremonyResult | None:
        """Return what the ceremony came to once its key is on the board; None before."""
        if self._result is None and self._records.payloads(ELECTION_KEY):
            self._result = replay_ceremony(self._manifest, self._records.payloads(*CEREMONY))
        return self._result


def _replayed(manifest: Manifest, payloads: Sequence[bytes], round_number: int) -> Ceremony:
    ceremony = Ceremony(manifest)
    for payload in payloads:
        ceremony.add(payload)
    while ceremony.round < round_number:
        ceremony.end_round()
    return ceremony
