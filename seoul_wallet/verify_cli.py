"""`seoul-wallet verify --jsonl`: judge presentations line by line, for conformance runs.

A line in, a line out, in order, whatever the input. Nothing is fetched: the issuer is a JWK or a
DID that carries its own key. Only the proof is judged; accreditation and status are not asked for.
"""

from __future__ import annotations

import sys
from typing import Any, BinaryIO, Final

import click

from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.keys import parse_jwk
from wallet.did.resolve import resolve_self_contained
from wallet.did.syntax import UnsupportedDidMethod, parse_did
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import MalformedError, SeoulWalletError, UnavailableError, UnsupportedError
from wallet.verification.evidence import Evidence, Fact, FactMissing
from wallet.verification.issuer_key import IssuerKeys
from wallet.verification.pipeline import VerifiedProof, verify_proof
from wallet.verification.policy import VerificationPolicy

MAX_LINE_BYTES: Final = 1024 * 1024
MAX_TIME: Final = 253402300799
_MEMBERS: Final = frozenset(
    (
        "id", "presentation", "issuer_jwk", "issuer_did", "audience", "nonce", "now",
        "require_key_binding", "vct",
    )
)  # fmt: skip


class VerifyLineMalformed(MalformedError):
    """A line of `verify --jsonl` is not an object with the members that a check needs."""

    code = "verify_line_malformed"


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help="One JSON object a line, in and out.")
def verify(jsonl: bool) -> None:
    """Judge presentations from standard input.

    A line: {"id", "presentation", "issuer_jwk" or "issuer_did", "audience", "nonce", "now",
    "require_key_binding", "vct"?}. The answer: {"id", "verdict", "code", "claims"?}.
    """
    judge_lines(sys.stdin.buffer, sys.stdout.buffer)


def judge_lines(source: BinaryIO, target: BinaryIO) -> None:
    """Answer each line of `source` on `target`, flushed; memory is bounded by one line."""
    while line := source.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            _skip_rest(source, line)
            answer = _answer(None, VerifyLineMalformed(f"longer than {MAX_LINE_BYTES} bytes"))
        else:
            answer = judge_line(line)
        target.write(to_json(answer) + b"\n")
        target.flush()


def _skip_rest(source: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = source.readline(MAX_LINE_BYTES)


def judge_line(line: bytes) -> JsonObject:
    """Return the answer to one line: `id`, `verdict`, `code` and, when accepted, `claims`."""
    name: str | int | None = None
    try:
        request = parse_json_object(line.rstrip(b"\r\n"), max_bytes=MAX_LINE_BYTES)
        name = _id(request)
        if not request.keys() <= _MEMBERS:
            raise VerifyLineMalformed("the line has unknown members")
        proof = _judge(request)
    except SeoulWalletError as error:
        return _answer(name, error)
    return {"id": name, "verdict": "accepted", "code": None, "claims": proof.claims}


def _answer(name: str | int | None, error: SeoulWalletError) -> JsonObject:
    verdict = "rejected"
    if isinstance(error, MalformedError):
        verdict = "malformed"
    elif isinstance(error, UnsupportedError):
        verdict = "unsupported"
    elif isinstance(error, UnavailableError):
        verdict = "unavailable"
    return {"id": name, "verdict": verdict, "code": error.code}


def _id(request: JsonObject) -> str | int | None:
    name = request.get("id")
    if name is not None and type(name) not in (str, int):
        raise VerifyLineMalformed("id is a string or a whole number")
    return name


def _judge(request: JsonObject) -> VerifiedProof:
    presentation = _text(request, "presentation")
    now = request.get("now")
    if type(now) is not int or not 0 <= now <= MAX_TIME:
        raise VerifyLineMalformed("now is unix seconds")
    binding = request.get("require_key_binding", True)
    if type(binding) is not bool:
        raise VerifyLineMalformed("require_key_binding is true or false")
    policy = VerificationPolicy(
        accepted_types=frozenset((_type(request, presentation),)),
        audience=_text(request, "audience") if binding else None,
        nonce=_text(request, "nonce") if binding else None,
        trust=None,
    )
    evidence = Evidence(Fact(_issuer(request), now))
    return verify_proof(presentation, evidence, policy, now=now)


def _text(request: JsonObject, name: str) -> str:
    value = request.get(name)
    if type(value) is not str or not value:
        raise VerifyLineMalformed(f"{name} is a string")
    return value


def _type(request: JsonObject, presentation: str) -> str:
    if request.get("vct") is not None:
        return _text(request, "vct")
    # Without an expectation any type will do, but one there must be.
    vct: Any = parse_presented_sd_jwt(presentation).jws.peek_claims().get("vct")
    return vct if type(vct) is str else ""


def _issuer(request: JsonObject) -> IssuerKeys:
    jwk, did = request.get("issuer_jwk"), request.get("issuer_did")
    if (jwk is None) == (did is None):
        raise VerifyLineMalformed("expected issuer_jwk or issuer_did")
    if jwk is not None:
        return parse_jwk(jwk)
    try:
        return resolve_self_contained(parse_did(did))
    except UnsupportedDidMethod as error:
        raise FactMissing("this command resolves no DID over the network") from error
