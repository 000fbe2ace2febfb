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
    ALL_CONTRACTS,
    ANCHOR,
    BOARD,
    DID_REGISTRY,
    DIRECTORY,
    REGISTRY,
    ContractPin,
    DeploymentMismatch,
)
from wallet.adapters.evm.deployment import (
    Deployment as Deployment,
)
from wallet.adapters.evm.rpc import parse_node_url
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused

REQUEST_TIMEOUT_S: Final = 10
T = TypeVar("T")
_HEX_DATA: Final = re.compile(r"0x((?:[0-9a-f]{2}){4,})")


def connect(url: str) -> Web3:
    """Return a connection to the JSON-RPC node at `url`. Nothing is asked yet.

    Raises `NodeUrlMalformed`.
    """
    parse_node_url(url)
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
    for name in ALL_CONTRACTS:
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


def contract(w3: Web3, deployment: Deployment, name: str) -> Contract:
    """Return a contract to write to. Asks nothing.

    Raises `DeploymentMismatch` if the deployment has none of the name.
    """
    pin = deployment.contracts.get(name)
    if pin is None:
        raise DeploymentMismatch(f"the deployment has no {name}")
    return w3.eth.contract(
        address=Web3.to_checksum_address(pin.address), abi=artifact(name)["abi"]
    )


def contracts(w3: Web3, deployment: Deployment) -> tuple[Contract, Contract]:
    """Return registry and anchor, to write to. Asks nothing; see `check_deployment`."""
    return contract(w3, deployment, REGISTRY), contract(w3, deployment, ANCHOR)


def deploy(
    w3: Web3, send: Callable[[Any], Any], root: str, *, hand_over_delay_s: int
) -> Deployment:
    """Deploy every contract, with `root` as the root authority of registry and directory.

    `send(constructor)` sends a constructor call and returns its receipt. The directory is empty
    until root lists the others: `authority.ContractDirectory`. Raises `ChainUnavailable`,
    `LedgerRefused`.
    """
    of_root = (hand_over_delay_s, Web3.to_checksum_address(root))

    def make(name: str, *arguments: object) -> Any:
        code = artifact(name)
        factory = w3.eth.contract(abi=code["abi"], bytecode=code["bytecode"])
        return send(factory.constructor(*arguments))

    registry = make(REGISTRY, *of_root)
    receipts = {
        REGISTRY: registry,
        ANCHOR: make(ANCHOR, registry["contractAddress"]),
        DID_REGISTRY: make(DID_REGISTRY),
        BOARD: make(BOARD),
        DIRECTORY: make(DIRECTORY, *of_root),
    }
    return Deployment(
        ask(lambda: w3.eth.chain_id),
        {name: _pin(w3, receipt) for name, receipt in receipts.items()},
        int(registry["blockNumber"]),
    )


def _pin(w3: Web3, receipt: Any) -> ContractPin:
    address = receipt["contractAddress"]
    code = ask(lambda: w3.eth.get_code(address, receipt["blockNumber"]))
    return ContractPin(str(address).lower(), keccak(bytes(code)))
