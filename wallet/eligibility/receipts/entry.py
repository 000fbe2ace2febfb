"""What an agency signs into its log besides decisions (typ `agency-entry+jwt`).

A withdrawal: the holder took an application back before it was decided, and every decision on it
would come later in the log. A deletion: what was deleted, what has to be kept, why and how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wallet.credentials.jose import sign_jws
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.crypto.merkle import MAX_TREE_SIZE
from wallet.did.document import DidDocument
from wallet.eligibility.evidence_types import Text
from wallet.eligibility.receipts import members
from wallet.eligibility.receipts.signed import agency_claims
from wallet.eligibility.receipts.statement import DecisionReceipt
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError

ENTRY_TYPE: Final = "agency-entry+jwt"
MAX_KEPT: Final = 16
_CLAIMS: Final = frozenset(("iss", "sub", "iat", "kind", "about", "log_index", "deleted", "kept"))
_KEPT: Final = frozenset(("what", "ground", "until"))


class AgencyEntryInvalid(RejectedError):
    """The agency signed an entry of another kind, for another holder, or about something else."""

    code = "agency_entry_invalid"


class DecidedAfterWithdrawal(RejectedError):
    """The agency decided although its own log has the withdrawal first."""

    code = "decided_after_withdrawal"


class EntryKind(StrEnum):
    """What the agency did."""

    WITHDRAWAL = "withdrawal"
    DELETION = "deletion"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept after a deletion, on which ground, and until when (unix seconds; None: for
    good)."""

    what: str
    ground: Text
    until: int | None

    def to_json(self) -> JsonObject:
        """Return the claim."""
        return {"what": self.what, "ground": self.ground.to_json(), "until": self.until}


@dataclass(frozen=True, slots=True)
class AgencyEntry:
    """An entry whose signature was verified.

    `about` is the nonce of a withdrawn request, or the id of the receipt of a deletion. `holder`
    is the thumbprint of the holder's key.
    """

    token: str
    issuer: str
    holder: str
    at: int
    kind: EntryKind
    about: str
    log_index: int
    deleted: tuple[str, ...]
    kept: tuple[Kept, ...]

    @property
    def signing_input(self) -> bytes:
        """What the agency signed: what is anchored."""
        return self.token.rpartition(".")[0].encode("ascii")


def issue_agency_entry(
    key: SigningKey,
    kind: EntryKind,
    *,
    issuer: str,
    verification_method: str,
    holder: str,
    about: str,
    log_index: int,
    now: int,
    deleted: tuple[str, ...] = (),
    kept: tuple[Kept, ...] = (),
) -> str:
    """Return the signed entry `log_index` of the agency's log."""
    claims: JsonObject = {
        "iss": issuer,
        "sub": holder,
        "iat": now,
        "kind": kind.value,
        "about": about,
        "log_index": log_index,
        "deleted": list(deleted),
        "kept": [item.to_json() for item in kept],
    }
    return sign_jws(key, {"typ": ENTRY_TYPE, "kid": verification_method}, claims)


def verify_agency_entry(
    token: str,
    kind: EntryKind,
    *,
    issuer: str,
    keys: DidDocument | PublicKey,
    holder: str | None = None,
    about: str | None = None,
) -> AgencyEntry:
    """Return the entry that `issuer` signed, of this kind, for this holder and about this.

    Raises `JwsMalformed`, `SignatureInvalid`, `KeyNotAuthorized`, `ReceiptIssuerMismatch`,
    `AgencyEntryInvalid`, `DecisionReceiptMalformed` and the errors of the encodings. That it is
    in the log is for `log.verify_entry`.
    """
    claims = agency_claims(token, typ=ENTRY_TYPE, issuer=issuer, keys=keys, names=_CLAIMS)
    found = _read(token, claims)
    if found.kind is not kind:
        raise AgencyEntryInvalid("the entry is of another kind")
    if holder is not None and found.holder != holder:
        raise AgencyEntryInvalid("the entry is for another holder")
    if about is not None and found.about != about:
        raise AgencyEntryInvalid("the entry is about something else")
    return found


def _read(token: str, claims: JsonObject) -> AgencyEntry:
    try:
        kind = EntryKind(claims["kind"])
    except ValueError:
        raise members.DecisionReceiptMalformed("there is no such kind of entry") from None
    listed = claims["kept"]
    if type(listed) is not list or len(listed) > MAX_KEPT:
        raise members.DecisionReceiptMalformed(f"kept is a list of at most {MAX_KEPT}")
    return AgencyEntry(
        token,
        members.text(claims["iss"], "iss"),
        members.thumbprint_of(claims["sub"], "sub"),
        members.moment(claims["iat"], "iat"),
        kind,
        members.text(claims["about"], "about"),
        members.number(claims["log_index"], "log_index", MAX_TREE_SIZE),
        members.texts(claims["deleted"], "deleted", MAX_KEPT),
        tuple(_read_kept(item) for item in listed),
    )


def _read_kept(value: object) -> Kept:
    item = members.check_members(value, _KEPT)
    ground = members.check_members(item["ground"], ("ko", "en"))
    return Kept(
        members.text(item["what"], "what"),
        Text(members.text(ground["ko"], "ground"), members.text(ground["en"], "ground")),
        members.optional_moment(item["until"], "until"),
    )


def check_not_withdrawn(receipt: DecisionReceipt, withdrawal: AgencyEntry) -> None:
    """Return unless the withdrawal is of the application that the receipt decides on.

    Both are signed by the agency, with their places in its log: the two together are proof that
    it decided on what was withdrawn. Raises `DecidedAfterWithdrawal`.
    """
    same = (receipt.issuer, receipt.holder) == (withdrawal.issuer, withdrawal.holder)
    withdrawn = withdrawal.kind is EntryKind.WITHDRAWAL
    if same and withdrawn and withdrawal.log_index < receipt.log_index:
        raise DecidedAfterWithdrawal("the log has the withdrawal before this decision")
