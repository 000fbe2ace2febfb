"""The format of an export: records of a wallet, sealed one by one under a recovery secret.

    header   magic, version (2 bytes), salt (16), key check (32), checksum (8)
    record   "R", length (4 bytes), sealed: kind, id, payload, padded
    end      "E", length (4 bytes), sealed: how many records there were (8 bytes)

Each frame has a key of its own, derived from the secret, the salt and the frame's number, and
authenticates the header, its number and its letter: frames cannot be exchanged, left out, added
or taken from another export, and a file that ends without "E" is incomplete. It is no archive:
there are no file names in it, and nothing in it says where to write.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from wallet.crypto.sealing import NONCE_BYTES, TAG_BYTES, RootKey, SealBroken
from wallet.errors import MalformedError, RejectedError, UnsupportedError

MAGIC: Final = b"seoul-wallet-export\n"
VERSION: Final = 1
MAX_PAYLOAD_BYTES: Final = 1024 * 1024
MAX_NAME_BYTES: Final = 512
MAX_EXPORTED_RECORDS: Final = 100_000
PADDING_BYTES: Final = 256
_SALT_BYTES: Final = 16
_CHECK_BYTES: Final = 32
_SUM_BYTES: Final = 8
_LENGTH_BYTES: Final = 4
_COUNT_BYTES: Final = 8
_HEADER_BYTES: Final = len(MAGIC) + 2 + _SALT_BYTES + _CHECK_BYTES + _SUM_BYTES
_MAX_SEALED_BYTES: Final = MAX_PAYLOAD_BYTES + 2 * MAX_NAME_BYTES + 2 * PADDING_BYTES
_RECORD: Final = b"R"
_END: Final = b"E"


class ExportMalformed(MalformedError):
    """The file is no export of a wallet."""

    code = "export_malformed"


class ExportVersionUnknown(UnsupportedError):
    """The export was made by a version of this program that writes another format."""

    code = "export_version_unknown"


class ExportTruncated(RejectedError):
    """The export ends too early: it was not written, or not copied, to its end."""

    code = "export_truncated"


class ExportDamaged(RejectedError):
    """The export is not what was written: altered, reordered, or mixed with another."""

    code = "export_damaged"


class ExportPhraseWrong(RejectedError):
    """The export is of another recovery phrase."""

    code = "export_phrase_wrong"


@dataclass(frozen=True, slots=True)
class ExportedRecord:
    """One record of an export."""

    kind: str
    record_id: str
    payload: bytes = field(repr=False)


def write_export(secret: bytes, records: Iterable[ExportedRecord]) -> Iterator[bytes]:
    """Return the pieces of an export under `secret` (32 bytes), to be written in this order."""
    root = RootKey(secret)
    salt = secrets.token_bytes(_SALT_BYTES)
    plain = MAGIC + VERSION.to_bytes(2, "big") + salt
    plain += _key_check(root, plain)
    header = plain + _checksum(plain)
    yield header
    count = 0
    for record in records:
        yield _sealed(root, header, count, _RECORD, _pack(record))
        count += 1
    yield _sealed(root, header, count, _END, count.to_bytes(_COUNT_BYTES, "big"))


def read_export(secret: bytes, read: Callable[[int], bytes]) -> Iterator[ExportedRecord]:
    """Return the records of an export one by one, in the order in which they were written.

    `read(n)` returns up to n bytes, fewer only at the end. At most one record is in memory. What
    comes out is genuine, but is *all* there was only if the iterator ends without an error: use
    nothing before that. Raises `ExportMalformed`, `ExportVersionUnknown`, `ExportPhraseWrong`,
    `ExportTruncated`, `ExportDamaged`.
    """
    root = RootKey(secret)
    header = _read_header(root, read)
    for number in range(MAX_EXPORTED_RECORDS + 1):
        letter, plaintext = _read_frame(root, header, number, read)
        if letter == _END:
            if plaintext != number.to_bytes(_COUNT_BYTES, "big") or read(1):
                raise ExportDamaged("the export does not end where it says")
            return
        yield _unpack(plaintext)
    raise ExportDamaged(f"an export has at most {MAX_EXPORTED_RECORDS} records")


def _read_header(root: RootKey, read: Callable[[int], bytes]) -> bytes:
    start = read(len(MAGIC) + 2)
    if not start.startswith(MAGIC):
        raise ExportMalformed("the file is no export of a wallet")
    if len(start) < len(MAGIC) + 2:
        raise ExportTruncated("the export ends in its header")
    version = int.from_bytes(start[len(MAGIC) :], "big")
    if version != VERSION:
        raise ExportVersionUnknown(f"the export has version {version}, not {VERSION}")
    header = start + _exactly(read, _HEADER_BYTES - len(start))
    plain, checksum = header[:-_SUM_BYTES], header[-_SUM_BYTES:]
    # Without a key: it tells an accident from a wrong phrase, and stops nobody.
    if checksum != _checksum(plain):
        raise ExportDamaged("the header of the export was altered")
    named, check = plain[:-_CHECK_BYTES], plain[-_CHECK_BYTES:]
    if not hmac.compare_digest(check, _key_check(root, named)):
        raise ExportPhraseWrong("the recovery phrase is not the one of this export")
    return header


def _read_frame(
    root: RootKey, header: bytes, number: int, read: Callable[[int], bytes]
) -> tuple[bytes, bytes]:
    start = _exactly(read, 1 + _LENGTH_BYTES)
    letter, length = start[:1], int.from_bytes(start[1:], "big")
    if letter not in (_RECORD, _END):
        raise ExportDamaged("the export has a frame of no kind")
    if not NONCE_BYTES + TAG_BYTES <= length <= _MAX_SEALED_BYTES:
        raise ExportDamaged("the export has a frame of an impossible length")
    context = _context(header, number, letter)
    try:
        plaintext = root.unseal(_exactly(read, length), context=context, associated_data=header)
    except SealBroken:
        raise ExportDamaged("the export was altered, reordered or mixed with another") from None
    return letter, plaintext


def _exactly(read: Callable[[int], bytes], length: int) -> bytes:
    found = read(length)
    if len(found) != length:
        raise ExportTruncated("the export ends too early")
    return found


def _sealed(root: RootKey, header: bytes, number: int, letter: bytes, plaintext: bytes) -> bytes:
    context = _context(header, number, letter)
    sealed = root.seal(plaintext, context=context, associated_data=header)
    return letter + len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed


def _context(header: bytes, number: int, letter: bytes) -> bytes:
    """The derivation context of a frame; every part has a fixed length, the header is unique."""
    return b"seoul-wallet;export;" + header + number.to_bytes(_COUNT_BYTES, "big") + letter


def _key_check(root: RootKey, plain: bytes) -> bytes:
    return root.digest(b"seoul-wallet;export-key-check", plain)


def _checksum(plain: bytes) -> bytes:
    return sha256(plain).digest()[:_SUM_BYTES]


def _pack(record: ExportedRecord) -> bytes:
    parts = (record.kind.encode("utf-8"), record.record_id.encode("utf-8"), record.payload)
    plain = b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)
    return plain + bytes(-len(plain) % PADDING_BYTES)


def _unpack(plaintext: bytes) -> ExportedRecord:
    parts = []
    position = 0
    for limit in (MAX_NAME_BYTES, MAX_NAME_BYTES, MAX_PAYLOAD_BYTES):
        start = position + _LENGTH_BYTES
        length = int.from_bytes(plaintext[position:start], "big")
        position = start + length
        if length > limit or position > len(plaintext):
            raise ExportDamaged("a record of the export has no form")
        parts.append(plaintext[start:position])
    try:
        kind, record_id = parts[0].decode("utf-8"), parts[1].decode("utf-8")
    except UnicodeDecodeError:
        raise ExportDamaged("a record of the export has no name") from None
    if not kind or not record_id:
        raise ExportDamaged("a record of the export has no name")
    return ExportedRecord(kind, record_id, parts[2])
