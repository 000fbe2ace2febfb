"""An issuer's database against the chain, both ways, and against itself.

Every root is recomputed from its leaves, every digest from the statuses on record. An issuer that
works meanwhile may be ahead of the finalized block, which is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from sqlalchemy import Engine, Row, inspect, select

from issuer.status import STATUS_BITS
from issuer.storage.issuances import SqlIssuanceRecords
from issuer.storage.tables import ANCHORED, BATCHES, ISSUANCES, LEAVES, STATUS_PUBLICATIONS
from seoul_wallet.audit.difference import AuditIncomplete, expect, require, short
from seoul_wallet.audit.replay import Replay
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import read
from wallet.adapters.sql.outbox_tables import ENTRIES
from wallet.credentials.jose import parse_compact_jws, verify_jws
from wallet.crypto.hashing import sha256
from wallet.crypto.merkle import MerkleTree
from wallet.did.document import DidDocument
from wallet.encoding import base64url
from wallet.ports.batches import BatchState
from wallet.status.token_status_list import TokenStatusList
from wallet.trust.facts import BatchFact, StatusFact
from wallet.trust.identifiers import issuer_id, schema_id, status_list_id
from wallet.verification.manifest import MANIFEST_TYPE

_BATCH: Final = tuple(column for column in BATCHES.c if column.name != "leaves")
_ON_THE_WAY: Final = ("submitted", "included")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class IssuerCounts:
    """What was compared."""

    batches: int
    leaves: int
    status_versions: int


class IssuerUnderAudit:
    """An issuer's database. With its DID document the manifests' signatures are verified too."""

    def __init__(self, engine: Engine, *, did: str, document: DidDocument | None = None) -> None:
        self._engine = engine
        self._did = did
        self._document = document
        self._id = issuer_id(did)
        self._batches = SqlBatchRecords(engine, ANCHORED)
        self._issuances = SqlIssuanceRecords(engine)

    def compare(self, replay: Replay, tell: Progress) -> IssuerCounts:
        """Compare with what the chain's events lead to.

        Raises `AuditDifference`, `AuditIncomplete`, `StorageUnavailable`.
        """
        with read(self._engine) as connection:
            rows = connection.execute(select(*_BATCH).order_by(BATCHES.c.sealed_at)).all()
        anchored = {
            root: batch
            for (issuer, root), batch in replay.anchor.batches.items()
            if issuer == self._id
        }
        for done, row in enumerate(rows):
            tell(done, len(rows))
            self._compare_batch(row, anchored.get(row.root), replay)
        known = {row.root for row in rows}
        for root in anchored:
            require(
                root in known, f"batch {short(root)}", "the issuer's database does not have it"
            )
        self._compare_issuances()
        versions = self._compare_lists(replay)
        return IssuerCounts(len(rows), sum(row.size for row in rows), versions)

    def _compare_batch(self, row: Row[Any], fact: BatchFact | None, replay: Replay) -> None:
        subject = f"issuer database, batch {short(row.root)}"
        leaves = self._batches.leaves(row.root)
        expect(subject, "the number of its leaves", len(leaves), row.size)
        expect(subject, "the root of its leaves", MerkleTree(leaves).root, row.root)
        self._compare_manifest(subject, row)
        self._compare_places(subject, row.root, leaves)
        if fact is None:
            is_final = row.state == BatchState.FINAL.value
            require(not is_final, subject, "it is final here and not on the chain")
            return
        on_chain = fact.schema_id, fact.size, fact.manifest_digest
        here = schema_id(row.credential_type), row.size, row.manifest_digest
        expect(subject, "its type, size and manifest", here, on_chain)
        self._compare_revocation(subject, row, fact, replay)

    def _compare_manifest(self, subject: str, row: Row[Any]) -> None:
        digest = sha256(row.manifest.encode("ascii", "replace"))
        expect(subject, "the digest of its manifest", digest, row.manifest_digest)
        jws = parse_compact_jws(row.manifest, typ=MANIFEST_TYPE)
        claims = jws.peek_claims()
        said = claims.get("issuer"), claims.get("schema"), claims.get("size"), claims.get("root")
        true = self._did, row.credential_type, row.size, base64url.encode(row.root)
        expect(subject, "what its manifest says", said, true)
        if self._document is not None:
            verify_jws(jws, self._document.key_for(str(jws.header.get("kid")), "assertionMethod"))

    def _compare_places(self, subject: str, root: bytes, leaves: Sequence[bytes]) -> None:
        of_batch = select(LEAVES.c.leaf, LEAVES.c.position).where(LEAVES.c.root == root)
        with read(self._engine) as connection:
            for leaf, position in connection.execute(of_batch):
                at = leaves[position] if 0 <= position < len(leaves) else None
                expect(subject, f"leaf {position}", at, leaf)

    def _compare_revocation(
        self, subject: str, row: Row[Any], fact: BatchFact, replay: Replay
    ) -> None:
        if fact.revoked_at is None:
            pending = row.revoked_at is not None and not self._is_on_the_way(row.root)
            require(not pending, subject, "it is revoked here and not on the chain")
        elif row.revoked_at is None:
            by = replay.anchor.revoked_by[self._id, row.root]
            is_ours = by == replay.trust.issuers[self._id].controller
            require(not is_ours, subject, "its issuer revoked it on the chain and not here")

    def _is_on_the_way(self, root: bytes) -> bool:
        if not inspect(self._engine).has_table(ENTRIES.name):
            return False
        purpose = f"revoke:{self._id.hex()}:{root.hex()}"
        wanted = select(ENTRIES.c.state).where(ENTRIES.c.purpose == purpose)
        with read(self._engine) as connection:
            return any(state in _ON_THE_WAY for state in connection.execute(wanted).scalars())

    def _compare_issuances(self) -> None:
        without = (
            select(ISSUANCES.c.issuance_id)
            .outerjoin(LEAVES, LEAVES.c.leaf == ISSUANCES.c.leaf)
            .where(ISSUANCES.c.leaf.is_not(None), LEAVES.c.leaf.is_(None))
            .limit(1)
        )
        with read(self._engine) as connection:
            found = connection.execute(without).scalars().first()
        require(found is None, f"issuer database, issuance {found}", "its leaf is in no batch")

    def _compare_lists(self, replay: Replay) -> int:
        published = {
            list_id: versions
            for (issuer, list_id), versions in replay.anchor.statuses.items()
            if issuer == self._id
        }
        numbers = self._numbers(published)
        count = 0
        for list_number, size in self._issuances.lists().items():
            list_id = numbers.get(list_number)
            versions = published.get(list_id, []) if list_id is not None else []
            self._compare_list(list_number, size, versions)
            count += len(versions)
        ours = set(numbers.values())
        for list_id in published:
            name = f"status list {short(list_id)}"
            require(list_id in ours, name, "the issuer's database does not have it")
        return count

    def _numbers(self, published: Mapping[bytes, object]) -> Mapping[int, bytes]:
        lists = self._issuances.lists()
        for base in _base_urls(self._did):
            numbers = {number: status_list_id(f"{base}/status-lists/{number}") for number in lists}
            if any(list_id in published for list_id in numbers.values()):
                return numbers
        return {}

    def _compare_list(self, list_number: int, size: int, versions: Sequence[StatusFact]) -> None:
        subject = f"issuer database, status list {list_number}"
        of_list = select(STATUS_PUBLICATIONS).where(
            STATUS_PUBLICATIONS.c.list_number == list_number
        )
        with read(self._engine) as connection:
            rows = {row.version: row for row in connection.execute(of_list)}
        for fact in versions:
            row = rows.get(fact.version)
            here = None if row is None else (row.digest, row.expires_at)
            there = fact.digest, fact.expires_at
            expect(subject, f"version {fact.version}", here, there)
        for version, row in rows.items():
            is_there = version <= len(versions)
            require(
                is_there or not row.confirmed,
                subject,
                f"version {version} is confirmed here and not on the chain",
            )
        if rows:
            empty = TokenStatusList.empty(size, STATUS_BITS)
            bits = empty.with_statuses(dict(self._issuances.statuses(list_number)))
            newest = rows[max(rows)].digest
            expect(subject, "the digest of the statuses on record", bits.digest, newest)


def did_of(engine: Engine) -> str:
    """Return the DID that the newest manifest of an issuer's database names.

    Raises `AuditIncomplete` when there is none, `JwsMalformed`.
    """
    newest = select(BATCHES.c.manifest).order_by(BATCHES.c.sealed_at.desc()).limit(1)
    with read(engine) as connection:
        manifest = connection.execute(newest).scalars().first()
    if manifest is None:
        raise AuditIncomplete("the issuer's database has no batch: name the issuer's DID")
    return str(parse_compact_jws(manifest, typ=MANIFEST_TYPE).peek_claims().get("issuer"))


def _base_urls(did: str) -> Sequence[str]:
    """Return the base URLs that a did:web may stand for; http only on a development machine."""
    place = "/".join(unquote(part) for part in did.removeprefix("did:web:").split(":"))
    return f"https://{place}", f"http://{place}"
