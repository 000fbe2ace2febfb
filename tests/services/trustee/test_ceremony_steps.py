"""The key ceremony through the trustees' tool: broken off anywhere, lied to, mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seoul_wallet.trustee.office import TrusteeOffice
from seoul_wallet.trustee.standing import (
    CeremonyViewDiffers,
    FolderNotJoined,
    FolderOfAnotherElection,
    ManifestDigestDiffers,
    NotATrustee,
    Step,
)
from tests.support.chains import LedgerStack
from tests.support.polling import BOX_URL
from tests.support.trustee_desks import TrusteeDesks
from wallet.ports.holder import HttpAnswer, PeerUnreachable
from wallet.voting.board import CEREMONY, Entry, log_octets, parse_log
from wallet.voting.ceremony import CeremonySignatureInvalid
from wallet.voting.statements import parse_statement


@pytest.fixture
def desks(stack: LedgerStack, tmp_path: Path) -> Iterator[TrusteeDesks]:
    made = TrusteeDesks(stack, tmp_path, count=2)
    made.join()
    yield made
    made.election.application.close()


def power_cuts(desks: TrusteeDesks) -> None:
    """Every message of the first trustee is lost twice: on its way, then with its answer."""
    posts = [0]

    def before(method: str, path: str) -> None:
        posts[0] += method == "POST"
        if method == "POST" and posts[0] % 3 == 1:
            raise PeerUnreachable("the power is gone")

    def alter(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
        if method == "POST" and posts[0] % 3 == 2:
            raise PeerUnreachable("the power is gone")
        return answer

    desks.transports[0].before, desks.transports[0].alter = before, alter


def test_a_trustee_that_is_killed_around_every_message_sends_the_same_bytes(
    desks: TrusteeDesks,
) -> None:
    power_cuts(desks)
    box = desks.election.application.box
    for _ in CEREMONY:
        for _ in range(2):
            with pytest.raises(PeerUnreachable):
                desks.office(1).advance()
        assert desks.office(1).advance().step is Step.ROUND_WAITS
        desks.office(2).advance()
        box.work()
    assert desks.office(1).advance().step is Step.VOTE_WAITS
    sent = [body for method, _, body in desks.transports[0].sent if method == "POST"]
    assert {parse_statement(body).kind for body in sent} == set(CEREMONY)
    assert len(sent) == 2 * len(set(sent)) == 2 * len(CEREMONY)


def lie(desks: TrusteeDesks, number: int, change: object) -> None:
    """Have the box show a trustee other ceremony messages."""

    def alter(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
        if path != "/log":
            return answer
        entries = [change(entry) for entry in parse_log(answer.body)]  # type: ignore[operator]
        return HttpAnswer(200, answer.content_type, log_octets(entries))

    desks.transports[number - 1].alter = alter


def test_a_message_that_was_tampered_with_is_named_and_nothing_is_revealed(
    desks: TrusteeDesks,
) -> None:
    desks.office(1).advance()
    desks.office(2).advance()
    desks.election.application.box.work()

    def tamper(entry: Entry) -> Entry:
        statement = entry.kind == "dkg_commit" and parse_statement(entry.payload)
        if not statement or statement.body["trustee"] != 2:
            return entry
        changed = replace(statement, body={**statement.body, "digest": "00" * 32})
        return replace(entry, payload=changed.octets)

    lie(desks, 1, tamper)
    with pytest.raises(CeremonySignatureInvalid):
        desks.office(1).advance()
    assert desks.folders[0].get("made-dkg_reveal") is None
    lie(desks, 1, lambda entry: entry)
    assert desks.office(1).advance().step is Step.ROUND_WAITS


def test_a_box_that_shows_a_round_otherwise_than_before_is_told_apart(
    desks: TrusteeDesks,
) -> None:
    desks.office(1).advance()
    desks.office(2).advance()
    desks.election.application.box.work()
    desks.office(1).advance()

    def drop(method: str, path: str, answer: HttpAnswer) -> HttpAnswer:
        if path != "/log":
            return answer
        entries = [entry for entry in parse_log(answer.body) if entry.index < 2]
        return HttpAnswer(200, answer.content_type, log_octets(entries))

    desks.transports[0].alter = drop
    with pytest.raises(CeremonyViewDiffers):
        desks.office(1).advance()


def test_a_folder_is_of_one_election(desks: TrusteeDesks, stack: LedgerStack) -> None:
    other = TrusteeDesks(stack, desks.path / "other", count=2, budget=999)
    folder = desks.folders[0]
    with pytest.raises(NotATrustee):
        TrusteeOffice(folder, other.transports[0], desks.election.clock).look(BOX_URL)
    found = desks.office(1).look(BOX_URL)
    strange = replace(found, manifest=other.election.manifest)
    with pytest.raises(FolderOfAnotherElection):
        desks.office(1).join(strange, manifest_digest=None)
    assert desks.office(1).join(found, manifest_digest=None) == found
    other.election.application.close()


def test_a_manifest_of_another_digest_than_was_announced_is_not_joined(
    stack: LedgerStack, tmp_path: Path
) -> None:
    desks = TrusteeDesks(stack, tmp_path, count=2)
    office = desks.office(1)
    found = office.look(BOX_URL)
    with pytest.raises(ManifestDigestDiffers):
        office.join(found, manifest_digest=bytes(32))
    assert office.standing().step is Step.NOT_JOINED
    with pytest.raises(FolderNotJoined):
        office.advance()
    assert office.join(found, manifest_digest=found.manifest.digest) == found
    desks.election.application.close()
