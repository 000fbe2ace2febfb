import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.encoding.names import (
    MAX_NAME_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    NameNotAcceptable,
    parse_name,
    parse_text,
)


@pytest.mark.parametrize(
    "name",
    ["홍길동", "남궁민", "제갈 솔", "NGUYEN THI HOA", "응우옌 티 호아", "O'BRIEN", "SMITH-JONES",
     "MÜLLER ZOË", "洪吉童", "홍길동(洪吉童)", "Ọ̀ṣun"],
)  # fmt: skip
def test_accepts_the_names_people_have(name):
    assert parse_name(name).value == unicodedata.normalize("NFC", name)


def test_a_decomposed_name_is_stored_composed():
    assert parse_name(unicodedata.normalize("NFD", "홍길동")).value == "홍길동"
    assert parse_name(unicodedata.normalize("NFD", "MÜLLER")).value == "MÜLLER"


def test_spaces_around_and_between_become_one():
    assert parse_name("  홍  길동 ").value == "홍 길동"


@pytest.mark.parametrize(
    "point",
    [0x3164, 0x115F, 0x1160, 0xFFA0, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x202A,
     0x202E, 0x2066, 0x2069, 0x200E, 0x061C, 0xFE00, 0xFE0F, 0xE0100, 0xE01EF, 0x180B, 0x034F,
     0xE0041],
)  # fmt: skip
@pytest.mark.parametrize("parse", [parse_name, parse_text])
def test_refuses_what_cannot_be_seen(point, parse):
    with pytest.raises(NameNotAcceptable) as caught:
        parse(f"홍{chr(point)}길동")
    assert caught.value.reason == "invisible_character"
    assert caught.value.code == "name_not_acceptable"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ㅎㅗㅇ길동", "compatibility_form"),
        ("ﾎ길동", "compatibility_form"),
        ("\uffbe\uffcc", "compatibility_form"),
        ("ＫＩＭ", "compatibility_form"),
        ("\u1112길동", "loose_jamo"),
        ("길동\u11ab", "loose_jamo"),
        ("\ud7b0", "loose_jamo"),
        ("홍\t길동", "control_character"),
        ("홍\n길동", "control_character"),
        ("홍\0길동", "control_character"),
        ("홍\u2028길동", "control_character"),
        ("홍\u3000길동", "unusual_space"),
        ("홍\u00a0길동", "unusual_space"),
        ("홍\ue000", "unassigned_character"),
        ("홍\ud800", "unassigned_character"),
        ("홍\uffff", "unassigned_character"),
        ("q\u0323\u0325\u0329", "stacked_marks"),
        ("\u0301홍", "stacked_marks"),
        ("홍 \u0301길동", "stacked_marks"),
        ("", "empty"),
        ("   ", "empty"),
    ],
)
@pytest.mark.parametrize("parse", [parse_name, parse_text])
def test_refuses_look_alikes_and_controls_with_a_reason(text, reason, parse):
    with pytest.raises(NameNotAcceptable) as caught:
        parse(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("text", ["홍길동2", "=홍길동", "<b>", "홍@길동", "홍😀", "...", "()"])
def test_a_name_has_letters_and_the_punctuation_of_names(text):
    with pytest.raises(NameNotAcceptable) as caught:
        parse_name(text)
    assert caught.value.reason == "not_a_letter"


def test_an_address_may_have_digits_and_symbols():
    assert parse_text("테헤란로 123-4, 101동 & ㈜견본").value == "테헤란로 123-4, 101동 & ㈜견본"


@pytest.mark.parametrize(
    ("parse", "limit"), [(parse_name, MAX_NAME_CHARACTERS), (parse_text, MAX_TEXT_CHARACTERS)]
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("letter", ["각", "é"])
def test_length_is_what_a_reader_counts(parse, limit, form, letter):
    assert parse(unicodedata.normalize(form, letter * limit)).value == letter * limit
    with pytest.raises(NameNotAcceptable) as caught:
        parse(unicodedata.normalize(form, letter * (limit + 1)))
    assert caught.value.reason == "too_long"


def test_refuses_a_huge_text_before_working_on_it():
    with pytest.raises(NameNotAcceptable) as caught:
        parse_name("\u3164" * 1_000_000)
    assert caught.value.reason == "too_long"


def test_reports_a_compatibility_ideograph_with_what_it_became():
    intake = parse_name("\uf9e1順臣")
    assert intake.value == "\u674e順臣"
    assert [(item.original, item.nfc) for item in intake.folded_ideographs] == [
        ("\uf9e1", "\u674e")
    ]


def test_reports_nothing_for_unified_ideographs():
    assert parse_name("李順臣").folded_ideographs == ()
    assert parse_name("\ufa0e").folded_ideographs == ()


def test_flags_letters_of_alphabets_that_look_alike():
    assert parse_name("K\u0410RIMOV").mixed_scripts
    assert not parse_name("КАРИМОВ").mixed_scripts
    assert not parse_name("KARIMOV 카리모프").mixed_scripts


def test_the_message_does_not_repeat_the_name():
    with pytest.raises(NameNotAcceptable) as caught:
        parse_name("홍길동\u200b")
    assert "홍" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_refused_or_stable_in_nfc(text):
    for parse in (parse_name, parse_text):
        try:
            value = parse(text).value
        except NameNotAcceptable:
            continue
        assert unicodedata.is_normalized("NFC", value)
        assert parse(value).value == value
