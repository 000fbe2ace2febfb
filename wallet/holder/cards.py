"""What a wallet holds: credentials as records, and cards as people see them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.delegation import (
    GUARDIAN,
    HELD_BY,
    DelegationClaims,
    parse_delegation_claims,
)
from wallet.credentials.formats import SD_JWT_VC_FORMAT, SUBJECT
from wallet.credentials.sd_jwt import SdJwt, parse_sd_jwt
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.errors import ConflictError, SeoulWalletError
from wallet.holder.contents import Contents, contents_of
from wallet.holder.texts import ClaimLine, claim_lines, name_in
from wallet.ports.holder import Delete, Put, Record, RecordStore, RecordUnknown, StoreDamaged
from wallet.protocols.oid4vci.credential import CredentialAnchor
from wallet.protocols.oid4vci.metadata import ClaimDescription, Label
from wallet.trust.receipt import AnchorReceipt, parse_receipt

KIND: Final = "credential"
DELEGATION_NAMES: Final = (Label("위임장", "ko-KR"), Label("Delegation", "en-US"))


class CardUnknown(ConflictError):
    """The wallet holds no card with this id."""

    code = "card_unknown"


class ReceiptState(StrEnum):
    """How far the anchoring of a credential is, as its issuer tells it."""

    NONE = "none"
    PENDING = "pending"
    INCLUDED = "included"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Card:
    """A credential as its holder sees it. Times are unix seconds; `claims` is what it says.

    `vct` is the type by which the issuer is accredited, in every format. `delegated` is what whose
    card it is allows, None for one's own. `names`, `issuer_names` and `claim_descriptions` are the
    issuer's words, unsigned: read them
    through `name`, `issuer_name` and `lines`, which make them safe to show.
    """

    id: str
    vct: str
    issuer: str
    credential_issuer: str
    claims: JsonObject = field(repr=False)
    not_before: int | None
    expires_at: int | None
    received_at: int
    receipt_state: ReceiptState
    names: tuple[Label, ...] = ()
    issuer_names: tuple[Label, ...] = ()
    claim_descriptions: tuple[ClaimDescription, ...] = ()
    format: str = SD_JWT_VC_FORMAT
    delegated: DelegationClaims | None = None

    @property
    def is_for_another(self) -> bool:
        """Whether it is somebody else's: delegated to this wallet, or held for a child."""
        return self.delegated is not None or self.is_for_ward

    @property
    def is_for_ward(self) -> bool:
        """Whether it is about a child, and this wallet holds it as the child's guardian."""
        return self.claims.get(HELD_BY) == GUARDIAN

    def name(self, language: str) -> str:
        """Return the card's name, for example 다둥이 행복카드."""
        return name_in(self.names, language, self.vct)

    def issuer_name(self, language: str) -> str:
        """Return the issuer's name for itself; who it is for certain says `issuer`, the DID."""
        return name_in(self.issuer_names, language, self.credential_issuer)

    def lines(self, language: str) -> tuple[ClaimLine, ...]:
        """Return the claims, named and one by one."""
        return claim_lines(self.claims, self.claim_descriptions, language)

    def is_valid_at(self, now: int) -> bool:
        """Whether `now` is within the card's own dates, and its delegation's if it has one.

        Status and anchor are not asked.
        """
        if self.delegated is not None and not (
            self.delegated.not_before <= now < self.delegated.expires_at
        ):
            return False
        return (self.not_before or 0) <= now and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCredential:
    """A credential as it is kept: the signed text, its key's handle, and how to anchor it.

    With a `delegation` (its signed text) the key is the delegate's, which the delegation names.
    `version` is the record's, 0 while it is not stored.
    """

    id: str
    credential_issuer: str
    configuration_id: str
    credential: str = field(repr=False)
    key_handle: str
    received_at: int
    names: tuple[Label, ...] = ()
    issuer_names: tuple[Label, ...] = ()
    claim_descriptions: tuple[ClaimDescription, ...] = ()
    anchor: CredentialAnchor | None = field(default=None, repr=False)
    receipt_state: ReceiptState = ReceiptState.NONE
    receipt: AnchorReceipt | None = field(default=None, repr=False)
    delegation: str | None = field(default=None, repr=False)
    version: int = 0
    format: str = SD_JWT_VC_FORMAT

    def contents(self) -> Contents:
        """Return what the credential says, which was verified before it was stored."""
        return contents_of(self.format, self.credential)

    def card(self) -> Card:
        """Return the card."""
        contents = self.contents()
        return Card(
            id=self.id,
            vct=contents.type,
            issuer=contents.issuer,
            credential_issuer=self.credential_issuer,
            claims=contents.claims,
            not_before=contents.not_before,
            expires_at=contents.expires_at,
            received_at=self.received_at,
            receipt_state=self.receipt_state,
            names=self.names,
            issuer_names=self.issuer_names,
            claim_descriptions=tuple(map(_of_person, self.claim_descriptions)),
            format=self.format,
            delegated=self._delegated(),
        )

    def parsed(self) -> SdJwt:
        """Return the SD-JWT of a card in that format, which was verified before it was stored."""
        return parse_sd_jwt(self.credential)

    def _delegated(self) -> DelegationClaims | None:
        if self.delegation is None:
            return None
        parsed = parse_sd_jwt(self.delegation)
        return parse_delegation_claims(parsed.process(parsed.jws.peek_claims()).claims)

    def warrant(self) -> HeldCredential:
        """Return the delegation as a credential of its own, on the same key and under this id."""
        if self.delegation is None:
            raise AssertionError("this is the holder's own")
        return replace(
            self,
            format=SD_JWT_VC_FORMAT,
            credential=self.delegation,
            delegation=None,
            names=DELEGATION_NAMES,
            claim_descriptions=(),
            anchor=None,
            receipt=None,
            receipt_state=ReceiptState.NONE,
        )

    def with_receipt(self, state: ReceiptState, receipt: AnchorReceipt | None) -> HeldCredential:
        """Return this credential with what is known of its anchoring."""
        return replace(self, receipt_state=state, receipt=receipt)


def _of_person(described: ClaimDescription) -> ClaimDescription:
    """Return a description by the place among the person's claims, where cards show them."""
    inside = len(described.path) > 1 and described.path[0] == SUBJECT
    return replace(described, path=described.path[1:]) if inside else described


def to_put(held: HeldCredential) -> Put:
    """Return the change that stores a credential over the version that it was read at."""
    anchor = held.anchor
    value = {
        "credential_issuer": held.credential_issuer,
        "configuration_id": held.configuration_id,
        "format": held.format,
        "credential": held.credential,
        "key_handle": held.key_handle,
        "received_at": held.received_at,
        "names": [label.to_json() for label in held.names],
        "issuer_names": [label.to_json() for label in held.issuer_names],
        "claims": [claim.to_json() for claim in held.claim_descriptions],
        "salt": None if anchor is None else base64url.encode(anchor.salt),
        "receipt_uri": None if anchor is None else anchor.receipt_uri,
        "receipt_state": held.receipt_state.value,
        "receipt": None if held.receipt is None else held.receipt.to_json(),
    }
    if held.delegation is not None:
        value["delegation"] = held.delegation
    return Put(KIND, held.id, to_json(value), expected_version=held.version)


def _from_record(record: Record) -> HeldCredential:
    value = parse_json_object(record.payload)
    anchor = None
    if value["salt"] is not None:
        anchor = CredentialAnchor(base64url.decode(value["salt"]), value["receipt_uri"])
    return HeldCredential(
        id=record.record_id,
        version=record.version,
        credential_issuer=value["credential_issuer"],
        configuration_id=value["configuration_id"],
        # Before there were other formats, the text stood under the name of its own.
        format=value.get("format", SD_JWT_VC_FORMAT),
        credential=value["credential"] if "credential" in value else value["sd_jwt"],
        key_handle=value["key_handle"],
        received_at=value["received_at"],
        names=_labels(value["names"]),
        issuer_names=_labels(value["issuer_names"]),
        claim_descriptions=tuple(
            ClaimDescription(tuple(item["path"]), _labels(item["display"]), item["mandatory"])
            for item in value["claims"]
        ),
        anchor=anchor,
        receipt_state=ReceiptState(value["receipt_state"]),
        receipt=None if value["receipt"] is None else parse_receipt(value["receipt"]),
        delegation=value.get("delegation"),
    )


def _labels(items: list[Any]) -> tuple[Label, ...]:
    return tuple(Label(item["name"], item["locale"], item.get("description")) for item in items)


class HeldCredentials:
    """The credentials in a record store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def all(self) -> tuple[HeldCredential, ...]:
        """Return the credentials, the oldest first."""
        found = [held_from_record(record) for record in self._records.list(KIND)]
        return tuple(sorted(found, key=self.age))

    @staticmethod
    def age(held: HeldCredential) -> tuple[int, str]:
        """Return what cards are ordered by, the oldest first."""
        return held.received_at, held.id

    def get(self, card_id: str) -> HeldCredential:
        """Return one. Raises `CardUnknown`."""
        try:
            record = self._records.get(KIND, card_id)
        except (RecordUnknown, ValueError):
            raise CardUnknown("there is no card with this id") from None
        return held_from_record(record)

    def update(self, held: HeldCredential) -> None:
        """Store a changed credential. Raises `RecordConflict` if it was changed or removed."""
        self._records.write(to_put(held))

    def remove(self, card_id: str) -> None:
        """Delete one. Raises `CardUnknown`."""
        try:
            self._records.write(Delete(KIND, card_id))
        except (RecordUnknown, ValueError):
            raise CardUnknown("there is no card with this id") from None


def held_from_record(record: Record) -> HeldCredential:
    """Return the credential of its record. Raises `StoreDamaged`."""
    # The store vouches for the bytes, so a failure here means another program wrote them.
    try:
        return _from_record(record)
    except (KeyError, TypeError, ValueError, SeoulWalletError) as error:
        raise StoreDamaged("a stored credential cannot be read") from error
