"""docs/errors.md lists every error code, once, with its class, status and both sentences."""

import re
from collections import Counter

import pytest

from tools import errors_table
from wallet.errors import ConflictError, MalformedError, RejectedError

ROW = re.compile(
    r"^\| `(?P<code>[a-z0-9_]+)`(?:<br>| )(?P<name>\S+) \| (?P<status>\d{3}) \| (.*) \|$"
)
HANGUL = re.compile(r"[가-힣]")


@pytest.fixture(scope="module")
def classes() -> list[errors_table.ErrorClass]:
    return errors_table.error_classes()


@pytest.fixture(scope="module")
def rows() -> list[re.Match[str]]:
    lines = errors_table.TABLE.read_text("utf-8").splitlines()
    return [match for match in map(ROW.match, lines) if match is not None]


def test_every_error_has_a_code_of_its_own_and_a_status_of_its_family(
    classes: list[errors_table.ErrorClass],
) -> None:
    assert len(classes) > len(errors_table.FAMILIES)
    assert errors_table.faults_of_classes(classes) == []


def test_every_code_is_listed_once_and_no_other_code_is(
    classes: list[errors_table.ErrorClass], rows: list[re.Match[str]]
) -> None:
    listed = Counter(row["code"] for row in rows)
    codes = {kind.code for kind in classes}
    assert sorted(codes - listed.keys()) == [], f"not listed: {errors_table.RENEW}"
    assert sorted(listed.keys() - codes) == [], f"listed without a class: {errors_table.RENEW}"
    assert [code for code, count in listed.items() if count > 1] == []


def test_every_row_names_the_class_its_status_and_two_sentences_in_two_languages(
    classes: list[errors_table.ErrorClass], rows: list[re.Match[str]]
) -> None:
    by_code = {row["code"]: row for row in rows}
    for kind in classes:
        row = by_code[kind.code]
        assert row["name"].rpartition(".")[2] == kind.__name__
        assert int(row["status"]) == kind.status
        assert errors_table.sentence(kind).replace("|", "\\|") in row[0]
        cells = re.split(r"<br>| \| ", row[4])
        assert len(cells) == 4, f"`{kind.code}`: English, Korean, and what to do in both"
        assert all(cells), f"`{kind.code}` has an empty cell"
        assert [bool(HANGUL.search(cell)) for cell in cells] == [False, True, False, True]


def test_every_code_has_its_texts_and_every_text_its_code(
    classes: list[errors_table.ErrorClass],
) -> None:
    assert errors_table.faults_of_texts(classes, errors_table.load_texts()) == []


def test_the_table_is_what_the_generator_writes(classes: list[errors_table.ErrorClass]) -> None:
    written = errors_table.render(classes, errors_table.load_texts())
    assert errors_table.TABLE.read_text("utf-8") == written, errors_table.RENEW


class _Planted(RejectedError):
    """A planted error."""

    code = "planted"


class _Same(ConflictError):
    """Another with the same code."""

    code = "planted"


class _Inherits(_Planted):
    """It has its parent's code."""


class _Misplaced(MalformedError):
    """Its status is another family's."""

    code = "misplaced"
    status = 503


class _Both(MalformedError, RejectedError):
    """In two families."""

    code = "both"


class _Silent(MalformedError):
    code = "silent"


@pytest.mark.parametrize(
    ("kinds", "fault"),
    [
        ([_Planted, _Same], "_Same shares the code `planted`"),
        ([_Planted, _Inherits], "_Inherits has no `code` of its own"),
        ([_Misplaced], "_Misplaced: status 503 is not one of MalformedError"),
        ([_Both], "_Both must belong to exactly one"),
        ([_Silent], "_Silent has no docstring"),
    ],
)
def test_names_the_class_that_breaks_the_rules(
    kinds: list[errors_table.ErrorClass], fault: str
) -> None:
    assert fault in "\n".join(errors_table.faults_of_classes(kinds))


def test_names_the_code_without_a_korean_sentence_and_the_text_without_a_code() -> None:
    texts = {"ko": {"gone": "없음"}, "next": {"planted": "Stop."}, "next_ko": {}}
    faults = "\n".join(errors_table.faults_of_texts([_Planted], texts))
    assert "`planted` (tests.docs.test_errors._Planted) has no Korean sentence" in faults
    assert "`gone` under [ko], but no class has that code" in faults
    assert "`planted` needs both [next] and [next_ko]" in faults
    whole = {"ko": {"planted": "심었습니다."}, "next": {}, "next_ko": {}}
    assert errors_table.faults_of_texts([_Planted], whole) == []


def test_planted_errors_of_tests_are_not_listed(classes: list[errors_table.ErrorClass]) -> None:
    assert _Planted not in classes
