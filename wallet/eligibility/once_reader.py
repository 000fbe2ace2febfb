"""From the `once` of a programme document to what is counted once per person, and its clauses."""

from __future__ import annotations

from typing import Final

from wallet.eligibility.benefit_key import BENEFIT_KEY_TYPE, VALID_UNTIL
from wallet.eligibility.clauses import ShownTest
from wallet.eligibility.document import Problems
from wallet.eligibility.guardian import GUARDIAN_CLAUSE
from wallet.eligibility.nullifier import GROUP_CLAUSE, ONCE_CLAUSE, ExclusionGroup, Once
from wallet.eligibility.rule import AllOf, Clause, Leaf, Named
from wallet.eligibility.rule_reader import RuleReader
from wallet.encoding.json import JsonObject
from wallet.protocols.dcql import DcqlQuery

RESERVED_CLAUSES: Final = (ONCE_CLAUSE, GROUP_CLAUSE, GUARDIAN_CLAUSE)


def read_once(
    item: JsonObject | None,
    query: DcqlQuery,
    reader: RuleReader,
    problems: Problems,
    *,
    guardianship: str | None,
) -> Once | None:
    """Return what `once` says, None without it, or after reporting what is wrong with it.

    A benefit key that nobody counts by is reported as well: its pseudonym would be collected for
    nothing. With the query id of a `guardianship` the identifier in the sector counts.
    """
    keys = {
        name
        for name, credential in query.credentials.items()
        if BENEFIT_KEY_TYPE in credential.vct_values
    }
    for clause in RESERVED_CLAUSES:
        if clause in reader.ids:
            problems.report(("rule",), f"the id {clause} is that of a built-in clause")
    if item is None:
        for name in keys:
            problems.report(("query",), f"{name} is asked for, and nothing is counted by it")
        return None
    if guardianship is not None:
        return _by_sector(item, query, reader, problems, guardianship)
    if keys != {item["of"]}:
        problems.report(
            ("once", "of"), f"expected the query's one benefit key, {BENEFIT_KEY_TYPE}"
        )
        return None
    if "epoch" not in item:
        problems.report(("once",), "the epoch of the benefit keys that count is missing")
        return None
    window = reader.window(item["within"], ("once", "within"))
    reason = reader.reason(item["reason"], ("once", "reason"))
    reader.used.add(shown_fact(item["of"]))
    group = None
    if "group" in item:
        group = _group(item["group"], reader)
    if window is None or (group is None and "group" in item):
        return None
    if shown_fact(item["of"]) not in reader.facts:
        problems.report(("once", "of"), f"{item['of']} is asked for {VALID_UNTIL}")
    if not query.credentials[item["of"]].pseudonym:
        problems.report(("once", "of"), f"{item['of']} is asked for its pseudonym (in meta)")
    return Once(item["of"], item["epoch"], window, reason, group)


def _by_sector(
    item: JsonObject,
    query: DcqlQuery,
    reader: RuleReader,
    problems: Problems,
    guardianship: str,
) -> Once | None:
    of = item["of"]
    always = any(
        found.required and all(of in option for option in found.options) for found in query.sets()
    )
    if of == guardianship or not always:
        problems.report(
            ("once", "of"),
            "with a guardianship, expected evidence about the person that is always shown",
        )
    for name in ("epoch", "group"):
        if name in item:
            problems.report(("once", name), f"{name} belongs to a benefit key, which no child has")
    window = reader.window(item["within"], ("once", "within"))
    reason = reader.reason(item["reason"], ("once", "reason"))
    return None if window is None else Once(of, None, window, reason)


def _group(item: JsonObject, reader: RuleReader) -> ExclusionGroup | None:
    window = reader.window(item["within"], ("once", "group", "within"))
    reason = reader.reason(item["reason"], ("once", "group", "reason"))
    return None if window is None else ExclusionGroup(item["id"], window, reason)


def shown_fact(evidence: str) -> str:
    """Return the fact that tells whether the benefit key was shown."""
    return f"{evidence}.{VALID_UNTIL}"


def with_once(rule: Clause, once: Once) -> Clause:
    """Return the rule with the clause that the benefit key was shown, if one counts.

    Whether the benefit was drawn before is not the rule's to tell: the agency's claims decide it,
    once all else is true.
    """
    if once.epoch is None:
        return rule
    test = ShownTest(shown_fact(once.evidence))
    return AllOf((rule, Leaf(Named(ONCE_CLAUSE, once.reason), test)))
