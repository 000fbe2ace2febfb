"""The blocks above the finalized mark: a list that follows every reorganisation.

What they hold is provisional: one node says so, nothing of it reaches the replica, and a block
that the chain drops takes its events with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.adapters.evm.blocks import Header, Log
from wallet.adapters.evm.endpoints import Endpoint
from wallet.adapters.evm.rpc import NodeAnswerInvalid

MAX_RECENT_BLOCKS: Final = 256


@dataclass(frozen=True, slots=True)
class RecentBlock:
    """A block that is not final, with the contracts' logs in it."""

    header: Header
    logs: Sequence[Log]


class RecentBlocks:
    """Blocks from the finalized mark up to the head, each the parent of the next."""

    def __init__(self, logs: Callable[[Endpoint, Header], Sequence[Log]]) -> None:
        self._logs = logs
        self._blocks: list[RecentBlock] = []

    @property
    def blocks(self) -> Sequence[RecentBlock]:
        """The blocks, oldest first."""
        return tuple(self._blocks)

    def follow(self, endpoint: Endpoint, final: Header) -> int:
        """Catch up with the node's head above `final` and return how many blocks were undone.

        At most `MAX_RECENT_BLOCKS` above the mark are kept. Blocks are fetched by the hash that
        their child names and logs by the hash of their block, so that forks never mix. Raises
        `ChainUnavailable`; the list is then as it was.
        """
        head = endpoint.header("latest")
        if head.number > final.number + MAX_RECENT_BLOCKS:
            head = endpoint.header(final.number + MAX_RECENT_BLOCKS)
        known = self._known_above(final)
        added: list[RecentBlock] = []
        cursor = head
        while cursor.number > final.number and cursor.hash not in known:
            added.append(RecentBlock(cursor, self._logs(endpoint, cursor)))
            if cursor.number == final.number + 1:
                break
            parent = endpoint.header(cursor.parent)
            if parent.number != cursor.number - 1:
                raise NodeAnswerInvalid("a block's parent has another number than the one below")
            cursor = parent
        base = self._blocks[: known[cursor.hash] + 1] if cursor.hash in known else []
        branch = [
            block for block in (*base, *reversed(added)) if block.header.number > final.number
        ]
        if branch and branch[0].header.parent != final.hash:
            raise NodeAnswerInvalid("the node's head does not descend from the finalized block")
        kept = {block.header.hash for block in branch}
        above = [block for block in self._blocks if block.header.number > final.number]
        self._blocks = branch
        return sum(block.header.hash not in kept for block in above)

    def _known_above(self, final: Header) -> dict[bytes, int]:
        """Return the places of the blocks that may be kept: none if they begin above the mark."""
        if not self._blocks or self._blocks[0].header.number > final.number + 1:
            return {}
        return {block.header.hash: place for place, block in enumerate(self._blocks)}
