"""Moving a wallet to another device: its recovery phrase, and exports under it.

The phrase's secret is kept in the encrypted store, so that an export can be made at any time; it
is not in the exports. An export holds the wallet as it is, keys included: see ADR 0016.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from wallet.crypto.recovery_phrase import (
    ENTROPY_BYTES,
    PhraseLanguage,
    RecoveryPhrase,
    generate_recovery_phrase,
)
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import ConflictError, MalformedError, UnavailableError
from wallet.holder import (
    card_index,
    cards,
    copies,
    decision_records,
    delegations,
    discovery,
    given,
    handles,
    intents,
    log,
    pictures,
    votes,
)
from wallet.holder.export_format import (
    ExportDamaged,
    ExportedRecord,
    read_export,
    write_export,
)
from wallet.holder.voting_secrets import VOTING_SECRET_KIND
from wallet.ports.holder import (
    Delete,
    Put,
    Record,
    RecordConflict,
    RecordStore,
    RecordUnknown,
    StoreDamaged,
)

KIND: Final = "recovery"
OLD_KIND: Final = "recovery_before"
KEY_KIND: Final = "key"  # of a key store that keeps its keys as records
SETTINGS_KIND: Final = "settings"
HOLDING_KIND: Final = "holding"
DEVICE_KIND: Final = "device"
# What belongs to this device, is made anew, or opens the export. `export` notices a kind that is
# in neither.
LEFT_OUT_KINDS: Final = (KIND, DEVICE_KIND, card_index.KIND)
EXPORTED_KINDS: Final = (
    KEY_KIND,
    cards.KIND,
    copies.KIND,
    intents.KIND,
    intents.GRANT_KIND,
    handles.NYM_BLIND_KIND,
    log.KIND,
    given.KIND,
    delegations.INVITATION_KIND,
    discovery.KIND,
    decision_records.KIND,
    votes.KIND,
    pictures.KIND,
    VOTING_SECRET_KIND,
    SETTINGS_KIND,
    HOLDING_KIND,
    OLD_KIND,
)
RECORDS_PER_WRITE: Final = 200
# A name of our own: what a crash left behind under it is deleted by the next export.
UNFINISHED: Final = ".unfinished-wallet-export"
_ID: Final = "phrase"


class RecoveryPhraseMissing(ConflictError):
    """The wallet has no recovery phrase yet."""

    code = "recovery_phrase_missing"


class RecoveryPhraseExists(ConflictError):
    """The wallet has a recovery phrase already, which its exports and shares are of."""

    code = "recovery_phrase_exists"


class ExportExists(ConflictError):
    """There is something at the path of the new export already."""

    code = "export_exists"


class ExportUnavailable(UnavailableError):
    """The export cannot be read or written just now."""

    code = "export_unavailable"


@dataclass(frozen=True, slots=True)
class _Kept:
    """The secret as it is stored; `language` is None until somebody was shown its words."""

    entropy: bytes = field(repr=False)
    language: PhraseLanguage | None
    version: int


class Recovery:
    """The recovery phrase of a store, and exports of it.

    The secret of the phrase is there before anyone asked for the words: issuers are told a key of
    it when they issue.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def create_phrase(self, language: PhraseLanguage) -> RecoveryPhrase:
        """See `Wallet.create_recovery_phrase`."""
        secret = self.secret()
        kept = self._read()
        if kept is None or kept.language is not None:
            raise RecoveryPhraseExists("the wallet has a recovery phrase already")
        try:
            self._records.write(_put(secret, language, kept.version))
        except RecordConflict:
            raise RecoveryPhraseExists("the wallet has a recovery phrase already") from None
        return RecoveryPhrase(secret, language)

    def phrase(self) -> RecoveryPhrase:
        """See `Wallet.recovery_phrase`."""
        kept = self._read()
        if kept is None or kept.language is None:
            raise RecoveryPhraseMissing("the wallet has no recovery phrase yet")
        return RecoveryPhrase(kept.entropy, kept.language)

    def secret(self) -> bytes:
        """Return the 32 bytes of the phrase, made now if there are none."""
        kept = self._read()
        if kept is not None:
            return kept.entropy
        made = generate_recovery_phrase(PhraseLanguage.KOREAN).entropy
        try:
            self._records.write(_put(made, None, 0))
        except RecordConflict:
            return self.secret()
        return made

    def secret_for(self, issuer: str) -> bytes:
        """Return the secret that an issuer knows a key of: the one before, until it was told."""
        before = self._old(issuer)
        return self.secret() if before is None else base64url.decode(before)

    def replace(self, phrase: RecoveryPhrase, issuers: frozenset[str]) -> None:
        """Let `phrase` be the recovery phrase; keep the secret before for `issuers`.

        One step of the store. An issuer that has not heard of the last phrase keeps the one that
        it knows.
        """
        secret, kept = self.secret(), self._read()
        if kept is None or phrase.entropy == secret:
            return
        known = {record.record_id for record in self._records.list(OLD_KIND)}
        value = base64url.encode(secret)
        self._records.write(
            _put(phrase.entropy, phrase.language, kept.version),
            *(
                Put(OLD_KIND, _name(issuer), to_json({"issuer": issuer, "entropy": value}), 0)
                for issuer in sorted(issuers)
                if _name(issuer) not in known
            ),
        )

    def issuers_of_old(self) -> tuple[str, ...]:
        """Return the issuers that have yet to be told of the phrase."""
        return tuple(sorted(_old_value(item)["issuer"] for item in self._records.list(OLD_KIND)))

    def forget_old(self, issuer: str) -> None:
        """Note that an issuer was told."""
        if self._old(issuer) is not None:
            self._records.write(Delete(OLD_KIND, _name(issuer)))

    def _old(self, issuer: str) -> str | None:
        try:
            return _old_value(self._records.get(OLD_KIND, _name(issuer)))["entropy"]
        except RecordUnknown:
            return None

    def _read(self) -> _Kept | None:
        try:
            record = self._records.get(KIND, _ID)
            value = parse_json_object(record.payload)
            entropy = base64url.decode(value["entropy"])
            language = None if value["language"] is None else PhraseLanguage(value["language"])
        except RecordUnknown:
            return None
        except (KeyError, TypeError, ValueError, MalformedError) as error:
            raise StoreDamaged("the recovery phrase cannot be read") from error
        if len(entropy) != ENTROPY_BYTES:
            raise StoreDamaged("the recovery phrase cannot be read")
        return _Kept(entropy, language, record.version)

    def export(self, path: Path) -> int:
        """See `Wallet.export`."""
        secret = self.phrase().entropy
        before = self._records.counter
        found = [
            ExportedRecord(record.kind, record.record_id, record.payload)
            for kind in EXPORTED_KINDS
            for record in self._records.list(kind)
        ]
        if self._records.counter != before:
            raise RecordConflict("the wallet was changed while it was exported")
        # A kind of record that is not exported must not be lost in silence.
        left_out = sum(len(self._records.list(kind)) for kind in LEFT_OUT_KINDS)
        if self._records.count != len(found) + left_out:
            raise StoreDamaged("the wallet has records of a kind that is not exported")
        write_new_file(path, write_export(secret, found))
        return len(found)


def restore_records(
    records: RecordStore, phrase: RecoveryPhrase, read: Callable[[int], bytes]
) -> int:
    """Write the records of an export, and the phrase, into an empty store; return how many.

    The store is of no use if this raises: make it so that it appears only afterwards. Raises as
    `read_export` does, and `ExportUnavailable`.
    """
    count = 0
    seen: set[tuple[str, str]] = set()
    records.write(_put(phrase.entropy, phrase.language, 0))
    for batch in _batches(read_export(phrase.entropy, _reading(read)), RECORDS_PER_WRITE):
        for record in batch:
            name = (record.kind, record.record_id)
            if name in seen or record.kind not in EXPORTED_KINDS:
                raise ExportDamaged("a record of the export is there twice, or of no kind")
            seen.add(name)
        records.write(*(Put(item.kind, item.record_id, item.payload, 0) for item in batch))
        count += len(batch)
    return count


def write_new_file(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that only its owner may read, and that appears complete or not at all.

    Raises `ExportExists`, `ExportUnavailable`.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        unfinished.unlink(missing_ok=True)
        if path.exists():
            raise ExportExists("there is something at this path already")
        try:
            descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            _appear(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise ExportUnavailable("the export cannot be written just now") from error


def _appear(unfinished: Path, path: Path) -> None:
    """Give a finished file its name, which must be free."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise ExportExists("there is something at this path already") from None
    except OSError:
        # No hard links, as on the file systems of memory sticks: not safe against a second
        # program that chooses the same name in this very moment.
        if path.exists():
            raise ExportExists("there is something at this path already") from None
        unfinished.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _batches(records: Iterator[ExportedRecord], size: int) -> Iterator[list[ExportedRecord]]:
    while batch := list(islice(records, size)):
        yield batch


def _reading(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def typed(length: int) -> bytes:
        try:
            return read(length)
        except OSError as error:
            raise ExportUnavailable("the export cannot be read just now") from error

    return typed


def _name(issuer: str) -> str:
    return sha256(issuer.encode("utf-8")).hexdigest()


def _old_value(record: Record) -> dict[str, str]:
    try:
        value = parse_json_object(record.payload)
        if len(base64url.decode(value["entropy"])) != ENTROPY_BYTES:
            raise StoreDamaged("a recovery secret cannot be read")
        return {name: str(value[name]) for name in ("issuer", "entropy")}
    except (KeyError, TypeError, MalformedError) as error:
        raise StoreDamaged("a recovery secret cannot be read") from error


def _put(secret: bytes, language: PhraseLanguage | None, version: int) -> Put:
    value = {
        "entropy": base64url.encode(secret),
        "language": None if language is None else language.value,
    }
    return Put(KIND, _ID, to_json(value), expected_version=version)
