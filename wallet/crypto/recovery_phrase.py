"""The recovery phrase: 256 random bits as 24 words of BIP-39, in Korean or English.

The words are a way to write the bits down. What they protect is derived from the bits alone, so
one secret may be written in either language, or split into shares (`recovery_shares`). Words are
read in any normalization form and case, compared in NFKD as the lists are, and shown in NFC.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Final

from mnemonic import Mnemonic

from wallet.errors import MalformedError, RejectedError

ENTROPY_BYTES: Final = 32
PHRASE_WORDS: Final = 24
MAX_PHRASE_CHARACTERS: Final = 2048
MAX_NEAREST: Final = 3
_BIP39_WORDS: Final = (12, 15, 18, 21, 24)
_BIP39_BYTES: Final = (16, 20, 24, 28, 32)
# The longest word of both lists has 12 characters in NFKD; what is longer is near to none.
_MAX_WORD_CHARACTERS: Final = 24


class PhraseLanguage(StrEnum):
    """The word lists that are offered, by language tag."""

    KOREAN = "ko"
    ENGLISH = "en"


_LISTS: Final = {PhraseLanguage.KOREAN: "korean", PhraseLanguage.ENGLISH: "english"}


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A word that is in no list: its position from 1, and listed words near it, in NFC."""

    position: int
    nearest: tuple[str, ...] = field(repr=False)


class PhraseMalformed(MalformedError):
    """What was typed does not have as many words as a phrase has; `words` is how many it has."""

    code = "phrase_malformed"

    def __init__(self, message: str, words: int = 0) -> None:
        super().__init__(message)
        self.words = words


class PhraseWordUnknown(MalformedError):
    """Words are in no list; `unknown` says which, and what may have been meant.

    The message names positions only: the nearest words are part of somebody's secret.
    """

    code = "phrase_word_unknown"

    def __init__(self, unknown: tuple[UnknownWord, ...]) -> None:
        positions = ", ".join(str(word.position) for word in unknown)
        super().__init__(f"not in the word list: word {positions}")
        self.unknown = unknown


class PhraseChecksumWrong(RejectedError):
    """All words are listed but do not belong together so: a wrong word, or two exchanged.

    `perhaps_swapped` are the neighbours, by position from 1, whose exchange would fit.
    """

    code = "phrase_checksum_wrong"

    def __init__(self, perhaps_swapped: tuple[tuple[int, int], ...]) -> None:
        super().__init__("the words do not belong together in this order")
        self.perhaps_swapped = perhaps_swapped


@dataclass(frozen=True, slots=True)
class RecoveryPhrase:
    """A secret of 16 to 32 bytes (BIP-39) and the language to write it in.

    A wallet's has 32, see `generate_recovery_phrase` and `parse_recovery_phrase`.
    """

    entropy: bytes = field(repr=False)
    language: PhraseLanguage

    def __post_init__(self) -> None:
        if len(self.entropy) not in _BIP39_BYTES:
            raise ValueError("a phrase is of 16, 20, 24, 28 or 32 bytes")

    @property
    def words(self) -> tuple[str, ...]:
        """The words as they are shown, in NFC."""
        return tuple(unicodedata.normalize("NFC", word) for word in self.nfkd().split(" "))

    def nfkd(self) -> str:
        """Return the sentence as BIP-39 writes it: words in NFKD, one space between."""
        return _list(self.language).to_mnemonic(self.entropy)


def generate_recovery_phrase(language: PhraseLanguage) -> RecoveryPhrase:
    """Return a new phrase of 24 words from the operating system's randomness."""
    return RecoveryPhrase(secrets.token_bytes(ENTROPY_BYTES), language)


def parse_recovery_phrase(text: str) -> RecoveryPhrase:
    """Return the phrase of 24 words that was typed; the language is the one of most words.

    Raises `PhraseMalformed`, `PhraseWordUnknown`, `PhraseChecksumWrong`. The checksum has 8 bits:
    one wrong phrase of 256 passes, and then opens nothing.
    """
    words = _words(text)
    if len(words) != PHRASE_WORDS:
        message = f"a recovery phrase has {PHRASE_WORDS} words, this one has {len(words)}"
        raise PhraseMalformed(message, len(words))
    return _decode(words)


def parse_bip39(text: str) -> RecoveryPhrase:
    """Return a phrase of any length that BIP-39 has. Raises as `parse_recovery_phrase` does."""
    words = _words(text)
    if len(words) not in _BIP39_WORDS:
        message = f"BIP-39 has phrases of 12 to 24 words, not of {len(words)}"
        raise PhraseMalformed(message, len(words))
    return _decode(words)


def nearest_words(word: str, listed: Sequence[str]) -> tuple[str, ...]:
    """Return the words of `listed` that `word` may have been meant to be, best first, in NFC."""
    if len(word) > _MAX_WORD_CHARACTERS:
        return ()
    close = get_close_matches(word, listed, MAX_NEAREST)
    return tuple(unicodedata.normalize("NFC", found) for found in close)


def _words(text: str) -> list[str]:
    if len(text) > MAX_PHRASE_CHARACTERS:
        raise PhraseMalformed(f"a phrase has at most {MAX_PHRASE_CHARACTERS} characters")
    return unicodedata.normalize("NFKD", text).lower().split()


@cache
def _list(language: PhraseLanguage) -> Mnemonic:
    return Mnemonic(_LISTS[language])


@cache
def _indexes(language: PhraseLanguage) -> dict[str, int]:
    return {word: index for index, word in enumerate(_list(language).wordlist)}


def _decode(words: list[str]) -> RecoveryPhrase:
    language = max(PhraseLanguage, key=lambda one: sum(word in _indexes(one) for word in words))
    unknown = tuple(
        UnknownWord(position, nearest_words(word, _list(language).wordlist))
        for position, word in enumerate(words, start=1)
        if word not in _indexes(language)
    )
    if unknown:
        raise PhraseWordUnknown(unknown)
    entropy = _entropy(words, language)
    if entropy is None:
        raise PhraseChecksumWrong(_fitting_swaps(words, language))
    return RecoveryPhrase(entropy, language)


def _entropy(words: list[str], language: PhraseLanguage) -> bytes | None:
    """Return the bits of listed words, or None if the checksum is another."""
    try:
        return bytes(_list(language).to_entropy(words))
    except ValueError:
        return None


def _fitting_swaps(words: list[str], language: PhraseLanguage) -> tuple[tuple[int, int], ...]:
    found = []
    for at in range(len(words) - 1):
        swapped = [*words[:at], words[at + 1], words[at], *words[at + 2 :]]
        if swapped != words and _entropy(swapped, language) is not None:
            found.append((at + 1, at + 2))
    return tuple(found)
