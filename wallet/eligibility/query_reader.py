"""From the query of a programme document to the evidence and the facts that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wallet.credentials.formats import BBS_NYM_FORMAT, SD_JWT_VC_FORMAT
from wallet.eligibility.benefit_key import BENEFIT_KEY_TYPE, benefit_key_type, sector_claim
from wallet.eligibility.document import Problems
from wallet.eligibility.evidence_types import (
    SECTOR_ID,
    EvidenceType,
    EvidenceTypes,
    FactType,
    Text,
)
from wallet.eligibility.guardian import guardianship_type, is_guardianship, is_read_by_nobody
from wallet.eligibility.marked_yaml import Path
from wallet.eligibility.rule_reader import AskedFact
from wallet.eligibility.schema_words import close_to
from wallet.encoding.json import JsonObject
from wallet.protocols.dcql import CredentialQuery, DcqlQuery
from wallet.verification.guardianship import WARD


@dataclass(frozen=True, slots=True)
class EvidenceNeed:
    """One credential that the query asks for, and how old what is known of it may be (seconds).

    `dated_by` is the fact that dates the evidence, which may be `max_age_days` old. `required`:
    the query asks for it in any case; otherwise it is presented only where it helps.
    """

    id: str
    type: EvidenceType
    required: bool
    max_status_age_s: int
    max_replica_age_s: int
    dated_by: str | None
    max_age_days: int | None
    document: Text
    obtain_at: Text


def read_evidence(
    document: JsonObject, query: DcqlQuery, types: EvidenceTypes, problems: Problems
) -> dict[str, EvidenceNeed]:
    """Return what the query asks for, by its id."""
    described: JsonObject = document["evidence"]
    required = {
        name
        for credential_set in query.sets()
        if credential_set.required
        for option in credential_set.options
        for name in option
    }
    in_sets = {name for item in query.sets() for option in item.options for name in option}
    needs = {}
    for at, (name, credential) in enumerate(query.credentials.items()):
        place: Path = ("query", "credentials", at)
        kind = _kind_of(credential, types)
        if kind is None:
            vct = credential.vct_values[0]
            known = {kind.vct: name for name, kind in types.by_name.items()}
            problems.report(
                (*place, "meta"),
                f"no kind of evidence has this type and format; {close_to(vct, known)}",
            )
        if name not in in_sets:
            problems.report(("query", "credential_sets"), f"no set has {name}")
        if name not in described:
            problems.report(("evidence",), f"{name} is not described")
        if kind is None or name not in described:
            continue
        item = described[name]
        dated_by = item.get("dated_by")
        needs[name] = EvidenceNeed(
            name,
            kind,
            name in required,
            item["max_status_age_s"],
            item["max_replica_age_s"],
            None if dated_by is None else f"{name}.{dated_by}",
            item.get("max_age_days"),
            Text(**item["document"]) if "document" in item else kind.document,
            Text(**item["obtain_at"]) if "obtain_at" in item else kind.obtain_at,
        )
    for name in described:
        if name not in query.credentials:
            problems.report(("evidence", name), f"the query does not ask for {name}")
    return needs


def _kind_of(credential: CredentialQuery, types: EvidenceTypes) -> EvidenceType | None:
    """Return the kind of evidence that is asked for, None if no such is issued in this format."""
    vct = credential.vct_values[0]
    if vct == BENEFIT_KEY_TYPE:
        return benefit_key_type() if credential.format == BBS_NYM_FORMAT else None
    if is_guardianship(credential):
        return guardianship_type()
    return types.by_vct(vct) if credential.format == SD_JWT_VC_FORMAT else None


def read_facts(
    query: DcqlQuery, evidence: Mapping[str, EvidenceNeed], problems: Problems
) -> dict[str, AskedFact]:
    """Return the facts that are asked for, by the name that rules give them."""
    facts: dict[str, AskedFact] = {}
    for at, (name, credential) in enumerate(query.credentials.items()):
        if name not in evidence:
            continue
        for number, asked in enumerate(credential.claims):
            path = tuple(str(part) for part in asked.path)
            place: Path = ("query", "credentials", at, "claims", number)
            if path[0].startswith(SECTOR_ID) or is_read_by_nobody(credential, path[0]):
                continue
            claim = evidence[name].type.claims.get(path[0])
            nested = claim is not None and claim.type is FactType.DATES_BY_PROGRAMME
            if claim is None or len(path) != (2 if nested else 1):
                of, said = evidence[name].type, ".".join(path)
                problems.report(
                    place, f"{of.name} has no claim {said}; {close_to(path[0], of.claims)}"
                )
                continue
            key = ".".join((name, *path))
            if key in facts:
                problems.report(place, f"{key} is asked for twice")
            kind = FactType.DATES if nested else claim.type
            facts[key] = AskedFact(key, name, path, kind, claim.values)
    return facts


def read_sector(
    document: JsonObject, query: DcqlQuery, types: EvidenceTypes, problems: Problems
) -> str | None:
    """Return in which sector evidence of several kinds is one person's; None for a single one."""
    sector: str = document["sector"]
    if sector not in types.sectors:
        problems.report(("sector",), f"the sectors are {', '.join(types.sectors)}")
    several = len(query.credentials) > 1
    for at, credential in enumerate(query.credentials.values()):
        place: Path = ("query", "credentials", at, "claims")
        wanted = sector_path(credential, sector)
        member = wanted[0] if is_guardianship(credential) else SECTOR_ID
        asked = [
            claim.path for claim in credential.claims if str(claim.path[0]).startswith(member)
        ]
        if several and asked != [wanted]:
            problems.report(place, f"of several credentials each is asked for {list(wanted)}")
        if not several and asked:
            problems.report(place, "a single credential needs no sector_id")
    return sector if several else None


def sector_path(credential: CredentialQuery, sector: str) -> tuple[str, ...]:
    """Return where a credential names its person in a sector."""
    if is_guardianship(credential):
        return (WARD, sector)
    # A BBS credential shows its claims whole, so it has one for every sector.
    by_member = credential.format == SD_JWT_VC_FORMAT
    return (SECTOR_ID, sector) if by_member else (sector_claim(sector),)


def read_guardianship(query: DcqlQuery, problems: Problems) -> str | None:
    """Return the query id of the guardianship, None if none is asked for."""
    found = [name for name, item in query.credentials.items() if is_guardianship(item)]
    if len(found) > 1:
        problems.report(("query", "credentials"), "one guardianship is asked for")
    if found and any(item.pseudonym for item in query.credentials.values()):
        problems.report(("query",), "a benefit key counts who holds it, and no child")
    return found[0] if found else None
