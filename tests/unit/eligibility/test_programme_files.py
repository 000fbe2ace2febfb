"""What is refused when programme files are loaded, and that file and line are named."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.support.programmes import programme_files
from wallet.eligibility.benefit_key import BENEFIT_KEY
from wallet.eligibility.catalogue import ProgrammeUnknown, build_catalogue, parse_catalogue
from wallet.eligibility.decision import ProgrammeNotInForce
from wallet.eligibility.document import ProgrammeInvalid, programme_schema
from wallet.eligibility.evidence_types import evidence_types
from wallet.eligibility.guardian import guardianship_type
from wallet.eligibility.marked_yaml import MAX_FILE_BYTES, YamlMalformed, parse_marked_yaml
from wallet.eligibility.programme import parse_programme, parse_programme_document
from wallet.eligibility.rule_reader import MAX_CLAUSES

FILE = "youth-rent.yaml"
GOOD = programme_files()[FILE].decode("utf-8")
VOTE = programme_files()["mvoting-dongjak.yaml"].decode("utf-8")


def replaced(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    return next(at for at, line in enumerate(text.splitlines(), 1) if part in line)


BAD: dict[str, tuple[str, str, str]] = {
    # what is changed: (old, new, what the message says); the new text is on the line named
    "unknown field": ("sector: youth", "sector: youth\nsurprise: 1", "unknown field surprise"),
    "unknown field of a clause": ("from: 19, to: 39}", "from: 19, too: 39}", "unknown field too"),
    "unknown operator": (
        "is: {of: lease.owns_home",
        "iz: {of: lease.owns_home",
        "unknown field iz",
    ),
    "rule of the wrong type": (
        "number: {of: lease.deposit_won",
        "number: {of: lease.owns_home",
        "is a boolean, expected integer",
    ),
    "fact that is not asked for": (
        "of: resident.seoul_resident",
        "of: resident.district",
        "does not ask for resident.district",
    ),
    "unknown reason code": (
        "reason: owns_a_home",
        "reason: owns_two_homes",
        "unknown reason code owns_two_homes",
    ),
    "reason that nobody gives": (
        "reasons:\n",
        "reasons:\n  never_given:\n    ko: 없음\n    en: Never\n",
        "no clause gives the reason",
    ),
    "empty rule": ("rule:\n  all:", "rule:\n  all: []\n  any:", "all: has less than 1 members"),
    "empty range": ("from: 19, to: 39}", "from: 40, to: 39}", "to is below from"),
    "no day of the calendar": (
        "until: 2023-12-31}",
        "until: 2023-02-30}",
        "not a day of the calendar",
    ),
    "ends before it begins": ("until: 2023-12-31}", "until: 2022-12-31}", "ends before it begins"),
    "wrong credential type": (
        "urn:seoul-wallet:lease:1",
        "urn:seoul-wallet:lease:2",
        "no kind of evidence",
    ),
    "claim that does not exist": (
        "- path: [deposit_won]",
        "- path: [deposit_wons]",
        "has no claim deposit_wons",
    ),
    "claim that nobody reads": (
        "- path: [owns_home]",
        "- path: [owns_home]\n        - path: [deal_won]",
        "no clause reads it",
    ),
    "sector without person id": ("        - path: [sector_id, youth]\n", "", "each is asked for"),
    "unknown sector": ("sector: youth", "sector: yuth", "the sectors are"),
    "evidence that is not asked for": (
        "evidence:\n",
        "evidence:\n  work: {max_status_age_s: 60, max_replica_age_s: 60}\n",
        "does not ask for work",
    ),
    "median of an unknown year": (
        "median_year: 2023}",
        "median_year: 2001}",
        "no median income of this year",
    ),
    "percent between bands": (
        "at_most_percent: 150",
        "at_most_percent: 149",
        "no band ends there",
    ),
    "cycle that is not declared": (
        "within: lifetime",
        "within: cycle",
        "the programme has no cycle",
    ),
    "id used twice": ("id: deposit", "id: age", "the id age is used twice"),
    "clause without reason": ("      reason: not_in_seoul\n", "", "needs an id and a reason"),
    "two tests in one clause": (
        "of: lease.owns_home, value: false}",
        "of: lease.owns_home, value: false}\n      age: {of: resident.birth_date, to: 1}",
        "a clause is exactly one of",
    ),
    "alias": ("title: {ko: 청년월세", "title: &t {ko: 청년월세", "anchors and tags"),
    "tag": ("sector: youth", "sector: !!python/name:os.system youth", "anchors and tags"),
    "name given twice": ("sector: youth", "sector: youth\nsector: youth", "given twice"),
    "text in one language": (
        "주택정책실, en: Seoul Housing Policy Office}",
        "주택정책실}",
        "lacks en",
    ),
    "exclusion that is not tested": (
        "sector: youth",
        "sector: youth\nexclusions: [youth-fare]",
        "no clause tests what youth-fare paid",
    ),
    "negative limit": ("at_most: 600000}", "at_most: -1}", "-1 is less than 0"),
    "fraction": ("at_most: 600000}", "at_most: 600000.5}", "expected a whole number"),
    "number beyond measure": (
        "at_most: 600000}",
        f"at_most: {'9' * 5000}}}",
        "a whole number of up to 15 digits",
    ),
    "Hangul in parts": (
        "title: {ko: 청년월세",
        f"title: {{ko: {normalize('NFD', '청년월세')}",
        "not in Unicode form NFC",
    ),
    "direction that is not seen": ("title: {ko: 청년", "title: {ko: 청\u202e년", "U+202E"),
    "control character": (
        "sector: youth",
        'sector: "youth\\0"',
        "U+0000 cannot be seen",
    ),
    "letter left out": ("sector: youth", "sectr: youth", "did you mean sector?"),
    "text with a comma": (
        "주택정책실, en: Seoul Housing Policy Office}",
        "주택정책실, en: Office, Seoul Housing}",
        "needs quotation marks",
    ),
    "text with a colon": (
        "주택정책실, en: Seoul Housing Policy Office}",
        "주택정책실, en: Office: Seoul}",
        "needs quotation marks",
    ),
    "number for a text": ('version: "2023"', "version: 2023", "in quotation marks"),
    "rule of nothing": ("rule:\n  all:", "rule:\nquota:\n  all:", "found nothing"),
    "misspelt type": ("urn:seoul-wallet:lease:1", "urn:seoul-wallet:lees:1", "did you mean"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_a_bad_file_and_names_file_and_line(name: str) -> None:
    old, new, message = BAD[name]
    text = replaced(old, new)
    with pytest.raises(ProgrammeInvalid) as raised:
        parse_programme(text.encode(), FILE)
    found = [problem for problem in raised.value.problems if message in problem.message]
    assert found, str(raised.value)
    assert found[0].file == FILE
    assert 1 <= found[0].line <= len(text.splitlines())
    assert f"{FILE}:{found[0].line}:" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("unknown field", "surprise"),
        ("unknown reason code", "owns_two_homes"),
        ("rule of the wrong type", "number: {of: lease.owns_home"),
        ("empty rule", "all: []"),
        ("empty range", "from: 40"),
        ("alias", "&t"),
        ("name given twice", "mark"),
    ],
)
def test_the_line_is_the_one_to_mend(name: str, part: str) -> None:
    old, new, message = BAD[name]
    text = replaced(old, new)
    with pytest.raises(ProgrammeInvalid) as raised:
        parse_programme(text.encode(), FILE)
    line = next(item.line for item in raised.value.problems if message in item.message)
    expected = line_of(text, "sector: youth") + 1 if part == "mark" else line_of(text, part)
    assert line == expected


def test_several_problems_are_told_at_once() -> None:
    text = replaced("sector: youth", "sector: yuth").replace("reason: owns_a_home", "reason: x_y")
    with pytest.raises(ProgrammeInvalid) as raised:
        parse_programme(text.encode(), FILE)
    messages = " ".join(problem.message for problem in raised.value.problems)
    assert "the sectors are" in messages
    assert "unknown reason code" in messages


def _deep(levels: int) -> str:
    rule = "is: {of: resident.seoul_resident, value: true}, id: x, reason: too_young"
    for _ in range(levels):
        rule = f"all: [{{{rule}}}]"
    return rule


OVERSIZED: dict[str, Callable[[], bytes]] = {
    "too long": lambda: (GOOD + "#" * MAX_FILE_BYTES).encode(),
    "too deep": lambda: (VOTE.partition("rule:")[0] + f"rule: {{{_deep(10)}}}\n").encode(),
    "far too deep": lambda: b"[" * 10_000,
    "too many clauses": lambda: many_clauses(),
    "too many values": lambda: ("a: [" + "1, " * 5000 + "1]").encode(),
    "not UTF-8": lambda: b"a: \xff\n",
    "two documents": lambda: b"a: 1\n---\nb: 2\n",
    "a list": lambda: b"- 1\n",
    "nothing": lambda: b"",
    "no YAML": lambda: b"a: [1\n",
    "lone surrogate": lambda: GOOD.replace("청년월세 지원", '"\\uD800"').encode(),
}


def many_clauses() -> bytes:
    leaf = "{{id: c{0}, is: {{of: resident.seoul_resident, value: true}}, reason: too_young}}"
    groups = [
        "{all: [" + ", ".join(leaf.format(30 * group + at) for at in range(30)) + "]}"
        for group in range(MAX_CLAUSES // 30 + 1)
    ]
    return (VOTE.partition("rule:")[0] + "rule: {all: [" + ", ".join(groups) + "]}\n").encode()


@pytest.mark.parametrize("name", OVERSIZED)
def test_refuses_what_is_too_large_or_no_programme_at_all(name: str) -> None:
    with pytest.raises(ProgrammeInvalid):
        parse_programme(OVERSIZED[name](), FILE)


def test_refuses_versions_that_overlap() -> None:
    second = replaced('version: "2023"', 'version: "2023-2"')
    with pytest.raises(ProgrammeInvalid, match=r"b\.yaml:1: .*overlaps the one in a\.yaml"):
        parse_catalogue({"a.yaml": GOOD.encode(), "b.yaml": second.encode()})
    later = second.replace("{from: 2023-01-01, until: 2023-12-31}", "{from: 2024-01-01}")
    catalogue = parse_catalogue({"a.yaml": GOOD.encode(), "b.yaml": later.encode()})
    assert [item.version for item in catalogue.versions["youth-rent"]] == ["2023", "2023-2"]


def test_refuses_two_versions_of_one_name_and_exclusions_of_nothing() -> None:
    later = GOOD.replace("{from: 2023-01-01, until: 2023-12-31}", "{from: 2024-01-01}")
    with pytest.raises(ProgrammeInvalid, match="is named like"):
        parse_catalogue({"a.yaml": GOOD.encode(), "b.yaml": later.encode()})
    with pytest.raises(ProgrammeInvalid, match="the exclusion youth-allowance is no programme"):
        parse_catalogue({"a.yaml": programme_files()["youth-fare.yaml"]})


def test_a_catalogue_finds_the_version_in_force() -> None:
    catalogue = parse_catalogue(programme_files())
    card = "multi-child-card"
    assert catalogue.in_force(card, date(2023, 6, 30)).version == "until-2023-06"
    assert catalogue.in_force(card, date(2023, 7, 1)).version == "from-2023-07"
    with pytest.raises(ProgrammeNotInForce):
        catalogue.in_force(card, date(2017, 12, 31))
    with pytest.raises(ProgrammeUnknown):
        catalogue.in_force("no-such", date(2023, 7, 1))
    with pytest.raises(ProgrammeUnknown):
        catalogue.version(card, "no-such")
    assert build_catalogue([]).programmes() == ()


@pytest.mark.parametrize("name", sorted(programme_files()))
def test_every_example_reads_the_same_from_its_json_document(name: str) -> None:
    from_yaml = parse_programme(programme_files()[name], name)
    document = json.loads(json.dumps(from_yaml.document))
    assert parse_programme_document(document, "catalogue") == from_yaml


def test_a_document_is_read_once_and_a_changed_one_anew() -> None:
    name, data = next(iter(programme_files().items()))
    document = json.loads(json.dumps(parse_programme(data, name).document))
    first = parse_programme_document(document, "catalogue")
    assert parse_programme_document(json.loads(json.dumps(document)), "again") is first
    document["title"]["en"] += " (changed)"
    assert parse_programme_document(document, "catalogue").title != first.title


@pytest.mark.parametrize("document", [None, [], 1, {}, {"format": 2}])
def test_refuses_documents_that_are_no_programmes(document: object) -> None:
    with pytest.raises(ProgrammeInvalid):
        parse_programme_document(document, "catalogue")


def test_refuses_a_document_that_is_too_deep() -> None:
    document: object = {}
    for _ in range(90):
        document = {"rule": document}
    with pytest.raises(ProgrammeInvalid):
        parse_programme_document(document, "catalogue")


def test_at_least_twelve_programmes_with_texts_in_both_languages() -> None:
    catalogue = parse_catalogue(programme_files())
    assert len(catalogue.versions) >= 12
    for item in catalogue.programmes():
        for text in (
            item.title,
            item.summary,
            item.office,
            item.legal_basis,
            *item.reasons.values(),
        ):
            assert any("가" <= letter <= "힣" for letter in text.ko)
            assert text.en.isascii()
        assert item.citation
        assert item.source_as_of.year >= 2022


def test_every_kind_of_evidence_is_asked_for_by_a_programme() -> None:
    catalogue = parse_catalogue(programme_files())
    asked = {need.type.name for item in catalogue.programmes() for need in item.evidence.values()}
    # A career is for employers; no benefit of these asks for one.
    assert asked == {*evidence_types().by_name, BENEFIT_KEY, guardianship_type().name} - {"career"}


def test_the_schema_refuses_fields_that_it_does_not_know_everywhere() -> None:
    def objects(value: object) -> list[dict[str, object]]:
        if isinstance(value, list):
            return [found for item in value for found in objects(item)]
        if not isinstance(value, dict):
            return []
        inner = [found for item in value.values() for found in objects(item)]
        return [value, *inner] if value.get("type") == "object" else inner

    Draft202012Validator.check_schema(programme_schema())
    found = objects(programme_schema())
    assert len(found) > 15
    assert all("additionalProperties" in item for item in found)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_the_typed_error(data: bytes) -> None:
    with suppress(YamlMalformed):
        assert parse_marked_yaml(data).lines[()] >= 1


@given(st.integers(0, len(GOOD) - 1), st.text(max_size=4))
def test_a_changed_file_gives_a_programme_or_a_typed_error(at: int, text: str) -> None:
    changed = GOOD[:at] + text + GOOD[at + 1 :]
    with suppress(ProgrammeInvalid):
        assert parse_programme(changed.encode("utf-8", "surrogatepass"), FILE).rule
