"""`seoul-wallet verify --jsonl`: one answer a line, in order, whatever the input."""

import io
import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from seoul_wallet.verify_cli import MAX_LINE_BYTES, judge_line, judge_lines, verify
from tests.support.attacks import bound, card, forge
from tests.support.credentials import AUDIENCE, NONCE, NOW, VCT, World
from wallet.credentials.sd_jwt_json import to_flattened_json
from wallet.did.did_jwk import did_jwk_from_public_key
from wallet.did.did_key import did_key_from_public_key

WORLD = World()
PRESENTATION = WORLD.present(WORLD.issue())


def request(**changes: Any) -> dict[str, Any]:
    made = {
        "id": "a",
        "presentation": PRESENTATION,
        "issuer_jwk": WORLD.issuer_key.public_key.jwk,
        "audience": AUDIENCE,
        "nonce": NONCE,
        "now": NOW,
        "require_key_binding": True,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not ...}


def judge(**changes: Any) -> tuple[str, str | None]:
    answer = judge_line(json.dumps(request(**changes)).encode())
    assert list(answer)[:3] == ["id", "verdict", "code"]
    assert ("claims" in answer) == (answer["verdict"] == "accepted")
    return answer["verdict"], answer["code"]


def lines(*items: bytes) -> list[dict[str, Any]]:
    target = io.BytesIO()
    judge_lines(io.BytesIO(b"\n".join(items) + b"\n"), target)
    return [json.loads(line) for line in target.getvalue().splitlines()]


def test_accepts_and_shows_the_claims() -> None:
    answer = judge_line(json.dumps(request(vct=VCT)).encode())
    assert (answer["id"], answer["verdict"], answer["code"]) == ("a", "accepted", None)
    assert answer["claims"]["child_count"] == 2
    assert "name" not in answer["claims"]
    assert judge(presentation=to_flattened_json(PRESENTATION).decode()) == ("accepted", None)


def did_world() -> tuple[str, str, str]:
    key = WORLD.issuer_key.public_key
    by_key, by_jwk = did_key_from_public_key(key), did_jwk_from_public_key(key)
    header = {"alg": "ES256", "typ": "dc+sd-jwt"}
    by_key_token = forge(WORLD.issuer_key, header, card(WORLD, iss=by_key))
    return by_key, by_jwk, bound(WORLD, by_key_token)


def test_an_issuer_may_be_a_did_that_carries_its_key() -> None:
    by_key, by_jwk, presentation = did_world()
    arguments: dict[str, Any] = {"issuer_jwk": ..., "presentation": presentation}
    assert judge(**arguments, issuer_did=by_key) == ("accepted", None)
    assert judge(**arguments, issuer_did=by_jwk) == ("rejected", "issuer_mismatch")


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({"nonce": "other"}, "rejected", "nonce_mismatch"),
        ({"audience": "https://other.example"}, "rejected", "audience_mismatch"),
        ({"now": NOW + 10**9}, "rejected", "credential_expired"),
        ({"vct": "urn:other"}, "rejected", "type_not_accepted"),
        (
            {"issuer_jwk": World().issuer_key.public_key.jwk},
            "rejected",
            "signature_invalid",
        ),
        (
            {"presentation": PRESENTATION.rpartition("~")[0] + "~"},
            "rejected",
            "holder_binding_missing",
        ),
        ({"presentation": "x"}, "malformed", "sd_jwt_malformed"),
        ({"presentation": 1}, "malformed", "verify_line_malformed"),
        ({"presentation": ...}, "malformed", "verify_line_malformed"),
        ({"now": "1"}, "malformed", "verify_line_malformed"),
        ({"now": True}, "malformed", "verify_line_malformed"),
        ({"now": -1}, "malformed", "verify_line_malformed"),
        ({"now": ...}, "malformed", "verify_line_malformed"),
        ({"nonce": ...}, "malformed", "verify_line_malformed"),
        ({"audience": None}, "malformed", "verify_line_malformed"),
        ({"require_key_binding": "no"}, "malformed", "verify_line_malformed"),
        ({"vct": 1}, "malformed", "verify_line_malformed"),
        ({"issuer_jwk": ...}, "malformed", "verify_line_malformed"),
        ({"issuer_did": "did:web:a.example"}, "malformed", "verify_line_malformed"),
        ({"unknown": 1}, "malformed", "verify_line_malformed"),
        ({"issuer_jwk": {}}, "unsupported", "unsupported_key"),
        ({"issuer_jwk": {"kty": "RSA"}}, "unsupported", "unsupported_key"),
        ({"issuer_jwk": "x"}, "malformed", "key_malformed"),
        (
            {"issuer_jwk": ..., "issuer_did": "did:web:a.example"},
            "unavailable",
            "fact_missing",
        ),
        ({"issuer_jwk": ..., "issuer_did": "no DID"}, "malformed", "did_malformed"),
    ],
)
def test_says_why_not(changes: dict[str, Any], verdict: str, code: str) -> None:
    assert judge(**changes) == (verdict, code)


def test_an_algorithm_that_is_not_implemented_is_unsupported() -> None:
    token = forge(WORLD.issuer_key, {"alg": "RS256", "typ": "dc+sd-jwt"}, card(WORLD))
    assert judge(presentation=bound(WORLD, token)) == ("unsupported", "unsupported_algorithm")


def test_key_binding_is_asked_for_unless_it_is_waived() -> None:
    bare = PRESENTATION.rpartition("~")[0] + "~"
    waived = {"require_key_binding": False, "audience": ..., "nonce": ...}
    assert judge(presentation=bare, **waived) == ("accepted", None)
    assert judge(presentation=bare, require_key_binding=...) == (
        "rejected",
        "holder_binding_missing",
    )


def test_answers_every_line_in_order() -> None:
    good = json.dumps(request(id=2)).encode()
    bad = [
        b"", b"x", b"{", b"[]", b"null", b"\xff\xfe", b"\x00", b'{"id":1,"id":2}', b'{"id":NaN}',
        b'{"id":[1]}', b'{"id":' + b"[" * 60_000,
    ]  # fmt: skip
    answers = lines(*bad, good)
    assert [answer["verdict"] for answer in answers] == ["malformed"] * len(bad) + ["accepted"]
    assert answers[-1]["id"] == 2
    assert lines(b'{"id":"n"}')[0] == {
        "id": "n", "verdict": "malformed", "code": "verify_line_malformed",
    }  # fmt: skip


def test_a_line_that_is_too_long_is_one_answer_and_does_not_stop_the_run() -> None:
    good = json.dumps(request()).encode()
    answers = lines(good, b"A" * 5_000_000, good, b'"' + b"\\" * (MAX_LINE_BYTES + 1), good)
    assert [answer["verdict"] for answer in answers] == [
        "accepted", "malformed", "accepted", "malformed", "accepted",
    ]  # fmt: skip
    exactly = b" " * (MAX_LINE_BYTES - len(good) - 1) + good
    assert [answer["verdict"] for answer in lines(exactly, good)] == ["accepted", "accepted"]


def test_the_last_line_needs_no_end_and_no_input_needs_no_answer() -> None:
    target = io.BytesIO()
    judge_lines(io.BytesIO(json.dumps(request()).encode()), target)
    assert target.getvalue().count(b"\n") == 1
    target = io.BytesIO()
    judge_lines(io.BytesIO(b""), target)
    assert target.getvalue() == b""


class Stream(io.RawIOBase):
    """An endless line in pieces, of which at most one is in memory; counts flushed answers."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = next(self._pieces, b"")
        buffer[: len(piece)] = piece
        return len(piece)


def test_memory_does_not_grow_with_the_input() -> None:
    pieces = (b"A" * 8192 for _ in range(8192))
    target = io.BytesIO()
    tracemalloc.start()
    try:
        judge_lines(io.BufferedReader(Stream(pieces)), target)
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_LINE_BYTES
    finally:
        tracemalloc.stop()
    assert json.loads(target.getvalue())["verdict"] == "malformed"


def test_each_answer_is_flushed_before_the_next_line_is_read() -> None:
    target = io.BytesIO()
    flushed: list[int] = []

    class Target(io.BytesIO):
        def flush(self) -> None:
            flushed.append(len(self.getvalue().splitlines()))

    good = json.dumps(request()).encode() + b"\n"
    judge_lines(io.BytesIO(good * 3), Target())
    assert flushed[:3] == [1, 2, 3]
    assert target.getvalue() == b""


@given(st.binary(max_size=300))
def test_any_bytes_get_one_answer_a_line(data: bytes) -> None:
    target = io.BytesIO()
    judge_lines(io.BytesIO(data), target)
    expected = data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    answers = target.getvalue().splitlines()
    assert len(answers) == expected
    assert all(json.loads(answer)["verdict"] != "accepted" for answer in answers)


def test_the_command_reads_standard_input() -> None:
    good = json.dumps(request()).encode() + b"\n"
    result = CliRunner().invoke(verify, ["--jsonl"], input=good + b"x\n")
    assert result.exit_code == 0
    verdicts = [json.loads(line)["verdict"] for line in result.output.splitlines()]
    assert verdicts == ["accepted", "malformed"]
    assert CliRunner().invoke(verify, [], input=b"").exit_code == 2
