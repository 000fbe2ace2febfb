"""Groups, aggregates, decryption shares and totals. Section 10, checks V14 and V15."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from mvote_verify import curve, forms
from mvote_verify.ceremony import ElectionKeys
from mvote_verify.curve import ORDER, POINT_BYTES, Point
from mvote_verify.encodings import digest, hash_scalar, i4, parse_json
from mvote_verify.failures import Malformed, Refused
from mvote_verify.limits import MAX_SHARES
from mvote_verify.manifest import LEAST_PEOPLE, Manifest
from mvote_verify.statements import statement_of

_ZEROS = bytes(POINT_BYTES)


@dataclass(slots=True)
class Group:
    """Strata that are decrypted together, or one stratum of batches."""

    strata: list[str]
    members: set[str]
    weight: Fraction
    counted: int
    in_batches: bool = False
    batch_ballots: int = 0
    batch_totals: list[int] = field(default_factory=list)


def merge_groups(manifest: Manifest, counted: Mapping[str, int]) -> list[Group] | None:
    """The groups, given the counted ballots of each stratum value; None if too few voted."""
    zeros = len(manifest.projects)
    groups = [
        Group(
            [stratum.id],
            set(stratum.members),
            stratum.weight,
            sum(counted.get(value, 0) for value in stratum.members),
        )
        for stratum in manifest.strata
        if not stratum.in_batches
    ]
    while len(groups) > 1 and min(group.counted for group in groups) < LEAST_PEOPLE:
        smallest = min(range(len(groups)), key=lambda i: (groups[i].counted, -i))
        group = groups.pop(smallest)
        other = min(groups, key=lambda g: g.counted)
        other.strata += group.strata
        other.members |= group.members
        other.weight += group.weight
        other.counted += group.counted
    if groups[0].counted < LEAST_PEOPLE:
        return None
    groups += [
        Group([s.id], set(s.members), s.weight, 0, True) for s in manifest.strata if s.in_batches
    ]
    for group in groups:
        group.batch_totals = [0] * zeros
    return groups


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`A*` and `B*` of each group of ballots and project, in order, and the root of the end."""

    pairs: list[tuple[Point | None, Point | None]]
    size: int
    root: bytes
    digest: bytes


def aggregate_of(
    manifest: Manifest,
    election: bytes,
    sums: Sequence[Sequence[Point | None]],
    size: int,
    root: bytes,
) -> Aggregate:
    """`sums` has for each group of ballots `A_1, B_1, …` summed over its ballots."""
    pairs = []
    for of_group in sums:
        for project in range(len(manifest.projects)):
            bits = [
                (i, bit.value)
                for i, bit in enumerate(manifest.layout.votes)
                if bit.project == project
            ]
            a = curve.total_of(curve.times(of_group[2 * i], value) for i, value in bits)
            b = curve.total_of(curve.times(of_group[2 * i + 1], value) for i, value in bits)
            pairs.append((a, b))
    joined = b"".join(curve.encode_or_zeros(point) for pair in pairs for point in pair)
    return Aggregate(pairs, size, root, digest("aggregate", election, root, joined))


@dataclass(frozen=True, slots=True)
class Shares:
    """The valid shares by trustee, `D` for each pair; and who is ignored, with the code."""

    valid: Mapping[int, list[Point | None]]
    ignored: Mapping[int, str]


_FORM: dict[str, forms.Form] = {
    "election": forms.hexadecimal(32),
    "trustee": forms.integer(1, 32),
    "size": forms.integer(0),
    "root": forms.hexadecimal(32),
    "aggregate": forms.hexadecimal(32),
    "shares": forms.listing(forms.any_hex),
    "proof": forms.proof,
}


def check_shares(
    data: bytes, manifest: Manifest, keys: ElectionKeys, aggregate: Aggregate
) -> Shares:
    """V14. Raises `Refused`: `share_malformed` for the file, `too_few_shares`.

    Of several shares by one trustee the first valid one is taken; if there is none, the code is
    that of the last. Shares of trustees that are out are passed over.
    """
    try:
        values = forms.listing(lambda value: value, 0, MAX_SHARES)(parse_json(data))
        authors = [_author(value, len(manifest.trustees)) for value in values]
        if any(a > b for a, b in itertools.pairwise(authors)):
            raise Malformed("shares ascend by trustee")
    except Malformed as error:
        raise Refused("share_malformed", f"shares.json: {error}") from None
    valid: dict[int, list[Point | None]] = {}
    ignored = dict.fromkeys(keys.verification_keys, "share_missing")
    for author, value in zip(authors, values, strict=True):
        if author in valid or author not in keys.verification_keys:
            continue
        try:
            valid[author] = _verify_share(value, author, manifest, keys, aggregate)
        except Refused as error:
            ignored[author] = error.code
    ignored = {author: code for author, code in ignored.items() if author not in valid}
    if len(valid) < manifest.threshold:
        causes = ", ".join(f"{trustee} {code}" for trustee, code in sorted(ignored.items()))
        raise Refused("too_few_shares", f"{len(valid)} valid: {causes}")
    return Shares(valid, ignored)


def _author(value: Any, trustees: int) -> int:
    """The trustee that a share names, whatever else is wrong with it."""
    body = value.get("body") if isinstance(value, dict) else None
    named = body.get("trustee") if isinstance(body, dict) else None
    author: int = forms.integer(1, trustees)(named)
    return author


def _verify_share(
    value: Any,
    author: int,
    manifest: Manifest,
    keys: ElectionKeys,
    aggregate: Aggregate,
) -> list[Point | None]:
    """The `D` of one trustee; raises `Refused` with the code for `ignored`."""
    try:
        statement = statement_of(value, "decryption_share")
        if not statement.signed_by(manifest.trustees[author - 1].signing_key):
            raise Refused("share_signature")
        body = statement.read(_FORM)
        points = _decode_shares(body["shares"], manifest, aggregate)
    except Malformed as error:
        raise Refused("share_malformed", str(error)) from None
    said = (body["election"], body["size"], body["root"], body["aggregate"])
    if said != (keys.election, aggregate.size, aggregate.root, aggregate.digest):
        raise Refused("share_aggregate_differs")
    if not _proof_holds(body, points, keys, aggregate):
        raise Refused("share_proof_invalid")
    return points


def _decode_shares(
    strings: Sequence[bytes], manifest: Manifest, aggregate: Aggregate
) -> list[Point | None]:
    projects = len(manifest.projects)
    if any(len(string) != POINT_BYTES * projects for string in strings):
        raise Malformed("a share for each project")
    joined = b"".join(strings)
    if len(joined) != POINT_BYTES * len(aggregate.pairs):
        raise Malformed("a string for each group of ballots")
    points: list[Point | None] = []
    for number, (a, _) in enumerate(aggregate.pairs):
        piece = joined[POINT_BYTES * number : POINT_BYTES * (number + 1)]
        if (a is None) != (piece == _ZEROS):
            raise Malformed("zeros stand for the share of the identity only")
        points.append(None if a is None else curve.decode(piece))
    return points


def _proof_holds(
    body: dict[str, Any],
    points: Sequence[Point | None],
    keys: ElectionKeys,
    aggregate: Aggregate,
) -> bool:
    """Equal logarithms of `X_i` and `D^`, to the bases `G` and `A^`."""
    trustee = i4(body["trustee"])
    own = keys.verification_keys[body["trustee"]]
    start = (keys.election, trustee, curve.encode(own), aggregate.digest)
    rho = hash_scalar("share-rho", *start, b"".join(map(curve.encode_or_zeros, points)))
    powers = [pow(rho, number, ORDER) for number in range(1, len(points) + 1)]
    base = curve.combination([a for a, _ in aggregate.pairs], powers)
    share = curve.combination(points, powers)
    if base is None or share is None:
        return False
    e, z = body["proof"]["e"], body["proof"]["z"]
    try:
        first = curve.residue(z, curve.GENERATOR, e, own)
        second = curve.residue(z, base, e, share)
    except Malformed:
        return False
    ends = (curve.encode(base), curve.encode(share), first, second)
    return bool(e == hash_scalar("share", *start, *ends))


def lagrange(trustees: Sequence[int]) -> list[int]:
    """Coefficients at 0, modulo the order."""
    coefficients = []
    for i in trustees:
        top = bottom = 1
        for j in trustees:
            if j != i:
                top = top * j % ORDER
                bottom = bottom * (j - i) % ORDER
        coefficients.append(top * pow(bottom, -1, ORDER) % ORDER)
    return coefficients


_TALLY: dict[str, forms.Form] = {
    "kind": forms.one_of("tally"),
    "election": forms.hexadecimal(32),
    "aggregate": forms.hexadecimal(32),
    "groups": forms.listing(
        forms.record(
            strata=forms.listing(forms.identifier),
            weight=forms.fraction,
            counted=forms.integer(0),
            totals=forms.listing(forms.integer(0), 1, 500),
            batch_ballots=forms.integer(0),
            batch_totals=forms.listing(forms.integer(0), 1, 500),
        )
    ),
    "trustees": forms.listing(forms.integer(1, 32), 1, 32),
    "ignored": forms.listing(
        forms.record(trustee=forms.integer(1, 32), code=forms.text(1, 100)), 0, 32
    ),
}


@dataclass(frozen=True, slots=True)
class TalliedGroup:
    group: Group
    totals: list[int]


def check_tally(
    data: bytes,
    manifest: Manifest,
    keys: ElectionKeys,
    groups: Sequence[Group],
    aggregate: Aggregate,
    shares: Shares,
) -> list[TalliedGroup]:
    """V15. Raises `Refused` with `tally_differs` or `total_differs`."""
    try:
        tally = forms.members(parse_json(data), _TALLY)
    except Malformed as error:
        raise Refused("tally_differs", f"tally.json: {error}") from None
    used = sorted(shares.valid)[: manifest.threshold]
    ignored = [{"trustee": trustee, "code": code} for trustee, code in shares.ignored.items()]
    _same("election", tally["election"], keys.election)
    _same("aggregate", tally["aggregate"], aggregate.digest)
    _same("trustees", tally["trustees"], used)
    _same("ignored", tally["ignored"], ignored)
    _same("the number of groups", len(tally["groups"]), len(groups))
    for said, group in zip(tally["groups"], groups, strict=True):
        _same("strata", said["strata"], group.strata)
        _same("weight", said["weight"], group.weight)
        _same("counted", said["counted"], group.counted)
        _same("batch_ballots", said["batch_ballots"], group.batch_ballots)
        _same("batch_totals", said["batch_totals"], group.batch_totals)
        _same("the number of totals", len(said["totals"]), len(manifest.projects))
    _check_totals(tally["groups"], manifest, groups, aggregate, shares, used)
    return [
        TalliedGroup(group, said["totals"])
        for said, group in zip(tally["groups"], groups, strict=True)
    ]


def _same(what: str, said: object, found: object) -> None:
    if said != found:
        raise Refused("tally_differs", what)


def _check_totals(
    said: Sequence[dict[str, Any]],
    manifest: Manifest,
    groups: Sequence[Group],
    aggregate: Aggregate,
    shares: Shares,
    used: Sequence[int],
) -> None:
    """`T · G = B* − Σ λ D` for every total, and its range; those of batches are 0."""
    coefficients = lagrange(used)
    largest = manifest.layout.largest
    number = 0
    for tallied, group in zip(said, groups, strict=True):
        for project, total in zip(manifest.projects, tallied["totals"], strict=True):
            if group.in_batches:
                _require_total(total == 0, group, project)
                continue
            _require_total(total <= group.counted * largest, group, project)
            opened = curve.combination([shares.valid[i][number] for i in used], coefficients)
            found = curve.total_of((opened, curve.times(curve.GENERATOR, total)))
            _require_total(curve.same(found, aggregate.pairs[number][1]), group, project)
            number += 1


def _require_total(holds: bool, group: Group, project: Mapping[str, Any]) -> None:
    if not holds:
        raise Refused("total_differs", f"{'+'.join(group.strata)}, project {project['id']}")
