"""did:ethr: identifiers whose documents follow from the events of an ERC-1056 registry.

An identifier is an address or a secp256k1 public key, with the chain before it
(`did:ethr:0x7a69:0x...`). Pure: the events come in as `DidChange`, in chain order and complete;
`ethr_document` makes the document of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wallet.crypto.ethereum import ADDRESS_BYTES, address_of_public_key, checksum_address
from wallet.crypto.keys import KeyMalformed
from wallet.did.syntax import Did, DidMalformed, parse_did
from wallet.errors import UnsupportedError

METHOD: Final = "ethr"
# The value of a change: an attribute's, or the address of the new owner or the delegate.
ChangeValue = bytes

# Names that stand for a chain; every other chain is written as its id in lower-case hexadecimal.
NETWORKS: Final[Mapping[str, int]] = {"": 1, "mainnet": 1, "sepolia": 11155111}
_CHAIN_ID: Final = re.compile(r"0x[1-9a-f][0-9a-f]{0,15}\Z")
_IDENTIFIER: Final = re.compile(r"0x(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{66})\Z")
_ADDRESS_CHARACTERS: Final = 2 + 2 * ADDRESS_BYTES


class DidNetworkUnknown(UnsupportedError):
    """A did:ethr on another chain than the one that is followed here."""

    code = "did_network_unknown"


class DidHistoryTooLong(UnsupportedError):
    """A did:ethr was changed more often than is read here."""

    code = "did_history_too_long"


class ChangeKind(StrEnum):
    """The three events of ERC-1056."""

    OWNER = "owner"
    DELEGATE = "delegate"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class DidChange:
    """One event about an identity (its address in lower-case hex).

    `at` is the time of the block. `name` are the 32 bytes of a delegate's type or an attribute's
    name, zero for a new owner; `value` is the attribute's value, or 20 bytes of the new owner or
    the delegate. `valid_to` is in unix seconds, 0 for a new owner and a revoked attribute.
    """

    identity: str
    block_number: int
    log_index: int
    at: int
    kind: ChangeKind
    name: bytes
    value: ChangeValue
    valid_to: int


@dataclass(frozen=True, slots=True)
class EthrIdentifier:
    """What a did:ethr names: a chain, an address, and the key if the identifier is one."""

    did: Did
    chain_id: int
    address: bytes
    public_key: bytes | None

    @property
    def identity(self) -> str:
        """The address as changes have it."""
        return "0x" + self.address.hex()


def parse_did_ethr(text: object, networks: Mapping[str, int] = NETWORKS) -> EthrIdentifier:
    """Return what the did:ethr that `text` spells names.

    Raises `DidMalformed`, also for an address in mixed case whose EIP-55 checksum is wrong and a
    key that is not on its curve, and `DidNetworkUnknown` for a chain that `networks` does not
    name.
    """
    did = parse_did(text)
    network, _, identifier = did.identifier.rpartition(":")
    if did.method != METHOD or _IDENTIFIER.match(identifier) is None:
        raise DidMalformed("expected did:ethr, a chain, and an address or a public key")
    chain_id = networks.get(network)
    if chain_id is None:
        if _CHAIN_ID.match(network) is None:
            raise DidNetworkUnknown("the chain of this did:ethr is not known here")
        chain_id = int(network, 16)
    raw = bytes.fromhex(identifier[2:])
    if len(identifier) > _ADDRESS_CHARACTERS:
        try:
            return EthrIdentifier(did, chain_id, address_of_public_key(raw), raw)
        except KeyMalformed as error:
            raise DidMalformed("the public key of the did:ethr is none") from error
    digits = identifier[2:]
    if digits not in (digits.lower(), digits.upper()) and identifier != checksum_address(raw):
        raise DidMalformed("the address of the did:ethr has a wrong checksum")
    return EthrIdentifier(did, chain_id, raw, None)


@dataclass(frozen=True, slots=True)
class EthrHistory:
    """A did:ethr with every change of it, in chain order: its keys at any time."""

    identifier: EthrIdentifier
    changes: Sequence[DidChange]

    @property
    def did(self) -> Did:
        """The DID."""
        return self.identifier.did
