"""What the board and the officers signed: checkpoints, close, end, batches. V3, V11–V13."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mvote_verify import forms
from mvote_verify.ballots import Ballot, counted_ballots
from mvote_verify.failures import Malformed, Refused
from mvote_verify.limits import MAX_CHECKPOINT_BYTES, MAX_CHECKPOINTS, MAX_JSON_BYTES
from mvote_verify.log import Log
from mvote_verify.manifest import Manifest
from mvote_verify.statements import parse_statement
from mvote_verify.tree import leaf_hash, root_of, roots_at

_CHECKPOINT: dict[str, forms.Form] = {
    "election": forms.hexadecimal(32),
    "number": forms.integer(),
    "size": forms.integer(0),
    "root": forms.hexadecimal(32),
    "time": forms.integer(),
}
SOURCES = ("paper", "on_site", "survey")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    number: int
    size: int
    root: bytes
    time: int


def read_checkpoints(path: Path, manifest: Manifest, election: bytes) -> list[Checkpoint]:
    """The first half of V3: form, signatures, order. Raises `Refused`, `OSError`."""
    if path.stat().st_size > MAX_CHECKPOINT_BYTES:
        raise Refused("checkpoint_signature", "the file is too large")
    checkpoints: list[Checkpoint] = []
    with path.open("rb") as lines:
        while line := lines.readline(MAX_JSON_BYTES):
            if len(checkpoints) >= MAX_CHECKPOINTS:
                raise Refused("checkpoint_order", f"more than {MAX_CHECKPOINTS} checkpoints")
            number = len(checkpoints) + 1
            checkpoints.append(_checkpoint(line, number, manifest, election))
            _check_follows(checkpoints, manifest)
    if not checkpoints:
        raise Refused("log_not_covered", "there is no checkpoint")
    return checkpoints


def _checkpoint(line: bytes, number: int, manifest: Manifest, election: bytes) -> Checkpoint:
    try:
        if not line.endswith(b"\n"):
            raise Malformed("the line does not end")
        statement = parse_statement(line[:-1], "checkpoint")
        body = statement.read(_CHECKPOINT)
        if body["election"] != election:
            raise Malformed("of another election")
    except Malformed as error:
        raise Refused("checkpoint_signature", f"checkpoint {number}: {error}") from None
    if not statement.signed_by(manifest.board_key):
        raise Refused("checkpoint_signature", f"the board did not sign checkpoint {number}")
    return Checkpoint(body["number"], body["size"], body["root"], body["time"])


def _check_follows(checkpoints: Sequence[Checkpoint], manifest: Manifest) -> None:
    this = checkpoints[-1]
    if this.number != len(checkpoints):
        raise Refused("checkpoint_order", f"checkpoint {len(checkpoints)} has another number")
    if len(checkpoints) == 1:
        if this.time < manifest.fields["opens"]:
            raise Refused("checkpoint_order", "the first is before the opening")
        return
    before = checkpoints[-2]
    if this.size < before.size or this.time < before.time:
        raise Refused("checkpoint_order", f"size or time of checkpoint {this.number} shrinks")


def check_roots(checkpoints: Sequence[Checkpoint], log: Log) -> None:
    """The second half of V3: the roots are those of the log, and the last covers all of it."""
    size = len(log.entries)
    beyond = [checkpoint.number for checkpoint in checkpoints if checkpoint.size > size]
    if beyond:
        raise Refused("root_differs", f"checkpoint {beyond[0]} is of a longer log")
    hashes = [entry.hash for entry in log.entries]
    roots = roots_at(hashes, [checkpoint.size for checkpoint in checkpoints])
    for checkpoint, root in zip(checkpoints, roots, strict=True):
        if checkpoint.root != root:
            raise Refused("root_differs", f"checkpoint {checkpoint.number}")
    if checkpoints[-1].size != size:
        raise Refused("log_not_covered", f"{checkpoints[-1].size} of {size} entries")


def check_window(checkpoints: Sequence[Checkpoint], log: Log, manifest: Manifest) -> None:
    """V11: ballots come between the opening and the end of the grace."""
    opens = manifest.fields["opens"]
    ends = manifest.fields["closes"] + manifest.fields["grace_s"]
    close = log.only("close").index
    # Ballots lie between the election key and the close, with rejections among them.
    is_ballot = [entry.kind == "ballot" for entry in log.entries]
    size, late = 0, False
    for checkpoint in checkpoints:
        adds = any(is_ballot[size : checkpoint.size])
        if adds and not opens <= checkpoint.time <= ends:
            detail = f"checkpoint {checkpoint.number} adds ballots"
            raise Refused("ballot_outside_window", detail)
        if checkpoint.time >= ends and not late:
            late = True
            if checkpoint.size <= close:
                detail = f"checkpoint {checkpoint.number} does not include the close"
                raise Refused("ballot_outside_window", detail)
        size = checkpoint.size


def check_close(log: Log, ballots: Sequence[Ballot], manifest: Manifest, election: bytes) -> None:
    """V12: rejections, close and end."""
    for entry in log.of("rejections", "close", "end"):
        if not log.statements[entry.index].signed_by(manifest.board_key):
            raise Refused("statement_signature", f"the board did not sign entry {entry.index}")
        if entry.kind == "rejections" and log.bodies[entry.index]["election"] != election:
            raise Refused("statement_signature", f"entry {entry.index} is of another election")
    close = log.bodies[log.only("close").index]
    counted = counted_ballots(ballots)
    found = {
        "election": election,
        "ballots": len(ballots),
        "counted": len(counted),
        "counted_root": root_of(leaf_hash(ballot.digest) for ballot in counted),
    }
    _compare(close, found, "close_differs")
    end = log.bodies[log.only("end").index]
    _compare(end, {"election": election, "batches": len(log.of("batch"))}, "end_differs")


def _compare(body: dict[str, Any], found: dict[str, Any], code: str) -> None:
    for name, value in found.items():
        if body[name] != value:
            raise Refused(code, name)


@dataclass(slots=True)
class BatchSum:
    """What the batches of one stratum value sum up to."""

    ballots: int
    totals: list[int]


def check_batches(log: Log, manifest: Manifest, election: bytes) -> dict[str, BatchSum]:
    """V13; gives the sums by stratum value."""
    officers = manifest.fields["batch_officers"]
    zeros = [0] * len(manifest.projects)
    sums = {value: BatchSum(0, zeros[:]) for s in manifest.strata for value in s.members}
    last: dict[int, int] = {}
    for entry in log.of("batch"):
        body, where = log.bodies[entry.index], f"entry {entry.index}"
        officer = body["officer"]
        if not 1 <= officer <= len(officers):
            raise Refused("batch_signature", f"{where} names no officer of the manifest")
        key = officers[officer - 1]["signing_key"]
        if not log.statements[entry.index].signed_by(key):
            raise Refused("batch_signature", f"officer {officer} did not sign {where}")
        if body["election"] != election:
            raise Refused("batch_signature", f"{where} is of another election")
        if body["number"] != last.get(officer, 0) + 1:
            raise Refused("batch_invalid", f"{where}: numbers have a gap")
        last[officer] = body["number"]
        _check_bounds(body, where, manifest)
        if body["stratum"] not in sums:
            raise Refused("batch_invalid", f"{where}: no such stratum")
        into = sums[body["stratum"]]
        into.ballots += body["ballots"]
        into.totals = [a + b for a, b in zip(into.totals, body["totals"], strict=True)]
    return sums


def _check_bounds(body: dict[str, Any], where: str, manifest: Manifest) -> None:
    ballots, totals = body["ballots"], body["totals"]
    if body["source"] not in SOURCES:
        raise Refused("batch_invalid", f"{where}: no such source")
    if ballots < 1:
        raise Refused("batch_invalid", f"{where}: no ballots")
    if len(totals) != len(manifest.projects):
        raise Refused("batch_invalid", f"{where}: not one total for each project")
    most = ballots * manifest.layout.largest
    if any(not 0 <= total <= most for total in totals):
        raise Refused("batch_invalid", f"{where}: a total that the ballots cannot give")
