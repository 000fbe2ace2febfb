"""The known answers that docs/voting.md names: the verifier and the maker of records agree."""

import json
from pathlib import Path
from typing import Any

import pytest

from mvote_verify import curve
from mvote_verify.ballots import BallotPayload, tracking_code
from mvote_verify.encodings import canonical_json, digest, frame, hash_scalar, i4
from mvote_verify.layout import cover
from mvote_verify.manifest import parse_manifest
from mvote_verify.suite import open_body, proofs_hold
from tests.support.mvote.bodies import Sheet, make_body

VECTORS = Path(__file__).parents[1] / "vectors" / "voting" / "known_answers.json"
PARTS = ("ciphertexts", "bit_commitments", "rule_commitments", "answers")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return known


def _ballot(known: dict[str, Any]) -> BallotPayload:
    return BallotPayload(
        bytes.fromhex(known["nullifier"]),
        known["sequence"],
        known["stratum"],
        known["district"],
        0,
        b"".join(bytes.fromhex(known[part]) for part in PARTS),
        b"",
    )


def test_hashes_of_the_manifest_and_the_election(known: dict[str, Any]) -> None:
    manifest = parse_manifest(canonical_json(known["manifest"]))
    assert manifest.hash.hex() == known["h_M"]
    key = bytes.fromhex(known["K"])
    ceremony = digest("ceremony", manifest.hash, *known["ceremony_payloads"], key)
    election = digest("election", manifest.hash, ceremony)
    assert election.hex() == known["h_E"]
    assert digest("nullifier", election).hex() == known["nullifier_context_id"]


def test_frames_and_covers(known: dict[str, Any]) -> None:
    assert frame("example", b"", b"abc").hex() == known["frame"]
    assert digest("example", b"", b"abc").hex() == known["D"]
    assert f"{hash_scalar('example', b'', b'abc'):064x}" == known["S"]
    assert i4(258).hex() == known["I4"]
    for bound, weights in known["cover"].items():
        assert cover(int(bound)) == weights


def test_the_layout_of_the_rules(known: dict[str, Any]) -> None:
    layout = parse_manifest(canonical_json(known["manifest"])).layout
    assert layout.bits == known["bits"]
    assert [
        {"weights": [list(term) for term in rule.terms], "total": rule.maximum}
        for rule in layout.rules
    ] == known["rules"]


def test_the_ballot_holds_and_its_digests_follow(known: dict[str, Any]) -> None:
    layout = parse_manifest(canonical_json(known["manifest"])).layout
    ballot, election = _ballot(known), bytes.fromhex(known["h_E"])
    context = ballot.context(election)
    assert context.hex() == known["ctx"]
    bd = digest("ballot", context, ballot.body)
    assert (bd.hex(), tracking_code(bd)) == (known["bd"], known["tracking_code"])
    assert digest("bind", election, bd, i4(ballot.sequence)).hex() == known["ph"]
    key = bytes.fromhex(known["K"])
    opened = open_body(ballot.body, context, key, layout)
    assert proofs_hold([opened], curve.decode(key), layout)


def test_the_ballot_does_not_hold_in_another_context(known: dict[str, Any]) -> None:
    layout = parse_manifest(canonical_json(known["manifest"])).layout
    key = bytes.fromhex(known["K"])
    opened = open_body(_ballot(known).body, bytes(32), key, layout)
    assert not proofs_hold([opened], curve.decode(key), layout)


def test_the_maker_of_records_makes_the_same_ballot(known: dict[str, Any]) -> None:
    sheet = Sheet.of(known["manifest"])
    bits = sheet.fill(dict(enumerate(known["choices"])))
    assert bits == known["bit_vector"]
    context, seed = bytes.fromhex(known["ctx"]), bytes.fromhex(known["seed"])
    body = make_body(sheet, bytes.fromhex(known["K"]), context, bits, seed)
    assert body == _ballot(known).body
