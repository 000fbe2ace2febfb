"""What a holder's wallet needs: a place for its records, one for its keys, and a way to talk."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from wallet.crypto.keys import PublicKey
from wallet.errors import ConflictError, MalformedError, RejectedError, UnavailableError


class RecordUnknown(ConflictError):
    """There is no such record."""

    code = "record_unknown"


class RecordConflict(ConflictError):
    """The record has another version than expected, or exists although it should not."""

    code = "record_conflict"


class StoreExists(ConflictError):
    """A new store was to be made where something is already."""

    code = "store_exists"


class StoreMissing(ConflictError):
    """There is no store at this place."""

    code = "store_missing"


class PassphraseTooShort(MalformedError):
    """A passphrase below the least length."""

    code = "passphrase_too_short"


class PassphraseWrong(RejectedError):
    """The passphrase does not open this store."""

    code = "passphrase_wrong"


class StoreDamaged(RejectedError):
    """What is at rest is not what was written: altered, exchanged, rolled back or cut off."""

    code = "store_damaged"


class StoreTooWeak(RejectedError):
    """The store's stored key derivation is weaker than the floor, or absurdly strong."""

    code = "store_too_weak"


class StoreFull(RejectedError):
    """A record is too large, or there are too many."""

    code = "store_full"


class StoreUnavailable(UnavailableError):
    """The store cannot be read or written just now: locked, disk full, no permission."""

    code = "store_unavailable"


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """A record as stored. `version` grows with every change and is never used twice."""

    kind: str
    record_id: str
    version: int
    payload: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Put:
    """Write a record. `expected_version` 0 means that it must be new, None that it may be any."""

    kind: str
    record_id: str
    payload: bytes
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a record, which must exist."""

    kind: str
    record_id: str


Change: TypeAlias = Put | Delete


class RecordStore(Protocol):
    """Keeps opaque records by (kind, id), encrypted at rest.

    What is durable is a matter of `write`: when it returns, the changes survive a crash. Every
    method raises `StoreUnavailable`, and `StoreDamaged` rather than ever returning wrong data.
    """

    @property
    def counter(self) -> int:
        """The number of writes so far; grows with every one."""

    @property
    def count(self) -> int:
        """The number of records there are, of all kinds."""

    def get(self, kind: str, record_id: str) -> Record:
        """Return the record. Raises `RecordUnknown`."""

    def list(self, kind: str) -> Sequence[Record]:
        """Return the records of a kind in the order of their last change."""

    def stamps(self, kind: str) -> Mapping[bytes, int]:
        """Return the version of every record of a kind by an opaque name; reads no record.

        A name stays a record's for as long as it is there, in this store alone.
        """

    def read(self, kind: str, names: Sequence[bytes]) -> Sequence[Record]:
        """Return the records of these opaque names, in their order. Raises `RecordUnknown`."""

    def write(self, *changes: Change) -> None:
        """Make all changes or none, in one durable step.

        No record may occur twice. Raises `RecordConflict` (another version), `RecordUnknown`
        (deleting what is not there), `StoreFull`.
        """

    def together(self) -> AbstractContextManager[None]:
        """Make one durable step of all that is written inside the block, at its end.

        An error that leaves the block undoes all of it. Other threads wait meanwhile: no network
        and no person inside.
        """


class HeldKeyUnknown(ConflictError):
    """There is no key with this handle."""

    code = "held_key_unknown"


class KeyStoreUnavailable(UnavailableError):
    """The key cannot be used just now: the device is locked, or its person did not agree."""

    code = "key_store_unavailable"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key in a key store: the handle to use it by, and its public half."""

    handle: str
    public_key: PublicKey


class KeyStore(Protocol):
    """Makes and uses private keys without ever giving one away.

    The shape is that of Secure Enclave, StrongBox and PKCS#11: keys are made inside and named by
    handle. Every method raises `KeyStoreUnavailable`.
    """

    def generate(self) -> HeldKey:
        """Make a new P-256 key (ES256) that is durable when this returns."""

    def find(self, handle: str) -> HeldKey:
        """Return the key's public half. Raises `HeldKeyUnknown`."""

    def sign(self, handle: str, data: bytes) -> bytes:
        """Return the JOSE signature over `data`, r || s. Raises `HeldKeyUnknown`."""

    def delete(self, handle: str) -> None:
        """Destroy the key. Raises `HeldKeyUnknown`."""


class PeerUnreachable(UnavailableError):
    """The issuer or verifier does not answer: no connection, not in time, or far too much."""

    code = "peer_unreachable"


class UrlRefused(RejectedError):
    """The wallet does not open this URL: not https, or an address that is not public."""

    code = "url_refused"


class RedirectRefused(RejectedError):
    """The answer was a redirect, which the wallet never follows (OpenID4VP §14)."""

    code = "redirect_refused"


@dataclass(frozen=True, slots=True, repr=False)
class HttpAnswer:
    """An HTTP answer as it came; `content_type` is the media type in lower case, no parameters.

    The names of `headers` are in lower case.
    """

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class HolderTransport(Protocol):
    """The HTTP that a wallet speaks. Knows nothing of what it carries.

    No method follows a redirect, sends a cookie or tells who is asking. All raise
    `PeerUnreachable`, `UrlRefused` and `RedirectRefused`; every other status is for the caller to
    judge.
    """

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        """GET a resource."""

    def post(self, url: str) -> HttpAnswer:
        """POST nothing."""

    def post_form(self, url: str, form: bytes, *, accept: str = "application/json") -> HttpAnswer:
        """POST an encoded form as `application/x-www-form-urlencoded`."""

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        """POST `application/json` with an access token."""

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        """POST a body with headers of its own."""
