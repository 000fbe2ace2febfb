"""One version of one programme, read from its file: texts, query, evidence, rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from wallet.crypto.hashing import sha256
from wallet.eligibility.clauses import Window
from wallet.eligibility.days import parse_day
from wallet.eligibility.document import Problems, check_schema, read_document
from wallet.eligibility.evidence_types import FactType, Text, evidence_types
from wallet.eligibility.guardian import needs_guardian
from wallet.eligibility.marked_yaml import MAX_DEPTH
from wallet.eligibility.nullifier import Once
from wallet.eligibility.once_reader import read_once, with_once
from wallet.eligibility.query_reader import (
    EvidenceNeed,
    read_evidence,
    read_facts,
    read_guardianship,
    read_sector,
    sector_path,
)
from wallet.eligibility.ranking import Quota, read_quota
from wallet.eligibility.reasons import BUILT_IN_REASONS
from wallet.eligibility.rule import Clause
from wallet.eligibility.rule_reader import AskedFact, RuleReader, read_window
from wallet.encoding.jcs import NotCanonicalizable, canonicalize
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError
from wallet.protocols.dcql import DcqlQuery, parse_dcql
from wallet.recent import RecentlyUsed

MAX_READ: Final = 256


class Recheck(StrEnum):
    """What of the evidence is looked at again after a grant."""

    STATUS = "status"
    EXPIRY = "expiry"


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
        for part in sector_path(self.query.credentials[evidence], self.sector or ""):
            value = value.get(part) if type(value) is dict else None
        return value if type(value) is str else None

    def reason_text(self, code: str) -> Text:
        """Return the text of one of this programme's or the built-in reason codes."""
        return self.reasons.get(code) or BUILT_IN_REASONS[code]


_READ: Final[RecentlyUsed[bytes, Programme]] = RecentlyUsed(MAX_READ)


def parse_programme(data: bytes, file: str) -> Programme:
    """Return the programme of a YAML file; `file` is what problems call it.

    Raises `ProgrammeInvalid` with the line of every problem found.
    """
    marked = read_document(data, file)
    problems = Problems(file, marked.line_of)
    check_schema(marked.value, problems)
    return _build(marked.value, _digest(marked.value, problems), problems)


def parse_programme_document(document: object, name: str) -> Programme:
    """Return the programme of its JSON document, as a signed catalogue carries it.

    A document that was read lately is not read again: catalogues come anew with the same ones.
    Raises `ProgrammeInvalid`; its problems have no line.
    """
    problems = Problems(name, lambda _: 0)
    if type(document) is not dict or _is_deeper(document, MAX_DEPTH):
        problems.report((), f"expected an object of at most {MAX_DEPTH} levels")
        problems.raise_for_any()
        raise AssertionError("a problem was reported")
    digest = _digest(document, problems)
    programme = _READ.get(digest)
    if programme is None:
        check_schema(document, problems)
        programme = _build(document, digest, problems)
        _READ.put(digest, programme)
    return programme


def _is_deeper(value: Any, levels: int) -> bool:
    if type(value) not in (dict, list):
        return False
    items = value.values() if type(value) is dict else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _build(document: JsonObject, digest: bytes, problems: Problems) -> Programme:
    types = evidence_types()
    first, last = _effective(document["effective"], problems)
    as_of = parse_day(document["source"]["as_of"])
    if as_of is None:
        problems.report(("source", "as_of"), "not a day of the calendar")
    query = _query(document["query"], problems)
    evidence = read_evidence(document, query, types, problems)
    # Whatever else is wrong follows from evidence that is not known.
    problems.raise_for_any()
    facts = read_facts(query, evidence, problems)
    sector = read_sector(document, query, types, problems)
    rule, reader = _rule(document, facts, problems)
    guardianship = read_guardianship(query, problems)
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
