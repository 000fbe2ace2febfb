"""BBS credentials with a pseudonym secret, and presentations of them: `seoul-bbs-nym`.

No specification names this format; it puts the blind signatures of `wallet.crypto.bbs` into the
shapes of OpenID4VCI and OpenID4VP. Message 0 is the canonical JSON of type and epoch, message i
that of `[name, value]` of one claim, in the order of the claims' names. A voting credential has
the messages and the header of docs/voting.md instead, and is not presented like this.

A presentation shows message 0 and some claims, and proves the rest. It is bound to one request by
the presentation header, and to nobody by name: its pseudonym is of a context that both sides
derive from the request. Of one verifier, where the verifier asks for that; of a scope that both
know from elsewhere, such as a published programme; else of the request alone, and then it says
nothing. In a scope the holder may tell a second pseudonym to a third party, sealed: `link`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from wallet.credentials import voting
from wallet.crypto.bbs.linked_nym import LinkOpening, derive_linked_proof
from wallet.crypto.bbs.nym_issuance import NymCredential, NymLayout
from wallet.crypto.bbs.nym_proofs import (
    NymProof,
    NymProofStatement,
    VerifiedNymProof,
    derive_proof_with_nym,
    verify_proof_with_nym,
)
from wallet.crypto.bbs.types import BbsPublicKey, Pseudonym, parse_proof, parse_pseudonym
from wallet.encoding import base64url, jcs
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError

MAX_NYM_CLAIMS: Final = 32
MAX_NYM_TEXT: Final = 2048
MAX_PROOF_CHARACTERS: Final = 16 * 1024
MAX_SEALED_CHARACTERS: Final = 4 * 1024
LINK_DIGEST_BYTES: Final = 32
_LINK: Final = "link"
# Names a key that the holder made for this answer alone (thumbprint): that of its receipt.
RECEIPT_KEY: Final = "receipt_key"
_OPTIONAL: Final = frozenset((_LINK, RECEIPT_KEY))
MAX_RECEIPT_KEY: Final = 128
_MEMBERS: Final = frozenset(
    ("vct", "epoch", "issuer", "verification_method", "claims", "positions", "messages",
     "pseudonym", "proof")
)  # fmt: skip


class NymPresentationMalformed(MalformedError):
    """Not a presentation of a BBS credential with a pseudonym."""

    code = "nym_presentation_malformed"


def nym_layout(claims: Mapping[str, Any]) -> NymLayout:
    """Return the layout of a credential with these claims: its type, then one message each."""
    return NymLayout(messages=1 + len(claims))


def nym_header(vct: str) -> bytes:
    """Return the header under which a credential of this type is signed."""
    return voting.HEADER if vct == voting.VOTING_CREDENTIAL_TYPE else b""


def nym_messages(vct: str, epoch: str, claims: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return the messages that are signed.

    Raises `NotCanonicalizable`, `VotingClaimsMalformed`.
    """
    if vct == voting.VOTING_CREDENTIAL_TYPE:
        return voting.messages_of_claims(epoch, claims)
    return _head(vct, epoch), *(_claim(name, claims[name]) for name in sorted(claims))


def _head(vct: str, epoch: str) -> bytes:
    return jcs.canonicalize({"vct": vct, "epoch": epoch})


def _claim(name: str, value: Any) -> bytes:
    return jcs.canonicalize([name, value])


@dataclass(frozen=True, slots=True)
class NymLink:
    """A second pseudonym of the same person, which only its addressee can open.

    The proof covers `digest` (`wallet.crypto.bbs.linked_nym`), `sealed` is for the addressee.
    """

    digest: bytes
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkScope:
    """The context of a second pseudonym, and how it is sealed for its addressee."""

    context_id: bytes
    seal: Callable[[LinkOpening], str]


@dataclass(frozen=True, slots=True)
class NymScope:
    """The context of a pseudonym that the holder's side knows from elsewhere than the request."""

    context_id: bytes
    link: LinkScope | None = None


@dataclass(frozen=True, slots=True)
class NymPresentation:
    """A presentation, unverified. `positions` are those of the shown claims among `messages`."""

    vct: str
    epoch: str
    issuer: str
    verification_method: str
    claims: JsonObject = field(repr=False)
    positions: Mapping[str, int]
    messages: int
    proof: NymProof = field(repr=False)
    link: NymLink | None = None
    receipt_key: str | None = None

    def to_json(self) -> JsonObject:
        """Return the presentation as it travels."""
        link = self.link
        told: JsonObject = {}
        if link is not None:
            told[_LINK] = {"digest": base64url.encode(link.digest), "sealed": link.sealed}
        if self.receipt_key is not None:
            told[RECEIPT_KEY] = self.receipt_key
        return told | {
            "vct": self.vct,
            "epoch": self.epoch,
            "issuer": self.issuer,
            "verification_method": self.verification_method,
            "claims": self.claims,
            "positions": dict(self.positions),
            "messages": self.messages,
            "pseudonym": base64url.encode(self.proof.pseudonym.octets),
            "proof": base64url.encode(self.proof.proof.octets),
        }


@dataclass(frozen=True, slots=True)
class NymRequest:
    """What a presentation answers. With `per_verifier` its pseudonym is the same in all answers
    of one holder to this audience, else it is of this request alone; `context` stands for both.
    `link_digest` is that of a second pseudonym, `receipt_key` names that of its receipt."""

    audience: str
    nonce: str
    per_verifier: bool = False
    context: bytes | None = None
    link_digest: bytes | None = None
    receipt_key: str | None = None

    @property
    def context_id(self) -> bytes:
        """The context of the pseudonym."""
        if self.context is not None:
            return self.context
        scope = {"audience": self.audience}
        return jcs.canonicalize(scope if self.per_verifier else {**scope, "nonce": self.nonce})

    @property
    def presentation_header(self) -> bytes:
        """What the proof is bound to."""
        bound = {"audience": self.audience, "nonce": self.nonce}
        if self.link_digest is not None:
            bound[_LINK] = base64url.encode(self.link_digest)
        if self.receipt_key is not None:
            bound[RECEIPT_KEY] = self.receipt_key
        return jcs.canonicalize(bound)


def present_nym_credential(
    credential: NymCredential,
    *,
    vct: str,
    epoch: str,
    claims: JsonObject,
    show: Sequence[str],
    issuer: str,
    verification_method: str,
    request: NymRequest,
    link: LinkScope | None = None,
) -> JsonObject:
    """Return the presentation that shows type, epoch and the claims named in `show`.

    `claims` are all claims of the credential; with a `link` there is a second pseudonym. Raises
    `BbsDisclosureMalformed` and kin.
    """
    place = {name: at for at, name in enumerate(sorted(claims), start=1)}
    positions = {name: place[name] for name in sorted(set(show))}
    proof, told = _derive(credential, request, (0, *positions.values()), link)
    return NymPresentation(
        vct,
        epoch,
        issuer,
        verification_method,
        {name: claims[name] for name in positions},
        positions,
        1 + len(claims),
        proof,
        told,
        request.receipt_key,
    ).to_json()


def _derive(
    credential: NymCredential, request: NymRequest, shown: tuple[int, ...], link: LinkScope | None
) -> tuple[NymProof, NymLink | None]:
    if link is None:
        header = request.presentation_header
        return derive_proof_with_nym(
            credential, request.context_id, shown, presentation_header=header
        ), None
    digests: list[bytes] = []

    def header_for(digest: bytes) -> bytes:
        digests.append(digest)
        return replace(request, link_digest=digest).presentation_header

    proof, opening = derive_linked_proof(
        credential, request.context_id, link.context_id, shown, header_for=header_for
    )
    return proof, NymLink(digests[0], link.seal(opening))


def parse_nym_presentation(value: object) -> NymPresentation:
    """Return the presentation of its JSON object.

    Raises `NymPresentationMalformed`, `Base64urlMalformed`, `PointMalformed` and kin.
    """
    if type(value) is not dict or value.keys() - _OPTIONAL != _MEMBERS:
        raise NymPresentationMalformed("an object of exactly the members of the format")
    texts = {name: _text(value, name, MAX_NYM_TEXT) for name in ("vct", "epoch", "issuer")}
    claims, positions, messages = value["claims"], value["positions"], value["messages"]
    if type(messages) is not int or not 1 <= messages <= 1 + MAX_NYM_CLAIMS:
        raise NymPresentationMalformed("messages is how many messages were signed")
    if type(claims) is not dict or type(positions) is not dict:
        raise NymPresentationMalformed("claims and positions are objects")
    names = sorted(claims)
    places: list[Any] = [positions.get(name) for name in names]
    if claims.keys() != positions.keys() or any(type(place) is not int for place in places):
        raise NymPresentationMalformed("every claim has its position")
    if places != sorted(set(places)) or (places and not 0 < places[0] <= places[-1] < messages):
        raise NymPresentationMalformed("positions are in the order of the claims' names")
    proof = NymProof(
        parse_proof(base64url.decode(_text(value, "proof", MAX_PROOF_CHARACTERS))),
        parse_pseudonym(base64url.decode(_text(value, "pseudonym", 128))),
    )
    return NymPresentation(
        texts["vct"],
        texts["epoch"],
        texts["issuer"],
        _text(value, "verification_method", MAX_NYM_TEXT),
        claims,
        dict(zip(names, places, strict=True)),
        messages,
        proof,
        _parse_link(value[_LINK]) if _LINK in value else None,
        _text(value, RECEIPT_KEY, MAX_RECEIPT_KEY) if RECEIPT_KEY in value else None,
    )


def _parse_link(value: object) -> NymLink:
    if type(value) is not dict or value.keys() != {"digest", "sealed"}:
        raise NymPresentationMalformed("a link has digest and sealed")
    digest = base64url.decode(_text(value, "digest", 128))
    if len(digest) != LINK_DIGEST_BYTES:
        raise NymPresentationMalformed(f"the digest of a link has {LINK_DIGEST_BYTES} bytes")
    return NymLink(digest, _text(value, "sealed", MAX_SEALED_CHARACTERS))


def _text(value: JsonObject, name: str, limit: int) -> str:
    text = value[name]
    if type(text) is not str or not 0 < len(text) <= limit:
        raise NymPresentationMalformed(f"{name} is a string of 1 to {limit} characters")
    return text


def verify_nym_presentation(
    presentation: NymPresentation, public_key: BbsPublicKey, request: NymRequest
) -> VerifiedNymProof:
    """Return what the presentation proves, in answer to `request`.

    Raises `BbsProofInvalid`, `NotCanonicalizable` and kin. Whose the key is, and that the nonce is
    used once, is for the caller to check. Nothing is known of the pseudonym in its `link`.
    """
    link = presentation.link
    request = replace(
        request,
        link_digest=None if link is None else link.digest,
        receipt_key=presentation.receipt_key,
    )
    shown = [(0, _head(presentation.vct, presentation.epoch))]
    shown += [(presentation.positions[name], _claim(name, presentation.claims[name]))
              for name in sorted(presentation.claims)]  # fmt: skip
    statement = NymProofStatement(
        public_key=public_key,
        layout=NymLayout(messages=presentation.messages),
        context_id=request.context_id,
        disclosed=tuple(shown),
        presentation_header=request.presentation_header,
    )
    return verify_proof_with_nym(presentation.proof, statement)


def nym_pseudonym_text(pseudonym: Pseudonym) -> str:
    """Return a pseudonym as it is told to people and kept."""
    return base64url.encode(pseudonym.octets)
