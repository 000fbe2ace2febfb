"""Names as attackers and keyboards write them: KO-1 to KO-7 of the catalogue."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest
from mnemonic import Mnemonic

from tests.support.vectors import vector_folder
from wallet.crypto.recovery_phrase import PhraseWordUnknown, parse_bip39
from wallet.encoding.json import parse_json, to_json
from wallet.encoding.names import (
    MAX_NAME_CHARACTERS,
    IntakeText,
    NameNotAcceptable,
    grapheme_length,
    mixes_scripts,
    parse_name,
    parse_text,
    reads_as_latin,
)
from wallet.holder.texts import may_deceive, shown

KOREAN = ("홍길동", "남궁 민", "제갈 솔", "각힣뷁", "홍길동(洪吉童)")
FOREIGN = ("MÜLLER ZOË", "NGUYỄN THỊ HÒA", "O'BRIEN", "Ọ̀ṣun", "สมชาย คำ", "КАРИМОВ", "山田 タロウ")
INVISIBLE = (
    0x3164, 0x115F, 0x1160, 0xFFA0, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x061C,
    *range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A),
    *range(0xFE00, 0xFE10), 0xE0100, 0xE01EF, 0x180B, 0x180E, 0x034F, 0x2800,
)  # fmt: skip


def digest(value: object) -> str:
    return hashlib.sha256(to_json(value)).hexdigest()


@pytest.mark.parametrize("name", KOREAN + FOREIGN)
def test_ko_1_a_name_in_nfd_is_stored_and_digested_as_the_one_in_nfc(name: str) -> None:
    composed = parse_name(unicodedata.normalize("NFC", name)).value
    decomposed = parse_name(unicodedata.normalize("NFD", name)).value
    assert unicodedata.is_normalized("NFC", composed)
    assert decomposed == composed
    assert digest({"name": decomposed}) == digest({"name": composed})
    assert digest({"name": unicodedata.normalize("NFD", "홍길동")}) != digest({"name": "홍길동"})


def _lines(folder: Path) -> list[list[str]]:
    text = (folder / "NormalizationTest-hangul-cjk.txt").read_text("utf-8")
    rows = (line.partition("#")[0].strip() for line in text.splitlines())
    return [
        ["".join(chr(int(point, 16)) for point in column.split()) for column in row.split(";")[:5]]
        for row in rows
        if row and not row.startswith("@")
    ]


@pytest.mark.vectors
def test_ko_1_every_published_normalization_is_one_name_or_none() -> None:
    accepted = refused = 0
    reasons = set()
    for source, nfc, nfd, nfkc, _ in _lines(vector_folder("unicode")):
        assert unicodedata.normalize("NFC", source) == nfc
        try:
            value = parse_name(source).value
        except NameNotAcceptable as error:
            refused += 1
            reasons.add(error.reason)
            continue
        accepted += 1
        # Accepted is only what NFKC leaves alone too: nothing was folded into another name.
        assert value == nfc == parse_name(nfd).value
        assert nfkc == nfc
    assert accepted > 11_000
    assert refused > 100
    assert {"compatibility_form", "loose_jamo"} <= reasons
    assert "too_long" not in reasons


@pytest.mark.parametrize("point", INVISIBLE)
@pytest.mark.parametrize("name", ["홍{}길동", "{}홍길동", "홍길동{}"])
def test_ko_2_a_letter_that_cannot_be_seen_is_refused(point: int, name: str) -> None:
    for parse in (parse_name, parse_text):
        with pytest.raises(NameNotAcceptable) as caught:
            parse(name.format(chr(point)))
        assert caught.value.reason == "invisible_character"


@pytest.mark.parametrize("point", INVISIBLE)
def test_ko_2_a_wallet_shows_no_invisible_letter_of_a_stranger(point: int) -> None:
    assert shown(f"서울{chr(point)}시") in ("서울시", "서울 시")


@pytest.mark.parametrize("point", [*range(0x3131, 0x318F), *range(0xFFA1, 0xFFBF)])
def test_ko_3_compatibility_and_half_width_jamo_are_refused_and_never_folded(point: int) -> None:
    with pytest.raises(NameNotAcceptable) as caught:
        parse_name(f"홍{chr(point)}길동")
    assert caught.value.reason in ("compatibility_form", "invisible_character")


@pytest.mark.parametrize(
    "name",
    [
        "ㅎㅗㅇㄱㅣㄹㄷㅗㅇ",
        "ＫＩＭ",
        "\U0001d40a\U0001d408\U0001d40c",
        "ﾎﾝ",
        "\u2f08民",
        "\ufee3\ufeea",
    ],
)
def test_ko_3_a_name_in_other_dress_is_refused(name: str) -> None:
    with pytest.raises(NameNotAcceptable) as caught:
        parse_name(name)
    assert caught.value.reason in ("compatibility_form", "not_a_letter")


def test_ko_4_a_compatibility_ideograph_is_shown_both_ways() -> None:
    intake = parse_name("\uf9e1舜臣")
    assert intake.value == "\u674e舜臣"
    assert [(one.original, one.nfc) for one in intake.folded_ideographs] == [("\uf9e1", "\u674e")]
    assert parse_name("李舜臣").folded_ideographs == ()


@pytest.mark.vectors
def test_ko_4_every_compatibility_ideograph_that_nfc_changes_is_reported() -> None:
    reported = 0
    for source, nfc, *_ in _lines(vector_folder("unicode")):
        if len(source) == 1 and 0xF900 <= ord(source) <= 0xFAFF and source != nfc:
            found = parse_name(source).folded_ideographs
            assert [(one.original, one.nfc) for one in found] == [(source, nfc)]
            reported += 1
    assert reported > 400


@pytest.mark.parametrize("name", ["K\u0410RIMOV", "S\u0435oul", "ΑLPHA", "서울ロ", "Ⲁdam B"])
def test_ko_5_a_name_of_mixed_scripts_is_flagged(name: str) -> None:
    assert parse_name(name).mixed_scripts
    assert may_deceive(name)


@pytest.mark.parametrize("name", [*KOREAN, *FOREIGN, "KARIMOV 카리모프", "홍길동 Hong 洪吉童"])
def test_ko_5_names_that_people_have_are_not_flagged(name: str) -> None:
    assert not parse_name(name).mixed_scripts
    assert not parse_name(name).latin_look_alike


@pytest.mark.parametrize("name", ["РОСС", "сора", "ΑΝΝΑ"])
def test_ko_5_a_name_that_only_looks_latin_is_flagged(name: str) -> None:
    assert parse_name(name).latin_look_alike
    assert not parse_name(name).mixed_scripts
    assert may_deceive(name)


@pytest.mark.vectors
def test_ko_5_every_published_twin_of_a_latin_letter_is_flagged_or_refused() -> None:
    table = parse_json((vector_folder("unicode") / "confusables.json").read_bytes())
    twins = {
        entry["c"]
        for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for entry in table.get(letter, [])
        if len(entry["c"]) == 1 and not entry["n"].startswith("LATIN")
    }
    assert len(twins) > 500
    for twin in twins:
        if unicodedata.normalize("NFC", twin).isascii():
            continue  # NFC itself makes it the Latin letter
        try:
            unnoticed = not parse_name(f"q{twin}q").mixed_scripts
        except NameNotAcceptable:
            unnoticed = False
        assert not unnoticed, hex(ord(twin))
        is_letter = unicodedata.category(twin)[0] == "L"
        if is_letter and unicodedata.name(twin).startswith(("CYRILLIC", "GREEK")):
            assert reads_as_latin(twin) or unicodedata.normalize("NFKC", twin) != twin
    assert not mixes_scripts("qaq")


@pytest.mark.parametrize("letter", ["각", "é", "ệ", "山"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_ko_6_length_is_counted_in_graphemes(letter: str, form: str) -> None:
    text = unicodedata.normalize(form, letter * MAX_NAME_CHARACTERS)
    assert grapheme_length(text) == MAX_NAME_CHARACTERS
    assert grapheme_length(parse_name(text).value) == MAX_NAME_CHARACTERS
    with pytest.raises(NameNotAcceptable) as caught:
        parse_name(text + letter)
    assert caught.value.reason == "too_long"


def test_ko_6_escaped_and_raw_json_hold_the_same_name() -> None:
    raw, escaped = '{"name":"홍길동"}', '{"name":"\\ud64d\\uae38\\ub3d9"}'
    assert parse_json(raw.encode()) == parse_json(escaped.encode())
    intakes: set[IntakeText] = {
        parse_name(parse_json(text.encode())["name"]) for text in (raw, escaped)
    }
    assert len(intakes) == 1


@pytest.mark.vectors
def test_ko_7_a_korean_phrase_typed_in_nfc_is_the_one_of_the_list() -> None:
    vectors = parse_json((vector_folder("bip39") / "vectors.json").read_bytes())["korean"]
    assert len(vectors) == 24
    for entropy, sentence, seed, _ in vectors:
        typed = unicodedata.normalize("NFC", sentence)
        assert typed != sentence
        phrase = parse_bip39(typed)
        assert phrase.entropy.hex() == entropy
        assert Mnemonic.to_seed(phrase.nfkd(), "TREZOR").hex() == seed


def test_ko_7_a_phrase_in_compatibility_jamo_is_unknown_words() -> None:
    with pytest.raises(PhraseWordUnknown) as caught:
        parse_bip39("ㄱㅏㄱㅕㄱ " * 12)
    assert [word.position for word in caught.value.unknown] == list(range(1, 13))
