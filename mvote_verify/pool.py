"""Ballots in chunks, with progress, and taken up again where a run ended."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from mvote_verify import forms
from mvote_verify.chunks import ChunkResult, Election, Item, RecordChanged
from mvote_verify.encodings import canonical_json, parse_json
from mvote_verify.engines import Work, run_chunks
from mvote_verify.failures import Malformed, Skipped
from mvote_verify.limits import MAX_RESUME_BYTES

Progress = Callable[[int, int], None]

_RESULT: dict[str, forms.Form] = {
    "chunk": forms.hexadecimal(32),
    "ballots": forms.integer(0),
    "bad_proofs": forms.listing(forms.integer(0), 0),
    "bad_eligibility": forms.listing(forms.integer(0), 0),
    "sums": forms.listing(forms.record(group=forms.integer(0), points=forms.any_hex), 0),
}


class Resume:
    """Results of chunks in a file, one a line; a line that was cut short is passed over.

    The file is the reader's own: what it says is believed.
    """

    def __init__(self, path: Path) -> None:
        """Raises `OSError`."""
        self._known: dict[bytes, ChunkResult] = {}
        if path.exists():
            if path.stat().st_size > MAX_RESUME_BYTES:
                raise OSError("the file to resume from is too large")
            with path.open("rb") as lines:
                for line in lines:
                    self._take(line)
        self._file: BinaryIO = path.open("ab")
        if path.stat().st_size:
            self._file.write(b"\n")

    def _take(self, line: bytes) -> None:
        try:
            read = forms.members(parse_json(line.rstrip(b"\n")), _RESULT)
        except Malformed:
            return
        sums = {entry["group"]: entry["points"] for entry in read["sums"]}
        known = ChunkResult(
            read["chunk"], read["ballots"], read["bad_proofs"], read["bad_eligibility"], sums
        )
        self._known[known.digest] = known

    def get(self, digest: bytes) -> ChunkResult | None:
        return self._known.get(digest)

    def put(self, result: ChunkResult) -> None:
        sums = [{"group": g, "points": points.hex()} for g, points in result.sums.items()]
        value: dict[str, Any] = {
            "chunk": result.digest.hex(),
            "ballots": result.ballots,
            "bad_proofs": result.bad_proofs,
            "bad_eligibility": result.bad_eligibility,
            "sums": sums,
        }
        self._known[result.digest] = result
        self._file.write(canonical_json(value) + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def verify_items(
    election: Election,
    log_path: Path,
    items: Sequence[Item],
    work: Work,
    progress: Progress,
    resume: Resume | None = None,
) -> list[ChunkResult]:
    """The results of all chunks; raises `Skipped` as `run_chunks`, and if the record changed."""
    todo = []
    results = []
    for at in range(0, len(items), work.chunk_ballots):
        chunk = items[at : at + work.chunk_ballots]
        known = resume.get(election.chunk_digest(chunk)) if resume else None
        if known is None:
            todo.append(chunk)
        else:
            results.append(known)
    done = sum(result.ballots for result in results)
    progress(done, len(items))
    try:
        for result in run_chunks(election, log_path, todo, work):
            results.append(result)
            done += result.ballots
            progress(done, len(items))
            if resume:
                resume.put(result)
    except RecordChanged as error:
        raise Skipped(str(error)) from None
    return results
