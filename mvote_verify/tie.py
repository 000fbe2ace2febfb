"""The tie-break: nonces, the block, the seed. Section 11, check V16."""

from collections.abc import Mapping
from dataclasses import dataclass

from mvote_verify import forms
from mvote_verify.ceremony import ElectionKeys
from mvote_verify.encodings import digest, i4, parse_json
from mvote_verify.failures import Malformed, Refused
from mvote_verify.manifest import Manifest
from mvote_verify.statements import statement_of

_FORM: dict[str, forms.Form] = {
    "kind": forms.one_of("tie"),
    "election": forms.hexadecimal(32),
    "block": forms.record(
        number=forms.integer(0), hash=forms.hexadecimal(32), time=forms.integer(0)
    ),
    "nonces": forms.listing(forms.maybe(lambda value: statement_of(value, "tie_nonce")), 1, 32),
}
_NONCE: dict[str, forms.Form] = {
    "election": forms.hexadecimal(32),
    "trustee": forms.integer(1, 32),
    "nonce": forms.hexadecimal(32),
}
_NO_COMMITMENT = bytes(32)


@dataclass(frozen=True, slots=True)
class Tie:
    seed: bytes
    withheld: list[int]
    block: Mapping[str, int | bytes]

    def place(self, project: str) -> bytes:
        """`place(j)` of a project."""
        return digest("tie", self.seed, project.encode())


def read_tie(data: bytes, manifest: Manifest, keys: ElectionKeys) -> Tie:
    """All of V16 but what needs a node. Raises `Refused`.

    A nonce that its trustee signed but did not commit to is treated like one that is missing.
    """
    try:
        tie = forms.members(parse_json(data), _FORM)
        if tie["election"] != keys.election:
            raise Malformed("of another election")
        if len(tie["nonces"]) != len(manifest.trustees):
            raise Malformed("not one nonce or null for each trustee")
    except Malformed as error:
        raise Refused("tie_nonce_differs", f"tie.json: {error}") from None
    values, withheld = [], []
    for trustee, statement in zip(manifest.trustees, tie["nonces"], strict=True):
        committed = keys.ties.get(trustee.index)
        nonce = None
        if statement is not None:
            try:
                body = statement.read(_NONCE)
            except Malformed as error:
                raise Refused("tie_nonce_differs", f"trustee {trustee.index}: {error}") from None
            mine = body["trustee"] == trustee.index and body["election"] == keys.election
            if not mine or not statement.signed_by(trustee.signing_key):
                raise Refused("tie_nonce_differs", f"trustee {trustee.index} did not sign it")
            nonce = body["nonce"]
            if digest("tie-nonce", manifest.hash, i4(trustee.index), nonce) != committed:
                nonce = None
        if nonce is None:
            withheld.append(trustee.index)
            nonce = committed or _NO_COMMITMENT
        values.append(nonce)
    block = tie["block"]
    if block["time"] < manifest.fields["tie_break"]["block_time"]:
        raise Refused("tie_block_differs", "the block is before the time of the manifest")
    seed = digest("tie-seed", keys.election, block["hash"], *values)
    return Tie(seed, withheld, block)
