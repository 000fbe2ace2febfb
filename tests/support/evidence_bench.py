"""One issuer, one person and one eligibility desk, with facts whose ages a test sets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import count
from typing import Any

from tests.support.clock import SettableClock
from tests.support.facts import MemoryDidResolver, MemoryReplica, MemoryStatusListSource
from tests.support.programmes import FOLDER
from verifier.catalogue import ProgrammeShelf, read_programme_files
from verifier.decision import Decision, Examiner
from verifier.eligibility import EligibilityDesk
from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt import (
    IssuedSdJwt,
    bind_to_key,
    issue_sd_jwt_vc,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.crypto.keys import Es256SigningKey
from wallet.did.document import build_did_document
from wallet.eligibility.days import SEOUL
from wallet.eligibility.evidence_types import evidence_types
from wallet.eligibility.guardian import guardianship_type
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject
from wallet.evidence import FactSources
from wallet.protocols.dcql_match import matching_claims, sd_jwt_candidate
from wallet.status.token_status_list import TokenStatusList
from wallet.trust.facts import AccreditorScope, BlockRef, IssuerScope
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.verification.policy import TrustPolicy

ISSUER = "did:web:issuer.example"
STATUS_URI = "https://issuer.example/status-lists/1"
ACCREDITOR = "0x" + "a1" * 20
AUDIENCE = "decentralized_identifier:did:web:agency.example"
NONCE = "n-0S6_WzA2Mj0123456789"
STATUS_INDEX = 7


def noon(day: date) -> int:
    """Return noon of a day in Seoul, unix seconds."""
    return int(datetime.combine(day, time(12), SEOUL).timestamp())


class EvidenceBench:
    """Signs evidence, presents it, and lets the desk decide at `now`.

    The chain's newest block and the status list are `replica_age_s` and `status_age_s` old;
    kinds in `unaccredited` are signed by an issuer that the chain knows for other types alone.
    """

    def __init__(
        self,
        now: int,
        *,
        replica_age_s: int = 30,
        status_age_s: int = 60,
        unaccredited: frozenset[str] = frozenset(),
        statuses: Mapping[int, int] | None = None,
        issuer: str = ISSUER,
        status_uri: str = STATUS_URI,
    ) -> None:
        self.now = now
        self.issuer, self.status_uri = issuer, status_uri
        self.key, self.holder = Es256SigningKey.generate(), Es256SigningKey.generate()
        clock = self.clock = SettableClock(now)
        self.dids = MemoryDidResolver(clock)
        self.dids.publish(build_did_document(issuer, {"key-1": self.key.public_key}))
        self.status_lists = MemoryStatusListSource(clock)
        self.status_lists.publish(self.status_uri, self.status_list(now - status_age_s, statuses))
        replica = self.replica = MemoryReplica()
        events: list[AccreditorScope | IssuerScope] = []
        for kind in (*evidence_types().by_name.values(), guardianship_type()):
            schema = schema_id(kind.vct)
            events.append(AccreditorScope(ACCREDITOR, schema, 0, 0, now + 10**6))
            until = now - 10**6 if kind.name in unaccredited else now + 10**6
            events.append(IssuerScope(issuer_id(issuer), schema, 0, ACCREDITOR, 0, until))
        replica.apply(events, BlockRef(1, b"\x01" * 32, now - replica_age_s), now)
        self.shelf = ProgrammeShelf(lambda: read_programme_files(FOLDER))
        self.shelf.load()
        examiner = Examiner(
            sources=FactSources(self.dids, self.status_lists, replica),
            trust=TrustPolicy(),
            max_binding_age_s=300,
        )
        self.desk = EligibilityDesk(self.shelf, examiner)
        self._applications = count()

    def status_list(self, issued_at: int, statuses: Mapping[int, int] | None = None) -> bytes:
        """Sign the status list."""
        entries = TokenStatusList.empty(1024).with_statuses(dict(statuses or {}))
        claims = {
            "sub": self.status_uri,
            "iss": self.issuer,
            "iat": issued_at,
            "exp": issued_at + 10**8,
            "status_list": entries.to_claim(),
        }
        header = {"typ": "statuslist+jwt", "kid": f"{self.issuer}#key-1"}
        return sign_jws(self.key, header, claims).encode()

    def issue(self, vct: str, said: JsonObject, *, person: str = "person-1") -> IssuedSdJwt:
        """Sign one piece of evidence; every claim is disclosable, members of objects too.

        A guardianship names its ward.
        """
        named = "ward" if vct == GUARDIANSHIP_TYPE else "sector_id"
        said = {**said, named: {sector: f"{person}-{sector}" for sector in sectors()}}
        members = [
            (name, key) for name, value in said.items() if isinstance(value, dict) for key in value
        ]
        claims = {
            "iss": self.issuer,
            "vct": vct,
            "exp": self.now + 86400 * 30,
            "status": {"status_list": {"idx": STATUS_INDEX, "uri": self.status_uri}},
            **said,
        }
        return issue_sd_jwt_vc(
            claims,
            [*((name,) for name in said), *members],
            self.key,
            verification_method=f"{self.issuer}#key-1",
            holder=self.holder.public_key,
        )

    def present(self, programme: Programme, name: str, said: JsonObject, **changes: Any) -> str:
        """Present one piece of evidence with what the programme asks of it."""
        query = programme.query.credentials[name]
        person = changes.pop("person", "person-1")
        issued = self.issue(query.vct_values[0], said, person=person)
        parsed = parse_sd_jwt(issued.compact)
        processed = parsed.process(parsed.jws.peek_claims())
        paths = matching_claims(query, sd_jwt_candidate(processed.claims, frozenset()))
        assert paths is not None
        wanted: list[tuple[str | int | None, ...]] = [tuple(path) for path in paths]
        wanted += changes.pop("more", [])
        return bind_to_key(
            present_sd_jwt(parsed, select_disclosures(processed, wanted)),
            self.holder,
            audience=changes.get("audience", AUDIENCE),
            nonce=changes.get("nonce", NONCE),
            issued_at=changes.get("issued_at", self.now),
            extra_claims=changes.get("extra_claims"),
        )

    def answer(self, programme: Programme, claims: JsonObject) -> dict[str, list[str]]:
        """Present all evidence of one person."""
        return {name: [self.present(programme, name, said)] for name, said in claims.items()}

    def decide(self, programme: Programme, vp_token: dict[str, list[str]]) -> Decision:
        """Let the desk decide on an answer."""
        return self.desk.decide(
            f"programme:{programme.name}",
            programme.query,
            vp_token,
            audience=AUDIENCE,
            nonce=NONCE,
            now=self.now,
            application=f"application-{next(self._applications)}",
        )


def sectors() -> tuple[str, ...]:
    """Return the sectors of person ids."""
    return evidence_types().sectors
