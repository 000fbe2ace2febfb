"""What the contracts cannot have emitted is a difference; what they can is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from seoul_wallet.audit.difference import ZERO_ADDRESS, AuditDifference, AuditIncomplete
from seoul_wallet.audit.replay import Replay
from seoul_wallet.audit.replay_records import EMPTY_ROOT
from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.blocks import Header, Log
from wallet.adapters.evm.deployment import ContractPin, Deployment
from wallet.crypto.hashing import sha256

NAMES = ("TrustRegistry", "CredentialAnchor", "BallotBoard", "EthereumDIDRegistry", "Directory")
ADDRESSES = {name: f"0x{number:040x}" for number, name in enumerate(NAMES, 1)}
DEPLOYMENT = Deployment(1, {name: ContractPin(at, bytes(32)) for name, at in ADDRESSES.items()}, 0)
A, B, C, D = (f"0x{number:040x}" for number in (0xA, 0xB, 0xC, 0xD))
ISSUER, SCHEMA, ROOT, LIST, X = (bytes([n]) * 32 for n in range(1, 6))
BOARD = keccak(encode(["address", "bytes32"], [A, X]))
SERVICE = sha256(SCHEMA + X + X)

Event = tuple[str, str, tuple[Any, ...]]


def trust(event: str, *arguments: Any) -> Event:
    return "TrustRegistry", event, arguments


def anchor(event: str, *arguments: Any) -> Event:
    return "CredentialAnchor", event, arguments


def board(event: str, *arguments: Any) -> Event:
    return "BallotBoard", event, arguments


def did(event: str, *arguments: Any) -> Event:
    return "EthereumDIDRegistry", event, arguments


def directory(event: str, *arguments: Any) -> Event:
    return "Directory", event, arguments


# Each at the time 100, 101, ... and in the block of that number.
MANDATE = trust("AccreditorAccredited", A, SCHEMA, 1, 0, 100, 1000)
ACCREDITED = trust("IssuerAccredited", ISSUER, SCHEMA, B, 1, 0, 101, 900)
GRANTED = [MANDATE, ACCREDITED]
ANCHORED = anchor("BatchAnchored", ISSUER, SCHEMA, ROOT, 64, 1, X)
OPENED = board("BoardOpened", BOARD, A, X, B, X, 101, 200, 210)
CHECKPOINT = board("Checkpointed", BOARD, 1, 0, 8, EMPTY_ROOT, X)
LISTED = directory("ContractListed", X, 1, A, X)
REGISTERED = trust("VerifierRegistered", ISSUER, SERVICE, SCHEMA, X, X, 0, 100, 900)
NAMED = b"veriKey".ljust(32, b"\0")


def log_of(event: Event, time: int) -> Log:
    contract, name, values = event
    (entry,) = (
        item
        for item in artifact(contract)["abi"]
        if item["type"] == "event" and item["name"] == name
    )
    types = [item["type"] for item in entry["inputs"]]
    indexed = [item["indexed"] for item in entry["inputs"]]
    topics = [keccak(text=f"{name}({','.join(types)})")]
    topics += [encode([t], [v]) for t, v, i in zip(types, values, indexed, strict=True) if i]
    rest = [(t, v) for t, v, i in zip(types, values, indexed, strict=True) if not i]
    data = encode([t for t, _ in rest], [v for _, v in rest])
    return Log(ADDRESSES[contract], tuple(topics), data, time, 0)


def replay(events: Sequence[Event]) -> Replay:
    made = Replay(DEPLOYMENT)
    for time, event in enumerate(events, 100):
        made.apply(log_of(event, time), Header(time, X, X, time, X, b""))
    return made


ALLOWED: dict[str, Sequence[Event]] = {
    "a batch of an accredited issuer": [*GRANTED, ANCHORED],
    "a withdrawn batch": [*GRANTED, ANCHORED, anchor("BatchRevoked", ISSUER, ROOT, D)],
    "a right given again": [
        *GRANTED,
        trust("IssuerRevoked", ISSUER, SCHEMA, A, 0, 101),
        trust("IssuerAccredited", ISSUER, SCHEMA, B, 1, 1, 103, 900),
    ],
    "a revocation moved to an earlier time": [
        MANDATE,
        trust("AccreditorRevoked", A, SCHEMA, 1, 0, 101),
        trust("AccreditorRevoked", A, SCHEMA, 1, 0, 100),
    ],
    "a suspension that was lifted": [
        *GRANTED,
        trust("IssuerSuspended", ISSUER, D, 0, 102),
        trust("IssuerUnsuspended", ISSUER, D, 0, 103),
        ANCHORED,
    ],
    "another controller": [*GRANTED, trust("ControllerChanged", ISSUER, B, C, B)],
    "a verifier that was revoked": [
        REGISTERED,
        trust("VerifierRevoked", ISSUER, SERVICE, D, 0, 101),
    ],
    "a role that was taken away": [
        trust("RoleGranted", X, A, B),
        trust("RoleRevoked", X, A, B),
    ],
    "an announced hand-over": [trust("DefaultAdminTransferScheduled", A, 500)],
    "two versions of a list": [
        anchor("StatusPublished", ISSUER, LIST, 1, 500, X),
        anchor("StatusPublished", ISSUER, LIST, 2, 600, X),
    ],
    "a board with a checkpoint twice": [
        OPENED,
        CHECKPOINT,
        board("Checkpointed", BOARD, 2, 8, 8, X, X),
    ],
    "another operator": [OPENED, board("OperatorChanged", BOARD, B, C)],
    "an identity that was deactivated": [
        did("DIDAttributeChanged", A, NAMED, b"key", 500, 0),
        did("DIDDelegateChanged", A, NAMED, B, 500, 100),
        did("DIDOwnerChanged", A, ZERO_ADDRESS, 101),
    ],
    "a version that was deprecated": [LISTED, directory("ContractDeprecated", X, 1)],
}
NOT_ALLOWED: dict[str, tuple[Sequence[Event], str]] = {
    "a mandate with another number": (
        [trust("AccreditorAccredited", A, SCHEMA, 2, 0, 100, 1000)],
        "the mandate's number",
    ),
    "a scope that begins in the past": (
        [trust("AccreditorAccredited", A, SCHEMA, 1, 0, 99, 1000)],
        "begins before its own block",
    ),
    "an empty scope": (
        [trust("AccreditorAccredited", A, SCHEMA, 1, 0, 100, 100)],
        "a scope is empty",
    ),
    "a second scope while the first is open": (
        [MANDATE, trust("AccreditorAccredited", A, SCHEMA, 1, 1, 101, 1000)],
        "while the one before was open",
    ),
    "a scope that overwrites": (
        [MANDATE, trust("AccreditorAccredited", A, SCHEMA, 1, 0, 101, 1000)],
        "the scope's index",
    ),
    "a revocation in the future": (
        [MANDATE, trust("AccreditorRevoked", A, SCHEMA, 1, 0, 102)],
        "revoked in the future",
    ),
    "a revocation from before the scope": (
        [MANDATE, trust("AccreditorRevoked", A, SCHEMA, 1, 0, 99)],
        "before the scope began",
    ),
    "a revocation moved to a later time": (
        [
            MANDATE,
            trust("AccreditorRevoked", A, SCHEMA, 1, 0, 100),
            trust("AccreditorRevoked", A, SCHEMA, 1, 0, 101),
        ],
        "moved to a later time",
    ),
    "a revocation of nothing": (
        [MANDATE, trust("AccreditorRevoked", A, SCHEMA, 1, 1, 100)],
        "never given",
    ),
    "an issuer without a mandate": (
        [trust("IssuerAccredited", ISSUER, SCHEMA, B, 1, 0, 100, 900)],
        "under a mandate that was not in force",
    ),
    "an issuer under a mandate for another type": (
        [MANDATE, trust("IssuerAccredited", ISSUER, X, B, 1, 0, 101, 900)],
        "the schema of its accreditor's mandate",
    ),
    "an issuer taken over": (
        [
            *GRANTED,
            trust("IssuerRevoked", ISSUER, SCHEMA, A, 0, 101),
            trust("IssuerAccredited", ISSUER, SCHEMA, C, 1, 1, 103, 900),
        ],
        "the controller",
    ),
    "a controller that was another": (
        [*GRANTED, trust("ControllerChanged", ISSUER, C, D, B)],
        "the controller before",
    ),
    "a suspension of nobody": (
        [trust("IssuerSuspended", ISSUER, D, 0, 100)],
        "never accredited",
    ),
    "a suspension dated back": (
        [*GRANTED, trust("IssuerSuspended", ISSUER, D, 0, 101)],
        "the suspension",
    ),
    "a suspension twice": (
        [
            *GRANTED,
            trust("IssuerSuspended", ISSUER, D, 0, 102),
            trust("IssuerSuspended", ISSUER, D, 1, 103),
        ],
        "suspended twice",
    ),
    "a suspension lifted that is not there": (
        [*GRANTED, trust("IssuerUnsuspended", ISSUER, D, 0, 102)],
        "that was not there",
    ),
    "a service with another identifier": (
        [trust("VerifierRegistered", ISSUER, X, SCHEMA, X, X, 0, 100, 900)],
        "the service's identifier",
    ),
    "a role given twice": (
        [trust("RoleGranted", X, A, B), trust("RoleGranted", X, A, B)],
        "given twice",
    ),
    "a role taken that nobody had": ([trust("RoleRevoked", X, A, B)], "that nobody had"),
    "a batch twice": ([*GRANTED, ANCHORED, ANCHORED], "anchored twice"),
    "an empty batch": (
        [*GRANTED, anchor("BatchAnchored", ISSUER, SCHEMA, ROOT, 0, 1, X)],
        "it is empty",
    ),
    "a batch of nobody": ([ANCHORED], "not accredited when it was anchored"),
    "a batch of a suspended issuer": (
        [*GRANTED, trust("IssuerSuspended", ISSUER, D, 0, 102), ANCHORED],
        "not accredited when it was anchored",
    ),
    "a batch under another mandate": (
        [*GRANTED, anchor("BatchAnchored", ISSUER, SCHEMA, ROOT, 1, 2, X)],
        "its mandate",
    ),
    "a withdrawal of nothing": (
        [anchor("BatchRevoked", ISSUER, ROOT, D)],
        "never anchored",
    ),
    "a withdrawal twice": (
        [*GRANTED, ANCHORED, *[anchor("BatchRevoked", ISSUER, ROOT, D)] * 2],
        "revoked twice",
    ),
    "a version left out": ([anchor("StatusPublished", ISSUER, LIST, 2, 500, X)], "the version"),
    "a list that had run out": (
        [anchor("StatusPublished", ISSUER, LIST, 1, 100, X)],
        "it had run out",
    ),
    "a board with another identifier": (
        [board("BoardOpened", X, A, X, B, X, 101, 200, 210)],
        "its identifier",
    ),
    "a board opened twice": ([OPENED, OPENED], "opened twice"),
    "a board that opened in the past": (
        [board("BoardOpened", BOARD, A, X, B, X, 99, 200, 210)],
        "out of order",
    ),
    "a checkpoint on no board": ([CHECKPOINT], "never opened"),
    "a checkpoint too early": (
        [board("BoardOpened", BOARD, A, X, B, X, 150, 200, 210), CHECKPOINT],
        "outside its hours",
    ),
    "a checkpoint after another state": (
        [OPENED, board("Checkpointed", BOARD, 1, 1, 8, EMPTY_ROOT, X)],
        "the state before",
    ),
    "a board that shrank": (
        [OPENED, CHECKPOINT, board("Checkpointed", BOARD, 2, 8, 7, X, X)],
        "it shrank",
    ),
    "a board that changed without growing": (
        [OPENED, CHECKPOINT, board("Checkpointed", BOARD, 2, 8, 8, X, ROOT)],
        "changed without growing",
    ),
    "a board sealed too early": (
        [OPENED, CHECKPOINT, board("BoardSealed", BOARD, X, 8, X)],
        "before it closed",
    ),
    "a board sealed in another state": (
        [OPENED, CHECKPOINT, board("BoardSealed", BOARD, X, 9, X)],
        "what is sealed",
    ),
    "an operator that was another": (
        [OPENED, board("OperatorChanged", BOARD, C, D)],
        "the operator before",
    ),
    "a change that links elsewhere": (
        [did("DIDAttributeChanged", A, NAMED, b"key", 500, 7)],
        "the block of the change before",
    ),
    "a change after deactivation": (
        [
            did("DIDOwnerChanged", A, ZERO_ADDRESS, 0),
            did("DIDAttributeChanged", A, NAMED, b"key", 500, 100),
        ],
        "when deactivated",
    ),
    "a listing with another version": (
        [directory("ContractListed", X, 2, A, X)],
        "the version",
    ),
    "an address listed twice": (
        [LISTED, directory("ContractListed", X, 2, A, X)],
        "listed twice",
    ),
    "a deprecation of nothing": ([directory("ContractDeprecated", X, 1)], "is not there"),
    "a deprecation twice": (
        [LISTED, *[directory("ContractDeprecated", X, 1)] * 2],
        "deprecated twice",
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_the_contracts_may_do_is_no_difference(case: str) -> None:
    made = replay(ALLOWED[case])
    assert sum(made.counts.values()) == len(ALLOWED[case])


@pytest.mark.parametrize("case", NOT_ALLOWED)
def test_what_the_contracts_cannot_have_done_is_named(case: str) -> None:
    events, message = NOT_ALLOWED[case]
    replay(events[:-1])
    with pytest.raises(AuditDifference, match=message) as raised:
        replay(events)
    contract, name, _ = events[-1]
    assert str(raised.value).startswith(f"{contract}, block {99 + len(events)}, {name}: ")


def test_an_event_without_a_rule_leaves_the_audit_incomplete() -> None:
    with pytest.raises(AuditIncomplete, match="RoleAdminChanged"):
        replay([trust("RoleAdminChanged", X, X, X)])


def test_every_event_of_every_contract_has_a_rule_or_is_known_to_change_nothing() -> None:
    covered = {event for events in ALLOWED.values() for _, event, _ in events}
    declared = {
        item["name"] for name in NAMES for item in artifact(name)["abi"] if item["type"] == "event"
    }
    # Never emitted, by the contract's own words, or announcements like the one above.
    left_out = {
        *("RoleAdminChanged", "DefaultAdminTransferCanceled", "DefaultAdminDelayChangeScheduled"),
        *("DefaultAdminDelayChangeCanceled", "EIP712DomainChanged"),
    }
    assert declared - covered - left_out == {"BoardSealed"}
