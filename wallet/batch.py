"""Verify many presentations at once: the same pipeline, on all processors.

Pure but for the `Compute` port that it is given. An ES256 verification keeps the interpreter
lock, so threads would not help; a chunk goes to a process whole. Fastest is an engine whose caller
works too (`adapters.compute.processes.CallerAndWorkers`): what is verified here goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Final

from wallet.errors import SeoulWalletError
from wallet.ports.compute import Compute, ComputeUnavailable
from wallet.verification.evidence import Evidence
from wallet.verification.pipeline import VerifiedPresentation, verify_presentation
from wallet.verification.policy import VerificationPolicy
from wallet.verification.presented import Presentable

DEFAULT_CHUNK: Final = 64
MAX_CHUNK: Final = 1024


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One presentation to verify, its evidence, and the nonce of its own request if it has one.

    Items with the same facts should share the evidence object: a chunk then carries it once.
    """

    presentation: Presentable
    evidence: Evidence
    nonce: str | None = None

    def __reduce__(self) -> tuple[object, ...]:
        # As `VerifiedProof` does.
        return BatchItem, (self.presentation, self.evidence, self.nonce)


Verdict = VerifiedPresentation | SeoulWalletError


def verify_many(
    items: Iterable[BatchItem],
    policy: VerificationPolicy,
    *,
    now: int,
    compute: Compute,
    chunk_size: int = DEFAULT_CHUNK,
) -> Iterator[Verdict]:
    """Yield what `verify_presentation` returns or raises for each item, in the order of `items`.

    An item's `nonce` stands in for the policy's. `items` is read a bounded number of chunks
    ahead. An item that was not checked because its worker died gives `ComputeUnavailable`; no
    item changes another's verdict. Raises `ValueError` when `policy.trust` is None or
    `chunk_size` is not 1 to `MAX_CHUNK`.
    """
    if policy.trust is None:
        raise ValueError("presentations are verified with a trust policy")
    if not 1 <= chunk_size <= MAX_CHUNK:
        raise ValueError(f"a chunk has 1 to {MAX_CHUNK} items")
    sizes: list[int] = []
    verdicts = compute.map(
        partial(_verify_chunk, policy=policy, now=now), _chunks(items, chunk_size, sizes)
    )
    return chain.from_iterable(
        [result] * sizes[number] if isinstance(result, ComputeUnavailable) else result
        for number, result in enumerate(verdicts)
    )


def _chunks(
    items: Iterable[BatchItem], size: int, sizes: list[int]
) -> Iterator[Sequence[BatchItem]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        sizes.append(len(chunk))
        yield chunk


def _verify_chunk(
    items: Sequence[BatchItem], *, policy: VerificationPolicy, now: int
) -> list[Verdict]:
    return [_verify(item, policy, now) for item in items]


def _verify(item: BatchItem, policy: VerificationPolicy, now: int) -> Verdict:
    own = policy if item.nonce is None else replace(policy, nonce=item.nonce)
    try:
        return verify_presentation(item.presentation, item.evidence, own, now=now)
    except SeoulWalletError as error:
        # Without the frames, which hold on to the whole presentation.
        return error.with_traceback(None)
