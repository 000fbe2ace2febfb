"""Logs of the contracts as ledger events: one line of the table below for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from wallet.adapters.evm.artifacts import events
from wallet.adapters.evm.blocks import Log
from wallet.adapters.evm.deployment import ANCHOR, REGISTRY
from wallet.adapters.evm.rpc import NodeAnswerInvalid
from wallet.trust.events import AccreditorRevoked, BatchWithdrawn, IssuerRevoked, LedgerEvent
from wallet.trust.facts import AccreditorScope, BatchFact, IssuerScope, StatusFact

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What an event is read with: its block's time, and the accreditors of earlier mandates."""

    time: int
    accreditor_of: Callable[[int], str]


Translator = Callable[[Arguments, Context], LedgerEvent | None]


def translate(contract: str, log: Log, context: Context) -> LedgerEvent | None:
    """Return the event of a log of `contract`; None when no verification depends on it.

    Raises `NodeAnswerInvalid`.
    """
    entry = events(contract).get(log.topics[0])
    translator = _TRANSLATORS.get(contract, {}).get(entry["name"]) if entry is not None else None
    if entry is None or translator is None:
        return None
    return translator(_arguments(entry, log), context)


def decode_event(contract: str, log: Log) -> tuple[str, Arguments]:
    """Return the name and the arguments of a log, whatever event of `contract` it is.

    Addresses are lower-case hex. Raises `NodeAnswerInvalid`.
    """
    entry = events(contract).get(log.topics[0]) if log.topics else None
    if entry is None:
        raise NodeAnswerInvalid(f"a log is of no event that {contract} has")
    return entry["name"], _arguments(entry, log)


def _arguments(entry: Mapping[str, Any], log: Log) -> Arguments:
    indexed = [item for item in entry["inputs"] if item["indexed"]]
    rest = [item for item in entry["inputs"] if not item["indexed"]]
    if len(indexed) != len(log.topics) - 1:
        raise NodeAnswerInvalid("a log has another number of topics than its event")
    encoded = b"".join(log.topics[1:])
    try:
        values = (
            *decode([item["type"] for item in indexed], encoded),
            *decode([item["type"] for item in rest], log.data),
        )
    except (DecodingError, OverflowError) as error:
        raise NodeAnswerInvalid("a log does not hold its event's arguments") from error
    return dict(zip((item["name"] for item in (*indexed, *rest)), values, strict=True))


def _accreditor_accredited(args: Arguments, context: Context) -> AccreditorScope:
    return AccreditorScope(
        args["accreditor"],
        args["schemaId"],
        args["scopeIndex"],
        args["validFrom"],
        args["validUntil"],
        mandate_id=args["mandateId"],
    )


def _accreditor_revoked(args: Arguments, context: Context) -> AccreditorRevoked:
    return AccreditorRevoked(
        args["accreditor"], args["schemaId"], args["scopeIndex"], args["revokedAt"]
    )


def _issuer_accredited(args: Arguments, context: Context) -> IssuerScope:
    return IssuerScope(
        args["issuerId"],
        args["schemaId"],
        args["scopeIndex"],
        context.accreditor_of(args["mandateId"]),
        args["validFrom"],
        args["validUntil"],
    )


def _issuer_revoked(args: Arguments, context: Context) -> IssuerRevoked:
    return IssuerRevoked(args["issuerId"], args["schemaId"], args["scopeIndex"], args["revokedAt"])


def _batch_anchored(args: Arguments, context: Context) -> BatchFact:
    return BatchFact(
        args["issuerId"],
        args["schemaId"],
        args["root"],
        args["size"],
        args["manifestDigest"],
        context.time,
    )


def _batch_revoked(args: Arguments, context: Context) -> BatchWithdrawn:
    return BatchWithdrawn(args["issuerId"], args["root"], context.time)


def _status_published(args: Arguments, context: Context) -> StatusFact:
    return StatusFact(
        args["issuerId"],
        args["listId"],
        args["version"],
        args["digest"],
        args["expires"],
        context.time,
    )


# An event that is not named here is proven with the others and changes no fact. Who may write for
# an issuer (ControllerChanged), for one, is the contract's business.
_TRANSLATORS: Final[Mapping[str, Mapping[str, Translator]]] = {
    REGISTRY: {
        "AccreditorAccredited": _accreditor_accredited,
        "AccreditorRevoked": _accreditor_revoked,
        "IssuerAccredited": _issuer_accredited,
        "IssuerRevoked": _issuer_revoked,
    },
    ANCHOR: {
        "BatchAnchored": _batch_anchored,
        "BatchRevoked": _batch_revoked,
        "StatusPublished": _status_published,
    },
}
