"""Facts in memory: honest implementations of the ports that verification asks.

`MemoryReplica` applies ledger events as a follower would and answers from what it applied; the
other two hold what was put into them, and are unavailable for everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from wallet.did.document import DidDocument, parse_did_document
from wallet.did.resolve import (
    SELF_CONTAINED_METHODS,
    resolve_self_contained,
    self_contained_document,
)
from wallet.did.syntax import Did, UnsupportedDidMethod, parse_did
from wallet.encoding.json import JsonObject
from wallet.ports.clock import Clock
from wallet.ports.facts import DidUnresolvable, ReplicaEmpty, StatusListUnavailable
from wallet.trust.events import (
    AccreditorRevoked,
    BatchWithdrawn,
    IssuerRevoked,
    LedgerEvent,
    SuspensionLifted,
)
from wallet.trust.facts import (
    AccreditorScope,
    AnchorFacts,
    Assurance,
    BatchFact,
    BlockRef,
    IssuerScope,
    StatusFact,
    SuspensionFact,
)
from wallet.verification.evidence import Fact


class MemoryDidResolver:
    """`ports.facts.DidResolver` over documents that were published to it.

    `asked` lists the DIDs that needed a fetch, in order.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[str, Fact[DidDocument]] = {}
        self.asked: list[str] = []

    def publish(self, document: Mapping[str, object]) -> None:
        """Keep a document, as of now."""
        did = parse_did(document["id"])
        self._documents[str(did)] = Fact(parse_did_document(document, did), self._clock.now())

    def publish_again(self, did: str) -> None:
        """Take the same document as of now."""
        self._documents[did] = Fact(self._documents[did].value, self._clock.now())

    def resolve(self, did: Did) -> Fact[DidDocument]:
        if did.method in SELF_CONTAINED_METHODS:
            return Fact(resolve_self_contained(did), self._clock.now())
        if did.method != "web":
            raise UnsupportedDidMethod("did:key, did:jwk and did:web alone")
        self.asked.append(str(did))
        found = self._documents.get(str(did))
        if found is None:
            raise DidUnresolvable("no such document was published")
        return found

    def resolve_json(self, did: Did) -> JsonObject:
        """Return the document of a DID that carries its own key; no other is kept as JSON."""
        if did.method in SELF_CONTAINED_METHODS:
            return self_contained_document(did)
        if did.method != "web":
            raise UnsupportedDidMethod("did:key, did:jwk and did:web alone")
        raise DidUnresolvable("no such document was published")


class MemoryStatusListSource:
    """`ports.facts.StatusListSource` over tokens that were published to it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, Fact[bytes]] = {}

    def publish(self, uri: str, token: bytes) -> None:
        """Keep a token, as of now."""
        self._tokens[uri] = Fact(token, self._clock.now())

    def withdraw(self, uri: str) -> None:
        """Let the source go offline for one list."""
        del self._tokens[uri]

    def fetch(self, uri: str) -> Fact[bytes]:
        found = self._tokens.get(uri)
        if found is None:
            raise StatusListUnavailable("no such list was published")
        return found


@dataclass(slots=True)
class MemoryReplica:
    """`ports.facts.AnchorReplica`; `head`, `alarm`, `apply` of `ports.ledger.ReplicaStore`."""

    observed_at: int = 0
    _head: BlockRef | None = None
    _accreditors: list[AccreditorScope] = field(default_factory=list)
    _issuers: list[IssuerScope] = field(default_factory=list)
    _batches: list[BatchFact] = field(default_factory=list)
    _statuses: list[StatusFact] = field(default_factory=list)
    _suspensions: list[SuspensionFact] = field(default_factory=list)

    def head(self) -> BlockRef | None:
        return self._head

    def alarm(self) -> str | None:
        return None

    def assurance(self) -> Assurance | None:
        return None

    def apply(self, events: Sequence[LedgerEvent], head: BlockRef, observed_at: int) -> None:
        for event in events:
            self._apply_one(event)
        self._head = head
        self.observed_at = observed_at

    def _apply_one(self, event: LedgerEvent) -> None:
        match event:
            case AccreditorScope():
                self._accreditors.append(event)
            case IssuerScope():
                self._issuers.append(event)
            case BatchFact():
                self._batches.append(event)
            case StatusFact():
                self._statuses.append(event)
            case SuspensionFact():
                self._suspensions.append(event)
            case SuspensionLifted():
                self._suspensions = [
                    replace(found, until=event.until)
                    if (found.issuer_id, found.index) == (event.issuer_id, event.index)
                    else found
                    for found in self._suspensions
                ]
            case AccreditorRevoked():
                self._accreditors = [
                    replace(scope, revoked_at=event.effective_at)
                    if (scope.accreditor, scope.schema_id, scope.index)
                    == (event.accreditor, event.schema_id, event.index)
                    else scope
                    for scope in self._accreditors
                ]
            case IssuerRevoked():
                self._issuers = [
                    replace(scope, revoked_at=event.effective_at)
                    if (scope.issuer_id, scope.schema_id, scope.index)
                    == (event.issuer_id, event.schema_id, event.index)
                    else scope
                    for scope in self._issuers
                ]
            case BatchWithdrawn():
                self._batches = [
                    replace(batch, revoked_at=event.at)
                    if (batch.issuer_id, batch.root) == (event.issuer_id, event.root)
                    else batch
                    for batch in self._batches
                ]

    def anchor_facts(
        self,
        issuer_id: bytes,
        schema_id: bytes,
        batch_root: bytes | None,
        status_list_id: bytes | None,
    ) -> Fact[AnchorFacts]:
        if self._head is None:
            raise ReplicaEmpty("nothing was followed yet")
        issuers = [
            scope
            for scope in self._issuers
            if (scope.issuer_id, scope.schema_id) == (issuer_id, schema_id)
        ]
        accreditors = {scope.accreditor for scope in issuers}
        versions = sorted(
            (
                status
                for status in self._statuses
                if (status.issuer_id, status.list_id) == (issuer_id, status_list_id)
            ),
            key=lambda status: status.version,
        )
        facts = AnchorFacts(
            head=self._head,
            issuer_scopes=issuers,
            accreditor_scopes=[
                scope
                for scope in self._accreditors
                if scope.schema_id == schema_id and scope.accreditor in accreditors
            ],
            batch=next(
                (
                    batch
                    for batch in self._batches
                    if (batch.issuer_id, batch.root) == (issuer_id, batch_root)
                ),
                None,
            ),
            status=versions[-1] if versions else None,
            superseded_status_digests=frozenset(status.digest for status in versions[:-1]),
            suspensions=[found for found in self._suspensions if found.issuer_id == issuer_id],
        )
        return Fact(facts, min(self._head.time, self.observed_at))
