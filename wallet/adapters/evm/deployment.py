"""Where the contracts are and what their code is: what a configuration pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.blocks import ADDRESS_BYTES, HASH_BYTES, octets
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, UnavailableError

REGISTRY: Final = "TrustRegistry"
ANCHOR: Final = "CredentialAnchor"
DID_REGISTRY: Final = "EthereumDIDRegistry"
BOARD: Final = "BallotBoard"
DIRECTORY: Final = "Directory"
# What every deployment has; one may name the others too, and then they are followed and proven.
CONTRACTS: Final = (REGISTRY, ANCHOR)
ALL_CONTRACTS: Final = (REGISTRY, ANCHOR, DID_REGISTRY, BOARD, DIRECTORY)
_NUMBER_LIMIT: Final = 2**63


class DeploymentMismatch(MalformedError):
    """The chain or its contracts are not the ones that the configuration names."""

    code = "deployment_mismatch"


@dataclass(frozen=True, slots=True)
class ContractPin:
    """A contract: its address (lower-case hex) and the Keccak-256 of its runtime code."""

    address: str
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contracts by the names of their artifacts, their chain id, the first block to read."""

    chain_id: int
    contracts: Mapping[str, ContractPin]
    first_block: int

    @property
    def registry(self) -> str:
        """The address of the TrustRegistry."""
        return self.contracts[REGISTRY].address

    @property
    def anchor(self) -> str:
        """The address of the CredentialAnchor."""
        return self.contracts[ANCHOR].address

    @property
    def identity(self) -> str:
        """A text that tells this deployment from every other."""
        # By name: a replica that follows a further contract has read its chain from the beginning.
        addresses = [self.contracts[name].address for name in sorted(self.contracts)]
        return f"eip155:{self.chain_id}:" + ":".join(addresses)

    def to_json(self) -> JsonObject:
        """Return the form that configuration files carry."""
        return {
            "chain_id": self.chain_id,
            "first_block": self.first_block,
            "contracts": {
                name: {"address": pin.address, "code_hash": "0x" + pin.code_hash.hex()}
                for name, pin in self.contracts.items()
            },
        }


def parse_deployment(value: JsonObject) -> Deployment:
    """Return the deployment of its JSON form. Raises `DeploymentMismatch`."""
    chain_id, first = value.get("chain_id"), value.get("first_block")
    if type(chain_id) is not int or chain_id < 1:
        raise DeploymentMismatch("a deployment names its chain_id")
    if type(first) is not int or not 0 <= first < _NUMBER_LIMIT:
        raise DeploymentMismatch("a deployment names the first_block to read")
    entries = value.get("contracts")
    if not isinstance(entries, dict) or not set(CONTRACTS) <= set(entries):
        raise DeploymentMismatch("a deployment names the contracts " + ", ".join(CONTRACTS))
    return Deployment(chain_id, {name: _pin(name, entries[name]) for name in entries}, first)


def _pin(name: str, entry: Any) -> ContractPin:
    try:
        artifact(name)
    except FileNotFoundError:
        raise DeploymentMismatch("a deployment names a contract that is not ours") from None
    if not isinstance(entry, dict):
        raise DeploymentMismatch(f"{name} has an address and a code_hash")
    try:
        address = octets(entry.get("address"), length=ADDRESS_BYTES)
        code_hash = octets(entry.get("code_hash"), length=HASH_BYTES)
    except UnavailableError:
        raise DeploymentMismatch(
            f"{name} has an address of 20 and a code_hash of 32 bytes, in hexadecimal"
        ) from None
    return ContractPin("0x" + address.hex(), code_hash)
