"""Logs of the contracts as ledger events: one line of the table below for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from wallet.adapters.evm.artifacts import events
from wallet.adapters.evm.blocks import HASH_BYTES, Log
from wallet.adapters.evm.deployment import ANCHOR, BOARD, DID_REGISTRY, DIRECTORY, REGISTRY
from wallet.adapters.evm.rpc import NodeAnswerInvalid
from wallet.did.did_ethr import ChangeKind, DidChange
from wallet.trust.boards import BoardFact, CheckpointFact, OperatorChanged, SealFact
from wallet.trust.directory import DirectoryDeprecated, DirectoryEntry, name_in_directory
from wallet.trust.events import (
    AccreditorRevoked,
    BatchWithdrawn,
    IssuerRevoked,
    LedgerEvent,
    SuspensionLifted,
)
from wallet.trust.facts import (
    AccreditorScope,
    BatchFact,
    IssuerScope,
    StatusFact,
    SuspensionFact,
)
from wallet.trust.verifiers import VerifierRevoked, VerifierScope

Arguments = Mapping[str, Any]
_FAR_FUTURE: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Context:
    """What an event is read with: its log, its block's time, the accreditors of mandates."""

    log: Log
    time: int
    accreditor_of: Callable[[int], str]


Translator = Callable[[Arguments, Context], LedgerEvent | None]


@dataclass(frozen=True, slots=True)
class DecodedLog:
    """A log with its event's name and arguments, as the ABI calls them; addresses lower-case."""

    contract: str
    event: str
    arguments: Arguments


def decode_log(contract: str, log: Log) -> DecodedLog | None:
    """Return what a log of `contract` says; None for an event that its ABI does not have.

    Raises `NodeAnswerInvalid`.
    """
    entry = events(contract).get(log.topics[0])
    return None if entry is None else DecodedLog(contract, entry["name"], _arguments(entry, log))


def translate(contract: str, context: Context) -> LedgerEvent | None:
    """Return the event of the context's log; None when no fact depends on it.

    Raises `NodeAnswerInvalid`.
    """
    decoded = decode_log(contract, context.log)
    if decoded is None:
        return None
    translator = _TRANSLATORS.get(contract, {}).get(decoded.event)
    return None if translator is None else translator(decoded.arguments, context)


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


def _issuer_suspended(args: Arguments, context: Context) -> SuspensionFact:
    return SuspensionFact(args["issuerId"], args["suspensionIndex"], args["since"])


def _issuer_unsuspended(args: Arguments, context: Context) -> SuspensionLifted:
    return SuspensionLifted(args["issuerId"], args["suspensionIndex"], args["until"])


def _verifier_registered(args: Arguments, context: Context) -> VerifierScope:
    return VerifierScope(
        args["verifierId"],
        args["serviceId"],
        args["schemaId"],
        args["purposeDigest"],
        args["claimsDigest"],
        args["scopeIndex"],
        args["validFrom"],
        args["validUntil"],
    )


def _verifier_revoked(args: Arguments, context: Context) -> VerifierRevoked:
    return VerifierRevoked(
        args["verifierId"], args["serviceId"], args["scopeIndex"], args["revokedAt"]
    )


def _board_opened(args: Arguments, context: Context) -> BoardFact:
    return BoardFact(
        args["boardId"],
        args["organiser"],
        args["electionId"],
        args["operator"],
        args["configDigest"],
        args["opens"],
        args["closes"],
        args["flushUntil"],
        context.time,
    )


def _operator_changed(args: Arguments, context: Context) -> OperatorChanged:
    return OperatorChanged(args["boardId"], args["operator"])


def _checkpointed(args: Arguments, context: Context) -> CheckpointFact:
    return CheckpointFact(
        args["boardId"],
        args["number"],
        args["oldSize"],
        args["size"],
        args["oldRoot"],
        args["root"],
        context.time,
    )


def _board_sealed(args: Arguments, context: Context) -> SealFact:
    return SealFact(args["boardId"], args["root"], args["size"], args["tallyDigest"], context.time)


def _contract_listed(args: Arguments, context: Context) -> DirectoryEntry:
    return DirectoryEntry(
        name_in_directory(args["name"]),
        args["version"],
        args["location"],
        args["codeHash"],
        context.time,
    )


def _contract_deprecated(args: Arguments, context: Context) -> DirectoryDeprecated:
    return DirectoryDeprecated(name_in_directory(args["name"]), args["version"], context.time)


def _did_change(kind: ChangeKind, name: str | None, value: str) -> Translator:
    def translator(args: Arguments, context: Context) -> DidChange:
        found = args[value]
        return DidChange(
            args["identity"],
            context.log.block_number,
            context.log.index,
            context.time,
            kind,
            bytes(HASH_BYTES) if name is None else args[name],
            found if isinstance(found, bytes) else bytes.fromhex(found[2:]),
            # the contract allows for a century
            min(args.get("validTo", 0), _FAR_FUTURE),
        )

    return translator


# An event that is not named here is proven with the others and changes no fact. Who may write for
# an issuer (ControllerChanged) and who holds a role are the contract's business.
_TRANSLATORS: Final[Mapping[str, Mapping[str, Translator]]] = {
    REGISTRY: {
        "AccreditorAccredited": _accreditor_accredited,
        "AccreditorRevoked": _accreditor_revoked,
        "IssuerAccredited": _issuer_accredited,
        "IssuerRevoked": _issuer_revoked,
        "IssuerSuspended": _issuer_suspended,
        "IssuerUnsuspended": _issuer_unsuspended,
        "VerifierRegistered": _verifier_registered,
        "VerifierRevoked": _verifier_revoked,
    },
    ANCHOR: {
        "BatchAnchored": _batch_anchored,
        "BatchRevoked": _batch_revoked,
        "StatusPublished": _status_published,
    },
    DID_REGISTRY: {
        "DIDOwnerChanged": _did_change(ChangeKind.OWNER, None, "owner"),
        "DIDDelegateChanged": _did_change(ChangeKind.DELEGATE, "delegateType", "delegate"),
        "DIDAttributeChanged": _did_change(ChangeKind.ATTRIBUTE, "name", "value"),
    },
    BOARD: {
        "BoardOpened": _board_opened,
        "OperatorChanged": _operator_changed,
        "Checkpointed": _checkpointed,
        "BoardSealed": _board_sealed,
    },
    DIRECTORY: {
        "ContractListed": _contract_listed,
        "ContractDeprecated": _contract_deprecated,
    },
}
