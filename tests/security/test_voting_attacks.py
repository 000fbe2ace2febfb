"""Attacks on a vote: what a ballot box refuses, what its record shows, what its data tell nobody.

Races and killed processes are in tests/ports, tampered records in tests/mvote_verify, a box that
lies to a wallet in tests/unit/holder: attacks.toml names them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from sqlalchemy import inspect, text

from ballotbox.service import BallotRefused
from mvote_verify.checks import Verification
from mvote_verify.plan import Options, Status
from mvote_verify.pool import Resume
from tests.support.ballot_box import CHOICES, MANIFEST, Box
from tests.support.mvote.bodies import Sheet, make_body
from tests.support.mvote.elections import whole_election
from tests.support.mvote.primitives import add, canonical, mul
from tests.support.mvote.records import Files, publish
from tests.support.voting import CLOSES, OPENS, cast, election, manifest_json, voter
from wallet.adapters.sql.engine import open_engine, read, sqlite_url
from wallet.crypto.secp256k1 import encode_point
from wallet.voting.acceptance import open_submission, submission_digest
from wallet.voting.ballot import Ballot, BallotHeader, ballot_digest
from wallet.voting.board import BALLOT, REJECTIONS
from wallet.voting.election import Election
from wallet.voting.eligibility import ballot_header, prove_eligibility
from wallet.voting.statements import parse_statement

VOTER = 1
SHEET = Sheet.of(manifest_json(trustees=2, threshold=2))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(sqlite_url(tmp_path_factory.mktemp("box") / "box.db"))
    made.open()
    yield made
    made.application.close()


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Box]:
    made = Box(sqlite_url(tmp_path / "box.db"))
    made.open()
    yield made
    made.application.close()


def with_body(vote: Election, body: Callable[[bytes, bytes], bytes], **header: Any) -> bytes:
    """A ballot whose eligibility proof is honest and whose body is not."""
    credential = voter(VOTER)
    honest = ballot_header(credential, vote, 1)
    claimed = BallotHeader(
        honest.nullifier,
        honest.sequence,
        header.get("stratum", honest.stratum),
        header.get("district", honest.district),
    )
    context = claimed.context(vote)
    made = body(encode_point(vote.key), context)
    digest = ballot_digest(context, made)
    proof = prove_eligibility(credential, vote, honest, digest)
    return Ballot(claimed, 0, made, proof).octets


def body_of(bits: list[int], *, weak: bool = False) -> Callable[[bytes, bytes], bytes]:
    seed = b"\x07" * 32
    return lambda key, context: make_body(SHEET, key, context, bits, seed, weak=weak)


def filled(choices: dict[int, int]) -> list[int]:
    return SHEET.fill(choices)


def slack_off(bits: list[int]) -> list[int]:
    return [*bits[:-1], 1 - bits[-1]]


def another_generator(key: bytes, context: bytes) -> bytes:
    """Ciphertexts of a first bit that stand on a multiple of G: 7 votes for the first project."""
    body = bytearray(make_body(SHEET, key, context, filled({0: 1, 2: 1}), b"\x07" * 32))
    body[33:66] = add(bytes(body[33:66]), mul(6))
    return bytes(body)


def another_election(vote: Election) -> bytes:
    other = election(trustees=2, threshold=2, id="another-2027")
    return cast(other, voter(VOTER), CHOICES).octets


def members(octets: bytes) -> dict[int, Any]:
    found: dict[int, Any] = cbor2.loads(octets)
    return found


def changed(vote: Election, number: int, value: object) -> bytes:
    octets = cast(vote, voter(VOTER), CHOICES).octets
    return cbor2.dumps({**members(octets), number: value})


def another_nullifier(vote: Election) -> bytes:
    return changed(vote, 1, ballot_header(voter(2), vote, 1).nullifier)


def a_member_twice(vote: Election) -> bytes:
    octets = cast(vote, voter(VOTER), CHOICES).octets
    return b"\xa8" + octets[1:] + b"\x02\x01"


REFUSED: dict[str, tuple[str, Callable[[Election], bytes]]] = {
    "four approvals where three are the most": (
        "ballot_proof_invalid",
        lambda vote: with_body(vote, body_of(filled(dict.fromkeys(range(4), 1)))),
    ),
    "a wrong slack bit": (
        "ballot_proof_invalid",
        lambda vote: with_body(vote, body_of(slack_off(filled({0: 1})))),
    ),
    "two votes in one bit": (
        "ballot_proof_invalid",
        lambda vote: with_body(vote, another_generator),
    ),
    "a challenge that leaves out the context": (
        "ballot_proof_invalid",
        lambda vote: with_body(vote, body_of(filled({0: 1}), weak=True)),
    ),
    "a ballot of another election": ("ballot_proof_invalid", another_election),
    "another resident's nullifier": ("ballot_proof_invalid", another_nullifier),
    "another stratum than the credential's": (
        "eligibility_proof_invalid",
        lambda vote: with_body(vote, body_of(filled({0: 1})), stratum="committee"),
    ),
    "a stratum that does not vote": (
        "ballot_not_eligible",
        lambda vote: with_body(vote, body_of(filled({0: 1})), stratum="tourist"),
    ),
    "a district where none is asked for": (
        "ballot_not_eligible",
        lambda vote: with_body(vote, body_of(filled({0: 1})), district="11590"),
    ),
    "a negative sequence": ("ballot_malformed", lambda vote: changed(vote, 2, -1)),
    "a sequence that is no number": (
        "ballot_malformed",
        lambda vote: changed(vote, 2, float("nan")),
    ),
    "a sequence beyond its four bytes": ("ballot_malformed", lambda vote: changed(vote, 2, 2**32)),
    "a sequence that leaves a gap": (
        "ballot_sequence",
        lambda vote: cast(vote, voter(VOTER), CHOICES, 2).octets,
    ),
    "an issuer that is not listed": ("ballot_not_eligible", lambda vote: changed(vote, 5, 1)),
    "a project too many": (
        "ballot_malformed",
        lambda vote: with_body(vote, lambda key, context: bytes(294 + SHEET.bits * 294 + 98)),
    ),
    "a member twice": ("ballot_malformed", a_member_twice),
    "nothing": ("ballot_malformed", lambda vote: b""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_vo_3_a_ballot_that_is_no_legal_vote_is_refused_with_its_code(box: Box, name: str) -> None:
    code, make = REFUSED[name]
    octets = make(box.box.election())
    with pytest.raises(BallotRefused) as refused:
        box.box.accept(octets)
    assert refused.value.cause.code == code
    assert refused.value.rejection is not None
    assert refused.value.rejection.body == {
        "kind": "rejection",
        "election": box.box.election().digest.hex(),
        "submission": submission_digest(octets).hex(),
        "code": code,
    }


def test_vo_3_copies_of_an_accepted_ballot_are_refused(closed: Box) -> None:
    vote = closed.box.election()
    accepted = cast(vote, voter(VOTER), CHOICES)
    closed.box.accept(accepted.octets)
    # The same ciphertexts under another nullifier, and again under their own with a new proof.
    for number, sequence in ((2, 1), (VOTER, 2)):
        credential = voter(number)
        header = ballot_header(credential, vote, sequence)
        digest = ballot_digest(header.context(vote), accepted.body)
        proof = prove_eligibility(credential, vote, header, digest)
        with pytest.raises(BallotRefused) as refused:
            closed.box.accept(Ballot(header, 0, accepted.body, proof).octets)
        assert refused.value.cause.code == "ballot_replayed"


def test_vo_2_after_the_close_nothing_new_is_taken_whatever_the_clock_says(closed: Box) -> None:
    vote = closed.box.election()
    early, late = (cast(vote, voter(number), CHOICES).octets for number in (1, 2))
    closed.clock.set(CLOSES - 1)
    first = closed.box.accept(early)
    closed.clock.set(CLOSES)
    closed.box.work()
    closed_board = closed.kinds()
    # Another process whose clock is behind by one second, by an hour, or ahead.
    for now in (CLOSES - 1, CLOSES - 3600, OPENS, CLOSES + 1):
        closed.clock.set(now)
        assert closed.box.accept(early) == first
        with pytest.raises(BallotRefused) as refused:
            closed.box.accept(late)
        assert refused.value.cause.code == "election_not_open"
        closed.box.work()
    assert closed.kinds() == closed_board
    assert closed_board.count(BALLOT) == 1


# Members of every file that is published; tests/mvote_verify tampers with the log's entries.
FIELDS: tuple[tuple[str, tuple[str | int, ...]], ...] = (
    ("manifest.json", ("budget",)),
    ("manifest.json", ("trustees", 0, "signing_key")),
    ("shares.json", (0, "body", "aggregate")),
    ("shares.json", (0, "body", "root")),
    ("shares.json", (0, "body", "shares", 0)),
    ("shares.json", (0, "body", "trustee")),
    ("shares.json", (0, "body", "proof", "e")),
    ("shares.json", (0, "signature")),
    ("tally.json", ("aggregate",)),
    ("tally.json", ("groups", 0, "batch_totals", 0)),
    ("tally.json", ("groups", 0, "counted")),
    ("tally.json", ("groups", 0, "totals", 0)),
    ("tally.json", ("groups", 0, "weight")),
    ("tally.json", ("ignored", 0, "code")),
    ("tally.json", ("trustees", 0)),
    ("tie.json", ("block", "hash")),
    ("tie.json", ("block", "time")),
    ("tie.json", ("nonces", 0, "body", "nonce")),
    ("outcome.json", ("projects", 0, "status")),
    ("outcome.json", ("projects", 0, "votes")),
    ("outcome.json", ("seed",)),
    ("outcome.json", ("spent",)),
    ("outcome.json", ("withheld",)),
    ("record.json", ("files", "log.bin")),
)


@pytest.fixture(scope="module")
def published() -> Files:
    return publish(whole_election())


@pytest.fixture(scope="module")
def resume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resume]:
    """Ballots that were verified once are not verified again."""
    kept = Resume(tmp_path_factory.mktemp("resume") / "chunks")
    yield kept
    kept.close()


def another(value: Any) -> Any:
    """A value of the same form that says something else."""
    if isinstance(value, int):
        # Two less: a block one second earlier would still be late enough.
        return value - 2
    if isinstance(value, list):
        return [1, *value]
    if "/" in value:
        return "1/3"
    return ("1" if value[0] != "1" else "2") + value[1:]


@pytest.mark.parametrize("place", FIELDS, ids=lambda place: f"{place[0]}-{place[1]}")
def test_vo_5_every_field_of_a_record_that_is_changed_is_found(
    published: Files,
    resume: Resume,
    tmp_path: Path,
    place: tuple[str, tuple[str | int, ...]],
) -> None:
    name, (*steps, last) = place
    document = inner = json.loads(published[name])
    for step in steps:
        inner = inner[step]
    inner[last] = another(inner[last])
    for file, data in {**published, name: canonical(document)}.items():
        (tmp_path / file).write_bytes(data)
    verification = Verification(tmp_path, Options(resume=resume))
    verification.run()
    assert verification.failed
    # Not only by the list of hashes, which whoever changes a file writes anew.
    failed = {n for n, r in verification.results.items() if r.status is Status.FAILED}
    assert failed - {19} or name == "record.json"


def test_vo_7_two_elections_of_one_resident_have_no_value_in_common(tmp_path: Path) -> None:
    found = []
    for name in ("one-2027", "two-2027"):
        vote = election(trustees=2, threshold=2, id=name)
        ballot = cast(vote, voter(VOTER), CHOICES)
        submission = open_submission(ballot.octets, vote)
        found.append(
            {
                ballot.header.nullifier,
                ballot.eligibility_proof[:48],
                ballot.body[:66],
                submission.digest,
                submission.ciphertext_digest,
                submission.tracking_code,
            }
        )
    assert found[0].isdisjoint(found[1])


def test_vo_7_what_a_box_keeps_and_logs_tells_neither_who_nor_when(
    closed: Box, caplog: pytest.LogCaptureFixture
) -> None:
    vote = closed.box.election()
    client = closed.application.flask_app.test_client()
    ballots = [cast(vote, voter(number), CHOICES) for number in range(1, 9)]
    with caplog.at_level(logging.DEBUG):
        for second, ballot in enumerate(ballots):
            closed.clock.set(OPENS + 10 * second)
            client.post(
                "/ballots",
                data=ballot.octets,
                content_type="application/cbor",
                headers={"X-Forwarded-For": "203.0.113.7", "User-Agent": "a-wallet/1"},
                environ_base={"REMOTE_ADDR": "203.0.113.7"},
            )
        client.post("/ballots", data=b"no ballot", content_type="application/cbor")
    accepted = set()
    engine = open_engine(closed.url)
    with read(engine) as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f"SELECT * FROM {table}")).mappings():
                kept = repr(dict(row))
                assert "203.0.113" not in kept
                assert "a-wallet" not in kept
                if table == "ballotbox_ballots":
                    accepted.add(parse_statement(row["acceptance"]).body["by"])
        # Rows in the order in which they lie are rows by nullifier, not by arrival.
        rows = connection.execute(text("SELECT nullifier FROM ballotbox_ballots")).scalars().all()
    engine.dispose()
    assert list(rows) == sorted(ballot.header.nullifier for ballot in ballots)
    # What is promised names the period, not the moment.
    assert accepted == {OPENS + 2 * MANIFEST.checkpoint_every_s}
    closed.clock.set(OPENS + MANIFEST.checkpoint_every_s)
    closed.box.work()
    on_board = [entry.payload for entry in closed.entries() if entry.kind == BALLOT]
    by_digest = sorted((ballot.digest(vote), ballot.octets) for ballot in ballots)
    assert on_board == [octets for _, octets in by_digest]
    (refused,) = [entry.payload for entry in closed.entries() if entry.kind == REJECTIONS]
    (listed,) = parse_statement(refused).body["rejections"]
    assert set(listed) == {"submission", "code"}
    names = [ballot.header.nullifier.hex() for ballot in ballots]
    assert not any(name in caplog.text for name in [*names, "203.0.113.7"])
