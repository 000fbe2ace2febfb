"""Connecting to a node, and the failures of nodes as typed errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import requests
from eth_tester.exceptions import TransactionFailed
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError, Web3Exception

from wallet.adapters.evm.artifacts import artifact, error_selectors
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused

REQUEST_TIMEOUT_S: Final = 10
CONTRACTS: Final = ("TrustRegistry", "CredentialAnchor")
T = TypeVar("T")
_HEX_DATA: Final = re.compile(r"0x((?:[0-9a-f]{2}){4,})")


class DeploymentMismatch(MalformedError):
    """The chain or its contracts are not the ones that the configuration names."""

    code = "deployment_mismatch"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are: chain id, addresses (lower-case hex), first block to read."""

    chain_id: int
    registry: str
    anchor: str
    first_block: int

    @property
    def identity(self) -> str:
        """A text that tells this deployment from every other."""
        return f"eip155:{self.chain_id}:{self.registry}:{self.anchor}"

    def to_json(self) -> JsonObject:
        """Return the form that configuration files carry."""
        return {
            "chain_id": self.chain_id,
            "registry": self.registry,
            "anchor": self.anchor,
            "first_block": self.first_block,
        }


def parse_deployment(value: JsonObject) -> Deployment:
    """Return the deployment of its JSON form. Raises `DeploymentMismatch`."""
    chain_id, first = value.get("chain_id"), value.get("first_block")
    addresses = (value.get("registry"), value.get("anchor"))
    if type(chain_id) is not int or type(first) is not int or first < 0:
        raise DeploymentMismatch("a deployment names chain_id and first_block")
    if not all(isinstance(address, str) and Web3.is_address(address) for address in addresses):
        raise DeploymentMismatch("a deployment names the addresses of registry and anchor")
    return Deployment(chain_id, str(addresses[0]).lower(), str(addresses[1]).lower(), first)


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
    """Return registry and anchor after checking chain id and code.

    Raises `ChainUnavailable`, `DeploymentMismatch`.
    """
    found = ask(lambda: w3.eth.chain_id)
    if found != deployment.chain_id:
        raise DeploymentMismatch(f"expected chain {deployment.chain_id}, the node is on {found}")
    result = []
    for name, address in zip(CONTRACTS, (deployment.registry, deployment.anchor), strict=True):
        checksum = Web3.to_checksum_address(address)
        if not ask(lambda at=checksum: w3.eth.get_code(at)):  # type: ignore[misc]
            raise DeploymentMismatch(f"there is no contract at the address of {name}")
        result.append(w3.eth.contract(address=checksum, abi=artifact(name)["abi"]))
    return result[0], result[1]


def deploy(
    w3: Web3, send: Callable[[Any], Any], root: str, *, hand_over_delay_s: int
) -> Deployment:
    """Deploy both contracts with `root` as the root authority.

    `send(constructor)` sends a constructor call and returns its receipt. Raises
    `ChainUnavailable`, `LedgerRefused`.
    """
    registry_code = artifact("TrustRegistry")
    anchor_code = artifact("CredentialAnchor")
    registry = w3.eth.contract(abi=registry_code["abi"], bytecode=registry_code["bytecode"])
    deployed = send(registry.constructor(hand_over_delay_s, Web3.to_checksum_address(root)))
    anchor = w3.eth.contract(abi=anchor_code["abi"], bytecode=anchor_code["bytecode"])
    anchored = send(anchor.constructor(deployed["contractAddress"]))
    return Deployment(
        ask(lambda: w3.eth.chain_id),
        str(deployed["contractAddress"]).lower(),
        str(anchored["contractAddress"]).lower(),
        int(deployed["blockNumber"]),
    )
