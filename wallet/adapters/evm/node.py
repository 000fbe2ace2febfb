"""Connecting to a node to write, and the failures of nodes as typed errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import requests
from eth_tester.exceptions import TransactionFailed
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError, Web3Exception

from wallet.adapters.evm.artifacts import artifact, error_selectors
from wallet.adapters.evm.deployment import (
    ANCHOR,
    CONTRACTS,
    REGISTRY,
    ContractPin,
)
from wallet.adapters.evm.deployment import (
    Deployment as Deployment,
)
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused

REQUEST_TIMEOUT_S: Final = 10
T = TypeVar("T")
_HEX_DATA: Final = re.compile(r"0x((?:[0-9a-f]{2}){4,})")


def connect(url: str) -> Web3:
    """Return a connection to the JSON-RPC node at `url`. Nothing is asked yet."""
    provider = HTTPProvider(
        url,
        request_kwargs={"timeout": REQUEST_TIMEOUT_S},
        exception_retry_configuration=None,
        cache_allowed_requests=True,
    )
    w3 = Web3(provider)
    # It would ask for the chain id before every call; the chain id is checked once instead.
    w3.middleware_onion.remove("validation")
    return w3


def ask(request: Callable[[], T]) -> T:
    """Run a request to the node; failures become typed errors.

    Raises `ChainUnavailable`, and `LedgerRefused` when a contract reverted.
    """
    try:
        return request()
    except (ContractLogicError, TransactionFailed) as error:
        raise LedgerRefused(_reason(error)) from error
    except (Web3Exception, requests.RequestException, OSError, ValueError, KeyError) as error:
        raise ChainUnavailable(
            f"the chain's node gave no answer: {type(error).__name__}"
        ) from error


def _reason(error: Exception) -> str:
    selector = _revert_data(error)[:4]
    for name in CONTRACTS:
        known = error_selectors(name).get(selector)
        if known is not None:
            return f"the contract refused: {known}"
    return "the contract refused"


def _revert_data(error: Exception) -> bytes:
    text = str(getattr(error, "data", None) or (error.args[0] if error.args else ""))
    hexadecimal = _HEX_DATA.search(text)
    if hexadecimal is not None:
        return bytes.fromhex(hexadecimal[1])
    # eth-tester words revert data as the text of a bytes literal.
    literal = text.removeprefix("execution reverted: ")
    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        return b""
    return value if isinstance(value, bytes) else b""


def contracts(w3: Web3, deployment: Deployment) -> tuple[Contract, Contract]:
    """Return registry and anchor, to write to. Asks nothing; see `check_deployment`."""
    registry, anchor = (
        w3.eth.contract(
            address=Web3.to_checksum_address(deployment.contracts[name].address),
            abi=artifact(name)["abi"],
        )
        for name in CONTRACTS
    )
    return registry, anchor


def deploy(
    w3: Web3, send: Callable[[Any], Any], root: str, *, hand_over_delay_s: int
) -> Deployment:
    """Deploy both contracts with `root` as the root authority.

    `send(constructor)` sends a constructor call and returns its receipt. Raises
    `ChainUnavailable`, `LedgerRefused`.
    """
    registry_code, anchor_code = artifact(REGISTRY), artifact(ANCHOR)
    registry = w3.eth.contract(abi=registry_code["abi"], bytecode=registry_code["bytecode"])
    deployed = send(registry.constructor(hand_over_delay_s, Web3.to_checksum_address(root)))
    anchor = w3.eth.contract(abi=anchor_code["abi"], bytecode=anchor_code["bytecode"])
    anchored = send(anchor.constructor(deployed["contractAddress"]))
    return Deployment(
        ask(lambda: w3.eth.chain_id),
        {REGISTRY: _pin(w3, deployed), ANCHOR: _pin(w3, anchored)},
        int(deployed["blockNumber"]),
    )


def _pin(w3: Web3, receipt: Any) -> ContractPin:
    address = receipt["contractAddress"]
    code = ask(lambda: w3.eth.get_code(address, receipt["blockNumber"]))
    return ContractPin(str(address).lower(), keccak(bytes(code)))
