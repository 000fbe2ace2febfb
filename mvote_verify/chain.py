"""The record against the chain: the board, its checkpoints, the tie's block, the seal.
Checks V6, V16 and V18."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from mvote_verify import forms
from mvote_verify.board import Checkpoint
from mvote_verify.encodings import parse_json
from mvote_verify.failures import Malformed, Refused, Skipped
from mvote_verify.manifest import Manifest
from mvote_verify.node import CHECKPOINTED, OPENED, SEALED, BoardContract, Event, Node
from mvote_verify.tie import Tie
from mvote_verify.tree import EMPTY_ROOT

_HASH = forms.hexadecimal(32)
_ANCHORS: dict[str, forms.Form] = {
    "kind": forms.one_of("anchors"),
    "opened": _HASH,
    "checkpoints": forms.listing(forms.record(number=forms.integer(1), transaction=_HASH), 0),
    "sealed": forms.maybe(_HASH),
}


@dataclass(frozen=True, slots=True)
class Chain:
    """The manifest's chain, seen through a node."""

    node: Node
    board: BoardContract
    manifest: Manifest

    @classmethod
    def of(cls, node: Node, manifest: Manifest) -> "Chain":
        """Raises `Skipped` if the node is of another chain."""
        chain = manifest.fields["chain"]
        if node.chain_id() != chain["chain_id"]:
            raise Skipped(f"the node is not of the chain {chain['chain_id']}")
        election_id = sha256(manifest.fields["id"].encode()).digest()
        contract = BoardContract(node, chain["contract"], chain["organiser"], election_id)
        return cls(node, contract, manifest)

    def check_board(
        self, anchors: bytes, election: bytes, checkpoints: Sequence[Checkpoint]
    ) -> None:
        """V6: the board is the manifest's, and has the checkpoints of the record, no others."""
        try:
            read = forms.members(parse_json(anchors), _ANCHORS)
        except Malformed as error:
            raise Refused("chain_board_differs", f"anchors.json: {error}") from None
        fields = self.manifest.fields
        state = self.board.state()
        said = (state.organiser, state.config_digest, state.opens, state.closes, state.flush_until)
        ends = fields["closes"] + fields["grace_s"]
        organiser = fields["chain"]["organiser"]
        if said != (organiser, election, fields["opens"], fields["closes"], ends):
            raise Refused("chain_board_differs", "organiser, election or times of the board")
        opened = [e for e in self.board.events_of(read["opened"]) if e.topics[0] == OPENED]
        if not opened:
            raise Refused("chain_board_differs", "the named transaction did not open the board")
        block = self.node.block(opened[0].block)
        if block is None:
            raise Skipped("the node does not know the block of the opening")
        if block[1] > fields["opens"]:
            raise Refused("chain_board_differs", "the board was opened after `opens`")
        events = self.board.checkpoints(opened[0].block)
        if len(events) != state.checkpoints:
            raise Skipped("the node does not give all events of the board")
        _compare(events, checkpoints, read["checkpoints"])

    def check_tie_block(self, tie: Tie) -> None:
        """V16: the block is the first at or after the time of the manifest."""
        number = tie.block["number"]
        due = self.manifest.fields["tie_break"]["block_time"]
        if not isinstance(number, int) or self.node.block(number) != (
            tie.block["hash"],
            tie.block["time"],
        ):
            raise Refused("tie_block_differs", "the chain has another block of this number")
        before = self.node.block(number - 1) if number else None
        if number and before is None:
            raise Skipped("the node does not know the block before")
        if before is not None and before[1] >= due:
            raise Refused("tie_block_differs", "an earlier block is at or after the time")

    def check_seal(self, anchors: bytes, last: Checkpoint, tally_digest: bytes) -> None:
        """V18: sealed with the last checkpoint and the digest of the tally."""
        try:
            sealed = forms.members(parse_json(anchors), _ANCHORS)["sealed"]
        except Malformed as error:
            raise Refused("seal_differs", f"anchors.json: {error}") from None
        try:
            state = self.board.state()
        except Refused as error:
            raise Refused("seal_differs", error.detail) from None
        if not state.is_sealed:
            raise Refused("seal_differs", "the board is not sealed")
        if (state.size, state.root) != (last.size, last.root):
            raise Refused("seal_differs", "sealed with another checkpoint")
        if state.tally_digest != tally_digest:
            raise Refused("seal_differs", "sealed with another digest of the tally")
        if sealed is not None:
            topics = [event.topics[0] for event in self.board.events_of(sealed)]
            if SEALED not in topics:
                raise Refused("seal_differs", "the named transaction did not seal the board")


def _compare(
    events: Sequence[Event], checkpoints: Sequence[Checkpoint], anchors: list[dict[str, Any]]
) -> None:
    if len(events) != len(checkpoints):
        detail = f"{len(events)} on the chain, {len(checkpoints)} in the record"
        raise Refused("chain_checkpoint_differs", detail)
    size, root = 0, EMPTY_ROOT
    for event, checkpoint in zip(events, checkpoints, strict=True):
        said = [event.topics[0], *event.topics[2:], *event.words]
        numbers = (checkpoint.number, size, checkpoint.size)
        number, old, new = (value.to_bytes(32) for value in numbers)
        if said != [CHECKPOINTED, number, old, new, root, checkpoint.root]:
            raise Refused("chain_checkpoint_differs", f"checkpoint {checkpoint.number}")
        size, root = checkpoint.size, checkpoint.root
    named = [(anchor["number"], anchor["transaction"]) for anchor in anchors]
    found = [(c.number, e.transaction) for c, e in zip(checkpoints, events, strict=True)]
    if named != found:
        raise Refused("chain_checkpoint_differs", "anchors.json names other transactions")
