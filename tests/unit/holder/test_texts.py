"""Strangers' texts, made safe to show."""

import unicodedata

import pytest

from wallet.holder.texts import MAX_SHOWN_CHARACTERS, claim_lines, name_in, shown
from wallet.protocols.oid4vci.metadata import ClaimDescription, Label


@pytest.mark.parametrize("text", ["다둥이 행복카드", "Name", "서울특별시 120 — 다산콜", "李"])
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (unicodedata.normalize("NFD", "김하늘"), "김하늘"),
        ("서울시\u202eelpmaxe", "서울시elpmaxe"),
        ("a\u200bb\u2060c\ufeffd", "abcd"),
        ("ㅤ김\uffa0\u115f", "김"),
        ("one\ntwo\tthree\x1b[2J", "one two three[2J"),
        ("가\ufe0f나", "가나"),
        ("\ud800x", "x"),
        ("  much \u3000 space ", "much space"),
        ("\u202e\u200b", ""),
    ],
)
def test_nothing_hidden_is_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_long_text_is_cut() -> None:
    assert shown("가" * MAX_SHOWN_CHARACTERS) == "가" * MAX_SHOWN_CHARACTERS
    cut = shown("가" * 100_000)
    assert len(cut) == MAX_SHOWN_CHARACTERS
    assert cut.endswith("…")


def test_a_name_is_in_the_language_asked_for_else_in_any() -> None:
    labels = (Label("Card", "en-US"), Label("카드", "ko-KR"))
    assert [name_in(labels, language, "x") for language in ("ko", "en", "fr")] == [
        "카드",
        "Card",
        "Card",
    ]
    assert name_in((), "ko", "urn:type") == "urn:type"
    assert name_in((Label("\u200b", "ko"), Label("Card", "en")), "ko", "x") == "Card"


def test_claims_are_shown_in_the_issuers_order_with_its_names() -> None:
    descriptions = (
        ClaimDescription(("children", None, "name"), (Label("Child", "en"),)),
        ClaimDescription(("name",), (Label("Full name", "en"),)),
    )
    claims = {"name": "가", "children": [{"name": "나"}, {"name": "다"}], "adult": True, "x": None}
    lines = claim_lines(claims, descriptions, "en")
    assert [(line.label, line.value) for line in lines] == [
        ("Full name", "가"),
        ("adult", "✓"),
        ("children / 1 / Child", "나"),
        ("children / 2 / Child", "다"),
        ("x", "-"),
    ]
