"""What the wallet gave to whom: its holder's own record, kept in the encrypted store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError
from wallet.ports.holder import Put, RecordStore, RecordUnknown, StoreDamaged

KIND: Final = "log"


class AlreadyPresented(ConflictError):
    """This request was answered before; a verifier takes each answer once."""

    code = "already_presented"


class LogOutcome(StrEnum):
    """What became of a presentation. `UNANSWERED` may have arrived: its verifier did not say."""

    UNANSWERED = "unanswered"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DisclosedCard:
    """One card that was shown: which claims left the wallet, by path. Values are not kept.

    `marks` are keyed digests by which presentations can be compared: see `linking`.
    """

    card_id: str
    vct: str
    paths: tuple[ClaimPath, ...]
    for_another: bool = False
    marks: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One presentation. `at` is unix seconds; `verifier_name` and `purpose` are its own words.

    `registration` is how the request stood to the public registry, `certificate` the name that was
    certified, `retention_days` for how long the verifier said it keeps what it saw.
    """

    id: str
    at: int
    verifier: str
    verifier_name: str
    purpose: str
    cards: tuple[DisclosedCard, ...]
    outcome: LogOutcome
    registration: str | None = None
    certificate: str | None = None
    retention_days: int | None = None


def entry_id(client_id: str, nonce: str) -> str:
    """Return the id of the log entry for one request: the same for the same request."""
    return base64url.encode(sha256(f"{client_id}\n{nonce}".encode()))


class PresentationLog:
    """The log in a record store."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def entries(self) -> tuple[LogEntry, ...]:
        """Return the entries, the oldest first."""
        found = [_entry(item.record_id, item.payload) for item in self._records.list(KIND)]
        return tuple(sorted(found, key=lambda entry: (entry.at, entry.id)))

    def begin(self, entry: LogEntry) -> None:
        """Note a presentation before it is sent. Raises `AlreadyPresented`.

        One whose verifier did not answer may be sent again.
        """
        expected_version = 0
        try:
            record = self._records.get(KIND, entry.id)
        except RecordUnknown:
            pass
        else:
            if _entry(entry.id, record.payload).outcome is not LogOutcome.UNANSWERED:
                raise AlreadyPresented("this request was answered before")
            expected_version = record.version
        self._records.write(_put(entry, expected_version))

    def finish(self, entry: LogEntry) -> None:
        """Note what became of it."""
        self._records.write(_put(entry, None))

    def arrived(self, entry_id: str) -> None:
        """Note that a presentation reached its verifier, where that was not known."""
        record = self._records.get(KIND, entry_id)
        entry = _entry(entry_id, record.payload)
        if entry.outcome is LogOutcome.UNANSWERED:
            accepted = replace(entry, outcome=LogOutcome.ACCEPTED)
            self._records.write(_put(accepted, record.version))


def _put(entry: LogEntry, expected_version: int | None) -> Put:
    value = {
        "at": entry.at,
        "verifier": entry.verifier,
        "verifier_name": entry.verifier_name,
        "purpose": entry.purpose,
        "outcome": entry.outcome.value,
        "registration": entry.registration,
        "certificate": entry.certificate,
        "retention_days": entry.retention_days,
        "cards": [
            {
                "card_id": card.card_id,
                "vct": card.vct,
                "paths": card.paths,
                "for_another": card.for_another,
                "marks": card.marks,
            }
            for card in entry.cards
        ],
    }
    return Put(KIND, entry.id, to_json(value), expected_version)


def _entry(record_id: str, payload: bytes) -> LogEntry:
    try:
        value = parse_json_object(payload)
        return LogEntry(
            record_id,
            value["at"],
            value["verifier"],
            value["verifier_name"],
            value["purpose"],
            tuple(_card(item) for item in value["cards"]),
            LogOutcome(value["outcome"]),
            value.get("registration"),
            value.get("certificate"),
            value.get("retention_days"),
        )
    except (KeyError, TypeError, ValueError, MalformedError) as error:
        raise StoreDamaged("a log entry cannot be read") from error


def _card(item: dict[str, Any]) -> DisclosedCard:
    paths: Sequence[Sequence[str | int]] = item["paths"]
    return DisclosedCard(
        item["card_id"],
        item["vct"],
        tuple(tuple(path) for path in paths),
        item.get("for_another", False),
        tuple(item.get("marks", ())),
    )
