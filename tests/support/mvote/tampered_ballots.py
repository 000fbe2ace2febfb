"""Tampered ballots and eligibility proofs."""

from collections.abc import Callable
from typing import Any

import cbor2

from tests.support.mvote.elections import Election
from tests.support.mvote.primitives import G, add
from tests.support.mvote.records import Files, publish
from tests.support.mvote.residents import Issuer
from tests.support.mvote.tampering import Tamper, extra, index_of, replaced, tampered


def _with_payload(edit: Callable[[dict[int, Any]], None]) -> Tamper:
    """The first ballot changed in its CBOR."""

    def tamper(election: Election, files: Files) -> Files:
        entries = election.entries()
        at = index_of(entries, "ballot")
        members = cbor2.loads(entries[at][1])
        edit(members)
        changed = replaced(entries, at, cbor2.dumps(members, canonical=True))
        return publish(election, entries=changed)

    return tamper


def _cut(members: dict[int, Any]) -> None:
    members[6] = members[6][:-1]


def _flip(members: dict[int, Any]) -> None:
    members[6] = members[6][:-1] + bytes([members[6][-1] ^ 1])


def _no_point(members: dict[int, Any]) -> None:
    members[6] = members[6][:99] + bytes(33) + members[6][132:]


def _flip_eligibility(members: dict[int, Any]) -> None:
    members[7] = members[7][:-1] + bytes([members[7][-1] ^ 1])


def _raise_first(members: dict[int, Any]) -> None:
    """The ciphertext of the first bit raised by one, after the proof was made."""
    body = members[6]
    members[6] = body[:33] + add(body[33:66], G) + body[66:]


tampered("a ballot body that is a byte short", {7: "ballot_malformed"})(_with_payload(_cut))
tampered("a sequence of zero", {7: "ballot_malformed"})(
    _with_payload(lambda members: members.update({2: 0}))
)
tampered("a stratum that the manifest has not", {7: "ballot_not_eligible"})(
    _with_payload(lambda members: members.update({3: "survey"}))
)
tampered("a district of another city", {7: "ballot_not_eligible"})(
    _with_payload(lambda members: members.update({4: "26110"}))
)
tampered("an issuer that there is not", {7: "ballot_not_eligible"})(
    _with_payload(lambda members: members.update({5: 1}))
)
# The first ballot is superseded, so the close does not name it.
tampered(
    "a vote of two for one project", {9: "ballot_proof_invalid", 10: "eligibility_proof_invalid"}
)(_with_payload(_raise_first))
tampered("a bit flipped in a proof", {9: "ballot_proof_invalid", 10: "eligibility_proof_invalid"})(
    _with_payload(_flip)
)
tampered("a point that is none", {9: "ballot_proof_invalid", 10: "eligibility_proof_invalid"})(
    _with_payload(_no_point)
)
tampered("a bit flipped in an eligibility proof", {10: "eligibility_proof_invalid"})(
    _with_payload(_flip_eligibility)
)
tampered(
    "a ballot moved to another stratum",
    {9: "ballot_proof_invalid", 10: "eligibility_proof_invalid"},
)(_with_payload(lambda members: members.update({3: "school"})))
tampered(
    "a ballot with another sequence",
    {8: "ballot_sequence", 9: "ballot_proof_invalid", 10: "eligibility_proof_invalid"},
)(_with_payload(lambda members: members.update({2: 3})))


@tampered(
    "a copied ballot under another nullifier", {8: "ballot_replayed", 9: "ballot_proof_invalid"}
)
def _(election: Election, files: Files) -> Files:
    body = cbor2.loads(election.ballots[3].payload)[6]
    return extra(election, files, election.cast(election.new_voter("citizen"), {}, body=body))


@tampered("an older ballot cast again at the end", {8: "ballot_sequence"})
def _(election: Election, files: Files) -> Files:
    return extra(election, files, election.cast(election.voters[0], {3: 1}, sequence=2))


@tampered("a sequence left out", {8: "ballot_sequence"})
def _(election: Election, files: Files) -> Files:
    return extra(election, files, election.cast(election.voters[0], {3: 1}, sequence=4))


@tampered("more ballots than people", {8: "more_ballots_than_people"})
def _(election: Election, files: Files) -> Files:
    return extra(election, files, election.cast(election.new_voter("committee"), {3: 1}))


@tampered("a proof whose challenge leaves out the context", {9: "ballot_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    voter = election.new_voter("citizen")
    return extra(election, files, election.cast(voter, {3: 1}, weak=True))


@tampered("four approvals where three are the most", {9: "ballot_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    bits = [1, 0, 1, 0, 1, 1] + [0] * (election.sheet.bits - 6)
    return extra(election, files, election.cast(election.new_voter("citizen"), {}, bits=bits))


@tampered("a wrong slack bit", {9: "ballot_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    bits = election.sheet.fill({3: 1})
    bits[-1] ^= 1
    return extra(election, files, election.cast(election.new_voter("citizen"), {}, bits=bits))


@tampered(
    "a ballot for another election",
    {9: "ballot_proof_invalid", 10: "eligibility_proof_invalid", 12: "close_differs"},
)
def _(election: Election, files: Files) -> Files:
    voter = election.new_voter("citizen")
    return extra(election, files, election.cast(voter, {3: 1}, election=b"\x11" * 32))


@tampered("somebody else's nullifier", {10: "eligibility_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    other = election.voters[9].resident.nullifier(election.hash)
    voter = election.new_voter("citizen")
    return extra(election, files, election.cast(voter, {3: 1}, sequence=2, nullifier=other))


@tampered("a credential of another issuer", {10: "eligibility_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    voter = election.new_voter("citizen", issuer=Issuer(12345))
    return extra(election, files, election.cast(voter, {3: 1}))


@tampered("a credential of another epoch", {10: "eligibility_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    return extra(
        election, files, election.cast(election.new_voter("citizen", epoch="2025-2"), {3: 1})
    )


@tampered("a child's credential", {10: "eligibility_proof_invalid"})
def _(election: Election, files: Files) -> Files:
    return extra(
        election, files, election.cast(election.new_voter("citizen", of_age=False), {3: 1})
    )
