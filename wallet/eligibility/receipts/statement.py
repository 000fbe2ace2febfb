"""The receipt of a decision: a JWS of the agency (typ `decision-receipt+jwt`).

It says which programme in which version came to which outcome, why, when, how old the facts were,
and commits to what was seen. Who the decision is about is the thumbprint of a key that the wallet
made for this one request, and nothing else. Of a child that applied together with its guardian
`sub` is the key of the child's wallet, and `guardian` that of the guardian's.

commitment = SHA-256("seoul-wallet decision receipt 1" || 00 || salt32 ||
SHA-256(credential as signed) || SHA-256(presentation as sent)). The salts travel beside the
receipt: without them it tells nothing to who has seen the credential elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.credentials.sd_jwt import SdJwt
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import PublicKey
from wallet.crypto.merkle import MAX_TREE_SIZE
from wallet.did.document import DidDocument
from wallet.eligibility.days import parse_day
from wallet.eligibility.decision import EvidenceSeen, Outcome
from wallet.eligibility.receipts import members
from wallet.eligibility.receipts.members import DecisionReceiptMalformed
from wallet.eligibility.receipts.signed import agency_claims
from wallet.encoding import base64url
from wallet.encoding.jcs import NotCanonicalizable, canonicalize
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.trust.receipt import SALT_BYTES
from wallet.verification.acting import ActedFor, Right

RECEIPT_TYPE: Final = "decision-receipt+jwt"
# What an agency is accredited for that anchors receipts.
RECEIPT_SCHEMA: Final = "urn:seoul-wallet:decision-receipt:1"
# The claim of a key binding that names the key which will countersign.
HOLDER_KEY_CLAIM: Final = "receipt_key"
# The member of client_metadata that says where an agency keeps receipts.
ENDPOINT_MEMBER: Final = "decision_receipt_endpoint"
MAX_EVIDENCE: Final = 12
MAX_CODES: Final = 200
_DOMAIN: Final = b"seoul-wallet decision receipt 1\x00"
_CLAIMS: Final = frozenset(
    (
        "iss", "sub", "jti", "iat", "nonce", "programme", "on", "outcome", "reasons",
        "decided_by", "missing", "facts_as_of", "evidence", "log_index",
    )
)  # fmt: skip
# There only when a guardian applied for a child, or with it and named a key too.
_OPTIONAL: Final = frozenset(("acted_for", "guardian"))
_ACTED: Final = frozenset(("right", "person", "actor", "relation", "delegation", "jointly"))
_PROGRAMME: Final = frozenset(("id", "version", "digest"))
_EVIDENCE: Final = frozenset(("id", "type", "accepted", "code", "facts_as_of", "commitment"))


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown for one piece of evidence, as two SHA-256 digests.

    `credential` is of what its issuer signed (JWS signing input), `presentation` of the text that
    was sent, key binding included.
    """

    credential: bytes
    presentation: bytes


@dataclass(frozen=True, slots=True)
class CommittedEvidence:
    """One piece of evidence in a receipt: by its id and credential type, never what it says."""

    id: str
    type: str
    accepted: bool
    code: str | None
    facts_as_of: int | None
    commitment: bytes

    def to_json(self) -> JsonObject:
        """Return the claim."""
        return {
            "id": self.id,
            "type": self.type,
            "accepted": self.accepted,
            "code": self.code,
            "facts_as_of": self.facts_as_of,
            "commitment": base64url.encode(self.commitment),
        }


@dataclass(frozen=True, slots=True)
class DecisionReceipt:
    """A receipt whose signature was verified. Only `verify_decision_receipt` makes one.

    `holder` is the thumbprint of the holder's key for this decision, None when its wallet named
    none. `log_index` is the receipt's place in the agency's log. `acted_for` names who applied
    and for whom, by identifiers of this agency alone; None if one applied for oneself. `guardian`
    is the thumbprint of the key of a guardian who took part with a wallet of their own. Times
    are unix seconds.
    """

    token: str
    issuer: str
    holder: str | None
    id: str
    decided_at: int
    nonce: str
    programme: str
    version: str
    programme_digest: bytes
    on: date
    outcome: Outcome
    reasons: tuple[str, ...]
    decided_by: tuple[str, ...]
    missing: tuple[str, ...]
    facts_as_of: int | None
    evidence: tuple[CommittedEvidence, ...]
    log_index: int
    acted_for: ActedFor | None = None
    guardian: str | None = None

    def shown_by(self, holder: str) -> frozenset[str]:
        """Return the ids of the evidence that the wallet with this key knows to have been shown.

        Whoever sent the answer knows all of it, a guardian who took part the guardianship. Of
        any other key it is nothing.
        """
        if holder not in (self.holder, self.guardian):
            return frozenset()
        whole = holder == self.holder
        return frozenset(
            item.id for item in self.evidence if whole or item.type == GUARDIANSHIP_TYPE
        )

    @property
    def signing_input(self) -> bytes:
        """What the agency signed: what is anchored."""
        return self.token.rpartition(".")[0].encode("ascii")

    @property
    def digest(self) -> bytes:
        """SHA-256 of the receipt as it travels: what the holder countersigns."""
        return sha256(self.token.encode("ascii"))

    @property
    def facts_age_s(self) -> int | None:
        """How old the oldest fact was when it was decided."""
        return None if self.facts_as_of is None else self.decided_at - self.facts_as_of


def shown_of(presentation: RawPresentation, sd_jwt: SdJwt | None = None) -> Shown:
    """Return what was shown by one presentation as it was sent; raises nothing for a bad one.

    What is no SD-JWT has no credential apart: an object is taken in canonical JSON (RFC 8785).
    `sd_jwt` is the presentation for who has parsed it already.
    """
    if not isinstance(presentation, str):
        try:
            whole = sha256(canonicalize(presentation))
        except NotCanonicalizable:
            whole = sha256(to_json(presentation))
        return Shown(whole, whole)
    whole = sha256(presentation.encode("utf-8", "surrogatepass"))
    try:
        signed = (sd_jwt or parse_presented_sd_jwt(presentation)).jws.signing_input
    except SeoulWalletError:
        return Shown(whole, whole)
    return Shown(sha256(signed), whole)


def commitment(salt: bytes, shown: Shown) -> bytes:
    """Return the commitment to what was shown. Raises `DecisionReceiptMalformed`."""
    if len(salt) != SALT_BYTES:
        raise DecisionReceiptMalformed(f"a salt has {SALT_BYTES} bytes")
    return sha256(_DOMAIN + salt + shown.credential + shown.presentation)


def shown_in(item: EvidenceSeen) -> Shown:
    """Return what was shown of one piece of evidence."""
    return Shown(item.digest, item.presentation_digest)


def verify_decision_receipt(
    token: str, *, issuer: str, keys: DidDocument | PublicKey
) -> DecisionReceipt:
    """Return the receipt that `issuer` signed with an assertion key of its, or with the key given.

    Raises `JwsMalformed`, `SignatureInvalid`, `KeyNotAuthorized`, `ReceiptIssuerMismatch`,
    `DecisionReceiptMalformed` and the errors of the encodings. Does not check whose decision it
    is (`own.check_own_receipt`), that it is anchored, or that it is in the agency's log.
    """
    claims = agency_claims(
        token, typ=RECEIPT_TYPE, issuer=issuer, keys=keys, names=_CLAIMS, optional=_OPTIONAL
    )
    return _read(token, claims)


def _read(token: str, claims: JsonObject) -> DecisionReceipt:
    programme = members.check_members(claims["programme"], _PROGRAMME)
    listed = claims["evidence"]
    if type(listed) is not list or len(listed) > MAX_EVIDENCE:
        raise DecisionReceiptMalformed(f"there are at most {MAX_EVIDENCE} pieces of evidence")
    evidence = tuple(_read_evidence(item) for item in listed)
    if len({item.id for item in evidence}) != len(evidence):
        raise DecisionReceiptMalformed("a piece of evidence occurs twice")
    on = parse_day(claims["on"])
    if on is None:
        raise DecisionReceiptMalformed("on is a day")
    return DecisionReceipt(
        token=token,
        issuer=members.text(claims["iss"], "iss"),
        holder=None if claims["sub"] is None else members.thumbprint_of(claims["sub"], "sub"),
        id=members.text(claims["jti"], "jti"),
        decided_at=members.moment(claims["iat"], "iat"),
        nonce=members.text(claims["nonce"], "nonce"),
        programme=members.text(programme["id"], "id"),
        version=members.text(programme["version"], "version"),
        programme_digest=members.octets(programme["digest"], "digest"),
        on=on,
        outcome=_outcome(claims["outcome"]),
        reasons=members.texts(claims["reasons"], "reasons", MAX_CODES),
        decided_by=members.texts(claims["decided_by"], "decided_by", MAX_CODES),
        missing=members.texts(claims["missing"], "missing", MAX_EVIDENCE),
        facts_as_of=members.optional_moment(claims["facts_as_of"], "facts_as_of"),
        evidence=evidence,
        log_index=members.number(claims["log_index"], "log_index", MAX_TREE_SIZE),
        acted_for=_acted_for(claims["acted_for"]) if "acted_for" in claims else None,
        guardian=members.thumbprint_of(claims["guardian"], "guardian")
        if "guardian" in claims
        else None,
    )


def _acted_for(value: object) -> ActedFor:
    item = members.check_members(value, _ACTED)
    if item["right"] not in (Right.GUARDIANSHIP, Right.DELEGATION):
        raise DecisionReceiptMalformed("right is guardianship or delegation")
    if type(item["jointly"]) is not bool:
        raise DecisionReceiptMalformed("jointly is true or false")
    return ActedFor(
        Right(item["right"]),
        person=members.thumbprint_of(item["person"], "person"),
        actor=members.thumbprint_of(item["actor"], "actor"),
        relation=members.optional_text(item["relation"], "relation"),
        delegation=members.optional_text(item["delegation"], "delegation"),
        jointly=item["jointly"],
    )


def _outcome(value: Any) -> Outcome:
    try:
        return Outcome(value)
    except ValueError:
        raise DecisionReceiptMalformed("outcome is eligible, not_eligible or unknown") from None


def _read_evidence(value: object) -> CommittedEvidence:
    item = members.check_members(value, _EVIDENCE)
    if type(item["accepted"]) is not bool:
        raise DecisionReceiptMalformed("accepted is true or false")
    return CommittedEvidence(
        members.text(item["id"], "id"),
        members.text(item["type"], "type"),
        item["accepted"],
        members.optional_text(item["code"], "code"),
        members.optional_moment(item["facts_as_of"], "facts_as_of"),
        members.octets(item["commitment"], "commitment"),
    )
