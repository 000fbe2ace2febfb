import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.crypto.recovery_phrase import (
    MAX_PHRASE_CHARACTERS,
    PhraseChecksumWrong,
    PhraseLanguage,
    PhraseMalformed,
    PhraseWordUnknown,
    RecoveryPhrase,
    generate_recovery_phrase,
    parse_bip39,
    parse_recovery_phrase,
)
from wallet.errors import SeoulWalletError

LANGUAGES = list(PhraseLanguage)


def phrase_of(language: PhraseLanguage, first: int = 0) -> RecoveryPhrase:
    return RecoveryPhrase(bytes(range(first, first + 32)), language)


def typed(phrase: RecoveryPhrase) -> str:
    return " ".join(phrase.words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_phrase_has_24_words_and_is_read_back(language):
    phrase = generate_recovery_phrase(language)
    assert len(phrase.words) == 24
    assert parse_recovery_phrase(typed(phrase)) == phrase
    assert generate_recovery_phrase(language) != phrase


def test_the_same_secret_is_written_in_either_language():
    korean, english = phrase_of(PhraseLanguage.KOREAN), phrase_of(PhraseLanguage.ENGLISH)
    assert parse_recovery_phrase(typed(korean)).entropy == korean.entropy
    assert parse_recovery_phrase(typed(english)).entropy == korean.entropy
    assert set(korean.words).isdisjoint(english.words)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("space", ["  ", "\n", "\u3000", "\t \t"])
def test_any_form_of_korean_and_any_space_is_read(form, space):
    phrase = phrase_of(PhraseLanguage.KOREAN)
    text = space + unicodedata.normalize(form, space.join(phrase.words)) + space
    assert parse_recovery_phrase(text) == phrase


def test_capitals_are_read():
    phrase = phrase_of(PhraseLanguage.ENGLISH)
    assert parse_recovery_phrase(typed(phrase).title()) == phrase


@pytest.mark.parametrize("count", [0, 1, 12, 23, 25])
def test_refuses_another_number_of_words(count):
    words = (*phrase_of(PhraseLanguage.ENGLISH).words, "zoo")[:count]
    with pytest.raises(PhraseMalformed) as caught:
        parse_recovery_phrase(" ".join(words))
    assert caught.value.words == count


def test_refuses_a_text_that_is_far_too_long_before_reading_it():
    with pytest.raises(PhraseMalformed):
        parse_recovery_phrase("가 " * MAX_PHRASE_CHARACTERS)


@pytest.mark.parametrize(
    ("language", "wrong"),
    [(PhraseLanguage.ENGLISH, lambda word: word + "x"),
     (PhraseLanguage.KOREAN, lambda word: word + "ㄱ")],
)  # fmt: skip
def test_an_unknown_word_is_named_by_position_with_the_nearest(language, wrong):
    words = list(phrase_of(language).words)
    meant = words[6]
    words[6] = wrong(meant)
    with pytest.raises(PhraseWordUnknown) as caught:
        parse_recovery_phrase(" ".join(words))
    (unknown,) = caught.value.unknown
    assert unknown.position == 7
    assert meant in unknown.nearest


def test_the_message_and_the_repr_hold_no_word():
    phrase = phrase_of(PhraseLanguage.ENGLISH)
    words = [*phrase.words[:23], "notaword"]
    with pytest.raises(PhraseWordUnknown) as caught:
        parse_recovery_phrase(" ".join(words))
    shown = str(caught.value) + repr(caught.value.unknown) + repr(phrase)
    assert not [word for word in (*words, phrase.entropy.hex()) if word in shown]


def test_words_of_the_other_language_are_unknown():
    words = [*phrase_of(PhraseLanguage.ENGLISH).words[:20]]
    words += phrase_of(PhraseLanguage.KOREAN).words[20:]
    with pytest.raises(PhraseWordUnknown) as caught:
        parse_recovery_phrase(" ".join(words))
    assert [unknown.position for unknown in caught.value.unknown] == [21, 22, 23, 24]


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_neighbours_exchanged_are_told(language):
    told = 0
    for at in range(23):
        words = list(phrase_of(language, 90).words)
        words[at : at + 2] = [words[at + 1], words[at]]
        try:
            # One exchange of 256 keeps the checksum; then it is another phrase.
            assert parse_recovery_phrase(" ".join(words)) != phrase_of(language, 90)
        except PhraseChecksumWrong as error:
            told += (at + 1, at + 2) in error.perhaps_swapped
    assert told >= 20


def test_refuses_a_wrong_last_word():
    words = [*phrase_of(PhraseLanguage.ENGLISH).words[:23], "zoo"]
    with pytest.raises(PhraseChecksumWrong):
        parse_recovery_phrase(" ".join(words))


def test_a_shorter_phrase_of_another_wallet_is_read_by_name_only():
    text = "abandon " * 11 + "about"
    assert parse_bip39(text).entropy == bytes(16)
    with pytest.raises(PhraseMalformed):
        parse_recovery_phrase(text)
    with pytest.raises(PhraseMalformed):
        parse_bip39("abandon " * 13)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300) | st.lists(st.sampled_from(["zoo", "가격", "abandn"])).map(" ".join))
def test_any_text_is_a_phrase_or_a_typed_error(text):
    for parse in (parse_recovery_phrase, parse_bip39):
        try:
            outcome = parse(text).language.value
        except SeoulWalletError as error:
            outcome = error.code
        assert outcome.partition("_")[0] in ("ko", "en", "phrase")
