"""`ports.ballot_board.BoardWriter` over the BallotBoard contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak
from web3 import Web3

from wallet.adapters.evm.artifacts import events
from wallet.adapters.evm.deployment import BOARD
from wallet.adapters.evm.node import ask, contract
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.quorum import MAX_BLOCKS_PER_QUERY
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.ports.ballot_board import BoardConflicts, BoardTerms, TreeHead, Written
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused, LedgerRound
from wallet.ports.outbox import JournalEntry, TransactionState
from wallet.trust.facts import BlockRef

_WORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class BoardName:
    """Whose board of which election: the organiser's 20-byte address and the election's id."""

    organiser: bytes
    election_id: bytes

    @property
    def board_id(self) -> bytes:
        """How the contract names the board."""
        return keccak(self.organiser.rjust(_WORD_BYTES, b"\0") + self.election_id)


class EvmBoardWriter:
    """Writes a board with its operator's key, the one that `publisher` has.

    What the contract says of the present is asked of the node that is written to; what is final
    is what the reader's nodes agree on.
    """

    def __init__(
        self, w3: Web3, reader: EvmLedgerReader, publisher: Publisher, name: BoardName
    ) -> None:
        """Asks nothing. Raises `DeploymentMismatch` if the deployment has no BallotBoard."""
        self._w3 = w3
        self._reader = reader
        self._publisher = publisher
        self._name = name
        self._board = contract(w3, reader.deployment, BOARD)
        self._topics = {entry["name"]: topic for topic, entry in events(BOARD).items()}

    @property
    def operator(self) -> str:
        """The address that checkpoints, lower-case hex."""
        return self._publisher.key.address

    def advance(self) -> LedgerRound:
        return self._publisher.advance()

    def open_board(self, terms: BoardTerms) -> Written | None:
        purpose = f"board-open:{self._name.board_id.hex()}"
        known = self._known(purpose)
        if known is not None:
            return known
        state = self._state()
        if int(state["organiser"], 16) != 0:
            self._check_opening(state, terms)
            return self._found(self._event("BoardOpened"))
        if bytes.fromhex(self.operator.removeprefix("0x")) != self._name.organiser:
            return None
        operator = Web3.to_checksum_address(self.operator)
        return self._submit(purpose, "openBoard", *_opening(self._name, operator, terms))

    def checkpoint(self, number: int, before: TreeHead, head: TreeHead) -> Written:
        board_id = self._name.board_id
        purpose = f"board-checkpoint:{board_id.hex()}:{number}:{head.root.hex()}"
        known = self._known(purpose)
        if known is not None:
            return known
        # Another journal of this key may have been at work: the contract takes a checkpoint that
        # adds nothing twice.
        if self._state()["checkpoints"] >= number:
            log = self._event("Checkpointed", number.to_bytes(_WORD_BYTES, "big"))
            _compare(log, _words(before.size, head.size, before.root, head.root))
            return self._found(log)
        return self._submit(
            purpose, "checkpoint", board_id, before.size, head.size, before.root, head.root
        )

    def seal(self, head: TreeHead, tally_digest: bytes) -> Written:
        board_id = self._name.board_id
        purpose = f"board-seal:{board_id.hex()}"
        known = self._known(purpose)
        if known is not None:
            return known
        if self._state()["isSealed"]:
            log = self._event("BoardSealed", head.root)
            _compare(log, _words(head.size, tally_digest))
            return self._found(log)
        return self._submit(purpose, "seal", board_id, head.size, head.root, tally_digest)

    def first_block_from(self, time: int) -> BlockRef | None:
        agreed = self._reader.agree()
        if agreed.head.time < time:
            return None
        # Times of blocks never fall, so halving finds the first.
        low, high = self._reader.deployment.first_block, agreed.head.number
        while low < high:
            middle = (low + high) // 2
            if agreed.header(middle).time < time:
                low = middle + 1
            else:
                high = middle
        return agreed.header(low).ref

    def _known(self, purpose: str) -> Written | None:
        entry = self._publisher.live(purpose)
        if entry is not None:
            return Written(entry.state, _included_as(entry))
        if self._publisher.is_undecided(purpose):
            # A failed one may succeed in another block: until that is settled there is no second.
            return Written(TransactionState.SUBMITTED)
        return None

    def _state(self) -> dict[str, Any]:
        """Return what `boardOf` says, by the names of the struct."""
        found = ask(lambda: self._board.functions.boardOf(self._name.board_id).call())
        return dict(zip(_BOARD_MEMBERS, found, strict=True))

    def _check_opening(self, state: dict[str, Any], terms: BoardTerms) -> None:
        said = (state["configDigest"], state["opens"], state["closes"], state["flushUntil"])
        if said != (
            terms.config_digest,
            terms.opens,
            terms.closes,
            terms.closes + terms.grace_s,
        ):
            raise BoardConflicts("the board was opened for another election or other times")
        if state["operator"].lower() != self.operator:
            raise BoardConflicts("the board has another operator")

    def _submit(self, purpose: str, function: str, *arguments: object) -> Written:
        data = bytes.fromhex(
            self._board.encode_abi(function, args=list(arguments)).removeprefix("0x")
        )
        entry = self._publisher.submit(purpose, str(self._board.address).lower(), data)
        return Written(entry.state, _included_as(entry))

    def _event(self, name: str, *topics: bytes) -> Any:
        """Return the log of this board that the contract says is there, the newest first."""
        first = self._reader.deployment.first_block
        last = int(ask(lambda: self._w3.eth.block_number))
        # In hexadecimal: the in-process chain finds nothing by bytes.
        wanted: list[Any] = [
            Web3.to_hex(topic) for topic in (self._topics[name], self._name.board_id, *topics)
        ]
        while last >= first:
            start = max(first, last - MAX_BLOCKS_PER_QUERY + 1)
            found = ask(
                lambda: self._w3.eth.get_logs(
                    {
                        "address": self._board.address,
                        "fromBlock": start,  # noqa: B023
                        "toBlock": last,  # noqa: B023
                        "topics": wanted,
                    }
                )
            )
            if found:
                return found[-1]
            last = start - 1
        raise ChainUnavailable("the node does not give an event that the contract tells of")

    def _found(self, log: Any) -> Written:
        is_final = int(log["blockNumber"]) <= self._reader.finalized_head().number
        state = TransactionState.FINAL if is_final else TransactionState.INCLUDED
        return Written(state, bytes(log["transactionHash"]))


_BOARD_MEMBERS: Final = (
    *("operator", "opens", "flushUntil", "isSealed", "organiser", "closes", "sealedAt"),
    *("size", "checkpoints", "root", "configDigest", "tallyDigest"),
)


def open_board(
    w3: Web3,
    reader: EvmLedgerReader,
    sender: Sender,
    name: BoardName,
    operator: str,
    terms: BoardTerms,
) -> bytes:
    """Open a board with the organiser's key and return the transaction's hash.

    An act of a person, who waits until it is in a block. Raises `LedgerRefused`,
    `ChainUnavailable`.
    """
    if bytes.fromhex(sender.address.removeprefix("0x")) != name.organiser:
        raise LedgerRefused("this key is not the organiser's")
    board = contract(w3, reader.deployment, BOARD)
    checksummed = Web3.to_checksum_address(operator)
    receipt = sender.send(board.functions.openBoard(*_opening(name, checksummed, terms)))
    return bytes(receipt["transactionHash"])


def _opening(name: BoardName, operator: str, terms: BoardTerms) -> tuple[object, ...]:
    return (
        name.election_id,
        operator,
        terms.config_digest,
        terms.opens,
        terms.closes,
        terms.grace_s,
    )


def _included_as(entry: JournalEntry) -> bytes | None:
    return None if entry.inclusion is None else entry.inclusion.transaction_hash


def _words(*values: int | bytes) -> bytes:
    return b"".join(
        value.to_bytes(_WORD_BYTES, "big") if isinstance(value, int) else value for value in values
    )


def _compare(log: Any, data: bytes) -> None:
    if bytes(log["data"]) != data:
        raise BoardConflicts("the chain has something else in its place")
