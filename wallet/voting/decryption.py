"""Decryption shares with their proofs, and totals from any threshold of valid ones.

docs/voting.md, section 10. One proof covers all values of a share, joined by powers of a
challenge. Shares that are missing or wrong are named and passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wallet.crypto.elgamal import CountFinder
from wallet.crypto.secp256k1 import (
    GENERATOR,
    GROUP_ORDER,
    POINT_BYTES,
    CurvePointMalformed,
    Point,
    add,
    blinded_multiply,
    encode_point,
    multi_multiply,
    multiply,
    negate,
    parse_point,
)
from wallet.crypto.sigma import (
    SigmaProof,
    SigmaProofInvalid,
    prove_equal_logarithms,
    verify_equal_logarithms,
)
from wallet.crypto.transcript import challenge, index
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, RejectedError
from wallet.voting.aggregate import IDENTITY_OCTETS, Aggregate, encode_or_identity
from wallet.voting.board import MAX_ENTRIES
from wallet.voting.ceremony import CeremonyResult
from wallet.voting.ceremony_messages import proof_json, read_proof
from wallet.voting.statements import (
    STATEMENT_SHAPE,
    Statement,
    StatementMalformed,
    StatementSignatureInvalid,
    verify_statement,
)
from wallet.voting.trustee import TrusteeShare

KIND = "decryption_share"


class SecondAggregateRefused(ConflictError):
    """This trustee decrypted another aggregate of this election; two could open one ballot."""

    code = "second_aggregate_refused"


class ShareMalformed(RejectedError):
    """A decryption share whose members or points do not decode."""

    code = "share_malformed"


class ShareSignatureInvalid(RejectedError):
    """A decryption share that its trustee did not sign."""

    code = "share_signature"


class ShareAggregateDiffers(RejectedError):
    """A decryption share of another aggregate or another board."""

    code = "share_aggregate_differs"


class ShareProofInvalid(RejectedError):
    """A decryption share whose proof does not hold."""

    code = "share_proof_invalid"


class ShareMissing(RejectedError):
    """A trustee gave no decryption share."""

    code = "share_missing"


class TooFewShares(RejectedError):
    """Fewer valid decryption shares than the threshold."""

    code = "too_few_shares"


@dataclass(frozen=True, slots=True)
class VerifiedShare:
    """The values D of one trustee for all ciphertexts of an aggregate. Made by verification."""

    trustee: int
    values: tuple[Point | None, ...] = field(repr=False)


def decryption_share_body(
    aggregate: Aggregate, share: TrusteeShare, *, decrypted_before: bytes | None
) -> JsonObject:
    """The trustee's share of the totals, for it to sign.

    `decrypted_before` is the digest of the aggregate that this trustee decrypted in this
    election, None for none; the trustee keeps it for ever, and writes it down before it sends
    anything. Raises `SecondAggregateRefused`. That the board is right is not checked here: a
    trustee runs a verifier first.
    """
    if decrypted_before not in (None, aggregate.digest):
        raise SecondAggregateRefused("this trustee decrypts one aggregate of an election")
    values = [
        None if item.a is None else blinded_multiply(item.a, share.secret)
        for item in aggregate.flat
    ]
    public = blinded_multiply(GENERATOR, share.secret)
    base, statement = _statement(aggregate, share.trustee, public, values)
    proof = prove_equal_logarithms(share.secret, base[0], "share", *statement)
    projects = len(aggregate.election.manifest.projects)
    octets = [encode_or_identity(value) for value in values]
    return {
        "kind": KIND,
        "election": aggregate.election.digest.hex(),
        "trustee": share.trustee,
        "size": aggregate.size,
        "root": aggregate.root.hex(),
        "aggregate": aggregate.digest.hex(),
        "shares": [
            b"".join(octets[start : start + projects]).hex()
            for start in range(0, len(octets), projects)
        ],
        "proof": proof_json(proof),
    }


def verify_share(
    statement: Statement, trustee: int, aggregate: Aggregate, keys: Mapping[int, Point]
) -> VerifiedShare:
    """Return the share of a trustee whose verification key is in `keys`.

    Raises `ShareSignatureInvalid`, `ShareMalformed`, `ShareAggregateDiffers` or
    `ShareProofInvalid`.
    """
    election = aggregate.election
    signing_key = election.manifest.trustees[trustee - 1].signing_key
    try:
        body = verify_statement(statement, KIND, signing_key)
        values, proof = _read(body, trustee, aggregate)
    except StatementSignatureInvalid as error:
        raise ShareSignatureInvalid("the trustee did not sign this share") from error
    except (StatementMalformed, CurvePointMalformed) as error:
        raise ShareMalformed(f"the share does not decode: {error}") from error
    public = keys[trustee]
    try:
        (base, joined), parts = _statement(aggregate, trustee, public, values)
        verify_equal_logarithms(proof, base, public, joined, "share", *parts)
    except SigmaProofInvalid as error:
        raise ShareProofInvalid("the proof of the share does not hold") from error
    return VerifiedShare(trustee, values)


def check_shares(
    statements: Sequence[Statement], aggregate: Aggregate, ceremony: CeremonyResult
) -> tuple[tuple[VerifiedShare, ...], dict[int, RejectedError]]:
    """Return the valid shares by ascending trustee, and why others are passed over.

    A statement that names no qualified trustee is passed over; of several by one trustee the
    first valid one is taken. Raises `TooFewShares` if fewer than the threshold are valid.
    """
    by_trustee: dict[int, list[Statement]] = {}
    for statement in statements:
        trustee = statement.body.get("trustee")
        if type(trustee) is int:
            by_trustee.setdefault(trustee, []).append(statement)
    valid: list[VerifiedShare] = []
    ignored: dict[int, RejectedError] = {}
    for trustee in ceremony.qualified:
        ignored[trustee] = ShareMissing("the trustee gave no share")
        for statement in by_trustee.get(trustee, ()):
            try:
                share = verify_share(statement, trustee, aggregate, ceremony.verification_keys)
            except RejectedError as error:
                ignored[trustee] = error
            else:
                valid.append(share)
                del ignored[trustee]
                break
    if len(valid) < aggregate.election.manifest.threshold:
        raise TooFewShares(f"{len(valid)} shares are valid")
    return tuple(valid), ignored


def open_totals(
    aggregate: Aggregate, shares: Sequence[VerifiedShare]
) -> tuple[tuple[int, ...], ...]:
    """Return the totals of each decrypted group, one for each project.

    Takes the shares of the lowest trustees, as many as the threshold. Raises `TooFewShares` or
    `CountOutOfRange`.
    """
    manifest = aggregate.election.manifest
    used = sorted(shares, key=lambda share: share.trustee)[: manifest.threshold]
    if len(used) < manifest.threshold:
        raise TooFewShares(f"{len(used)} shares are valid")
    factors = lagrange_at_zero([share.trustee for share in used])
    totals = []
    number = 0
    for group, sums in zip(aggregate.decrypted, aggregate.sums, strict=True):
        finder = CountFinder(group.counted * manifest.layout.max_value)
        found = []
        for item in sums:
            parts = (
                multiply(share.values[number], factor)
                for share, factor in zip(used, factors, strict=True)
            )
            found.append(finder.find(add((item.b, negate(add(parts))))))
            number += 1
        totals.append(tuple(found))
    return tuple(totals)


def lagrange_at_zero(trustees: Sequence[int]) -> list[int]:
    """The coefficients that interpolate a polynomial at 0 from its values at these places."""
    factors = []
    for own in trustees:
        numerator = denominator = 1
        for other in trustees:
            if other != own:
                numerator = numerator * other % GROUP_ORDER
                denominator = denominator * (other - own) % GROUP_ORDER
        factors.append(numerator * pow(denominator, -1, GROUP_ORDER) % GROUP_ORDER)
    return factors


def _read(
    body: JsonObject, trustee: int, aggregate: Aggregate
) -> tuple[tuple[Point | None, ...], SigmaProof]:
    shape = STATEMENT_SHAPE
    shape.members(
        body, "kind", "election", "trustee", "size", "root", "aggregate", "shares", "proof"
    )
    said = (
        shape.octets(body["election"], 32),
        shape.integer(body["size"], high=MAX_ENTRIES),
        shape.octets(body["root"], 32),
        shape.octets(body["aggregate"], 32),
    )
    groups, projects = len(aggregate.sums), len(aggregate.election.manifest.projects)
    octets = b"".join(
        shape.items(
            body["shares"],
            lambda item: shape.octets(item, projects * POINT_BYTES),
            low=groups,
            high=groups,
        )
    )
    values: list[Point | None] = []
    for start, item in zip(range(0, len(octets), POINT_BYTES), aggregate.flat, strict=True):
        value = octets[start : start + POINT_BYTES]
        if (value == IDENTITY_OCTETS) != (item.a is None):
            raise shape.refuse("the identity stands where it cannot")
        values.append(None if item.a is None else parse_point(value))
    if body["trustee"] != trustee:
        raise shape.refuse("the share is another trustee's")
    proof = read_proof(body["proof"])
    election = aggregate.election.digest
    if said != (election, aggregate.size, aggregate.root, aggregate.digest):
        raise ShareAggregateDiffers("the share is of another election, board or aggregate")
    return tuple(values), proof


def _statement(
    aggregate: Aggregate, trustee: int, public: Point, values: Sequence[Point | None]
) -> tuple[tuple[Point, Point], tuple[bytes, ...]]:
    """Join all pairs (A, D) into one, and return it with what the proof's challenge hashes."""
    election, octets = aggregate.election, encode_point(public)
    agg = aggregate.digest
    rho = challenge(
        "share-rho",
        election.digest,
        index(trustee),
        octets,
        agg,
        b"".join(encode_or_identity(value) for value in values),
    )
    pairs = [
        (item.a, value, pow(rho, number, GROUP_ORDER))
        for number, (item, value) in enumerate(zip(aggregate.flat, values, strict=True), start=1)
        if item.a is not None and value is not None
    ]
    powers = [power for _, _, power in pairs]
    base = multi_multiply([a for a, _, _ in pairs], powers)
    joined = multi_multiply([value for _, value, _ in pairs], powers)
    if base is None or joined is None:
        raise SigmaProofInvalid("the joined values of the share are the identity")
    statement = (election.digest, index(trustee), octets, agg)
    return (base, joined), (*statement, encode_point(base), encode_point(joined))
