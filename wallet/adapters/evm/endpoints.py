"""What the follower asks one node, and the checks that one answer allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from eth_utils.crypto import keccak

from wallet.adapters.evm.blocks import (
    MAX_CODE_BYTES,
    Header,
    Log,
    octets,
    parse_header,
    parse_log_blocks,
    parse_logs,
    quantity,
)
from wallet.adapters.evm.proofs import ProvenSlot, verify_storage_proof
from wallet.adapters.evm.rpc import JsonRpc, NodeAnswerInvalid
from wallet.errors import MalformedError

MAX_RETURN_BYTES: Final = 64 * 1024
_DEPTH: Final = re.compile(r"depth:([0-9]{1,4})\Z")


class FinalityUnknown(MalformedError):
    """A finality mode other than `tag`, `instant` and `depth:N`."""

    code = "finality_unknown"


class Finality:
    """What a chain calls final.

    `tag`: the node's finalized tag; `instant`: every block, as on BFT chains and the in-process
    chain; `depth:N`: N blocks below the head.
    """

    def __init__(self, mode: str) -> None:
        """Raises `FinalityUnknown`."""
        depth = _DEPTH.match(mode)
        if mode not in ("tag", "instant") and depth is None:
            raise FinalityUnknown("finality is tag, instant or depth:N")
        self.is_instant = mode == "instant"
        self._has_tag = mode == "tag"
        self._depth = int(depth[1]) if depth else 0

    def newest(self, endpoint: Endpoint) -> Header:
        """Return the newest final block of an endpoint. Raises as its methods do."""
        if self._has_tag:
            return endpoint.header("finalized")
        head = endpoint.header("latest")
        return endpoint.header(max(0, head.number - self._depth)) if self._depth else head


class Endpoint(Protocol):
    """One node, to read. Every method raises `ChainUnavailable` (and its subclasses)."""

    name: str
    # whether it gives storage proofs; only the in-process chain does not
    proves: bool

    def chain_id(self) -> int:
        """Return the chain's id."""

    def header(self, which: int | bytes | str) -> Header:
        """Return the block at a height, with a hash, or with the tag `finalized` or `latest`."""

    def log_blocks(self, first: int, last: int, addresses: Collection[str]) -> Sequence[int]:
        """Return in which blocks there are logs of `addresses`: a hint, not more."""

    def logs(self, header: Header, addresses: Collection[str]) -> tuple[Log, ...]:
        """Return the logs of `addresses` in the block of `header`, in order."""

    def code_hash(self, address: str) -> bytes:
        """Return the Keccak-256 of the code at an address, as the node says it is now."""

    def call(self, address: str, data: bytes, at: Header | None = None) -> bytes:
        """Return what a view of a contract answers at a block or now, as the node says."""

    def slot(self, header: Header, address: str, slot: bytes) -> ProvenSlot:
        """Return a storage slot at a block, proven against the header's state root."""

    def close(self) -> None:
        """Let go of connections; a later question opens them again."""


class RpcEndpoint:
    """An `Endpoint` over JSON-RPC."""

    proves = True

    def __init__(self, name: str, rpc: JsonRpc, release: Callable[[], None]) -> None:
        """`name` goes into messages: a host, never a whole URL, which may hold a key."""
        self.name = name
        self._rpc = rpc
        self._release = release

    def close(self) -> None:
        self._release()

    def chain_id(self) -> int:
        return quantity(self._rpc.call("eth_chainId", []))

    def header(self, which: int | bytes | str) -> Header:
        if isinstance(which, bytes):
            found = parse_header(self._rpc.call("eth_getBlockByHash", ["0x" + which.hex(), False]))
            if found.hash != which:
                raise NodeAnswerInvalid("the node returned another block than the one asked for")
            return found
        asked = hex(which) if isinstance(which, int) else which
        found = parse_header(self._rpc.call("eth_getBlockByNumber", [asked, False]))
        if isinstance(which, int) and found.number != which:
            raise NodeAnswerInvalid("the node returned another block than the one asked for")
        return found

    def log_blocks(self, first: int, last: int, addresses: Collection[str]) -> Sequence[int]:
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), "address": sorted(addresses)}
        return parse_log_blocks(self._rpc.call("eth_getLogs", [wanted]), first, last, addresses)

    def logs(self, header: Header, addresses: Collection[str]) -> tuple[Log, ...]:
        wanted = {"blockHash": "0x" + header.hash.hex(), "address": sorted(addresses)}
        return parse_logs(self._rpc.call("eth_getLogs", [wanted]), header, addresses)

    def code_hash(self, address: str) -> bytes:
        code = self._rpc.call("eth_getCode", [address, "latest"])
        return keccak(octets(code, max_length=MAX_CODE_BYTES))

    def call(self, address: str, data: bytes, at: Header | None = None) -> bytes:
        request = {"to": address, "data": "0x" + data.hex()}
        block = "latest" if at is None else hex(at.number)
        answer = self._rpc.call("eth_call", [request, block])
        return octets(answer, max_length=MAX_RETURN_BYTES)

    def slot(self, header: Header, address: str, slot: bytes) -> ProvenSlot:
        answer = self._rpc.call("eth_getProof", [address, ["0x" + slot.hex()], hex(header.number)])
        return verify_storage_proof(answer, header.state_root, address, slot)
