"""The replica of the anchor contracts as one signed file, for verifiers without a chain.

A file is one line, a compact JWS (RFC 7515, ES256) of the operator over claims that hold the
SHA-256 of the rest, then the rest: the facts as canonical JSON (RFC 8785). Bytes are base64url,
numbers that may exceed 2^53 are decimal text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from wallet.credentials.jose import (
    MAX_JWS_BYTES,
    claim_string,
    claim_time,
    parse_compact_jws,
    sign_jws,
    verify_jws,
)
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.did.did_ethr import ChangeKind, DidChange
from wallet.encoding import base64url
from wallet.encoding.jcs import canonicalize
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import ConflictError, MalformedError, RejectedError
from wallet.trust.boards import BoardFact, CheckpointFact, SealFact
from wallet.trust.directory import DirectoryEntry
from wallet.trust.events import LedgerFact
from wallet.trust.facts import (
    AccreditorScope,
    Assurance,
    BatchFact,
    BlockRef,
    IssuerScope,
    StatusFact,
    SuspensionFact,
)
from wallet.trust.verifiers import VerifierScope

BUNDLE_TYPE: Final = "seoul-wallet-replica+jwt"
ALGORITHM: Final = "ES256"
MAX_BUNDLE_BYTES: Final = 256 * 1024 * 1024
MAX_FACTS: Final = 1_000_000
# What a bundle holds, by the name of its member.
KINDS: Final[Mapping[str, type]] = {
    "accreditor_scopes": AccreditorScope,
    "issuer_scopes": IssuerScope,
    "suspensions": SuspensionFact,
    "batches": BatchFact,
    "statuses": StatusFact,
    "verifier_scopes": VerifierScope,
    "boards": BoardFact,
    "checkpoints": CheckpointFact,
    "seals": SealFact,
    "directory": DirectoryEntry,
    "did_changes": DidChange,
}
_STATE_MEMBERS: Final = frozenset(("identity", "head", "observed_at", "log_heads", "assurance"))
_JSON_INTEGER_LIMIT: Final = 2**53
_INTEGER_LIMIT: Final = 2**64
_MAX_TEXT: Final = 256
_MAX_VALUE_TEXT: Final = 16 * 1024


class BundleMalformed(MalformedError):
    """Not a replica bundle."""

    code = "bundle_malformed"


class BundleInvalid(RejectedError):
    """The bundle is not what the operator signed, or another operator signed it."""

    code = "bundle_invalid"


class BundleOlder(ConflictError):
    """The replica already holds newer facts than the bundle; an older one never replaces them."""

    code = "bundle_older"


@dataclass(frozen=True, slots=True)
class ReplicaSnapshot:
    """Everything that a replica holds.

    `observed_at` is when its head was read, unix seconds; `log_heads` the contracts' log heads
    there, by address.
    """

    identity: str
    head: BlockRef
    observed_at: int
    log_heads: Mapping[str, bytes]
    assurance: Assurance
    facts: Mapping[str, Sequence[LedgerFact]]


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """A snapshot that the pinned operator signed at `issued_at`, unix seconds."""

    snapshot: ReplicaSnapshot
    issued_at: int


def issue_replica_bundle(snapshot: ReplicaSnapshot, key: SigningKey, now: int) -> bytes:
    """Return the bundle of a snapshot, signed by an operator's ES256 key."""
    body = canonicalize(_to_json(snapshot))
    claims = {"iat": now, "sub": snapshot.identity, "sha256": base64url.encode(sha256(body))}
    return sign_jws(key, {"typ": BUNDLE_TYPE}, claims).encode("ascii") + b"\n" + body


def verify_replica_bundle(data: bytes, operator: PublicKey) -> VerifiedBundle:
    """Return the snapshot in a bundle that `operator` signed.

    Does not look at its age: the facts carry their own time. Raises `BundleMalformed`,
    `BundleInvalid`, `JwsMalformed`, `UnsupportedAlgorithm`, `Base64urlMalformed`,
    `JsonMalformed`, `SignatureInvalid`.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise BundleMalformed(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes")
    line, separator, body = data.partition(b"\n")
    if not separator or len(line) > MAX_JWS_BYTES:
        raise BundleMalformed("a bundle is a line with a signature, then its facts")
    jws = parse_compact_jws(line, typ=BUNDLE_TYPE)
    if jws.header["alg"] != ALGORITHM:
        raise BundleInvalid("a bundle is signed with ES256")
    verify_jws(jws, operator)
    claims = jws.peek_claims()
    if base64url.decode(claim_string(claims, "sha256")) != sha256(body):
        raise BundleInvalid("the facts are not those that the operator signed")
    snapshot = _from_json(parse_json_object(body, max_bytes=MAX_BUNDLE_BYTES))
    if claims.get("sub") != snapshot.identity:
        raise BundleInvalid("the signature is for the replica of another deployment")
    issued_at = claim_time(claims, "iat", required=True)
    return VerifiedBundle(snapshot, issued_at or 0)


def _to_json(snapshot: ReplicaSnapshot) -> JsonObject:
    head, assurance = snapshot.head, snapshot.assurance
    return {
        "identity": snapshot.identity,
        "head": {"number": head.number, "hash": base64url.encode(head.hash), "time": head.time},
        "observed_at": snapshot.observed_at,
        "log_heads": {at: base64url.encode(value) for at, value in snapshot.log_heads.items()},
        "assurance": {"endpoints": assurance.endpoints, "proven": assurance.proven},
        **{
            name: [_row(fact) for fact in sorted(snapshot.facts.get(name, ()), key=repr)]
            for name in KINDS
        },
    }


def _row(fact: LedgerFact) -> list[Any]:
    return [_cell(getattr(fact, field.name)) for field in fields(fact)]


def _cell(value: object) -> Any:
    if isinstance(value, bytes):
        return base64url.encode(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value < _JSON_INTEGER_LIMIT else str(value)
    return str(value) if isinstance(value, str) else value


def _from_json(value: JsonObject) -> ReplicaSnapshot:
    if set(value) != {*_STATE_MEMBERS, *KINDS}:
        raise BundleMalformed("a bundle has other members")
    head, assurance = _members(value["head"], 3), _members(value["assurance"], 2)
    log_heads = _members(value["log_heads"], None)
    proven = assurance.get("proven")
    if type(proven) is not bool:
        raise BundleMalformed("a bundle says whether its facts are proven")
    return ReplicaSnapshot(
        _text(value["identity"]),
        BlockRef(
            _number(head.get("number")), _octets(head.get("hash")), _number(head.get("time"))
        ),
        _number(value["observed_at"]),
        {_text(at): _octets(log_head) for at, log_head in log_heads.items()},
        Assurance(_number(assurance.get("endpoints")), proven),
        {name: _facts(kind, value[name]) for name, kind in KINDS.items()},
    )


def _members(value: object, count: int | None) -> JsonObject:
    if not isinstance(value, dict) or count not in (None, len(value)):
        raise BundleMalformed("a member of the bundle has another form")
    return value


def _facts(kind: type, rows: object) -> Sequence[LedgerFact]:
    if not isinstance(rows, list) or len(rows) > MAX_FACTS:
        raise BundleMalformed(f"a bundle has a list of at most {MAX_FACTS} facts of each kind")
    readers = [_READERS[str(field.type)] for field in fields(kind)]
    result = []
    for row in rows:
        if not isinstance(row, list) or len(row) != len(readers):
            raise BundleMalformed("a fact of the bundle has another number of members")
        result.append(kind(*(read(cell) for read, cell in zip(readers, row, strict=True))))
    return result


def _number(value: object) -> int:
    if type(value) is int and 0 <= value < _JSON_INTEGER_LIMIT:
        return value
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 20:
        number = int(value)
        if _JSON_INTEGER_LIMIT <= number < _INTEGER_LIMIT:
            return number
    raise BundleMalformed("expected a number of at most 64 bits")


def _optional_number(value: object) -> int | None:
    return None if value is None else _number(value)


def _text(value: object, limit: int = _MAX_TEXT) -> str:
    if type(value) is not str or len(value) > limit:
        raise BundleMalformed(f"expected text of at most {limit} characters")
    return value


def _octets(value: object) -> bytes:
    decoded = base64url.decode(_text(value))
    if len(decoded) != 32:
        raise BundleMalformed("expected 32 bytes")
    return decoded


def _value(value: object) -> bytes:
    return base64url.decode(_text(value, _MAX_VALUE_TEXT))


def _kind(value: object) -> ChangeKind:
    try:
        return ChangeKind(_text(value))
    except ValueError:
        raise BundleMalformed("expected the kind of a change") from None


_READERS: Final[Mapping[str, Any]] = {
    "int": _number,
    "int | None": _optional_number,
    "str": _text,
    "bytes": _octets,
    "ChangeValue": _value,
    "ChangeKind": _kind,
}
