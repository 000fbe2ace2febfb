"""Whatever is handed over in an election, changed in every simple way, is refused.

Ballots, what the board signs, what trustees and officers send, receipts, what a challenge reveals,
and a trustee's key folder. The unchanged one is accepted; a mutant may be accepted only where it
says the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from seoul_wallet.trustee.folder import HEADER_FILE, KeyFolder
from tests.support.polling import BOX_URL, AppTransport
from tests.support.trustee_desks import CHEAP, PASSPHRASE, new_folder
from tests.support.voting import (
    Trustees,
    aggregate,
    cast,
    manifest,
    project,
    signing_key,
    submit,
    voter,
)
from wallet.crypto.merkle import MerkleTree
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.encoding import jcs
from wallet.errors import SeoulWalletError
from wallet.holder.ballot_box import PROBLEM, BallotBoxClient, BallotNotAccepted
from wallet.voting.acceptance import open_submission, submission_digest, verify_ballot
from wallet.voting.batches import Batch, verify_batch
from wallet.voting.board import (
    BALLOT,
    MANIFEST,
    Checkpoint,
    Entry,
    acceptance_body,
    checkpoint_body,
    parse_entry,
    rejection_body,
    verify_acceptance,
    verify_checkpoint,
)
from wallet.voting.casting import check_opening, parse_opening, prepare_ballot
from wallet.voting.ceremony import Ceremony, CeremonySignatureInvalid
from wallet.voting.decryption import decryption_share_body, verify_share
from wallet.voting.election import Election
from wallet.voting.published import Receipt, verify_receipt
from wallet.voting.statements import Statement, parse_statement, sign_statement
from wallet.voting.tie_break import tie_nonce_body, verify_tie_nonce

# Every how many bytes one is changed; 1 is all of them.
STRIDE = int(os.environ.get("SOAK_MUTATION_STRIDE", "11"))
VOTERS = 20
CHOICES = (1, 0)
HASH = 32
KINDS = (
    "ballot",
    "acceptance",
    "rejection",
    "checkpoint",
    "ceremony message",
    "decryption share",
    "nonce",
    "batch",
    "opening",
    "receipt",
    "key folder",
    "sealed value",
)


@dataclass(frozen=True)
class Handed:
    """One good object; `check` returns what it says or raises. `key` signs it, if one does."""

    octets: bytes
    check: Callable[[bytes], object]
    key: Es256kSigningKey | None = None


def signed(
    statement: Statement, key: Es256kSigningKey, check: Callable[[Statement], object]
) -> Handed:
    return Handed(statement.octets, lambda data: check(parse_statement(data)), key)


def of_the_board(election: Election) -> dict[str, Handed]:
    key = signing_key("board")
    ballot = cast(election, voter(1), CHOICES)
    digest = ballot.digest(election)
    checkpoint = Checkpoint(1, 9, bytes(HASH), election.manifest.opens)
    accepted = sign_statement(key, acceptance_body(election, digest, election.manifest.closes))
    rejected = sign_statement(
        key, rejection_body(election, submission_digest(ballot.octets), "ballot_malformed")
    )
    head = sign_statement(key, checkpoint_body(election, checkpoint))
    return {
        "ballot": Handed(
            ballot.octets,
            lambda data: (
                verify_ballot(open_submission(data, election), election).submission.digest
            ),
        ),
        "acceptance": signed(
            accepted, key, lambda item: verify_acceptance(item, election, digest)
        ),
        "rejection": signed(rejected, key, lambda item: refused_by(election, ballot.octets, item)),
        "checkpoint": signed(head, key, lambda item: verify_checkpoint(item, election)),
        "receipt": receipt(election, ballot.octets, digest),
    }


def refused_by(election: Election, octets: bytes, rejection: Statement) -> object:
    """What a wallet makes of a refusal with this rejection."""
    app = Flask(__name__)

    @app.post("/ballots")
    def refuse() -> Response:
        code = rejection.body.get("code")
        problem = jcs.canonicalize({"code": code, "rejection": rejection.to_json()})
        return Response(problem, 422, content_type=PROBLEM)

    try:
        BallotBoxClient(BOX_URL, AppTransport(app)).send(election, octets)
    except BallotNotAccepted as refused:
        return refused.reason
    raise AssertionError("a refusal is no acceptance")


def receipt(election: Election, octets: bytes, digest: bytes) -> Handed:
    """An entry and its path, one behind the other."""
    entries = [Entry(0, MANIFEST, b"manifest"), Entry(1, BALLOT, octets), Entry(2, "end", b"{}")]
    tree = MerkleTree([entry.leaf for entry in entries])
    checkpoint = Checkpoint(1, len(entries), tree.root, election.manifest.opens)
    size = len(entries[1].octets)

    def check(data: bytes) -> object:
        path = tuple(data[at : at + HASH] for at in range(size, len(data), HASH))
        found = Receipt(1, checkpoint, path)
        ballot = verify_receipt(election, digest, found, parse_entry(data[:size]))
        return ballot.octets

    return Handed(entries[1].octets + b"".join(tree.inclusion_path(1)), check)


def of_trustees(trustees: Trustees) -> dict[str, Handed]:
    result = trustees.ceremony.finish()
    election, key = result.election, signing_key("trustee 1")
    ballots = [submit(election, voter(number), CHOICES) for number in range(VOTERS)]
    total = aggregate(election, ballots)
    share = decryption_share_body(total, trustees.share(result, 1), decrypted_before=None)
    nonce = tie_nonce_body(election, trustees.own[1])
    commits, reveal = trustees.ceremony.payloads[:2], trustees.ceremony.payloads[2]

    def revealed(statement: Statement) -> object:
        ceremony = Ceremony(trustees.manifest)
        for payload in commits:
            ceremony.add(payload)
        ceremony.end_round()
        ceremony.add(statement.octets)
        ceremony.end_round()
        if 1 in ceremony.out:
            raise CeremonySignatureInvalid("its author is out by it")
        return statement.body

    return {
        "ceremony message": signed(parse_statement(reveal), key, revealed),
        "decryption share": signed(
            sign_statement(key, share),
            key,
            lambda item: verify_share(item, 1, total, result.verification_keys).values,
        ),
        "nonce": signed(
            sign_statement(key, nonce), key, lambda item: verify_tie_nonce(item, 1, result)
        ),
    }


def of_others(election: Election) -> dict[str, Handed]:
    officer = signing_key("officer")
    batch = sign_statement(officer, Batch(1, 1, "paper", "citizen", 9, (1, 2)).body(election))
    prepared = prepare_ballot(election, voter(2), CHOICES, sequence=1)
    code = prepared.tracking_code

    def opened(data: bytes) -> object:
        opening = parse_opening(data, election)
        check_opening(election, opening, code)
        return opening

    return {
        "batch": signed(batch, officer, lambda item: verify_batch(item, election)),
        "opening": Handed(prepared.challenge().octets(election), opened),
    }


def of_a_folder(path: Path) -> dict[str, Handed]:
    folder = new_folder(path)
    folder.put_once("value", b"what only the trustee knows")

    def with_file(name: str) -> Callable[[bytes], object]:
        file = path / name

        def check(data: bytes) -> object:
            honest = file.read_bytes()
            try:
                file.write_bytes(data)
                found = KeyFolder.open(path, PASSPHRASE, floor=CHEAP)
                return found.public, found.encryption_secret, found.get("value")
            finally:
                file.write_bytes(honest)

        return check

    names = {"key folder": HEADER_FILE, "sealed value": "value.sealed"}
    return {
        kind: Handed((path / name).read_bytes(), with_file(name)) for kind, name in names.items()
    }


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Handed]:
    """One good object of every kind, of an election with two projects and no limit."""
    trustees = Trustees(
        manifest(
            trustees=2,
            threshold=2,
            projects=[project("p1", 5), project("p2", 7)],
            ballot={"kind": "approval", "limits": []},
        )
    )
    trustees.run()
    election = trustees.ceremony.finish().election
    return {
        **of_the_board(election),
        **of_trustees(trustees),
        **of_others(election),
        **of_a_folder(tmp_path_factory.mktemp("trustee") / "keys"),
    }


def changed_bytes(octets: bytes) -> Iterator[tuple[str, bytes]]:
    for at in range(0, len(octets), STRIDE):
        for mask in (1, 0x80):
            flipped = octets[:at] + bytes([octets[at] ^ mask]) + octets[at + 1 :]
            yield f"byte {at} xor {mask}", flipped
        yield f"cut off at {at}", octets[:at]
    yield "a byte more", octets + b"\x00"
    yield "a line more", octets + b"\n"
    yield "twice", octets + octets


def changed_members(handed: Handed) -> Iterator[tuple[str, bytes]]:
    """Members that are missing or others; of another form also where the rightful key signs."""
    value: dict[str, Any] = json.loads(handed.octets)
    body = value.get("body", value)
    for name in body:
        rest = {key: item for key, item in body.items() if key != name}
        formless = [rest, {**rest, name: None}, {**rest, name: [body[name]]}]
        others = [{**rest, name: other} for other in ("", -1, 2**53 - 1, True, f"{body[name]}0")]
        for changed in (*formless, *others, {**body, "more": 1}):
            label = f"{name} as {changed.get(name)!r}"
            is_whole = body is value
            yield label, jcs.canonicalize(changed if is_whole else {**value, "body": changed})
        if handed.key is not None and name != "kind":
            for changed in formless:
                yield f"{name}, signed", sign_statement(handed.key, changed).octets


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_was_changed_says_something_else(
    objects: dict[str, Handed], kind: str
) -> None:
    handed = objects[kind]
    honest = handed.check(handed.octets)
    assert honest is not None
    mutants = list(changed_bytes(handed.octets))
    if handed.octets.startswith(b"{"):
        mutants += [each for each in changed_members(handed) if each[1] != handed.octets]
    for label, octets in mutants:
        try:
            said = handed.check(octets)
        except SeoulWalletError:
            continue
        assert said == honest, f"{kind}: {label}"
        # Its public keys are for people; they are not what the folder opens to.
        assert kind == "key folder", label
    assert len(mutants) > 3 * (len(handed.octets) // STRIDE)


def test_a_statement_of_another_key_is_nobodys(objects: dict[str, Handed]) -> None:
    tried = 0
    for handed in objects.values():
        if handed.key is None:
            continue
        body = parse_statement(handed.octets).body
        forged = sign_statement(signing_key("somebody else"), body).octets
        with pytest.raises(SeoulWalletError):
            handed.check(forged)
        tried += 1
    assert tried == 7


def test_no_kind_stands_for_another(objects: dict[str, Handed]) -> None:
    assert set(objects) == set(KINDS)
    for kind, handed in objects.items():
        for other, foreign in objects.items():
            if kind != other:
                with pytest.raises(SeoulWalletError):
                    handed.check(foreign.octets)
