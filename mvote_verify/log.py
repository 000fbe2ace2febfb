"""`log.bin`: entries, their order and the form of their payloads. Section 9, check V2."""

import itertools
import mmap
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from mvote_verify import forms
from mvote_verify.encodings import BYTES, TEXT, UNSIGNED, read_cbor_map
from mvote_verify.failures import Malformed, Refused
from mvote_verify.limits import MAX_ENTRIES, MAX_ENTRY_BYTES
from mvote_verify.statements import Statement, parse_statement
from mvote_verify.tree import leaf_hash

ROUNDS = ("dkg_commit", "dkg_reveal", "dkg_shares", "dkg_verdict")

_H32 = forms.hexadecimal(32)
_COUNT = forms.integer(0)
_REJECTION = forms.record(submission=_H32, code=forms.text(1, 100))
STATEMENT_FORMS: dict[str, dict[str, forms.Form]] = {
    "election_key": {
        "manifest": _H32,
        "key": forms.point,
        "qualified": forms.listing(forms.integer(1, 32), 1, 32),
        "verification_keys": forms.listing(forms.point, 1, 32),
        "election": _H32,
    },
    "rejections": {"election": _H32, "rejections": forms.listing(_REJECTION, 1, 1000)},
    "close": {"election": _H32, "ballots": _COUNT, "counted": _COUNT, "counted_root": _H32},
    "batch": {
        "election": _H32,
        "officer": forms.integer(),
        "number": forms.integer(),
        "source": forms.text(),
        "stratum": forms.text(),
        "ballots": forms.integer(),
        "totals": forms.listing(forms.integer(), 0, 500),
    },
    "end": {"election": _H32, "batches": _COUNT},
}
"""Members of the bodies, besides `kind`; the bounds of a batch are check V13's."""

_STAGES = {
    "manifest": 0,
    **{kind: stage for stage, kind in enumerate(ROUNDS, 1)},
    "election_key": 5,
    "ballot": 6,
    "rejections": 6,
    "close": 7,
    "batch": 8,
    "end": 9,
}
_ONCE = {"manifest", "election_key", "close", "end"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an entry lies in the file. `hash` is its leaf."""

    index: int
    kind: str
    offset: int
    length: int
    hash: bytes


@dataclass(slots=True)
class Log:
    """The log of a record in the right order; statements are of the right form, unverified."""

    entries: list[Entry]
    statements: dict[int, Statement] = field(default_factory=dict)
    bodies: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What the statements of `STATEMENT_FORMS` say, by index."""
    payloads: dict[int, bytes] = field(default_factory=dict)
    """Payloads of all entries but ballots, by index."""

    def of(self, *kinds: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind in kinds]

    def only(self, kind: str) -> Entry:
        return self.of(kind)[0]


class LogFile:
    """The bytes of `log.bin`, mapped; a context manager. Raises `OSError` if there are none."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._empty = not path.stat().st_size
            self._map = (
                None if self._empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            )

    def __enter__(self) -> "LogFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._map is not None:
            self._map.close()

    def read(self, offset: int, length: int) -> bytes:
        return b"" if self._map is None else self._map[offset : offset + length]

    @property
    def size(self) -> int:
        return 0 if self._map is None else len(self._map)


def payload_of(entry: bytes, index: int) -> tuple[str, bytes]:
    """Kind and payload of an entry; raises `Refused`."""
    try:
        number, kind, payload = read_cbor_map(entry, (UNSIGNED, TEXT, BYTES))
    except Malformed as error:
        raise Refused("log_malformed", f"entry {index}: {error}") from None
    if number != index:
        raise Refused("log_order", f"entry {index} says that it is number {number}")
    return kind, payload


def first_payload(file: LogFile) -> bytes:
    """The payload of entry 0, which is the manifest; raises `Refused`."""
    _, start, length = _next(file, 0)
    kind, payload = payload_of(file.read(start, length), 0)
    if kind != "manifest":
        raise Refused("log_order", "entry 0 is not the manifest")
    return payload


def read_log(file: LogFile) -> Log:
    """All entries. Raises `Refused` with `log_malformed` or `log_order`."""
    return _read_until(file, "end")


def read_beginning(file: LogFile) -> Log:
    """The entries up to the election key; what follows is not read. Raises as `read_log`."""
    return _read_until(file, "election_key")


def _read_until(file: LogFile, last: str) -> Log:
    log = Log([])
    at, stage = 0, -1
    while at < file.size and (last == "end" or stage != _STAGES[last]):
        index = len(log.entries)
        if index >= MAX_ENTRIES:
            raise Refused("log_malformed", f"more than {MAX_ENTRIES} entries")
        at, start, length = _next(file, at)
        data = file.read(start, length)
        kind, payload = payload_of(data, index)
        stage = _next_stage(stage, kind, index)
        log.entries.append(Entry(index, kind, start, length, leaf_hash(data)))
        if kind != "ballot":
            log.payloads[index] = payload
            _read_statement(log, index, kind, payload)
    if stage != _STAGES[last]:
        raise Refused("log_order", f"the last entry is not `{last}`")
    return log


def _next(file: LogFile, at: int) -> tuple[int, int, int]:
    """Where the next entry begins, where this one begins, and its length."""
    length = int.from_bytes(file.read(at, 4))
    start = at + 4
    if start > file.size or start + length > file.size:
        raise Refused("log_malformed", "the log is cut short")
    if length > MAX_ENTRY_BYTES:
        raise Refused("log_malformed", "an entry is longer than 512 KiB")
    return start + length, start, length


def _next_stage(stage: int, kind: str, index: int) -> int:
    """The stage of this kind, if it may follow."""
    if kind not in _STAGES:
        raise Refused("log_order", f"entry {index} is of no known kind")
    new = _STAGES[kind]
    repeats = new == stage and kind in _ONCE
    leaps = any(stage < _STAGES[once] < new for once in ("manifest", "election_key", "close"))
    if new < stage or repeats or leaps:
        raise Refused("log_order", f"entry {index} ({kind}) is out of order")
    return new


def _read_statement(log: Log, index: int, kind: str, payload: bytes) -> None:
    if kind == "manifest":
        return
    try:
        statement = parse_statement(payload, kind)
        if kind in STATEMENT_FORMS:
            log.bodies[index] = statement.read(STATEMENT_FORMS[kind])
    except Malformed as error:
        raise Refused("log_malformed", f"entry {index}: {error}") from None
    log.statements[index] = statement
    if kind == "rejections":
        _check_ascending(log.bodies[index], index)


def _check_ascending(body: dict[str, Any], index: int) -> None:
    # Bytes that were sent twice may have been refused for two reasons.
    named = [(listed["submission"], listed["code"]) for listed in body["rejections"]]
    if any(a >= b for a, b in itertools.pairwise(named)):
        raise Refused("log_malformed", f"entry {index}: rejections do not ascend")
