"""The contracts on an in-process chain, with the people who use them.

Everybody here is synthetic. Times are Unix seconds of the chain's own clock, which starts at
GENESIS and moves by one second per block, so that every run costs the same gas.
"""

import ast
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import decode
from eth_tester.exceptions import TransactionFailed
from eth_utils.abi import abi_to_signature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3 import EthereumTesterProvider, Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction

CONTRACTS_DIR = Path(__file__).parents[2] / "contracts"
GENESIS = 2_000_000_000
YEAR = 365 * 24 * 3600
HAND_OVER_DELAY_S = 3 * 24 * 3600
GAS_LIMIT = 6_000_000
NAMES = ("BallotBoard", "CredentialAnchor", "Directory", "EthereumDIDRegistry", "TrustRegistry")


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


FAMILY_CARD = sha256("https://seoul.example/vct/family-card")
RESIDENCE = sha256("https://seoul.example/vct/residence")
BUS_PASS = sha256("https://seoul.example/vct/bus-pass")
WELFARE = sha256("did:web:welfare.seoul.example")
YOUTH = sha256("did:web:youth.seoul.example")


def artifact(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONTRACTS_DIR / f"artifacts/{name}.json").read_text())
    return loaded


@dataclass(frozen=True)
class Refusal:
    """A custom error of the contracts: its name and its decoded arguments."""

    name: str
    args: tuple[Any, ...] = ()


class Chain:
    """Deploys the contracts; sends transactions, reads refusals, travels in time."""

    def __init__(self) -> None:
        provider = EthereumTesterProvider()
        self.w3 = Web3(provider)
        self._tester: Any = provider.ethereum_tester
        self.travel_to(GENESIS)
        accounts: list[str] = list(self.w3.eth.accounts)
        self.root, self.accreditor, self.rival = accounts[:3]
        self.controller, self.other_controller, self.outsider = accounts[3:6]
        self.suspender, self.registrar = accounts[6:8]
        self.registry = self.deploy("TrustRegistry", HAND_OVER_DELAY_S, self.root)
        self.anchor = self.deploy("CredentialAnchor", self.registry.address)
        self.boards = self.deploy("BallotBoard")
        self.dids = self.deploy("EthereumDIDRegistry")
        self.directory = self.deploy("Directory", HAND_OVER_DELAY_S, self.root)
        self._errors = {
            keccak(text=abi_to_signature(item))[:4]: item
            for name in NAMES
            for item in artifact(name)["abi"]
            if item["type"] == "error"
        }

    def deploy(self, name: str, *args: object) -> Contract:
        built = artifact(name)
        factory = self.w3.eth.contract(abi=built["abi"], bytecode=built["bytecode"])
        constructor = factory.constructor(*args)
        constructor.estimate_gas({"from": self.root})  # raises what a receipt would not tell
        receipt = self.mined(constructor.transact(self._from(self.root)))
        contract: Contract = self.w3.eth.contract(
            address=receipt["contractAddress"], abi=built["abi"]
        )
        return contract

    def mined(self, tx_hash: Any) -> Any:
        receipt = self.w3.eth.wait_for_transaction_receipt(tx_hash)
        assert receipt["status"] == 1, "a transaction that should pass was reverted"
        return receipt

    def send(self, function: ContractFunction, by: str) -> Any:
        """Returns the receipt of a transaction that must succeed."""
        return self.mined(function.transact(self._from(by)))

    def refusal(self, function: ContractFunction, by: str) -> Refusal:
        """Returns the custom error that refuses this call, as of the newest block."""
        try:
            function.call({"from": by, "gas": GAS_LIMIT})
        except TransactionFailed as failure:
            return self.decoded(failure)
        raise AssertionError(f"{function.fn_name} was not refused")

    def decoded(self, failure: TransactionFailed) -> Refusal:
        # eth-tester words raw revert data as the text of a bytes literal
        data = ast.literal_eval(str(failure.args[0]).removeprefix("execution reverted: "))
        item = self._errors[data[:4]]
        types = [part["type"] for part in item["inputs"]]
        values = zip(types, decode(types, data[4:]), strict=True)
        return Refusal(
            item["name"],
            tuple(to_checksum_address(v) if kind == "address" else v for kind, v in values),
        )

    def now(self) -> int:
        """The time of the newest block; the next one is a second later."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def travel_to(self, time: int) -> None:
        """Mines an empty block at that time."""
        self._tester.time_travel(time + 1)

    def contracts(self) -> dict[str, Contract]:
        """All five by name."""
        found = (self.boards, self.anchor, self.directory, self.dids, self.registry)
        return dict(zip(NAMES, found, strict=True))

    def snapshot(self) -> int:
        return int(self._tester.take_snapshot())

    def restore(self, snapshot: int) -> None:
        self._tester.revert_to_snapshot(snapshot)

    def event(self, name: str, receipt: Any) -> dict[str, Any]:
        """The arguments of the only event of a transaction, which must have that name."""
        (log,) = receipt["logs"]
        (contract,) = (c for c in self.contracts().values() if c.address == log["address"])
        (decoded,) = contract.events[name]().process_receipt(receipt)
        return dict(decoded["args"])

    def _from(self, sender: str) -> Any:
        # fees named, so that web3 does not ask for them before every transaction
        gwei = 10**9
        return {
            "from": sender,
            "gas": GAS_LIMIT,
            "maxFeePerGas": 10 * gwei,
            "maxPriorityFeePerGas": gwei,
        }
