"""What a replica holds beside accreditations and batches: services, boards, contracts, DIDs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, select

from wallet.adapters.sql.engine import read
from wallet.adapters.sql.replica import usable_state
from wallet.adapters.sql.replica_tables import (
    BOARDS,
    CHECKPOINTS,
    DID_CHANGES,
    DIRECTORY,
    SEALS,
    VERIFIER_SCOPES,
)
from wallet.did.did_ethr import (
    DidChange,
    DidHistoryTooLong,
    DidNetworkUnknown,
    EthrHistory,
    parse_did_ethr,
)
from wallet.did.syntax import Did
from wallet.ports.facts import BoardUnknown
from wallet.trust.boards import BoardFact, BoardState, CheckpointFact, SealFact
from wallet.trust.directory import DirectoryEntry
from wallet.trust.verifiers import RegisteredService, VerifierScope
from wallet.verification.evidence import Fact

MAX_DID_CHANGES: Final = 4096
MAX_CHECKPOINTS_PER_ANSWER: Final = 10_000


class SqlVerifierRegistry:
    """`ports.facts.VerifierRegistry` over the schema `replica`; raises `StorageUnavailable`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def verifier_services(self, verifier_id: bytes) -> Fact[Sequence[RegisteredService]]:
        columns = VERIFIER_SCOPES.c
        with read(self._engine) as connection:
            as_of = _as_of(connection)
            wanted = (
                select(VERIFIER_SCOPES)
                .where(columns.verifier_id == verifier_id)
                .order_by(columns.service_id, columns["index"])
            )
            scopes = (VerifierScope(**row) for row in _rows(connection, wanted))
            return Fact(tuple(scope.service for scope in scopes), as_of)


class SqlReplicaRecords(SqlVerifierRegistry):
    """`ports.facts.ContractRecords` over the schema `replica`.

    Every method also raises `StorageUnavailable`.
    """

    def __init__(self, engine: Engine, chain_id: int) -> None:
        """`chain_id` is that of the deployment that the replica copies."""
        super().__init__(engine)
        self._chain_id = chain_id

    def board(self, board_id: bytes) -> Fact[BoardState]:
        with read(self._engine) as connection:
            as_of = _as_of(connection)
            opened = _rows(connection, select(BOARDS).where(BOARDS.c.board_id == board_id))
            if not opened:
                raise BoardUnknown("no such board was opened in the finalized blocks")
            newest = _rows(
                connection,
                select(CHECKPOINTS)
                .where(CHECKPOINTS.c.board_id == board_id)
                .order_by(CHECKPOINTS.c.number.desc())
                .limit(1),
            )
            seal = _rows(connection, select(SEALS).where(SEALS.c.board_id == board_id))
            state = BoardState(
                BoardFact(**opened[0]),
                CheckpointFact(**newest[0]) if newest else None,
                SealFact(**seal[0]) if seal else None,
            )
            return Fact(state, as_of)

    def checkpoints(self, board_id: bytes, first: int) -> Fact[Sequence[CheckpointFact]]:
        with read(self._engine) as connection:
            as_of = _as_of(connection)
            wanted = (
                select(CHECKPOINTS)
                .where(CHECKPOINTS.c.board_id == board_id, CHECKPOINTS.c.number >= first)
                .order_by(CHECKPOINTS.c.number)
                .limit(MAX_CHECKPOINTS_PER_ANSWER)
            )
            return Fact(tuple(CheckpointFact(**row) for row in _rows(connection, wanted)), as_of)

    def directory(self) -> Fact[Sequence[DirectoryEntry]]:
        with read(self._engine) as connection:
            as_of = _as_of(connection)
            wanted = select(DIRECTORY).order_by(DIRECTORY.c.name, DIRECTORY.c.version)
            return Fact(tuple(DirectoryEntry(**row) for row in _rows(connection, wanted)), as_of)

    def did_history(self, did: Did) -> Fact[EthrHistory]:
        identifier = parse_did_ethr(str(did))
        if identifier.chain_id != self._chain_id:
            raise DidNetworkUnknown("the did:ethr is on another chain than the one followed here")
        columns = DID_CHANGES.c
        with read(self._engine) as connection:
            as_of = _as_of(connection)
            wanted = (
                select(DID_CHANGES)
                .where(columns.identity == identifier.identity)
                .order_by(columns.block_number, columns.log_index)
                .limit(MAX_DID_CHANGES + 1)
            )
            rows = _rows(connection, wanted)
        if len(rows) > MAX_DID_CHANGES:
            raise DidHistoryTooLong(f"the DID was changed more than {MAX_DID_CHANGES} times")
        return Fact(EthrHistory(identifier, tuple(DidChange(**row) for row in rows)), as_of)


def _as_of(connection: Connection) -> int:
    state, head = usable_state(connection)
    observed_at: int = state.observed_at
    return min(head.time, observed_at)


def _rows(connection: Connection, wanted: Select[Any]) -> list[dict[str, Any]]:
    found: Sequence[Row[Any]] = connection.execute(wanted).all()
    return [dict(row._mapping) for row in found]
