"""The key ceremony replayed from the board: who is out, and the keys. Section 8, V4 and V5."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mvote_verify import curve, forms
from mvote_verify.encodings import digest, hash_scalar, i4
from mvote_verify.failures import Malformed, Refused
from mvote_verify.log import ROUNDS, Log
from mvote_verify.manifest import Manifest
from mvote_verify.statements import Statement

_H32 = forms.hexadecimal(32)
_GIVEN: dict[str, forms.Form] = {"manifest": _H32, "trustee": forms.integer(1, 32)}
_SHARE = forms.record(
    to=forms.integer(1, 32), point=forms.point, masked=forms.scalar, proof=forms.proof
)
_COMPLAINT = forms.record(dealer=forms.integer(1, 32), secret=forms.point, proof=forms.proof)
_FORMS: dict[str, dict[str, forms.Form]] = {
    "dkg_commit": {**_GIVEN, "digest": _H32, "tie": _H32},
    "dkg_reveal": {**_GIVEN, "commitments": forms.listing(forms.point), "proof": forms.proof},
    "dkg_shares": {**_GIVEN, "shares": forms.listing(_SHARE, 0)},
    "dkg_verdict": {**_GIVEN, "complaints": forms.listing(_COMPLAINT, 0)},
}


@dataclass(frozen=True, slots=True)
class ElectionKeys:
    """What the ceremony gave: all of it recomputed."""

    key: curve.Point
    verification_keys: Mapping[int, curve.Point]
    """By trustee; its keys are the qualified ones, ascending."""
    ceremony_hash: bytes
    election: bytes
    """`h_E`."""
    ties: Mapping[int, bytes]
    """Commitments to the nonces of the tie-break, by trustee."""
    reasons: Mapping[int, str]
    """Why the others are out."""


@dataclass(slots=True)
class _Ceremony:
    manifest: Manifest
    messages: dict[tuple[str, int], dict[str, Any]]
    out: dict[int, str] = field(default_factory=dict)
    ties: dict[int, bytes] = field(default_factory=dict)
    commitments: dict[int, list[curve.Point]] = field(default_factory=dict)
    sums: dict[tuple[int, int], curve.Point | None] = field(default_factory=dict)

    def remaining(self) -> list[int]:
        return [t.index for t in self.manifest.trustees if t.index not in self.out]

    def share_point(self, dealer: int, to: int) -> curve.Point | None:
        """`f_dealer(to) · G`, from the commitments."""
        if (dealer, to) not in self.sums:
            points = self.commitments[dealer]
            powers = [pow(to, k, curve.ORDER) for k in range(len(points))]
            self.sums[dealer, to] = curve.combination(points, powers)
        return self.sums[dealer, to]


_Judge = Callable[[_Ceremony, dict[str, Any], Sequence[int]], None]


def replay_ceremony(manifest: Manifest, log: Log) -> ElectionKeys:
    """Raises `Refused` with `ceremony_signature`, `ceremony_order` or `ceremony_failed`."""
    ceremony = _Ceremony(manifest, _signed_messages(manifest, log))
    rounds = (_judge_commit, _judge_reveal, _judge_shares, _judge_verdict)
    for kind, judge in zip(ROUNDS, rounds, strict=True):
        before = ceremony.remaining()
        for trustee in before:
            message = ceremony.messages.get((kind, trustee))
            reason = "missing" if message is None else _reason(judge, ceremony, message, before)
            if reason:
                ceremony.out.setdefault(trustee, f"{kind}: {reason}")
    payloads = [log.payloads[entry.index] for entry in log.of(*ROUNDS)]
    return _keys(ceremony, payloads)


def _signed_messages(manifest: Manifest, log: Log) -> dict[tuple[str, int], dict[str, Any]]:
    """Bodies by round and trustee; each is signed by the trustee that it names."""
    messages: dict[tuple[str, int], dict[str, Any]] = {}
    last = ("", 0)
    for entry in log.of(*ROUNDS):
        statement = log.statements[entry.index]
        trustee = _author(manifest, statement, entry.index)
        if last[0] == entry.kind and trustee <= last[1]:
            raise Refused("ceremony_order", f"entry {entry.index}: trustees do not ascend")
        last = (entry.kind, trustee)
        messages[last] = statement.body
    return messages


def _author(manifest: Manifest, statement: Statement, index: int) -> int:
    trustee = statement.body.get("trustee")
    if isinstance(trustee, bool) or not isinstance(trustee, int):
        raise Refused("ceremony_signature", f"entry {index} names no trustee")
    if not 1 <= trustee <= len(manifest.trustees):
        raise Refused("ceremony_signature", f"entry {index} names no trustee of the manifest")
    if statement.body.get("manifest") != manifest.hash.hex():
        raise Refused("ceremony_signature", f"entry {index} is about another manifest")
    if not statement.signed_by(manifest.trustees[trustee - 1].signing_key):
        raise Refused("ceremony_signature", f"entry {index}: trustee {trustee} did not sign it")
    return trustee


def _reason(judge: _Judge, ceremony: _Ceremony, message: dict[str, Any], before: list[int]) -> str:
    """Why the author of a message is out; empty if it is not."""
    try:
        kind = message["kind"]
        body = forms.members(message, {"kind": forms.one_of(kind), **_FORMS[kind]})
        judge(ceremony, body, before)
    except Malformed as error:
        return str(error)
    return ""


def _judge_commit(ceremony: _Ceremony, body: dict[str, Any], before: Sequence[int]) -> None:
    ceremony.ties[body["trustee"]] = body["tie"]


def _judge_reveal(ceremony: _Ceremony, body: dict[str, Any], before: Sequence[int]) -> None:
    manifest, trustee = ceremony.manifest, body["trustee"]
    points = body["commitments"]
    if len(points) != manifest.threshold:
        raise Malformed("not as many commitments as the threshold")
    joined = b"".join(curve.encode(point) for point in points)
    committed = ceremony.messages["dkg_commit", trustee]["digest"]
    if digest("dkg-commit", manifest.hash, i4(trustee), joined).hex() != committed:
        raise Malformed("the commitments are not those of round 1")
    e, z = body["proof"]["e"], body["proof"]["z"]
    known = curve.residue(z, curve.GENERATOR, e, points[0])
    if e != hash_scalar("dkg-pok", manifest.hash, i4(trustee), joined, known):
        raise Malformed("the proof of round 2 does not hold")
    ceremony.commitments[trustee] = points


def _judge_shares(ceremony: _Ceremony, body: dict[str, Any], before: Sequence[int]) -> None:
    manifest, dealer = ceremony.manifest, body["trustee"]
    if [share["to"] for share in body["shares"]] != [j for j in before if j != dealer]:
        raise Malformed("shares are not for each other trustee, ascending")
    for share in body["shares"]:
        e, z = share["proof"]["e"], share["proof"]["z"]
        known = curve.residue(z, curve.GENERATOR, e, share["point"])
        parts = (i4(dealer), i4(share["to"]), curve.encode(share["point"]))
        masked = share["masked"].to_bytes(32)
        if e != hash_scalar("dkg-share-pok", manifest.hash, *parts, masked, known):
            raise Malformed("the proof of a share does not hold")


def _judge_verdict(ceremony: _Ceremony, body: dict[str, Any], before: Sequence[int]) -> None:
    """Upheld complaints put dealers out at once; `Malformed` puts the author out."""
    author = body["trustee"]
    dealers = [complaint["dealer"] for complaint in body["complaints"]]
    if any(a >= b for a, b in itertools.pairwise(dealers)):
        raise Malformed("complaints do not ascend")
    if any(dealer > len(ceremony.manifest.trustees) for dealer in dealers):
        raise Malformed("a complaint is about no trustee")
    wrong = False
    for complaint in body["complaints"]:
        dealer = complaint["dealer"]
        if dealer == author or dealer not in before:
            continue
        sent = ceremony.messages["dkg_shares", dealer]["shares"]
        share = _SHARE(next(share for share in sent if share["to"] == author))
        if not _complaint_holds(ceremony, complaint, author, share):
            wrong = True
        elif not _unmasked_share_is_good(ceremony, complaint, author, share):
            ceremony.out.setdefault(dealer, f"dkg_verdict: complaint of trustee {author} upheld")
    if wrong:
        raise Malformed("the proof of a complaint does not hold")


def _complaint_holds(
    ceremony: _Ceremony, complaint: dict[str, Any], author: int, share: dict[str, Any]
) -> bool:
    """Equal logarithms of the author's key and the secret, to the bases `G` and `E`."""
    manifest = ceremony.manifest
    e, z = complaint["proof"]["e"], complaint["proof"]["z"]
    own, secret, point = (
        manifest.trustees[author - 1].encryption_key,
        complaint["secret"],
        share["point"],
    )
    try:
        first = curve.residue(z, curve.GENERATOR, e, own)
        second = curve.residue(z, point, e, secret)
    except Malformed:
        return False
    parts = [curve.encode(p) for p in (own, point, secret)]
    numbers = (i4(complaint["dealer"]), i4(author))
    expected = hash_scalar("dkg-complaint", manifest.hash, *numbers, *parts, first, second)
    return bool(e == expected)


def _unmasked_share_is_good(
    ceremony: _Ceremony, complaint: dict[str, Any], author: int, share: dict[str, Any]
) -> bool:
    dealer = complaint["dealer"]
    numbers = (i4(dealer), i4(author))
    points = (curve.encode(share["point"]), curve.encode(complaint["secret"]))
    mask = hash_scalar("dkg-mask", ceremony.manifest.hash, *numbers, *points)
    opened = curve.times(curve.GENERATOR, share["masked"] - mask)
    return curve.same(opened, ceremony.share_point(dealer, author))


def _keys(ceremony: _Ceremony, payloads: list[bytes]) -> ElectionKeys:
    manifest, qualified = ceremony.manifest, ceremony.remaining()
    if len(qualified) < manifest.threshold:
        raise Refused("ceremony_failed", f"only {len(qualified)} trustees are left")
    key = curve.total([ceremony.commitments[dealer][0] for dealer in qualified])
    if key is None:
        raise Refused("ceremony_failed", "the election key is the identity")
    verification_keys = {}
    for trustee in qualified:
        own = curve.total_of(ceremony.share_point(dealer, trustee) for dealer in qualified)
        if own is None:
            raise Refused("ceremony_failed", "a verification key is the identity")
        verification_keys[trustee] = own
    ceremony_hash = digest("ceremony", manifest.hash, *payloads, curve.encode(key))
    election = digest("election", manifest.hash, ceremony_hash)
    return ElectionKeys(
        key, verification_keys, ceremony_hash, election, ceremony.ties, ceremony.out
    )


def check_election_key(manifest: Manifest, log: Log, keys: ElectionKeys) -> None:
    """V5: the entry says what was recomputed, and the board signed it."""
    index = log.only("election_key").index
    if not log.statements[index].signed_by(manifest.board_key):
        raise Refused("statement_signature", "the board did not sign the election key")
    body = log.bodies[index]
    said = (
        body["manifest"],
        curve.encode(body["key"]),
        body["qualified"],
        [curve.encode(key) for key in body["verification_keys"]],
        body["election"],
    )
    found = (
        manifest.hash,
        curve.encode(keys.key),
        list(keys.verification_keys),
        [curve.encode(key) for key in keys.verification_keys.values()],
        keys.election,
    )
    if said != found:
        raise Refused("election_key_differs", "the entry is not what the ceremony gives")
