"""Signed statements: what trustees, the board and batch officers put their name to.

docs/voting.md, section 2. A statement is canonical JSON with the members `body` and `signature`;
the signature (ECDSA on secp256k1, low s) is over the canonical body behind its kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from wallet.crypto.keys import SECP256K1_ORDER, SignatureInvalid, secp256k1_public_key
from wallet.crypto.secp256k1 import Point, encode_point
from wallet.crypto.transcript import frame
from wallet.encoding import jcs
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError
from wallet.voting.shapes import Shape

SIGNATURE_BYTES: Final = 64


class StatementMalformed(MalformedError):
    """Not a signed statement of the voting protocol, or a member of its body has another form."""

    code = "statement_malformed"


class StatementSignatureInvalid(RejectedError):
    """The statement is not signed by the key that must have signed it."""

    code = "statement_signature"


STATEMENT_SHAPE: Final = Shape(StatementMalformed)


class StatementKey(Protocol):
    """A signing key of the algorithm ES256K, software or not."""

    @property
    def algorithm(self) -> str:
        """`ES256K`."""

    def sign(self, data: bytes) -> bytes:
        """Return r || s with low s over SHA-256 of `data`."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read; nothing is believed before `verify_statement`."""

    kind: str
    body: JsonObject
    signature: bytes

    @property
    def octets(self) -> bytes:
        """The canonical JSON."""
        return jcs.canonicalize(self.to_json())

    def to_json(self) -> JsonObject:
        """The same as an object."""
        return {"body": self.body, "signature": self.signature.hex()}


def sign_statement(key: StatementKey, body: JsonObject) -> Statement:
    """Sign a body, which has a member `kind`. Raises `StatementMalformed` for other keys."""
    if key.algorithm != "ES256K":
        raise StatementMalformed("statements of the voting protocol are signed with ES256K")
    kind = STATEMENT_SHAPE.identifier(body.get("kind"))
    return Statement(kind, body, key.sign(_message(kind, body)))


def parse_statement(data: bytes) -> Statement:
    """Return the statement in canonical JSON. Raises `StatementMalformed`."""
    return statement_of(STATEMENT_SHAPE.canonical(data))


def statement_of(value: object) -> Statement:
    """Return the statement of a JSON value. Raises `StatementMalformed`."""
    members = STATEMENT_SHAPE.members(value, "body", "signature")
    body = members["body"]
    if type(body) is not dict:
        raise StatementMalformed("the body of a statement is an object")
    kind = STATEMENT_SHAPE.identifier(body.get("kind"))
    return Statement(kind, body, STATEMENT_SHAPE.octets(members["signature"], SIGNATURE_BYTES))


def verify_statement(statement: Statement, kind: str, key: Point) -> JsonObject:
    """Return the body if the statement is of this kind and signed by this key.

    Raises `StatementSignatureInvalid`. Members of the body other than `kind` are not checked.
    """
    s = int.from_bytes(statement.signature[SIGNATURE_BYTES // 2 :], "big")
    if statement.kind != kind or s > SECP256K1_ORDER // 2:
        raise StatementSignatureInvalid(f"this is no signed statement of the kind {kind}")
    try:
        secp256k1_public_key(encode_point(key)).verify(
            statement.signature, _message(kind, statement.body)
        )
    except SignatureInvalid as error:
        raise StatementSignatureInvalid(f"the {kind} is not signed by its author") from error
    return statement.body


def _message(kind: str, body: JsonObject) -> bytes:
    try:
        return frame(f"sign/{kind}", jcs.canonicalize(body))
    except jcs.NotCanonicalizable as error:
        raise StatementMalformed("the body has no canonical form") from error
