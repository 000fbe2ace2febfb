"""The tables of the schema `replica`: the finalized facts of the anchor contracts.

The columns of a fact's table are named as the fact's fields.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

from wallet.did.did_ethr import ChangeKind, DidChange
from wallet.trust.boards import BoardFact, CheckpointFact, SealFact
from wallet.trust.directory import DirectoryEntry
from wallet.trust.facts import (
    AccreditorScope,
    BatchFact,
    IssuerScope,
    StatusFact,
    SuspensionFact,
)
from wallet.trust.verifiers import VerifierScope

_INT64_LIMIT = 2**63


class Uint64(TypeDecorator[int]):
    """An unsigned 64-bit number in a signed column, as two's complement; not for ordering.

    An issuer chooses a batch's size on the chain: no value of it may stop the follower.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return value - 2 * _INT64_LIMIT if value is not None and value >= _INT64_LIMIT else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:
        return value + 2 * _INT64_LIMIT if value is not None and value < 0 else value


class Kind(TypeDecorator[ChangeKind]):
    """The kind of a change as text."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> ChangeKind | None:
        return None if value is None else ChangeKind(value)


METADATA = MetaData()

# One row: which deployment this is a copy of, and how far it has come.
STATE = Table(
    "replica_state",
    METADATA,
    Column("id", BigInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("identity", String, nullable=False),
    Column("head_number", BigInteger),
    Column("head_hash", LargeBinary(32)),
    Column("head_time", BigInteger),
    Column("observed_at", BigInteger),
    # how the head was checked, and why the replica must not be used
    Column("endpoints", BigInteger),
    Column("proven", Boolean(create_constraint=False)),
    Column("alarm", String),
)
# The hash-chained log head of each contract at the head.
LOG_HEADS = Table(
    "replica_log_heads",
    METADATA,
    Column("contract", String(42), primary_key=True),
    Column("head", LargeBinary(32), nullable=False),
)
ACCREDITOR_SCOPES = Table(
    "replica_accreditor_scopes",
    METADATA,
    Column("schema_id", LargeBinary(32), primary_key=True),
    Column("accreditor", String(42), primary_key=True),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("mandate_id", BigInteger, nullable=False),
    Index("replica_accreditor_scopes_mandate", "mandate_id"),
)
ISSUER_SCOPES = Table(
    "replica_issuer_scopes",
    METADATA,
    Column("issuer_id", LargeBinary(32), primary_key=True),
    Column("schema_id", LargeBinary(32), primary_key=True),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("accreditor", String(42), nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
BATCHES = Table(
    "replica_batches",
    METADATA,
    Column("issuer_id", LargeBinary(32), primary_key=True),
    Column("root", LargeBinary(32), primary_key=True),
    Column("schema_id", LargeBinary(32), nullable=False),
    Column("size", Uint64, nullable=False),
    Column("manifest_digest", LargeBinary(32), nullable=False),
    Column("anchored_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
STATUS_DIGESTS = Table(
    "replica_status_digests",
    METADATA,
    Column("issuer_id", LargeBinary(32), primary_key=True),
    Column("list_id", LargeBinary(32), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("published_at", BigInteger, nullable=False),
)
SUSPENSIONS = Table(
    "replica_suspensions",
    METADATA,
    Column("issuer_id", LargeBinary(32), primary_key=True),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
)
VERIFIER_SCOPES = Table(
    "replica_verifier_scopes",
    METADATA,
    Column("verifier_id", LargeBinary(32), primary_key=True),
    Column("service_id", LargeBinary(32), primary_key=True),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("schema_id", LargeBinary(32), nullable=False),
    Column("purpose_digest", LargeBinary(32), nullable=False),
    Column("claims_digest", LargeBinary(32), nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
BOARDS = Table(
    "replica_boards",
    METADATA,
    Column("board_id", LargeBinary(32), primary_key=True),
    Column("organiser", String(42), nullable=False),
    Column("election_id", LargeBinary(32), nullable=False),
    Column("operator", String(42), nullable=False),
    Column("config_digest", LargeBinary(32), nullable=False),
    Column("opens", BigInteger, nullable=False),
    Column("closes", BigInteger, nullable=False),
    Column("flush_until", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
)
CHECKPOINTS = Table(
    "replica_checkpoints",
    METADATA,
    Column("board_id", LargeBinary(32), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("old_size", Uint64, nullable=False),
    Column("size", Uint64, nullable=False),
    Column("old_root", LargeBinary(32), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
)
SEALS = Table(
    "replica_seals",
    METADATA,
    Column("board_id", LargeBinary(32), primary_key=True),
    Column("root", LargeBinary(32), nullable=False),
    Column("size", Uint64, nullable=False),
    Column("tally_digest", LargeBinary(32), nullable=False),
    Column("sealed_at", BigInteger, nullable=False),
)
DIRECTORY = Table(
    "replica_directory",
    METADATA,
    # 32 bytes, each escaped with four characters at most
    Column("name", String(128), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("address", String(42), nullable=False),
    Column("code_hash", LargeBinary(32), nullable=False),
    Column("listed_at", BigInteger, nullable=False),
    Column("deprecated_at", BigInteger),
)
DID_CHANGES = Table(
    "replica_did_changes",
    METADATA,
    Column("identity", String(42), primary_key=True),
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Kind, nullable=False),
    Column("name", LargeBinary(32), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
)
# Where facts of each type lie.
FACTS: dict[type, Table] = {
    AccreditorScope: ACCREDITOR_SCOPES,
    IssuerScope: ISSUER_SCOPES,
    SuspensionFact: SUSPENSIONS,
    BatchFact: BATCHES,
    StatusFact: STATUS_DIGESTS,
    VerifierScope: VERIFIER_SCOPES,
    BoardFact: BOARDS,
    CheckpointFact: CHECKPOINTS,
    SealFact: SEALS,
    DirectoryEntry: DIRECTORY,
    DidChange: DID_CHANGES,
}
