"""A local replica against what the events lead to at the replica's own block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import Engine

from seoul_wallet.audit.difference import AuditDifference, AuditIncomplete, expect, short, shown
from seoul_wallet.audit.replay import Replay
from seoul_wallet.audit.replay_records import contract_name
from seoul_wallet.audit.replay_trust import TrustRecords
from wallet.adapters.sql.replica_snapshot import export_snapshot
from wallet.trust.directory import DirectoryEntry
from wallet.trust.facts import AccreditorScope, IssuerScope, SuspensionFact
from wallet.trust.replica_bundle import KINDS, ReplicaSnapshot
from wallet.trust.verifiers import VerifierScope

# The fields by which a fact is found, after those of the tables' primary keys.
KEYS: Final[Mapping[str, Sequence[str]]] = {
    "accreditor_scopes": ("accreditor", "schema_id", "index"),
    "issuer_scopes": ("issuer_id", "schema_id", "index"),
    "suspensions": ("issuer_id", "index"),
    "batches": ("issuer_id", "root"),
    "statuses": ("issuer_id", "list_id", "version"),
    "verifier_scopes": ("verifier_id", "service_id", "index"),
    "boards": ("board_id",),
    "checkpoints": ("board_id", "number"),
    "seals": ("board_id",),
    "directory": ("name", "version"),
    "did_changes": ("identity", "block_number", "log_index"),
}


@dataclass
class ReplicaUnderAudit:
    """What a replica holds. `name` is how messages call it."""

    name: str
    snapshot: ReplicaSnapshot

    @classmethod
    def of(cls, name: str, engine: Engine) -> ReplicaUnderAudit:
        """Read a replica. Raises `ReplicaEmpty`, `ReplicaDiverged`, `StorageUnavailable`."""
        return cls(name, export_snapshot(engine))

    @property
    def block_number(self) -> int:
        """The block up to which it is complete."""
        return self.snapshot.head.number

    def compare(self, expected: ReplicaExpectation) -> int:
        """Compare with what it must hold at its block; return how many facts it has.

        Raises `AuditDifference`, `AuditIncomplete`.
        """
        if set(KINDS) != set(KEYS):
            raise AuditIncomplete("the replica holds facts that the audit does not know")
        expect(self.name, "its deployment", self.snapshot.identity, expected.identity)
        expect(self.name, "the hash of its block", self.snapshot.head.hash, expected.block_hash)
        for kind in KINDS:
            _compare_facts(
                f"{self.name}, {kind.replace('_', ' ')}",
                _by_key(kind, self.snapshot.facts[kind]),
                _by_key(kind, expected.facts[kind]),
            )
        for address, head in expected.log_heads.items():
            found = self.snapshot.log_heads.get(address)
            expect(self.name, f"the log head of {address}", found, head)
        return sum(len(rows) for rows in self.snapshot.facts.values())


@dataclass(frozen=True, slots=True)
class ReplicaExpectation:
    """What a replica must hold at a block."""

    identity: str
    block_hash: bytes
    facts: Mapping[str, Sequence[object]]
    log_heads: Mapping[str, bytes]


def expectation(
    identity: str, block_hash: bytes, replay: Replay, log_heads: Mapping[str, bytes]
) -> ReplicaExpectation:
    """Return what the events so far lead to, as it is now."""
    return ReplicaExpectation(identity, block_hash, _facts(replay), dict(log_heads))


def _facts(replay: Replay) -> Mapping[str, Sequence[object]]:
    boards, dids = replay.boards.boards.values(), replay.dids
    return {
        **_trust_facts(replay.trust),
        "batches": list(replay.anchor.batches.values()),
        "statuses": [fact for versions in replay.anchor.statuses.values() for fact in versions],
        "boards": [board.opened for board in boards],
        "checkpoints": [checkpoint for board in boards for checkpoint in board.checkpoints],
        "seals": [board.seal for board in boards if board.seal is not None],
        "directory": [
            DirectoryEntry(
                contract_name(name),
                version,
                entry.location,
                entry.code_hash,
                entry.listed_at,
                entry.deprecated_at or None,
            )
            for name, versions in replay.directory.entries.items()
            for version, entry in enumerate(versions, 1)
        ],
        "did_changes": list(dids.changes),
    }


def _trust_facts(trust: TrustRecords) -> Mapping[str, Sequence[object]]:
    return {
        "accreditor_scopes": [
            AccreditorScope(
                *pair, index, s.valid_from, s.valid_until, s.revoked_at or None, s.mandate_id
            )
            for pair, history in trust.accreditors.items()
            for index, s in enumerate(history)
        ],
        "issuer_scopes": [
            IssuerScope(
                *pair, index, s.accreditor, s.valid_from, s.valid_until, s.revoked_at or None
            )
            for pair, history in trust.issuer_scopes.items()
            for index, s in enumerate(history)
        ],
        "suspensions": [
            SuspensionFact(issuer, index, since, until or None)
            for issuer, known in trust.issuers.items()
            for index, (since, until) in enumerate(known.suspensions)
        ],
        "verifier_scopes": [
            VerifierScope(
                *pair,
                *trust.asked[pair[1]],
                index,
                s.valid_from,
                s.valid_until,
                s.revoked_at or None,
            )
            for pair, history in trust.services.items()
            for index, s in enumerate(history)
        ],
    }


def _by_key(kind: str, facts: Sequence[object]) -> Mapping[tuple[object, ...], object]:
    return {tuple(getattr(fact, name) for name in KEYS[kind]): fact for fact in facts}


def _compare_facts(
    subject: str,
    found: Mapping[tuple[object, ...], object],
    expected: Mapping[tuple[object, ...], object],
) -> None:
    for key in sorted(found.keys() | expected.keys()):
        named = " ".join(short(part) if isinstance(part, bytes) else str(part) for part in key)
        here, there = found.get(key), expected.get(key)
        if here is None or there is None:
            state = "missing" if here is None else "not on the chain"
            raise AuditDifference(f"{subject} {named}: {state}")
        for field in fields(there):  # type: ignore[arg-type]
            mine, theirs = getattr(here, field.name), getattr(there, field.name)
            if mine != theirs:
                raise AuditDifference(
                    f"{subject} {named}: {field.name} is {shown(mine)}, expected {shown(theirs)}"
                )
