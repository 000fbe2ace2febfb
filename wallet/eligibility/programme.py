"""One version of one programme, read from its file: texts, query, evidence, rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from wallet.credentials.formats import BBS_NYM_FORMAT, SD_JWT_VC_FORMAT
from wallet.crypto.hashing import sha256
from wallet.eligibility.benefit_key import BENEFIT_KEY_TYPE, benefit_key_type, sector_claim
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import parse_day
from wallet.eligibility.document import Problems, check_schema, read_document
from wallet.eligibility.evidence_types import (
    SECTOR_ID,
    EvidenceType,
    EvidenceTypes,
    FactType,
    Text,
    evidence_types,
)
from wallet.eligibility.guardian import (
    guardianship_type,
    is_guardianship,
    is_read_by_nobody,
    needs_guardian,
)
from wallet.eligibility.marked_yaml import MAX_DEPTH, Path
from wallet.eligibility.nullifier import Once
from wallet.eligibility.once_reader import read_once, with_once
from wallet.eligibility.ranking import Quota, read_quota
from wallet.eligibility.reasons import BUILT_IN_REASONS
from wallet.eligibility.rule import Clause
from wallet.eligibility.rule_reader import AskedFact, RuleReader, read_window
from wallet.encoding.jcs import NotCanonicalizable, canonicalize
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError
from wallet.protocols.dcql import CredentialQuery, DcqlQuery, parse_dcql
from wallet.verification.guardianship import WARD


class Recheck(StrEnum):
    """What of the evidence is looked at again after a grant."""

    STATUS = "status"
    EXPIRY = "expiry"


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


@dataclass(frozen=True, slots=True)
class Programme:
    """One version of a programme, in force from `effective_from` until `effective_until`.

    Both days are inclusive, None means open. `sector` is where evidence of one person is
    recognised (see `person`), None when one credential settles everything. `digest` is SHA-256
    of the document in canonical JSON (RFC 8785). `once` says what is counted once per person, and
    by which evidence; None if nothing is. `recheck` says what of the evidence is looked at again
    after a grant. `guardianship` is the query id of the right to apply for a child, None if one
    applies for oneself alone; with `needs_guardian` nobody applies without.
    """

    id: str
    version: str
    effective_from: date
    effective_until: date | None
    title: Text
    summary: Text
    office: Text
    legal_basis: Text
    citation: str
    source_as_of: date
    sector: str | None
    query: DcqlQuery
    evidence: Mapping[str, EvidenceNeed]
    facts: Mapping[str, AskedFact]
    rule: Clause
    reasons: Mapping[str, Text]
    exclusions: tuple[str, ...]
    quota: Quota | None
    recheck: frozenset[Recheck]
    once: Once | None
    guardianship: str | None
    needs_guardian: bool
    digest: bytes
    document: JsonObject = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The id and version: `youth-rent@2024`."""
        return f"{self.id}@{self.version}"

    def is_in_force(self, on: date) -> bool:
        """Return whether this version is in force on that day."""
        return self.effective_from <= on and (
            self.effective_until is None or on <= self.effective_until
        )

    def person(self, evidence: str, claims: JsonObject) -> str | None:
        """Return by what these claims of one evidence name its person, None if they do not.

        Only for a programme with a `sector`.
        """
        value: Any = claims
        for part in _sector_path(self.query.credentials[evidence], self.sector or ""):
            value = value.get(part) if type(value) is dict else None
        return value if type(value) is str else None

    def reason_text(self, code: str) -> Text:
        """Return the text of one of this programme's or the built-in reason codes."""
        return self.reasons.get(code) or BUILT_IN_REASONS[code]


def parse_programme(data: bytes, file: str) -> Programme:
    """Return the programme of a YAML file; `file` is what problems call it.

    Raises `ProgrammeInvalid` with the line of every problem found.
    """
    marked = read_document(data, file)
    return _build(marked.value, Problems(file, marked.line_of))


def parse_programme_document(document: object, name: str) -> Programme:
    """Return the programme of its JSON document, as a signed catalogue carries it.

    Raises `ProgrammeInvalid`; its problems have no line.
    """
    problems = Problems(name, lambda _: 0)
    if type(document) is not dict or _is_deeper(document, MAX_DEPTH):
        problems.report((), f"expected an object of at most {MAX_DEPTH} levels")
        problems.raise_for_any()
        raise AssertionError("a problem was reported")
    return _build(document, problems)


def _is_deeper(value: Any, levels: int) -> bool:
    if type(value) not in (dict, list):
        return False
    items = value.values() if type(value) is dict else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _build(document: JsonObject, problems: Problems) -> Programme:
    check_schema(document, problems)
    problems.raise_for_any()
    digest = _digest(document, problems)
    types = evidence_types()
    first, last = _effective(document["effective"], problems)
    as_of = parse_day(document["source"]["as_of"])
    if as_of is None:
        problems.report(("source", "as_of"), "not a day of the calendar")
    query = _query(document["query"], problems)
    evidence = _evidence(document, query, types, problems)
    facts = _asked_facts(query, evidence, problems)
    sector = _sector(document, query, types, problems)
    rule, reader = _rule(document, facts, problems)
    guardianship = _guardianship(query, problems)
    once = read_once(document.get("once"), query, reader, problems, guardianship=guardianship)
    quota = read_quota(document.get("quota"), reader)
    _check_all_is_used(document, query, evidence, facts, reader, problems)
    problems.raise_for_any()
    if first is None or as_of is None or rule is None:
        raise AssertionError("what could not be read was reported")
    return Programme(
        id=document["id"],
        version=document["version"],
        effective_from=first,
        effective_until=last,
        title=Text(**document["title"]),
        summary=Text(**document["summary"]),
        office=Text(**document["office"]),
        legal_basis=Text(**document["legal_basis"]),
        citation=document["source"]["citation"],
        source_as_of=as_of,
        sector=sector,
        query=query,
        evidence=evidence,
        facts=facts,
        rule=rule if once is None else with_once(rule, once),
        reasons={code: Text(**text) for code, text in document["reasons"].items()},
        exclusions=tuple(document.get("exclusions", ())),
        quota=quota,
        recheck=frozenset(map(Recheck, document.get("recheck", ()))),
        once=once,
        guardianship=guardianship,
        needs_guardian=needs_guardian(query, guardianship),
        digest=digest,
        document=document,
    )


def _digest(document: JsonObject, problems: Problems) -> bytes:
    try:
        return sha256(canonicalize(document))
    except NotCanonicalizable as error:
        problems.report((), str(error))
        problems.raise_for_any()
        raise AssertionError("a problem was reported") from error


def _effective(item: JsonObject, problems: Problems) -> tuple[date | None, date | None]:
    first, last = parse_day(item["from"]), parse_day(item.get("until"))
    if first is None or (last is None and "until" in item):
        problems.report(("effective",), "not a day of the calendar")
    elif last is not None and last < first:
        problems.report(("effective", "until"), "the version ends before it begins")
    return first, last


def _query(item: JsonObject, problems: Problems) -> DcqlQuery:
    try:
        return parse_dcql(item)
    except SeoulWalletError as error:
        problems.report(("query",), str(error))
        problems.raise_for_any()
        raise AssertionError("a problem was reported") from error


def _evidence(
    document: JsonObject, query: DcqlQuery, types: EvidenceTypes, problems: Problems
) -> dict[str, EvidenceNeed]:
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
            problems.report((*place, "meta"), "no kind of evidence has this type and format")
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


def _asked_facts(
    query: DcqlQuery, evidence: Mapping[str, EvidenceNeed], problems: Problems
) -> dict[str, AskedFact]:
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
                problems.report(place, f"{evidence[name].type.name} has no claim {'.'.join(path)}")
                continue
            key = ".".join((name, *path))
            if key in facts:
                problems.report(place, f"{key} is asked for twice")
            kind = FactType.DATES if nested else claim.type
            facts[key] = AskedFact(key, name, path, kind, claim.values)
    return facts


def _sector(
    document: JsonObject, query: DcqlQuery, types: EvidenceTypes, problems: Problems
) -> str | None:
    sector: str = document["sector"]
    if sector not in types.sectors:
        problems.report(("sector",), f"the sectors are {', '.join(types.sectors)}")
    several = len(query.credentials) > 1
    for at, credential in enumerate(query.credentials.values()):
        place: Path = ("query", "credentials", at, "claims")
        wanted = _sector_path(credential, sector)
        member = wanted[0] if is_guardianship(credential) else SECTOR_ID
        asked = [
            claim.path for claim in credential.claims if str(claim.path[0]).startswith(member)
        ]
        if several and asked != [wanted]:
            problems.report(place, f"of several credentials each is asked for {list(wanted)}")
        if not several and asked:
            problems.report(place, "a single credential needs no sector_id")
    return sector if several else None


def _sector_path(credential: CredentialQuery, sector: str) -> tuple[str, ...]:
    if is_guardianship(credential):
        return (WARD, sector)
    # A BBS credential shows its claims whole, so it has one for every sector.
    by_member = credential.format == SD_JWT_VC_FORMAT
    return (SECTOR_ID, sector) if by_member else (sector_claim(sector),)


def _guardianship(query: DcqlQuery, problems: Problems) -> str | None:
    """Return the query id of the guardianship, None if none is asked for."""
    found = [name for name, item in query.credentials.items() if is_guardianship(item)]
    if len(found) > 1:
        problems.report(("query", "credentials"), "one guardianship is asked for")
    if found and any(item.pseudonym for item in query.credentials.values()):
        problems.report(("query",), "a benefit key counts who holds it, and no child")
    return found[0] if found else None


def _rule(
    document: JsonObject, facts: Mapping[str, AskedFact], problems: Problems
) -> tuple[Clause | None, RuleReader]:
    cycle: Window | None = None
    if "cycle" in document:
        cycle = read_window(document["cycle"], ("cycle",), problems)
    for code in document["reasons"]:
        if code in BUILT_IN_REASONS:
            problems.report(("reasons", code), f"{code} is a built-in reason code")
    reader = RuleReader(facts, document["reasons"], cycle, problems)
    return reader.read(document["rule"], ("rule",)), reader


def _check_all_is_used(
    document: JsonObject,
    query: DcqlQuery,
    evidence: Mapping[str, EvidenceNeed],
    facts: Mapping[str, AskedFact],
    reader: RuleReader,
    problems: Problems,
) -> None:
    """Report what is asked for and read by nobody, and what is declared and not tested."""
    places = {name: at for at, name in enumerate(query.credentials)}
    used = set(reader.used)
    for need in evidence.values():
        if need.dated_by is None:
            continue
        fact = facts.get(need.dated_by)
        if fact is None or fact.type is not FactType.DATE:
            problems.report(("evidence", need.id, "dated_by"), "not a date that is asked for")
        used.add(need.dated_by)
    for key, fact in facts.items():
        if key not in used:
            place = ("query", "credentials", places[fact.evidence])
            problems.report(place, f"{key} is asked for, and no clause reads it")
    for code in document["reasons"]:
        if code not in reader.used_reasons:
            problems.report(("reasons", code), f"no clause gives the reason {code}")
    for at, excluded in enumerate(document.get("exclusions", ())):
        if excluded not in reader.received:
            problems.report(("exclusions", at), f"no clause tests what {excluded} paid")
