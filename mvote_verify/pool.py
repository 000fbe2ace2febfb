"""Chunks of ballots over processes, with progress, and taken up again where a run ended."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

from mvote_verify import forms
from mvote_verify.chunks import ChunkResult, ChunkVerifier, Election, Item, RecordChanged
from mvote_verify.encodings import canonical_json, parse_json
from mvote_verify.failures import Malformed, Skipped
from mvote_verify.limits import CHUNK_BALLOTS, MAX_RESUME_BYTES

Progress = Callable[[int, int], None]

_verifier: ChunkVerifier | None = None
"""Of a worker process: made once, for its tables."""

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
    items: Sequence[Item],
    workers: int,
    progress: Progress,
    resume: Resume | None = None,
) -> list[ChunkResult]:
    """The results of all chunks; raises `Skipped` if a worker died or the record changed."""
    todo = []
    results = []
    for at in range(0, len(items), CHUNK_BALLOTS):
        chunk = items[at : at + CHUNK_BALLOTS]
        known = resume.get(election.chunk_digest(chunk)) if resume else None
        if known is None:
            todo.append(chunk)
        else:
            results.append(known)
    done = sum(result.ballots for result in results)
    progress(done, len(items))
    try:
        for result in _run(election, todo, workers):
            results.append(result)
            done += result.ballots
            progress(done, len(items))
            if resume:
                resume.put(result)
    except RecordChanged as error:
        raise Skipped(str(error)) from None
    except BrokenProcessPool:
        raise Skipped("a worker process ended early") from None
    return results


def _run(
    election: Election, chunks: Sequence[Sequence[Item]], workers: int
) -> Iterator[ChunkResult]:
    if not chunks:
        return
    if workers == 1:
        verifier = ChunkVerifier(election)
        try:
            yield from map(verifier.verify, chunks)
        finally:
            verifier.close()
        return
    with ProcessPoolExecutor(
        min(workers, len(chunks)), get_context("spawn"), _begin, (election,)
    ) as pool:
        for future in as_completed([pool.submit(_verify, chunk) for chunk in chunks]):
            yield future.result()


def _begin(election: Election) -> None:
    global _verifier
    _verifier = ChunkVerifier(election)


def _verify(items: Sequence[Item]) -> ChunkResult:
    if _verifier is None:
        raise RuntimeError("the worker was not begun")
    return _verifier.verify(items)


def default_workers() -> int:
    return os.cpu_count() or 1
