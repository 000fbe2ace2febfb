"""The anchoring half of an issuer over a real chain and files in a folder, without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from web3 import Web3

from issuer.identity import IssuerIdentity
from issuer.storage.issuances import SqlIssuanceRecords
from issuer.storage.tables import ANCHORED, migrate_issuer
from tests.support.issuing import key_of
from wallet.adapters.evm.fees import FeeLimits
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.node import Deployment, connect
from wallet.adapters.evm.publisher import Publisher, PublisherStep
from wallet.adapters.evm.quorum import open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.writer import EvmLedgerWriter
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import migrate, open_engine, read, sqlite_url
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.adapters.sql.outbox_tables import ENTRIES
from wallet.adapters.sql.replica import SqlReplica
from wallet.anchoring import Anchoring, AnchorRound, AnchorTimes
from wallet.ports.clock import Clock

CARD = "urn:example:card"
IDENTITY = IssuerIdentity("https://issuer.example", key_of("issuer"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an issuer's files, its node and its contracts are, and the controller's key."""

    folder: Path
    url: str
    deployment: Deployment
    secret: bytes

    @property
    def database_url(self) -> str:
        """The URL of the issuer's database."""
        return sqlite_url(self.folder / "issuer.db")


class AnchoringIssuer:
    """Seals, publishes and follows. Several may run over one place."""

    def __init__(
        self,
        place: Place,
        clock: Clock,
        *,
        fees: FeeLimits | None = None,
        after_step: Callable[[PublisherStep], None] | None = None,
    ) -> None:
        self.engine: Engine = open_engine(place.database_url)
        migrate(self.engine, "outbox")
        migrate(self.engine, "replica")
        migrate_issuer(self.engine)
        self._clock = clock
        self.w3: Web3 = connect(place.url)
        self._nodes = open_quorum([place.url], required=1, development=True)
        reader = EvmLedgerReader(self._nodes, place.deployment)
        self.journal = SqlTransactionJournal(self.engine)
        publisher = Publisher.from_secret(
            self.w3,
            place.secret,
            chain_id=place.deployment.chain_id,
            journal=self.journal,
            clock=clock,
            finalized=reader.finalized_head,
            fees=fees,
            after_step=after_step,
        )
        self.key = publisher.key
        self.writer = EvmLedgerWriter(self.w3, place.deployment, publisher)
        replica = SqlReplica(self.engine)
        self._follower = Follower(reader, replica, clock)
        self.records = SqlBatchRecords(self.engine, ANCHORED)
        self.anchoring = Anchoring(
            identity=IDENTITY,
            records=self.records,
            ledger=self.writer,
            replica=replica,
            clock=clock,
            # One leaf a batch: each that is issued is a transaction of its own.
            times=AnchorTimes(interval_s=1, max_leaves=1),
        )

    def issue(self, leaf: bytes) -> None:
        """Put a leaf into the outbox, as the last step of issuing a credential does."""
        records = SqlIssuanceRecords(self.engine, list_size=1024)
        (intent,) = records.record_intents(
            leaf.hex(), 1, credential_type=CARD, subject_id="SYN-F-1", holder_id="SYN-P-1", now=0
        )
        records.complete({intent.issuance_id: leaf}, now=0)

    def work_once(self) -> AnchorRound:
        """Do what the issuer's worker does in a round."""
        self._follower.run_once()
        self.writer.advance()
        done = self.anchoring.anchor_due(self._clock.now())
        self.anchoring.refresh_finality()
        return done

    @property
    def is_done(self) -> bool:
        """Everything that was issued is final, and nothing is under way."""
        unsettled = self.journal.unsettled(self.key, limit=1)
        return self.anchoring.waiting() == (0, 0) and not unsettled

    def nonces(self) -> list[tuple[int, str]]:
        """Return nonce and state of every journalled transaction, by nonce."""
        columns = select(ENTRIES.c.nonce, ENTRIES.c.state).order_by(ENTRIES.c.nonce)
        with read(self.engine) as connection:
            return [(row.nonce, row.state) for row in connection.execute(columns)]

    def close(self) -> None:
        """Release the database and the connection to the node."""
        self.engine.dispose()
        self._nodes.close()
