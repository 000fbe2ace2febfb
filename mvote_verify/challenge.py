"""A challenged ballot, made again on a second device. Sections 6 and 7 of docs/voting.md.

The wallet revealed choices and seed; whoever has the board's beginning and the tracking code that
was shown before finds out whether the ballot held these choices.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from mvote_verify import curve, forms
from mvote_verify.ballots import NULLIFIER_BYTES, BallotPayload, tracking_code
from mvote_verify.ceremony import check_election_key, replay_ceremony
from mvote_verify.encodings import SUITE_NAME, digest, hash_scalar, i4, parse_json
from mvote_verify.failures import Malformed, Refused
from mvote_verify.layout import Layout, cover
from mvote_verify.limits import MAX_JSON_BYTES
from mvote_verify.log import LogFile, first_payload, read_beginning
from mvote_verify.manifest import SUITE, Manifest, parse_manifest

SEED_BYTES = 32
_G = curve.encode(curve.GENERATOR)
_DISTRICT: forms.Form = lambda value: "" if value == "" else forms.identifier(value)  # noqa: E731
_FORM: dict[str, forms.Form] = {
    "kind": forms.one_of("challenge"),
    "election": forms.hexadecimal(32),
    "nullifier": forms.hexadecimal(NULLIFIER_BYTES),
    "sequence": forms.integer(1, (1 << 32) - 1),
    "stratum": forms.identifier,
    "district": _DISTRICT,
    "choices": forms.listing(forms.integer(0), 1, 500),
    "seed": forms.hexadecimal(SEED_BYTES),
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What was found: the code that the opened ballot has, and what it holds."""

    manifest: Manifest
    choices: tuple[int, ...]
    code: str


def open_challenge(folder: Path, data: bytes) -> Challenge:
    """The challenge of an election whose `manifest.json` and `log.bin` lie in `folder`.

    The log may end after its election key. Raises `Refused` with `challenge_malformed` or a code
    of the checks V1, V2, V4 and V5, and `OSError` for a file that cannot be read.
    """
    with (folder / "manifest.json").open("rb") as file:
        octets = file.read(MAX_JSON_BYTES + 1)
    manifest = parse_manifest(octets)
    with LogFile(folder / "log.bin") as log_file:
        if first_payload(log_file) != octets:
            raise Refused("manifest_differs", "entry 0 of the log is another manifest")
        log = read_beginning(log_file)
    keys = replay_ceremony(manifest, log)
    check_election_key(manifest, log, keys)
    try:
        opened = forms.members(parse_json(data), _FORM)
        if opened["election"] != keys.election:
            raise Malformed("of another election")
        bits = fill_bits(manifest, opened["choices"])
        who = (opened["nullifier"], opened["sequence"], opened["stratum"], opened["district"])
        context = BallotPayload(*who, 0, b"", b"").context(keys.election)
        body = make_body(manifest.layout, keys.key, context, bits, opened["seed"])
    except Malformed as error:
        raise Refused("challenge_malformed", str(error)) from None
    code = tracking_code(digest("ballot", context, body))
    return Challenge(manifest, tuple(opened["choices"]), code)


def check_code(challenge: Challenge, code: str) -> None:
    """Raises `Refused` with `challenge_differs` unless the ballot has the code that was shown."""
    if challenge.code != code.strip().upper():
        raise Refused("challenge_differs", f"the opened ballot has the code {challenge.code}")


def fill_bits(manifest: Manifest, choices: Sequence[int]) -> list[int]:
    """The bits for one value of each project, slack included; raises `Malformed`."""
    layout, ballot = manifest.layout, manifest.fields["ballot"]
    if len(choices) != len(manifest.projects):
        raise Malformed("not one choice for each project")
    bits = [bit for value in choices for bit in _vote_bits(ballot, value)]
    bits += [0] * (layout.bits - len(bits))
    for rule in layout.rules:
        rest = rule.maximum - sum(weight * bits[i] for i, weight in rule.terms)
        slack = [(weight, i) for i, weight in rule.terms if i >= len(layout.votes)]
        for weight, i in sorted(slack, reverse=True):
            if weight <= rest:
                bits[i], rest = 1, rest - weight
        if rest:
            raise Malformed("the choices break a rule of the ballot")
    return bits


def _vote_bits(ballot: dict[str, Any], value: int) -> list[int]:
    places = len(ballot["scores"]) if ballot["kind"] == "ranking" else 0
    if value > (places or ballot.get("per_project", 1)):
        raise Malformed("a choice that the kind of ballot does not have")
    if places:
        return [int(value == place) for place in range(1, places + 1)]
    if ballot["kind"] == "approval":
        return [value]
    weights = cover(ballot["per_project"])
    bits = [0] * len(weights)
    for weight, i in sorted(((weight, i) for i, weight in enumerate(weights)), reverse=True):
        if weight <= value:
            bits[i], value = 1, value - weight
    return bits


def make_body(
    layout: Layout, key: curve.Point, context: bytes, bits: Sequence[int], seed: bytes
) -> bytes:
    """The body that a seed gives for these bits ("Making one" of section 6)."""
    draw = _Draw(context, bits, seed)
    ciphertexts: list[bytes] = []
    commitments: list[bytes] = []
    for i, bit in enumerate(bits, 1):
        r, t, c, z = (draw(label, i) for label in ("r", "t", "c", "z"))
        first = curve.times(curve.GENERATOR, r)
        plain = curve.times(key, r)
        second = curve.total_of((plain, curve.GENERATOR if bit else None))
        ciphertexts += (_encoded(first), _encoded(second))
        honest = (curve.times(curve.GENERATOR, t), curve.times(key, t))
        # Of the branch that is not so: B of a 0 less G, and B of a 1 as it is.
        shifted = second if bit else curve.total_of((plain, curve.times(curve.GENERATOR, -1)))
        simulated = (
            curve.combination((curve.GENERATOR, first), (z, -c)),
            curve.combination((key, shifted), (z, -c)),
        )
        branches = (*simulated, *honest) if bit else (*honest, *simulated)
        commitments += map(_encoded, branches)
    of_rules: list[bytes] = []
    for k in range(1, len(layout.rules) + 1):
        u = draw("u", k)
        of_rules += (_encoded(curve.times(curve.GENERATOR, u)), _encoded(curve.times(key, u)))
    parts = tuple(b"".join(part) for part in (ciphertexts, commitments, of_rules))
    encoded_key = curve.encode(key)
    e = hash_scalar("ballot-challenge", context, SUITE.encode(), _G, encoded_key, *parts)
    return b"".join((*parts, *_answers(layout, bits, draw, e)))


def _answers(layout: Layout, bits: Sequence[int], draw: "_Draw", e: int) -> list[bytes]:
    answers: list[int] = []
    for i, bit in enumerate(bits, 1):
        c, z = draw("c", i), draw("z", i)
        own = (e - c) % curve.ORDER
        answer = draw("t", i) + own * draw("r", i)
        answers += (c, z, answer) if bit else (own, answer, z)
    for k, rule in enumerate(layout.rules, 1):
        together = sum(weight * draw("r", bit + 1) for bit, weight in rule.terms)
        answers.append(draw("u", k) + e * together)
    return [(answer % curve.ORDER).to_bytes(curve.SCALAR_BYTES) for answer in answers]


class _Draw:
    """`x(label, i)` of section 6."""

    def __init__(self, context: bytes, bits: Sequence[int], seed: bytes) -> None:
        self._prk = hmac.digest(context, seed, "sha512")
        self._bits = sha256(bytes(bits)).digest()

    def __call__(self, label: str, i: int) -> int:
        info = SUITE_NAME + label.encode("ascii") + b"\0" + i4(i) + self._bits
        number = int.from_bytes(hmac.new(self._prk, info + b"\1", sha512).digest()) % curve.ORDER
        if not number:
            raise Malformed("the seed cannot be used")
        return number


def _encoded(point: curve.Point | None) -> bytes:
    if point is None:
        raise Malformed("the seed cannot be used")
    return curve.encode(point)
