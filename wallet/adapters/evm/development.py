"""The chain of a machine that has none: eth-tester in this process.

Blocks are final at once, nothing survives the process, and there are no storage proofs. It is for
demonstrations and tests; `stop` makes it as silent as a dead node.
"""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from collections.abc import Collection, Sequence
from typing import Any, Final

from eth_tester import EthereumTester, PyEVMBackend
from eth_utils.crypto import keccak
from web3 import EthereumTesterProvider, Web3
from web3.exceptions import BlockNotFound

from wallet.adapters.evm.blocks import Header, Log
from wallet.adapters.evm.endpoints import Endpoint
from wallet.adapters.evm.gas import estimate_gas
from wallet.adapters.evm.node import ask
from wallet.adapters.evm.proofs import ProvenSlot
from wallet.adapters.evm.sender import Sender
from wallet.ports.facts import ChainUnavailable

FINALITY: Final = "instant"
_FUNDS_ETHER: Final = 100
_RICH_ACCOUNT: Final = 0
_MINING: Final = frozenset(("eth_sendTransaction", "eth_sendRawTransaction", "evm_mine"))


class _Backend(PyEVMBackend):  # type: ignore[misc]
    """Keeps the receipts of mined transactions: py-evm looks for each through every block.

    No block of this chain is ever taken back.
    """

    def __init__(self, genesis_parameters: Any) -> None:
        super().__init__(genesis_parameters=genesis_parameters)
        self.chain.gas_estimator = estimate_gas
        self._receipts: dict[bytes, Any] = {}

    def get_transaction_receipt(self, transaction_hash: bytes) -> Any:
        receipt = self._receipts.get(transaction_hash)
        if receipt is None:
            receipt = super().get_transaction_receipt(transaction_hash)
            if receipt["block_number"] is not None:
                self._receipts[transaction_hash] = receipt
        return receipt


class _LockedProvider(EthereumTesterProvider):
    """eth-tester is one state machine: requests of several threads take turns."""

    def __init__(self, tester: Any) -> None:
        super().__init__(tester)
        self._tester = tester
        self._lock = threading.RLock()
        self.stopped = False
        # Whether the next block is a second after the newest, whatever the clock says.
        self.in_the_past = False

    def make_request(self, method: Any, params: Any) -> Any:
        if self.stopped:
            raise ConnectionError("the development chain was stopped")
        with self._lock:
            if self.in_the_past and method in _MINING:
                newest = self._tester.get_block_by_number("latest")
                self._tester.backend.chain.set_header_timestamp(newest["timestamp"] + 1)
            return super().make_request(method, params)


class DevelopmentChain:
    """An in-process chain that mines a block every `block_interval_s` while it runs.

    Every transaction mines a block a second after the one before, so a chain that is to be set up
    with many of them is begun `set_up_s` ago; `start` brings it to the present.
    """

    def __init__(self, *, block_interval_s: float = 1.0, set_up_s: int = 0) -> None:
        genesis = PyEVMBackend.generate_genesis_params({"timestamp": int(time.time()) - set_up_s})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._tester = EthereumTester(_Backend(genesis))
        self._provider = _LockedProvider(self._tester)
        self._provider.in_the_past = set_up_s > 0
        self.w3 = Web3(self._provider)
        self.w3.middleware_onion.remove("validation")
        self._halt = threading.Event()
        self._interval_s = block_interval_s
        self._miner = threading.Thread(target=self._mine, name="development-chain", daemon=True)

    def start(self) -> None:
        """Go on to the present and begin to mine. Does nothing once it has begun."""
        if self._miner.ident is not None:
            return
        now = int(time.time())
        self._provider.in_the_past = False
        if self._newest() < now:
            self.travel_to(now)
        self._miner.start()

    def endpoint(self) -> Endpoint:
        """Return the chain as an endpoint of a quorum of one; it gives no proofs."""
        return _InProcessEndpoint(self.w3)

    def travel_to(self, time: int) -> None:
        """Mine a block with this time, which must be later than the newest."""
        self._tester.time_travel(time)
        self._provider.make_request("evm_mine", [1])

    def stop(self) -> None:
        """Answer nothing any more."""
        self._provider.stopped = True
        self._halt.set()
        if self._miner.is_alive():
            self._miner.join()

    def funded_sender(self) -> Sender:
        """Return a sender with a new key and enough ether for any demonstration."""
        sender = Sender.from_secret(self.w3, secrets.token_bytes(32))
        rich = self.w3.eth.accounts[_RICH_ACCOUNT]
        ask(
            lambda: self.w3.eth.send_transaction(
                {
                    "from": rich,
                    "to": Web3.to_checksum_address(sender.address),
                    "value": self.w3.to_wei(_FUNDS_ETHER, "ether"),
                }
            )
        )
        return sender

    def _newest(self) -> int:
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def _mine(self) -> None:
        # A burst of transactions puts the chain ahead of the clock; it then waits until the clock
        # has caught up.
        while not self._halt.wait(self._interval_s):
            if self._newest() < time.time():
                self._provider.make_request("evm_mine", [1])


class _InProcessEndpoint:
    """An `endpoints.Endpoint` over the chain in this process, whose answers are its own.

    Headers are not hashed here, and the logs of a block are those that the search for blocks
    found: eth-tester takes a second for a hundred logs.
    """

    name = "in this process"
    proves = False

    def __init__(self, w3: Web3) -> None:
        self._w3 = w3
        self._found: dict[int, list[Log]] = {}

    def chain_id(self) -> int:
        return int(ask(lambda: self._w3.eth.chain_id))

    def header(self, which: int | bytes | str) -> Header:
        asked: Any = "latest" if which == "finalized" else which
        try:
            block = ask(lambda: self._w3.eth.get_block(asked))
        except BlockNotFound as error:
            raise ChainUnavailable("the chain does not have the block") from error
        return Header(
            int(block["number"]),
            bytes(block["hash"]),
            bytes(block["parentHash"]),
            int(block["timestamp"]),
            bytes(block["stateRoot"]),
            bytes(block["logsBloom"]),
        )

    def log_blocks(self, first: int, last: int, addresses: Collection[str]) -> Sequence[int]:
        wanted: Any = {
            "fromBlock": first,
            "toBlock": last,
            "address": [Web3.to_checksum_address(address) for address in sorted(addresses)],
        }
        self._found = {}
        for log in ask(lambda: self._w3.eth.get_logs(wanted)):
            number = int(log["blockNumber"])
            self._found.setdefault(number, []).append(
                Log(
                    str(log["address"]).lower(),
                    tuple(bytes(topic) for topic in log["topics"]),
                    bytes(log["data"]),
                    number,
                    int(log["logIndex"]),
                )
            )
        return sorted(self._found)

    def logs(self, header: Header, addresses: Collection[str]) -> tuple[Log, ...]:
        if header.number not in self._found:
            self.log_blocks(header.number, header.number, addresses)
        return tuple(sorted(self._found.get(header.number, ()), key=lambda log: log.index))

    def code_hash(self, address: str) -> bytes:
        at = Web3.to_checksum_address(address)
        return keccak(bytes(ask(lambda: self._w3.eth.get_code(at))))

    def call(self, address: str, data: bytes, at: Header | None = None) -> bytes:
        request: Any = {"to": Web3.to_checksum_address(address), "data": Web3.to_hex(data)}
        block: Any = "latest" if at is None else at.number
        return bytes(ask(lambda: self._w3.eth.call(request, block)))

    def close(self) -> None:
        """There is no connection."""

    def slot(self, header: Header, address: str, slot: bytes) -> ProvenSlot:
        raise ChainUnavailable("the chain in this process gives no proofs")
