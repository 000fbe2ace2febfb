"""Whether the directory on the chain lists the contracts that a configuration pins."""

from __future__ import annotations

from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from wallet.adapters.evm.deployment import DIRECTORY, ContractPin, Deployment, DeploymentMismatch
from wallet.adapters.evm.endpoints import Endpoint
from wallet.adapters.evm.rpc import NodeAnswerInvalid
from wallet.trust.directory import directory_name

MAX_VERSIONS: Final = 64
_VERSIONS_OF: Final = keccak(text="versionsOf(bytes32)")[:4]
_ENTRY_OF: Final = keccak(text="entryOf(bytes32,uint32)")[:4]
_ENTRY: Final = ("address", "uint40", "uint40", "bytes32")


def check_listing(endpoint: Endpoint, deployment: Deployment) -> frozenset[str]:
    """Return the names of the contracts that the directory calls deprecated.

    A deployment without a directory is not compared. Raises `DeploymentMismatch` when a contract
    is not listed at its address, or with another code hash, and `ChainUnavailable`.
    """
    directory = deployment.contracts.get(DIRECTORY)
    if directory is None:
        return frozenset()
    return frozenset(
        name
        for name, pin in deployment.contracts.items()
        if name != DIRECTORY and _is_deprecated(endpoint, directory.address, name, pin)
    )


def _is_deprecated(endpoint: Endpoint, directory: str, name: str, pin: ContractPin) -> bool:
    key = directory_name(name)
    (versions,) = _ask(endpoint, directory, _VERSIONS_OF + key, ("uint32",))
    for version in range(versions, max(0, versions - MAX_VERSIONS), -1):
        question = _ENTRY_OF + key + encode(["uint32"], [version])
        address, _, deprecated_at, code_hash = _ask(endpoint, directory, question, _ENTRY)
        if address != pin.address:
            continue
        if code_hash != pin.code_hash:
            raise DeploymentMismatch(f"the directory lists {name} with another code hash")
        return bool(deprecated_at)
    raise DeploymentMismatch(f"the directory does not list {name} at its address")


def _ask(endpoint: Endpoint, address: str, data: bytes, types: tuple[str, ...]) -> tuple[Any, ...]:
    try:
        return decode(types, endpoint.call(address, data))
    except (DecodingError, OverflowError) as error:
        raise NodeAnswerInvalid("the directory's answer is not of its form") from error
