"""`ports.ledger.LedgerReader` over both contracts: finalized blocks and their events."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from web3 import Web3
from web3.exceptions import BlockNotFound

from wallet.adapters.evm.node import Deployment, ask, contracts
from wallet.errors import MalformedError
from wallet.ports.facts import ChainUnavailable
from wallet.trust.events import (
    AccreditorRevoked,
    BatchWithdrawn,
    IssuerRevoked,
    LedgerEvent,
)
from wallet.trust.facts import AccreditorScope, BatchFact, BlockRef, IssuerScope, StatusFact

MAX_LOGS_PER_READ: Final = 10_000
_DEPTH: Final = re.compile(r"depth:([0-9]{1,4})\Z")


class FinalityUnknown(MalformedError):
    """A finality mode other than `tag`, `instant` and `depth:N`."""

    code = "finality_unknown"


class EvmLedgerReader:
    """Reads finalized facts.

    `finality` says what is final: `tag` (the node's finalized tag), `instant` (every block: BFT
    chains and the in-process chain) or `depth:N` (N blocks below the head).
    """

    def __init__(self, w3: Web3, deployment: Deployment, *, finality: str = "tag") -> None:
        depth = _DEPTH.match(finality)
        if finality not in ("tag", "instant") and depth is None:
            raise FinalityUnknown("finality is tag, instant or depth:N")
        self._w3 = w3
        self._finality = finality
        self._depth = int(depth[1]) if depth else 0
        registry, anchor = contracts(w3, deployment)
        self._addresses = [registry.address, anchor.address]
        self._registry = registry
        self._accreditors: dict[int, str] = {}
        self._decoders: dict[bytes, Any] = {}
        for contract in (registry, anchor):
            for abi in contract.abi:
                if abi["type"] == "event" and abi["name"] in _TRANSLATORS:
                    event = contract.events[abi["name"]]()
                    self._decoders[bytes.fromhex(event.topic.removeprefix("0x"))] = event

    def finalized_head(self) -> BlockRef:
        """Return the newest final block. Raises `ChainUnavailable`."""
        if self._finality == "tag":
            return self._block("finalized")
        if self._depth:
            number = ask(lambda: self._w3.eth.block_number)
            return self._block(max(0, number - self._depth))
        return self._block("latest")

    def block(self, number: int) -> BlockRef:
        """Return the block at a height. Raises `ChainUnavailable`."""
        return self._block(number)

    def _block(self, which: Any) -> BlockRef:
        try:
            block = ask(lambda: self._w3.eth.get_block(which))
        except BlockNotFound as error:
            raise ChainUnavailable("the node does not have the block") from error
        return BlockRef(int(block["number"]), bytes(block["hash"]), int(block["timestamp"]))

    def events(self, first: int, last: int) -> Sequence[LedgerEvent]:
        """Return the contracts' events of blocks `first` to `last`. Raises `ChainUnavailable`."""
        logs = ask(
            lambda: self._w3.eth.get_logs(
                {"fromBlock": first, "toBlock": last, "address": self._addresses}
            )
        )
        if len(logs) > MAX_LOGS_PER_READ:
            raise ChainUnavailable("the node returned more logs than one read may hold")
        times: dict[int, int] = {}
        result: list[LedgerEvent] = []
        for log in sorted(logs, key=lambda entry: (entry["blockNumber"], entry["logIndex"])):
            decoder = self._decoders.get(bytes(log["topics"][0]))
            if decoder is None:
                continue
            number = int(log["blockNumber"])
            if log.get("removed") or not first <= number <= last:
                raise ChainUnavailable("the node returned a log from outside the blocks asked for")
            if number not in times:
                times[number] = self._block(number).time
            decoded = decoder.process_log(log)
            translate = _TRANSLATORS[decoded["event"]]
            translated = translate(self, decoded["args"], times[number])
            if translated is not None:
                result.append(translated)
        return result

    def accreditor_of(self, mandate_id: int) -> str:
        """Return the accreditor of a mandate, which never changes."""
        known = self._accreditors.get(mandate_id)
        if known is None:
            found = ask(lambda: self._registry.functions.accreditorOf(mandate_id).call())
            known = self._accreditors[mandate_id] = str(found).lower()
        return known


def _accreditor_accredited(reader: EvmLedgerReader, args: Any, _time: int) -> AccreditorScope:
    return AccreditorScope(
        args["accreditor"].lower(),
        bytes(args["schemaId"]),
        args["scopeIndex"],
        args["validFrom"],
        args["validUntil"],
    )


def _accreditor_revoked(reader: EvmLedgerReader, args: Any, _time: int) -> AccreditorRevoked:
    return AccreditorRevoked(
        args["accreditor"].lower(), bytes(args["schemaId"]), args["scopeIndex"], args["revokedAt"]
    )


def _issuer_accredited(reader: EvmLedgerReader, args: Any, _time: int) -> IssuerScope:
    return IssuerScope(
        bytes(args["issuerId"]),
        bytes(args["schemaId"]),
        args["scopeIndex"],
        reader.accreditor_of(args["mandateId"]),
        args["validFrom"],
        args["validUntil"],
    )


def _issuer_revoked(reader: EvmLedgerReader, args: Any, _time: int) -> IssuerRevoked:
    return IssuerRevoked(
        bytes(args["issuerId"]), bytes(args["schemaId"]), args["scopeIndex"], args["revokedAt"]
    )


def _batch_anchored(reader: EvmLedgerReader, args: Any, time: int) -> BatchFact:
    return BatchFact(
        bytes(args["issuerId"]),
        bytes(args["schemaId"]),
        bytes(args["root"]),
        args["size"],
        bytes(args["manifestDigest"]),
        time,
    )


def _batch_revoked(reader: EvmLedgerReader, args: Any, time: int) -> BatchWithdrawn:
    return BatchWithdrawn(bytes(args["issuerId"]), bytes(args["root"]), time)


def _status_published(reader: EvmLedgerReader, args: Any, time: int) -> StatusFact:
    return StatusFact(
        bytes(args["issuerId"]),
        bytes(args["listId"]),
        args["version"],
        bytes(args["digest"]),
        args["expires"],
        time,
    )


def _controller_changed(reader: EvmLedgerReader, args: Any, _time: int) -> None:
    """Who may write for an issuer is the contract's business; no verification depends on it."""


_TRANSLATORS: Final[dict[str, Callable[[EvmLedgerReader, Any, int], LedgerEvent | None]]] = {
    "AccreditorAccredited": _accreditor_accredited,
    "AccreditorRevoked": _accreditor_revoked,
    "IssuerAccredited": _issuer_accredited,
    "IssuerRevoked": _issuer_revoked,
    "BatchAnchored": _batch_anchored,
    "BatchRevoked": _batch_revoked,
    "StatusPublished": _status_published,
    "ControllerChanged": _controller_changed,
}
