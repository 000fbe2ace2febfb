"""Block headers and logs as nodes answer them, checked as far as one answer can be.

A header's hash is computed here from its fields, so that a header is either the one of its hash
or refused. A log is held against the header of its block: number, hash and bloom filter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import rlp
from eth_utils.crypto import keccak

from wallet.adapters.evm.rpc import NodeAnswerInvalid
from wallet.trust.facts import BlockRef

MAX_LOGS_PER_ANSWER: Final = 10_000
MAX_LOG_DATA_BYTES: Final = 16 * 1024
MAX_EXTRA_DATA_BYTES: Final = 4096
MAX_CODE_BYTES: Final = 64 * 1024
HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
BLOOM_BYTES: Final = 256
_QUANTITY_TEXT: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_MAX_TOPICS: Final = 4
_NUMBER_LIMIT: Final = 2**63
_QUANTITY: Final = None
_ANY_LENGTH: Final = -1

# The fields of a header in the order of its RLP: bytes of a fixed length, or a number.
_FIELDS: Final[tuple[tuple[str, int | None], ...]] = (
    ("parentHash", HASH_BYTES),
    ("sha3Uncles", HASH_BYTES),
    ("miner", ADDRESS_BYTES),
    ("stateRoot", HASH_BYTES),
    ("transactionsRoot", HASH_BYTES),
    ("receiptsRoot", HASH_BYTES),
    ("logsBloom", BLOOM_BYTES),
    ("difficulty", _QUANTITY),
    ("number", _QUANTITY),
    ("gasLimit", _QUANTITY),
    ("gasUsed", _QUANTITY),
    ("timestamp", _QUANTITY),
    ("extraData", _ANY_LENGTH),
    ("mixHash", HASH_BYTES),
    ("nonce", 8),
)
# Those that later forks appended; a chain has them or has not.
_APPENDED: Final[tuple[tuple[str, int | None], ...]] = (
    ("baseFeePerGas", _QUANTITY),  # London, EIP-1559
    ("withdrawalsRoot", HASH_BYTES),  # Shanghai, EIP-4895
    ("blobGasUsed", _QUANTITY),  # Cancun, EIP-4844
    ("excessBlobGas", _QUANTITY),
    ("parentBeaconBlockRoot", HASH_BYTES),  # Cancun, EIP-4788
    ("requestsHash", HASH_BYTES),  # Prague, EIP-7685
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the follower uses of a block header; `time` is in unix seconds."""

    number: int
    hash: bytes
    parent: bytes
    time: int
    state_root: bytes
    logs_bloom: bytes

    @property
    def ref(self) -> BlockRef:
        """The block as the replica knows it."""
        return BlockRef(self.number, self.hash, self.time)


@dataclass(frozen=True, slots=True)
class Log:
    """A log of one of our contracts; `address` is lower-case hex."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    index: int


def quantity(value: object) -> int:
    """Return the number of a hexadecimal QUANTITY. Raises `NodeAnswerInvalid`."""
    if type(value) is not str or _QUANTITY_TEXT.fullmatch(value) is None:
        raise NodeAnswerInvalid("expected a number in hexadecimal")
    return int(value[2:], 16)


def octets(value: object, *, length: int = _ANY_LENGTH, max_length: int = HASH_BYTES) -> bytes:
    """Return the bytes of hexadecimal DATA. Raises `NodeAnswerInvalid`."""
    if type(value) is not str or not value.startswith("0x"):
        raise NodeAnswerInvalid("expected bytes in hexadecimal")
    limit = max_length if length == _ANY_LENGTH else length
    if len(value) > 2 + 2 * limit:
        raise NodeAnswerInvalid("expected fewer bytes")
    try:
        result = bytes.fromhex(value[2:])
    except ValueError:
        raise NodeAnswerInvalid("expected bytes in hexadecimal") from None
    if 2 * len(result) != len(value) - 2 or length not in (_ANY_LENGTH, len(result)):
        raise NodeAnswerInvalid("expected bytes of another length")
    return result


def parse_header(value: object) -> Header:
    """Return the header in a block object; its hash is computed, not believed.

    Raises `NodeAnswerInvalid`, also when the block's `hash` is not the hash of its fields: an
    altered header, or one of a fork or chain with other fields.
    """
    if not isinstance(value, Mapping):
        raise NodeAnswerInvalid("the node does not have the block")
    fields = [_field(value, name, kind) for name, kind in _FIELDS]
    fields += [_field(value, name, kind) for name, kind in _APPENDED if value.get(name)]
    digest = keccak(rlp.encode(fields))
    if digest != octets(value.get("hash"), length=HASH_BYTES):
        raise NodeAnswerInvalid("the hash of a block is not the hash of its header")
    number, time = quantity(value["number"]), quantity(value["timestamp"])
    if number >= _NUMBER_LIMIT or time >= _NUMBER_LIMIT:
        raise NodeAnswerInvalid("a block has an impossible number or time")
    parent, state_root, bloom = fields[0], fields[3], fields[6]
    return Header(number, digest, parent, time, state_root, bloom)


def _field(block: Mapping[Any, Any], name: str, kind: int | None) -> bytes:
    value = block.get(name)
    if kind is _QUANTITY:
        number = quantity(value)
        return number.to_bytes((number.bit_length() + 7) // 8, "big")
    return octets(value, length=kind, max_length=MAX_EXTRA_DATA_BYTES)


def parse_log_blocks(
    value: object, first: int, last: int, addresses: Collection[str]
) -> Sequence[int]:
    """Return the numbers of the blocks that the logs in an answer name, ascending.

    Raises `NodeAnswerInvalid`.
    """
    logs = [_parse_log(item, addresses) for item in _entries(value)]
    numbers = {log.block_number for log in logs}
    if not all(first <= number <= last for number in numbers):
        raise NodeAnswerInvalid("the node returned a log from outside the blocks asked for")
    return sorted(numbers)


def parse_logs(value: object, header: Header, addresses: Collection[str]) -> tuple[Log, ...]:
    """Return the logs of `addresses` in the block of `header`, in order.

    Raises `NodeAnswerInvalid`: for a log of another block or address, one marked `removed`, and
    one that the block's bloom filter rules out.
    """
    logs: list[Log] = []
    for item in _entries(value):
        log = _parse_log(item, addresses)
        if (
            log.block_number != header.number
            or octets(item["blockHash"], length=HASH_BYTES) != header.hash
        ):
            raise NodeAnswerInvalid("the node returned a log of another block")
        if logs and log.index <= logs[-1].index:
            raise NodeAnswerInvalid("the node returned logs out of order")
        if not _may_hold(header.logs_bloom, log):
            raise NodeAnswerInvalid("the node returned a log that is not in its block")
        logs.append(log)
    return tuple(logs)


def _entries(value: object) -> list[Mapping[str, object]]:
    if type(value) is not list or not all(isinstance(item, Mapping) for item in value):
        raise NodeAnswerInvalid("expected a list of logs")
    if len(value) > MAX_LOGS_PER_ANSWER:
        raise NodeAnswerInvalid(f"the node returned more than {MAX_LOGS_PER_ANSWER} logs")
    return value


def _parse_log(item: Mapping[str, object], addresses: Collection[str]) -> Log:
    if item.get("removed", False) is not False:
        raise NodeAnswerInvalid("the node returned a log that a reorganisation removed")
    address = "0x" + octets(item.get("address"), length=ADDRESS_BYTES).hex()
    if address not in addresses:
        raise NodeAnswerInvalid("the node returned a log of another address")
    topics = item.get("topics")
    if type(topics) is not list or not 1 <= len(topics) <= _MAX_TOPICS:
        raise NodeAnswerInvalid("a log has one to four topics")
    if "blockHash" not in item:
        raise NodeAnswerInvalid("a log names its block")
    return Log(
        address,
        tuple(octets(topic, length=HASH_BYTES) for topic in topics),
        octets(item.get("data"), max_length=MAX_LOG_DATA_BYTES),
        quantity(item.get("blockNumber")),
        quantity(item.get("logIndex")),
    )


def _may_hold(bloom: bytes, log: Log) -> bool:
    """Tell whether a bloom filter (yellow paper, 4.3.1) allows for the log."""
    for item in (bytes.fromhex(log.address[2:]), *log.topics):
        digest = keccak(item)
        for i in (0, 2, 4):
            bit = int.from_bytes(digest[i : i + 2], "big") & (8 * BLOOM_BYTES - 1)
            if not bloom[BLOOM_BYTES - 1 - bit // 8] >> (bit % 8) & 1:
                return False
    return True
