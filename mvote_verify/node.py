"""An Ethereum node by JSON-RPC, and `BallotBoard` on it. A node that does not answer, or not in
the form of its interface, gives `Skipped`: that is no verdict on the record."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

from mvote_verify.failures import Refused, Skipped
from mvote_verify.keccak import keccak256
from mvote_verify.limits import (
    LOG_BLOCK_RANGE,
    MAX_LOG_QUESTIONS,
    MAX_RPC_BYTES,
    MAX_RPC_SECONDS,
)

_QUANTITY = re.compile(r"0x[0-9a-f]{1,64}\Z")
_DATA = re.compile(r"0x(?:[0-9a-f]{2})*\Z")
_BOARD_OF = keccak256(b"boardOf(bytes32)")[:4]
OPENED = keccak256(b"BoardOpened(bytes32,address,bytes32,address,bytes32,uint40,uint40,uint40)")
CHECKPOINTED = keccak256(b"Checkpointed(bytes32,uint32,uint64,uint64,bytes32,bytes32)")
SEALED = keccak256(b"BoardSealed(bytes32,bytes32,uint64,bytes32)")


class Node:
    """Questions to one node."""

    def __init__(self, url: str) -> None:
        """Raises `ValueError` if `url` is not one of http or https."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("the address of a node begins with http:// or https://")
        self._url = url
        self._pool = urllib3.PoolManager(timeout=MAX_RPC_SECONDS, retries=False)

    def ask(self, method: str, *params: Any) -> Any:
        """The result of a method, as JSON; raises `Skipped`."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=json.dumps(question).encode(),
                headers={"content-type": "application/json"},
                preload_content=False,
                redirect=False,
            )
            try:
                data = response.read(MAX_RPC_BYTES + 1)
            finally:
                response.release_conn()
            answer = json.loads(data) if len(data) <= MAX_RPC_BYTES else None
        except (urllib3.exceptions.HTTPError, OSError):
            raise Skipped("the node does not answer") from None
        except (ValueError, RecursionError):
            raise Skipped("the node does not answer in JSON") from None
        if not isinstance(answer, dict) or "result" not in answer:
            raise Skipped(f"the node does not answer {method}")
        return answer["result"]

    def chain_id(self) -> int:
        return _quantity(self.ask("eth_chainId"))

    def block(self, number: int) -> tuple[bytes, int] | None:
        """Hash and time of a block, or None."""
        block = self.ask("eth_getBlockByNumber", hex(number), False)
        if block is None:
            return None
        return _data(_member(block, "hash"), 32), _quantity(_member(block, "timestamp"))

    def newest_block(self) -> int:
        return _quantity(self.ask("eth_blockNumber"))


@dataclass(frozen=True, slots=True)
class Event:
    transaction: bytes
    block: int
    topics: list[bytes]
    words: list[bytes]


@dataclass(frozen=True, slots=True)
class BoardState:
    """What `boardOf` says."""

    organiser: bytes
    opens: int
    closes: int
    flush_until: int
    size: int
    checkpoints: int
    root: bytes
    config_digest: bytes
    is_sealed: bool
    tally_digest: bytes


class BoardContract:
    """One board of the contract that a manifest names."""

    def __init__(self, node: Node, contract: bytes, organiser: bytes, election_id: bytes) -> None:
        self._node = node
        self._address = "0x" + contract.hex()
        self._contract = contract
        self.id = keccak256(organiser.rjust(32, b"\0") + election_id)

    def state(self) -> BoardState:
        """Raises `Refused` with `chain_board_differs` if there is no such board."""
        call = {"to": self._address, "data": "0x" + (_BOARD_OF + self.id).hex()}
        data = _data(self._node.ask("eth_call", call, "latest"))
        if len(data) != 12 * 32:
            raise Refused("chain_board_differs", "no BallotBoard at the manifest's address")
        words = [data[at : at + 32] for at in range(0, len(data), 32)]
        numbers = [int.from_bytes(word) for word in words]
        return BoardState(
            organiser=words[4][12:],
            opens=numbers[1],
            flush_until=numbers[2],
            is_sealed=bool(numbers[3]),
            closes=numbers[5],
            size=numbers[7],
            checkpoints=numbers[8],
            root=words[9],
            config_digest=words[10],
            tally_digest=words[11],
        )

    def events_of(self, transaction: bytes) -> list[Event]:
        """Events of this board in a transaction; none if there is no such transaction."""
        receipt = self._node.ask("eth_getTransactionReceipt", "0x" + transaction.hex())
        if receipt is None:
            return []
        logs = _member(receipt, "logs")
        return [event for log in _list(logs) if (event := self._event(log)) is not None]

    def checkpoints(self, first_block: int) -> list[Event]:
        """All `Checkpointed` events of this board, in order."""
        newest = self._node.newest_block()
        if newest - first_block > LOG_BLOCK_RANGE * MAX_LOG_QUESTIONS:
            raise Skipped("the board is too many blocks ago")
        events = []
        for start in range(first_block, newest + 1, LOG_BLOCK_RANGE):
            wanted = {
                "address": self._address,
                "fromBlock": hex(start),
                "toBlock": hex(min(newest, start + LOG_BLOCK_RANGE - 1)),
                "topics": ["0x" + CHECKPOINTED.hex(), "0x" + self.id.hex()],
            }
            for log in _list(self._node.ask("eth_getLogs", wanted)):
                event = self._event(log)
                if event is not None and event.topics[0] == CHECKPOINTED:
                    events.append(event)
        return events

    def _event(self, log: Any) -> Event | None:
        topics = [_data(topic, 32) for topic in _list(_member(log, "topics"))]
        mine = _data(_member(log, "address"), 20) == self._contract
        if not mine or len(topics) < 2 or topics[1] != self.id:
            return None
        data = _data(_member(log, "data"))
        words = [data[at : at + 32] for at in range(0, len(data), 32)]
        transaction = _data(_member(log, "transactionHash"), 32)
        return Event(transaction, _quantity(_member(log, "blockNumber")), topics, words)


def _malformed() -> Skipped:
    return Skipped("the node's answer has not the form of its interface")


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise _malformed()
    return value[name]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _malformed()
    return value


def _quantity(value: Any) -> int:
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise _malformed()
    return int(value, 16)


def _data(value: Any, length: int | None = None) -> bytes:
    if not isinstance(value, str) or not _DATA.match(value.lower()):
        raise _malformed()
    data = bytes.fromhex(value[2:])
    if length is not None and len(data) != length:
        raise _malformed()
    return data
