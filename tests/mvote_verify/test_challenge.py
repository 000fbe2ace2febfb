"""A ballot that a wallet opened, made again by a program that shares nothing with the wallet."""

import json
from pathlib import Path
from typing import Any

import pytest

from mvote_verify import curve
from mvote_verify.challenge import fill_bits, make_body
from mvote_verify.cli import FAILED, SUCCESS, UNREADABLE, main
from mvote_verify.encodings import canonical_json
from mvote_verify.failures import Malformed
from mvote_verify.manifest import parse_manifest
from tests.mvote_verify.test_known_answers import VECTORS
from tests.support.voting import Trustees, manifest, manifest_json, signing_key, voter
from wallet.voting.board import Entry, log_octets
from wallet.voting.casting import prepare_ballot
from wallet.voting.layout import fill_slack
from wallet.voting.manifest import manifest_of
from wallet.voting.statements import parse_statement, sign_statement

CHOICES = (1, 0, 1, 0, 0, 0)


@pytest.fixture(scope="module")
def trustees() -> Trustees:
    made = Trustees(manifest(trustees=2, threshold=2))
    made.run()
    return made


@pytest.fixture
def folder(tmp_path: Path, trustees: Trustees) -> Path:
    """The beginning of a board, as anybody downloads it before the close."""
    result = trustees.ceremony.finish()
    entries = [Entry(0, "manifest", trustees.manifest.octets)]
    for payload in trustees.ceremony.payloads:
        entries.append(Entry(len(entries), parse_statement(payload).kind, payload))
    key = sign_statement(signing_key("board"), result.entry_body)
    entries.append(Entry(len(entries), "election_key", key.octets))
    entries.append(Entry(len(entries), "ballot", b"not looked at"))
    (tmp_path / "manifest.json").write_bytes(trustees.manifest.octets)
    (tmp_path / "log.bin").write_bytes(log_octets(entries))
    return tmp_path


def opened(folder: Path, trustees: Trustees, choices: tuple[int, ...] = CHOICES) -> str:
    """A wallet opens a ballot into the folder; returns the code that it had shown before."""
    election = trustees.ceremony.finish().election
    prepared = prepare_ballot(election, voter(1), choices, sequence=1)
    code = prepared.tracking_code
    (folder / "challenge.json").write_bytes(prepared.challenge().octets(election))
    return code


def run(folder: Path, code: str, *arguments: str) -> int:
    challenge = str(folder / "challenge.json")
    return main([str(folder), "--challenge", challenge, "--ballot", code, *arguments])


def test_an_honest_wallet_shows_what_the_voter_chose(
    folder: Path, trustees: Trustees, capsys: pytest.CaptureFixture[str]
) -> None:
    code = opened(folder, trustees)
    assert run(folder, code.lower(), "--json") == SUCCESS
    said = json.loads(capsys.readouterr().out)
    assert said["code"] == code
    assert [name for name, value in said["choices"].items() if value] == ["p1", "p3"]
    assert run(folder, code) == SUCCESS
    korean = capsys.readouterr().out
    assert "project p1" in korean
    assert "project p2" not in korean
    assert "당신이 고른 것과 같은지" in korean


def test_a_device_that_had_encrypted_something_else_is_caught(
    folder: Path, trustees: Trustees, capsys: pytest.CaptureFixture[str]
) -> None:
    code = opened(folder, trustees, (0, 1, 0, 0, 0, 0))
    value = json.loads((folder / "challenge.json").read_bytes())
    lies: list[dict[str, Any]] = [
        {**value, "choices": list(CHOICES)},
        {**value, "seed": "00" * 32},
        {**value, "sequence": 2},
        {**value, "stratum": "committee"},
    ]
    for lie in lies:
        (folder / "challenge.json").write_bytes(canonical_json(lie))
        assert run(folder, code, "--lang", "en") == FAILED
        assert "challenge_differs" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        {"choices": [1] * 6},
        {"choices": [2, 0, 0, 0, 0, 0]},
        {"choices": [1, 0]},
        {"election": "00" * 32},
        {"seed": ""},
        {"kind": "ballot"},
        {"more": 1},
    ],
)
def test_what_no_wallet_opens_is_malformed(
    folder: Path,
    trustees: Trustees,
    change: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = opened(folder, trustees)
    value = json.loads((folder / "challenge.json").read_bytes())
    (folder / "challenge.json").write_bytes(canonical_json({**value, **change}))
    assert run(folder, code, "--json") == FAILED
    assert json.loads(capsys.readouterr().out)["code"] == "challenge_malformed"


def test_a_board_with_another_manifest_or_no_key_is_named(
    folder: Path, trustees: Trustees, capsys: pytest.CaptureFixture[str]
) -> None:
    code = opened(folder, trustees)
    whole = (folder / "log.bin").read_bytes()
    (folder / "log.bin").write_bytes(whole[: whole.index(b"election_key") - 20])
    assert run(folder, code, "--json") == FAILED
    assert json.loads(capsys.readouterr().out)["code"] in ("log_malformed", "log_order")
    (folder / "log.bin").write_bytes(whole)
    (folder / "manifest.json").write_bytes(manifest(budget=1001).octets)
    assert run(folder, code, "--json") == FAILED
    assert json.loads(capsys.readouterr().out)["code"] == "manifest_differs"
    (folder / "log.bin").unlink()
    assert run(folder, code) == UNREADABLE


def test_a_code_is_needed(folder: Path) -> None:
    with pytest.raises(SystemExit):
        main([str(folder), "--challenge", str(folder / "challenge.json")])


def test_the_body_is_the_known_answer() -> None:
    known = json.loads(VECTORS.read_text("utf-8"))
    rules = parse_manifest(canonical_json(known["manifest"]))
    bits = fill_bits(rules, known["choices"])
    assert bits == known["bit_vector"]
    body = make_body(
        rules.layout,
        curve.decode(bytes.fromhex(known["K"])),
        bytes.fromhex(known["ctx"]),
        bits,
        bytes.fromhex(known["seed"]),
    )
    parts = ("ciphertexts", "bit_commitments", "rule_commitments", "answers")
    assert body == b"".join(bytes.fromhex(known[part]) for part in parts)


@pytest.mark.parametrize(
    ("ballot", "choices"),
    [
        (
            {
                "kind": "points",
                "per_project": 5,
                "limits": [{"limit": "count", "min": 2, "max": 9}],
            },
            (5, 0, 3, 1, 0, 0),
        ),
        ({"kind": "ranking", "scores": [3, 2, 1], "limits": []}, (2, 0, 1, 0, 3, 0)),
        ({"kind": "approval", "limits": [{"limit": "cost", "max": 900}]}, (1, 0, 1, 0, 1, 0)),
    ],
)
def test_every_kind_of_ballot_has_the_bits_of_the_wallet(
    ballot: dict[str, Any], choices: tuple[int, ...]
) -> None:
    rules = manifest_of(manifest_json(ballot=ballot))
    mine = fill_bits(parse_manifest(rules.octets), choices)
    assert tuple(mine) == fill_slack(rules.layout, rules.ballot.vote_bits(choices))
    assert sum(mine) > 0
    with pytest.raises(Malformed):
        fill_bits(parse_manifest(rules.octets), (9,) * 6)
